// Local bias correction: what int8 shifts a convolution's mean output by goes into its bias.
//
// For each convolution the correction is the mean over the calibration pictures of (float output - output of
// the quantised input under quantised weights), before the activation, with the float network's own tensor as
// input: so it holds in any plan (findings-precision.md, section 2). A convolution is linear, so the mean
// output follows from the mean of what each tap sees; no convolution is computed.
#pragma once

#include <vector>

#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/map.h"

namespace fye {

class BiasCorrection {
 public:
  // `calib` has the grids and the weights; graph and calib outlive this object.
  BiasCorrection(const Graph& graph, const Calib& calib);

  // The whole of a tensor of the float network (f32), once a picture.
  void see(TensorId tensor, const Map& values);

  // The weights of `calib` with the mean errors added to their biases.
  std::map<std::string, WeightQuant> corrected() const;

 private:
  // Sums over pictures and output positions of what each tap of a convolution sees, [ky][kx][channel];
  // padding is 0.
  struct Sums {
    double positions = 0;
    std::vector<double> real, rounded;
  };

  const Graph& graph_;
  const Calib& calib_;
  std::vector<Sums> sums_;  // one a node, empty but for convolutions
};

}  // namespace fye

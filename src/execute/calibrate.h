// Calibration: a float graph and some pictures become the scales, zero points, integer weights and biases of
// int8.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/map.h"

namespace fye {

// honest: per-output-channel weights, ranges that minimise the squared error, fused adds, outputs on the
// picture's grid, local bias correction (findings-precision.md, section 10). naive: per-tensor weights,
// min-max ranges, nothing corrected: what comparisons are made with.
enum class CalibrationMethod { honest, naive };

struct CalibrateOptions {
  CalibrationMethod method = CalibrationMethod::honest;
  Isa max = active_isa();
};

// How far int8 is from the float network on the calibration pictures: mean msef (execute/fidelity.h) with
// every node in int8 that has an integer form.
struct CalibrateReport {
  double msef = 0;              // of the calibration that was returned
  double msef_uncorrected = 0;  // with the model's own biases
  bool bias_corrected = false;  // honest: whichever is less; naive: never
};

// `pictures` are input maps of the network (u8 or u16 with a quant, or f32), each whole. The graph is fused.
// Progress, if given, is called with a fraction 0..1. The same result for any number of threads. Errors: no
// pictures, a picture the graph can't take, NaN in a tensor (named).
Result<Calib> calibrate(const Graph& graph, std::span<const Map> pictures, const CalibrateOptions& options,
                        ThreadPool& threads, const std::function<void(double)>& progress = {},
                        CalibrateReport* report = nullptr);

// 16 hex digits over sizes, types, scales and pixels of the pictures in order (64-bit FNV-1a): tells
// calibrations apart, no protection against forgery. Memory between channels and pitch does not count.
std::string digest_of_pictures(std::span<const Map> pictures);

}  // namespace fye

// From the trainer to the product: a trained network as a Graph, and the int8 form of one trained for int8.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "learn/checkpoint.h"

namespace fye {

// The network as a framework would export it, not fused (graph/zoo.h), for pixels 0..255, SRCNN for luma
// 0..1; metadata fye.scale, fye.range, fye.colour, fye.pre.
Graph graph_of(const NetSpec& spec, const Weights& weights);

// calib.json's content, method "qat", for `fused`: graph_of()'s graph as import_onnx or fuse delivers it,
// with the weights that were trained with `grids`. Errors (bad_input): a tensor of the graph that the grids
// don't name.
Result<Calib> calib_of(const Graph& fused, const Grids& grids);

// PSNR in dB that a number format loses against f32, by format name: what the model's card states and
// `fye up` chooses its default format by (metadata fye.loss_db.FORMAT).
using FormatLosses = std::map<std::string, double>;

// Writes model.onnx (the averaged weights in float) and, for a quantised run, calib.json beside it. Errors:
// the folder.
Status export_checkpoint(const Checkpoint& checkpoint, const FormatLosses& losses,
                         const std::filesystem::path& folder);

}  // namespace fye

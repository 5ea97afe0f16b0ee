// Trunks: tensors that residual adds connect; int8r16 keeps them in 16 bits on one grid (design.md, section
// 4).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

// A residual add is a convolution with a residual (one channel for one, not the convolution's own input) or a
// sum or difference of two tensors. Its output and what it adds to - both operands of a sum, a convolution's
// residual - belong to one trunk, and so on from add to add: in EDSR the first convolution's output, too.
//
// The network's inputs and outputs, and tensors on the same u8 grid as one of them (what only bytes are moved
// of on the way out, or anchors of the picture), are never wide: on the picture's grid u8 loses nothing. An
// add that writes such a tensor is a plain int8 add and connects nothing.
struct Trunks {
  std::vector<int> of;  // by tensor: its trunk, or kNone
  // By tensor: s16 if int8r16 writes it. The rest of a trunk - what other ops than convolutions and adds write,
  // or is on the picture's grid - is u8, and converted where an add reads it.
  std::vector<bool> wide;
  int count = 0;
};

// `grids`: Calib::tensors.
Trunks find_trunks(const Graph& graph, const std::map<std::string, Quant>& grids);

// The 16-bit scale of every tensor, by tensor; 0 outside trunks. One value a trunk: the largest that
// calib.scale16 has for its tensors; if it has none, kTrunkHeadroom times the largest magnitude that the u8
// grids of its tensors can hold, / 32767.
std::vector<float> trunk_scales(const Graph& graph, const Calib& calib, const Trunks& trunks);

// u8 grids of least error cut the rarest values off, 16 bits need not: room for them.
inline constexpr float kTrunkHeadroom = 2;

}  // namespace fye

// Channel slices: some output channels of one convolution, as a network of its own.
#pragma once

#include <optional>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

// Channels that a slice must begin and end at multiples of: a whole turn of a repeated residual, or a vector.
int channel_granule(const Graph& graph, const Node& conv);

// True if the node is a convolution whose output channels can be dealt out: not grouped, more than a granule
// of them.
bool is_sliceable(const Graph& graph, const Node& node);

// The convolution with output channels [from, to), and its calibration. Tensor 0 is its input, whole; tensor
// 1, if it adds a residual, what slice_of_residual() says; the last tensor its output. Names are those of the
// original.
struct ChannelSlice {
  Graph graph;
  Calib calib;
};
ChannelSlice slice_channels(const Graph& graph, const Calib* calib, int node, int from, int to);

// Channels of the residual that channels [from, to) add: the same ones, or all where it is repeated.
struct ChannelRange {
  int from = 0, to = 0;
};
ChannelRange slice_of_residual(const Node& node, int channels, int from, int to);

}  // namespace fye

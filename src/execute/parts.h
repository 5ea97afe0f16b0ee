// Parts: a placed graph as segments, and the stored forms of every tensor that crosses from one to another.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "processors/processor.h"
#include "processors/segment_maps.h"

namespace fye {

// Told after each step of a run, for accounts of where time goes: a node; or, with node kNone, the conversion of
// `tensor` to another form; or, with both kNone, the moving of rows between bands, and first and last the
// beginning and the end of the run. Called on the thread that runs.
using StepDone = std::function<void(int node, TensorId tensor)>;

// A stored form of a tensor that crosses a segment's edge. Form 0 is the graph's input as the user gives it.
struct Copy {
  TensorId tensor = kNone;
  Format format;
  int margin = 0;
  int from = kNone;     // copy it is converted from; kNone: written by `segment` (or the user)
  int segment = kNone;  // the segment that writes it; for a converted copy, the one before which it is made
  int last_reader = kNone;
};

struct Part {
  Segment segment;
  const Processor* processor;
  std::unique_ptr<Runnable> runnable;
  std::vector<int> in, out;  // copies
};

struct Parts {
  const Graph* graph = nullptr;
  std::vector<Shape> shapes;
  std::vector<Part> parts;
  std::vector<Copy> copies;
  TensorId input = kNone, output = kNone;
  int input_copy = 0;      // the user's map
  int final_copy = kNone;  // the stored form that the user's output is made from

  MapSize size_of(TensorId tensor) const { return map_size(shapes[size_t(tensor)]); }

  // True if the last segment may write straight into the user's output.
  bool ends_in(const Map& out) const;
};

// Maximal runs of nodes on one processor inside which each tensor has one form become segments, prepared; each
// tensor that crosses lives once per (type, quant): the copy its producer wrote and converted copies for readers that store it otherwise.
// `shapes` are all tensors' shapes. `stage`, if not empty, is a number a node; where it changes a segment ends too. Errors: what
// a processor can't run, a graph whose output is its input.
Result<Parts> cut_into_parts(const Graph& graph, const Calib* calib,
                             std::span<const Processor* const> placement, std::vector<Shape> shapes,
                             std::span<const int> stage = {});

}  // namespace fye

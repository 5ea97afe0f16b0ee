// Stepper: a network node by node over whole maps, each node on any processor, from any node on - for asking
// again and again what a small change of the placement does to the output.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/map.h"
#include "processors/processor.h"

namespace fye {

// A tensor that takes the way through another form and back before some nodes read it.
struct Detour {
  TensorId tensor = kNone;
  Stored form;
  std::vector<int> readers;  // nodes; empty: all
};

// One input; what the `base` processor makes of it everywhere is computed once and kept, so that a placement
// costs the nodes that differ from it or read what differs. Computes what Executor computes, bit for bit. One
// call at a time.
class Stepper {
 public:
  // `in` is copied. Graph, calib and processors outlive the stepper. Errors: as Executor::prepare.
  static Result<Stepper> create(const Graph& graph, const Calib* calib, const Processor* base, const Map& in,
                                ThreadPool& threads, Isa max = active_isa());
  Stepper(Stepper&&) noexcept;
  ~Stepper();

  // The network's output under `placement` (one processor a node), with detours. Valid until the next call.
  Result<Map> output(std::span<const Processor* const> placement, std::span<const Detour> detours = {});
  // Everything on the base processor. Valid as long as the stepper.
  const Map& base_output() const;

 private:
  struct State;
  explicit Stepper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

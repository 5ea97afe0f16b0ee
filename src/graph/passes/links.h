// Links: who writes and who reads each tensor, kept up to date while a pass fuses neighbours.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace fye {

// Node indices stay valid while a pass works: fused nodes are marked dead and dropped by finish().
class Links {
 public:
  explicit Links(Graph& graph);

  // The node that writes `tensor`, kNone for a graph input.
  int producer(TensorId tensor) const { return producer_[tensor]; }

  // The only node that reads `tensor`; kNone if there are none or several, or if it is a graph output.
  int sole_reader(TensorId tensor) const;

  // `earlier` takes over the output of `later`, its only reader, which dies.
  void absorb(int earlier, int later);

  // The node that stands at `from` moves to `to`, whose node dies; it writes what that one wrote and also
  // reads `extra`.
  void absorb_at(int from, int to, TensorId extra);

  // The node `later` reads its input 0 from where `earlier`, which it was the only reader of, read it;
  // `earlier` dies.
  void bypass(int earlier, int later);

  // Swaps the places of `upper` and `lower`, its only reader; both have one input. The tensor between them is
  // kept.
  void swap(int upper, int lower);

  // Drops the dead nodes.
  void finish();

 private:
  Graph& graph_;
  std::vector<int> producer_;
  std::vector<std::vector<int>> readers_;  // each once
  std::vector<bool> dead_;
};

}  // namespace fye

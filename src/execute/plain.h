// The executor: any placement of a graph's nodes on processors, over whole maps, over tiles or over bands of
// rows. Whole maps are the plain way, the truth that the others are held to.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "execute/bands.h"
#include "execute/parts.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "processors/processor.h"

namespace fye {

// Bands that are neither slow nor large: at least so many input rows, more while maps in between stay within
// what the caches of common chips hold (docs/results.md).
inline constexpr int kUsualBand = 16;
inline constexpr size_t kUsualBandBytes = size_t{6} << 20;

struct ExecuteOptions {
  int height = 0, width = 0;  // of the input map
  // Output tile edge in *input* pixels; 0 = the whole picture at once. Refused if the graph has a global
  // node.
  int tile = 0;
  // Input rows that are taken through the whole network at a time (execute/bands.h), so that maps in between
  // are a band high; 0 = whole maps. Without effect with a tile, or where a node needs the whole picture.
  int band = 0;
  // More rows than `band` as long as the maps in between take at most this.
  size_t band_bytes = 0;
  // Whole maps where they take less memory than bands do that are larger than `band_bytes`: whole maps share memory
  // one after the other, while each map of a band keeps its own, which a deep network on a small picture has
  // hundreds of.
  bool whole_if_smaller = false;
  // Asked before each tile or band; true ends the run with ErrorCode::interrupted. May be empty.
  std::function<bool()> stop;
  Isa max = active_isa();
};

// A graph prepared for one input size: memory planned, weights packed. One run at a time.
class Executor {
 public:
  // placement: one processor a node (index like Graph::nodes). Maximal runs of nodes on one processor become
  // segments; tensors that cross between formats are converted once per format. Graph, calib and processors
  // outlive the executor.
  static Result<Executor> prepare(const Graph& graph, const Calib* calib,
                                  std::span<const Processor* const> placement, const ExecuteOptions& options);
  Executor(Executor&&) noexcept;
  ~Executor();

  // The output's size for this input size: height, width, channels.
  int out_height() const;
  int out_width() const;
  int out_channels() const;

  // `in` is any map of the whole input (u8 or u16 picture with a quant, or f32), `out` likewise of the whole
  // output; values are converted to and from what the first and last segments use. Whole, tiles or bands, any
  // number of threads: the same bits.
  Status run(const Map& in, const Map& out, ThreadPool& threads, const Observer* observer = nullptr,
             const StepDone* done = nullptr);

  // Bytes of planned memory (arena), allocated by the first run; weights not counted.
  size_t arena_bytes() const;

  // Tiles or bands that a run takes; an observer sees every node once in each.
  int pass_count() const;

  // For callers that hold only some rows of the input and the output, where the network goes by bands: the
  // rows of pass `index`, in a run whose output is stored as `out` (only its type and quant count), or
  // nothing; and that pass, after all before it. The maps hold at least its rows, in coordinates of the
  // whole.
  std::optional<PassRows> pass_rows(int index, const Map& out) const;
  Status run_pass(int index, const Map& in, const Map& out, ThreadPool& threads,
                  const Observer* observer = nullptr, const StepDone* done = nullptr);

  // One line per node and hand-over, in order of execution.
  std::vector<std::string> explain() const;

 private:
  struct State;
  Status have_arena();
  explicit Executor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Every node on the same processor.
std::vector<const Processor*> everywhere(const Graph& graph, const Processor* processor);

}  // namespace fye

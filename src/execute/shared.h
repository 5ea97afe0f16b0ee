// Work that several processors share at the same time: stages of a network cut by rows or by output channels,
// each part on its processor (CoDL: Jia et al., MobiSys 2022; uLayer: Kim et al., EuroSys 2019;
// spec/baselines.md).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "execute/parts.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "processors/processor.h"

namespace fye {

// A processor and the part of a stage that it does; the parts of a stage add up to 1.
struct Share {
  const Processor* processor = nullptr;
  double part = 1;
};

// none: one processor does all. rows: each does a stripe of the stage's output and computes again the rows
// that its stripe needs of earlier layers, so that nothing is exchanged inside a stage. channels: each does
// some output channels of every convolution and reads all of its input; what is no convolution is done by the
// first.
enum class Cut : uint8_t { none, rows, channels };

struct Stage {
  Cut cut = Cut::none;
  std::vector<Share> shares;
};

// Processors on cores of their own (Processor::core) work side by side, those on all threads one after the
// other. Between stages everybody waits for the last. Whole maps lie between stages, stored as the first
// share's processor does.
class SharedExecutor {
 public:
  // `stage_of` is an index into `stages` for each node; a stage's maximal runs of consecutive nodes are its
  // segments. Graph, calib and processors outlive the executor. Errors: as Executor::prepare; parts that are
  // negative or don't add up to 1; rows shared by processors of different number formats; channels shared
  // with one that stores 16-bit sums.
  static Result<SharedExecutor> prepare(const Graph& graph, const Calib* calib, std::span<const Stage> stages,
                                        std::span<const int> stage_of, int height, int width,
                                        Isa max = active_isa());
  SharedExecutor(SharedExecutor&&) noexcept;
  ~SharedExecutor();

  int out_height() const;
  int out_width() const;
  int out_channels() const;
  // Bytes of planned memory, allocated by the first run; weights not counted.
  size_t arena_bytes() const;
  // Segments: how often everybody waits in a run.
  int segment_count() const;

  // As Executor::run. An observer sees the maps at the ends of segments. Rows: the same bits as one processor
  // gives.
  Status run(const Map& in, const Map& out, ThreadPool& threads, const Observer* observer = nullptr,
             const StepDone* done = nullptr);

  // One line a share and node, in order of execution.
  std::vector<std::string> explain() const;

 private:
  struct State;
  explicit SharedExecutor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// How `total` rows or channels are dealt out: whole multiples of `granule` but for what is left over, which
// goes to the first share that has any; ascending ends, the last is `total`. Nobody with a part above 0 is
// left without as long as there are granules.
std::vector<int> deal_out(int total, int granule, std::span<const Share> shares);

}  // namespace fye

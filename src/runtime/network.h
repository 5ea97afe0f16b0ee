// Network: a model prepared for pictures of one size - colour conventions outside, tensors inside.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "base/threads.h"
#include "execute/plain.h"
#include "image/picture.h"
#include "plan/plan.h"
#include "runtime/model.h"

namespace fye {

// How 8-bit pictures reach a network with these conventions: as they are, on the grid of its range, where that
// begins at 0 and the network takes RGB; else as floats.
Stored picture_form(const Conventions& conventions);

// Takes grey or RGB pictures (8 or 16 bit, no alpha) of the size it was prepared for and makes them `scale`
// times as large. RGB nets see grey as three equal channels and answer with their mean. Nets on luma get
// BT.601 studio luma; colour comes from the bicubic enlargement, moved by the difference in luma.
class Network {
 public:
  // The model outlives the network. `options` in the picture's pixels: its size, tile and band.
  static Result<Network> prepare(const Model& model, std::span<const Processor* const> placement,
                                 const ExecuteOptions& options);
  // Processors side by side (plan/plan.h), over the whole picture; of `options` size and instruction set count.
  static Result<Network> prepare(const Model& model, const SharedWork& work, const ExecuteOptions& options);
  Network(Network&&) noexcept;
  ~Network();

  // `out` must have scale times the size, and the channels and bits of `in`.
  Status run(const Picture& in, Picture& out, ThreadPool& threads, const Observer* observer = nullptr,
             const StepDone* done = nullptr);

  // Planned memory, and what run() itself needs for colours; pictures not counted.
  int64_t bytes() const;
  // How often an observer sees every node in a run.
  int pass_count() const;

 private:
  struct State;
  explicit Network(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

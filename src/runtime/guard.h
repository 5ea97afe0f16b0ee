// The output guard: no NaN, infinite, black or flat part of a picture leaves where the network didn't mean
// it. What looks wrong is computed again in float; only if that is wrong too is the picture refused.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "processors/processor.h"
#include "runtime/model.h"
#include "runtime/pixel_rows.h"

namespace fye {

// What the guard did, over a picture.
struct GuardReport {
  int suspected = 0;  // patches that looked wrong
  int repaired = 0;   // of them, those that were replaced
  std::vector<std::string>
      notices;  // a sentence for each of the first that were replaced, and one for the rest
};

// Watches one network, run after run. Looks at patches of kGuardCell x kGuardCell input pixels:
//  - an output whose samples are all equal, where the input's range is over 8 levels (flat, black,
//  saturated);
//  - an output whose mean is over 40 levels away from the input's (a part that is black or of another
//  colour);
//  - inside the network, see runtime/suspects.h.
// A patch with one of the last two signs counts as wrong only if the same run does not give the same bits
// again. What counts is computed again in f32 from the input around it (on scalar kernels too, if the fast
// ones give something broken). It is replaced if it had NaN or infinities or differs from the float result by
// 4 levels in the mean, which no number format does; otherwise the network means it, and it stays (after 16
// such patches a picture is looked at less closely). If the float result is broken, or flat where the input's
// mean deviation is over 24 levels, the picture is refused. Depends on absolute places alone: tiles, bands
// and threads make no difference. Costs: docs/results.md.
class Guard {
 public:
  // Model, placement's processors and threads outlive the guard. `width` x `height`: of the input.
  static Result<Guard> create(const Model& model, std::span<const Processor* const> placement, Isa max,
                              ThreadPool& threads, int width, int height);
  Guard(Guard&&) noexcept;
  ~Guard();

  // A new picture of that size, grey or RGB (channels 1 or 3).
  void begin(int channels, int bits);
  // Before each pass: the rows of the input that are held.
  void input(const PixelRows& rows);
  // After each node, on the thread that runs.
  void see(int node, const Map& map);

  // Rows of the output that may be looked at once `made` of them, and the input() rows, are there: whole
  // patches.
  int ready(int made) const;
  // Input rows that must still be held to look at and repair output rows from `from` on.
  int needed_from(int from) const;

  // Looks at output rows [from, to), as ready() cuts them, and repairs them in place. `out` holds at least
  // these, the input() what needed_from(from) says. Errors: bad_input, the picture is refused.
  Status settle(const PixelRows& out, int from, int to);

  GuardReport report() const;

  // For tests: called before see(), may change what a node has made; also in repairs if `again`.
  void tamper(const Observer& observer, bool again);

  // Memory that a repair takes at most, of a network with so many bytes of maps in a picture's full width.
  static int64_t repair_bytes(const Model& model, std::span<const Processor* const> placement, int width,
                              int64_t map_bytes);
  // Rows of the input around a patch that a repair reads, on each side.
  static int reach(const Model& model);

 private:
  struct State;
  explicit Guard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

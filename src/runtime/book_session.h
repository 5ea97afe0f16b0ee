// Book session: some plans of a book prepared side by side, each picture run by the one that the deadline
// keeper chooses.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/book.h"
#include "runtime/keeper.h"
#include "runtime/upscale.h"

namespace fye {

// Where one picture's time went, in milliseconds, mean over the threads: the rows and `rest` add up to `ms`.
// A thread that spins for its next rows (20 us, base/threads.cc) works; one that sleeps, or was pushed aside by
// another program, waits.
struct FrameTrace {
  int frame = 0, entry = 0;  // entry: index in the book
  double ms = 0, deadline_ms = 0;
  bool late = false;
  std::map<std::string, double> units, hand_overs;  // work, by unit, by tensor
  double moving = 0;                                // of rows between bands
  double around = 0;  // before and after the network: transparency, the new picture's memory, checks
  double waiting = 0, rest = 0;  // rest: not attributed
};

struct BookSessionOptions {
  double deadline_ms = 0;
  int plans = 6;     // of the book, at most: its fastest, its truest within the deadline, and some between
  double scale = 1;  // times of the book are for pictures of 1 / scale the pixels
  KeeperOptions keeper;
  UpscaleOptions upscale;  // its plan is ignored
};

// One call at a time. Memory: that of each plan's weights and maps.
class BookSession {
 public:
  // Model and pool outlive the session. Errors: an empty book, a deadline that is no time above 0; code
  // deadline if even the fastest plan is predicted to be slower, with its time and the gap.
  static Result<BookSession> create(const Model& model, const Book& book, const BookSessionOptions& options,
                                    ThreadPool& threads);
  BookSession(BookSession&&) noexcept;
  ~BookSession();

  // Runs every plan on a picture of the size to come, so that no picture pays for preparation; where that takes
  // little time, some rounds more, and the keeper goes by their medians instead of the book's times.
  Status warm_up(const Picture& picture);

  // `trace` may be null; with one, each step of the run is timed.
  Result<Upscaled> run(const Picture& picture, FrameTrace* trace = nullptr);

  const DeadlineKeeper& keeper() const;
  // The book's entries that are prepared, ascending by time.
  const std::vector<int>& entries() const;
  // Planned memory of the plans that have run, for the size they ran at last.
  int64_t bytes() const;

 private:
  struct State;
  explicit BookSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

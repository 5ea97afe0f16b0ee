// Deadline keeper: which of several plans the next picture runs by, so that deadlines are kept while the
// machine warms up or gets busy, and quality is no lower than that takes. Pure arithmetic: times come in, a
// rung comes out; no clock, no threads.
#pragma once

#include <deque>
#include <vector>

#include "base/result.h"

namespace fye {

// Tuned on replayed and simulated loads (runtime/keeper_test.cc); measured by bench/deadline.
struct KeeperOptions {
  // A load has come if two pictures in a row are late, or `most_late` of the last `late_window`: fewer are
  // taken for chance. And over a long stretch no more than 1 in 100 may be late: `budget` of `budget_window`.
  int most_late = 3, late_window = 8, budget = 3, budget_window = 300;
  // A rung is safe if a picture as slow as `quantile` of the last `window` ones would take at most `headroom`
  // of the deadline there. Beyond `brink` pictures are about to be late.
  int window = 48;
  double quantile = 0.9, headroom = 0.95, brink = 0.97;
  double first_headroom = 0.9;  // before any picture has shown how much times scatter
  double load_headroom = 0.7;   // under a load that only late pictures have shown
  // Pictures in time before a step up, at most `tail` of which would have been late there; doubled each time a
  // step up had to be taken back, up to the limit, and halved after one that held.
  int patience = 150, most_patience = 3200;
  double tail = 0.01;
};

// Not thread-safe. Predicted times are right up to one factor, the machine's state, which is learned from
// each picture; a picture runs by one plan from start to end.
class DeadlineKeeper {
 public:
  // `predicted_ms`: of each rung, ascending. Begins with the truest rung whose prediction is within
  // first_headroom of the deadline, or the fastest. Errors: no rungs, times out of order or not above 0, a
  // deadline that is no time above 0.
  static Result<DeadlineKeeper> create(std::vector<double> predicted_ms, double deadline_ms,
                                       const KeeperOptions& options = {});

  // Of the next picture.
  int rung() const { return rung_; }
  // How long the picture took that ran by rung().
  void took(double ms);

  // New predictions for the same rungs; what was learned about the machine is forgotten. No change before the
  // first picture. Errors: as create().
  Status replan(std::vector<double> predicted_ms);

  int changes() const { return changes_; }
  // Measured over predicted, median of the window; 1 before the first picture.
  double load() const;

 private:
  struct Past {
    double ms;
    int rung;
  };
  DeadlineKeeper(std::vector<double> predicted_ms, double deadline_ms, const KeeperOptions& options);
  double ms_of(int rung) const { return predicted_[size_t(rung)]; }
  std::vector<double> ratios(int last) const;
  double slow_ratio(int last) const;
  int highest_safe(double ratio, double headroom) const;
  int late_among(int last) const;
  double load_of_late(int last) const;
  double late_share_on(int rung, int last) const;
  int way_up() const;
  void go(int rung);
  void go_down(int rung);

  std::vector<double> predicted_;
  double deadline_;
  KeeperOptions options_;
  int rung_ = 0, changes_ = 0, patience_;
  int in_time_ = 0;           // pictures in a row since the last late one or change
  int since_change_ = 0;      // pictures
  bool stepped_up_ = false;   // the last change was up, and may still be taken back
  std::deque<Past> past_;     // the last budget_window pictures, whatever they ran by; newest last
};

}  // namespace fye

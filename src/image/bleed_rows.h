// bleed_under_alpha row by row, for pictures that are not held whole.
#pragma once

#include <cstdint>
#include <memory>

#include "image/rows.h"

namespace fye {

// The colour under a transparent pixel may come from far away, so the rows pass twice: first all of them to
// survey(), then all of them again through add() and next(). The same samples as bleed_under_alpha. Holds
// some tens of rows and a 256th of the picture.
class BleedRows {
 public:
  // `rows` has alpha.
  explicit BleedRows(const RowFormat& rows);
  BleedRows(BleedRows&&) noexcept;
  ~BleedRows();

  void survey(const uint8_t* row);

  // After the survey: false if no pixel would change.
  bool needed() const;

  // Rows that must have been added before row `y` comes out.
  int rows_before(int y) const;
  void add(const uint8_t* row);
  // The next row; false if not enough have been added, or after the last.
  bool next(uint8_t* row);

  static int64_t bytes(const RowFormat& rows);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fye

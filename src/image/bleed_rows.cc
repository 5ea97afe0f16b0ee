// Levels up to kKept are made again in the second pass, as windows of rows; the picture's survey keeps level
// kKept and pulls it from those above. Tested by bleed_rows_test.cc: equal to bleed_under_alpha.
#include "image/bleed_rows.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "image/push_pull.h"

namespace fye {
namespace {

// 16 x 16 pixels a cell: a 256th of the picture is held, and about 3 * 2^(kKept - 1) rows on either side.
constexpr int kKept = 4;

int half(int length) { return (length + 1) / 2; }

}  // namespace

struct BleedRows::State {
  RowFormat format;
  int colours, kept = 0;                    // the level held whole
  std::vector<int> width, height;           // of levels 0..kept
  std::vector<int> pushed;                  // rows of each level that are there
  std::vector<std::vector<float>> partial;  // of each level above 0: the row in work
  Level whole;                              // level `kept`, filled by the survey
  bool any_hidden = false, any_visible = false, ready = false;

  // Second pass: rows of levels below `kept`, and pictures' rows that have not come out.
  std::vector<std::map<int, std::vector<float>>> unfilled, filled;
  std::map<int, std::vector<uint8_t>> pixels;
  int added = 0, made = 0;
  std::vector<float> cells;

  explicit State(const RowFormat& rows) : format(rows), colours(rows.channels - 1) {
    width = {rows.width};
    height = {rows.height};
    while (kept < kKept && (width.back() > 1 || height.back() > 1)) {
      width.push_back(half(width.back()));
      height.push_back(half(height.back()));
      ++kept;
    }
    whole = make_level(width.back(), height.back(), colours);
    cells.resize(size_t(rows.width) * rows.channels);
    restart();
  }

  void restart() {
    pushed.assign(size_t(kept) + 1, 0);
    partial.clear();
    for (int w : width) partial.emplace_back(size_t(w) * (colours + 1));
    unfilled.assign(size_t(kept) + 1, {});
    filled.assign(size_t(kept) + 1, {});
  }

  const float* read(const uint8_t* row) {
    if (format.bits == 16)
      cells_of(reinterpret_cast<const uint16_t*>(row), format.width, colours, cells.data(), any_hidden,
               any_visible);
    else
      cells_of(row, format.width, colours, cells.data(), any_hidden, any_visible);
    return cells.data();
  }

  // A whole row of `level`, handed up as far as `kept`, to `sink(level, y, values)` at each.
  void push_up(int level, const float* row, const std::function<void(int, int, const float*)>& sink) {
    const int y = pushed[size_t(level)]++;
    sink(level, y, row);
    if (level == kept) return;
    std::vector<float>& coarse = partial[size_t(level) + 1];
    if (y % 2 == 0) std::fill(coarse.begin(), coarse.end(), 0.f);
    push_row(row, width[size_t(level)], colours, coarse.data());
    if (y % 2 == 0 && y + 1 < height[size_t(level)]) return;
    push_end(coarse.data(), width[size_t(level) + 1], colours);
    push_up(level + 1, coarse.data(), sink);
  }

  void survey(const uint8_t* row) {
    push_up(0, read(row), [&](int level, int y, const float* values) {
      if (level == kept) std::copy_n(values, whole.row_values(), whole.row(y));
    });
  }

  void finish_survey() {
    std::vector<Level> above = {std::move(whole)};
    while (above.back().width > 1 || above.back().height > 1) above.push_back(push(above.back()));
    for (size_t i = above.size() - 1; i > 0; --i) pull(above[i], above[i - 1]);
    whole = std::move(above[0]);
    restart();
    ready = true;
  }

  void add(const uint8_t* row) {
    push_up(0, read(row), [&](int level, int y, const float* values) {
      if (level < kept)
        unfilled[size_t(level)][y].assign(values, values + size_t(width[size_t(level)]) * (colours + 1));
    });
    pixels[added++].assign(row, row + format.row_bytes());
  }

  const float* filled_row(int level, int y) {
    if (level == kept) return whole.row(y);
    auto& rows = filled[size_t(level)];
    const auto found = rows.find(y);
    if (found != rows.end()) return found->second.data();
    std::vector<float>& row = rows[y];
    row = unfilled[size_t(level)].at(y);
    const int far = pull_neighbour(y, height[size_t(level) + 1]);
    const float* near_row = filled_row(level + 1, y / 2);
    const float* far_row = filled_row(level + 1, far);
    pull_row(near_row, far_row, width[size_t(level)], colours, row.data());
    return row.data();
  }

  // Rows of each level that no row from `made` on looks at.
  void forget() {
    for (int level = 0; level < kept; ++level) {
      constexpr int kSpare = 2;  // a row looks one row up at each level, which adds up to less than two
      const int first = (made >> level) - kSpare;
      for (auto* rows : {&unfilled[size_t(level)], &filled[size_t(level)]})
        rows->erase(rows->begin(), rows->lower_bound(first));
    }
  }
};

BleedRows::BleedRows(const RowFormat& rows) : state_(std::make_unique<State>(rows)) {}
BleedRows::BleedRows(BleedRows&&) noexcept = default;
BleedRows::~BleedRows() = default;

void BleedRows::survey(const uint8_t* row) { state_->survey(row); }
bool BleedRows::needed() const { return state_->any_hidden && state_->any_visible; }

int BleedRows::rows_before(int y) const {
  const State& s = *state_;
  // At level k a row looks down to row (y >> k) + 2 at most, which is made of 2^k rows.
  const int down = s.kept > 0 ? 3 << (s.kept - 1) : 1;
  return std::min(s.format.height, y + down);
}

void BleedRows::add(const uint8_t* row) {
  if (!state_->ready) state_->finish_survey();
  state_->add(row);
}

bool BleedRows::next(uint8_t* row) {
  State& s = *state_;
  if (s.made == s.format.height || s.added < rows_before(s.made)) return false;
  const auto pixels = s.pixels.find(s.made);
  std::memcpy(row, pixels->second.data(), s.format.row_bytes());
  s.pixels.erase(pixels);
  const float* cells = needed() ? s.filled_row(0, s.made) : nullptr;
  if (!cells) {
    // Nothing to change.
  } else if (s.format.bits == 16) {
    colour_hidden(cells, s.format.width, s.colours, reinterpret_cast<uint16_t*>(row));
  } else {
    colour_hidden(cells, s.format.width, s.colours, row);
  }
  ++s.made;
  s.forget();
  return true;
}

int64_t BleedRows::bytes(const RowFormat& rows) {
  const int64_t cells = int64_t(rows.width) * rows.channels * int64_t(sizeof(float));
  const int64_t window = (3 << (kKept - 1)) + 4;
  // Levels add a half, a quarter, ... of the width and of the rows; filled and unfilled.
  const int64_t whole = cells * rows.height >> (2 * kKept);
  return cells * 4 + window * (2 * cells * 4 / 3 + int64_t(rows.row_bytes())) + whole * 2;
}

}  // namespace fye

// Rows of a map shared among threads.
#pragma once

#include <algorithm>

#include "base/threads.h"
#include "graph/region.h"

namespace fye {

// Calls body(from, to) for ranges that cover rows [y0, y1), about `ranges` a thread, cut between whole
// grains (Kernel::grain). More ranges even out delays, fewer cost less.
template <class Body>
void split_rows(int y0, int y1, const Grain& grain, int ranges, ThreadPool& threads, const Body& body) {
  const int first = grain.row_before(y0), count = (grain.row_after(y1) - first) / grain.size;
  const int each = threads.size() == 1 ? count : std::max(1, count / (threads.size() * ranges));
  threads.parallel_for(count, each, [&](int64_t b, int64_t e) {
    body(std::max(y0, first + int(b) * grain.size), std::min(y1, first + int(e) * grain.size));
  });
}

}  // namespace fye

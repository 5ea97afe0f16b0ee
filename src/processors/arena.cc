#include "processors/arena.h"

#include <algorithm>
#include <numeric>

#include "base/buffer.h"

namespace fye {

ArenaPlan plan_arena(std::span<const Lifetime> buffers) {
  auto aligned = [](size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; };
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  ArenaPlan plan{.offset = std::vector<size_t>(buffers.size())};
  std::vector<size_t> placed;  // ascending by offset
  for (size_t index : order) {
    const Lifetime& mine = buffers[index];
    size_t at = 0;
    for (size_t other : placed) {
      const Lifetime& theirs = buffers[other];
      if (theirs.last < mine.first || mine.last < theirs.first) continue;
      if (at + aligned(mine.bytes) <= plan.offset[other]) break;
      at = std::max(at, plan.offset[other] + aligned(theirs.bytes));
    }
    plan.offset[index] = at;
    plan.bytes = std::max(plan.bytes, at + aligned(mine.bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), at,
                                   [&](size_t offset, size_t other) { return offset < plan.offset[other]; }),
                  index);
  }
  return plan;
}

}  // namespace fye

#include "processors/arena.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace fye {
namespace {

TEST(Arena, ChainNeedsTwoBuffers) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({6400, i, i + 1});
  EXPECT_EQ(plan_arena(chain).bytes, 2u * 6400);
}

TEST(Arena, NothingNeedsNothing) { EXPECT_EQ(plan_arena({}).bytes, 0u); }

RC_GTEST_PROP(Arena, LiveBuffersNeverOverlap, ()) {
  std::vector<Lifetime> buffers;
  const int count = *rc::gen::inRange(0, 40);
  size_t largest_step = 0;
  for (int i = 0; i < count; ++i) {
    const int first = *rc::gen::inRange(0, 20);
    buffers.push_back({*rc::gen::inRange<size_t>(0, 5000), first, first + *rc::gen::inRange(0, 10)});
  }
  const ArenaPlan plan = plan_arena(buffers);
  for (int step = 0; step < 31; ++step) {
    size_t live = 0;
    for (size_t i = 0; i < buffers.size(); ++i) {
      if (buffers[i].first > step || buffers[i].last < step) continue;
      live += buffers[i].bytes;
      RC_ASSERT(plan.offset[i] % 64 == 0);
      RC_ASSERT(plan.offset[i] + buffers[i].bytes <= plan.bytes);
      for (size_t j = 0; j < i; ++j) {
        if (buffers[j].first > step || buffers[j].last < step || !buffers[i].bytes || !buffers[j].bytes) continue;
        RC_ASSERT(plan.offset[i] + buffers[i].bytes <= plan.offset[j] ||
                  plan.offset[j] + buffers[j].bytes <= plan.offset[i]);
      }
    }
    largest_step = std::max(largest_step, live);
  }
  RC_ASSERT(plan.bytes >= largest_step);
}

}  // namespace
}  // namespace fye

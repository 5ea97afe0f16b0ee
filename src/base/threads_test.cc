#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace fye {
namespace {

TEST(ThreadPool, EveryIndexOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t count : {0, 1, 2, 7, 1000})
      for (int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> hits(count);
        pool.parallel_for(count, grain, [&](int64_t b, int64_t e) {
          EXPECT_LE(e - b, grain);
          for (int64_t i = b; i < e; ++i) ++hits[i];
        });
        for (auto& hit : hits) EXPECT_EQ(hit, 1);
      }
  }
}

TEST(ThreadPool, ManyShortLoops) {
  ThreadPool pool(4);
  std::atomic<int64_t> sum = 0;
  for (int round = 0; round < 3000; ++round)
    pool.parallel_for(8, 1, [&](int64_t b, int64_t) { sum += b; });
  EXPECT_EQ(sum, 3000 * 28);
}

TEST(ThreadPool, NestedLoopRunsInline) {
  ThreadPool pool(4);
  std::atomic<int> inner = 0;
  pool.parallel_for(4, 1, [&](int64_t, int64_t) {
    pool.parallel_for(10, 1, [&](int64_t, int64_t) { ++inner; });
  });
  EXPECT_EQ(inner, 40);
}

TEST(Threads, AtLeastOneCore) { EXPECT_GE(available_cores(), 1); }

}  // namespace
}  // namespace fye

#include "base/crew.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "base/threads.h"

namespace fye {
namespace {

std::vector<int> all_members(int count) {
  std::vector<int> members(static_cast<size_t>(count));
  std::iota(members.begin(), members.end(), 0);
  return members;
}

TEST(Crew, CoresAreThoseThatThreadsCount) {
  const std::vector<int> cores = usable_cores();
  EXPECT_EQ(int(cores.size()), available_cores());
  EXPECT_TRUE(std::is_sorted(cores.begin(), cores.end()));
}

TEST(Crew, EachMemberRunsOnItsCoreAndTheCallerGetsItsOwnBack) {
  const std::vector<int> places = all_members(available_cores());
  Crew crew(places);
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  std::vector<int> ran_on(places.size(), -1);
  {
    const Crew::Seat seat(crew);
    crew.run(places, [&](int member) { ran_on[size_t(member)] = sched_getcpu(); });
  }
  EXPECT_EQ(ran_on, usable_cores());
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST(Crew, OnlyThoseAskedWorkAndAllOfThemAreDoneAtTheEnd) {
  // More members than cores is allowed for tests: they share the last core.
  const std::vector<int> places = all_members(3);
  Crew crew(places);
  const Crew::Seat seat(crew);
  std::vector<int> count(3, 0);
  const std::vector<std::vector<int>> rounds = {{0}, {1}, {2}, {0, 2}, {1, 2}, {0, 1, 2}};
  for (int turn = 0; turn < 200; ++turn)
    for (const auto& members : rounds) crew.run(members, [&](int member) { ++count[size_t(member)]; });
  EXPECT_EQ(count, (std::vector<int>{600, 600, 800}));
}

TEST(Crew, MembersThatSleptAreWoken) {
  const std::vector<int> places = all_members(2);
  Crew crew(places);
  int done = 0;
  for (int turn = 0; turn < 3; ++turn) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    crew.run(std::vector<int>{1}, [&](int) { ++done; });
  }
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace fye

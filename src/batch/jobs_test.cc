#include "batch/jobs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <thread>

namespace fye {
namespace {

// What the fake works saw.
struct Log {
  std::atomic<int> alive{0}, most_alive{0}, working{0}, alone_broken{0};
  std::mutex mutex;
  std::vector<int> stages;  // of each job: how far it came
};

struct Fake : Work {
  Fake(Log& l, size_t i, int f, bool a) : log(l), index(i), fails_at(f), alone(a) {
    const int now = ++log.alive;
    int most = log.most_alive;
    while (now > most && !log.most_alive.compare_exchange_weak(most, now)) {
    }
  }
  ~Fake() override { --log.alive; }
  Status stage(int number) {
    {
      const std::lock_guard lock(log.mutex);
      EXPECT_EQ(log.stages[index], number - 1) << "stages come in order, once";
      log.stages[index] = number;
    }
    if (alone && log.alive != 1) ++log.alone_broken;
    if (fails_at == number) return bad_input("stage " + std::to_string(number));
    if (fails_at == 10 + number) throw std::bad_alloc();
    return {};
  }
  Status load() override { return stage(1); }
  Status work() override {
    struct Leave {
      std::atomic<int>& working;
      ~Leave() { --working; }
    };
    EXPECT_EQ(++log.working, 1) << "one is worked on at a time";
    const Leave leave{log.working};
    return stage(2);
  }
  Status save() override { return stage(3); }

  Log& log;
  size_t index;
  int fails_at;
  bool alone;
};

RC_GTEST_PROP(Jobs, EachEndsOnceWithinTheBounds, ()) {
  const size_t count = *rc::gen::inRange<size_t>(0, 60);
  const auto fails = *rc::gen::container<std::vector<int>>(count, rc::gen::element(0, 0, 0, 0, 1, 2, 3, 11, 12, 13));
  const auto alone = *rc::gen::container<std::vector<int>>(count, rc::gen::element(0, 0, 0, 1));
  JobsOptions options;
  options.load_threads = *rc::gen::inRange(1, 4);
  options.save_threads = *rc::gen::inRange(1, 4);
  const int stop_after = *rc::gen::element(1'000'000, 1'000'000, 0, 5, 40);
  std::atomic<int> asked{0};
  options.stop = [&] { return ++asked > stop_after; };
  options.alone = [&](size_t i) { return alone[i] == 1; };
  Log log;
  log.stages.resize(count);
  std::vector<int> ends(count);
  bool right = true;
  options.ended = [&](size_t i, const Status& status, const StageTimes&) {
    ++ends[i];
    const bool interrupted = !status && status.error().code == ErrorCode::interrupted;
    if (fails[i] == 0 && !status) right = right && interrupted;
    if (fails[i] > 10 && !status && !interrupted) right = right && status.error().code == ErrorCode::resources;
    if (status) right = right && fails[i] == 0 && log.stages[i] == 3;
  };
  run_jobs(count, [&](size_t i) { return std::make_unique<Fake>(log, i, fails[i], alone[i] == 1); }, options);
  RC_ASSERT(right);
  RC_ASSERT(log.alive == 0);
  RC_ASSERT(log.most_alive <= options.load_threads + options.save_threads + 1);
  RC_ASSERT(log.alone_broken == 0);
  for (const int end : ends) RC_ASSERT(end <= 1);
  if (stop_after == 1'000'000)
    for (const int end : ends) RC_ASSERT(end == 1);
  if (stop_after == 0)
    for (const int stage : log.stages) RC_ASSERT(stage == 0);
}

// What was worked on when the stop came is still saved.
TEST(Jobs, WhatIsWholeIsSaved) {
  std::atomic<bool> stop{false};
  std::atomic<int> saved{0}, worked{0};
  struct Slow : Work {
    Slow(std::atomic<bool>& st, std::atomic<int>& sa, std::atomic<int>& w) : stop(st), saved(sa), worked(w) {}
    Status load() override { return {}; }
    Status work() override {
      if (++worked == 3) stop = true;
      return {};
    }
    Status save() override {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++saved;
      return {};
    }
    std::atomic<bool>& stop;
    std::atomic<int>&saved, &worked;
  };
  JobsOptions options;
  options.stop = [&] { return stop.load(); };
  run_jobs(20, [&](size_t) { return std::make_unique<Slow>(stop, saved, worked); }, options);
  EXPECT_EQ(worked, 3);
  EXPECT_EQ(saved, 3);
}

// Loading, working and saving of 20 ms each: three at once take little more than a third.
TEST(Jobs, StagesOverlap) {
  struct Sleepy : Work {
    static Status rest() {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return {};
    }
    Status load() override { return rest(); }
    Status work() override { return rest(); }
    Status save() override { return rest(); }
  };
  const auto start = std::chrono::steady_clock::now();
  run_jobs(20, [](size_t) { return std::make_unique<Sleepy>(); }, {});
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LT(ms, 0.75 * 20 * 60);
}

}  // namespace
}  // namespace fye

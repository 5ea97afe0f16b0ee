// A loop is published as one Job; every thread takes ranges off its shared counter until none is left. Workers find a new
// job by its generation number: they spin for about 20 us (a network's layers follow each other faster than a sleeping
// thread wakes), then sleep on a condition variable. Tested by base/threads_test.cc, under TSan in CI.
#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/crew.h"
#include "base/pause.h"

namespace fye {

int available_cores() { return int(usable_cores().size()); }

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> workers;

  const std::function<void(int64_t, int64_t)>* body = nullptr;
  int64_t count = 0, grain = 1;
  std::atomic<int64_t> next{0};
  std::atomic<int> busy{0};              // workers inside the current job
  std::atomic<uint64_t> generation{0};   // odd numbers never appear; 0 = no job yet
  std::atomic<bool> stop{false};

  static constexpr auto kSpin = std::chrono::microseconds(20);

  void work() {
    for (;;) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= count) return;
      (*body)(begin, std::min(begin + grain, count));
    }
  }

  uint64_t await(uint64_t seen) {
    const auto until = std::chrono::steady_clock::now() + kSpin;
    while (std::chrono::steady_clock::now() < until) {
      if (stop.load(std::memory_order_acquire) || generation.load(std::memory_order_acquire) != seen)
        return generation.load(std::memory_order_acquire);
      pause_briefly();
    }
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return stop.load() || generation.load() != seen; });
    return generation.load();
  }
};

namespace {
thread_local bool inside_task = false;
constexpr int kSpinsBeforeYield = 1000;  // some 20 us
}

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  const int size = threads > 0 ? threads : available_cores();
  for (int i = 1; i < size; ++i)
    state_->workers.emplace_back([s = state_.get()] {
      uint64_t seen = 0;
      for (;;) {
        seen = s->await(seen);
        if (s->stop.load(std::memory_order_acquire)) return;
        inside_task = true;
        s->work();
        inside_task = false;
        s->busy.fetch_sub(1, std::memory_order_release);
      }
    });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop.store(true, std::memory_order_release);
  }
  state_->wake.notify_all();
  for (auto& worker : state_->workers) worker.join();
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  grain = std::max<int64_t>(1, grain);
  if (state_->workers.empty() || inside_task || count <= grain) {
    for (int64_t begin = 0; begin < count; begin += grain) body(begin, std::min(begin + grain, count));
    return;
  }
  State& s = *state_;
  s.body = &body;
  s.count = count;
  s.grain = grain;
  s.next.store(0, std::memory_order_relaxed);
  s.busy.store(static_cast<int>(s.workers.size()), std::memory_order_relaxed);
  {
    std::lock_guard lock(s.mutex);  // so that no worker misses the wake between its check and its sleep
    s.generation.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  inside_task = true;
  s.work();
  inside_task = false;
  // Every worker must have left the job before its fields may change again.
  for (int spin = 0; s.busy.load(std::memory_order_acquire) != 0; ++spin) {
    if (spin < kSpinsBeforeYield)
      pause_briefly();
    else
      std::this_thread::yield();  // more threads than free cores: let the last worker have this one
  }
}

}  // namespace fye

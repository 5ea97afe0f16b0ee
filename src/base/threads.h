// Threads: a pool that splits an index range, for loops of a few microseconds to a few seconds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace fye {

// Workers that wait by a short spin and then sleep. The calling thread works too, so a pool of 1 has no worker at all.
// One parallel_for runs at a time; calling it from inside a task runs the inner loop on the calling thread. Thread-safe
// for one caller at a time.
class ThreadPool {
 public:
  // `threads` >= 1 counts the caller; 0 means every core this process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Calls body(begin, end) for disjoint ranges of at most `grain` indices that cover [0, count); returns when all are
  // done. Which thread takes which range varies; results must not depend on it. An exception in body ends the process.
  void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Cores this process may run on (sched_getaffinity).
int available_cores();

}  // namespace fye

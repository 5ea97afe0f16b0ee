// Works come into the hall through one gate that lets in only so many at a time, which is what bounds the memory; the
// queues between the stages then need no bounds of their own. Tested by batch/jobs_test.cc.
#include "batch/jobs.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "base/clock.h"

namespace fye {
namespace {

struct Item {
  size_t index = 0;
  std::unique_ptr<Work> work;
  StageTimes times;
};

// Threads have nobody above them who would tell memory that ran out from a bug.
Status guarded(Work& work, Status (Work::*stage)(), double& ms) {
  const Stopwatch watch;
  Status status;
  try {
    status = (work.*stage)();
  } catch (const std::bad_alloc&) {
    status = resource_error("out of memory", "give less to do at once: --mem, -j 1:1:1");
  } catch (const std::exception& problem) {
    status = internal_error(problem.what());
  }
  ms = watch.ms();
  return status;
}

class Hall {
 public:
  Hall(size_t count, const std::function<std::unique_ptr<Work>(size_t)>& make, const JobsOptions& options)
      : count_(count), make_(make), options_(options),
        places_(size_t(options.load_threads + options.save_threads + 1)) {}

  void run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.load_threads; ++i) threads.emplace_back([this] { load_all(); });
    for (int i = 0; i < options_.save_threads; ++i) threads.emplace_back([this] { save_all(); });
    work_all();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  bool stopped() const { return options_.stop && options_.stop(); }

  bool alone(size_t index) const { return options_.alone && options_.alone(index); }
  // The one that came in last is `next_ - 1`.
  bool may_enter() const {
    if (inside_ == 0) return true;
    return inside_ < places_ && !alone(next_) && !alone(next_ - 1);
  }

  // On the calling thread: lets works in and works on those that are loaded.
  void work_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!closed_ && stopped()) close();
      while (!closed_ && next_ < count_ && may_enter()) {
        to_load_.push_back({next_, make_(next_), {}});
        ++next_, ++inside_;
        changed_.notify_all();
      }
      if (next_ == count_ && !closed_) close();
      if (!loaded_.empty()) {
        Item item = std::move(loaded_.front());
        loaded_.pop_front();
        lock.unlock();
        work_on(std::move(item));
        lock.lock();
        continue;
      }
      if (closed_ && inside_ == saving_) break;
      changed_.wait(lock);
    }
    done_ = true;
    changed_.notify_all();
  }

  void work_on(Item item) {
    Status status = interrupted_error("stopped");
    if (!stopped()) status = guarded(*item.work, &Work::work, item.times.work_ms);
    if (!status) return end(std::move(item), status);
    const std::lock_guard lock(mutex_);
    to_save_.push_back(std::move(item));
    ++saving_;
    changed_.notify_all();
  }

  void load_all() {
    while (auto item = take(to_load_, closed_)) {
      Status status = interrupted_error("stopped");
      if (!stopped()) status = guarded(*item->work, &Work::load, item->times.load_ms);
      if (!status) {
        end(*std::move(item), status);
        continue;
      }
      const std::lock_guard lock(mutex_);
      loaded_.push_back(*std::move(item));
      changed_.notify_all();
    }
  }

  void save_all() {
    while (auto item = take(to_save_, done_)) {
      const Status status = guarded(*item->work, &Work::save, item->times.save_ms);
      {
        const std::lock_guard lock(mutex_);
        --saving_;
      }
      end(*std::move(item), status);
    }
  }

  // Nothing once `finished` and empty.
  std::optional<Item> take(std::deque<Item>& from, const bool& finished) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !from.empty() || finished; });
    if (from.empty()) return {};
    Item item = std::move(from.front());
    from.pop_front();
    return item;
  }

  // The work is gone, with its memory, before another is let in.
  void end(Item item, const Status& status) {
    item.work.reset();
    {
      const std::lock_guard telling(telling_);
      if (options_.ended) options_.ended(item.index, status, item.times);
    }
    const std::lock_guard lock(mutex_);
    --inside_;
    changed_.notify_all();
  }

  // No more are let in; those inside go on.
  void close() {
    closed_ = true;
    changed_.notify_all();
  }

  const size_t count_;
  const std::function<std::unique_ptr<Work>(size_t)>& make_;
  const JobsOptions& options_;
  const size_t places_;
  std::mutex mutex_, telling_;
  std::condition_variable changed_;
  std::deque<Item> to_load_, loaded_, to_save_;
  size_t next_ = 0, inside_ = 0, saving_ = 0;
  bool closed_ = false, done_ = false;
};

}  // namespace

void run_jobs(size_t count, const std::function<std::unique_ptr<Work>(size_t)>& make, const JobsOptions& options) {
  Hall(count, make, options).run();
}

}  // namespace fye

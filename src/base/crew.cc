// Work is posted to a member by raising its counter `asked`, and answered by `done`. Both sides spin for some
// 20 us, since the layers of a network follow each other faster than a sleeping thread wakes, then sleep in
// the kernel. Tested by base/crew_test.cc.
#include "base/crew.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>

#include "base/pause.h"

namespace fye {
namespace {

constexpr int kSpins = 1000;  // some 20 us

// Returns once `counter` is not `seen` any more.
void await_change(const std::atomic<uint32_t>& counter, uint32_t seen) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (counter.load(std::memory_order_acquire) != seen) return;
    pause_briefly();
  }
  counter.wait(seen, std::memory_order_acquire);
}

void stay_on(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(size_t(core), &set);
  // May fail where the allowed cores have changed since; the work is then done, elsewhere.
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace

// Asked once, so that a thread that has a seat is told of all cores too.
std::vector<int> usable_cores() {
  static const std::vector<int> all = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cores;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
      for (int core = 0; core < CPU_SETSIZE; ++core)
        if (CPU_ISSET(size_t(core), &set)) cores.push_back(core);
    if (cores.empty()) cores.push_back(0);
    return cores;
  }();
  return all;
}

struct Crew::State {
  struct Member {
    int core = 0;
    std::thread thread;
    std::atomic<uint32_t> asked{0}, done{0};
    const std::function<void(int)>* body = nullptr;  // null: go home
  };
  std::vector<std::unique_ptr<Member>> members;

  void work(int index) {
    Member& me = *members[size_t(index)];
    stay_on(me.core);
    for (uint32_t seen = 0;; ++seen) {
      await_change(me.asked, seen);
      if (!me.body) return;
      (*me.body)(index);
      me.done.fetch_add(1, std::memory_order_release);
      me.done.notify_one();
    }
  }
  void ask(Member& member, const std::function<void(int)>* body) {
    member.body = body;
    member.asked.fetch_add(1, std::memory_order_release);
    member.asked.notify_one();
  }
};

Crew::Crew(std::span<const int> cores) : state_(std::make_unique<State>()) {
  const std::vector<int> usable = usable_cores();
  for (const int core : cores) {
    state_->members.push_back(std::make_unique<State::Member>());
    state_->members.back()->core = usable[std::min(size_t(core), usable.size() - 1)];
  }
  for (int m = 1; m < size(); ++m)
    state_->members[size_t(m)]->thread = std::thread([s = state_.get(), m] { s->work(m); });
}

Crew::~Crew() {
  for (const auto& member : state_->members)
    if (member->thread.joinable()) {
      state_->ask(*member, nullptr);
      member->thread.join();
    }
}

int Crew::size() const { return int(state_->members.size()); }

void Crew::run(std::span<const int> members, const std::function<void(int)>& body) {
  bool mine = false;
  for (const int m : members)
    if (m == 0)
      mine = true;
    else
      state_->ask(*state_->members[size_t(m)], &body);
  if (mine) body(0);
  for (const int m : members) {
    if (m == 0) continue;
    State::Member& member = *state_->members[size_t(m)];
    // Nobody else raises `asked`, so it is what `done` will come to.
    const uint32_t asked = member.asked.load(std::memory_order_relaxed);
    await_change(member.done, asked - 1);
  }
}

struct Crew::Seat::Before {
  cpu_set_t set;
};

Crew::Seat::Seat(const Crew& crew) {
  if (crew.size() == 0) return;
  auto before = std::make_unique<Before>();
  CPU_ZERO(&before->set);
  if (sched_getaffinity(0, sizeof before->set, &before->set) != 0) return;
  before_ = std::move(before);
  stay_on(crew.state_->members[0]->core);
}

Crew::Seat::~Seat() {
  if (before_) sched_setaffinity(0, sizeof before_->set, &before_->set);
}

}  // namespace fye

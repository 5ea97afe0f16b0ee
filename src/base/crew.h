// Crew: threads that stay on one core each, for work that is given to cores by name.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace fye {

// The cores this process may run on (sched_getaffinity, when first asked), ascending; a core's place in this
// list is its name in
// `@core0`.
std::vector<int> usable_cores();

// Member m works on the m-th of `cores` (places in usable_cores(), each once, all there). Member 0 is the
// thread that calls, so a crew of one has no thread of its own. One call of run() at a time.
class Crew {
 public:
  explicit Crew(std::span<const int> cores);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int size() const;

  // Runs body(member) on each of `members` at the same time, on its core; returns when all are done. An
  // exception in body ends the process. The caller should be seated, or its share runs wherever the caller
  // happens to be.
  void run(std::span<const int> members, const std::function<void(int)>& body);

  // While it lives, the thread that made it stays on the core of member 0.
  class Seat {
   public:
    explicit Seat(const Crew& crew);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    struct Before;
    std::unique_ptr<Before> before_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fye

#include "cli/interrupt.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/file.h"

namespace fye {
namespace {

std::mutex writing;
std::atomic<int> stoppable{0};
std::atomic<bool> asked{false};

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

// The signals are blocked in every thread and taken by one that only waits for them, so that no code runs
// inside a signal handler and a lock is enough to hold them off. An ignored SIGHUP (nohup) stays ignored: it
// never arrives here.
void watch_interrupts() {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    int signal = 0;
    while (sigwait(&set, &signal) == 0) {
      if (stoppable > 0 && !asked.exchange(true)) {
        fmt::print(stderr, "\nstopping after what was begun; once more stops at once\n");
        continue;
      }
      // Neither is unlocked again: nothing may begin to write between here and the end. Where work was asked to
      // stop and is asked again, a write that goes on is not waited for: its temporary file is removed.
      if (!asked) writing.lock();
      abandon_pending_files();
      _exit(128 + signal);
    }
  }).detach();
}

FinishWriting::FinishWriting() { writing.lock(); }
FinishWriting::~FinishWriting() { writing.unlock(); }

StopWhenAsked::StopWhenAsked() { ++stoppable; }
StopWhenAsked::~StopWhenAsked() { --stoppable; }

bool interrupted() { return asked; }

}  // namespace fye

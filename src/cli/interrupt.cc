#include "cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <mutex>
#include <thread>

namespace fye {
namespace {

std::mutex writing;

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
    if (sigwait(&set, &signal) != 0) return;
    // Never unlocked: nothing may begin to write between here and the end.
    writing.lock();
    _exit(128 + signal);
  }).detach();
}

FinishWriting::FinishWriting() { writing.lock(); }
FinishWriting::~FinishWriting() { writing.unlock(); }

}  // namespace fye

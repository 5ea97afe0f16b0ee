// Tested by tests/film_cli_test.py: a helper told to open a file, a socket or a program can't (job "escape").
#include "av/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fye::av {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// Landlock's rights of its first version; later ones are asked for where the kernel has them.
constexpr uint64_t kFirstRights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
constexpr uint64_t kRefer = 1u << 13, kTruncate = 1u << 14, kDevices = 1u << 15;  // versions 2, 3, 5
constexpr uint64_t kBindTcp = 1, kConnectTcp = 2;                                 // version 4

// struct landlock_ruleset_attr of version 4; Debian 12's header has the first field alone.
struct Ruleset {
  uint64_t files, network;
};

// What encoders look at to lay out their threads; nothing else of the machine can be read.
constexpr const char* kReadable[] = {"/sys/devices/system/cpu", "/sys/devices/system/node",
                                     "/proc/self/status"};

void let_read(int rules, const char* path) {
  const int place = open(path, O_PATH | O_CLOEXEC);
  if (place < 0) return;
  struct stat info;
  landlock_path_beneath_attr rule = {};
  rule.parent_fd = place;
  rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
  if (fstat(place, &info) == 0 && S_ISDIR(info.st_mode)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
  syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  close(place);
}

// Everything that is not let in by a rule fails.
std::string no_files() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return fmt::format("Landlock: {}", std::strerror(errno));
  Ruleset rules = {kFirstRights, version >= 4 ? kBindTcp | kConnectTcp : 0};
  if (version >= 2) rules.files |= kRefer;
  if (version >= 3) rules.files |= kTruncate;
  if (version >= 5) rules.files |= kDevices;
  const long set =
      syscall(SYS_landlock_create_ruleset, &rules, version >= 4 ? sizeof(rules) : sizeof(rules.files), 0);
  if (set < 0) return fmt::format("Landlock: {}", std::strerror(errno));
  for (const char* path : kReadable) let_read(int(set), path);
  const long done = syscall(SYS_landlock_restrict_self, set, 0);
  const int problem = errno;
  close(int(set));
  return done == 0 ? "" : fmt::format("Landlock: {}", std::strerror(problem));
}

// What decoding, encoding and talking to fye takes; memory, threads and descriptors that are there.
constexpr int kAllowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(getpriority),
    SCMP_SYS(setpriority),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(tgkill),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(membarrier),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getcpu),
    SCMP_SYS(get_mempolicy),
    SCMP_SYS(set_mempolicy),
    SCMP_SYS(mbind),
};

// Everything else fails with EPERM; a codec that tries is told no, rather than killed. Files may be opened
// for reading where Landlock says which.
std::string few_calls(bool open_files) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return "seccomp: no filter";
  int problem = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : kAllowed)
    if (!problem) problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  // New threads, but no new process: clone3 hides its flags behind a pointer, and glibc then asks clone.
  if (!problem)
    problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  if (!problem) problem = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  constexpr int kWriting = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
  if (!problem && open_files)
    problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, kWriting, 0));
  if (!problem && open_files) problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(getdents64), 0);
  // Limits can be read.
  if (!problem)
    problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
  // Names of threads.
  if (!problem)
    problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
  if (!problem) problem = seccomp_load(filter);
  seccomp_release(filter);
  return problem ? fmt::format("seccomp: {}", std::strerror(-problem)) : "";
}

void limit(__rlimit_resource which, rlim_t most) {
  rlimit now;
  if (getrlimit(which, &now) != 0) return;
  now.rlim_cur = std::min(now.rlim_cur, most);
  now.rlim_max = std::min(now.rlim_max, most);
  setrlimit(which, &now);
}

}  // namespace

std::vector<std::string> lock_in() {
  // Ctrl-C goes to the whole terminal; fye decides what it means here. Broken pipes and full files are
  // errors.
  for (const int number : {SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ}) signal(number, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (kSanitized) return {};
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 64);  // seven are open, and a segment at a time
  std::vector<std::string> missing;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) missing.push_back("no_new_privs");
  const std::string files = no_files();
  for (const std::string& sentence : {files, few_calls(files.empty())})
    if (!sentence.empty()) missing.push_back(sentence);
  return missing;
}

}  // namespace fye::av

#include "cli/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace fye {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close_now(); }
  void close_now() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read_end, write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return resource_error(fmt::format("no pipe: {}", std::strerror(errno)));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// This process's environment with `changes` on top, as NAME=VALUE.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const auto is_changed = [&](const auto& change) { return change.first == name; };
    if (std::none_of(changes.begin(), changes.end(), is_changed)) result.emplace_back(text);
  }
  for (const auto& [name, value] : changes) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

// Reads both pipes until their writers are gone.
void read_both(Pipe& out, Pipe& err, const Command& command, Finished& finished) {
  const size_t most = command.most_output;
  struct {
    Descriptor* from;
    std::string* to;
  } ends[] = {{&out.read_end, &finished.out}, {&err.read_end, &finished.err}};
  std::vector<char> block(1 << 16);
  while (ends[0].from->get() >= 0 || ends[1].from->get() >= 0) {
    pollfd waits[] = {{ends[0].from->get(), POLLIN, 0}, {ends[1].from->get(), POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) return;
    for (int i = 0; i < 2; ++i) {
      if (!waits[i].revents) continue;
      const ssize_t got = read(waits[i].fd, block.data(), block.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        ends[i].from->close_now();
        continue;
      }
      if (i == 1 && command.show_err) std::fwrite(block.data(), 1, size_t(got), stderr);
      ends[i].to->append(block.data(), std::min(size_t(got), most - std::min(most, ends[i].to->size())));
    }
  }
}

// Signals as a shell leaves them: ours are blocked in every thread (cli/interrupt.h).
struct Attributes {
  posix_spawnattr_t value;
  Attributes() {
    posix_spawnattr_init(&value);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&value, &none);
    posix_spawnattr_setsigdefault(&value, &defaults);
    posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { posix_spawnattr_destroy(&value); }
};

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { posix_spawn_file_actions_init(&value); }
  ~Actions() { posix_spawn_file_actions_destroy(&value); }
};

}  // namespace

Result<Finished> run_process(const Command& command) {
  auto out = make_pipe(), err = make_pipe();
  if (!out) return out.error();
  if (!err) return err.error();
  const Descriptor input(open(command.input.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.get() < 0)
    return bad_input(fmt::format("{}: can't read: {}", command.input.string(), std::strerror(errno)));

  const Attributes attributes;
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.value, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions.value, out->write_end.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions.value, err->write_end.get(), STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions.value, command.folder.c_str());

  std::vector<std::string> words = command.words, environment = environment_with(command.environment);
  pid_t child = 0;
  const int problem = posix_spawnp(&child, words[0].c_str(), &actions.value, &attributes.value,
                                   pointers(words).data(), pointers(environment).data());
  Finished finished;
  if (problem == ENOENT || problem == EACCES) {
    finished.found = false;
    return finished;
  }
  if (problem) return resource_error(fmt::format("can't run {}: {}", words[0], std::strerror(problem)));
  out->write_end.close_now();
  err->write_end.close_now();
  read_both(*out, *err, command, finished);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace fye

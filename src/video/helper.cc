// Tested by tests/film_cli_test.py: a missing helper, one that crashes, one that says nothing.
#include "video/helper.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/clock.h"
#include "base/json.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// A crash of a large process may take a while to clear away.
constexpr double kMostEndingMs = 10'000;

// The program, or the library that this code is part of.
fs::path own_file() {
  std::error_code problem;
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) && info.dli_fname && *info.dli_fname == '/')
    if (auto file = fs::canonical(info.dli_fname, problem); !problem) return file;
  return fs::read_symlink("/proc/self/exe", problem);
}

bool is_program(const fs::path& path) { return access(path.c_str(), X_OK) == 0 && !fs::is_directory(path); }

ErrorCode code_of(int code) {
  switch (code) {
    case 1:
      return ErrorCode::usage;
    case 2:
      return ErrorCode::bad_input;
    case 5:
      return ErrorCode::resources;
    default:
      return ErrorCode::internal;
  }
}

// Descriptors 3 to 6 (video/protocol.h) of the new process; all others but 0 to 2 are closed.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  void give(int from, int to) {
    if (from >= 0) posix_spawn_file_actions_adddup2(&actions_, from, to);
  }
  void close_others() { posix_spawn_file_actions_addclosefrom_np(&actions_, kOutputFd + 1); }
  void nothing_to_read() { posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDWR, 0); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// A copy above the numbers that the helper's own take, so that no dup2 overwrites one that is yet to be
// given.
Descriptor above(int fd) { return Descriptor(fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, kOutputFd + 1)); }

Result<pid_t> spawn(const fs::path& program, int channel, const HelperFiles& files) {
  const Descriptor given[] = {above(channel), above(files.memory), above(files.input), above(files.output)};
  FileActions actions;
  actions.nothing_to_read();
  for (int i = 0; i < 4; ++i) actions.give(given[i].get(), kChannelFd + i);
  actions.close_others();
  // Nobody's signals are blocked there; fye-av itself leaves Ctrl-C to fye.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string name = program.string();
  char* words[] = {name.data(), nullptr};
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, program.c_str(), actions.get(), &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  if (problem)
    return resource_error(fmt::format("{}: can't start: {}", program.string(), std::strerror(problem)));
  return pid;
}

}  // namespace

Result<fs::path> find_helper() {
  const char* hint =
      "it belongs to fye and handles films: build the target fye-av, or set FYE_AV to where it is";
  if (const char* given = std::getenv("FYE_AV"); given && *given) {
    if (is_program(given)) return fs::path(given);
    return resource_error(fmt::format("FYE_AV: {} is no program", given), hint);
  }
  const fs::path here = own_file().parent_path();
  for (const char* place : {"fye-av", "../libexec/fye/fye-av", "../lib/fye/fye-av"})
    if (is_program(here / place)) return here / place;
  return resource_error(fmt::format("fye-av is missing: neither in {} nor in ../libexec/fye", here.string()),
                        hint);
}

Helper::Helper(std::string name, std::string job, pid_t pid, Channel channel)
    : name_(std::move(name)), job_(std::move(job)), pid_(pid), channel_(std::move(channel)) {}

Helper::Helper(Helper&& other) noexcept
    : name_(std::move(other.name_)),
      job_(std::move(other.job_)),
      pid_(std::exchange(other.pid_, -1)),
      channel_(std::move(other.channel_)),
      sandbox_(std::move(other.sandbox_)) {}

Helper::~Helper() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

Result<Helper> Helper::start(const std::string& name, const Json& job, const HelperFiles& files) {
  const auto program = find_helper();
  if (!program) return program.error();
  auto ends = Channel::make_pair();
  if (!ends) return ends.error();
  const auto pid = spawn(*program, ends->second.get(), files);
  if (!pid) return pid.error();
  ends->second = Descriptor();
  Helper helper(name, job.value("job", ""), *pid, Channel(std::move(ends->first)));
  if (auto sent = helper.send({.type = MessageType::job}, job.dump()); !sent) return sent.error();
  auto ready = helper.receive();
  if (!ready) return ready.error();
  if ((*ready)->type != MessageType::ready)
    return internal_error(fmt::format("{}: the film helper did not say that it is ready", program->string()));
  const auto said = json_of(**ready);
  if (!said) return said.error();
  for (const Json& sentence : said->value("missing", Json::array()))
    if (sentence.is_string()) helper.sandbox_.missing.push_back(sentence);
  return helper;
}

Error Helper::ending() {
  // Its end of the socket closes a moment before it can be waited for. One that lives on is not worth
  // listening to.
  int status = 0;
  bool ended = pid_ <= 0;
  for (const Stopwatch waited; !ended && waited.ms() < kMostEndingMs; usleep(1000))
    ended = waitpid(pid_, &status, WNOHANG) == pid_;
  if (!ended)
    return internal_error(fmt::format("{}: the film helper (fye-av, {}) talks nonsense", name_, job_));
  pid_ = -1;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    return resource_error(fmt::format("{}: the film helper (fye-av, {}) was killed", name_, job_),
                          "perhaps memory ran out: give less to do at once, or close other programs");
  if (WIFSIGNALED(status))
    return bad_input(
        fmt::format("{}: the film helper (fye-av, {}) crashed: {}", name_, job_, strsignal(WTERMSIG(status))),
        "the film may be damaged; nothing else was touched");
  return internal_error(fmt::format("{}: the film helper (fye-av, {}) ended with {} and said nothing", name_,
                                    job_, WEXITSTATUS(status)));
}

Status Helper::send(const MessageHead& head, const std::string& text, int fd) {
  if (channel_->send(head, text, fd)) return {};
  // It is gone; what it said last tells why.
  while (true) {
    auto last = receive();
    if (!last) return last.error();
  }
}

Result<std::optional<Message>> Helper::receive(std::optional<std::chrono::milliseconds> patience) {
  auto message = channel_->receive(patience);
  if (!message) return ending();
  if (*message && (*message)->type == MessageType::failed) {
    const auto said = json_of(**message);
    if (!said) return said.error();
    const auto text = [&](const char* key) {
      return said->contains(key) && (*said)[key].is_string() ? (*said)[key].get<std::string>()
                                                             : std::string();
    };
    const auto code = said->find("code");
    return Error{code_of(code != said->end() && code->is_number_integer() ? code->get<int>() : 0),
                 name_ + ": " + text("what"), text("hint")};
  }
  return message;
}

Result<Json> Helper::finish() {
  auto message = receive();
  if (!message) return message.error();
  if ((*message)->type != MessageType::done)
    return internal_error(name_ + ": the film helper said something else");
  return json_of(**message);
}

Result<Json> json_of(const Message& message) {
  // Depth is bounded as in base/json.cc, so that a helper gone bad can't exhaust the stack.
  int depth = 0;
  bool deep = false;
  const auto watch = [&](int level, Json::parse_event_t, Json&) {
    depth = level;
    deep |= depth > 64;
    return !deep;
  };
  Json json = Json::parse(message.text, watch, false);
  if (json.is_discarded() || deep) return internal_error("the film helper sent what is no JSON");
  return json;
}

}  // namespace fye

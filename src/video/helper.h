// Helper: a running fye-av with one job. What happens to it - a crash too - is an error value here.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "video/channel.h"

namespace fye {

// $FYE_AV; else beside this program, in ../libexec/fye or in ../lib/fye. Errors: there is none: says what to
// install.
Result<std::filesystem::path> find_helper();

// What fye-av is locked in by; a sentence for each thing the kernel refused.
struct Sandbox {
  std::vector<std::string> missing;
};

struct HelperFiles {
  int memory = -1, input = -1, output = -1;  // -1: none
};

// Not thread-safe. Destroyed while it runs, it is killed.
class Helper {
 public:
  // Starts fye-av and waits until it is locked in. `name` for sentences: the film. Errors: no helper, not
  // able to start it, it fails at once.
  static Result<Helper> start(const std::string& name, const Json& job, const HelperFiles& files);
  Helper(Helper&&) noexcept;
  ~Helper();

  const Sandbox& sandbox() const { return sandbox_; }

  Status send(const MessageHead& head, const std::string& text = {}, int fd = -1);

  // The next message; nothing after `patience` without one. Errors: what fye-av said in `failed`; that it
  // crashed or was killed: bad_input, since it is the film that does it.
  Result<std::optional<Message>> receive(std::optional<std::chrono::milliseconds> patience = std::nullopt);

  // receive() until `done`: its JSON. Other messages are an error.
  Result<Json> finish();

  int fd() const { return channel_->fd(); }

 private:
  Helper(std::string name, std::string job, pid_t pid, Channel channel);
  // How the process ended, once its channel has: a sentence.
  Error ending();

  std::string name_, job_;
  pid_t pid_;
  std::optional<Channel> channel_;
  Sandbox sandbox_;
};

// The text of a message as JSON of at most 64 levels. Errors (internal): it is none.
Result<Json> json_of(const Message& message);

}  // namespace fye

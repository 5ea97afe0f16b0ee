// Channel: messages between fye and fye-av over a socket that keeps their boundaries.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "video/protocol.h"

namespace fye {

// An owned file descriptor; closed with it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Message : MessageHead {
  std::string text;
  Descriptor file;  // segment_begin, segment
};

// Not thread-safe. What comes in was checked for its form alone: slots, times and numbers may be anything.
class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  // The two ends. Errors (resources).
  static Result<std::pair<Descriptor, Descriptor>> make_pair();

  // `fd` >= 0 goes along (a copy of it). Errors (internal): the other side is gone.
  Status send(const MessageHead& head, const std::string& text = {}, int fd = -1);

  // The next message; nothing after `patience` without one. Errors (internal): the other side is gone, or
  // sends what is no message.
  Result<std::optional<Message>> receive(std::optional<std::chrono::milliseconds> patience = std::nullopt);

  int fd() const { return socket_.get(); }

 private:
  Descriptor socket_;
};

}  // namespace fye

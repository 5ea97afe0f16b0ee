// Tested by video/channel_test.cc.
#include "video/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace fye {

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

namespace {

Error gone(const char* what) { return internal_error(fmt::format("the film helper: {}", what)); }

// A control message with room for one descriptor.
union Ancillary {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr aligned;
};

Status send_part(int socket, const MessageHead& head, const char* text, int fd) {
  iovec parts[] = {{const_cast<MessageHead*>(&head), sizeof(head)},
                   {const_cast<char*>(text), head.text_bytes}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = head.text_bytes ? 2 : 1;
  Ancillary ancillary = {};
  if (fd >= 0) {
    message.msg_control = ancillary.bytes;
    message.msg_controllen = sizeof(ancillary.bytes);
    cmsghdr* control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &fd, sizeof(int));
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return gone(std::strerror(errno));
  return {};
}

// One datagram; `part` gets its text. The sender's end of file and a broken form are errors.
Result<MessageHead> receive_part(int socket, std::vector<char>& part, Descriptor& file) {
  MessageHead head;
  part.resize(kTextPart);
  iovec parts[] = {{&head, sizeof(head)}, {part.data(), part.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  Ancillary ancillary = {};
  message.msg_control = ancillary.bytes;
  message.msg_controllen = sizeof(ancillary.bytes);
  ssize_t got;
  do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return gone("has ended");
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int))) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c), sizeof(fd));
      file = Descriptor(fd);
    }
  if (size_t(got) < sizeof(head) || size_t(got) != sizeof(head) + head.text_bytes ||
      (message.msg_flags & MSG_TRUNC))
    return gone("sent what is no message");
  part.resize(head.text_bytes);
  return head;
}

}  // namespace

Result<std::pair<Descriptor, Descriptor>> Channel::make_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return resource_error(fmt::format("no socket: {}", std::strerror(errno)));
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Status Channel::send(const MessageHead& head, const std::string& text, int fd) {
  size_t at = 0;
  do {
    MessageHead part = head;
    part.text_bytes = uint32_t(std::min<size_t>(kTextPart, text.size() - at));
    part.more = at + part.text_bytes < text.size();
    if (auto status = send_part(socket_.get(), part, text.data() + at, at ? -1 : fd); !status) return status;
    at += part.text_bytes;
  } while (at < text.size());
  return {};
}

Result<std::optional<Message>> Channel::receive(std::optional<std::chrono::milliseconds> patience) {
  if (patience) {
    pollfd wait = {socket_.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, int(patience->count()));
    if (ready == 0 || (ready < 0 && errno == EINTR)) return std::optional<Message>();
  }
  Message message;
  std::vector<char> part;
  for (bool more = true; more;) {
    auto head = receive_part(socket_.get(), part, message.file);
    if (!head) return head.error();
    static_cast<MessageHead&>(message) = *head;
    message.text.append(part.data(), part.size());
    if (message.text.size() > kMostText) return gone("sent too long a text");
    more = head->more;
  }
  return std::optional<Message>(std::move(message));
}

}  // namespace fye

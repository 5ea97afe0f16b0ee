#include "av/fd_io.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace fye::av {

struct FdIo::State {
  int fd;
  int64_t at = 0;
  int problem = 0;
};

namespace {

constexpr int kBlock = 256 << 10;

template <class State>
int read_some(void* opaque, uint8_t* bytes, int size) {
  State& s = *static_cast<State*>(opaque);
  ssize_t got;
  do got = pread(s.fd, bytes, size_t(size), s.at);
  while (got < 0 && errno == EINTR);
  if (got == 0) return AVERROR_EOF;
  if (got < 0) return s.problem = AVERROR(errno);
  s.at += got;
  return int(got);
}

template <class State>
int write_all(void* opaque, uint8_t* bytes, int size) {
  State& s = *static_cast<State*>(opaque);
  for (int done = 0; done < size;) {
    const ssize_t put = pwrite(s.fd, bytes + done, size_t(size - done), s.at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const int problem = AVERROR(put < 0 ? errno : EIO);
      if (!s.problem) s.problem = problem;
      return problem;
    }
    s.at += put;
    done += int(put);
  }
  return size;
}

template <class State>
int64_t move_to(void* opaque, int64_t offset, int whence) {
  State& s = *static_cast<State*>(opaque);
  struct stat info;
  if (fstat(s.fd, &info) != 0) return AVERROR(errno);
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return info.st_size;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += s.at;
      break;
    case SEEK_END:
      offset += info.st_size;
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return s.at = offset;
}

}  // namespace

FdIo::FdIo(std::unique_ptr<State> state, AVIOContext* context)
    : state_(std::move(state)), context_(context) {}
FdIo::FdIo(FdIo&& other) noexcept
    : state_(std::move(other.state_)), context_(std::exchange(other.context_, nullptr)) {}

FdIo::~FdIo() {
  if (!context_) return;
  av_freep(&context_->buffer);
  avio_context_free(&context_);
}

Result<FdIo> FdIo::reading(int fd) {
  auto state = std::make_unique<State>(State{fd});
  auto* block = static_cast<unsigned char*>(av_malloc(kBlock));
  AVIOContext* context =
      block ? avio_alloc_context(block, kBlock, 0, state.get(), read_some<State>, nullptr, move_to<State>)
            : nullptr;
  if (!context) return resource_error("no memory to read with");
  return FdIo(std::move(state), context);
}

Result<FdIo> FdIo::writing(int fd) {
  auto state = std::make_unique<State>(State{fd});
  auto* block = static_cast<unsigned char*>(av_malloc(kBlock));
  AVIOContext* context =
      block ? avio_alloc_context(block, kBlock, 1, state.get(), nullptr, write_all<State>, move_to<State>)
            : nullptr;
  if (!context) return resource_error("no memory to write with");
  return FdIo(std::move(state), context);
}

int FdIo::problem() const { return state_->problem; }

}  // namespace fye::av

// libvips writes through signals of a "custom target"; libtiff also reads back and seeks. Tested by
// rows_test.cc and must_fail_write_test.cc.
#include "image/file_target.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/file.h"
#include "image/vips.h"

namespace fye {

struct FileTarget::State {
  std::filesystem::path path;
  PendingFile pending;
  int fd = -1;
  int reason = 0;  // errno of the first failure
  std::function<bool(std::string_view)> whole;
  std::function<std::string(std::string_view)> rewrite;
  std::string head;
  VipsTargetCustom* target = nullptr;

  ~State() {
    if (target) g_object_unref(target);
    if (fd >= 0) close(fd);
  }

  bool store(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) {
        if (!reason) reason = put < 0 ? errno : ENOSPC;
        return false;
      }
      bytes.remove_prefix(size_t(put));
    }
    return true;
  }

  bool put(std::string_view bytes) {
    if (!rewrite) return store(bytes);
    head += bytes;
    if (!whole(head)) return true;
    const std::string made = rewrite(head);
    rewrite = nullptr;
    head.clear();
    return store(made);
  }
};

namespace {

gint64 on_write(VipsTargetCustom*, const void* data, gint64 length, void* state) {
  const std::string_view bytes(static_cast<const char*>(data), size_t(length));
  return static_cast<FileTarget::State*>(state)->put(bytes) ? length : -1;
}
gint64 on_read(VipsTargetCustom*, void* data, gint64 length, void* state) {
  return ::read(static_cast<FileTarget::State*>(state)->fd, data, size_t(length));
}
gint64 on_seek(VipsTargetCustom*, gint64 offset, int whence, void* state) {
  return ::lseek(static_cast<FileTarget::State*>(state)->fd, offset, whence);
}

}  // namespace

FileTarget::FileTarget(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileTarget::FileTarget(FileTarget&&) noexcept = default;
FileTarget::~FileTarget() = default;

Result<FileTarget> FileTarget::create(const std::filesystem::path& path) {
  auto pending = PendingFile::create(path);
  if (!pending) return pending.error();
  auto state = std::unique_ptr<State>(new State{path, *std::move(pending), -1, 0, {}, {}, {}, nullptr});
  state->fd = open(state->pending.path().c_str(), O_RDWR | O_TRUNC | O_CLOEXEC);
  if (state->fd < 0) return write_failure(path);
  return FileTarget(std::move(state));
}

void FileTarget::rewrite_head(std::function<bool(std::string_view)> whole,
                              std::function<std::string(std::string_view)> rewrite) {
  state_->whole = std::move(whole);
  state_->rewrite = std::move(rewrite);
}

VipsTarget* FileTarget::vips() {
  State& s = *state_;
  if (!s.target && (s.target = vips_target_custom_new()) != nullptr) {
    g_signal_connect(s.target, "write", G_CALLBACK(on_write), state_.get());
    g_signal_connect(s.target, "read", G_CALLBACK(on_read), state_.get());
    g_signal_connect(s.target, "seek", G_CALLBACK(on_seek), state_.get());
  }
  return VIPS_TARGET(s.target);
}

bool FileTarget::put(std::string_view bytes) { return state_->put(bytes); }
bool FileTarget::failed() const { return state_->reason != 0; }

Error FileTarget::error() const {
  errno = state_->reason;
  return write_failure(state_->path);
}

Status FileTarget::commit() {
  State& s = *state_;
  if (failed()) return error();
  if (s.target) {
    g_object_unref(s.target);
    s.target = nullptr;
  }
  const bool closed = close(s.fd) == 0;
  s.fd = -1;
  if (!closed) return write_failure(s.path);
  return s.pending.commit();
}

}  // namespace fye

#include "import/external_data.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fye {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// O_NONBLOCK: a pipe in the file's place must not make us wait for a writer.
constexpr int kFileFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

// The kernel resolves the whole path inside `folder` (Linux 5.6); -1 with ENOSYS or EPERM where it can't.
int open_beneath(int folder, const std::filesystem::path& path) {
  open_how how{};
  how.flags = kFileFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

// The same, a component at a time.
int open_stepwise(int folder, const std::filesystem::path& path) {
  Descriptor current(dup(folder));
  for (auto part = path.begin(); part != path.end(); ++part) {
    const bool last = std::next(part) == path.end();
    const int flags = last ? kFileFlags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Descriptor next(openat(current.get(), part->c_str(), flags));
    if (next.get() < 0) return -1;
    if (last) return dup(next.get());
    current = std::move(next);
  }
  errno = ENOENT;
  return -1;
}

}  // namespace

Result<std::string> read_external(const std::filesystem::path& folder, std::string_view location,
                                  int64_t offset, int64_t length, int64_t limit) {
  const auto refused = [&](std::string_view why) {
    return bad_input(fmt::format("external data \"{}\": {}", location, why));
  };
  if (folder.empty()) return refused("models from memory can't have any");
  const std::filesystem::path path(location);
  if (location.empty() || location.find('\0') != std::string_view::npos) return refused("no path");
  if (path.is_absolute()) return refused("an absolute path; expected one inside the model's folder");
  for (const auto& part : path)
    if (part == ".." || part == "." || part.empty())
      return refused("leaves the model's folder, or has empty parts");

  const Descriptor base(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (base.get() < 0) return refused(fmt::format("can't open the folder: {}", std::strerror(errno)));
  int fd = open_beneath(base.get(), path);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) fd = open_stepwise(base.get(), path);
  const Descriptor file(fd);
  if (fd < 0)
    return refused(errno == ELOOP || errno == EXDEV || errno == ENOTDIR
                       ? "passes a symbolic link or leaves the folder"
                       : std::strerror(errno));
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return refused("not a regular file");
  if (info.st_nlink != 1) return refused("has several hard links; expected one");
  if (info.st_size > limit)
    return refused(fmt::format("{} bytes, more than the {} allowed", info.st_size, limit));
  if (offset < 0 || length < 0 || offset > info.st_size || length > info.st_size - offset)
    return refused(fmt::format("has {} bytes; the tensor wants {} at {}", info.st_size, length, offset));

  std::string bytes(static_cast<size_t>(length), '\0');
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        pread(fd, bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return refused("can't be read to the end");
    done += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace fye

#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>

#include <fmt/format.h>

namespace fye {
namespace {

std::string reason() { return std::strerror(errno); }

// The temporary names that exist. Never destroyed: abandon_pending_files() may come while the process ends.
struct Pending {
  std::mutex mutex;
  std::set<std::string> names;
};
Pending& pending_names() {
  static Pending* const pending = new Pending;
  return *pending;
}

// Closes on scope exit.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

Error write_failure(const std::filesystem::path& path) {
  const ErrorCode code = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ErrorCode::resources : ErrorCode::bad_input;
  const char* hint = errno == ENOENT ? "create the folder first" : errno == ENOSPC ? "free some disk space" : "";
  return {code, fmt::format("{}: can't write: {}", path.string(), reason()), hint};
}

Result<std::string> read_file(const std::filesystem::path& path, int64_t limit) {
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info;
  if (file.fd < 0 || fstat(file.fd, &info) != 0)
    return bad_input(fmt::format("{}: can't read: {}", path.string(), reason()));
  if (!S_ISREG(info.st_mode)) return bad_input(fmt::format("{}: not a regular file", path.string()));
  if (info.st_size > limit)
    return bad_input(fmt::format("{}: {} bytes, more than the {} allowed here", path.string(), info.st_size, limit));
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = read(file.fd, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bad_input(fmt::format("{}: can't read: {}", path.string(), reason()));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

PendingFile::PendingFile(std::filesystem::path target, std::filesystem::path temporary)
    : target_(std::move(target)), temporary_(std::move(temporary)) {}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : target_(std::move(other.target_)), temporary_(std::exchange(other.temporary_, {})) {}

PendingFile::~PendingFile() {
  if (temporary_.empty()) return;
  const std::lock_guard lock(pending_names().mutex);
  unlink(temporary_.c_str());
  pending_names().names.erase(temporary_.string());
}

Result<PendingFile> PendingFile::create(const std::filesystem::path& target) {
  if (!target.has_filename()) return bad_input(fmt::format("{}: not a file name", target.string()));
  std::error_code ignored;
  if (std::filesystem::is_directory(target, ignored))
    return bad_input(fmt::format("{}: is a folder, a file was expected", target.string()), "give a file name");
  // mkstemps keeps the extension (the encoders choose by it) and the name unique beside other runs.
  const std::string extension = target.extension().string();
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  std::string name = (folder / ("." + target.stem().string() + ".XXXXXX" + extension)).string();
  const std::lock_guard lock(pending_names().mutex);
  Descriptor file{mkstemps(name.data(), static_cast<int>(extension.size()))};
  if (file.fd < 0) return write_failure(target);
  pending_names().names.insert(name);
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(file.fd, 0666 & ~mask);
  return PendingFile(target, name);
}

Status PendingFile::commit() {
  {
    Descriptor file{open(temporary_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0 || fsync(file.fd) != 0) return write_failure(target_);
  }
  {
    const std::lock_guard lock(pending_names().mutex);
    if (rename(temporary_.c_str(), target_.c_str()) != 0) return write_failure(target_);
    pending_names().names.erase(temporary_.string());
  }
  temporary_.clear();
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  Descriptor directory{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd >= 0) fsync(directory.fd);  // best effort: some file systems refuse it
  return {};
}

void abandon_pending_files() {
  pending_names().mutex.lock();
  for (const std::string& name : pending_names().names) unlink(name.c_str());
}

Status write_file(const std::filesystem::path& target, std::string_view bytes) {
  auto pending = PendingFile::create(target);
  if (!pending) return pending.error();
  {
    Descriptor file{open(pending->path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)};
    if (file.fd < 0) return write_failure(target);
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put = write(file.fd, bytes.data() + done, bytes.size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return write_failure(target);
      done += static_cast<size_t>(put);
    }
  }
  return pending->commit();
}

}  // namespace fye

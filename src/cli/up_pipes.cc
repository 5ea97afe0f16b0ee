#include "cli/up_pipes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// From one descriptor to the other until there is no more; bytes copied, or -1 with errno and which side failed.
struct Copied {
  int64_t bytes = 0;
  int read_error = 0, write_error = 0;
};

Copied copy(int from, int to) {
  std::vector<char> block(1 << 16);
  Copied copied;
  for (;;) {
    const ssize_t got = read(from, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) copied.read_error = errno;
    if (got <= 0) return copied;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = write(to, block.data() + done, size_t(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) {
        copied.write_error = put < 0 ? errno : EIO;
        return copied;
      }
      done += put;
    }
    copied.bytes += got;
  }
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

struct PassingFile::State {
  PendingFile pending;
};

PassingFile::PassingFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PassingFile::PassingFile(PassingFile&&) noexcept = default;
PassingFile::~PassingFile() = default;

Result<PassingFile> PassingFile::create(const std::string& extension) {
  std::error_code problem;
  const fs::path folder = fs::temp_directory_path(problem);
  if (problem) return resource_error(fmt::format("no temporary folder: {}", problem.message()), "set TMPDIR");
  auto pending = PendingFile::create(folder / ("fye-passing" + extension));
  if (!pending) return pending.error();
  return PassingFile(std::make_unique<State>(State{*std::move(pending)}));
}

const fs::path& PassingFile::path() const { return state_->pending.path(); }

Status PassingFile::fill_from_stdin() {
  const Descriptor file{open(path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)};
  if (file.fd < 0) return write_failure(path());
  const Copied copied = copy(STDIN_FILENO, file.fd);
  if (copied.read_error) return bad_input(fmt::format("stdin: can't read: {}", std::strerror(copied.read_error)));
  errno = copied.write_error;
  if (copied.write_error) return write_failure(path());
  if (copied.bytes == 0) return bad_input("stdin: is empty", "pipe a picture into fye up -");
  return {};
}

Status PassingFile::copy_to_stdout() const {
  const Descriptor file{open(path().c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return internal_error(fmt::format("{}: {}", path().string(), std::strerror(errno)));
  const Copied copied = copy(file.fd, STDOUT_FILENO);
  if (copied.write_error)
    return resource_error(fmt::format("can't write the picture to stdout: {}", std::strerror(copied.write_error)));
  if (copied.read_error) return internal_error(fmt::format("{}: {}", path().string(), std::strerror(copied.read_error)));
  return {};
}

}  // namespace fye

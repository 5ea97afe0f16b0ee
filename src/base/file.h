// Files: bounded reads, and writes that appear under their final name complete or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// The whole file, refused with bad_input if it is larger than `limit` bytes, no regular file, or unreadable.
Result<std::string> read_file(const std::filesystem::path& path, int64_t limit);

// What to say when writing `path` failed with errno: code resources where the disk is full, else bad_input.
Error write_failure(const std::filesystem::path& path);

// A name beside a target that is written first and renamed over it when all is well; destroyed without commit(), it leaves
// nothing behind. Not thread-safe.
class PendingFile {
 public:
  // Errors: the folder does not exist or can't be written.
  static Result<PendingFile> create(const std::filesystem::path& target);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();

  // Where to write: in the target's folder, with the target's extension.
  const std::filesystem::path& path() const { return temporary_; }

  // fsync, rename over the target, fsync of the folder.
  Status commit();

 private:
  PendingFile(std::filesystem::path target, std::filesystem::path temporary);
  std::filesystem::path target_, temporary_;
};

// For a process about to end at once: removes the temporary names of all pending files, and lets none be made or
// committed any more (who tries waits for ever).
void abandon_pending_files();

// Writes all of `bytes` through a PendingFile.
Status write_file(const std::filesystem::path& target, std::string_view bytes);

}  // namespace fye

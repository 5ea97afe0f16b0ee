// Where an encoder's bytes go: a file that appears complete or not at all, its head rewritten on the way.
// Inside this room only.
#pragma once

#include <vips/vips.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fye {

// One encoder at a time.
class FileTarget {
 public:
  // Errors: those of PendingFile::create.
  static Result<FileTarget> create(const std::filesystem::path& path);
  FileTarget(FileTarget&&) noexcept;
  ~FileTarget();

  // Before the first byte: bytes are kept back until `whole` says that they hold the file's head; then
  // `rewrite` makes of them what goes into the file. For encoders that never seek.
  void rewrite_head(std::function<bool(std::string_view)> whole,
                    std::function<std::string(std::string_view)> rewrite);

  // For libvips' savers; valid as long as this. Null if libvips has no memory.
  VipsTarget* vips();

  // Bytes that come from no encoder. False: see error().
  bool put(std::string_view bytes);

  // Why the disk refused, if it did.
  bool failed() const;
  Error error() const;

  // The file appears under its name.
  Status commit();

  struct State;

 private:
  explicit FileTarget(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

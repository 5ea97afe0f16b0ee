// "-": a picture or film that comes on stdin, a picture that goes to stdout.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace fye {

// A file for what is on its way, in the temporary folder; gone with this, and when the process is interrupted.
class PassingFile {
 public:
  // Errors (resources): no temporary folder.
  static Result<PassingFile> create(const std::string& extension);
  PassingFile(PassingFile&&) noexcept;
  ~PassingFile();

  const std::filesystem::path& path() const;

  // All of stdin. Errors: nothing came; it can't be read; the disk is full.
  Status fill_from_stdin();

  // Errors: stdout was closed, or is full.
  Status copy_to_stdout() const;

 private:
  struct State;
  explicit PassingFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

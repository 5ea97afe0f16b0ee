// fye-manual FOLDER: writes the man pages and completions of fye into FOLDER, in the places that they have
// below an installation's share. Part of the build, not installed.
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "cli/completion.h"
#include "cli/manual.h"

namespace {

bool write(const std::filesystem::path& file, const std::string& text) {
  std::error_code ignored;  // the file says it
  std::filesystem::create_directories(file.parent_path(), ignored);
  const fye::Status written = fye::write_file(file, text);
  if (!written) std::fprintf(stderr, "fye-manual: %s\n", written.error().text().c_str());
  return bool(written);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fye-manual FOLDER\n");
    return 1;
  }
  const std::filesystem::path share = argv[1];
  const auto program = fye::make_program();
  bool good = write(share / "man/man1/fye.1", fye::manual_of_program(*program));
  for (const auto& [verb, run] : program->runs)
    good &= write(share / "man/man1" / ("fye-" + verb->get_name() + ".1"), fye::manual_of_verb(*verb));
  good &= write(share / "bash-completion/completions/fye", fye::bash_completion(*program));
  good &= write(share / "zsh/site-functions/_fye", fye::zsh_completion(*program));
  good &= write(share / "fish/vendor_completions.d/fye.fish", fye::fish_completion(*program));
  return good ? 0 : 2;
}

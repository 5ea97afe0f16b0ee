#include "cli/picture_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/parse.h"
#include "cli/side_by_side.h"
#include "image/file.h"
#include "image/resize.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// The middle, or less where the picture is smaller.
Result<Picture> cut(const Picture& picture, const fs::path& file, const Crop& crop) {
  Crop fitting = crop;
  fitting.size.width = std::min(crop.size.width, picture.width);
  fitting.size.height = std::min(crop.size.height, picture.height);
  auto part = cropped(picture, fitting);
  if (!part) return Error{part.error().code, file.string() + ": " + part.error().what, ""};
  return part;
}

// What the network would see of the file: shrunk if asked for, then the middle.
Result<NetworkInput> input_of(const fs::path& file, bool shrink, const Crop& crop,
                              const Conventions& conventions) {
  auto picture = read_picture(file);
  if (!picture) return picture.error();
  if (shrink) {
    const int width = picture->width / conventions.scale, height = picture->height / conventions.scale;
    if (width < 1 || height < 1 || picture->bits != 8)
      return bad_input(fmt::format("{}: too small, or not 8 bit, for --shrink", file.string()));
    *picture = matlab_bicubic(*picture, width, height);
  }
  const auto part = cut(*picture, file, crop);
  if (!part) return part.error();
  return network_input(*part, conventions);
}

}  // namespace

Result<std::vector<fs::path>> picture_files(const std::vector<std::string>& given) {
  std::vector<fs::path> files;
  for (const std::string& path : given) {
    std::error_code problem;
    if (!fs::is_directory(path, problem)) {
      files.emplace_back(path);
      continue;
    }
    const size_t before = files.size();
    for (const auto& entry : fs::directory_iterator(path, problem)) {
      if (probe_picture(entry.path())) files.push_back(entry.path());
    }
    if (files.size() == before)
      return bad_input(fmt::format("{}: there are no pictures in this folder", path));
    std::sort(files.begin() + before, files.end());
  }
  return files;
}

Result<Picture> read_cropped(const fs::path& file, const Crop& crop) {
  const auto picture = read_picture(file);
  if (!picture) return picture.error();
  return cut(*picture, file, crop);
}

Result<std::vector<NetworkInput>> network_inputs(const std::vector<std::string>& given,
                                                 const std::string& crop, bool shrink,
                                                 const Conventions& conventions) {
  const auto part = parse_crop("--crop", crop);
  if (!part) return part.error();
  const auto files = picture_files(given);
  if (!files) return files.error();
  std::vector<NetworkInput> inputs;
  for (const fs::path& file : *files) {
    auto input = input_of(file, shrink, *part, conventions);
    if (!input) return input.error();
    inputs.push_back(*std::move(input));
  }
  return inputs;
}

}  // namespace fye

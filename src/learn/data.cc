#include "learn/data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "image/file.h"
#include "image/resize.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr int kHoldOutEvery = 16;
// Below this mean difference between neighbours (grey levels) a patch is sky or blur.
constexpr double kFlatPatch = 1.5;
constexpr int kDrawsPerPatch = 3;

Picture as_rgb(const Picture& picture) {
  Picture rgb(picture.width, picture.height, 3);
  const int c = picture.channels;
  const bool grey = c < 3;
  for (size_t i = 0; i < size_t(picture.width) * picture.height; ++i)
    for (int k = 0; k < 3; ++k) rgb.bytes[3 * i + k] = picture.bytes[c * i + (grey ? 0 : k)];
  return rgb;
}

Picture cropped(const Picture& rgb, int width, int height) {
  Picture out(width, height, 3);
  for (int y = 0; y < height; ++y)
    std::copy_n(rgb.u8() + size_t(y) * rgb.width * 3, size_t(width) * 3, out.u8() + size_t(y) * width * 3);
  return out;
}

double flat_share(const Picture& rgb) {
  size_t equal = 0, all = 0;
  for (int y = 0; y < rgb.height; ++y) {
    const uint8_t* row = rgb.u8() + size_t(y) * rgb.width * 3;
    for (int x = 0; x + 1 < rgb.width; ++x, ++all)
      equal += std::equal(row + 3 * x, row + 3 * x + 3, row + 3 * x + 3);
  }
  return all ? double(equal) / double(all) : 1.0;
}

// The picture and its reductions, as pairs, appended to `pairs`.
void add_with_reductions(const std::string& name, const Picture& picture, int scale,
                         std::vector<PicturePair>& pairs, std::vector<std::string>& refused) {
  for (const double factor : {1.0, 0.75, 0.5}) {
    const int w = int(std::lround(picture.width * factor)), h = int(std::lround(picture.height * factor));
    auto pair = make_pair(name, factor == 1.0 ? picture : matlab_bicubic(picture, w, h), scale);
    if (pair)
      pairs.push_back(std::move(*pair));
    else
      refused.push_back(name + ": " + pair.error().what);
  }
}

double mean_difference(const PicturePair& pair, int x0, int y0, int patch) {
  int64_t sum = 0;
  for (int y = y0; y < y0 + patch; ++y) {
    const uint8_t* row = pair.low.u8() + (size_t(y) * pair.low.width + x0) * 3;
    for (int x = 0; x + 1 < patch; ++x) sum += std::abs(int(row[3 * x + 1]) - int(row[3 * x + 4]));
  }
  return double(sum) / (double(patch) * (patch - 1));
}

// Where a patch lies on the low-resolution grid, and how it is turned: flipped (bits 0, 1), transposed (bit 2).
struct Place {
  int x0, y0, patch, turn;
};

// Copies a patch of a picture whose pixels are `scale` times as fine as the grid, as [p][p][s*s*3].
void copy_cells(const Picture& picture, int scale, const Place& place, uint8_t* cells) {
  const int side = place.patch * scale;
  const auto source = [&](int y, int x) {
    if (place.turn & 1) x = side - 1 - x;
    if (place.turn & 2) y = side - 1 - y;
    if (place.turn & 4) std::swap(x, y);
    return picture.u8() + (size_t(place.y0 * scale + y) * picture.width + place.x0 * scale + x) * 3;
  };
  for (int y = 0; y < place.patch; ++y)
    for (int x = 0; x < place.patch; ++x)
      for (int dy = 0; dy < scale; ++dy)
        for (int dx = 0; dx < scale; ++dx)
          cells = std::copy_n(source(y * scale + dy, x * scale + dx), 3, cells);
}

}  // namespace

uint64_t Random::next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Result<PicturePair> make_pair(std::string name, const Picture& picture, int scale) {
  if (picture.bits != 8)
    return bad_input(fmt::format("{}: {} bits a sample, expected 8", name, picture.bits));
  const int w = picture.width / scale, h = picture.height / scale;
  if (w < 1 || h < 1) return bad_input(fmt::format("{}: smaller than {} x {} pixels", name, scale, scale));
  PicturePair pair{std::move(name), cropped(as_rgb(picture), w * scale, h * scale), {}};
  pair.low = matlab_bicubic(pair.high, w, h);
  return pair;
}

void enlarge_pairs(std::vector<PicturePair>& pairs) {
  for (auto& pair : pairs) pair.enlarged = resample_bicubic(pair.low, pair.high.width, pair.high.height);
}

Result<TrainingSet> load_training_set(const fs::path& folder, const fs::path& list, int scale) {
  std::error_code failed;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (const auto e = entry.path().extension(); e == ".png" || e == ".jpg") files.push_back(entry.path());
  if (failed)
    return bad_input(folder.string() + ": " + failed.message(), "--data names a folder of pictures");
  std::sort(files.begin(), files.end());

  TrainingSet set;
  int kept = 0;
  for (const auto& file : files) {
    const auto picture = read_picture(file);
    if (!picture || picture->bits != 8) {
      set.refused.push_back(picture ? file.string() + ": not 8 bits" : picture.error().what);
      continue;
    }
    const Picture rgb = as_rgb(*picture);
    if (const double share = flat_share(rgb); share > kFlatShare) {
      set.refused.push_back(
          fmt::format("{}: a drawing ({:.0f} % flat)", file.filename().string(), 100 * share));
      continue;
    }
    if (kept++ % kHoldOutEvery == kHoldOutEvery - 1) {
      if (auto pair = make_pair(file.filename().string(), rgb, scale))
        set.validation.push_back(std::move(*pair));
    } else {
      add_with_reductions(file.filename().string(), rgb, scale, set.train, set.refused);
    }
  }
  if (!list.empty()) {
    std::ifstream lines(list);
    if (!lines) return bad_input(list.string() + ": can't be read", "--photos names a list of photographs");
    for (std::string line; std::getline(lines, line);) {
      const fs::path file = line.substr(line.rfind('\t') + 1);
      if (file.empty()) continue;
      const auto picture = read_picture(file);
      if (!picture || picture->bits != 8) {
        set.refused.push_back(picture ? file.string() + ": not 8 bits" : picture.error().what);
        continue;
      }
      const Picture half = matlab_bicubic(as_rgb(*picture), picture->width / 2, picture->height / 2);
      add_with_reductions(file.filename().string(), half, scale, set.train, set.refused);
    }
  }
  if (set.train.empty() || set.validation.empty())
    return bad_input(fmt::format("{}: {} pictures to train on and {} to validate with", folder.string(),
                                 set.train.size(), set.validation.size()),
                     fmt::format("at least {} photographs are needed", kHoldOutEvery));
  return set;
}

Batch draw_batch(const std::vector<PicturePair>& pictures, int scale, int count, int patch, Random& random) {
  std::vector<double> cumulative;
  double area = 0;
  for (const auto& pair : pictures) {
    const bool fits = pair.low.width >= patch && pair.low.height >= patch;
    cumulative.push_back(area += fits ? double(pair.low.width) * pair.low.height : 0);
  }
  TORCH_CHECK(area > 0, "no picture holds a patch of ", patch);
  const int cell = 3 * scale * scale;
  auto low = torch::empty({count, patch, patch, 3}, torch::kUInt8);
  auto cells = torch::empty({count, patch, patch, cell}, torch::kUInt8);
  const bool enlarged = !pictures[0].enlarged.bytes.empty();
  auto enlarged_cells = enlarged ? torch::empty_like(cells) : torch::Tensor();
  for (int n = 0; n < count; ++n) {
    const PicturePair* pair = nullptr;
    int x0 = 0, y0 = 0;
    for (int draw = 0; draw < kDrawsPerPatch; ++draw) {
      const double at = double(random.next() >> 11) * 0x1p-53 * area;
      const auto which = std::upper_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin();
      pair = &pictures[std::min(size_t(which), pictures.size() - 1)];
      x0 = random.below(pair->low.width - patch + 1);
      y0 = random.below(pair->low.height - patch + 1);
      if (mean_difference(*pair, x0, y0, patch) >= kFlatPatch) break;
    }
    const size_t pixels = size_t(patch) * patch;
    const Place place{x0, y0, patch, random.below(8)};
    copy_cells(pair->low, 1, place, low.data_ptr<uint8_t>() + n * pixels * 3);
    copy_cells(pair->high, scale, place, cells.data_ptr<uint8_t>() + n * pixels * cell);
    if (enlarged)
      copy_cells(pair->enlarged, scale, place, enlarged_cells.data_ptr<uint8_t>() + n * pixels * cell);
  }
  if (enlarged) enlarged_cells = enlarged_cells.permute({0, 3, 1, 2});
  return {low.permute({0, 3, 1, 2}), cells.permute({0, 3, 1, 2}), enlarged_cells};
}

torch::Tensor tensor_of(const Picture& picture) {
  return torch::from_blob(const_cast<uint8_t*>(picture.u8()), {1, picture.height, picture.width, 3},
                          torch::kUInt8)
      .permute({0, 3, 1, 2});
}

}  // namespace fye

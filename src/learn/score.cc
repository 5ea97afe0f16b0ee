#include "learn/score.h"

#include <algorithm>
#include <cmath>

#include "image/colour.h"
#include "image/file.h"
#include "image/resize.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Squared error of one level in 2^20 pixels: what an exact picture is scored as, in place of infinity.
constexpr double kLeastError = 0x1p-20;

// A step of studio luma is this many steps of each of R, G and B.
constexpr double kLumaToRgb = 255.0 / 219;

// A luma network's picture, as `fye up` makes it: the enlargement, each colour moved by the difference in luma.
torch::Tensor enlarged_by_luma(const NetSpec& spec, const Arithmetic& arithmetic, const Picture& low) {
  const Picture enlarged = resample_bicubic(low, low.width * spec.scale, low.height * spec.scale);
  const auto pixels = tensor_of(enlarged).to(torch::kFloat32);
  const auto luma = luma_of(pixels);
  const auto made = forward(spec, arithmetic, luma / kUnit).mul(kUnit).clamp_(0, 255);
  return pixels + (made - luma) * kLumaToRgb;
}

}  // namespace

Picture enlarge(const NetSpec& spec, const Arithmetic& arithmetic, const Picture& low) {
  const torch::InferenceMode no_gradients;
  const auto made = [&] {
    if (spec.luma) return enlarged_by_luma(spec, arithmetic, low);
    const auto x = tensor_of(low).to(torch::kFloat32).div_(kUnit);
    return cells_to_picture(forward(spec, arithmetic, x).mul(kUnit), spec.scale);
  }();
  const auto pixels = made.round().clamp_(0, 255).permute({0, 2, 3, 1}).to(torch::kUInt8).contiguous();
  Picture picture(low.width * spec.scale, low.height * spec.scale, 3);
  std::copy_n(pixels.data_ptr<uint8_t>(), picture.bytes.size(), picture.u8());
  return picture;
}

double luma_psnr(const NetSpec& spec, const Arithmetic& arithmetic, const PicturePair& pair) {
  const Plane truth = luma(pair.high), made = luma(enlarge(spec, arithmetic, pair.low));
  const int shave = spec.scale;
  double sum = 0;
  int64_t count = 0;
  for (int y = shave; y < truth.height - shave; ++y)
    for (int x = shave; x < truth.width - shave; ++x, ++count) {
      const double d = truth.at(y, x) - made.at(y, x);
      sum += d * d;
    }
  return 10 * std::log10(255.0 * 255.0 / std::max(sum / double(std::max<int64_t>(count, 1)), kLeastError));
}

Result<std::vector<PictureScore>> score_folder(const NetSpec& spec, const Arithmetic& arithmetic,
                                               const fs::path& folder) {
  std::error_code failed;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (const auto e = entry.path().extension(); e == ".png" || e == ".jpg") files.push_back(entry.path());
  if (failed) return bad_input(folder.string() + ": " + failed.message(), "give a folder of pictures");
  if (files.empty())
    return bad_input(folder.string() + ": no PNG or JPEG in it", "give a folder of pictures");
  std::sort(files.begin(), files.end());
  std::vector<PictureScore> scores;
  for (const auto& file : files) {
    const auto picture = read_picture(file);
    if (!picture) return picture.error();
    const auto pair = make_pair(file.filename().string(), *picture, spec.scale);
    if (!pair) return pair.error();
    scores.push_back({pair->name, luma_psnr(spec, arithmetic, *pair)});
  }
  return scores;
}

double mean_psnr(const std::vector<PictureScore>& scores) {
  double sum = 0;
  for (const auto& s : scores) sum += s.psnr;
  return sum / double(scores.size());
}

}  // namespace fye

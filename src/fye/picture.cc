#include <fmt/format.h>

#include <cstring>

#include "base/version.h"
#include "fye/inside.h"
#include "image/file.h"
#include "quality/comparison.h"

namespace fye::v0 {

std::string version() { return std::string(kVersion); }

Result<fye::Picture> inside::to_picture(const Pixels& p) {
  const ReadLimits limits;
  if (!p.data) return usage_error("the pixels are nowhere: data is null");
  if (p.width < 1 || p.height < 1 || p.width > limits.side || p.height > limits.side ||
      int64_t(p.width) * p.height > limits.pixels)
    return usage_error(
        fmt::format("a picture can't have {} x {} pixels", p.width, p.height),
        fmt::format("1 to {} a side, {} megapixels in all", limits.side, limits.pixels / 1'000'000));
  if (p.channels < 1 || p.channels > 4)
    return usage_error(fmt::format("a picture can't have {} channels", p.channels),
                       "1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha");
  if (p.bits != 8 && p.bits != 16)
    return usage_error(fmt::format("samples can't have {} bits", p.bits), "8 or 16");
  const size_t row = size_t(p.width) * size_t(p.channels) * size_t(p.bits / 8);
  if (p.row_bytes != 0 && p.row_bytes > -ptrdiff_t(row) && p.row_bytes < ptrdiff_t(row))
    return usage_error(fmt::format("rows of {} bytes can't be {} bytes apart", row, p.row_bytes));
  fye::Picture picture(p.width, p.height, p.channels, p.bits);
  const auto* from = static_cast<const unsigned char*>(p.data);
  const ptrdiff_t step = p.row_bytes ? p.row_bytes : ptrdiff_t(row);
  for (int y = 0; y < p.height; ++y) std::memcpy(picture.u8() + size_t(y) * row, from + y * step, row);
  return picture;
}

Picture::Picture(std::unique_ptr<State> state) : state_(std::move(state)) {}
Picture::Picture(Picture&&) noexcept = default;
Picture& Picture::operator=(Picture&&) noexcept = default;
Picture::~Picture() = default;

Result<Picture> Picture::copy(const Pixels& pixels) {
  return walled([&]() -> Result<Picture> {
    auto picture = inside::to_picture(pixels);
    if (!picture) return picture.error();
    return Access::make(*std::move(picture));
  });
}

Result<Picture> Picture::read(const std::filesystem::path& file) {
  return walled([&]() -> Result<Picture> {
    auto picture = read_picture(file);
    if (!picture) return picture.error();
    return Access::make(*std::move(picture));
  });
}

Pixels Picture::pixels() const {
  if (!state_) return {};
  const fye::Picture& p = state_->picture;
  return {p.u8(), p.width, p.height, p.channels, p.bits, 0};
}

Result<std::vector<std::string>> Picture::write(const std::filesystem::path& file, int quality) const {
  return walled([&]() -> Result<std::vector<std::string>> {
    if (!state_) return usage_error("the picture has been moved away");
    return write_picture(state_->picture, file, {quality});
  });
}

Result<std::map<std::string, double>> compare(const Pixels& original, const Pixels& other, int shave) {
  return walled([&]() -> Result<std::map<std::string, double>> {
    const auto a = inside::to_picture(original);
    if (!a) return a.error();
    const auto b = inside::to_picture(other);
    if (!b) return b.error();
    std::vector<Metric> rows;
    for (const Metric& metric : metrics())
      if (metric.quick) rows.push_back(metric);
    const auto scores = compare_pair(*a, *b, shave, rows);
    if (!scores) return scores.error();
    std::map<std::string, double> values;
    for (const auto& [name, score] : scores->of_picture) values[std::string(name)] = score.value;
    return values;
  });
}

}  // namespace fye::v0

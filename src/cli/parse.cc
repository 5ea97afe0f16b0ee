#include "cli/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

namespace fye {
namespace {

Error bad_value(const std::string& option, const std::string& text, std::string_view right) {
  return usage_error(fmt::format("{}: can't read \"{}\"", option, text),
                     fmt::format("write it like {}", right));
}

// The whole of `text` as a number, or nothing.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(at)) != std::string_view::npos; text.remove_prefix(end + 1))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

constexpr int kLargestSide = 65'535;
constexpr double kLargestRatio = 16;

}  // namespace

Result<int64_t> parse_bytes(const std::string& option, const std::string& text) {
  constexpr std::string_view kRight = "512M or 2G";
  std::string_view digits = text;
  if (digits.ends_with("iB")) {
    digits.remove_suffix(2);
  } else if (digits.ends_with('B')) {
    digits.remove_suffix(1);
  }
  double unit = 1;
  const size_t letter =
      digits.empty() ? std::string_view::npos : std::string_view("KkMmGgTt").find(digits.back());
  if (letter != std::string_view::npos) {
    unit = std::pow(1024.0, static_cast<double>(letter / 2 + 1));
    digits.remove_suffix(1);
  }
  const auto value = number<double>(digits);
  // 2^60 bytes: more than any machine has, and safe in int64_t.
  if (!value || !std::isfinite(*value) || *value * unit < 1 || *value * unit > 0x1p60)
    return bad_value(option, text, kRight);
  return static_cast<int64_t>(*value * unit);
}

Result<Size> parse_size(const std::string& option, const std::string& text) {
  const size_t x = text.find('x');
  if (x == std::string::npos) return bad_value(option, text, "640x360");
  const auto width = number<int>(std::string_view(text).substr(0, x));
  const auto height = number<int>(std::string_view(text).substr(x + 1));
  if (!width || !height) return bad_value(option, text, "640x360");
  if (*width < 1 || *height < 1 || *width > kLargestSide || *height > kLargestSide)
    return usage_error(
        fmt::format("{}: {} is outside 1x1 to {}x{}", option, text, kLargestSide, kLargestSide));
  return Size{*width, *height};
}

Result<Crop> parse_crop(const std::string& option, const std::string& text) {
  Crop crop;
  const size_t plus = text.find('+');
  auto size = parse_size(option, text.substr(0, plus));
  if (!size) return bad_value(option, text, "640x360 or 640x360+100+50");
  crop.size = *size;
  if (plus == std::string::npos) return crop;
  const size_t second = text.find('+', plus + 1);
  if (second == std::string::npos) return bad_value(option, text, "640x360 or 640x360+100+50");
  const auto left = number<int>(std::string_view(text).substr(plus + 1, second - plus - 1));
  const auto top = number<int>(std::string_view(text).substr(second + 1));
  if (!left || !top || *left < 0 || *top < 0) return bad_value(option, text, "640x360 or 640x360+100+50");
  crop.at = Size{*left, *top};
  return crop;
}

int Ratio::of(int length) const {
  return std::max(1, static_cast<int>(std::ceil(length * up / down - 1e-9)));
}

Result<Ratio> parse_ratio(const std::string& option, const std::string& text) {
  Ratio ratio;
  const size_t slash = text.find('/');
  const auto up = number<double>(std::string_view(text).substr(0, slash));
  const auto down =
      slash == std::string::npos ? 1.0 : number<double>(std::string_view(text).substr(slash + 1));
  if (!up || !down || !(*up > 0) || !(*down > 0)) return bad_value(option, text, "1/3, 0.5 or 2");
  ratio = {*up, *down};
  const double value = ratio.up / ratio.down;
  if (!(value <= kLargestRatio && value >= 1 / kLargestRatio))
    return usage_error(
        fmt::format("{}: {} is outside 1/{} to {}", option, text, kLargestRatio, kLargestRatio));
  return ratio;
}

Result<StageThreads> parse_stage_threads(const std::string& option, const std::string& text) {
  constexpr std::string_view kRight = "4, or 1:4:1 as ncnn's tools have it";
  constexpr int kMost = 1024;
  std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() == 1) parts = {"1", parts[0], "1"};
  if (parts.size() != 3) return bad_value(option, text, kRight);
  StageThreads threads;
  int* const counts[] = {&threads.load, &threads.work, &threads.save};
  for (size_t i = 0; i < parts.size(); ++i) {
    *counts[i] = 0;
    for (const std::string_view part : split(parts[i], ',')) {
      const auto count = number<int>(part);
      if (!count || *count < 1 || *count > kMost || (i != 1 && part != parts[i]))
        return bad_value(option, text, kRight);
      *counts[i] = std::min(*counts[i] + *count, kMost);
    }
  }
  return threads;
}

Result<int> parse_threads(const std::string& option, const std::string& text) {
  const auto threads = parse_stage_threads(option, text);
  if (!threads) return threads.error();
  return threads->work;
}

Result<int> parse_tile(const std::string& option, const std::string& text) {
  int first = -1;
  for (const std::string_view part : split(text, ',')) {
    const auto edge = number<int>(part);
    if (!edge || *edge < 0 || *edge > kLargestSide) return bad_value(option, text, "256, or 0 for none");
    if (first < 0) first = *edge;
  }
  return first;
}

Result<double> parse_deadline(const std::string& option, const std::string& text) {
  std::string_view digits = text;
  double unit = 1;
  if (digits.ends_with("ms")) {
    digits.remove_suffix(2);
  } else if (digits.ends_with('s')) {
    digits.remove_suffix(1);
    unit = 1000;
  }
  const auto value = number<double>(digits);
  if (!value) return bad_value(option, text, "40ms, 0.04s or 40 (milliseconds)");
  const double ms = *value * unit;
  if (!(ms > 0) || !std::isfinite(ms))
    return usage_error(fmt::format("{}: {} is no time above 0", option, text), "write it like 40ms");
  return ms;
}

Result<Numbers> parse_numbers(const std::string& option, const std::string& text) {
  if (const auto numbers = numbers_from(text)) return *numbers;
  return usage_error(fmt::format("{}: fye has no number format \"{}\"", option, text),
                     "choose f32, bf16, int8 or int8r16");
}

}  // namespace fye

#include "import/ncnn/param_file.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace fye {
namespace {

constexpr std::string_view kMagic = "7767517";  // ncnn's text format since 2017
constexpr int kFirstArrayKey = -23300;
constexpr int kMaxKey = 255;  // ncnn has 32
constexpr int kMaxBlobs = 4096;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  for (size_t at = line.find_first_not_of(kBlank); at != line.npos; at = line.find_first_not_of(kBlank, at)) {
    const size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0=64", "2=2.000000e+00", "-23310=1,0.2"; false if it is none of these.
bool read_number(std::string_view word, NcnnLayer& layer) {
  const size_t equals = word.find('=');
  if (equals == word.npos) return false;
  const auto key = number_of<int>(word.substr(0, equals));
  if (!key) return false;
  const bool array = *key <= kFirstArrayKey;
  const int id = array ? kFirstArrayKey - *key : *key;
  if (id < 0 || id > kMaxKey) return false;
  std::vector<double> values;
  std::string_view rest = word.substr(equals + 1);
  while (true) {
    const size_t comma = rest.find(',');
    const auto value = number_of<double>(rest.substr(0, comma));
    if (!value || !std::isfinite(*value)) return false;
    values.push_back(*value);
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (array) {
    if (values[0] != double(values.size() - 1)) return false;
    values.erase(values.begin());
  } else if (values.size() != 1) {
    return false;
  }
  return layer.numbers.emplace(id, std::move(values)).second;
}

Result<NcnnLayer> layer_of(const std::vector<std::string_view>& words) {
  const auto in = words.size() > 2 ? number_of<int>(words[2]) : std::nullopt;
  const auto out = words.size() > 3 ? number_of<int>(words[3]) : std::nullopt;
  if (!in || !out || *in < 0 || *out < 0 || *in > kMaxBlobs || *out > kMaxBlobs)
    return bad_input("is no layer: type, name, number of blobs in and out");
  NcnnLayer layer{std::string(words[0]), std::string(words[1]), {}, {}, {}};
  if (words.size() < size_t(4 + *in + *out))
    return bad_input(fmt::format("layer \"{}\" names fewer than {} blobs", layer.name, *in + *out));
  size_t at = 4;
  for (int i = 0; i < *in; ++i) layer.in.emplace_back(words[at++]);
  for (int i = 0; i < *out; ++i) layer.out.emplace_back(words[at++]);
  for (; at < words.size(); ++at)
    if (!read_number(words[at], layer))
      return bad_input(
          fmt::format("layer \"{}\": \"{}\" is no key=number", layer.name, words[at].substr(0, 40)));
  return layer;
}

}  // namespace

Result<std::vector<NcnnLayer>> parse_ncnn_param(std::string_view text, const ImportLimits& limits) {
  std::vector<NcnnLayer> layers;
  int64_t announced = -1;
  bool magic = false;
  int number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto words = words_of(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (words.empty()) continue;
    if (!magic) {
      if (words.size() != 1 || words[0] != kMagic)
        return bad_input(fmt::format("does not begin with {}, as ncnn's text files do", kMagic),
                         "give the .param file; .param.bin files are not read");
      magic = true;
    } else if (announced < 0) {
      const auto count = number_of<int>(words[0]);
      if (!count || *count < 1 || words.size() != 2)
        return bad_input(fmt::format("line {}: no count of layers and blobs", number));
      if (*count > limits.nodes)
        return bad_input(fmt::format("line {}: {} layers, at most {}", number, *count, limits.nodes));
      announced = *count;
    } else {
      auto layer = layer_of(words);
      if (!layer) return bad_input(fmt::format("line {}: {}", number, layer.error().what));
      layers.push_back(*std::move(layer));
      if (int64_t(layers.size()) > announced)
        return bad_input(fmt::format("has more layers than the {} that it announces", announced));
    }
  }
  if (int64_t(layers.size()) != announced || layers.empty())
    return bad_input(fmt::format("has {} layers and announces {}: cut short?", layers.size(), announced));
  return layers;
}

}  // namespace fye

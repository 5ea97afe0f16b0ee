#include "quant/calib_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/json.h"
#include "quant/base64.h"

namespace fye {
namespace {

constexpr int kVersion = 1;

// The double whose shortest decimal is also the float's, so that the file shows 0.1 and not
// 0.10000000149011612; reading it back as a float gives the same bits.
double for_json(float value) {
  const double shortest = std::strtod(fmt::format("{}", value).c_str(), nullptr);
  return float(shortest) == value ? shortest : double(value);
}

Json floats_to_json(const std::vector<float>& values) {
  Json list = Json::array();
  for (const float value : values) list.push_back(for_json(value));
  return list;
}

// Reads fields and names the file and the path to the field in every error.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {}

  Error wrong(const std::string& where, const std::string& what) const {
    return bad_input(fmt::format("{}: {}: {}", path_.string(), where, what),
                     "make the file again with `fye calibrate`");
  }

  Result<const Json*> member(const Json& object, const std::string& key, const std::string& where) const {
    if (!object.is_object()) return wrong(where, "not an object");
    const auto found = object.find(key);
    if (found == object.end()) return wrong(where, fmt::format("\"{}\" is missing", key));
    return &*found;
  }

  Result<std::string> text(const Json& object, const std::string& key, const std::string& where) const {
    auto value = member(object, key, where);
    if (!value) return value.error();
    if (!(*value)->is_string()) return wrong(where, fmt::format("\"{}\" is not a text", key));
    return (*value)->get<std::string>();
  }

  Result<float> number(const Json& value, const std::string& where) const {
    if (!value.is_number()) return wrong(where, "not a number");
    const double number = value.get<double>();
    if (!(std::fabs(number) <= double(std::numeric_limits<float>::max())))
      return wrong(where, "not a finite float");
    return float(number);
  }

  Result<float> scale(const Json& value, const std::string& where) const {
    auto result = number(value, where);
    if (result && !(*result > 0))
      return wrong(where, fmt::format("scale is {}, but must be above 0", *result));
    return result;
  }

  Result<std::vector<float>> numbers(const Json& object, const std::string& key, const std::string& where,
                                     Result<float> (Reader::*one)(const Json&, const std::string&)
                                         const) const {
    auto list = member(object, key, where);
    if (!list) return list.error();
    if (!(*list)->is_array()) return wrong(where, fmt::format("\"{}\" is not a list", key));
    std::vector<float> values;
    for (const Json& item : **list) {
      auto value = (this->*one)(item, fmt::format("{}, {}[{}]", where, key, values.size()));
      if (!value) return value.error();
      values.push_back(*value);
    }
    return values;
  }

  Result<Quant> tensor(const Json& json, const std::string& where) const {
    auto type = text(json, "type", where);
    if (!type) return type.error();
    if (*type != "u8")
      return wrong(where, fmt::format("type \"{}\" is not known; this version reads \"u8\"", *type));
    auto scale_json = member(json, "scale", where);
    if (!scale_json) return scale_json.error();
    auto its_scale = scale(**scale_json, where);
    if (!its_scale) return its_scale.error();
    auto zero = member(json, "zero", where);
    if (!zero) return zero.error();
    if (!(*zero)->is_number_integer()) return wrong(where, "\"zero\" is not a whole number");
    const auto z =
        (*zero)->is_number_unsigned() && (*zero)->get<uint64_t>() > 255 ? 256 : (*zero)->get<int64_t>();
    if (z < 0 || z > 255)
      return wrong(where, fmt::format("\"zero\" is {}, but must be in 0..255", (*zero)->dump()));
    return Quant{*its_scale, int(z)};
  }

  Result<WeightQuant> weight(const Json& json, const std::string& where) const {
    WeightQuant weight;
    auto scales = numbers(json, "scale", where, &Reader::scale);
    if (!scales) return scales.error();
    auto bias = numbers(json, "bias", where, &Reader::number);
    if (!bias) return bias.error();
    auto encoded = text(json, "values", where);
    if (!encoded) return encoded.error();
    const auto bytes = from_base64(*encoded);
    if (!bytes) return wrong(where, "\"values\" is not base64 (cut off?)");
    weight.scale = *std::move(scales), weight.bias = *std::move(bias);
    weight.values.assign(bytes->begin(), bytes->end());
    if (weight.scale.empty()) return wrong(where, "no output channels");
    if (weight.bias.size() != weight.scale.size())
      return wrong(where, fmt::format("{} scales, but {} biases", weight.scale.size(), weight.bias.size()));
    if (weight.values.empty() || weight.values.size() % weight.scale.size())
      return wrong(where, fmt::format("{} weights can't be split into {} output channels",
                                      weight.values.size(), weight.scale.size()));
    return weight;
  }

 private:
  const std::filesystem::path& path_;
};

}  // namespace

Result<Calib> read_calib(const std::filesystem::path& path, const std::string& graph_sha256) {
  auto json = read_json(path);
  if (!json) return json.error();
  const Reader reader(path);
  auto version = reader.member(*json, "version", "the file");
  if (!version) return version.error();
  if (**version != Json(kVersion))
    return reader.wrong("version",
                        fmt::format("is {}; this fye reads version {}", (*version)->dump(), kVersion));

  Calib calib;
  for (const auto& [key, field] :
       {std::pair{"graph", &calib.graph_sha256}, {"method", &calib.method}, {"pictures", &calib.pictures}}) {
    auto value = reader.text(*json, key, "the file");
    if (!value) return value.error();
    *field = *std::move(value);
  }
  if (!graph_sha256.empty() && calib.graph_sha256 != graph_sha256)
    return reader.wrong("graph", fmt::format("was made for another model file (sha256 {}, not {})",
                                             calib.graph_sha256, graph_sha256));

  for (const char* section : {"tensors", "weights"}) {
    auto entries = reader.member(*json, section, "the file");
    if (!entries) return entries.error();
    if (!(*entries)->is_object()) return reader.wrong(section, "not an object");
  }
  for (const auto& [name, entry] : json->at("tensors").items()) {
    auto quant = reader.tensor(entry, fmt::format("tensor \"{}\"", name));
    if (!quant) return quant.error();
    calib.tensors[name] = *quant;
    if (!entry.contains("scale16")) continue;
    auto wide = reader.scale(entry.at("scale16"), fmt::format("tensor \"{}\", scale16", name));
    if (!wide) return wide.error();
    calib.scale16[name] = *wide;
  }
  for (const auto& [name, entry] : json->at("weights").items()) {
    auto weight = reader.weight(entry, fmt::format("weights of \"{}\"", name));
    if (!weight) return weight.error();
    calib.weights[name] = *std::move(weight);
  }
  return calib;
}

Status write_calib(const std::filesystem::path& path, const Calib& calib) {
  Json json;
  json["version"] = kVersion;
  json["graph"] = calib.graph_sha256;
  json["method"] = calib.method;
  json["pictures"] = calib.pictures;
  json["tensors"] = Json::object();
  for (const auto& [name, quant] : calib.tensors)
    json["tensors"][name] = {{"type", "u8"}, {"scale", for_json(quant.scale)}, {"zero", quant.zero}};
  for (const auto& [name, scale] : calib.scale16)
    if (calib.tensors.contains(name)) json["tensors"][name]["scale16"] = for_json(scale);
  json["weights"] = Json::object();
  for (const auto& [name, weight] : calib.weights) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(weight.values.data());
    json["weights"][name] = {{"scale", floats_to_json(weight.scale)},
                             {"bias", floats_to_json(weight.bias)},
                             {"values", to_base64({bytes, weight.values.size()})}};
  }
  return write_json(path, json);
}

}  // namespace fye

#include <fmt/format.h>

#include "base/json.h"
#include "profile/fields.h"
#include "profile/losses.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
// The largest distance there is between two pictures of 8 bits.
constexpr double kMost = 255. * 255;

Result<std::map<Form, double>> read_forms(const FieldReader& in, const Json& json) {
  std::map<Form, double> parts;
  if (!json.is_object()) return in.wrong("", "is not an object");
  for (const auto& [key, value] : json.items()) {
    const auto form = form_from(key);
    if (!form || *form == Form::host) return in.wrong(key, "is none of f32, bf16, u8, s16");
    const auto part = in.number(key.c_str(), 0, kMost);
    if (!part) return part.error();
    parts[*form] = *part;
  }
  return parts;
}

Json json_of(const std::map<Form, double>& parts) {
  Json json = Json::object();
  for (const auto& [form, part] : parts) json[std::string(name(form))] = part;
  return json;
}

Result<TensorLoss> read_tensor(const FieldReader& in) {
  TensorLoss loss;
  auto name = in.text("tensor");
  if (!name) return name.error();
  loss.tensor = *std::move(name);
  const auto stored = in.object("stored");
  if (!stored) return stored.error();
  auto parts = read_forms(in.inner("stored", **stored), **stored);
  if (!parts) return parts.error();
  loss.stored = *std::move(parts);
  const auto read = in.object("read");
  if (!read) return read.error();
  for (const auto& [unit, json] : (*read)->items()) {
    auto of_unit = read_forms(in.inner("read." + unit, json), json);
    if (!of_unit) return of_unit.error();
    loss.read[unit] = *std::move(of_unit);
  }
  return loss;
}

}  // namespace

Result<Losses> read_losses(const std::filesystem::path& path, const std::string& graph_sha256) {
  const auto json = read_json(path);
  if (!json) return json.error();
  const FieldReader in(path, "", *json, "losses.json");
  if (auto status = check_head(in, kVersion, graph_sha256); !status) return status.error();
  Losses losses;
  losses.graph_sha256 = (*json)["graph"].get<std::string>();
  auto pictures = in.text("pictures");
  if (!pictures) return pictures.error();
  losses.pictures = *std::move(pictures);
  auto calib = in.text("calib");
  if (!calib) return calib.error();
  losses.calib = *std::move(calib);
  const auto crops = in.whole("crops", 1, 1 << 20);
  if (!crops) return crops.error();
  losses.crops = *crops;
  const auto units = in.list("units");
  if (!units) return units.error();
  for (const Json& entry : **units) {
    const FieldReader unit = in.inner(fmt::format("units[{}]", losses.units.size()), entry);
    auto name = unit.text("unit");
    if (!name) return name.error();
    UnitLoss loss{*std::move(name), {}};
    const auto on = unit.object("on");
    if (!on) return on.error();
    const FieldReader parts = unit.inner("on", **on);
    for (const auto& [processor, value] : (*on)->items()) {
      const auto part = parts.number(processor.c_str(), 0, kMost);
      if (!part) return part.error();
      loss.on[processor] = *part;
    }
    losses.units.push_back(std::move(loss));
  }
  if (losses.units.empty()) return in.wrong("units", "there are none");
  const auto tensors = in.list("tensors");
  if (!tensors) return tensors.error();
  for (const Json& entry : **tensors) {
    auto tensor = read_tensor(in.inner(fmt::format("tensors[{}]", losses.tensors.size()), entry));
    if (!tensor) return tensor.error();
    losses.tensors.push_back(*std::move(tensor));
  }
  return losses;
}

Status write_losses(const std::filesystem::path& path, const Losses& losses) {
  Json json = {{"version", kVersion},
               {"graph", losses.graph_sha256},
               {"pictures", losses.pictures},
               {"calib", losses.calib},
               {"crops", losses.crops}};
  json["units"] = Json::array();
  for (const UnitLoss& unit : losses.units) json["units"].push_back({{"unit", unit.unit}, {"on", unit.on}});
  json["tensors"] = Json::array();
  for (const TensorLoss& tensor : losses.tensors) {
    Json entry = {{"tensor", tensor.tensor}, {"stored", json_of(tensor.stored)}};
    for (const auto& [unit, parts] : tensor.read) entry["read"][unit] = json_of(parts);
    json["tensors"].push_back(std::move(entry));
  }
  return write_json(path, json);
}

}  // namespace fye

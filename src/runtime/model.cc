#include "runtime/model.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "base/model_folders.h"
#include "import/model_import.h"
#include "import/onnx_import.h"
#include "quant/calib_file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScaleFlags = "--net-scale 2|3|4 --range 0..255|0..1|-1..1 --colour rgb|y --pre none|bicubic";

// What a user gets who doesn't say by how much: the scale of the network that is measured best (docs/results.md).
constexpr int kUsualScale = 3;

std::optional<double> number_from(const std::string& text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// One convention: the flag if given, else the file's, else nothing.
std::optional<std::string> pick(const std::optional<std::string>& flag, const Graph& graph, const std::string& key) {
  if (flag) return flag;
  const auto found = graph.metadata.find(key);
  if (found == graph.metadata.end()) return std::nullopt;
  return found->second;
}

Error bad_convention(const fs::path& path, std::string_view key, std::string_view got, std::string_view expected) {
  return bad_input(fmt::format("{}: {} is \"{}\"; expected {}", path.string(), key, got, expected));
}

Result<Conventions> conventions_of(const fs::path& path, const Graph& graph, const ConventionFlags& flags) {
  Conventions c;
  const auto scale = pick(flags.scale ? std::optional(std::to_string(*flags.scale)) : std::nullopt, graph, "fye.scale");
  const auto range = pick(flags.range, graph, "fye.range");
  const auto colour = pick(flags.colour, graph, "fye.colour");
  const auto pre = pick(flags.pre, graph, "fye.pre");
  if (!scale || !range || !colour || !pre) {
    std::string missing;
    for (auto [there, key] : {std::pair{scale.has_value(), "scale"}, {range.has_value(), "range"},
                              {colour.has_value(), "colour"}, {pre.has_value(), "pre"}})
      if (!there) missing += fmt::format("{}fye.{}", missing.empty() ? "" : ", ", key);
    return bad_input(fmt::format("{}: the model does not say how it wants its pictures ({} missing)", path.string(), missing),
                     fmt::format("give {}", kScaleFlags));
  }
  const auto s = number_from(*scale);
  if (!s || *s < 1 || *s > 16 || *s != int(*s)) return bad_convention(path, "fye.scale", *scale, "1 to 16");
  c.scale = int(*s);
  if (*range == "0..255") {
    c.lo = 0, c.hi = 255;
  } else if (*range == "0..1") {
    c.lo = 0, c.hi = 1;
  } else if (*range == "-1..1") {
    c.lo = -1, c.hi = 1;
  } else {
    return bad_convention(path, "fye.range", *range, "0..255, 0..1 or -1..1");
  }
  if (*colour != "rgb" && *colour != "y") return bad_convention(path, "fye.colour", *colour, "rgb or y");
  c.colour = *colour == "y" ? Conventions::Colour::y : Conventions::Colour::rgb;
  if (*pre != "none" && *pre != "bicubic") return bad_convention(path, "fye.pre", *pre, "none or bicubic");
  c.bicubic_first = *pre == "bicubic";

  // The file's own numbers must fit: a wrong scale is how others scramble tiles.
  const int channels = c.colour == Conventions::Colour::y ? 1 : 3;
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input(fmt::format("{}: {} inputs and {} outputs; an upscaling network has one of each", path.string(),
                                 graph.inputs.size(), graph.outputs.size()));
  const Shape& in = graph.tensors[size_t(graph.inputs[0])].shape;
  if (in.size() != 4 || in[1] != channels)
    return bad_input(fmt::format("{}: the input has shape of rank {} with {} channels; {} pictures have {} channels",
                                 path.string(), in.size(), in.size() > 1 ? in[1] : 0, *colour, channels),
                     "is this an upscaling network, and --colour right?");
  // Two sizes that are multiples of common strides.
  for (int64_t edge : {48, 96}) {
    auto shapes = infer_shapes(graph, {{1, channels, edge, edge}});
    if (!shapes) {
      if (in[2] > 0) continue;  // a model of fixed size; refused where its size is known to be wrong
      return shapes.error();
    }
    const Shape& out = (*shapes)[size_t(graph.outputs[0])];
    const int64_t wanted = edge * (c.bicubic_first ? 1 : c.scale);
    if (out.size() != 4 || out[1] != channels || out[2] != wanted || out[3] != wanted)
      return bad_input(fmt::format("{}: makes {} x {} ({} channels) from {} x {}; its scale says {} ({} channels)",
                                   path.string(), out.size() == 4 ? out[3] : 0, out.size() == 4 ? out[2] : 0,
                                   out.size() > 1 ? out[1] : 0, edge, edge, wanted, channels),
                       "give the right --net-scale");
  }
  constexpr std::string_view kLoss = "fye.loss_db.";
  for (const auto& [key, text] : graph.metadata)
    if (key.rfind(kLoss, 0) == 0) {
      const auto loss = number_from(text);
      if (!loss) return bad_convention(path, key, text, "a number of dB");
      c.loss_db[key.substr(kLoss.size())] = *loss;
    }
  return c;
}

// What the user said becomes part of the network, so that a file made from it says it too.
void note_flags(Graph& graph, const ConventionFlags& flags) {
  if (flags.scale) graph.metadata["fye.scale"] = std::to_string(*flags.scale);
  for (const auto& [key, value] : {std::pair{"fye.range", flags.range}, {"fye.colour", flags.colour}, {"fye.pre", flags.pre}})
    if (value) graph.metadata[key] = *value;
}

// The upscaling networks of a folder, by name.
std::vector<ShippedModel> models_in(const fs::path& folder) {
  std::vector<ShippedModel> found;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    if (entry.path().extension() != ".onnx") continue;
    auto imported = import_onnx(entry.path());
    if (!imported) continue;  // not ours to complain about here; naming it with -m says why
    const auto scale = imported->graph.metadata.find("fye.scale");
    if (scale == imported->graph.metadata.end()) continue;
    const auto value = number_from(scale->second);
    found.push_back({entry.path().stem().string(), fs::weakly_canonical(entry.path(), problem), value ? int(*value) : 0});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

std::vector<ShippedModel> first_with_any() {
  for (const fs::path& folder : model_folders())
    if (auto found = models_in(folder); !found.empty()) return found;
  return {};
}

}  // namespace

Result<Model> load_model(const fs::path& path, const ConventionFlags& flags) {
  auto imported = import_model(path);
  if (!imported) return imported.error();
  auto conventions = conventions_of(path, imported->graph, flags);
  if (!conventions) return conventions.error();
  note_flags(imported->graph, flags);
  Model model{path.stem().string(), std::move(imported->graph), *std::move(conventions), std::move(imported->calib)};
  fs::path beside = path;
  beside.replace_extension(".calib.json");
  std::error_code ignored;
  if (fs::exists(beside, ignored)) {
    auto calib = read_calib(beside, model.graph.sha256);
    if (!calib) return calib.error();
    model.calib = *std::move(calib);
  }
  return model;
}

Result<fs::path> installed_model_folder() {
  const auto users = user_model_folder();
  if (!users) return users.error();
  return *users / "installed";
}

std::vector<ShippedModel> shipped_models() {
  std::vector<ShippedModel> found = first_with_any();
  std::vector<fs::path> others;
  if (const auto users = user_model_folder()) others.push_back(*users);
  if (const auto installed = installed_model_folder()) others.push_back(*installed);
  for (const fs::path& folder : others)
    for (ShippedModel& model : models_in(folder)) {
      const auto same_name = [&](const ShippedModel& other) { return other.name == model.name; };
      model.shipped = false;
      if (std::none_of(found.begin(), found.end(), same_name)) found.push_back(std::move(model));
    }
  return found;
}

Result<fs::path> shipped_model(const std::string& name) {
  // By file name first: reading all networks to find one takes long where large ones are installed.
  std::vector<fs::path> folders = model_folders();
  if (const auto installed = installed_model_folder()) folders.push_back(*installed);
  std::error_code problem;
  if (name.find('/') == std::string::npos)
    for (const fs::path& folder : folders)
      if (const fs::path file = folder / (name + ".onnx"); fs::is_regular_file(file, problem))
        return fs::weakly_canonical(file, problem);
  std::string names;
  for (const ShippedModel& model : shipped_models()) names += (names.empty() ? "" : ", ") + model.name;
  return bad_input(fmt::format("{}: no such model", name),
                   names.empty() ? "no models were found; set FYE_MODELS to their folder"
                                 : "there are " + names + "; fye models lists them, and what can be installed");
}

Result<fs::path> shipped_model_near(int scale) {
  const int wanted = scale == 0 ? kUsualScale : scale;
  const auto models = first_with_any();
  const ShippedModel* best = nullptr;
  for (const ShippedModel& model : models) {
    if (model.scale == wanted) return model.path;
    const bool enough = model.scale >= wanted;
    if (!best || (enough ? best->scale < wanted || model.scale < best->scale
                         : best->scale < wanted && model.scale > best->scale))
      best = &model;
  }
  if (best) return best->path;
  return bad_input("no shipped models were found", "set FYE_MODELS to the folder that has them, or give -m model.onnx");
}

Result<fs::path> find_model(const std::string& file_or_name) {
  const fs::path path(file_or_name);
  std::error_code ignored;
  const auto extension = path.extension();
  if (fs::exists(path, ignored) || path.has_parent_path() || extension == ".onnx" || extension == ".param") return path;
  return shipped_model(file_or_name);
}

}  // namespace fye

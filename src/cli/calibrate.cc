// fye calibrate MODEL PICTURES...
#include "execute/calibrate.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>

#include "base/file.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/picture_inputs.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "export/onnx_export.h"
#include "quant/calib_file.h"

namespace fye {
namespace {

struct CalibrateFlags {
  ModelOptions model;
  std::vector<std::string> pictures;
  std::string output, qdq, crop = "256x256", method = "honest", threads;
  bool shrink = false;
};

// How far the integers are from the float network, for the person who waits for the result.
void say(const CalibrateReport& report) {
  fmt::print(stderr, "int8 against f32 on these pictures: a mean square of {:.3f} grey levels^2",
             report.msef);
  if (report.bias_corrected)
    fmt::print(stderr, " ({:.3f} with the model's own biases)", report.msef_uncorrected);
  fmt::print(stderr, "\n");
}

Result<Calib> calibrated(const CalibrateFlags& options, const Model& model) {
  int threads = 0;
  if (!options.threads.empty()) {
    const auto count = parse_threads("--threads", options.threads);
    if (!count) return count.error();
    threads = *count;
  }
  const auto inputs = network_inputs(options.pictures, options.crop, options.shrink, model.conventions);
  if (!inputs) return inputs.error();
  std::vector<Map> maps;
  for (const NetworkInput& input : *inputs) maps.push_back(input.map);
  ThreadPool pool(threads);
  const CalibrateOptions how{.method = options.method == "naive" ? CalibrationMethod::naive
                                                                 : CalibrationMethod::honest};
  CalibrateReport report;
  auto calib = [&] {
    Progress progress("calibrating");
    return calibrate(
        model.graph, maps, how, pool, [&](double fraction) { progress.update(fraction); }, &report);
  }();
  if (calib) say(report);
  return calib;
}

Status run(const CalibrateFlags& options) {
  if (options.output.empty() && options.qdq.empty())
    return usage_error("nothing to write", "say where with -o net.calib.json, --qdq net.qdq.onnx or both");
  auto model = load_model(options.model, 0);
  if (!model) return model.error();
  if (!options.pictures.empty()) {
    auto calib = calibrated(options, *model);
    if (!calib) return calib.error();
    calib->graph_sha256 = model->graph.sha256;
    model->calib = *std::move(calib);
  } else if (!model->calib) {
    return usage_error(fmt::format("{}: has no calibration and no pictures were given", model->name),
                       "give 8 to 20 pictures of the kind that it will enlarge");
  }
  const FinishWriting uninterrupted;
  if (!options.output.empty()) {
    if (const Status written = write_calib(options.output, *model->calib); !written) return written;
  }
  if (!options.qdq.empty()) {
    const auto bytes = export_qdq(model->graph, *model->calib);
    if (!bytes) return bytes.error();
    if (const Status written = write_file(options.qdq, *bytes); !written) return written;
  }
  return {};
}

}  // namespace

Run add_calibrate(CLI::App& app) {
  auto options = std::make_shared<CalibrateFlags>();
  CalibrateFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option(
      "PICTURES", o.pictures,
      "8 to 20 pictures of the kind to be enlarged, or folders; without any: the calibration the model has");
  app.add_option("-o,--output", o.output, "calib.json to write; fye finds NAME.calib.json beside NAME.onnx");
  app.add_option("--qdq", o.qdq,
                 "also (or only) write an ONNX file with QuantizeLinear and DequantizeLinear nodes");
  app.add_option("--method", o.method, "honest, or naive: per-tensor, minimum to maximum, for comparison")
      ->check(CLI::IsMember({"honest", "naive"}))
      ->capture_default_str();
  app.add_flag("--shrink", o.shrink, "the pictures are large: shrink them by the network's scale first");
  app.add_option("--crop", o.crop, "at most this part of each picture: WxH (the middle) or WxH+X+Y")
      ->capture_default_str();
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.footer(R"(Examples:
  fye calibrate net.onnx photos/ --shrink -o net.calib.json
  fye calibrate net.onnx a.png b.png -o net.calib.json --qdq net.qdq.onnx
  fye calibrate abpn_x3 --qdq abpn_x3.qdq.onnx)");
  return [options] { return run(*options); };
}

}  // namespace fye

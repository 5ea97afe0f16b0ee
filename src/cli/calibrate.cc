// fye calibrate MODEL PICTURES...
#include "execute/calibrate.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>

#include "base/file.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/side_by_side.h"
#include "cli/verb.h"
#include "export/onnx_export.h"
#include "image/file.h"
#include "image/resize.h"
#include "quant/calib_file.h"
#include "runtime/network_input.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct Options {
  ModelOptions model;
  std::vector<std::string> pictures;
  std::string output, qdq, crop = "256x256", method = "honest", threads;
  bool shrink = false;
};

// Files as given, folders as their pictures in the order of their names.
Result<std::vector<fs::path>> files_of(const std::vector<std::string>& given) {
  std::vector<fs::path> files;
  for (const std::string& path : given) {
    std::error_code problem;
    if (!fs::is_directory(path, problem)) {
      files.emplace_back(path);
      continue;
    }
    const size_t before = files.size();
    for (const auto& entry : fs::directory_iterator(path, problem)) {
      if (probe_picture(entry.path())) files.push_back(entry.path());
    }
    if (files.size() == before)
      return bad_input(fmt::format("{}: there are no pictures in this folder", path));
    std::sort(files.begin() + before, files.end());
  }
  return files;
}

// What the network would see of the file: shrunk if asked for, then the middle.
Result<NetworkInput> input_of(const fs::path& file, const Options& options, const Crop& crop,
                              const Conventions& conventions) {
  auto picture = read_picture(file);
  if (!picture) return picture.error();
  if (options.shrink) {
    const int width = picture->width / conventions.scale, height = picture->height / conventions.scale;
    if (width < 1 || height < 1 || picture->bits != 8)
      return bad_input(fmt::format("{}: too small, or not 8 bit, for --shrink", file.string()));
    *picture = matlab_bicubic(*picture, width, height);
  }
  Crop fitting = crop;
  fitting.size.width = std::min(crop.size.width, picture->width);
  fitting.size.height = std::min(crop.size.height, picture->height);
  const auto part = cropped(*picture, fitting);
  if (!part) return Error{part.error().code, file.string() + ": " + part.error().what, ""};
  return network_input(*part, conventions);
}

// How far the integers are from the float network, for the person who waits for the result.
void say(const CalibrateReport& report) {
  fmt::print(stderr, "int8 against f32 on these pictures: a mean square of {:.3f} grey levels^2",
             report.msef);
  if (report.bias_corrected)
    fmt::print(stderr, " ({:.3f} with the model's own biases)", report.msef_uncorrected);
  fmt::print(stderr, "\n");
}

Result<Calib> calibrated(const Options& options, const Model& model) {
  int threads = 0;
  if (!options.threads.empty()) {
    const auto count = parse_threads("--threads", options.threads);
    if (!count) return count.error();
    threads = *count;
  }
  const auto crop = parse_crop("--crop", options.crop);
  if (!crop) return crop.error();
  const auto files = files_of(options.pictures);
  if (!files) return files.error();

  std::vector<NetworkInput> inputs;
  std::vector<Map> maps;
  for (const fs::path& file : *files) {
    auto input = input_of(file, options, *crop, model.conventions);
    if (!input) return input.error();
    inputs.push_back(*std::move(input));
    maps.push_back(inputs.back().map);
  }
  ThreadPool pool(threads);
  const CalibrateOptions how{.method = options.method == "naive" ? CalibrationMethod::naive
                                                                 : CalibrationMethod::honest};
  CalibrateReport report;
  auto calib = [&] {
    Progress progress("calibrating", true);
    return calibrate(
        model.graph, maps, how, pool, [&](double fraction) { progress.update(fraction); }, &report);
  }();
  if (calib) say(report);
  return calib;
}

Status run(const Options& options) {
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
  auto options = std::make_shared<Options>();
  Options& o = *options;
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

#include "learn/split_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "import/onnx_import.h"
#include "learn/net.h"
#include "quant/calib_file.h"
#include "quant/picture_quant.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

std::string metadata_of(const Graph& graph, const std::string& key) {
  const auto found = graph.metadata.find(key);
  return found == graph.metadata.end() ? std::string() : found->second;
}

}  // namespace

Result<SplitNet> load_split_net(const fs::path& path, const std::vector<std::string>& processors) {
  if (processors.size() < 2 || processors[0] != "cpu.f32")
    return usage_error("a split needs two processors or more, the first of them cpu.f32",
                       "give --processors cpu.f32 cpu.int8");
  SplitNet net{.name = path.stem().string()};
  for (const std::string& name : processors) {
    const auto found = find_processor(name, active_isa());
    if (!found) return found.error();
    if (std::find(net.processors.begin(), net.processors.end(), *found) != net.processors.end())
      return usage_error("--processors names " + name + " twice");
    net.processors.push_back(*found);
  }
  auto imported = import_onnx(path);
  if (!imported) return imported.error();
  const Graph& graph = imported->graph;
  const std::string scale = metadata_of(graph, "fye.scale");
  const auto parsed = std::from_chars(scale.data(), scale.data() + scale.size(), net.scale);
  const auto picture = picture_quant(graph);
  if (!picture) return picture.error();
  if (parsed.ec != std::errc() || net.scale < 1 || net.scale > 8 || !*picture ||
      metadata_of(graph, "fye.colour") != "rgb" || metadata_of(graph, "fye.pre") != "none")
    return bad_input(path.string() + ": not a network for RGB pictures with a scale of 1 to 8",
                     "give networks like models/abpn_x3.onnx");
  net.picture = **picture;
  fs::path beside = path;
  auto calib = read_calib(beside.replace_extension(".calib.json"), graph.sha256);
  if (!calib) return calib.error();
  net.graph = std::move(imported->graph);
  net.calib = *std::move(calib);
  return net;
}

Result<SplitCrops> draw_crops(const std::vector<PicturePair>& pictures, int scale, int count, int side,
                              uint64_t seed) {
  if (std::none_of(pictures.begin(), pictures.end(), [side](const PicturePair& pair) {
        return pair.low.width >= side && pair.low.height >= side;
      }))
    return bad_input(fmt::format("none of {} pictures holds a crop of {} x {} low-resolution pixels",
                                 pictures.size(), side, side),
                     "give larger pictures or a smaller --crop");
  Random random{seed};
  const Batch batch = draw_batch(pictures, scale, count, side, random);
  return SplitCrops{batch.low.contiguous(), cells_to_picture(batch.cells, scale).contiguous()};
}

at::Tensor network_values(const at::Tensor& grey, const Quant& picture) {
  return (grey.to(torch::kFloat32) - double(picture.zero)) * double(picture.scale);
}

at::Tensor grey_levels(const at::Tensor& values, const Quant& picture) {
  return (values / double(picture.scale) + double(picture.zero)).clamp(0, 255);
}

}  // namespace fye

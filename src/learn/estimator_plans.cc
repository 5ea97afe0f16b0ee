#include "learn/estimator_plans.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "execute/plain.h"
#include "import/onnx_import.h"
#include "learn/data.h"
#include "quant/calib_file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Readable bytes that a map's owner promises behind its last element (kernels/map.h).
constexpr size_t kSlack = 256;

std::string metadata_of(const Graph& graph, const std::string& key) {
  const auto found = graph.metadata.find(key);
  return found == graph.metadata.end() ? std::string() : found->second;
}

std::vector<std::string> processors_for_plans() {
  std::vector<std::string> names;
  for (const Processor* p : processors(active_isa()))
    if (p->name() == "cpu.f32" || p->name() == "cpu.bf16" || p->name() == "cpu.int8")
      names.emplace_back(p->name());
  return names;
}

// `bytes` must have kSlack more than the picture takes.
Map map_of(std::vector<uint8_t>& bytes, int height, int width) {
  Map map{.type = DType::u8, .quant = {1, 0}, .channels = 3, .pitch = 3};
  map.region = {0, 0, height, width};
  map.row_bytes = ptrdiff_t(width) * 3;
  map.origin = reinterpret_cast<std::byte*>(bytes.data());
  return map;
}

}  // namespace

Result<PlannedNet> load_planned_net(const fs::path& path) {
  auto imported = import_onnx(path);
  if (!imported) return imported.error();
  const Graph& graph = imported->graph;
  const std::string scale = metadata_of(graph, "fye.scale");
  PlannedNet net{.name = path.stem().string()};
  const auto parsed = std::from_chars(scale.data(), scale.data() + scale.size(), net.scale);
  if (parsed.ec != std::errc() || net.scale < 1 || net.scale > 8 ||
      metadata_of(graph, "fye.range") != "0..255" || metadata_of(graph, "fye.colour") != "rgb" ||
      metadata_of(graph, "fye.pre") != "none")
    return bad_input(path.string() + ": not a network for RGB pictures in 0..255 with a scale of 1 to 8",
                     "give networks like models/abpn_x2.onnx");
  fs::path beside = path;
  auto calib = read_calib(beside.replace_extension(".calib.json"), graph.sha256);
  if (!calib) return calib.error();
  net.graph = std::move(imported->graph);
  net.calib = *std::move(calib);
  return net;
}

std::vector<Plan> random_plans(const Graph& graph, int count, uint64_t seed) {
  const auto names = processors_for_plans();
  const auto units = units_of(graph);
  Random random{seed};
  std::set<std::vector<int>> taken;
  for (size_t i = 0; i < names.size(); ++i) taken.insert(std::vector<int>(units.size(), int(i)));
  double all = 1;
  for (size_t i = 0; i < units.size(); ++i) all *= double(names.size());
  std::vector<Plan> plans;
  while (int(plans.size()) < count && double(taken.size()) < all) {
    std::vector<int> choice;
    for (size_t i = 0; i < units.size(); ++i) choice.push_back(random.below(int(names.size())));
    if (!taken.insert(choice).second) continue;
    Plan plan{.graph_sha256 = graph.sha256};
    for (size_t i = 0; i < units.size(); ++i) plan.steps.push_back({{units[i].name}, names[choice[i]], {}});
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<Picture> enlarge(const PlannedNet& net, const Plan& plan, const Picture& low) {
  const auto placement = placement_of(plan, net.graph, active_isa());
  if (!placement) return placement.error();
  auto executor =
      Executor::prepare(net.graph, &net.calib, *placement, {.height = low.height, .width = low.width});
  if (!executor) return executor.error();
  Picture high(low.width * net.scale, low.height * net.scale, 3);
  if (executor->out_height() != high.height || executor->out_width() != high.width ||
      executor->out_channels() != 3)
    return bad_input(fmt::format("{}: makes {} x {} from {} x {}; its scale says {}", net.name,
                                 executor->out_width(), executor->out_height(), low.width, low.height,
                                 net.scale));
  auto in = low.bytes, out = std::vector<uint8_t>(high.bytes.size() + kSlack);
  in.resize(in.size() + kSlack);
  ThreadPool here(1);
  if (auto ran = executor->run(map_of(in, low.height, low.width), map_of(out, high.height, high.width), here);
      !ran)
    return ran.error();
  std::copy_n(out.begin(), high.bytes.size(), high.bytes.begin());
  return high;
}

}  // namespace fye

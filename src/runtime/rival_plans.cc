// Tested by runtime/rival_plans_test.cc.
#include "runtime/rival_plans.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/region.h"
#include "profile/share_times.h"
#include "runtime/network.h"
#include "runtime/network_input.h"
#include "runtime/rerank.h"

namespace fye {
namespace {

// Of output channels: eighths for uLayer (spec/baselines.md, section 2), tenths for CoDL (section 3.3).
constexpr int kUlayerSteps = 8, kCodlSteps = 10;
// Section 1: the widest halo. Patches swept are whole parts of the picture's longer side, so that none is computed for a rest.
constexpr int kMostHalo = 8, kMostParts = 6, kLeastPatch = 20, kMostPatch = 4096;
// A chain that seems to gain less than the scatter of waiting may lose: what ten times the median wait would
// choose is tried too.
constexpr double kDearWait = 10;

struct Task {
  const Model& model;
  const RivalRequest& request;
  ThreadPool& threads;
  const std::function<void(double)>& progress;
  MeasureOptions measure;
  RivalPair pair;
  std::vector<Shape> shapes;

  const Calib* calib() const { return model.calib ? &*model.calib : nullptr; }
  std::span<const Processor* const, 2> processors() const {
    return std::span<const Processor* const, 2>(request.pair.data(), 2);
  }
};

Result<RivalPlan> codl(const Task& task) {
  const RivalRequest& request = task.request;
  if (request.pair[0]->numbers() != request.pair[1]->numbers())
    return usage_error(fmt::format("CoDL shares rows of one number format, not of {} and {}",
                                   request.pair[0]->name(), request.pair[1]->name()),
                       "for instance --processors cpu.f32@core0,cpu.f32@core1");
  CodlCosts costs{.shapes = task.shapes, .unit_ms = {}, .wait_ms = measure_wait(task.processors())};
  for (const Unit& unit : units_of(task.model.graph)) {
    const UnitTimes* times = request.profile.unit(unit.name);
    costs.unit_ms.emplace_back();
    for (const Processor* processor : request.pair) {
      const auto found = times ? times->on.find(std::string(processor->name())) : decltype(times->on.end()){};
      if (!times || found == times->on.end())
        return bad_input(
            fmt::format("the profile has no time of unit \"{}\" on {}", unit.name, processor->name()),
            "fye profile measures this model");
      costs.unit_ms.back().push_back(found->second.ms);
    }
  }
  auto channels = measure_channels(task.model.graph, task.calib(), task.processors(), kCodlSteps, 2,
                                   task.measure, task.threads, task.progress);
  if (!channels) return channels.error();
  costs.channels = *std::move(channels);
  const Graph& graph = task.model.graph;
  auto greedy = codl_plan(graph, task.pair, costs, RivalForm::faithful);
  if (!greedy || request.form == RivalForm::faithful) return greedy;
  std::vector<RivalPlan> tried = {*std::move(greedy)};
  for (const double factor : {1., kDearWait}) {
    CodlCosts dear = costs;
    dear.wait_ms *= factor;
    auto exact = codl_plan(graph, task.pair, dear, RivalForm::strong);
    if (!exact) return exact;
    tried.push_back(*std::move(exact));
  }
  std::vector<Plan> plans;
  for (const RivalPlan& each : tried) plans.push_back(each.plan);
  const auto ms =
      time_plans(task.model, plans,
                 {.width = request.width, .height = request.height, .rounds = request.rounds}, task.threads);
  if (!ms) return ms.error();
  return tried[size_t(std::min_element(ms->begin(), ms->end()) - ms->begin())];
}

Result<RivalPlan> ulayer(const Task& task) {
  const auto times = measure_channels(task.model.graph, task.calib(), task.processors(), kUlayerSteps,
                                      task.request.rounds, task.measure, task.threads, task.progress);
  if (!times) return times.error();
  return ulayer_plan(task.model.graph, task.pair, task.shapes, *times, task.request.form);
}

// Of the patches of typical pictures, as the executor sees them.
std::vector<double> variation_of(const Task& task, int size) {
  const Conventions& conventions = task.model.conventions;
  std::vector<double> all;
  for (const Picture& picture : task.request.typical) {
    const NetworkInput input = network_input(picture, conventions);
    for (const Region& core : patch_cores(input.map.region.h, input.map.region.w, size))
      all.push_back(total_variation(input.map, core, 255. / (conventions.hi - conventions.lo)));
  }
  return all;
}

Result<RivalPlan> mobisr(const Task& task) {
  const RivalRequest& request = task.request;
  const bool faithful = request.form == RivalForm::faithful;
  if (faithful && request.typical.empty())
    return usage_error("MobiSR as published fixes its threshold on typical pictures, and there are none",
                       "give some: --pictures PHOTOS");
  MobisrCosts costs{.rules = {}, .patch_ms = {}, .height = task.measure.height, .width = task.measure.width};
  const int around = std::min(halo(task.model.graph), kMostHalo);
  const int longest = std::max(costs.height, costs.width);
  std::vector<int> sizes;
  if (faithful) sizes.push_back(request.patch);
  for (int parts = 1; !faithful && parts <= kMostParts; ++parts) {
    const int size = (longest + parts - 1) / parts;
    if (parts == 1 || size >= kLeastPatch) sizes.push_back(std::min(size, kMostPatch));
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    costs.rules.push_back({sizes[i], around});
    auto ms = measure_patches(task.model.graph, task.calib(), request.pair, costs.rules.back(),
                              request.rounds, task.measure, task.threads);
    if (!ms) return ms.error();
    costs.patch_ms.push_back(*std::move(ms));
    if (task.progress) task.progress(double(i + 1) / double(sizes.size()));
  }
  MobisrOptions options{
      .deadline_ms = request.deadline_ms, .hard_to_fast = request.hard_to_fast, .variation = {}};
  if (faithful) options.variation = variation_of(task, request.patch);
  return mobisr_plan(task.model.graph, task.pair, costs, options);
}

}  // namespace

Result<RivalPlan> rival_plan(const Model& model, const RivalRequest& request, ThreadPool& threads,
                             const std::function<void(double)>& progress) {
  if (request.pair.size() != 2 || request.pair[0] == request.pair[1])
    return usage_error("a rival shares its work between two different processors",
                       "for instance --processors cpu.f32@core0,cpu.int8@core1");
  const int first = model.conventions.bicubic_first ? model.conventions.scale : 1;
  const Stored form = picture_form(model.conventions);
  Task task{model,
            request,
            threads,
            progress,
            {.height = request.height * first,
             .width = request.width * first,
             .picture = form.type,
             .picture_quant = form.quant},
            {},
            {}};
  const Processor &a = *request.pair[0], &b = *request.pair[1];
  task.pair = {std::string(a.name()), std::string(b.name()),
               a.core() >= 0 && b.core() >= 0 && a.core() != b.core()};
  const Tensor& input = model.graph.tensors[size_t(model.graph.inputs[0])];
  auto shapes = infer_shapes(model.graph, {{1, input.shape[1], task.measure.height, task.measure.width}});
  if (!shapes) return shapes.error();
  task.shapes = *std::move(shapes);
  auto made = request.rival == Rival::codl     ? codl(task)
              : request.rival == Rival::ulayer ? ulayer(task)
                                               : mobisr(task);
  if (!made) return made;
  made->plan.width = request.width;
  made->plan.height = request.height;
  return made;
}

}  // namespace fye

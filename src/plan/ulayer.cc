// uLayer's planner (Kim et al., EuroSys 2019, DOI 10.1145/3302424.3303950; spec/baselines.md, section 2).
// Tested by plan/rivals_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "plan/rivals.h"
#include "processors/segment_maps.h"

namespace fye {
namespace {

// The small set of ratios that the method is known to choose from.
constexpr double kRatios[] = {.25, .5, .75};

using Features = std::array<double, 3>;  // F0, F1, 1

// Of a unit's first convolution, with `part` of its output channels; what is no convolution counts as a 1x1.
Features features_of(const Graph& graph, const Unit& unit, const std::vector<Shape>& shapes, double part) {
  for (const int index : unit.nodes) {
    const Node& node = graph.nodes[size_t(index)];
    const Conv* conv = node.as<Conv>();
    if (!conv) continue;
    const MapSize in = map_size(shapes[size_t(node.inputs[0])]);
    const double channels = double(map_size(shapes[size_t(node.output)]).channels) * part;
    return {double(in.height) * in.width * in.channels,
            double(conv->kernel_h) * conv->kernel_w / (conv->stride_h * conv->stride_w) * channels, 1};
  }
  const MapSize in = map_size(shapes[size_t(graph.nodes[size_t(unit.nodes[0])].inputs[0])]);
  return {double(in.height) * in.width * in.channels, in.channels * part, 1};
}

double dot(const Features& a, const Features& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// Least squares over the features in `used`, the others weigh 0; by the normal equations, with a grain of ridge so that features
// that never vary do no harm.
Features fit(const std::vector<Features>& x, const std::vector<double>& y, const std::array<bool, 3>& used) {
  constexpr double kRidge = 1e-9;
  std::array<double, 3> scale = {};
  for (const Features& row : x)
    for (size_t i = 0; i < 3; ++i) scale[i] = std::max(scale[i], std::abs(row[i]));
  double a[3][4] = {};
  for (size_t k = 0; k < x.size(); ++k)
    for (size_t i = 0; i < 3; ++i) {
      if (!used[i]) continue;
      for (size_t j = 0; j < 3; ++j)
        if (used[j]) a[i][j] += x[k][i] / scale[i] * x[k][j] / scale[j];
      a[i][3] += x[k][i] / scale[i] * y[k];
    }
  for (size_t i = 0; i < 3; ++i) a[i][i] += used[i] ? kRidge * double(x.size()) : 1;
  for (size_t i = 0; i < 3; ++i) {
    size_t pivot = i;
    for (size_t r = i + 1; r < 3; ++r)
      if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
    std::swap(a[i], a[pivot]);
    for (size_t r = 0; r < 3; ++r) {
      if (r == i) continue;
      const double f = a[r][i] / a[i][i];
      for (size_t c = i; c < 4; ++c) a[r][c] -= f * a[i][c];
    }
  }
  Features w;
  for (size_t i = 0; i < 3; ++i) w[i] = a[i][3] / a[i][i] / scale[i];
  return w;
}

// The best fit with no weight below 0: more work never takes less time, and a ratio outside those measured is
// not predicted to take a negative one (our fill-in; every set of the three features is tried).
Features fit_times(const std::vector<Features>& x, const std::vector<double>& ms) {
  Features best = {};
  double least = std::numeric_limits<double>::infinity();
  for (int set = 1; set < 8; ++set) {
    const Features w = fit(x, ms, {(set & 1) != 0, (set & 2) != 0, (set & 4) != 0});
    if (*std::min_element(w.begin(), w.end()) < 0) continue;
    double error = 0;
    for (size_t k = 0; k < x.size(); ++k) error += std::pow(dot(w, x[k]) - ms[k], 2);
    if (error < least) least = error, best = w;
  }
  return best;
}

}  // namespace

Result<RivalPlan> ulayer_plan(const Graph& graph, const RivalPair& pair, const std::vector<Shape>& shapes,
                              const ChannelTimes& times, RivalForm form) {
  const std::vector<Unit> units = units_of(graph);
  if (times.ms.size() != units.size() || times.parts.empty() || times.parts.front() != 0 ||
      times.parts.back() != 1)
    return internal_error("uLayer's times are those of another network");
  // By processor: the first does all at part 1, the second at part 0.
  std::array<Features, 2> weights;
  for (size_t p = 0; p < 2; ++p) {
    std::vector<Features> x;
    std::vector<double> y;
    for (size_t u = 0; u < units.size(); ++u) {
      x.push_back(features_of(graph, units[u], shapes, 1));
      y.push_back(p == 0 ? times.ms[u].back() : times.ms[u].front());
    }
    weights[p] = fit_times(x, y);
  }
  RivalPlan made;
  made.plan.graph_sha256 = graph.sha256;
  for (size_t u = 0; u < units.size(); ++u) {
    double best = std::numeric_limits<double>::infinity(), part = 1;
    if (form == RivalForm::strong) {
      for (size_t i = 0; i < times.parts.size(); ++i)
        if (times.ms[u][i] < best) best = times.ms[u][i], part = times.parts[i];
    } else {
      for (const double ratio : kRatios) {
        const double first = dot(weights[0], features_of(graph, units[u], shapes, ratio)),
                     second = dot(weights[1], features_of(graph, units[u], shapes, 1 - ratio));
        const double ms = pair.at_once ? std::max(first, second) : first + second;
        if (ms < best) best = ms, part = ratio;
      }
    }
    made.ms += best;
    PlanStep step{.units = {units[u].name}, .processor = {}, .reason = fmt::format("{:.3f} ms", best)};
    step.sharing =
        Sharing{.by = Sharing::By::channels, .shares = {{pair.first, part}, {pair.second, 1 - part}}};
    // Neighbours cut alike stay one step.
    PlanStep* last = made.plan.steps.empty() ? nullptr : &made.plan.steps.back();
    if (last && placement_text(*last) == placement_text(step))
      last->units.push_back(units[u].name);
    else
      made.plan.steps.push_back(std::move(step));
  }
  made.plan.ms = made.ms;
  return made;
}

}  // namespace fye

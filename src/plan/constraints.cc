// Tested by plan/constraints_test.cc.
#include "plan/constraints.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

namespace fye {
namespace {

template <class List, class Name>
std::string some_of(const List& list, const Name& name) {
  constexpr size_t kMost = 12;
  std::string text;
  for (size_t i = 0; i < std::min(list.size(), kMost); ++i) text += (i ? ", " : "") + name(list[i]);
  return list.size() > kMost ? fmt::format("{} and {} more", text, list.size() - kMost) : text;
}

class Placing {
 public:
  explicit Placing(const PlanProblem& problem)
      : problem_(problem), at_(problem.units.size(), -1), why_(problem.units.size()) {}

  Result<int> processor(const std::string& option, const std::string& name) const {
    const auto found = std::find(problem_.processors.begin(), problem_.processors.end(), name);
    if (found != problem_.processors.end()) return int(found - problem_.processors.begin());
    return usage_error(fmt::format("{}: there are no times on {}", option, name),
                       "there are: " + some_of(problem_.processors, [](const std::string& p) { return p; }));
  }

  Status put(const std::string& option, size_t unit, int processor) {
    if (at_[unit] >= 0 && at_[unit] != processor)
      return usage_error(fmt::format("{} and {} contradict each other on unit \"{}\"", why_[unit], option,
                                     problem_.units[unit].name));
    at_[unit] = processor;
    why_[unit] = option;
    return {};
  }

  std::string units() const {
    return "its units are: " +
           some_of(problem_.units, [](const PlanProblem::Unit& unit) { return unit.name; });
  }

  std::vector<std::vector<bool>> allowed() const {
    if (std::all_of(at_.begin(), at_.end(), [](int p) { return p < 0; })) return {};
    std::vector<std::vector<bool>> allowed;
    for (const int p : at_) {
      allowed.emplace_back(problem_.processors.size(), p < 0);
      if (p >= 0) allowed.back()[size_t(p)] = true;
    }
    return allowed;
  }

 private:
  const PlanProblem& problem_;
  std::vector<int> at_;
  std::vector<std::string> why_;
};

}  // namespace

Result<PlanConstraints> constraints_of(const PlanProblem& problem, std::span<const std::string> on,
                                       std::span<const std::string> keep_f32, int max_switches) {
  Placing placing(problem);
  for (const std::string& text : on) {
    const std::string option = "--on " + text;
    // Unit names may contain '=', processors' names don't.
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
      return usage_error(fmt::format("{}: can't be read", option), "write it like --on conv1=cpu.f32");
    const std::string name = text.substr(0, equals);
    const auto unit = std::find_if(problem.units.begin(), problem.units.end(),
                                   [&](const PlanProblem::Unit& u) { return u.name == name; });
    if (unit == problem.units.end())
      return usage_error(fmt::format("{}: the network has no unit \"{}\"", option, name), placing.units());
    const auto processor = placing.processor(option, text.substr(equals + 1));
    if (!processor) return processor.error();
    if (std::isinf(unit->ms[size_t(*processor)]))
      return usage_error(
          fmt::format("{}: {} can't run this unit", option, problem.processors[size_t(*processor)]));
    if (auto status = placing.put(option, size_t(unit - problem.units.begin()), *processor); !status)
      return status.error();
  }
  for (const std::string& glob : keep_f32) {
    const std::string option = "--keep-f32 " + glob;
    const auto processor = placing.processor(option, "cpu.f32");
    if (!processor) return processor.error();
    bool any = false;
    for (size_t u = 0; u < problem.units.size(); ++u) {
      if (fnmatch(glob.c_str(), problem.units[u].name.c_str(), 0) != 0) continue;
      any = true;
      if (auto status = placing.put(option, u, *processor); !status) return status.error();
    }
    if (!any) return usage_error(fmt::format("{}: no unit has such a name", option), placing.units());
  }
  return PlanConstraints{.allowed = placing.allowed(), .max_switches = max_switches, .max_mj = {}};
}

}  // namespace fye

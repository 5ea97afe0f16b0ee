// Tested by plan/cores_test.cc.
#include "plan/cores.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace fye {
namespace {

template <class Value>
void copy_entry(std::map<std::string, Value>& all, const std::string& from, const std::string& to) {
  if (const auto found = all.find(from); found != all.end()) all[to] = Value(found->second);
}

}  // namespace

Status add_cores(std::span<const Processor* const> processors, Profile& profile, Losses* losses) {
  for (const Processor* processor : processors) {
    if (processor->core() < 0) continue;
    const std::string name(processor->name()), base = name.substr(0, name.find('@'));
    if (profile.machine.threads != 1)
      return bad_input(
          fmt::format("{} is one core, and the profile is of {} threads", name, profile.machine.threads),
          "fye profile MODEL --threads 1, then --threads 1 here too");
    auto& known = profile.processors;
    if (std::find(known.begin(), known.end(), base) == known.end() ||
        std::find(known.begin(), known.end(), name) != known.end())
      continue;
    known.push_back(name);
    for (UnitTimes& unit : profile.units) copy_entry(unit.on, base, name);
    copy_entry(profile.whole, base, name);
    copy_entry(profile.chain, base, name);
    copy_entry(profile.watts, base, name);
    if (losses)
      for (UnitLoss& unit : losses->units) copy_entry(unit.on, base, name);
  }
  return {};
}

}  // namespace fye

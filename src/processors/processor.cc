#include "processors/processor.h"

#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "base/threads.h"
#include "processors/cpu.h"
#include "processors/null.h"
#include "processors/pinned.h"

namespace fye {
namespace {

struct Set {
  std::vector<std::unique_ptr<Processor>> owned;
  std::vector<const Processor*> all;
  std::map<std::string, std::unique_ptr<Processor>, std::less<>> pinned;  // those asked for

  explicit Set(Isa max) {
    owned.push_back(make_cpu(Numbers::f32, max));
    owned.push_back(make_cpu(Numbers::int8, max));
    owned.push_back(make_cpu(Numbers::int8r16, max));
    // bf16 without hardware for it would be slower and less exact than float; its reference is still tested.
    if (may_use(Isa::amx, max) || (may_use(Isa::avx512, max) && machine_has_avx512_bf16()))
      owned.push_back(make_cpu(Numbers::bf16, max));
    owned.push_back(make_null());
    for (const auto& each : owned) all.push_back(each.get());
  }
};

std::mutex mutex;

// Under the mutex.
Set& set_of(Isa max) {
  static std::array<std::unique_ptr<Set>, std::size(kAllIsas)> sets;
  auto& set = sets[static_cast<size_t>(max)];
  if (!set) set = std::make_unique<Set>(max);
  return *set;
}

constexpr std::string_view kCore = "@core";

// "cpu.f32" and 1 of "cpu.f32@core1"; nothing where what follows is no number, written as we write it.
std::optional<std::pair<std::string_view, int>> split_core(std::string_view name) {
  const size_t at = name.find(kCore);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = name.substr(at + kCore.size());
  int core = -1;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), core);
  if (problem != std::errc() || end != digits.data() + digits.size() || std::to_string(core) != digits)
    return std::nullopt;
  return std::pair{name.substr(0, at), core};
}

}  // namespace

std::span<const Processor* const> processors(Isa max) {
  std::lock_guard lock(mutex);
  return set_of(max).all;
}

Result<const Processor*> find_processor(std::string_view name, Isa max) {
  std::lock_guard lock(mutex);
  Set& set = set_of(max);
  const auto core = split_core(name);
  std::string there;
  for (const Processor* each : set.all) {
    if (each->name() == name) return each;
    there += fmt::format("{}{}", there.empty() ? "" : ", ", each->name());
    if (!core || each->name() != core->first || each->name() == "null") continue;
    if (core->second < 0 || core->second >= available_cores())
      return bad_input(fmt::format("no processor \"{}\": this process may use {} cores", name, available_cores()),
                       fmt::format("the first is {}@core0", core->first));
    auto& mine = set.pinned[std::string(name)];
    if (!mine) mine = make_pinned(*each, core->second);
    return static_cast<const Processor*>(mine.get());
  }
  return bad_input(fmt::format("no processor \"{}\" on this machine", name), "there are: " + there);
}

}  // namespace fye

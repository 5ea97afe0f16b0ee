#include "processors/processor.h"

#include <array>
#include <mutex>

#include <fmt/format.h>

#include "processors/cpu.h"
#include "processors/null.h"

namespace fye {
namespace {

struct Set {
  std::vector<std::unique_ptr<Processor>> owned;
  std::vector<const Processor*> all;

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

}  // namespace

std::span<const Processor* const> processors(Isa max) {
  static std::mutex mutex;
  static std::array<std::unique_ptr<Set>, std::size(kAllIsas)> sets;
  std::lock_guard lock(mutex);
  auto& set = sets[static_cast<size_t>(max)];
  if (!set) set = std::make_unique<Set>(max);
  return set->all;
}

Result<const Processor*> find_processor(std::string_view name, Isa max) {
  std::string there;
  for (const Processor* each : processors(max)) {
    if (each->name() == name) return each;
    there += fmt::format("{}{}", there.empty() ? "" : ", ", each->name());
  }
  return bad_input(fmt::format("no processor \"{}\" on this machine", name), "there are: " + there);
}

}  // namespace fye

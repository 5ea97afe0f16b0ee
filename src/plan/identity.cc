#include "plan/identity.h"

namespace fye {

Json json_of(const MachineId& machine) {
  return {{"cpu", machine.cpu}, {"isa", machine.isa}, {"build", machine.build}, {"threads", machine.threads}};
}

Result<MachineId> read_machine(const FieldReader& in) {
  const auto json = in.object("machine");
  if (!json) return json.error();
  const FieldReader fields = in.inner("machine", **json);
  MachineId id;
  for (const auto& [key, field] :
       {std::pair{"cpu", &id.cpu}, std::pair{"isa", &id.isa}, std::pair{"build", &id.build}}) {
    auto text = fields.text(key);
    if (!text) return text.error();
    *field = *std::move(text);
  }
  const auto threads = fields.whole("threads", 1, 1 << 16);
  if (!threads) return threads.error();
  id.threads = *threads;
  return id;
}

}  // namespace fye

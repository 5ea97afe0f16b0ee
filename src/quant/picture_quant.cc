#include "quant/picture_quant.h"

#include <fmt/format.h>

namespace fye {

Result<std::optional<Quant>> picture_quant(const Graph& graph) {
  const auto found = graph.metadata.find("fye.range");
  if (found == graph.metadata.end()) return std::optional<Quant>();
  const std::string& range = found->second;
  if (range == "0..255") return std::optional(Quant{1, 0});
  if (range == "0..1") return std::optional(Quant{1.0f / 255, 0});
  // The float below 2 / 255, so that -1 divided by it rounds to -128, which is level 0; with the nearest it
  // would be level 1.
  if (range == "-1..1") return std::optional(Quant{0x1.010100p-7f, 128});
  return bad_input(fmt::format("the model's fye.range is \"{}\"", range), "fye knows 0..255, 0..1 and -1..1");
}

}  // namespace fye

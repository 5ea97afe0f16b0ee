// Tested by runtime/guard_test.cc.
#include "runtime/recompute.h"

#include <algorithm>
#include <cstring>

#include "runtime/network.h"
#include "runtime/suspects.h"

namespace fye {
namespace {

Picture crop(const PixelRows& rows, const Region& r) {
  Picture picture(r.w, r.h, rows.channels, rows.bits);
  const size_t pixel = size_t(rows.channels) * size_t(rows.bits / 8);
  for (int y = 0; y < r.h; ++y)
    std::memcpy(picture.bytes.data() + size_t(y) * size_t(r.w) * pixel,
                rows.row(r.y + y) + size_t(r.x) * pixel, size_t(r.w) * pixel);
  return picture;
}

// The part of `map` that lies in `wanted`.
bool finite_in(const Map& map, const Region& wanted) {
  const int top = std::max(map.region.y, wanted.y), left = std::max(map.region.x, wanted.x);
  const int bottom = std::min(map.region.y + map.region.h, wanted.y + wanted.h);
  const int right = std::min(map.region.x + map.region.w, wanted.x + wanted.w);
  return bottom <= top || right <= left || all_finite(part_of(map, {top, left, bottom - top, right - left}));
}

}  // namespace

Region Recompute::around(const Region& part) const {
  const int top = std::max(0, part.y - before), left = std::max(0, part.x - before);
  return {top, left, std::min(height, part.y + part.h + behind) - top,
          std::min(width, part.x + part.w + behind) - left};
}

Result<Recomputed> Recompute::run(const PixelRows& in, const Region& part,
                                  std::span<const Processor* const> placement, Isa max,
                                  const Observer* tamper) const {
  Recomputed again{.picture = {}, .from = around(part)};
  const Region& from = again.from;
  const int scale = model->conventions.scale;
  const Picture picture = crop(in, from);
  auto network = Network::prepare(*model, placement,
                                  {.height = from.h, .width = from.w, .band = kUsualBand, .max = max});
  if (!network) return network.error();
  again.picture = Picture(from.w * scale, from.h * scale, in.channels, in.bits);
  const int last = model->graph.producer(model->graph.outputs[0]);
  const Region wanted{(part.y - from.y) * scale, (part.x - from.x) * scale, part.h * scale, part.w * scale};
  const Observer watch = [&](int node, const Map& map) {
    if (tamper) (*tamper)(node, map);
    if (all_finite(map)) return;
    if (again.first_bad == kNone) again.first_bad = node;
    if (node == last) again.finite &= finite_in(map, wanted);
  };
  if (auto ok = network->run(picture, again.picture, *threads, &watch); !ok) return ok.error();
  return again;
}

}  // namespace fye

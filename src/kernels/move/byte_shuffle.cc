#include "kernels/move/byte_shuffle.h"

#include <algorithm>

namespace fye {

int ByteShuffle::reach() const {
  int most = 0;
  for (int k = 0; k < loads; ++k) most = std::max(most, load[k].offset + 16);
  return most;
}

std::optional<ByteShuffle> plan_shuffle(std::span<const int> source, uint8_t gap) {
  ByteShuffle shuffle;
  bool done[16] = {};
  for (size_t i = 0; i < source.size(); ++i)
    if (source[i] < 0) {
      shuffle.fill[i] = gap;
      done[i] = true;
    }
  for (;;) {  // a load at the first byte still missing, for all it reaches
    int first = -1;
    for (size_t i = 0; i < source.size(); ++i)
      if (!done[i] && (first < 0 || source[i] < first)) first = source[i];
    if (first < 0 && shuffle.loads > 0) return shuffle;
    first = std::max(first, 0);  // nothing but gap: one load that gives nothing
    if (shuffle.loads == ByteShuffle::kMaxLoads) return {};
    ByteShuffle::Load& load = shuffle.load[shuffle.loads++];
    load.offset = first;
    std::fill_n(load.pick, 16, uint8_t{0x80});
    for (size_t i = 0; i < source.size(); ++i)
      if (!done[i] && source[i] < first + 16) {
        load.pick[i] = uint8_t(source[i] - first);
        done[i] = true;
      }
  }
}

}  // namespace fye

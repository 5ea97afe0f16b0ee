// The ncnn layers that fye imports: one row a type.
#pragma once

#include <span>
#include <string_view>

#include "import/ncnn/layer_reader.h"

namespace fye {

// A row's function makes nodes or other names; failures stick to the reader. Numbers and their defaults are
// those of ncnn's "operation param weight table" (its wiki), arithmetic as its plain C++ layers.
struct NcnnRow {
  std::string_view type;
  void (*read)(LayerReader&);
};
std::span<const NcnnRow> ncnn_table();

// Channels that the layer's weights ask of its input; 0 if they don't say.
int64_t channels_wanted(const NcnnLayer& layer);

}  // namespace fye

// Table: any function of one u8 element as 256 bytes, one table for the map or one for each channel.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "kernels/node_problem.h"

namespace fye {

using ByteTable = std::array<uint8_t, 256>;

// table[q] = sat(rne(f(s_in (q - z_in)) / s_out) + z_out), all in float32.
ByteTable byte_table(Quant in, Quant out, const std::function<float(float)>& f);

// The kernel that applies one table (size 1) or a table a channel.
std::unique_ptr<Kernel> table_kernel(std::vector<ByteTable> tables);

}  // namespace fye

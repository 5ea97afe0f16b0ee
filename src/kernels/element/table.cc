#include "kernels/element/table.h"

namespace fye {
namespace {

class TableKernel : public Kernel {
 public:
  explicit TableKernel(std::vector<ByteTable> tables) : tables_(std::move(tables)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    for (int y = y0; y < y1; ++y) {
      const uint8_t* src = in[0].at<uint8_t>(y, out.region.x);
      uint8_t* dst = out.at<uint8_t>(y, out.region.x);
      for (int x = 0; x < out.region.w; ++x, src += in[0].pitch, dst += out.pitch) {
        if (tables_.size() == 1) {
          const ByteTable& table = tables_[0];
          for (int c = 0; c < out.channels; ++c) dst[c] = table[src[c]];
        } else {
          for (int c = 0; c < out.channels; ++c) dst[c] = tables_[size_t(c)][src[c]];
        }
      }
      fill_gap<uint8_t>(out, y);
    }
  }
  std::string_view variant() const override { return "table"; }

 private:
  std::vector<ByteTable> tables_;
};

}  // namespace

ByteTable byte_table(Quant in, Quant out, const std::function<float(float)>& f) {
  ByteTable table;
  for (int q = 0; q < 256; ++q) table[size_t(q)] = uint8_t(quantise(f(dequantise(q, in)), out, 255));
  return table;
}

std::unique_ptr<Kernel> table_kernel(std::vector<ByteTable> tables) {
  return std::make_unique<TableKernel>(std::move(tables));
}

}  // namespace fye

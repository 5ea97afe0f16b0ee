#include "kernels/conv/direct.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/buffer.h"
#include "kernels/conv/activation.h"
#include "kernels/conv/pack.h"

namespace fye {
namespace {

bool is_curve(const Activation& act) {
  return act.kind == Activation::Kind::tanh || act.kind == Activation::Kind::sigmoid;
}

// Pixels of a row without the gaps between them.
void squeeze(const std::byte* from, ptrdiff_t pitch, int channels, int count, std::byte* to) {
  if (channels == 1 && pitch == 4) {  // a constant stride, which the compiler turns into vectors
    for (int x = 0; x < count; ++x) to[x] = from[4 * x];
    return;
  }
  for (int x = 0; x < count; ++x, from += pitch)
    for (int c = 0; c < channels; ++c) *to++ = from[c];
}

// Output rows that share squeezed input rows: few enough for the second-level cache, many enough that rows
// which two parts need are no burden.
constexpr int kDenseRows = 16;

std::byte* dense_scratch(size_t bytes) {
  thread_local Buffer buffer;
  if (buffer.size() < bytes) buffer = Buffer(bytes);
  return buffer.data();
}

class DirectKernel : public Kernel {
 public:
  DirectKernel(const ConvProblem& problem, const DirectCode& code)
      : p_(problem),
        code_(code),
        dense_(prefers_dense(problem, code)),
        pack_(dense_           ? pack_dense(problem, code)
              : code.otherwise ? pack_tiles(problem, code)
                               : pack_direct(problem, code)) {
    if (code.otherwise) otherwise_ = std::make_unique<DirectKernel>(problem, *code.otherwise);
    if (prefers_narrow(problem, code)) narrow_ = pack_narrow(problem, code);
    for (auto* unused : {&p_.weight, &p_.bias}) std::vector<float>().swap(*unused);
    std::vector<int8_t>().swap(p_.weight_q);
  }

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    if (dense_) return dense_rows(in, out, y0, y1);
    const ptrdiff_t in_pitch = ptrdiff_t(in[0].pitch) * size_of(in[0].type);
    DirectRow row;
    row.in_row = p_.dilation_h * in[0].row_bytes;
    row.in_tap = p_.dilation_w * in_pitch;
    row.in_pixel = p_.stride_w * in_pitch;
    const bool contiguous = row.in_tap == ptrdiff_t(pack_.groups) * 4;
    row.runs = contiguous ? 1 : p_.kernel_w;
    row.groups = contiguous ? p_.kernel_w * pack_.groups : pack_.groups;
    if (otherwise_ && !contiguous) return otherwise_->rows(in, out, y0, y1);
    const bool narrow = narrow_ && contiguous;
    compute(narrow ? *narrow_ : pack_, narrow ? code_.narrow : code_.row, row, in, out, y0, y1, [&](int y) {
      return pixel_at(in[0], y * p_.stride_h - p_.pad_top, out.region.x * p_.stride_w - p_.pad_left);
    });
  }
  std::string_view variant() const override { return code_.name; }

 private:
  // Rows [y0, y1); row: what concerns the input, but for its pointer, which `first` gives for an output row:
  // the pixel under tap (0, 0) of its first output pixel.
  void compute(const DirectPack& pack, DirectRowFn code, DirectRow row, std::span<const Map> in,
               const Map& out, int y0, int y1, const auto& first) const {
    row.kernel_h = p_.kernel_h;
    set_output(row, out, p_.residual ? &in[1] : nullptr, pack.blocks.back(), code_.lanes);
    std::vector<ptrdiff_t> rest_offsets;
    for (const RestGroup& rest : pack.rest)
      rest_offsets.push_back(rest.ky * row.in_row + rest.kx * row.in_tap + rest.offset);
    row.rest_offsets = rest_offsets.data();
    if (code_.enter) code_.enter(row.width);
    for (int y = y0; y < y1; ++y) {
      row.in = first(y);
      row.out = pixel_at(out, y, out.region.x);
      if (p_.residual) row.residual = pixel_at(in[1], y, out.region.x);
      for (const DirectBlock& block : pack.blocks) code(row, block, pack.epilogue);
      if (is_curve(p_.act) || is_curve(p_.post)) bend(row);
      zero_gap(row, out);
    }
    if (code_.leave) code_.leave();
  }

  void dense_rows(std::span<const Map> in, const Map& out, int y0, int y1) const {
    const int count = (out.region.w - 1) * p_.stride_w + p_.kernel_w,
              reach = (p_.kernel_h - 1) * p_.dilation_h + 1;
    const int left = out.region.x * p_.stride_w - p_.pad_left;
    // Groups are read whole, past the last pixel too.
    const ptrdiff_t line = ptrdiff_t(count) * p_.in_channels + 4;
    const DirectRow row{.in_row = p_.dilation_h * line,
                        .in_pixel = ptrdiff_t(p_.stride_w) * p_.in_channels,
                        .runs = 1,
                        .groups = pack_.groups};
    for (int from = y0; from < y1; from += kDenseRows) {
      const int to = std::min(from + kDenseRows, y1), lines = (to - from - 1) * p_.stride_h + reach;
      std::byte* lowest = dense_scratch(size_t(line) * lines);
      for (int i = 0; i < lines; ++i)
        squeeze(pixel_at(in[0], from * p_.stride_h - p_.pad_top + i, left), in[0].pitch, p_.in_channels,
                count, lowest + i * line);
      compute(pack_, code_.row, row, in, out, from, to,
              [&](int y) { return lowest + (y - from) * p_.stride_h * line; });
    }
  }

  // Curves, which are too rare to be worth vectors.
  void bend(const DirectRow& row) const {
    const Activation& curve = is_curve(p_.act) ? p_.act : p_.post;
    for (int x = 0; x < row.width; ++x) {
      float* to = reinterpret_cast<float*>(row.out + x * row.out_pixel);
      for (int c = 0; c < p_.out_channels; ++c) to[c] = activate(curve, to[c], c);
    }
  }

  ConvProblem p_;  // without its weights
  const DirectCode& code_;
  bool dense_;  // input rows are squeezed first
  DirectPack pack_;
  std::unique_ptr<Kernel> otherwise_;
  std::optional<DirectPack> narrow_;  // where it is faster; needs contiguous kernel rows
};

}  // namespace

void set_output(DirectRow& row, const Map& out, const Map* residual, const DirectBlock& last, int lanes) {
  row.out_pixel = ptrdiff_t(out.pitch) * size_of(out.type);
  row.width = out.region.w;
  const ptrdiff_t vectors = ptrdiff_t(last.vectors) * lanes * size_of(out.type);
  row.spill = last.first == 0 && vectors <= 2 * row.out_pixel;
  row.gap = std::min(out.pitch - out.channels, last.vectors * lanes - last.channels);
  if (residual) row.residual_pixel = ptrdiff_t(residual->pitch) * size_of(residual->type);
}

void zero_gap(const DirectRow& row, const Map& out) {
  const ptrdiff_t used = ptrdiff_t(out.channels + row.gap) * size_of(out.type);
  if (row.out_pixel == used) return;
  for (int x = 0; x < row.width; ++x)
    std::memset(row.out + x * row.out_pixel + used, 0, size_t(row.out_pixel - used));
}

std::string_view direct_refuses_f32(const ConvProblem& p) {
  if (is_curve(p.act) && (p.residual || p.post.kind != Activation::Kind::none))
    return "tanh and sigmoid are computed last";
  return {};
}

std::string_view direct_refuses_bf16(const ConvProblem& p) {
  if (is_curve(p.act) || is_curve(p.post)) return "tanh and sigmoid would be rounded twice";
  return {};
}

std::unique_ptr<Kernel> prepare_direct(const ConvProblem& problem, const DirectCode& code) {
  return std::make_unique<DirectKernel>(problem, code);
}

}  // namespace fye

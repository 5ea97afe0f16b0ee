#include "kernels/conv/pack.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "kernels/conv/requant.h"
#include "kernels/convert/number.h"

namespace fye {
namespace {

constexpr int kGroupBytes = 4;
constexpr int kPairLimit = 128;

int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Channels before convolution group g's first one in its first 32-bit group, which get zero weights: bf16
// pixels are read by whole groups from their start, because past the last channel a NaN could lie. Bytes
// can't be NaN and are read as they lie.
int lead_of(int in_per_group, Numbers numbers, int g) {
  return numbers == Numbers::bf16 ? g * in_per_group % 2 : 0;
}

using Group = std::array<std::byte, kGroupBytes>;

// The 4 bytes of weights of output channel c, tap (ky, kx), group g; zeros where there is no input channel.
Group group_weights(const ConvProblem& p, Numbers numbers, int c, int ky, int kx, int g) {
  const int in_group = kGroupBytes / size_of(storage(numbers)), inputs = p.in_channels / p.group;
  const int lead = lead_of(inputs, numbers, c / (p.out_channels / p.group));
  uint32_t bits = 0;
  for (int j = 0; j < in_group; ++j) {
    const int i = g * in_group + j - lead;
    if (i < 0 || i >= inputs) continue;
    const size_t index = ((size_t(c) * inputs + i) * p.kernel_h + ky) * p.kernel_w + kx;
    if (numbers == Numbers::f32) bits = std::bit_cast<uint32_t>(p.weight[index]);
    if (numbers == Numbers::bf16) bits |= uint32_t(to_bf16(p.weight[index]).bits) << 16 * j;
    if (numbers == Numbers::int8) bits |= uint32_t(uint8_t(p.weight_q[index])) << 8 * j;
  }
  return std::bit_cast<Group>(bits);
}

using Bytes = std::array<int8_t, kGroupBytes>;
using Rest = std::array<int16_t, kGroupBytes / 2>;

// Shrinks the even weight of each pair until the pair is safe; returns what was taken away. Only weights of
// one sign add up: u8 inputs have none.
Rest split_pairs(Bytes& w) {
  Rest rest{};
  for (int even = 0; even < kGroupBytes; even += 2) {
    if ((w[even] < 0) != (w[even + 1] < 0)) continue;
    const int excess = std::abs(w[even] + w[even + 1]) - kPairLimit;
    if (excess <= 0) continue;
    rest[even / 2] =
        int16_t(w[even] < 0 ? -excess : excess);  // at most |w[even]|, since |w[even + 1]| <= 128
    w[even] = int8_t(w[even] - rest[even / 2]);
  }
  return rest;
}

// One vector of packed weights; `rest` is what split_pairs took away, if anything.
struct PackedVector {
  std::vector<Group> weights;
  std::vector<Rest> rest;
  bool has_rest = false;
};
PackedVector pack_vector(const DirectCode& code, auto group_of_lane) {
  PackedVector packed;
  for (int lane = 0; lane < code.lanes; ++lane) {
    auto bytes = std::bit_cast<Bytes>(group_of_lane(lane));
    packed.rest.push_back(code.split_pairs ? split_pairs(bytes) : Rest{});
    packed.has_rest = packed.has_rest || packed.rest.back() != Rest{};
    packed.weights.push_back(std::bit_cast<Group>(bytes));
  }
  return packed;
}

template <class T>
Buffer buffer_of(const std::vector<T>& values) {
  Buffer buffer(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(buffer.data(), values.data(), buffer.size());
  return buffer;
}

// Takes vectors in the order that the kernels stream them, and their rests apart, by block and vector of the
// block.
class WeightStream {
 public:
  void open_block() { blocks_.push_back({.first = weights_.size()}); }
  void add(const PackedVector& packed, int v, RestGroup where) {
    weights_.insert(weights_.end(), packed.weights.begin(), packed.weights.end());
    if (!packed.has_rest) return;
    blocks_.back().where[v].push_back(where);
    blocks_.back().rests[v].insert(blocks_.back().rests[v].end(), packed.rest.begin(), packed.rest.end());
  }
  // Moves everything into `pack`, whose blocks are those opened, and sets their pointers.
  void close(DirectPack& pack) {
    std::vector<Rest> all_rests;
    std::vector<std::array<size_t, kMaxVectors>> first_rest;
    for (size_t b = 0; b < blocks_.size(); ++b) {
      first_rest.emplace_back();
      for (int v = 0; v < kMaxVectors; ++v) {
        const auto& where = blocks_[b].where[v];
        const auto& rests = blocks_[b].rests[v];
        pack.blocks[b].rest_first[v] = int(pack.rest.size());
        pack.blocks[b].rest_count[v] = int(where.size());
        first_rest[b][v] = all_rests.size();
        pack.rest.insert(pack.rest.end(), where.begin(), where.end());
        all_rests.insert(all_rests.end(), rests.begin(), rests.end());
      }
    }
    pack.weights = buffer_of(weights_);
    pack.rest_weights = buffer_of(all_rests);
    for (size_t b = 0; b < blocks_.size(); ++b) {
      pack.blocks[b].weights = pack.weights.data() + blocks_[b].first * sizeof(Group);
      for (int v = 0; v < kMaxVectors; ++v)
        pack.blocks[b].rest_weights[v] = pack.rest_weights.data() + first_rest[b][v] * sizeof(Rest);
    }
  }

 private:
  struct Block {
    size_t first = 0;  // of its weights
    std::array<std::vector<RestGroup>, kMaxVectors> where;
    std::array<std::vector<Rest>, kMaxVectors> rests;
  };
  std::vector<Group> weights_;
  std::vector<Block> blocks_;
};

int groups_of(const ConvProblem& p, Numbers numbers) {
  return ceil_div(p.in_channels / p.group * size_of(storage(numbers)), kGroupBytes);
}

struct Bounds {
  float lo = -std::numeric_limits<float>::infinity(), hi = std::numeric_limits<float>::infinity();
};
Bounds bounds_of(const Activation& act) {
  Bounds b;
  if (act.kind == Activation::Kind::relu) b.lo = 0;
  if (act.kind == Activation::Kind::clip) b = {act.lo, act.hi};
  return b;
}

// The activation's slope for channel c; 1 if it has none.
float slope_of(const Activation& act, int c) {
  if (act.kind != Activation::Kind::leaky_relu && act.kind != Activation::Kind::prelu) return 1;
  return act.slope[act.slope.size() == 1 ? 0 : c];
}

void pack_float_epilogue(const ConvProblem& p, DirectPack& pack) {
  DirectEpilogue& e = pack.epilogue;
  const auto sloped = [](const Activation& act) {
    return act.kind == Activation::Kind::leaky_relu || act.kind == Activation::Kind::prelu;
  };
  if (sloped(p.act)) e.slope = pack.slope.data();
  if (sloped(p.post)) e.post_slope = pack.post_slope.data();
  const Bounds act = bounds_of(p.act), post = bounds_of(p.post);
  e.lo = act.lo;
  e.hi = act.hi;
  e.post_lo = post.lo;
  e.post_hi = post.hi;
}

void pack_int8_epilogue(const Requant& r, DirectPack& pack) {
  DirectEpilogue& e = pack.epilogue;
  e.positive = pack.positive.data();
  e.negative = pack.negative.data();
  e.has_slope = r.has_slope;
  e.bounded = r.bounded;
  e.b = r.b;
  e.z = r.z;
  e.z_res = r.z_res;
  e.q_lo = r.lo;
  e.upper = pack.upper.as<uint8_t>();
  if (!pack.upper16.empty()) {
    e.lower16 = pack.lower16.data();
    e.upper16 = pack.upper16.data();
  }
}

void pack_epilogue(const ConvProblem& p, const DirectCode& code, DirectPack& pack) {
  const DirectBlock& last = pack.blocks.back();
  const size_t slots = size_t(last.slot) + size_t(last.vectors) * code.lanes;
  const bool int8 = code.numbers == Numbers::int8;
  Requant requant;
  std::vector<int32_t> starts;
  if (int8) {
    requant = requant_of(p);
    starts = accumulator_start(p);
  }
  pack.start = Buffer(slots * 4);
  pack.upper = Buffer(slots);
  for (auto* array : {&pack.slope, &pack.post_slope, &pack.positive, &pack.negative}) array->assign(slots, 0);
  pack.residual_index.assign(slots, 0);
  if (p.wide)
    for (auto* bounds : {&pack.lower16, &pack.upper16}) bounds->assign(slots, 0);
  for (const DirectBlock& block : pack.blocks)
    for (int i = 0; i < block.channels; ++i) {
      const int slot = block.slot + i, c = block.first + i;
      pack.residual_index[slot] = residual_channel(p, c);
      if (int8) {
        pack.start.as<int32_t>()[slot] = starts[c];
        if (p.wide) {
          pack.lower16[size_t(slot)] = int16_t(requant.lo);
          pack.upper16[size_t(slot)] = int16_t(requant.hi);
        } else {
          pack.upper.as<uint8_t>()[slot] = uint8_t(requant.hi);
        }
        pack.positive[slot] = requant.positive[c];
        pack.negative[slot] = requant.negative[c];
      } else {
        pack.start.as<float>()[slot] = p.bias[c];
        pack.slope[slot] = slope_of(p.act, c);
        pack.post_slope[slot] = slope_of(p.post, c);
      }
    }
  DirectEpilogue& e = pack.epilogue;
  e.start = pack.start.data();
  e.residual_index = pack.residual_index.data();
  if (p.residual) {
    const int channels = p.out_channels / p.residual_repeat;
    e.residual = p.residual_repeat == 1   ? ResidualKind::plain
                 : channels <= code.lanes ? ResidualKind::repeated
                                          : ResidualKind::gathered;
  }
  if (int8)
    pack_int8_epilogue(requant, pack);
  else
    pack_float_epilogue(p, pack);
}

// Weights [kernel_h][kernel_w * groups, padded to a multiple of `pad`][vectors][lanes].
DirectPack pack_by_rows(const ConvProblem& p, const DirectCode& code, int pad) {
  DirectPack pack;
  pack.groups = groups_of(p, code.numbers);
  pack.blocks = cut_blocks(p, code);
  const int in_row = p.kernel_w * pack.groups;
  WeightStream stream;
  for (DirectBlock& block : pack.blocks) {
    stream.open_block();
    for (int ky = 0; ky < p.kernel_h; ++ky)
      for (int at = 0; at < ceil_div(in_row, pad) * pad; ++at)
        for (int v = 0; v < block.vectors; ++v) {
          const int kx = at / pack.groups, g = at % pack.groups;
          const PackedVector packed = pack_vector(code, [&](int lane) {
            const int c = v * code.lanes + lane;
            return c < block.channels && at < in_row
                       ? group_weights(p, code.numbers, block.first + c, ky, kx, g)
                       : Group{};
          });
          stream.add(packed, v, {.ky = ky, .kx = kx, .offset = g * kGroupBytes});
        }
  }
  stream.close(pack);
  pack_epilogue(p, code, pack);
  return pack;
}

}  // namespace

std::vector<DirectBlock> cut_blocks(const ConvProblem& p, const DirectCode& code) {
  const int groups = code.across_groups ? 1 : p.group;
  const int out_per_group = p.out_channels / groups, in_per_group = p.in_channels / groups;
  const int vectors = ceil_div(out_per_group, code.lanes);
  const int count = ceil_div(vectors, code.max_vectors);
  std::vector<DirectBlock> blocks;
  int slot = 0;
  for (int g = 0; g < groups; ++g)
    for (int i = 0; i < count; ++i) {
      const int v0 = vectors * i / count, v1 = vectors * (i + 1) / count;
      DirectBlock block;
      const int first = g * in_per_group - lead_of(in_per_group, code.numbers, g);
      block.in_offset = ptrdiff_t(first) * size_of(storage(code.numbers));
      block.first = g * out_per_group + v0 * code.lanes;
      block.channels = std::min(v1 * code.lanes, out_per_group) - v0 * code.lanes;
      block.vectors = v1 - v0;
      block.slot = slot;
      block.last = block.first + block.channels == p.out_channels;
      slot += block.vectors * code.lanes;
      blocks.push_back(block);
    }
  return blocks;
}

DirectPack pack_direct(const ConvProblem& p, const DirectCode& code) { return pack_by_rows(p, code, 1); }

DirectPack pack_products(const ConvProblem& p, const DirectCode& code, int elements, int groups,
                         const std::function<uint32_t(int c, int element, int group)>& weights) {
  DirectPack pack;
  pack.groups = groups;
  pack.blocks = cut_blocks(p, code);
  std::vector<uint32_t> all;
  std::vector<size_t> first;
  for (const DirectBlock& block : pack.blocks) {
    first.push_back(all.size());
    for (int e = 0; e < elements; ++e)
      for (int g = 0; g < groups; ++g)
        for (int c = 0; c < block.vectors * code.lanes; ++c)
          all.push_back(c < block.channels ? weights(block.first + c, e, g) : 0);
  }
  pack.weights = buffer_of(all);
  for (size_t b = 0; b < first.size(); ++b)
    pack.blocks[b].weights = pack.weights.data() + first[b] * sizeof(uint32_t);
  pack_epilogue(p, code, pack);
  return pack;
}

DirectPack pack_tiles(const ConvProblem& p, const DirectCode& code) { return pack_by_rows(p, code, 16); }

DirectPack pack_narrow(const ConvProblem& p, const DirectCode& code) {
  DirectPack pack;
  pack.groups = groups_of(p, code.numbers);
  pack.blocks = cut_blocks(p, code);
  const int in_row = p.kernel_w * pack.groups;
  WeightStream stream;
  for (DirectBlock& block : pack.blocks) {
    stream.open_block();
    for (int ky = 0; ky < p.kernel_h; ++ky)
      for (int first = 0; first < in_row; first += code.lanes)
        for (int o = 0; o < block.channels; ++o) {
          const PackedVector packed = pack_vector(code, [&](int lane) {
            const int at = first + lane;
            return at < in_row ? group_weights(p, code.numbers, block.first + o, ky, at / pack.groups,
                                               at % pack.groups)
                               : Group{};
          });
          stream.add(packed, o, {.ky = ky, .offset = first * kGroupBytes});
        }
  }
  stream.close(pack);
  pack_epilogue(p, code, pack);
  return pack;
}

DirectPack pack_dense(const ConvProblem& p, const DirectCode& code) {
  DirectPack pack;
  pack.groups = ceil_div(p.kernel_w * p.in_channels, kGroupBytes);
  pack.blocks = cut_blocks(p, code);
  // Bytes of a kernel row as they lie: tap after tap, its channels next to each other.
  const auto weights = [&](int c, int ky, int at) {
    Bytes bytes{};
    for (int j = 0; j < kGroupBytes; ++j) {
      const int kx = (at * kGroupBytes + j) / p.in_channels, i = (at * kGroupBytes + j) % p.in_channels;
      if (kx < p.kernel_w)
        bytes[j] = p.weight_q[((size_t(c) * p.in_channels + i) * p.kernel_h + ky) * p.kernel_w + kx];
    }
    return std::bit_cast<Group>(bytes);
  };
  WeightStream stream;
  for (DirectBlock& block : pack.blocks) {
    stream.open_block();
    for (int ky = 0; ky < p.kernel_h; ++ky)
      for (int at = 0; at < pack.groups; ++at)
        for (int v = 0; v < block.vectors; ++v) {
          const PackedVector packed = pack_vector(code, [&](int lane) {
            const int c = v * code.lanes + lane;
            return c < block.channels ? weights(block.first + c, ky, at) : Group{};
          });
          stream.add(packed, v, {.ky = ky, .offset = at * kGroupBytes});
        }
  }
  stream.close(pack);
  pack_epilogue(p, code, pack);
  return pack;
}

bool prefers_narrow(const ConvProblem& p, const DirectCode& code) {
  const int outputs = p.out_channels / p.group;
  if (!code.narrow || outputs > kMaxNarrow || p.dilation_w != 1 || p.group != 1) return false;
  const int in_row = p.kernel_w * groups_of(p, code.numbers);
  // Summing a vector's lanes takes about 4 operations.
  const int narrow = (p.kernel_h * ceil_div(in_row, code.lanes) + 4) * outputs;
  return narrow < p.kernel_h * in_row;
}

bool prefers_dense(const ConvProblem& p, const DirectCode& code) {
  if (code.numbers != Numbers::int8 || code.otherwise || p.group != 1 || p.dilation_w != 1) return false;
  if (prefers_narrow(p, code)) return false;
  const int dense = ceil_div(p.kernel_w * p.in_channels, kGroupBytes);
  return 5 * dense <= 4 * p.kernel_w * groups_of(p, code.numbers);
}

}  // namespace fye

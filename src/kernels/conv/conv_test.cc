// Every row of the table against the reference row, and the reference against naive sums written here.
#include "kernels/conv/conv.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/conv/sample.h"
#include "kernels/conv/test_variants.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

struct Case {
  ConvProblem problem;
  int h = 5, w = 17;    // of the output
  int extra_pitch = 0;  // elements beyond pitch_for
  unsigned seed = 1;
  int weight_limit = 127;
  float out_scale = 1;  // times the one that uses most levels
  bool wide = false;    // int8 with 16-bit output
};

std::vector<ConvVariant> all_variants() {
  std::vector<ConvVariant> all(conv_variants().begin(), conv_variants().end());
  for (const ConvVariant& v : conv_test_variants()) all.push_back(v);
  return all;
}

std::string why_not_here(const ConvVariant& v) {
  if (!machine_has(v.isa)) return "this machine has no " + std::string(name(v.isa));
  if (v.needs_avx512_bf16 && !machine_has_avx512_bf16()) return "this machine has no AVX512_BF16";
  return {};
}

const ConvVariant& reference_for(Numbers numbers) {
  for (const ConvVariant& v : conv_variants())
    if (v.numbers == numbers) return v;
  return conv_variants()[0];
}

// Input, residual and output geometry of a case in one number format.
struct Bench {
  ConvProblem problem;
  Numbers numbers;
  DType type, out_type;  // of the input; of output and residual
  int h, w, extra, margin;
  SampleMap in, res;

  Bench(const Case& c, Numbers n)
      : problem(c.problem),
        numbers(n),
        type(storage(n)),
        out_type(type),
        h(c.h),
        w(c.w),
        extra(c.extra_pitch) {
    std::mt19937 random(c.seed);
    fill_problem(problem, c.weight_limit, random);
    problem.out.scale *= c.out_scale;
    if (c.wide && n == Numbers::int8) {
      widen_problem(problem);
      out_type = DType::s16;
    }
    const ConvProblem& p = problem;
    const int reach_h = (p.kernel_h - 1) * p.dilation_h + 1, reach_w = (p.kernel_w - 1) * p.dilation_w + 1;
    const int span_h = (h - 1) * p.stride_h + reach_h, span_w = (w - 1) * p.stride_w + reach_w;
    const int in_h = std::max(1, span_h - 2 * p.pad_top), in_w = std::max(1, span_w - 2 * p.pad_left);
    // No wider than needed, so that a kernel that reads on meets the end of the memory.
    margin = std::max({p.pad_top, p.pad_left, span_h - p.pad_top - in_h, span_w - p.pad_left - in_w});
    in = sample_input(type, p.in, p.in_channels, in_h, in_w, margin, pitch(type, p.in_channels), random);
    const int res_channels = p.residual ? p.out_channels / p.residual_repeat : 1;
    res = sample_input(out_type, p.res, res_channels, h, w, 1, pitch(out_type, res_channels), random);
  }

  int pitch(DType of, int channels) const { return pitch_for(of, channels) + extra; }
  SampleMap output(const Region& region) const {
    return sample_map(out_type, problem.out, problem.out_channels, region, 1,
                      pitch(out_type, problem.out_channels));
  }
  SampleMap run(const ConvVariant& v) const { return run(v, {0, 0, h, w}, h); }
  // Computes `region` in row ranges of `step`.
  SampleMap run(const ConvVariant& v, const Region& region, int step) const {
    SampleMap out = output(region);
    std::unique_ptr<Kernel> kernel = v.prepare(problem);
    EXPECT_EQ(kernel->variant(), v.name);
    const Map inputs[] = {in.map, res.map};
    for (int y = region.y; y < region.y + region.h; y += step)
      kernel->rows(std::span(inputs, problem.residual ? 2 : 1), out.map, y,
                   std::min(y + step, region.y + region.h));
    return out;
  }
};

std::string describe(const Bench& b) {
  const ConvProblem& p = b.problem;
  return std::to_string(p.in_channels) + "->" + std::to_string(p.out_channels) + " k" +
         std::to_string(p.kernel_h) + "x" + std::to_string(p.kernel_w) + " s" + std::to_string(p.stride_h) +
         std::to_string(p.stride_w) + " d" + std::to_string(p.dilation_h) + std::to_string(p.dilation_w) +
         " g" + std::to_string(p.group) + " out " + std::to_string(b.h) + "x" + std::to_string(b.w) +
         " act " + std::to_string(int(p.act.kind)) + " post " + std::to_string(int(p.post.kind)) + " res " +
         std::to_string(p.residual ? p.residual_repeat : 0) + " z " + std::to_string(p.in.zero) + "," +
         std::to_string(p.out.zero) + "," + std::to_string(p.res.zero) + " extra " + std::to_string(b.extra) +
         (p.wide ? " wide" : "");
}

// sum |x * w| of an output element, for the bf16 tolerance.
double magnitude(const Bench& b, int y, int x, int c) {
  const ConvProblem& p = b.problem;
  const int per_group = p.in_channels / p.group, first = c / (p.out_channels / p.group) * per_group;
  size_t w = size_t(c) * per_group * p.kernel_h * p.kernel_w;
  double sum = 0;
  for (int i = 0; i < per_group; ++i)
    for (int ky = 0; ky < p.kernel_h; ++ky)
      for (int kx = 0; kx < p.kernel_w; ++kx, ++w)
        sum += std::abs(element(b.in.map, y * p.stride_h - p.pad_top + ky * p.dilation_h,
                                x * p.stride_w - p.pad_left + kx * p.dilation_w, first + i) *
                        p.weight[w]);
  return sum;
}

double bf16_ulp(double x) {
  return std::ldexp(1.0, std::max(-126, std::ilogb(std::max(std::abs(x), 1e-38))) - 7);
}

// Empty, or what differs: values against `want` by the format's contract, gaps zero.
std::string difference(const Bench& b, const SampleMap& got, const SampleMap& want) {
  const Region& r = got.map.region;
  double largest = 0;
  for (int y = r.y; y < r.y + r.h; ++y)
    for (int x = r.x; x < r.x + r.w; ++x)
      for (int c = 0; c < got.map.channels; ++c)
        largest = std::max(largest, std::abs(element(want.map, y, x, c)));
  for (int y = r.y; y < r.y + r.h; ++y)
    for (int x = r.x; x < r.x + r.w; ++x)
      for (int c = 0; c < got.map.pitch; ++c) {
        const std::string where =
            " at y " + std::to_string(y) + " x " + std::to_string(x) + " c " + std::to_string(c);
        const double value = element(got.map, y, x, c);
        if (c >= got.map.channels) {
          if (value != 0) return "gap not zero" + where;
          continue;
        }
        const double ref = element(want.map, y, x, c);
        double allowed = 0;
        if (b.numbers == Numbers::f32) allowed = 1e-4 * largest;
        if (b.numbers == Numbers::bf16) allowed = bf16_ulp(ref) + std::ldexp(magnitude(b, y, x, c), -20);
        if (!(std::abs(value - ref) <= allowed))
          return "got " + std::to_string(value) + ", want " + std::to_string(ref) + where;
      }
  return {};
}

// True if every byte outside the region's pixels still is 0xff.
bool surroundings_untouched(const SampleMap& s) {
  const Map& m = s.map;
  const size_t pixel = size_t(m.pitch) * size_of(m.type), row = size_t(m.row_bytes);
  for (size_t i = 0; i < s.bytes + kSlack; ++i) {
    const int y = int(i / row) - m.margin, x = int(i % row / pixel) - m.margin;
    if (y >= 0 && y < m.region.h && x >= 0 && x < m.region.w) continue;
    if (s.memory.data()[i] != std::byte(0xff)) return false;
  }
  return true;
}

bool same_bits(const Map& part, const Map& whole) {
  const Region& r = part.region;
  const size_t pixel = size_t(part.pitch) * size_of(part.type);
  for (int y = r.y; y < r.y + r.h; ++y)
    for (int x = r.x; x < r.x + r.w; ++x)
      if (std::memcmp(part.at<std::byte>(r.y, r.x) + (y - r.y) * part.row_bytes + (x - r.x) * pixel,
                      whole.origin + (y - whole.region.y) * whole.row_bytes + (x - whole.region.x) * pixel,
                      pixel))
        return false;
  return true;
}

// Empty if `v` solves the case as the contract says, in one piece and in parts; refused cases count as
// solved.
std::string trouble(const ConvVariant& v, const Case& c) {
  if (c.wide && v.numbers != Numbers::int8) return {};
  const Bench b(c, v.numbers);
  if (!v.refuses(b.problem).empty()) return {};
  const SampleMap want = b.run(reference_for(v.numbers)), got = b.run(v);
  if (std::string d = difference(b, got, want); !d.empty()) return describe(b) + ": " + d;
  if (!surroundings_untouched(got)) return describe(b) + ": wrote outside its region";
  if (!v.position_independent) return {};
  for (const Region& part : {Region{c.h / 3, c.w / 2, c.h - c.h / 3, c.w - c.w / 2},
                             Region{0, 0, c.h, (c.w + 2) / 3}, Region{c.h / 2, c.w / 4, 1, 1}}) {
    const SampleMap tile = b.run(v, part, 1);
    if (!same_bits(tile.map, got.map)) return describe(b) + ": a tile differs from the whole";
    if (!surroundings_untouched(tile)) return describe(b) + ": a tile wrote outside its region";
  }
  return {};
}

Activation relu() { return {.kind = Kind::relu}; }

// The layers that the shipped networks have, and shapes at the edges of blocks.
std::vector<Case> table_of_cases() {
  std::vector<Case> cases;
  const auto add = [&](ConvProblem p, int h, int w, auto... change) {
    p.in.zero = 128;
    p.out.zero = 3;
    p.res.zero = 128;
    Case c{.problem = std::move(p), .h = h, .w = w, .seed = unsigned(cases.size() + 1)};
    (change(c), ...);
    cases.push_back(std::move(c));
  };
  const auto with_relu = [](Case& c) { c.problem.act = relu(); };
  const auto anchored = [](Case& c) {
    c.problem.residual = true;
    c.problem.residual_repeat = c.problem.out_channels / 3;
    c.problem.post = {.kind = Kind::clip, .lo = 0, .hi = 2.5f};
  };
  const auto residual = [](Case& c) { c.problem.residual = true; };
  add(square(3, 28, 3), 4, 50, with_relu);
  add(square(28, 28, 3), 4, 50, with_relu);
  add(square(28, 27, 3), 3, 37);
  add(square(27, 27, 3), 3, 37, anchored);
  add(square(27, 12, 3), 3, 29, anchored);
  add(square(27, 48, 3), 3, 29, anchored);
  add(square(64, 64, 3), 2, 31, residual);
  add(square(3, 64, 3), 2, 31);
  add(square(64, 256, 3), 2, 13);
  add(square(64, 3, 3), 3, 40);
  add(square(1, 64, 9), 2, 20, with_relu);
  // Dense rows: more of them than are squeezed at once, strides, other pitches, the last tap's group at each fill.
  for (int stride : {1, 2})
    for (int ic : {1, 2, 3, 5})
      for (int k : {3, 5, 9})
        add(square(ic, 17, k), 19, 21, [&](Case& c) {
          c.problem.stride_h = c.problem.stride_w = stride;
          c.problem.dilation_h = 3 - stride;
          c.extra_pitch = ic == 2 ? 3 : 0;
        });
  for (int ic : {2, 20, 33})
    for (int oc : {1, 3, 4, 40})
      add({.kernel_h = 3, .kernel_w = 3, .in_channels = ic, .out_channels = oc}, 2, 18);
  add(square(64, 32, 1), 2, 33, with_relu);
  add(square(32, 1, 5), 3, 41);
  add(square(70, 5, 3), 2, 19);
  for (int w : {1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49})
    add(square(5, 33, 3), 2, w, with_relu);
  for (int oc : {1, 2, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 40, 48, 49, 65, 80})
    add(square(6, oc, 3), 2, 14, residual);
  for (int extra : {1, 3, 4, 40}) add(square(6, 20, 3), 2, 14, [&](Case& c) { c.extra_pitch = extra; });
  for (int z : {0, 1, 128, 255})
    for (int limit : {1, 64, 127})
      add(square(8, 16, 3), 3, 9, [&](Case& c) {
        c.problem.in.zero = c.problem.res.zero = z;
        c.problem.out.zero = 255 - z;
        c.problem.residual = true;
        c.weight_limit = limit;
      });
  // Sums times M beyond what a conversion to an integer holds, and all on one level.
  for (float scale : {1e-9f, 1e-6f, 1e6f})
    for (bool with_residual : {false, true})
      add(square(9, 20, 3), 2, 15, [&](Case& c) {
        c.out_scale = scale;
        c.problem.residual = with_residual;
      });
  for (int stride : {1, 2})
    for (int dilation : {1, 2})
      add(square(9, 21, 3), 3, 19, [&](Case& c) {
        c.problem.stride_h = c.problem.stride_w = stride;
        c.problem.dilation_h = c.problem.dilation_w = dilation;
        c.problem.pad_top = c.problem.pad_left = dilation;
      });
  for (int group : {2, 4, 8})
    add(
        square(8, 16, 3), 3, 19, [&](Case& c) { c.problem.group = group; }, residual);
  add(
      square(24, 24, 3), 3, 19, [](Case& c) { c.problem.group = 24; }, with_relu);
  add(
      square(6, 40, 3), 3, 19, [](Case& c) { c.problem.group = 2; }, with_relu);
  for (Activation act :
       {Activation{.kind = Kind::leaky_relu, .slope = {0.2f}}, Activation{.kind = Kind::tanh},
        Activation{.kind = Kind::sigmoid}, Activation{.kind = Kind::clip, .lo = -0.5f, .hi = 6},
        Activation{.kind = Kind::clip, .lo = 0, .hi = std::numeric_limits<float>::infinity()}})
    for (int oc : {2, 28}) add(square(7, oc, 3), 2, 21, [&](Case& c) { c.problem.act = act; });
  add(square(7, 19, 3), 2, 21, [](Case& c) {
    c.problem.act = {.kind = Kind::prelu};
    for (int i = 0; i < 19; ++i) c.problem.act.slope.push_back(0.1f * float(i) - 0.5f);
  });
  add(square(7, 24, 3), 2, 21, [](Case& c) {
    c.problem.act = {.kind = Kind::leaky_relu, .slope = {0.1f}};
    c.problem.residual = true;
    c.problem.post = relu();
  });
  for (int repeat : {2, 3, 6})
    for (int base : {1, 5, 17, 20})
      add(square(4, base * repeat, 1), 2, 15, [&](Case& c) {
        c.problem.residual = true;
        c.problem.residual_repeat = repeat;
      });
  const size_t narrow = cases.size();
  for (size_t i = 0; i < narrow; ++i) {
    cases.push_back(cases[i]);
    cases.back().wide = true;
  }
  return cases;
}

rc::Gen<Activation> any_activation(int channels) {
  return rc::gen::exec([channels] {
    Activation act;
    act.kind = *rc::gen::element(Kind::none, Kind::relu, Kind::leaky_relu, Kind::prelu, Kind::clip);
    if (act.kind == Kind::leaky_relu) act.slope = {0.25f};
    if (act.kind == Kind::prelu)
      for (int i = 0; i < channels; ++i) act.slope.push_back(0.05f * float(i % 13) - 0.1f);
    act.lo = -1;
    act.hi = 1.5f;
    return act;
  });
}

Case any_case() {
  Case c;
  ConvProblem& p = c.problem;
  p.kernel_h = *rc::gen::element(1, 3, 5, 2);
  p.kernel_w = *rc::gen::element(1, 3, 5, 9);
  p.stride_h = *rc::gen::inRange(1, 3);
  p.stride_w = *rc::gen::inRange(1, 3);
  p.dilation_h = *rc::gen::inRange(1, 3);
  p.dilation_w = *rc::gen::inRange(1, 3);
  p.pad_top = *rc::gen::inRange(0, p.kernel_h);
  p.pad_left = *rc::gen::inRange(0, p.kernel_w);
  p.group = *rc::gen::element(1, 1, 1, 2, 3);
  p.in_channels = p.group * *rc::gen::inRange(1, 71 / p.group);
  p.out_channels = p.group * *rc::gen::inRange(1, 71 / p.group);
  if (*rc::gen::inRange(0, 5) == 0) p.group = p.out_channels = p.in_channels;  // depthwise
  p.act = *any_activation(p.out_channels);
  p.residual = *rc::gen::arbitrary<bool>();
  if (p.residual) {
    if (*rc::gen::inRange(0, 3)) p.act = {};
    p.post = *any_activation(p.out_channels);
    for (int r : {9, 4, 3, 2})
      if (p.out_channels % r == 0 && *rc::gen::arbitrary<bool>()) p.residual_repeat = r;
  }
  p.in.zero = *rc::gen::element(0, 128, 255, 17);
  p.out.zero = *rc::gen::element(0, 128, 255, 101);
  p.res.zero = *rc::gen::element(0, 128, 255);
  c.w = *rc::gen::inRange(1, 51);
  c.h = *rc::gen::inRange(1, 4);
  c.extra_pitch = *rc::gen::element(0, 0, 0, 1, 8);
  c.weight_limit = *rc::gen::element(127, 127, 90, 20);
  c.seed = *rc::gen::arbitrary<unsigned>();
  c.wide = *rc::gen::arbitrary<bool>();
  return c;
}

class ConvVariants : public testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    if (std::string why = why_not_here(variant()); !why.empty()) GTEST_SKIP() << why;
  }
  const ConvVariant& variant() const {
    static const std::vector<ConvVariant> all = all_variants();
    return all[GetParam()];
  }
};

TEST_P(ConvVariants, TableOfCases) {
  for (const Case& c : table_of_cases()) EXPECT_EQ(trouble(variant(), c), "");
}

TEST_P(ConvVariants, AnyProblem) {
  const bool passed = rc::check([&] {
    const std::string found = trouble(variant(), any_case());
    if (!found.empty()) RC_FAIL(found);
  });
  EXPECT_TRUE(passed);
}

INSTANTIATE_TEST_SUITE_P(Table, ConvVariants, testing::Range<size_t>(0, all_variants().size()),
                         [](const auto& each) {
                           const ConvVariant v = all_variants()[each.param];
                           std::string label = std::string(name(v.numbers)) + "_" + std::string(v.name);
                           std::replace_if(
                               label.begin(), label.end(), [](char ch) { return !std::isalnum(ch); }, '_');
                           return label;
                         });

// The reference itself, against sums in int64 and the contract's formula spelled out once more.
TEST(ConvReference, Int8FollowsTheContract) {
  for (const Case& c : table_of_cases()) {
    const Bench b(c, Numbers::int8);
    const ConvProblem& p = b.problem;
    if (p.wide || !reference_for(Numbers::int8).refuses(p).empty()) continue;
    const SampleMap got = b.run(reference_for(Numbers::int8));
    int bad = 0;
    for (int y = 0; y < b.h; ++y)
      for (int x = 0; x < b.w; ++x)
        for (int o = 0; o < p.out_channels; ++o) {
          int64_t acc = p.bias_q[o];
          const int ipg = p.in_channels / p.group, opg = p.out_channels / p.group;
          for (int ky = 0; ky < p.kernel_h; ++ky)
            for (int kx = 0; kx < p.kernel_w; ++kx)
              for (int i = 0; i < ipg; ++i) {
                const int iy = y * p.stride_h - p.pad_top + ky * p.dilation_h;
                const int ix = x * p.stride_w - p.pad_left + kx * p.dilation_w;
                const Region& r = b.in.map.region;
                const bool padding = iy < 0 || ix < 0 || iy >= r.h || ix >= r.w;
                const int q = padding ? p.in.zero : int(element(b.in.map, iy, ix, o / opg * ipg + i));
                acc +=
                    int64_t(q - p.in.zero) * p.weight_q[((o * ipg + i) * p.kernel_h + ky) * p.kernel_w + kx];
              }
          float m = p.in.scale * p.weight_scale[o];
          m = m / p.out.scale;
          if (acc < 0 && (p.act.kind == Kind::leaky_relu || p.act.kind == Kind::prelu))
            m = m * p.act.slope[p.act.slope.size() > 1 ? o : 0];
          volatile float v = float(acc) * m;
          if (p.residual) {
            const float big = p.res.scale / p.out.scale;
            volatile float add =
                big * float(element(b.res.map, y, x, o % (p.out_channels / p.residual_repeat)) - p.res.zero);
            v = v + add;
          }
          int64_t q = std::clamp<int64_t>(std::llrint(v) + p.out.zero, 0, 255);
          for (const Activation* act : {&p.act, &p.post}) {
            const auto level = [&](float t) {
              return std::isinf(t) ? (t < 0 ? 0 : 255)
                                   : std::clamp<int64_t>(std::llrint(t / p.out.scale) + p.out.zero, 0, 255);
            };
            if (act->kind == Kind::relu) q = std::max<int64_t>(q, p.out.zero);
            if (act->kind == Kind::clip) q = std::clamp<int64_t>(q, level(act->lo), level(act->hi));
          }
          bad += q != int64_t(element(got.map, y, x, o));
        }
    EXPECT_EQ(bad, 0) << describe(b);
  }
}

// A 16-bit output: saturates before and after the residual, clamps last.
TEST(ConvReference, SixteenBitsByHand) {
  ConvProblem p = square(1, 1, 1);
  p.weight_q = {100};
  p.bias_q = {0};
  p.weight_scale = {0.5f};
  p.in = {0.25f, 128};
  p.out = p.res = {0.001f, 0};  // M = 0.125 / 0.001
  p.wide = p.residual = true;
  const auto result = [&](int q_x, int residual) {
    SampleMap in = sample_map(DType::u8, p.in, 1, {0, 0, 1, 1}, 0, 4),
              res = sample_map(DType::s16, p.res, 1, {0, 0, 1, 1}, 0, 2),
              out = sample_map(DType::s16, p.out, 1, {0, 0, 1, 1}, 0, 2);
    in.map.at<uint8_t>(0, 0)[0] = uint8_t(q_x);
    res.map.at<int16_t>(0, 0)[0] = int16_t(residual);
    const Map inputs[] = {in.map, res.map};
    auto kernel = prepare_conv(p, Numbers::int8, Isa::scalar);
    EXPECT_TRUE(kernel);
    (*kernel)->rows(inputs, out.map, 0, 1);
    return int(out.map.at<int16_t>(0, 0)[0]);
  };
  EXPECT_EQ(result(129, 7), 12507);
  EXPECT_EQ(result(130, 20000), 32767);  // 25000 + 20000
  EXPECT_EQ(result(255, -32768), -1);    // 1587500 saturates first
  EXPECT_EQ(result(0, 32767), -1);       // -1600000 too
  p.post = {.kind = Kind::clip, .lo = -1, .hi = 2.0004f};
  EXPECT_EQ(result(129, 0), 2000);
  EXPECT_EQ(result(127, 0), -1000);
  EXPECT_EQ(result(127, 12000), -500);
  p.post = {.kind = Kind::relu};
  EXPECT_EQ(result(127, 12000), 0);
  p.post = {};
  p.act = {.kind = Kind::leaky_relu, .slope = {0.5f}};
  EXPECT_EQ(result(127, 1), -6249);
}

TEST(ConvReference, F32OfOnePixelByHand) {
  ConvProblem p = square(2, 1, 1);
  p.weight = {2, -3};
  p.bias = {0.5f};
  p.act = {.kind = Kind::leaky_relu, .slope = {0.5f}};
  SampleMap in = sample_map(DType::f32, {}, 2, {0, 0, 1, 1}, 0, 2),
            out = sample_map(DType::f32, {}, 1, {0, 0, 1, 1}, 0, 1);
  in.map.at<float>(0, 0)[0] = 1;
  in.map.at<float>(0, 0)[1] = 2;
  auto kernel = prepare_conv(p, Numbers::f32, Isa::scalar);
  ASSERT_TRUE(kernel);
  (*kernel)->rows({&in.map, 1}, out.map, 0, 1);
  EXPECT_EQ(out.map.at<float>(0, 0)[0], -1.75f);
}

}  // namespace
}  // namespace fye

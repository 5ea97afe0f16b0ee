#include "kernels/convert/convert.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/convert/number.h"
#include "kernels/convert/row_table.h"
#include "kernels/reference/check_node.h"

namespace fye {
namespace {

const DType kMapTypeList[] = {DType::f32, DType::bf16, DType::u8, DType::u16, DType::s16};

std::vector<const RowTable*> tables_here() {
  std::vector<const RowTable*> all = {&rows_scalar()};
#ifdef __x86_64__
  if (machine_has(Isa::avx2)) all.push_back(&rows_avx2());
  if (machine_has(Isa::avx512)) all.push_back(&rows_avx512());
#endif
  return all;
}

// The formula in double: x / s is rounded to float as the contract says, the rest is exact.
int naive_quantise(float x, Quant q, int max) {
  if (std::isnan(x)) return q.zero;
  const double ratio = double(x / q.scale);
  return int(std::clamp(std::nearbyint(ratio) + q.zero, 0.0, double(max)));
}

uint16_t naive_bf16(float x) {  // through the neighbours: the nearer one, the even one of two equally near
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (std::isnan(x)) return uint16_t(bits >> 16 | 0x40);
  const uint16_t down = uint16_t(bits >> 16);
  const uint32_t rest = bits & 0xffff;
  if (rest > 0x8000 || (rest == 0x8000 && (down & 1))) return uint16_t(down + 1);
  return down;
}

std::vector<float> awkward_floats(Quant q) {
  std::vector<float> v = {0.0f,
                          -0.0f,
                          NAN,
                          -NAN,
                          INFINITY,
                          -INFINITY,
                          3e38f,
                          -3e38f,
                          1e-45f,
                          -1e-40f,
                          std::numeric_limits<float>::max(),
                          std::numeric_limits<float>::min(),
                          2147483648.0f,
                          -2147483648.0f,
                          4294967296.0f};
  for (int k = -300; k < 600; ++k) {
    v.push_back(q.scale * (float(k) + 0.5f));
    v.push_back(float(k) + 0.5f);
    v.push_back(std::nextafter(q.scale * (float(k) + 0.5f), 1e9f));
    v.push_back(q.scale * float(k));
  }
  for (uint32_t bits = 0x3f800000; bits < 0x3f800000 + 0x30000; bits += 0x7ff)
    v.push_back(std::bit_cast<float>(bits));
  return v;
}

TEST(Convert, FloatToQuantisedFollowsTheFormula) {
  for (const Quant q :
       {Quant{1, 0}, Quant{1, 128}, Quant{0.5f, 255}, Quant{0.1f, 3}, Quant{1 / 3.0f, 100}, Quant{1e-8f, 7}})
    for (const RowTable* table : tables_here()) {
      const std::vector<float> in = awkward_floats(q);
      std::vector<uint8_t> bytes(in.size());
      std::vector<uint16_t> words(in.size());
      const auto* raw = reinterpret_cast<const std::byte*>(in.data());
      const ptrdiff_t n = ptrdiff_t(in.size());
      table->flat[0][map_type_index(DType::u8)](raw, reinterpret_cast<std::byte*>(bytes.data()), n, {}, q);
      table->flat[0][map_type_index(DType::u16)](raw, reinterpret_cast<std::byte*>(words.data()), n, {}, q);
      for (size_t i = 0; i < in.size(); ++i) {
        ASSERT_EQ(bytes[i], naive_quantise(in[i], q, 255)) << table->name << " " << in[i] << " / " << q.scale;
        ASSERT_EQ(words[i], naive_quantise(in[i], q, 65535))
            << table->name << " " << in[i] << " / " << q.scale;
      }
    }
}

TEST(Convert, TiesGoToTheEvenLevelBeforeTheZeroPoint) {
  const float halves[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f};
  const uint8_t expected[] = {7, 9, 9, 7,
                              5};  // 0, 2, 2, -0, -2 plus 7: rounding after adding 7 would give others
  for (const RowTable* table : tables_here()) {
    uint8_t out[5];
    table->flat[0][2](reinterpret_cast<const std::byte*>(halves), reinterpret_cast<std::byte*>(out), 5, {},
                      {1, 7});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(out[i], expected[i]) << table->name << " " << halves[i];
  }
}

TEST(Convert, EveryWordOfSixteenBits) {
  std::vector<uint16_t> words(65536);
  for (int i = 0; i < 65536; ++i) words[size_t(i)] = uint16_t(i);
  const Quant pixel{1.0f / 257, 0};
  for (const RowTable* table : tables_here()) {
    std::vector<float> reals(65536), widened(65536);
    std::vector<uint16_t> back(65536);
    const auto* in = reinterpret_cast<const std::byte*>(words.data());
    auto* out = reinterpret_cast<std::byte*>(reals.data());
    table->flat[3][0](in, out, 65536, pixel, {});
    table->flat[0][3](out, reinterpret_cast<std::byte*>(back.data()), 65536, {}, pixel);
    table->flat[1][0](in, reinterpret_cast<std::byte*>(widened.data()), 65536, {}, {});
    for (int i = 0; i < 65536; ++i) {
      ASSERT_EQ(reals[size_t(i)], (1.0f / 257) * float(i)) << table->name;
      ASSERT_EQ(back[size_t(i)], i) << table->name;
      ASSERT_EQ(std::bit_cast<uint32_t>(widened[size_t(i)]), uint32_t(i) << 16) << table->name;
    }
    EXPECT_NEAR(reals[65535], 255.0f, 1e-4f);
  }
}

TEST(Convert, EveryByteComesBack) {
  for (const Quant q : {Quant{1, 0}, Quant{0.037f, 113}, Quant{7.3f, 255}})
    for (const RowTable* table : tables_here()) {
      uint8_t bytes[256], back[256];
      float reals[256];
      for (int i = 0; i < 256; ++i) bytes[i] = uint8_t(i);
      table->flat[2][0](reinterpret_cast<std::byte*>(bytes), reinterpret_cast<std::byte*>(reals), 256, q, {});
      table->flat[0][2](reinterpret_cast<std::byte*>(reals), reinterpret_cast<std::byte*>(back), 256, {}, q);
      for (int i = 0; i < 256; ++i) {
        EXPECT_EQ(reals[i], q.scale * float(i - q.zero));
        EXPECT_EQ(back[i], i);
      }
    }
}

TEST(Convert, Bfloat16RoundsToTheNearestEven) {
  std::vector<float> in = awkward_floats({0.37f, 0});
  for (uint32_t bits = 0; bits < 0xffff0000u; bits += 0x7fff7) in.push_back(std::bit_cast<float>(bits));
  for (const uint32_t bits :
       {0x3f808000u, 0x3f818000u, 0x3f807fffu, 0x3f808001u, 0x7f7fffffu, 0x00008000u, 0x80018000u})
    in.push_back(std::bit_cast<float>(bits));
  for (const RowTable* table : tables_here()) {
    std::vector<uint16_t> out(in.size());
    table->flat[0][1](reinterpret_cast<const std::byte*>(in.data()), reinterpret_cast<std::byte*>(out.data()),
                      ptrdiff_t(in.size()), {}, {});
    for (size_t i = 0; i < in.size(); ++i)
      ASSERT_EQ(out[i], naive_bf16(in[i])) << table->name << " " << in[i];
  }
}

// Where a quotient lies within a few units in the last place of the middle between two levels, a
// multiplication by 1 / s would often round to the wrong one.
TEST(Convert, NearEveryMiddleTheTrueDivisionDecides) {
  std::mt19937 random(5);
  std::vector<float> scales = {1,      0.5f,   0x1p-100f, 0x1p100f, 0x1.fffffep-101f, 0x1.000002p100f,
                               1e-38f, 1e-42f, 3e38f,     INFINITY, 0x1.fffffep0f,    0x1.000002p0f};
  for (int i = 0; i < 60; ++i)
    scales.push_back(std::ldexp(float(1 + (random() >> 8) * 0x1p-24), int(random() % 40) - 30));
  int multiplied_wrong = 0;
  for (const float scale : scales) {
    const Quant q{scale, int(random() % 256)};
    std::vector<float> in = {NAN,          INFINITY,      -INFINITY,       0.0f,
                             3e9f * scale, -3e9f * scale, 0x1p31f * scale, 1e-45f};
    for (int k = -300; k < 300; ++k) {
      float x = float(double(scale) * (k + 0.5));
      for (int i = 0; i < 4; ++i) x = std::nextafter(x, -INFINITY);
      for (int i = 0; i < 8; ++i, x = std::nextafter(x, INFINITY)) {
        in.push_back(x);
        const float wrong = std::nearbyint(x * (1 / scale)), right = std::nearbyint(x / scale);
        multiplied_wrong += std::isfinite(wrong) && wrong != right;
      }
    }
    std::vector<uint8_t> expected(in.size()), out(in.size());
    const auto* raw = reinterpret_cast<const std::byte*>(in.data());
    const ptrdiff_t n = ptrdiff_t(in.size());
    rows_scalar().flat[0][2](raw, reinterpret_cast<std::byte*>(expected.data()), n, {}, q);
    for (const RowTable* table : tables_here()) {
      for (const auto& loops : {table->flat, table->stream}) {
        loops[0][2](raw, reinterpret_cast<std::byte*>(out.data()), n, {}, q);
        for (size_t i = 0; i < in.size(); ++i)
          ASSERT_EQ(out[i], expected[i]) << table->name << " " << in[i] << " / " << scale;
      }
      // Alone too, as one doubtful element has its whole step divided.
      for (size_t i = 0; i < in.size(); ++i) {
        table->flat[0][2](raw + 4 * i, reinterpret_cast<std::byte*>(&out[i]), 1, {}, q);
        ASSERT_EQ(out[i], expected[i]) << table->name << " " << in[i] << " / " << scale;
      }
    }
  }
  EXPECT_GT(multiplied_wrong, 1000);  // else this test shows nothing
}

TEST(Convert, EveryBfloat16ToBytes) {
  std::vector<uint16_t> words(65536);
  for (int i = 0; i < 65536; ++i) words[size_t(i)] = uint16_t(i);
  for (const Quant q :
       {Quant{1, 0}, Quant{0.25f, 9}, Quant{0.0123f, 117}, Quant{0.0078431f, 128}, Quant{3, 255}}) {
    std::vector<uint8_t> expected(65536), out(65536);
    const auto* in = reinterpret_cast<const std::byte*>(words.data());
    rows_scalar().flat[1][2](in, reinterpret_cast<std::byte*>(expected.data()), 65536, {}, q);
    for (const RowTable* table : tables_here()) {
      table->flat[1][2](in, reinterpret_cast<std::byte*>(out.data()), 65536, {}, q);
      ASSERT_EQ(out, expected) << table->name << " " << q.scale;
    }
  }
}

// The bound that rows_avx2.cc derives for doubt, near the end of its range where it is tightest.
RC_GTEST_PROP(Convert, MultiplyingByTheReciprocalIsNoFurtherOffThanTheDoubt, ()) {
  const float scale =
      std::ldexp(1 + float(*rc::gen::inRange(0, 1 << 23)) * 0x1p-23f, *rc::gen::inRange(-90, 90));
  const float x = (256 + float(*rc::gen::inRange(0, 1 << 23)) * 0x1p-15f) * scale;
  RC_ASSERT(std::abs(double(x * reciprocal(scale).inverse) - double(x / scale)) < kDoubt);
}

// int8r16 reads a trunk by sat8(rne(f32(t) * (s_t / s_x)) + z_x), one float multiplication: two float
// roundings more give other bytes now and then.
TEST(Convert, SixteenBitsToBytesByOneMultiplication) {
  std::vector<int16_t> in(65536);
  for (int i = 0; i < 65536; ++i) in[size_t(i)] = int16_t(i - 32768);
  const auto* raw = reinterpret_cast<const std::byte*>(in.data());
  int otherwise = 0;
  for (const float s_t : {1.0f, 0.001f, 0.000371f, 3e5f, 1e-7f})
    for (const Quant x :
         {Quant{0.05f, 0}, Quant{0.1f, 128}, Quant{1 / 3.0f, 255}, Quant{7e-3f, 77}, Quant{1e-30f, 9}})
      for (const RowTable* table : tables_here())
        for (const auto& loops : {table->flat, table->stream}) {
          std::vector<uint8_t> out(65536);
          loops[4][2](raw, reinterpret_cast<std::byte*>(out.data()), 65536, {s_t, 0}, x);
          const float ratio = s_t / x.scale;
          for (size_t i = 0; i < in.size(); ++i) {
            const float steps = float(in[i]) * ratio;
            ASSERT_EQ(out[i], std::clamp(std::nearbyint(double(steps)) + x.zero, 0.0, 255.0))
                << table->name << " " << in[i] << " " << s_t << " / " << x.scale;
            otherwise += out[i] != naive_quantise(s_t * float(in[i]), x, 255);
          }
        }
  EXPECT_GT(otherwise, 0);  // else this test shows nothing
}

TEST(Convert, SixteenBitsFromFloatsAndBytes) {
  const Quant s{0.00137f, 0};
  std::vector<float> in = awkward_floats(s);
  for (int k = -70000; k < 70000; k += 7) in.push_back(s.scale * (float(k) + 0.5f));
  const ptrdiff_t n = ptrdiff_t(in.size());
  for (const RowTable* table : tables_here()) {
    std::vector<int16_t> out(in.size());
    table->flat[0][4](reinterpret_cast<const std::byte*>(in.data()), reinterpret_cast<std::byte*>(out.data()),
                      n, {}, s);
    for (size_t i = 0; i < in.size(); ++i) {
      const double steps = std::isnan(in[i]) ? 0 : std::nearbyint(double(in[i] / s.scale));
      ASSERT_EQ(out[i], std::clamp(steps, -32768.0, 32767.0)) << table->name << " " << in[i];
    }
    for (const Quant x : {Quant{0.05f, 128}, Quant{2, 0}, Quant{1e-6f, 255}}) {
      uint8_t bytes[256];
      int16_t words[256];
      for (int i = 0; i < 256; ++i) bytes[i] = uint8_t(i);
      table->flat[2][4](reinterpret_cast<std::byte*>(bytes), reinterpret_cast<std::byte*>(words), 256, x, s);
      const float ratio = x.scale / s.scale;
      for (int i = 0; i < 256; ++i)
        EXPECT_EQ(words[i], std::clamp(std::nearbyint(double(float(i - x.zero) * ratio)), -32768.0, 32767.0));
    }
  }
}

TEST(Convert, EveryNumberOfSixteenBitsComesBack) {
  std::vector<int16_t> in(65536), back(65536);
  std::vector<float> reals(65536);
  for (int i = 0; i < 65536; ++i) in[size_t(i)] = int16_t(i - 32768);
  const auto raw = [](auto& v) { return reinterpret_cast<std::byte*>(v.data()); };
  for (const float scale : {1.0f, 0.000731f, 3.3e4f})
    for (const RowTable* table : tables_here()) {
      table->flat[4][0](raw(in), raw(reals), 65536, {scale, 0}, {});
      table->flat[0][4](raw(reals), raw(back), 65536, {}, {scale, 0});
      for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(reals[i], scale * float(in[i])) << table->name;
      ASSERT_EQ(back, in) << table->name;
    }
}

// Random bits through every pair of types: every table equals the scalar one, at every length and alignment,
// and touches nothing else.
RC_GTEST_PROP(Convert, AllTablesGiveTheSameBits, ()) {
  const int count = *rc::gen::inRange(0, 400), offset = *rc::gen::inRange(0, 64);
  const Quant from{*rc::gen::element(1.0f, 0.0123f, 1 / 257.0f), *rc::gen::inRange(0, 256)};
  const Quant to{*rc::gen::element(1.0f, 0.0321f, 3.7f), *rc::gen::inRange(0, 256)};
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  const bool reals = *rc::gen::arbitrary<bool>();
  for (int i = 0; i < kMapTypes; ++i)
    for (int j = 0; j < kMapTypes; ++j) {
      const int in_size = size_of(kMapTypeList[i]), out_size = size_of(kMapTypeList[j]);
      std::vector<std::byte> in(size_t(count * in_size));
      for (std::byte& b : in) b = std::byte(random());
      if (i == 0 && reals)
        for (int k = 0; k < count; ++k) {
          const float v = float(int(random() % 2000) - 1000) / 8;
          std::memcpy(&in[size_t(k) * 4], &v, 4);
        }
      std::vector<std::byte> expected(size_t(offset + count * out_size + 64), std::byte{0xa5});
      rows_scalar().flat[i][j](in.data(), expected.data() + offset, count, from, to);
      for (const RowTable* table : tables_here())
        for (const auto& loops : {table->flat, table->stream}) {
          std::vector<std::byte> out(expected.size(), std::byte{0xa5});
          loops[i][j](in.data(), out.data() + offset, count, from, to);
          RC_ASSERT(out == expected);
        }
    }
}

RC_GTEST_PROP(Convert, RepitchMovesPixels, ()) {
  const int pixels = *rc::gen::inRange(0, 70);
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  for (const RowTable* table : tables_here())
    for (const int size : {1, 2}) {
      std::vector<uint8_t> packed(size_t(3 * size * pixels)), padded(size_t(4 * size * pixels + 32), 0xa5);
      std::vector<uint8_t> back(packed.size() + 32, 0x5a);
      for (uint8_t& v : packed) v = uint8_t(random());
      const uint32_t gap = size == 1 ? 0x7b : 0x7b31;
      table->pitch_3_to_4[size - 1](reinterpret_cast<std::byte*>(packed.data()),
                                    reinterpret_cast<std::byte*>(padded.data()), pixels, gap);
      table->pitch_4_to_3[size - 1](reinterpret_cast<std::byte*>(padded.data()),
                                    reinterpret_cast<std::byte*>(back.data()), pixels, 0);
      for (int i = 0; i < pixels; ++i)
        RC_ASSERT(std::memcmp(&padded[size_t(i * 4 + 3) * size_t(size)], &gap, size_t(size)) == 0);
      RC_ASSERT(std::equal(packed.begin(), packed.end(), back.begin()));
      RC_ASSERT(std::all_of(back.begin() + ptrdiff_t(packed.size()), back.end(),
                            [](uint8_t v) { return v == 0x5a; }));
      RC_ASSERT(
          std::all_of(padded.begin() + 4 * size * pixels, padded.end(), [](uint8_t v) { return v == 0xa5; }));
    }
}

// Whole maps: any types, pitches, parts and instruction sets against one element at a time.
RC_GTEST_PROP(Convert, RowsOfMaps, ()) {
  const DType from =
      *rc::gen::elementOf(std::vector<DType>(std::begin(kMapTypeList), std::end(kMapTypeList)));
  const DType to = *rc::gen::elementOf(std::vector<DType>(std::begin(kMapTypeList), std::end(kMapTypeList)));
  const int channels = *rc::gen::element(1, 2, 3, 3, 3, 4, 5, 27, 64, 3000);
  const Region all{-1 + *rc::gen::inRange(1, 4), *rc::gen::inRange(0, 4), *rc::gen::inRange(2, 5),
                   channels == 3000 ? 3 : *rc::gen::inRange(2, 90)};
  Region part = all;
  part.y += *rc::gen::inRange(0, all.h);
  part.x += *rc::gen::inRange(0, all.w);
  part.h = all.y + all.h - part.y;
  part.w = 1 + *rc::gen::inRange(0, all.x + all.w - part.x);
  Quant in_quant{*rc::gen::element(1.0f, 0.05f), *rc::gen::inRange(0, 256)};
  Quant out_quant = *rc::gen::arbitrary<bool>() ? in_quant : Quant{0.07f, *rc::gen::inRange(0, 256)};
  if (from == DType::s16) in_quant.zero = 0;
  if (to == DType::s16) out_quant.zero = 0;
  const OwnedMap in = guarded_map(from, in_quant, channels, all, channels + *rc::gen::inRange(0, 3));
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  Dense values{{1, channels, all.y + all.h, all.x + all.w}, {}};
  for (int64_t i = element_count(values.shape); i > 0; --i)
    values.values.push_back(float(random() % 4096) / 64 - 32);
  put(values, 0, in.map);
  const OwnedMap out = guarded_map(to, out_quant, channels, part, channels + *rc::gen::inRange(0, 3));
  convert_rows(in.map, out.map, part.y, part.y + part.h, *rc::gen::element(Isa::scalar, Isa::avx2, Isa::amx));
  RC_ASSERT(surroundings_intact(out));

  OwnedMap expected = guarded_map(to, out_quant, channels, part, out.map.pitch);
  const Dense held = get(in.map);
  Dense shifted{values.shape, std::vector<float>(values.values.size())};
  for (int c = 0; c < channels; ++c)
    for (int y = 0; y < all.h; ++y)
      for (int x = 0; x < all.w; ++x)
        shifted.values[size_t((c * (all.y + all.h) + y + all.y) * (all.x + all.w) + x + all.x)] =
            held.values[size_t((c * all.h + y) * all.w + x)];
  put(shifted, 0, expected.map);
  const auto whole = [](DType type) { return type == DType::u8 || type == DType::s16; };
  if (whole(from) && whole(to) && (from == DType::s16 || to == DType::s16) &&
      !(from == to && in_quant == out_quant))
    for (int y = part.y; y < part.y + part.h; ++y)
      for (int x = part.x; x < part.x + part.w; ++x)
        for (int c = 0; c < channels; ++c) {
          const int level = from == DType::u8 ? in.map.at<uint8_t>(y, x)[c] : in.map.at<int16_t>(y, x)[c];
          const float steps = float(level - in_quant.zero) * (in_quant.scale / out_quant.scale);
          const double rounded = std::nearbyint(double(steps)) + out_quant.zero;
          if (to == DType::u8)
            expected.map.at<uint8_t>(y, x)[c] = uint8_t(std::clamp(rounded, 0.0, 255.0));
          else
            expected.map.at<int16_t>(y, x)[c] = int16_t(std::clamp(rounded, -32768.0, 32767.0));
        }
  RC_ASSERT(same_bits(out.map, expected.map, part));
}

// 59 MB of floats: past the caches of most machines (convert.cc), in halves as two threads would.
TEST(Convert, MapsLargerThanTheCache) {
  const Region all{0, 0, 360, 640};
  const Quant quant{0.05f, 117};
  const OwnedMap in = make_map(DType::u8, quant, 64, all);
  std::mt19937 random(1);
  for (int64_t i = 0; i < int64_t(all.h) * all.w * 64; i += 4) {
    const uint32_t four = uint32_t(random());
    std::memcpy(in.map.origin + i, &four, 4);
  }
  const OwnedMap reals = make_map(DType::f32, {}, 64, all), back = make_map(DType::u8, quant, 64, all);
  for (const int y : {0, 180}) convert_rows(in.map, reals.map, y, y + 180, widest_isa());
  convert_rows(reals.map, back.map, 0, all.h, widest_isa());
  EXPECT_EQ(*reals.map.at<float>(359, 639), quant.scale * float(*in.map.at<uint8_t>(359, 639) - quant.zero));
  EXPECT_TRUE(same_bits(back.map, in.map, all));
}

TEST(FillMargin, FillsBeyondTheBorderOnly) {
  for (const DType type : kMapTypeList) {
    // A tile in the upper left corner of a 10 x 12 map: margins above and to the left lie outside, the others
    // inside.
    const int size = size_of(type);
    OwnedMap owned = make_map(type, {1, 9}, 3, {0, 0, 4, 5}, 2, 4);
    std::memset(owned.memory.data(), 0xee, owned.memory.size());
    fill_margin(owned.map, 10, 12);
    const OwnedMap zero = make_map(type, {1, 9}, 3, {0, 0, 1, 1}, 0, 4);
    for (int y = -2; y < 6; ++y)
      for (int x = -2; x < 7; ++x) {
        const std::byte* pixel = owned.map.origin + y * owned.map.row_bytes + x * 4 * size;
        if (y < 0 || x < 0)
          EXPECT_EQ(std::memcmp(pixel, zero.map.origin, size_t(4 * size)), 0) << y << "," << x;
        else
          EXPECT_EQ(pixel[0], std::byte{0xee}) << y << "," << x;
      }
  }
}

TEST(FillMargin, LowerRightCornerAndWholeMap) {
  for (const Region region : {Region{6, 7, 4, 5}, Region{0, 0, 10, 12}}) {
    OwnedMap owned = make_map(DType::u8, {1, 77}, 1, region, 3, 4);
    std::memset(owned.memory.data(), 0xee, owned.memory.size());
    fill_margin(owned.map, 10, 12);
    for (int y = region.y - 3; y < region.y + region.h + 3; ++y)
      for (int x = region.x - 3; x < region.x + region.w + 3; ++x) {
        const bool outside = y < 0 || x < 0 || y >= 10 || x >= 12;
        EXPECT_EQ(*owned.map.at<uint8_t>(y, x), outside ? 77 : 0xee) << y << "," << x;
      }
  }
}

}  // namespace
}  // namespace fye

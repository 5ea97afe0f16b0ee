#include "execute/patches.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "execute/plain.h"
#include "execute/testing_graphs.h"

namespace fye {
namespace {

using testing::FloatMap;
using testing::TestPicture;

const Processor* patch_engine(const std::string& name) { return *find_processor(name, active_isa()); }

TEST(Patches, VariationByHand) {
  // 0 10
  // 4 10: right 10 + 6, down 4 + 0, over four pixels.
  FloatMap map(2, 2, 1);
  map.values = {0, 10, 4, 10};
  EXPECT_DOUBLE_EQ(total_variation(map.map(), {0, 0, 2, 2}, 1), 5);
  EXPECT_DOUBLE_EQ(total_variation(map.map(), {0, 0, 2, 2}, 255), 5 * 255);
  EXPECT_DOUBLE_EQ(total_variation(map.map(), {1, 0, 1, 2}, 1), 3);
  TestPicture flat(9, 9, 3);
  std::fill(flat.bytes.begin(), flat.bytes.end(), uint8_t{7});
  EXPECT_DOUBLE_EQ(total_variation(flat.map(), {0, 0, 9, 9}, 1), 0);
}

RC_GTEST_PROP(Patches, CoresCoverThePictureOnce, ()) {
  const int h = *rc::gen::inRange(1, 100), w = *rc::gen::inRange(1, 100), size = *rc::gen::inRange(8, 60);
  std::vector<int> seen(size_t(h * w), 0);
  for (const Region& r : patch_cores(h, w, size))
    for (int y = r.y; y < r.y + r.h; ++y)
      for (int x = r.x; x < r.x + r.w; ++x) ++seen[size_t(y * w + x)];
  RC_ASSERT(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
}

RC_GTEST_PROP(Patches, TheFirstTakesWhatVariesMost, ()) {
  const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 50)));
  const std::vector<double> variation(values.begin(), values.end());
  const double part = *rc::gen::inRange(0, 101) / 100.;
  const PatchShare shares[] = {{nullptr, part, {}}, {nullptr, 1 - part, {}}};
  const auto taker = deal_patches(variation, shares);
  int first = 0;
  double least = INFINITY, most = -1;
  for (size_t i = 0; i < taker.size(); ++i)
    if (taker[i] == 0)
      ++first, least = std::min(least, variation[i]);
    else
      most = std::max(most, variation[i]);
  RC_ASSERT(first == int(std::llround(part * double(variation.size()))));
  RC_ASSERT(least >= most);
}

TEST(Patches, AThresholdTakesWhatIsAbove) {
  const double variation[] = {3, 9, 5, 5.1};
  const PatchShare shares[] = {{nullptr, .9, 5.}, {nullptr, .1, {}}};
  EXPECT_EQ(deal_patches(variation, shares), (std::vector<int>{1, 0, 1, 0}));
}

// With a halo as wide as the network looks, only the picture's border, which is mirrored, differs from the
// whole picture.
TEST(Patches, WideHalosLeaveNoSeam) {
  const Graph graph = testing::small_abpn(3, 12);
  TestPicture picture(50, 61, 3);
  const int looks = halo(graph);
  const PatchShare share[] = {{patch_engine("cpu.f32@core0"), 1, {}}};
  auto patches = PatchExecutor::prepare(graph, nullptr, share, {.size = 16, .halo = looks}, 1, 50, 61);
  ASSERT_TRUE(patches) << patches.error().text();
  auto whole = Executor::prepare(graph, nullptr, everywhere(graph, patch_engine("cpu.f32")),
                                 {.height = 50, .width = 61});
  ASSERT_TRUE(whole);
  FloatMap a(150, 183, 3), b(150, 183, 3);
  ThreadPool pool(1);
  ASSERT_TRUE(patches->run(picture.map(), a.map(), pool));
  ASSERT_TRUE(whole->run(picture.map(), b.map(), pool));
  EXPECT_EQ(patches->counts(), std::vector<int>{16});
  double inside = 0, border = 0;
  for (int y = 0; y < 150; ++y)
    for (int x = 0; x < 183 * 3; ++x) {
      const double off = std::abs(a.values[size_t(y * 183 * 3 + x)] - b.values[size_t(y * 183 * 3 + x)]);
      const int reach = 3 * looks, column = x / 3;
      const bool edge = y < reach || column < reach || y >= 150 - reach || column >= 183 - reach;
      (edge ? border : inside) = std::max(edge ? border : inside, off);
    }
  EXPECT_LE(inside, 1e-2);
  EXPECT_GT(border, 1e-2);
}

TEST(Patches, EachPatchIsItsProcessors) {
  const Graph graph = testing::small_abpn(2, 12);
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(32, 48, 3);
  const auto run = [&](std::vector<PatchShare> shares) {
    auto made = PatchExecutor::prepare(graph, &calib, shares, {.size = 16, .halo = 4}, 1, 32, 48);
    EXPECT_TRUE(made);
    FloatMap out(64, 96, 3);
    ThreadPool pool(2);
    EXPECT_TRUE(made->run(picture.map(), out.map(), pool));
    return out.values;
  };
  const std::string second = available_cores() > 1 ? "cpu.int8@core1" : "cpu.int8";
  const auto floats = run({{patch_engine("cpu.f32@core0"), 1, {}}}),
             whole = run({{patch_engine(second), 1, {}}});
  const auto mixed = run({{patch_engine("cpu.f32@core0"), .5, {}}, {patch_engine(second), .5, {}}});
  int from_float = 0, from_int8 = 0;
  for (int py = 0; py < 2; ++py)
    for (int px = 0; px < 3; ++px) {
      bool is_float = true, is_int8 = true;
      for (int y = py * 32; y < py * 32 + 32; ++y)
        for (int i = px * 96; i < px * 96 + 96; ++i) {
          const size_t at = size_t(y * 288 + i);
          is_float &= mixed[at] == floats[at], is_int8 &= mixed[at] == whole[at];
        }
      EXPECT_TRUE(is_float != is_int8);
      from_float += is_float, from_int8 += is_int8;
    }
  EXPECT_EQ(from_float, 3);
  EXPECT_EQ(from_int8, 3);
}

TEST(Patches, WrongRulesAreRefused) {
  const Graph graph = testing::small_abpn(2);
  const PatchShare good{patch_engine("cpu.f32@core0"), 1, {}};
  const auto refused = [&](const std::vector<PatchShare>& shares, PatchRule rule) {
    auto made = PatchExecutor::prepare(graph, nullptr, shares, rule, 1, 40, 40);
    return made ? std::string() : made.error().text();
  };
  EXPECT_EQ(refused({good}, {}), "");
  EXPECT_NE(refused({good}, {.size = 4}).find("4 pixels"), std::string::npos);
  EXPECT_NE(refused({good}, {.halo = -1}).find("halo"), std::string::npos);
  EXPECT_NE(refused({}, {}).find("nobody"), std::string::npos);
  EXPECT_NE(refused({good, good}, {}).find("twice"), std::string::npos);
  EXPECT_NE(refused({{good.processor, .4, {}}}, {}).find("0.4"), std::string::npos);
  EXPECT_NE(refused({{good.processor, 1, NAN}}, {}).find("threshold"), std::string::npos);
  testing::Builder b(3, 1);
  const Graph global = b.take(b.global_average(b.conv(0, 4, 3)));
  auto made = PatchExecutor::prepare(global, nullptr, std::vector<PatchShare>{good}, {}, 1, 40, 40);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("whole picture"), std::string::npos);
}

}  // namespace
}  // namespace fye

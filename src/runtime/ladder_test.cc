#include "runtime/ladder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/json.h"
#include "execute/testing_graphs.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

LadderRung rung(std::string model, double ms, double psnr) {
  LadderRung r{.model = std::move(model), .graph_sha256 = "sha", .plan = {}, .ms = ms, .psnr = psnr};
  r.plan.graph_sha256 = "sha";
  r.plan.steps = {{.units = {"a", "b"}, .processor = "cpu.int8", .reason = {}},
                  {.units = {"c"}, .processor = "cpu.f32", .reason = {}}};
  return r;
}

TEST(Ladder, KeepsWhatNothingBeats) {
  const auto kept =
      climb({rung("small f32", 20, 30), rung("small int8", 10, 29.9), rung("large int8", 18, 31),
             rung("large f32", 60, 31.2), rung("slow", 100, 30.5), rung("twin", 10, 29.5)});
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].model, "small int8");
  EXPECT_EQ(kept[1].model, "large int8");  // faster and better than the small network in float
  EXPECT_EQ(kept[2].model, "large f32");
}

TEST(Ladder, TheBestRungInTime) {
  Ladder ladder;
  ladder.rungs = {rung("a", 10, 29), rung("b", 20, 30), rung("c", 40, 31)};
  EXPECT_EQ((*rung_for(ladder, 20))->model, "b");
  EXPECT_EQ((*rung_for(ladder, 39.9))->model, "b");
  EXPECT_EQ((*rung_for(ladder, 1e12))->model, "c");
  const auto none = rung_for(ladder, 9);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::deadline);
  EXPECT_NE(none.error().what.find("1.00 more"), std::string::npos) << none.error().what;
  for (const double bad : {0., -1., std::nan("")})
    EXPECT_EQ(rung_for(ladder, bad).error().code, ErrorCode::usage);
}

TEST(Ladder, ComesBackFromItsFile) {
  const fs::path file = fs::temp_directory_path() / ("fye-ladder-" + std::to_string(getpid()) + ".json");
  Ladder ladder{.machine = {"cpu", "isa", "build", 2}, .width = 64, .height = 36, .scale = 3, .pictures = 8};
  ladder.rungs = {rung("a", 10, 29), rung("b", 20, 30)};
  ASSERT_TRUE(write_ladder(file, ladder));
  const auto read = read_ladder(file);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->machine, ladder.machine);
  EXPECT_EQ(read->scale, 3);
  ASSERT_EQ(read->rungs.size(), 2u);
  EXPECT_EQ(read->rungs[1].psnr, 30);
  EXPECT_EQ(read->rungs[1].plan.steps[0].units, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read->rungs[1].plan.steps[1].processor, "cpu.f32");

  const auto refused = [&](const auto& change, const char* words) {
    Json json = *read_json(file);
    change(json);
    const fs::path bad = file.string() + ".bad.json";
    EXPECT_TRUE(write_json(bad, json));
    const auto result = read_ladder(bad);
    fs::remove(bad);
    ASSERT_FALSE(result) << words;
    EXPECT_NE(result.error().what.find(words), std::string::npos) << result.error().what;
  };
  refused([](Json& j) { j["rungs"][0]["ms"] = 30; }, "ascending");
  refused([](Json& j) { j["rungs"][0]["psnr_y"] = -3; }, "psnr_y");
  refused([](Json& j) { j["rungs"] = Json::array(); }, "there are none");
  refused([](Json& j) { j["rungs"][0]["steps"] = Json::array(); }, "steps");
  refused([](Json& j) { j["rungs"][0]["steps"][0]["units"][0] = 4; }, "units");
  refused([](Json& j) { j["scale"] = 0; }, "scale");
  refused([](Json& j) { j.erase("machine"); }, "machine");
  fs::remove(file);
}

TEST(Ladder, QualityIsMeasuredAgainstTheOriginal) {
  Model model{.name = "small", .graph = testing::small_abpn(3, 8), .conventions = {.scale = 3}, .calib = {}};
  Picture original(70, 64, 3);
  for (size_t i = 0; i < original.samples(); ++i) original.u8()[i] = uint8_t(i / 3 % 70 * 3);
  const auto pair = scored_pair(original, 3);
  ASSERT_TRUE(pair) << pair.error().text();
  EXPECT_EQ(pair->small.width, 23);
  EXPECT_EQ(pair->original.width, 69);
  EXPECT_EQ(pair->original.height, 63);
  // The rows of the original, without what was cut off.
  EXPECT_EQ(pair->original.u8()[69 * 3], original.u8()[70 * 3]);
  ThreadPool pool(1);
  const auto psnr = mean_psnr(model, uniform_plan(model.graph, "cpu.f32"), std::span(&*pair, 1), pool);
  ASSERT_TRUE(psnr) << psnr.error().text();
  EXPECT_GT(*psnr, 0);
  EXPECT_LT(*psnr, 99);
  EXPECT_FALSE(mean_psnr(model, uniform_plan(model.graph, "cpu.f32"), {}, pool));
  EXPECT_FALSE(scored_pair(Picture(20, 20, 3), 3));
  EXPECT_FALSE(scored_pair(Picture(90, 90, 3, 16), 3));
}

}  // namespace
}  // namespace fye

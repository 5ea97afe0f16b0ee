// profile.json and losses.json: what was written is read, and nothing that can't be true.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/json.h"
#include "profile/losses.h"
#include "profile/profile.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("fye-profile-test-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path file(const char* name = "a.json") const { return folder_ / name; }

  // The file after a change; what reading it says.
  template <class Read, class Change>
  std::string refused(const Read& read, const Change& change) {
    auto json = *read_json(file());
    change(json);
    EXPECT_TRUE(write_json(file("b.json"), json));
    const auto result = read(file("b.json"), "sha");
    return result ? "accepted" : result.error().text();
  }

  fs::path folder_;
};

Profile some_profile() {
  Profile p;
  p.graph_sha256 = "sha";
  p.machine = {"cpu", "avx2", "0.1", 2};
  p.width = 640;
  p.height = 360;
  p.executor = "bands";
  p.conditions = {{"load", "0.10"}};
  p.processors = {"cpu.f32", "cpu.int8"};
  p.units = {{"a", {{"cpu.f32", {3.5, 0.1, 7}}, {"cpu.int8", {1.25, 0.05, 12}}}},
             {"b", {{"cpu.f32", {2, 0.1, 5}}}}};
  p.hand_overs = {{"x", Form::f32, Form::u8, {0.25, 0.01, 9}}, {"y", Form::u8, Form::host, {}}};
  p.whole = {{"cpu.f32", {5.75, 0.1, 8}}};
  p.chain = {{"cpu.f32", 1.02}};
  p.fixed_ms = 0.125;
  p.watts = {{"cpu.f32", 12.5}};
  p.watts_from = "file";
  return p;
}

TEST_F(Files, AProfileComesBackAsItWas) {
  const Profile p = some_profile();
  ASSERT_TRUE(write_profile(file(), p));
  const auto q = read_profile(file(), "sha");
  ASSERT_TRUE(q) << q.error().text();
  EXPECT_EQ(q->machine, p.machine);
  EXPECT_EQ(q->width, 640);
  EXPECT_EQ(q->conditions, p.conditions);
  EXPECT_EQ(q->processors, p.processors);
  ASSERT_EQ(q->units.size(), 2u);
  EXPECT_EQ(q->unit("a")->on.at("cpu.int8").ms, 1.25);
  EXPECT_EQ(q->unit("a")->on.at("cpu.int8").n, 12);
  EXPECT_EQ(q->unit("b")->on.count("cpu.int8"), 0u);
  EXPECT_EQ(q->unit("c"), nullptr);
  ASSERT_EQ(q->hand_overs.size(), 2u);
  EXPECT_EQ(q->hand_overs[1].to, Form::host);
  EXPECT_EQ(q->whole.at("cpu.f32").ms, 5.75);
  EXPECT_EQ(q->chain.at("cpu.f32"), 1.02);
  EXPECT_EQ(q->fixed_ms, 0.125);
  EXPECT_EQ(q->watts, p.watts);
  EXPECT_EQ(q->watts_from, "file");
}

TEST_F(Files, ImpossibleProfilesAreRefused) {
  ASSERT_TRUE(write_profile(file(), some_profile()));
  const auto says = [&](const auto& change, const char* words) {
    const std::string text = refused(read_profile, change);
    EXPECT_NE(text.find(words), std::string::npos) << text;
    EXPECT_NE(text.find("b.json"), std::string::npos) << text;
  };
  says([](Json& j) { j["graph"] = "other"; }, "another model file");
  says([](Json& j) { j["version"] = 7; }, "version");
  says([](Json& j) { j["units"][0]["on"]["cpu.f32"]["ms"] = -1; }, "units[0].on.cpu.f32.ms");
  says([](Json& j) { j["units"][0]["on"]["cpu.f32"]["ms"] = 1e300; }, "not between");
  says([](Json& j) { j["units"][0]["on"]["cpu.f32"]["ms"] = "fast"; }, "not a number");
  says([](Json& j) { j["units"][0]["on"]["cpu.f32"]["ms"] = nullptr; }, "not a number");
  says(
      [](Json& j) {
        j["units"][0]["on"].erase("cpu.f32");
        j["units"][0]["on"].erase("cpu.int8");
      },
      "no processor");
  says([](Json& j) { j["units"][1]["unit"] = "a"; }, "twice");
  says(
      [](Json& j) {
        j["units"][0]["on"]["gpu"] = {{"ms", 1}, {"half_width", 0}, {"n", 1}};
      },
      "none of the profile's");
  says([](Json& j) { j["units"] = 3; }, "not a list");
  says([](Json& j) { j["units"] = Json::array(); }, "there are none");
  says([](Json& j) { j["processors"] = Json::array(); }, "there are none");
  says([](Json& j) { j["hand_overs"][0]["from"] = "f64"; }, "none of f32");
  says([](Json& j) { j["hand_overs"][0].erase("time"); }, "time");
  says([](Json& j) { j["machine"]["threads"] = 0; }, "threads");
  says([](Json& j) { j["machine"]["threads"] = 1.5; }, "whole number");
  says([](Json& j) { j.erase("machine"); }, "cpu");
  says([](Json& j) { j["width"] = 0; }, "width");
  says([](Json& j) { j["fixed_ms"] = -0.5; }, "fixed_ms");
  says([](Json& j) { j["chain"]["cpu.f32"] = -3; }, "chain");
  says([](Json& j) { j["watts"]["cpu.f32"] = -1; }, "watts");
  says([](Json& j) { j["watts_from"] = "guess"; }, "neither rapl");
  says([](Json& j) { j = Json::array(); }, "not an object");
  EXPECT_FALSE(read_profile(file("absent.json"), ""));
}

TEST_F(Files, LossesComeBackAsTheyWere) {
  Losses losses;
  losses.graph_sha256 = "sha";
  losses.pictures = "abc";
  losses.calib = "honest";
  losses.crops = 8;
  losses.units = {{"a", {{"cpu.int8", 0.25}}}, {"b", {}}};
  losses.tensors = {{"x", {{Form::u8, 0.5}, {Form::s16, 0.001}}, {{"b", {{Form::u8, 0.125}}}}}};
  ASSERT_TRUE(write_losses(file(), losses));
  const auto q = read_losses(file(), "sha");
  ASSERT_TRUE(q) << q.error().text();
  EXPECT_EQ(q->pictures, "abc");
  EXPECT_EQ(q->calib, "honest");
  EXPECT_EQ(q->crops, 8);
  EXPECT_EQ(q->units[0].on.at("cpu.int8"), 0.25);
  EXPECT_TRUE(q->units[1].on.empty());
  EXPECT_EQ(q->tensors[0].stored.at(Form::s16), 0.001);
  EXPECT_EQ(q->tensors[0].read.at("b").at(Form::u8), 0.125);

  const auto says = [&](const auto& change, const char* words) {
    const std::string text = refused(read_losses, change);
    EXPECT_NE(text.find(words), std::string::npos) << text;
  };
  says([](Json& j) { j["graph"] = "other"; }, "another model file");
  says([](Json& j) { j["units"][0]["on"]["cpu.int8"] = -0.1; }, "cpu.int8");
  says([](Json& j) { j["tensors"][0]["stored"]["u8"] = 1e9; }, "u8");
  says([](Json& j) { j["tensors"][0]["stored"]["host"] = 1; }, "none of f32");
  says([](Json& j) { j["tensors"][0]["read"]["b"] = 4; }, "read.b");
  says([](Json& j) { j["crops"] = 0; }, "crops");
  says([](Json& j) { j.erase("units"); }, "there are none");
}

}  // namespace
}  // namespace fye

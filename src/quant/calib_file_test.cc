#include "quant/calib_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "base/json.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

// A folder that goes away with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / fmt::format("fye-calib-{}", getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

Calib example() {
  Calib calib;
  calib.graph_sha256 = "abc";
  calib.method = "honest";
  calib.pictures = "123";
  calib.tensors["in"] = {1, 0};
  calib.tensors["half"] = {0.1f, 128};
  calib.scale16["half"] = 0.003f;
  calib.weights["conv"] = {{0.5f, 0.25f}, {1, -2, 127, -128, 0, 3}, {-0.75f, 0}};
  return calib;
}

void expect_equal(const Calib& a, const Calib& b) {
  EXPECT_EQ(a.graph_sha256, b.graph_sha256);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.pictures, b.pictures);
  EXPECT_EQ(a.tensors, b.tensors);
  EXPECT_EQ(a.scale16, b.scale16);
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (const auto& [name, weight] : a.weights) {
    ASSERT_TRUE(b.weights.contains(name)) << name;
    EXPECT_EQ(weight.scale, b.weights.at(name).scale);
    EXPECT_EQ(weight.values, b.weights.at(name).values);
    EXPECT_EQ(weight.bias, b.weights.at(name).bias);
  }
}

// Writes the example with one place of it changed, and reads that.
Result<Calib> read_changed(const std::function<void(Json&)>& change, const std::string& sha = "abc") {
  const Folder folder;
  EXPECT_TRUE(write_calib(folder / "calib.json", example()));
  auto json = read_json(folder / "calib.json");
  EXPECT_TRUE(json);
  change(*json);
  EXPECT_TRUE(write_json(folder / "calib.json", *json));
  return read_calib(folder / "calib.json", sha);
}

void expect_refused(const std::function<void(Json&)>& change, const std::string& says) {
  const auto result = read_changed(change);
  ASSERT_FALSE(result) << says;
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().what, HasSubstr("calib.json"));
  EXPECT_THAT(result.error().what, HasSubstr(says));
}

TEST(CalibFile, RoundTrip) {
  const auto result = read_changed([](Json&) {});
  ASSERT_TRUE(result) << result.error().text();
  expect_equal(*result, example());
}

// Files from before int8r16 have none.
TEST(CalibFile, SixteenBitScalesMayBeMissingButNotWrong) {
  const auto without = read_changed([](Json& json) { json["tensors"]["half"].erase("scale16"); });
  ASSERT_TRUE(without) << without.error().text();
  EXPECT_TRUE(without->scale16.empty());
  EXPECT_EQ(without->tensors, example().tensors);
  const Json wrong[] = {0, -1, "0.5", nullptr, 1e60};
  for (const Json& value : wrong)
    expect_refused([&](Json& json) { json["tensors"]["half"]["scale16"] = value; }, "\"half\", scale16");
}

TEST(CalibFile, AnyGraphWhenNoneIsNamed) {
  EXPECT_TRUE(read_changed([](Json&) {}, ""));
}

TEST(CalibFile, FloatsAreWrittenShort) {
  const Folder folder;
  ASSERT_TRUE(write_calib(folder / "calib.json", example()));
  const auto text = read_file(folder / "calib.json", 1 << 20);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("\"scale\": 0.1,"));
}

RC_GTEST_PROP(CalibFile, EveryFloatAndByteComesBack, ()) {
  const int channels = *rc::gen::inRange(1, 5), rest = *rc::gen::inRange(1, 9);
  const auto any_float = rc::gen::map(rc::gen::arbitrary<uint32_t>(), [](uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, 4);
    return std::isfinite(value) ? value : 1.5f;
  });
  const auto any_scale = rc::gen::map(any_float, [](float x) { return x == 0 ? 1.0f : std::fabs(x); });
  Calib calib;
  calib.tensors["t\n\"\xc3\xa9"] = {*any_scale, *rc::gen::inRange(0, 256)};
  auto& weight = calib.weights["w"];
  weight.scale = *rc::gen::container<std::vector<float>>(size_t(channels), any_scale);
  weight.bias = *rc::gen::container<std::vector<float>>(size_t(channels), any_float);
  weight.values =
      *rc::gen::container<std::vector<int8_t>>(size_t(channels * rest), rc::gen::arbitrary<int8_t>());
  const Folder folder;
  RC_ASSERT(write_calib(folder / "calib.json", calib).ok());
  const auto back = read_calib(folder / "calib.json", "");
  RC_ASSERT(back.ok());
  RC_ASSERT(back->tensors == calib.tensors);
  RC_ASSERT(back->weights.at("w").scale == weight.scale);
  RC_ASSERT(back->weights.at("w").bias == weight.bias);
  RC_ASSERT(back->weights.at("w").values == weight.values);
}

TEST(CalibFile, RefusesWrongVersion) {
  expect_refused([](Json& j) { j["version"] = 2; }, "version");
  expect_refused([](Json& j) { j["version"] = "1"; }, "version");
  expect_refused([](Json& j) { j["version"] = 1.5; }, "version");
  expect_refused([](Json& j) { j.erase("version"); }, "version");
}

TEST(CalibFile, RefusesAnotherGraph) {
  expect_refused([](Json& j) { j["graph"] = "def"; }, "another model");
  expect_refused([](Json& j) { j["graph"] = 7; }, "graph");
  expect_refused([](Json& j) { j.erase("graph"); }, "graph");
}

TEST(CalibFile, RefusesBadTensors) {
  expect_refused([](Json& j) { j["tensors"]["half"]["scale"] = -0.1; }, "tensor \"half\"");
  expect_refused([](Json& j) { j["tensors"]["half"]["scale"] = 0; }, "above 0");
  expect_refused([](Json& j) { j["tensors"]["half"]["scale"] = 1e-60; }, "above 0");
  expect_refused([](Json& j) { j["tensors"]["half"]["scale"] = 1e60; }, "finite");
  expect_refused([](Json& j) { j["tensors"]["half"]["scale"] = nullptr; }, "number");
  expect_refused([](Json& j) { j["tensors"]["half"]["scale"] = "0.1"; }, "number");
  expect_refused([](Json& j) { j["tensors"]["half"].erase("scale"); }, "scale");
  expect_refused([](Json& j) { j["tensors"]["half"]["zero"] = 256; }, "0..255");
  expect_refused([](Json& j) { j["tensors"]["half"]["zero"] = -1; }, "0..255");
  expect_refused([](Json& j) { j["tensors"]["half"]["zero"] = 18446744073709551615u; }, "0..255");
  expect_refused([](Json& j) { j["tensors"]["half"]["zero"] = 1.5; }, "whole");
  expect_refused([](Json& j) { j["tensors"]["half"].erase("zero"); }, "zero");
  expect_refused([](Json& j) { j["tensors"]["half"]["type"] = "s4"; }, "s4");
  expect_refused([](Json& j) { j["tensors"]["half"].erase("type"); }, "type");
  expect_refused([](Json& j) { j["tensors"]["half"] = 3; }, "not an object");
  expect_refused([](Json& j) { j["tensors"] = Json::array(); }, "tensors");
  expect_refused([](Json& j) { j.erase("tensors"); }, "tensors");
}

TEST(CalibFile, RefusesBadWeights) {
  expect_refused([](Json& j) { j["weights"]["conv"]["scale"][1] = 0; }, "scale[1]");
  expect_refused([](Json& j) { j["weights"]["conv"]["scale"][0] = -1; }, "weights of \"conv\"");
  expect_refused([](Json& j) { j["weights"]["conv"]["scale"] = 1; }, "not a list");
  expect_refused([](Json& j) { j["weights"]["conv"]["scale"] = Json::array(); }, "no output channels");
  expect_refused([](Json& j) { j["weights"]["conv"]["bias"][1] = nullptr; }, "bias[1]");
  expect_refused([](Json& j) { j["weights"]["conv"]["bias"].push_back(1); }, "2 scales, but 3 biases");
  expect_refused([](Json& j) { j["weights"]["conv"].erase("bias"); }, "bias");
  expect_refused([](Json& j) { j["weights"]["conv"]["values"] = "Af5/gAA"; }, "base64");
  expect_refused([](Json& j) { j["weights"]["conv"]["values"] = "Af5/gAA="; }, "5 weights");
  expect_refused([](Json& j) { j["weights"]["conv"]["values"] = ""; }, "0 weights");
  expect_refused([](Json& j) { j["weights"]["conv"]["values"] = 5; }, "values");
  expect_refused([](Json& j) { j["weights"]["conv"] = nullptr; }, "not an object");
  expect_refused([](Json& j) { j["weights"] = 0; }, "weights");
}

TEST(CalibFile, RefusesWhatIsNoCalib) {
  const Folder folder;
  EXPECT_FALSE(read_calib(folder / "absent.json", ""));
  for (const char* text :
       {"", "{", "[]", "3", "null", "{}", "{\"version\":1}", "{\"version\":1,\"graph\":\"abc\"}"}) {
    ASSERT_TRUE(write_file(folder / "bad.json", text));
    const auto result = read_calib(folder / "bad.json", "");
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
    EXPECT_THAT(result.error().what, HasSubstr("bad.json"));
  }
}

TEST(CalibFile, NothingIsLeftWhereTheFolderIsMissing) {
  const Folder folder;
  EXPECT_FALSE(write_calib(folder / "no" / "calib.json", example()));
  EXPECT_FALSE(std::filesystem::exists(folder / "no"));
}

}  // namespace
}  // namespace fye

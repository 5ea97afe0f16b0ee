// Faults put into a network's maps while it runs: none gets into a picture or a file. Pictures that may be
// flat or black: they pass.
#include "runtime/guard.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/testing_sanitized.h"
#include "execute/testing_graphs.h"
#include "image/testing_pictures.h"
#include "runtime/suspects.h"
#include "runtime/upscale_rows.h"
#include "runtime/upscale_state.h"

namespace fye {
namespace {

constexpr int kFaults = testing::kSanitized ? 50 : 1000;

const Model& real_model() {
  static const Model model = [] {
    auto read = load_model(FYE_SOURCE_DIR "/models/abpn_x2.onnx");
    EXPECT_TRUE(read) << (read ? "" : read.error().text());
    return read ? *std::move(read) : Model{};
  }();
  return model;
}

// As much as a photograph: shades, edges, fine texture.
Picture scene(int width, int height, unsigned seed) {
  Picture picture(width, height, 3);
  std::mt19937 random(seed);
  size_t at = 0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const bool inside = (x / 13 + y / 9) % 3 == c % 2;
        const int v = 60 + (x + 2 * y) * 80 / (width + height) + (inside ? 60 : 0) + int(random() % 24);
        picture.u8()[at++] = uint8_t(v);
      }
  return picture;
}

enum class Kind { nan, infinite, zero, constant, saturated };

// What happens to the rows of one node's output inside a region of input pixels.
struct Fault {
  int node = 0;
  Region region;
  Kind kind = Kind::zero;
  int picture_height = 0, picture_width = 0;
  MapSize size;  // of the node's output
  int hits = 0;  // values changed

  template <class T>
  void fill(const Map& map, T value) {
    const int top = region.y * size.height / picture_height,
              bottom = (region.y + region.h) * size.height / picture_height;
    const int left = region.x * size.width / picture_width,
              right = (region.x + region.w) * size.width / picture_width;
    for (int y = std::max(top, map.region.y); y < std::min(bottom, map.region.y + map.region.h); ++y)
      for (int x = std::max(left, map.region.x); x < std::min(right, map.region.x + map.region.w); ++x)
        for (int c = 0; c < map.channels; ++c, ++hits) map.at<T>(y, x)[c] = value;
  }

  void operator()(int at, const Map& map) {
    if (at != node) return;
    const float f = kind == Kind::nan        ? std::numeric_limits<float>::quiet_NaN()
                    : kind == Kind::infinite ? std::numeric_limits<float>::infinity()
                    : kind == Kind::zero     ? 0.f
                    : kind == Kind::constant ? 37.5f
                                             : 1e6f;
    if (map.type == DType::f32)
      fill<float>(map, f);
    else if (map.type == DType::bf16)
      fill<uint16_t>(map, uint16_t(std::bit_cast<uint32_t>(f) >> 16));
    else if (map.type == DType::u8)
      fill<uint8_t>(map, uint8_t(kind == Kind::zero ? map.quant.zero : kind == Kind::constant ? 99 : 255));
    else
      fill<int16_t>(map, int16_t(kind == Kind::zero ? 0 : kind == Kind::constant ? 1234 : 32767));
  }
};

// The largest mean distance of any patch.
float worst_patch(const Picture& a, const Picture& b, int scale) {
  const auto rows = [](const Picture& p) {
    return PixelRows{const_cast<uint8_t*>(p.u8()), 0, p.height, p.width, p.channels, p.bits};
  };
  const int cell = kGuardCell * scale;
  float worst = 0;
  for (int y = 0; y < a.height; y += cell)
    for (int x = 0; x < a.width; x += cell)
      worst = std::max(worst, difference(rows(a), rows(b),
                                         {y, x, std::min(cell, a.height - y), std::min(cell, a.width - x)}));
  return worst;
}

TEST(Guard, OfAThousandFaultsNoneGetsIntoAFile) {
  const Model& model = real_model();
  const testing::Folder folder;
  const Picture in = scene(112, 72, 5);
  ASSERT_TRUE(write_picture(in, folder / "in.png"));
  const auto shapes = infer_shapes(model.graph, {{1, 3, in.height, in.width}});
  ThreadPool threads(1);
  std::mt19937 random(11);
  const auto below = [&](int n) { return int(random() % unsigned(n)); };
  std::map<std::string, int> found;
  float worst = 0;
  const std::vector<Numbers> formats = [] {
    std::vector<Numbers> all;
    for (const Processor* p : processors(active_isa()))
      if (p->name() != "null") all.push_back(p->numbers());
    return all;
  }();
  std::map<Numbers, Picture> clean;
  Fault fault;
  std::map<std::pair<Numbers, bool>, Upscaler> upscalers;
  for (int i = 0; i < kFaults; ++i) {
    const Numbers numbers = formats[size_t(i) % formats.size()];
    const int way = below(3);  // bands, tiles, rows of a file
    if (!clean.contains(numbers)) {
      auto run = Upscaler::create(model, {.numbers = numbers}, threads)->run(in);
      ASSERT_TRUE(run);
      EXPECT_EQ(run->report.suspected, 0);
      clean[numbers] = std::move(run->picture);
    }
    auto found_one = upscalers.find({numbers, way == 1});
    if (found_one == upscalers.end()) {
      auto made = Upscaler::create(model, {.numbers = numbers, .tile = way == 1 ? 48 : 0}, threads);
      ASSERT_TRUE(made);
      found_one = upscalers.emplace(std::pair(numbers, way == 1), *std::move(made)).first;
      found_one->second.state().tamper = [&](int node, const Map& map) { fault(node, map); };
    }
    Upscaler& upscaler = found_one->second;
    const bool is_float = storage(numbers) != DType::u8;
    fault = {.node = below(int(model.graph.nodes.size())),
             .region = {},
             .kind = Kind(is_float ? below(5) : 2 + below(3)),
             .picture_height = in.height,
             .picture_width = in.width,
             .size = {}};
    fault.size = map_size((*shapes)[size_t(model.graph.nodes[size_t(fault.node)].output)]);
    // What isn't finite may be small; what is flat covers a point of the guard's grid, with what the layers
    // behind eat away at its edges.
    const bool small = fault.kind == Kind::nan || fault.kind == Kind::infinite;
    const int least_w = small ? 4 : 56, least_h = small ? 4 : 48;
    fault.region.w = least_w + below(in.width - least_w + 1);
    fault.region.h = least_h + below(in.height - least_h + 1);
    fault.region.x = below(in.width - fault.region.w + 1);
    fault.region.y = below(in.height - fault.region.h + 1);

    Picture out;
    UpscaleReport report;
    Status status;
    if (way == 2) {
      Upscaler::State& s = upscaler.state();
      auto reader = RowReader::open(folder / "in.png");
      UpscaleReport placed;
      const auto placement = s.placement_for(8, placed);
      const auto run = upscale_rows(
          s, *std::move(reader),
          {folder / "in.png", folder / "out.png", {}, {2 * in.width, 2 * in.height, 3, 8}, *placement},
          placed);
      if (run) {
        out = *read_picture(folder / "out.png");
        report = run->upscale;
      } else {
        status = run.error();
      }
    } else {
      auto run = upscaler.run(in);
      if (run) {
        out = std::move(run->picture);
        report = run->report;
      } else {
        status = run.error();
      }
    }
    const std::string what = std::string(name(numbers)) + " node " + std::to_string(fault.node) + " kind " +
                             std::to_string(int(fault.kind)) + " way " + std::to_string(way) + " region " +
                             std::to_string(fault.region.w) + "x" + std::to_string(fault.region.h);
    ASSERT_GT(fault.hits, 0) << what;
    ASSERT_TRUE(status) << what << ": " << status.error().text();  // float is sound, so nothing is refused
    const float away = worst_patch(out, clean[numbers], model.conventions.scale);
    worst = std::max(worst, away);
    EXPECT_LT(away, 4) << away << " " << what << " repaired " << report.repaired;
    found[report.repaired > 0 ? "repaired" : "harmless"]++;
    if (report.repaired > 0) {
      ASSERT_FALSE(report.notices.empty());
      EXPECT_TRUE(testing::contains(report.notices[0], "computed again in float")) << report.notices[0];
      EXPECT_TRUE(testing::contains(report.notices[0], "layer \"")) << report.notices[0];
    }
  }
  std::printf("worst patch: %.2f levels from the run without fault\n", double(worst));
  EXPECT_EQ(found["repaired"] + found["harmless"], kFaults);
}

// The same fault in float too: there is nothing to put in its place.
TEST(Guard, WhatIsBrokenInFloatTooIsRefusedAndNoFileAppears) {
  const Model& model = real_model();
  const testing::Folder folder;
  const Picture in = scene(100, 90, 3);
  ASSERT_TRUE(write_picture(in, folder / "in.png"));
  ThreadPool threads(2);
  for (const Kind kind : {Kind::nan, Kind::zero, Kind::constant}) {
    const int last = int(model.graph.nodes.size()) - 1;
    Fault fault{.node = last,
                .region = {0, 0, 90, 100},
                .kind = kind,
                .picture_height = 90,
                .picture_width = 100,
                .size = {180, 200, 3}};
    auto upscaler = Upscaler::create(model, {.numbers = Numbers::f32}, threads);
    Upscaler::State& s = upscaler->state();
    // Everywhere, also in the smaller pictures of repairs.
    s.tamper = [&](int node, const Map& map) {
      fault.picture_height = fault.size.height = map.region.y + map.region.h;
      fault.picture_width = fault.size.width = map.region.x + map.region.w;
      fault.region = {0, 0, fault.picture_height, fault.picture_width};
      fault(node, map);
    };
    s.tamper_again = true;
    const auto whole = upscaler->run(in);
    ASSERT_FALSE(whole);
    EXPECT_EQ(whole.error().code, ErrorCode::bad_input);
    EXPECT_TRUE(testing::contains(whole.error().what, "in float too")) << whole.error().what;
    UpscaleReport placed;
    const auto placement = s.placement_for(8, placed);
    const auto rows =
        upscale_rows(s, *RowReader::open(folder / "in.png"),
                     {folder / "in.png", folder / "out.png", {}, {200, 180, 3, 8}, *placement}, placed);
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().what, whole.error().what);
    EXPECT_EQ(folder.files(), 1u);
  }
}

// A quarter of the picture at a time is one colour, or all of it.
TEST(Guard, PicturesThatAreFlatOrBlackPassUntouched) {
  const Model& model = real_model();
  ThreadPool threads(2);
  for (const Numbers numbers : {Numbers::f32, Numbers::int8})
    for (const int colour : {0, 128, 255})
      for (const int part : {0, 1, 2, 3})
        for (const int channels : {1, 3, 4}) {
          const Picture from = scene(96, 80, 9);
          Picture in(96, 80, channels);
          for (int y = 0; y < 80; ++y)
            for (int x = 0; x < 96; ++x)
              for (int c = 0; c < channels; ++c) {
                const bool plain = part == 0 || (part == 1 && x < 48) || (part == 2 && y >= 40) ||
                                   (part == 3 && (x - 48) * (x - 48) + (y - 40) * (y - 40) < 900);
                in.u8()[(y * 96 + x) * channels + c] = c == 3  ? 255
                                                       : plain ? uint8_t(colour)
                                                               : from.u8()[(y * 96 + x) * 3 + c];
              }
          auto upscaler = Upscaler::create(model, {.numbers = numbers}, threads);
          const auto guarded = upscaler->run(in);
          ASSERT_TRUE(guarded) << guarded.error().text();
          upscaler->state().unguarded = true;
          EXPECT_EQ(guarded->picture.bytes, upscaler->run(in)->picture.bytes) << colour << " " << part;
          EXPECT_EQ(guarded->report.repaired, 0);
        }
}

// Enlarges by repeating pixels, and makes of each sample v: gain * v + bias.
Model recolour(float gain, float bias) {
  Graph graph;
  graph.tensors = {{"input", {1, 3, -1, -1}}, {"wide", {1, 12, -1, -1}}, {"output", {1, 3, -1, -1}}};
  Constant weight{{12, 3, 1, 1}, {}};
  for (int o = 0; o < 12; ++o)
    for (int i = 0; i < 3; ++i) weight.values.push_back(o % 3 == i ? gain : 0.f);
  graph.constants = {weight, {{12}, std::vector<float>(12, bias)}};
  graph.nodes.push_back({"conv", {0}, 1, Conv{.weight = 0, .bias = 1}});
  graph.nodes.push_back({"shuffle", {1}, 2, DepthToSpace{2, false}});
  graph.inputs = {0};
  graph.outputs = {2};
  Model model{.name = "recolour", .graph = graph, .conventions = {}, .calib = {}};
  model.conventions.scale = 2;
  model.calib = testing::made_up_calib(model.graph);
  for (auto& [name, quant] : model.calib->tensors) quant = {1, 0};
  return model;
}

TEST(Guard, ANetworkThatChangesColoursOnPurposeIsLeftAlone) {
  const Model negative = recolour(-1, 255);
  const Picture in = scene(200, 150, 2);
  ThreadPool threads(2);
  for (const Numbers numbers : {Numbers::f32, Numbers::int8}) {
    auto upscaler = Upscaler::create(negative, {.numbers = numbers}, threads);
    const auto out = upscaler->run(in);
    ASSERT_TRUE(out) << out.error().text();
    EXPECT_EQ(out->report.repaired, 0);
    for (size_t x = 0; x < 400; ++x) ASSERT_NEAR(out->picture.u8()[x * 3], 255 - in.u8()[x / 2 * 3], 1);
  }
}

// int8 has no NaN: scales that don't fit saturate whole parts. Float is right there.
TEST(Guard, Int8ThatSaturatesIsReplacedByFloatAndSaid) {
  Model model = recolour(1, 0);
  for (auto& [name, quant] : model.calib->tensors)
    if (name != "input") quant = {0.2f, 0};  // 255 levels reach 51
  Picture in = scene(128, 96, 4);
  ThreadPool threads(2);
  const auto f32 = Upscaler::create(model, {.numbers = Numbers::f32}, threads)->run(in);
  for (const int tile : {0, 48}) {
    const auto out = Upscaler::create(model, {.numbers = Numbers::int8, .tile = tile}, threads)->run(in);
    ASSERT_TRUE(out) << out.error().text();
    EXPECT_EQ(out->picture.bytes, f32->picture.bytes);
    EXPECT_EQ(out->report.repaired, 12);
    ASSERT_EQ(out->report.notices.size(), 6u);
    EXPECT_EQ(out->report.notices[0].substr(0, 50), "a part of 32x32 pixels at 0,0 came out flat from l")
        << out->report.notices[0];
    EXPECT_EQ(out->report.notices[5], "and 7 more parts were computed again in float");
  }
}

TEST(Suspects, APatchOfTheStatedSizeIsFoundWhereverItLies) {
  const Picture in = scene(160, 120, 6);
  const PixelRows rows{const_cast<uint8_t*>(in.u8()), 0, 120, 160, 3, 8};
  for (const int scale : {1, 2, 3})
    for (int y = 0; y + 32 <= 120; y += 11)
      for (int x = 0; x + 40 <= 160; x += 9) {
        Picture map(160 * scale, 120 * scale, 3);
        for (size_t i = 0; i < map.bytes.size(); ++i) map.bytes[i] = uint8_t(i * 131 >> 3);
        Map seen{.type = DType::u8,
                 .channels = 3,
                 .pitch = 3,
                 .region = {0, 0, 120 * scale, 160 * scale},
                 .row_bytes = 160 * scale * 3,
                 .origin = reinterpret_cast<std::byte*>(map.u8())};
        std::vector<Suspect> suspects;
        find_suspects(0, seen, 120 * scale, 160 * scale, rows, 120, kGuardCell, false, suspects);
        ASSERT_TRUE(suspects.empty());
        for (int my = y * scale; my < (y + 32) * scale; ++my)
          for (int mx = x * scale; mx < (x + 40) * scale; ++mx)
            for (int c = 0; c < 3; ++c) map.u8()[(my * 160 * scale + mx) * 3 + c] = 77;
        find_suspects(0, seen, 120 * scale, 160 * scale, rows, 120, kGuardCell, false, suspects);
        ASSERT_FALSE(suspects.empty()) << scale << " " << y << " " << x;
        for (const Suspect& s : suspects) {
          EXPECT_GE(s.region.y, y);
          EXPECT_LE(s.region.y + s.region.h, y + 32);
          EXPECT_FALSE(s.broken);
        }
      }
}

TEST(Suspects, NotFiniteInEitherFloatFormat) {
  for (const DType type : {DType::f32, DType::bf16})
    for (const float value : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN(), 3e38f, 0.f, -1.f}) {
      std::vector<float> f(12, 1.f);
      std::vector<uint16_t> b(12, 0x3f80);
      f[7] = value;
      b[7] = uint16_t(std::bit_cast<uint32_t>(value) >> 16);
      Map map{.type = type,
              .channels = 3,
              .pitch = 3,
              .region = {0, 0, 2, 2},
              .row_bytes = 6 * size_of(type),
              .origin = type == DType::f32 ? reinterpret_cast<std::byte*>(f.data())
                                           : reinterpret_cast<std::byte*>(b.data())};
      EXPECT_EQ(all_finite(map), std::isfinite(value)) << value;
    }
}

}  // namespace
}  // namespace fye

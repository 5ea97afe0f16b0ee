// Picture files enlarged row by row against the whole picture's way; what must be refused, and that nothing
// is left of it.
#include "runtime/upscale_file.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <regex>

#include "base/memory.h"
#include "execute/testing_graphs.h"
#include "image/testing_pictures.h"
#include "runtime/upscale_rows.h"
#include "runtime/upscale_state.h"

namespace fye {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::Folder;

Model small_model(int scale) {
  Model model{.name = "test", .graph = testing::small_abpn(scale), .conventions = {}, .calib = {}};
  model.conventions.scale = scale;
  model.calib = testing::made_up_calib(model.graph);
  return model;
}

Result<FileReport> by_rows(Upscaler& upscaler, const fs::path& in, const fs::path& out,
                           const FileOptions& options = {}) {
  Upscaler::State& s = upscaler.state();
  auto reader = RowReader::open(in, options.limits);
  if (!reader) return reader.error();
  const RowFormat rows = reader->format();
  UpscaleReport report;
  const auto placement = s.placement_for(rows.bits, report);
  if (!placement) return placement.error();
  const RowFormat larger{rows.width * s.scale(), rows.height * s.scale(), rows.channels, rows.bits};
  return upscale_rows(s, *std::move(reader), {in, out, options, larger, *placement}, report);
}

RC_GTEST_PROP(UpscaleFile, RowsAreEqualToTheWholePicture, ()) {
  const Folder folder;
  const Model model = small_model(*rc::gen::inRange(2, 4));
  const int channels = *rc::gen::inRange(1, 5), bits = *rc::gen::element(8, 16);
  Picture picture = testing::noise(*rc::gen::inRange(1, 80), *rc::gen::inRange(1, 120), channels, bits,
                                   *rc::gen::arbitrary<unsigned>());
  if (picture.has_alpha())  // something hidden, something visible
    for (size_t i = size_t(channels) - 1; i < picture.samples() / 2; i += size_t(channels))
      bits == 8 ? void(picture.u8()[i] = 0) : void(picture.u16()[i] = 0);
  picture.metadata.xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>";
  const std::string in = *rc::gen::element<std::string>("in.png", "in.tif", "in.webp", "in.jpg");
  const std::string extension = *rc::gen::element<std::string>(".png", ".tif", ".webp", ".jpg");
  RC_ASSERT(write_picture(picture, folder / in, {.quality = 100}).ok());

  UpscaleOptions options;
  options.numbers = *rc::gen::element(Numbers::f32, Numbers::int8, Numbers::int8r16);
  options.scale = *rc::gen::element(0, 1, 5);
  ThreadPool threads(*rc::gen::inRange(1, 4));
  auto upscaler = Upscaler::create(model, options, threads);
  RC_ASSERT(upscaler.ok());
  FileOptions file;
  if (*rc::gen::arbitrary<bool>()) file.metadata = [](Metadata& metadata) { metadata = {}; };
  const auto whole = upscale_file(*upscaler, folder / in, folder / ("whole" + extension), file);
  const auto rows = by_rows(*upscaler, folder / in, folder / ("rows" + extension), file);
  RC_ASSERT(whole.ok());
  RC_ASSERT(rows.ok());
  RC_ASSERT(!whole->streamed);
  RC_ASSERT(rows->streamed);
  RC_ASSERT(rows->width == whole->width);
  RC_ASSERT(rows->height == whole->height);
  RC_ASSERT(rows->channels == whole->channels);
  RC_ASSERT(rows->bits == whole->bits);
  RC_ASSERT(rows->upscale.numbers == whole->upscale.numbers);
  RC_ASSERT(rows->upscale.notices == whole->upscale.notices);
  if (extension != ".jpg")
    RC_ASSERT(testing::load(folder / ("rows" + extension)) == testing::load(folder / ("whole" + extension)));
  RC_ASSERT(read_picture(folder / ("rows" + extension))->bytes ==
            read_picture(folder / ("whole" + extension))->bytes);
  RC_ASSERT(read_picture(folder / ("rows" + extension))->metadata.xmp.empty() == bool(file.metadata));
  RC_ASSERT(folder.files() == 3u);
}

// Changes nothing.
Model identity() {
  Graph graph;
  graph.tensors = {{"input", {1, 3, -1, -1}}, {"output", {1, 3, -1, -1}}};
  graph.constants = {{{3, 3, 1, 1}, {1, 0, 0, 0, 1, 0, 0, 0, 1}}, {{3}, {0, 0, 0}}};
  graph.nodes.push_back({"conv", {0}, 1, Conv{.weight = 0, .bias = 1}});
  graph.inputs = {0};
  graph.outputs = {1};
  Model model{.name = "identity", .graph = graph, .conventions = {.scale = 1}, .calib = {}};
  model.calib = testing::made_up_calib(model.graph);
  for (auto& [name, quant] : model.calib->tensors) quant = {1, 0};
  return model;
}

// 24 megapixels, 72 MB: whole it takes three times as much.
class Large : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new Folder;
    Picture picture(6000, 4000, 3);
    for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = uint8_t(i % 251 + i / 18000 % 5);
    ASSERT_TRUE(write_picture(picture, *folder_ / "large.png"));
  }
  static void TearDownTestSuite() { delete folder_; }

  Result<FileReport> up(int64_t memory, const fs::path& out, UpscaleOptions options = {}) {
    static const Model model = identity();
    ThreadPool threads(2);
    options.numbers = Numbers::int8;
    options.memory_bytes = memory;
    auto upscaler = Upscaler::create(model, options, threads);
    EXPECT_TRUE(upscaler);
    return upscale_file(*upscaler, *folder_ / "large.png", out);
  }
  static Folder* folder_;
};
Folder* Large::folder_ = nullptr;

TEST_F(Large, StreamsWhereTheBudgetAsksForItAndNamesTheLeast) {
  const auto whole = up(0, *folder_ / "whole.png");
  ASSERT_TRUE(whole) << whole.error().text();
  EXPECT_FALSE(whole->streamed);
  const auto refused = up(resident_bytes(), *folder_ / "refused.png");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resources);
  EXPECT_FALSE(fs::exists(*folder_ / "refused.png"));
  std::smatch found;
  const std::string hint = refused.error().hint;
  ASSERT_TRUE(std::regex_search(hint, found, std::regex("--mem (\\d+)M is the least"))) << hint;
  const int64_t least = std::stoll(found[1]) * 1'000'000;
  EXPECT_LT(least - resident_bytes(), 60'000'000);
  const auto rows = up(least, *folder_ / "rows.png");
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_TRUE(rows->streamed);
  EXPECT_EQ(testing::load(*folder_ / "rows.png"), testing::load(*folder_ / "whole.png"));
}

TEST_F(Large, WebpMustBeHeldWhole) {
  const auto refused = up(resident_bytes() + 80'000'000, *folder_ / "refused.webp");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resources);
  EXPECT_TRUE(contains(refused.error().what, "a WebP has to be written whole")) << refused.error().what;
}

TEST_F(Large, StoppedHalfWayNothingIsLeft) {
  const size_t before = folder_->files();
  int asked = 0;
  UpscaleOptions options;
  options.stop = [&] { return ++asked == 5; };
  for (const bool rows : {false, true}) {
    asked = 0;
    const auto stopped = up(rows ? resident_bytes() + 70'000'000 : 0, *folder_ / "stopped.png", options);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::interrupted);
    EXPECT_EQ(asked, 5);
  }
  EXPECT_EQ(folder_->files(), before);
}

TEST_F(Large, FullDiskInMidStreamLeavesNothing) {
  const size_t before = folder_->files();
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto full = up(resident_bytes() + 70'000'000, *folder_ / "full.png");
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::resources);
  EXPECT_TRUE(contains(full.error().what, "full.png")) << full.error().what;
  EXPECT_EQ(folder_->files(), before);
}

// Red all over: what varies is one pixel's colours, not the picture.
TEST(UpscaleFile, APictureOfOneColourMayStayOne) {
  const Folder folder;
  Picture red(300, 500, 3);
  for (size_t i = 0; i < red.bytes.size(); i += 3) red.bytes[i] = 255;
  ASSERT_TRUE(write_picture(red, folder / "red.png"));
  const Model model = identity();
  ThreadPool threads(2);
  auto upscaler = Upscaler::create(model, {.numbers = Numbers::f32}, threads);
  ASSERT_TRUE(upscaler);
  const auto whole = upscale_file(*upscaler, folder / "red.png", folder / "whole.png");
  ASSERT_TRUE(whole) << whole.error().text();
  const auto rows = by_rows(*upscaler, folder / "red.png", folder / "rows.png", {});
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(read_picture(folder / "whole.png")->bytes, red.bytes);
  EXPECT_EQ(read_picture(folder / "rows.png")->bytes, red.bytes);
}

TEST(UpscaleFile, DamageFoundInMidStreamLeavesNothing) {
  const Folder folder;
  ASSERT_TRUE(write_picture(testing::noise(300, 500, 3, 8, 5), folder / "in.png"));
  std::string bytes = testing::load(folder / "in.png");
  const size_t chunk = bytes.find("IDAT", bytes.size() / 2) + 8;
  for (size_t i = 0; i < 4000; ++i) bytes[chunk + i] = char(i * 37);
  testing::store(folder / "in.png", bytes);
  testing::store(folder / "out.png", "old");
  const Model model = small_model(2);
  ThreadPool threads(2);
  auto upscaler = Upscaler::create(model, {.numbers = Numbers::f32}, threads);
  const auto broken = by_rows(*upscaler, folder / "in.png", folder / "out.png");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::bad_input);
  EXPECT_TRUE(contains(broken.error().what, "in.png")) << broken.error().what;
  EXPECT_EQ(testing::load(folder / "out.png"), "old");
  EXPECT_EQ(folder.files(), 2u);
}

TEST(UpscaleFile, InPlaceAndRefusals) {
  const Folder folder;
  const Picture picture = testing::noise(40, 30, 3, 8, 5);
  ASSERT_TRUE(write_picture(picture, folder / "p.png"));
  const Model model = small_model(2);
  ThreadPool threads(2);
  auto upscaler = Upscaler::create(model, {.numbers = Numbers::f32}, threads);
  ASSERT_TRUE(upscale_file(*upscaler, folder / "p.png", folder / "whole.png"));
  for (const char* out : {"p.gif", "no/p.png"}) {
    EXPECT_FALSE(upscale_file(*upscaler, folder / "p.png", folder / out)) << out;
    EXPECT_FALSE(by_rows(*upscaler, folder / "p.png", folder / out)) << out;
  }
  EXPECT_FALSE(upscale_file(*upscaler, folder / "none.png", folder / "q.png"));
  EXPECT_FALSE(upscale_file(*upscaler, folder / "p.png", folder / "q.png",
                            {.write = {}, .limits = {.pixels = 100}, .metadata = {}}));
  EXPECT_FALSE(upscale_file(*upscaler, folder / "p.png", folder / "q.jpg",
                            {.write = {.quality = 0}, .limits = {}, .metadata = {}}));
  ASSERT_TRUE(by_rows(*upscaler, folder / "p.png", folder / "p.png"));
  EXPECT_EQ(testing::load(folder / "p.png"), testing::load(folder / "whole.png"));
}

}  // namespace
}  // namespace fye

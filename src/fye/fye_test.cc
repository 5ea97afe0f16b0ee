// The library through its public header alone: pixels in any row order, options that can't be, threads, times
// and plans.
#include "fye/fye.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kModels = fs::path(FYE_SOURCE_DIR) / "models";

struct Image {
  int width, height, channels, bits;
  std::vector<uint8_t> bytes;
  fye::Pixels pixels() const { return {bytes.data(), width, height, channels, bits, 0}; }
};

Image noise(int width, int height, int channels, int bits, unsigned seed = 1) {
  Image image{width, height, channels, bits,
              std::vector<uint8_t>(size_t(width * height * channels * (bits / 8)))};
  for (uint8_t& byte : image.bytes) byte = uint8_t((seed = seed * 1664525u + 1013904223u) >> 24);
  return image;
}

std::vector<uint8_t> bytes_of(const fye::Pixels& p) {
  const auto* begin = static_cast<const uint8_t*>(p.data);
  return {begin, begin + size_t(p.width) * size_t(p.height) * size_t(p.channels) * size_t(p.bits / 8)};
}

const fye::Model& model() {
  static const auto loaded = fye::Model::load((kModels / "abpn_x2.onnx").string());
  EXPECT_TRUE(loaded) << loaded.error().text();
  return *loaded;
}

std::vector<uint8_t> upscaled(const fye::Pixels& pixels, const fye::Options& options = {}) {
  auto upscaler = fye::Upscaler::create(model(), options);
  EXPECT_TRUE(upscaler) << upscaler.error().text();
  const auto large = upscaler->run(pixels);
  EXPECT_TRUE(large) << large.error().text();
  return bytes_of(large->picture.pixels());
}

fye::Error refusal(const fye::Pixels& pixels) {
  const auto copy = fye::Picture::copy(pixels);
  EXPECT_FALSE(copy);
  return copy ? fye::Error{} : copy.error();
}

fye::Error refusal(const fye::Options& options) {
  const auto upscaler = fye::Upscaler::create(model(), options);
  EXPECT_FALSE(upscaler);
  return upscaler ? fye::Error{} : upscaler.error();
}

RC_GTEST_PROP(Library, RowsMayLieAnywhere, ()) {
  const int width = *rc::gen::inRange(1, 20), height = *rc::gen::inRange(1, 20);
  const int channels = *rc::gen::inRange(1, 5), bits = *rc::gen::element(8, 16);
  const Image image = noise(width, height, channels, bits);
  const int row = width * channels * (bits / 8), step = row + *rc::gen::inRange(0, 9);
  const bool upwards = *rc::gen::arbitrary<bool>();
  std::vector<uint8_t> spread(size_t(step) * size_t(height), 0xee);
  for (int y = 0; y < height; ++y) {
    const int at = upwards ? height - 1 - y : y;
    std::memcpy(spread.data() + ptrdiff_t(at) * step, image.bytes.data() + ptrdiff_t(y) * row, size_t(row));
  }
  const uint8_t* first = spread.data() + (upwards ? ptrdiff_t(height - 1) * step : 0);
  const auto copy = fye::Picture::copy({first, width, height, channels, bits, upwards ? -step : step});
  RC_ASSERT(copy.ok());
  RC_ASSERT(bytes_of(copy->pixels()) == image.bytes);
}

TEST(Library, EnlargesEveryKindOfPicture) {
  for (const int bits : {8, 16})
    for (const int channels : {1, 2, 3, 4}) {
      auto upscaler = fye::Upscaler::create(model());
      const auto large = upscaler->run(noise(9, 7, channels, bits).pixels());
      ASSERT_TRUE(large) << large.error().text();
      const fye::Pixels p = large->picture.pixels();
      EXPECT_EQ(std::vector({p.width, p.height, p.channels, p.bits}), std::vector({18, 14, channels, bits}));
    }
}

TEST(Library, ThreadsAndTilesChangeNoByte) {
  const Image image = noise(70, 41, 3, 8);
  const auto usual = upscaled(image.pixels());
  EXPECT_EQ(upscaled(image.pixels(), {.threads = 1}), usual);
  EXPECT_EQ(upscaled(image.pixels(), {.threads = 3, .tile = 32}), usual);
}

TEST(Library, ThreadsMayShareAnUpscalerAndAModel) {
  const Image a = noise(33, 20, 3, 8, 1), b = noise(20, 33, 3, 8, 2);
  const auto of_a = upscaled(a.pixels()), of_b = upscaled(b.pixels());
  auto shared = fye::Upscaler::create(model());
  ASSERT_TRUE(shared);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        const bool first = (t + i) % 2 == 0;
        const auto large = shared->run((first ? a : b).pixels());
        ASSERT_TRUE(large);
        EXPECT_EQ(bytes_of(large->picture.pixels()), first ? of_a : of_b);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(Library, FilesKeepTheirPixels) {
  const fs::path file = fs::temp_directory_path() / ("fye_library_" + std::to_string(getpid()) + ".png");
  const Image image = noise(12, 5, 4, 16);
  const auto picture = fye::Picture::copy(image.pixels());
  const auto lost = picture->write(file);
  ASSERT_TRUE(lost) << lost.error().text();
  EXPECT_THAT(*lost, testing::IsEmpty());
  const auto again = fye::Picture::read(file);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(bytes_of(again->pixels()), image.bytes);
  fs::remove(file);
}

TEST(Library, StopEndsARun) {
  fye::Options options;
  options.stop = [] { return true; };
  auto upscaler = fye::Upscaler::create(model(), options);
  const auto large = upscaler->run(noise(40, 40, 3, 8).pixels());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, fye::ErrorCode::interrupted);
}

TEST(Library, WhatIsThrownInsideBecomesAnError) {
  const auto measured =
      fye::profile(model(), 16, 16, {.seconds = 1, .again = true, .progress = [](double) { throw 1; }});
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, fye::ErrorCode::internal);
}

TEST(Library, RefusesPixelsThatCantBe) {
  const Image image = noise(4, 4, 3, 8);
  const auto with = [&](auto change) {
    fye::Pixels pixels = image.pixels();
    change(pixels);
    return refusal(pixels);
  };
  const fye::Error all[] = {with([](fye::Pixels& p) { p.data = nullptr; }),
                            with([](fye::Pixels& p) { p.width = 0; }),
                            with([](fye::Pixels& p) { p.height = -4; }),
                            with([](fye::Pixels& p) { p.width = 65536; }),
                            with([](fye::Pixels& p) { p.width = p.height = 65535; }),
                            with([](fye::Pixels& p) { p.channels = 0; }),
                            with([](fye::Pixels& p) { p.channels = 5; }),
                            with([](fye::Pixels& p) { p.bits = 32; }),
                            with([](fye::Pixels& p) { p.row_bytes = 11; }),
                            with([](fye::Pixels& p) { p.row_bytes = -11; })};
  for (const fye::Error& error : all) EXPECT_EQ(error.code, fye::ErrorCode::usage) << error.text();
}

TEST(Library, RefusesOptionsThatCantBe) {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  for (const fye::Options& options :
       {fye::Options{.scale = 17}, fye::Options{.scale = -1}, fye::Options{.numbers = "int4"},
        fye::Options{.deadline_ms = 0.}, fye::Options{.deadline_ms = -1.}, fye::Options{.deadline_ms = nan},
        fye::Options{.deadline_ms = infinite}, fye::Options{.numbers = "f32", .deadline_ms = 5.},
        fye::Options{.book = "book.json"}, fye::Options{.threads = -1}, fye::Options{.threads = 1025},
        fye::Options{.tile = -1}, fye::Options{.tile = 65536}, fye::Options{.memory_bytes = -1}}) {
    const fye::Error error = refusal(options);
    EXPECT_EQ(error.code, fye::ErrorCode::usage) << error.text();
  }
}

TEST(Library, SaysWhatIsMissing) {
  const auto none = fye::Model::load("no_such_network");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().what, HasSubstr("no_such_network"));
  const auto gone = fye::Picture::read("no/such/picture.png");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, fye::ErrorCode::bad_input);
  auto upscaler = fye::Upscaler::create(model(), {.memory_bytes = 1000});
  const auto large = upscaler->run(noise(40, 40, 3, 8).pixels());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, fye::ErrorCode::resources);
}

TEST(Library, MovedFromObjectsSayIt) {
  auto picture = fye::Picture::copy(noise(4, 4, 3, 8).pixels());
  const fye::Picture taken = *std::move(picture);
  EXPECT_EQ(picture->pixels().data, nullptr);
  EXPECT_FALSE(picture->write("x.png"));
  auto first = fye::Upscaler::create(model());
  fye::Upscaler second = *std::move(first);
  EXPECT_TRUE(second.run(taken));
  EXPECT_FALSE(first->run(taken));
}

// Times, plans and a deadline, with a cache folder of their own.
TEST(Library, KeepsADeadlineByItsOwnPlans) {
  const fs::path cache = fs::temp_directory_path() / ("fye_library_cache_" + std::to_string(getpid()));
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string saved = before ? before : "";
  setenv("XDG_CACHE_HOME", cache.c_str(), 1);
  const auto unmeasured = fye::plan(model(), 24, 16, 1);
  EXPECT_FALSE(unmeasured);
  const auto times = fye::profile(model(), 24, 16, {.threads = 1, .seconds = 1});
  ASSERT_TRUE(times) << times.error().text();
  const auto kept = fye::profile(model(), 24, 16, {.threads = 1, .seconds = 1});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->whole_ms, times->whole_ms);  // not measured again
  const auto book = fye::plan(model(), 24, 16, 1);
  ASSERT_TRUE(book) << book.error().text();
  ASSERT_FALSE(book->entries.empty());
  const fye::Book::Entry& fastest = book->entries.front();
  EXPECT_EQ(fastest.processor.size(), book->units.size());
  EXPECT_EQ(book->at(fastest.ms / 2), nullptr);
  EXPECT_EQ(book->at(1e9), &book->entries.back());

  const Image image = noise(24, 16, 3, 8);
  auto relaxed = fye::Upscaler::create(model(), {.deadline_ms = 1e9, .threads = 1});
  const auto large = relaxed->run(image.pixels());
  ASSERT_TRUE(large) << large.error().text();
  EXPECT_FALSE(large->report.late);
  auto hopeless = fye::Upscaler::create(model(), {.deadline_ms = fastest.ms / 1e3, .threads = 1});
  const auto none = hopeless->run(image.pixels());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, fye::ErrorCode::deadline);
  before ? setenv("XDG_CACHE_HOME", saved.c_str(), 1) : unsetenv("XDG_CACHE_HOME");
  fs::remove_all(cache);
}

TEST(Library, ScoresAsTheyAreNamed) {
  const Image image = noise(64, 64, 3, 8), other = noise(64, 64, 3, 8, 7);
  const auto same = fye::compare(image.pixels(), image.pixels());
  ASSERT_TRUE(same) << same.error().text();
  EXPECT_TRUE(std::isinf(same->at("psnr_y")));
  const auto differ = fye::compare(image.pixels(), other.pixels(), 2);
  ASSERT_TRUE(differ);
  EXPECT_LT(differ->at("psnr_y"), 20);
  EXPECT_FALSE(fye::compare(image.pixels(), noise(63, 64, 3, 8).pixels()));
  EXPECT_FALSE(fye::compare(image.pixels(), other.pixels(), -1));
}

}  // namespace

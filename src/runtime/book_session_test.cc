#include "runtime/book_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "execute/testing_graphs.h"
#include "graph/units.h"

namespace fye {
namespace {

Model some_model() {
  Model model{.name = "small", .graph = testing::small_abpn(3, 12), .conventions = {.scale = 3}, .calib = {}};
  model.calib = testing::made_up_calib(model.graph);
  return model;
}

Picture some_picture() {
  Picture picture(40, 30, 3);
  for (size_t i = 0; i < picture.samples(); ++i) picture.u8()[i] = uint8_t(i * 7 % 256);
  return picture;
}

// All int8, half of each, all float; times as given.
Book some_book(const Model& model, std::vector<double> times) {
  Book book{
      .graph_sha256 = model.graph.sha256, .machine = {"cpu", "isa", "build", 1}, .width = 40, .height = 30};
  for (const Unit& unit : units_of(model.graph)) book.units.push_back(unit.name);
  for (size_t i = 0; i < times.size(); ++i) {
    BookEntry entry{.processor = {}, .ms = times[i], .msef = double(times.size() - i)};
    for (size_t u = 0; u < book.units.size(); ++u)
      entry.processor.push_back(u * (times.size() - 1) < i * book.units.size() ? "cpu.f32" : "cpu.int8");
    book.entries.push_back(entry);
  }
  return book;
}

TEST(BookSession, RunsThePlansOfTheBook) {
  const Model model = some_model();
  const Book book = some_book(model, {1, 2, 3});
  const Picture picture = some_picture();
  ThreadPool pool(1);
  auto session = BookSession::create(model, book, {.deadline_ms = 1e12}, pool);
  ASSERT_TRUE(session) << session.error().text();
  EXPECT_EQ(session->entries(), (std::vector<int>{0, 1, 2}));
  ASSERT_TRUE(session->warm_up(picture));
  FrameTrace trace;
  const auto big = session->run(picture, &trace);
  ASSERT_TRUE(big) << big.error().text();
  EXPECT_EQ(trace.entry, 2);  // time enough for the truest
  EXPECT_FALSE(trace.late);
  UpscaleOptions alone;
  alone.plan = plan_of(book, book.entries[2]);
  auto upscaler = Upscaler::create(model, alone, pool);
  ASSERT_TRUE(upscaler);
  const auto expected = upscaler->run(picture);
  ASSERT_TRUE(expected);
  EXPECT_EQ(big->picture.bytes, expected->picture.bytes);
}

TEST(BookSession, TracesAddUp) {
  const Model model = some_model();
  const Book book = some_book(model, {1, 2, 3});
  const Picture picture = some_picture();
  for (const int tile : {0, 24}) {
    ThreadPool pool(2);
    BookSessionOptions options{.deadline_ms = 2.5};
    options.upscale.tile = tile;
    auto session = BookSession::create(model, book, options, pool);
    ASSERT_TRUE(session) << session.error().text();
    EXPECT_EQ(session->entries(), (std::vector<int>{0, 1}));  // the third is too slow even when idle
    std::vector<std::string> names = book.units;
    std::sort(names.begin(), names.end());
    for (int i = 0; i < 5; ++i) {
      FrameTrace trace;
      ASSERT_TRUE(session->run(picture, &trace));
      EXPECT_EQ(trace.frame, i);
      double sum = trace.moving + trace.around + trace.waiting + trace.rest;
      std::vector<std::string> units;
      for (const auto& [unit, ms] : trace.units) {
        sum += ms;
        units.push_back(unit);
        EXPECT_GE(ms, 0);
      }
      for (const auto& [tensor, ms] : trace.hand_overs) {
        sum += ms;
        EXPECT_GE(ms, 0);
      }
      EXPECT_NEAR(sum, trace.ms, 1e-6 * trace.ms);
      EXPECT_LE(std::fabs(trace.rest), 0.05 * trace.ms);  // design.md, "Time adds up"
      EXPECT_GE(trace.waiting, 0);
      EXPECT_GT(trace.around, 0);
      EXPECT_EQ(units, names);
      EXPECT_EQ(trace.late, trace.ms > 2.5);
    }
  }
}

TEST(BookSession, AHandOverHasItsRow) {
  const Model model = some_model();
  const Picture picture = some_picture();
  ThreadPool pool(1);
  // The middle plan changes from float to int8 on the way, the first never.
  const Book book = some_book(model, {1, 2, 3});
  for (const int middle : {0, 1}) {
    Book one = book;
    one.entries = {book.entries[size_t(middle)]};
    auto session = BookSession::create(model, one, {.deadline_ms = 1e12}, pool);
    ASSERT_TRUE(session);
    FrameTrace trace;
    ASSERT_TRUE(session->run(picture, &trace));
    int inside = 0;
    for (const auto& [tensor, ms] : trace.hand_overs)
      inside += tensor != "in" && tensor != "input" && tensor != model.graph.tensors[size_t(model.graph.outputs[0])].name;
    EXPECT_EQ(inside > 0, middle == 1);
  }
}

TEST(BookSession, ThePlanThatMayBeInTimeIsThereToo) {
  const Model model = some_model();
  ThreadPool pool(1);
  const Book book = some_book(model, {10, 20, 30, 33});
  const auto entries = [&](double deadline) {
    const auto session = BookSession::create(model, book, {.deadline_ms = deadline}, pool);
    return session ? session->entries() : std::vector<int>{};
  };
  EXPECT_EQ(entries(20), (std::vector<int>{0, 1}));
  EXPECT_EQ(entries(29.9), (std::vector<int>{0, 1, 3}));  // 10 % late as predicted, which is often wrong by that
  EXPECT_EQ(entries(33), (std::vector<int>{0, 1, 2, 3}));
}

TEST(BookSession, AWarmMachineGoesByWhatItMeasures) {
  const Model model = some_model();
  // Predicted to take far longer than it does.
  const Book book = some_book(model, {1000, 2000, 3000});
  const Picture picture = some_picture();
  ThreadPool pool(1);
  auto session = BookSession::create(model, book, {.deadline_ms = 2900}, pool);
  ASSERT_TRUE(session) << session.error().text();
  EXPECT_EQ(session->keeper().rung(), 1);
  EXPECT_EQ(session->bytes(), 0);
  ASSERT_TRUE(session->warm_up(picture));
  EXPECT_EQ(session->keeper().rung(), 2);
  EXPECT_EQ(session->keeper().changes(), 0);
  EXPECT_GT(session->bytes(), 0);
}

TEST(BookSession, LatePicturesMakeItGoDown) {
  const Model model = some_model();
  // Predicted far too fast: every picture is late, and there is one way out.
  const Book book = some_book(model, {1e-6, 2e-6, 3e-6});
  const Picture picture = some_picture();
  ThreadPool pool(1);
  auto session = BookSession::create(model, book, {.deadline_ms = 1e-5}, pool);
  ASSERT_TRUE(session) << session.error().text();
  EXPECT_EQ(session->keeper().rung(), 2);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(session->run(picture));
  EXPECT_EQ(session->keeper().rung(), 0);
  EXPECT_GT(session->keeper().load(), 1);
}

TEST(BookSession, SaysWhatCantBeDone) {
  const Model model = some_model();
  const Book book = some_book(model, {10, 20, 30});
  ThreadPool pool(1);
  const auto code = [&](double deadline, double scale = 1) {
    const auto session = BookSession::create(model, book, {.deadline_ms = deadline, .scale = scale}, pool);
    return session ? std::string("made") : session.error().what;
  };
  EXPECT_NE(code(9).find("the fastest takes 10.00 ms, 1.00 more"), std::string::npos) << code(9);
  EXPECT_EQ(code(15), "made");
  EXPECT_NE(code(15, 2).find("takes 20.00 ms"), std::string::npos) << code(15, 2);  // twice the pixels
  EXPECT_NE(code(0).find("no deadline"), std::string::npos);
  EXPECT_NE(code(std::nan("")).find("no deadline"), std::string::npos);
  EXPECT_FALSE(BookSession::create(model, Book{}, {.deadline_ms = 10}, pool));
}

}  // namespace
}  // namespace fye

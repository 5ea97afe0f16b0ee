#include "plan/book.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <functional>

#include "base/json.h"
#include "plan/testing_problems.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

struct File {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("fye-book-{}.json", getpid());
  ~File() { std::filesystem::remove(path); }
};

Book example() {
  return {"abc",
          {"A CPU", "avx2", "1 g++", 2},
          640,
          360,
          "exact",
          {"conv1", "conv2", "conv3"},
          {{{"cpu.int8", "cpu.int8", "cpu.int8"}, 10, .5, 11., .6, .02},
           {{"cpu.f32", "cpu.int8", "cpu.int8"}, 20, .25, {}, {}, {}},
           {{"cpu.f32", "cpu.f32", "cpu.f32"}, 30, 0, 29., 0., 0.}}};
}

bool equal(const Book& a, const Book& b) {
  bool same = a.graph_sha256 == b.graph_sha256 && a.machine == b.machine && a.width == b.width &&
              a.height == b.height && a.strategy == b.strategy && a.units == b.units &&
              a.entries.size() == b.entries.size();
  for (size_t i = 0; same && i < a.entries.size(); ++i) {
    const BookEntry &x = a.entries[i], &y = b.entries[i];
    same = x.processor == y.processor && x.ms == y.ms && x.msef == y.msef && x.measured_ms == y.measured_ms &&
           x.measured_msef == y.measured_msef && x.lpf == y.lpf;
  }
  return same;
}

Result<Book> read_changed(const std::function<void(Json&)>& change, const std::string& sha256 = "abc") {
  const File file;
  EXPECT_TRUE(write_book(file.path, example()));
  auto json = read_json(file.path);
  EXPECT_TRUE(json);
  change(*json);
  EXPECT_TRUE(write_json(file.path, *json));
  return read_book(file.path, sha256);
}

void expect_refused(const std::function<void(Json&)>& change, const std::string& says) {
  const auto book = read_changed(change);
  ASSERT_FALSE(book) << says;
  EXPECT_EQ(book.error().code, ErrorCode::bad_input);
  EXPECT_THAT(book.error().what, HasSubstr("fye-book-"));
  EXPECT_THAT(book.error().what, HasSubstr(says));
}

TEST(BookFile, RoundTrip) {
  const auto book = read_changed([](Json&) {});
  ASSERT_TRUE(book) << book.error().text();
  EXPECT_TRUE(equal(*book, example()));
}

RC_GTEST_PROP(BookFile, RoundTripOfExactFronts, ()) {
  const unsigned seed = *rc::gen::inRange(0u, 100'000u);
  const PlanProblem problem = chain_problem(5, 2, 4, seed);
  const Profile profile{.graph_sha256 = "x", .machine = example().machine, .width = 7, .height = 9};
  const auto front = exact_plans(problem);
  RC_ASSERT(front.ok());
  const Book book = book_of(problem, *front, profile, "exact");
  RC_ASSERT(book.entries.front().ms == front->front().ms);
  RC_ASSERT(book.entries.back().msef == front->back().loss);
  const File file;
  RC_ASSERT(write_book(file.path, book).ok());
  const auto back = read_book(file.path, "x");
  RC_ASSERT(back.ok());
  RC_ASSERT(equal(*back, book));
}

TEST(BookFile, AnotherGraph) {
  const auto book = read_changed([](Json&) {}, "def");
  ASSERT_FALSE(book);
  EXPECT_THAT(book.error().what, HasSubstr("another model file"));
  EXPECT_TRUE(read_changed([](Json&) {}, ""));
}

TEST(BookFile, Unsorted) {
  expect_refused([](Json& j) { std::swap(j["entries"][0], j["entries"][1]); },
                 "entries[1].ms: 10 is not above the 20");
  expect_refused([](Json& j) { j["entries"][1]["ms"] = 10; }, "entries[1].ms");
  expect_refused([](Json& j) { j["entries"][2]["msef"] = .25; },
                 "entries[2].msef: 0.25 is not below the 0.25");
}

TEST(BookFile, ImpossibleNumbers) {
  expect_refused([](Json& j) { j["entries"][0]["ms"] = -1; }, "entries[0].ms: -1 is not between");
  expect_refused([](Json& j) { j["entries"][0]["ms"] = 1e12; }, "entries[0].ms");
  expect_refused([](Json& j) { j["entries"][0]["ms"] = "fast"; }, "entries[0].ms: \"fast\" is not a number");
  expect_refused([](Json& j) { j["entries"][0]["ms"] = nullptr; }, "entries[0].ms");
  expect_refused([](Json& j) { j["entries"][0]["msef"] = -.1; }, "entries[0].msef");
  expect_refused([](Json& j) { j["entries"][0]["lpf"] = 1e3; }, "entries[0].lpf");
  expect_refused([](Json& j) { j["entries"][0]["measured_ms"] = -2; }, "entries[0].measured_ms");
  expect_refused([](Json& j) { j["width"] = 0; }, "width: 0");
  expect_refused([](Json& j) { j["height"] = 1.5; }, "height: 1.5 is not a whole number");
  expect_refused([](Json& j) { j["machine"]["threads"] = 0; }, "machine.threads");
}

TEST(BookFile, MissingAndStrangeFields) {
  for (const char* key : {"version", "graph", "width", "height", "strategy"})
    expect_refused([&](Json& j) { j.erase(key); }, fmt::format("{}: is missing", key));
  expect_refused([](Json& j) { j.erase("machine"); }, "machine");
  expect_refused([](Json& j) { j["version"] = 2; }, "this fye reads version 1");
  expect_refused([](Json& j) { j["entries"] = Json::array(); }, "entries: there are none");
  expect_refused([](Json& j) { j["units"] = Json::array(); }, "units: there are none");
  expect_refused([](Json& j) { j["units"][1] = "conv1"; }, "\"conv1\" is there twice");
  expect_refused([](Json& j) { j["units"][1] = 3; }, "3 is not a name");
  expect_refused([](Json& j) { j["entries"][1]["plan"] = "ab"; },
                 "entries[1].plan: places 2 units; the book has 3");
  expect_refused([](Json& j) { j["entries"][1]["plan"] = "zzz"; }, "'z' is none of the book's processors");
  expect_refused([](Json& j) { j["entries"][1] = 7; }, "entries[1]");
  expect_refused([](Json& j) { j["processors"]["ab"] = "gpu"; }, "\"ab\" is not one letter");
  expect_refused([](Json& j) { j["processors"]["x"] = j["processors"]["a"]; }, "has two letters");
  expect_refused([](Json& j) { j["processors"]["x"] = 1; }, "not a processor's name");
  expect_refused([](Json& j) { j["processors"] = Json::object(); }, "processors: there are none");
  expect_refused([](Json& j) { j = Json::array(); }, "not an object");
}

TEST(Book, EntryForADeadline) {
  const Book book = example();
  EXPECT_EQ(entry_for(book, 10), nullptr) << "measured 11";
  EXPECT_EQ(entry_for(book, 11), &book.entries[0]);
  EXPECT_EQ(entry_for(book, 28.9), &book.entries[1]);
  EXPECT_EQ(entry_for(book, 29), &book.entries[2]) << "measured 29, though predicted 30";
  EXPECT_EQ(entry_for(book, 1e12), &book.entries[2]);
  EXPECT_EQ(entry_for(book, std::nan("")), nullptr);
  EXPECT_EQ(entry_for({}, 1e12), nullptr);
}

TEST(Book, PlanOfAnEntry) {
  const Book book = example();
  const Plan plan = plan_of(book, book.entries[1]);
  ASSERT_EQ(plan.steps.size(), 2u);
  EXPECT_EQ(plan.steps[0].units, std::vector<std::string>{"conv1"});
  EXPECT_EQ(plan.steps[1].units, (std::vector<std::string>{"conv2", "conv3"}));
  EXPECT_EQ(plan.steps[1].processor, "cpu.int8");
  EXPECT_EQ(plan.ms, 20);
  EXPECT_EQ(plan.msef, .25);
  EXPECT_EQ(plan.machine, book.machine);
}

TEST(Book, NeighboursThatAreTooCloseAreLeftOut) {
  PlanProblem problem;
  problem.processors = {"p"};
  problem.units = {{"u", {1}, {0}, {}}};
  std::vector<PlanPoint> front;
  for (int i = 0; i <= 1000; ++i) front.push_back({{0}, 10 + i * .001, 1000. - i});
  const Book book = book_of(problem, front, {}, "exact");
  EXPECT_LT(book.entries.size(), 50u);
  EXPECT_GT(book.entries.size(), 30u);
  EXPECT_EQ(book.entries.front().ms, 10);
  EXPECT_EQ(book.entries.back().msef, 0);
  for (size_t i = 1; i < book.entries.size(); ++i) EXPECT_GT(book.entries[i].ms, book.entries[i - 1].ms);
  const Book two = book_of(problem, {{{0}, 10, 2}, {{0}, 10.001, 1}}, {}, "exact");
  EXPECT_EQ(two.entries.size(), 2u) << "the fastest and the truest stay";
}

}  // namespace
}  // namespace fye

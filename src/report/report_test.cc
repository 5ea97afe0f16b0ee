// The page's data: nothing in it that is not in the files or the run, and sums that come out.
#include "report/report.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "execute/macs.h"
#include "plan/explain.h"
#include "report/points.h"
#include "report/testing_report.h"
#include "report/units.h"

namespace fye {
namespace {

using testing::frame_of;
using testing::plan_on;
using testing::small_model;

std::vector<const Processor*> two_processors() {
  return {*find_processor("cpu.f32", active_isa()), *find_processor("cpu.int8", active_isa())};
}

// A report with made-up measurements of a small network; its model has to stay.
struct Made {
  Model model = small_model();
  Measured measured = fye::measured(model.graph, two_processors(), 7);
  Report report;

  Made() {
    measured.profile.conditions["date"] = "2026-01-02T03:04:05Z";
    report.model = &model;
    report.width = report.height = 16;
    report.here = {"cpu", "scalar", "build", 1};
    report.date = "2026-01-02T03:04:06Z";
    report.profile = Found<Profile>{measured.profile, "profile.json"};
    report.losses = Found<Losses>{measured.losses, "losses.json"};
    add_run("result", {"cpu.f32", "cpu.int8"});
  }
  void add_run(const std::string& name, const std::vector<std::string>& on) {
    report.runs.push_back({.name = name, .chosen = name + ".json", .plan = plan_on(model.graph, on), .measured = "for this page",
                           .frames = {frame_of(model.graph, 3), frame_of(model.graph, 1), frame_of(model.graph, 2)}});
  }
  Json data() const {
    auto json = report_data(report);
    EXPECT_TRUE(json) << json.error().text();
    return *json;
  }
};

Book book_with(const Model& model, size_t plans) {
  Book book{.graph_sha256 = "abc", .machine = {"cpu", "scalar", "build", 1}, .width = 16, .height = 16, .strategy = "exact"};
  for (const Unit& unit : units_of(model.graph)) book.units.push_back(unit.name);
  for (size_t i = 0; i < plans; ++i) {
    BookEntry entry{.processor = {}, .ms = 10. + double(i), .msef = double(plans - i)};
    for (size_t u = 0; u < book.units.size(); ++u) entry.processor.push_back((i >> u) & 1 ? "cpu.f32" : "cpu.int8");
    book.entries.push_back(entry);
  }
  return book;
}

double total(const Json& list) {
  double sum = 0;
  for (const Json& value : list) sum += value.is_number() ? value.get<double>() : 0;
  return sum;
}

TEST(ReportData, TimesAreThoseOfTheMedianRunAndAddUp) {
  const Json data = Made().data();
  const Json& time = data["runs"][0]["time"];
  EXPECT_EQ(time["n"], 3);
  EXPECT_EQ(time["frames"], 3);
  double sum = total(time["units"]);
  for (const Json& hand : time["hand_overs"]) sum += hand["ms"].get<double>();
  for (const char* row : {"moving", "around", "waiting", "rest"}) sum += time[row].get<double>();
  EXPECT_NEAR(sum, time["ms"].get<double>(), 1e-3 * sum);
  for (const Json& ms : time["units"]) EXPECT_EQ(ms, 2);
  EXPECT_LT(time["least"], time["ms"]);
  EXPECT_GT(time["most"], time["ms"]);
}

TEST(ReportData, FramesOfOtherPlansAreCountedAndNotShown) {
  Made made;
  made.report.runs[0].frames.push_back(frame_of(made.model.graph, 100, 5));
  const Json data = made.data();
  const Json& time = data["runs"][0]["time"];
  EXPECT_EQ(time["n"], 3);
  EXPECT_EQ(time["frames"], 4);
  EXPECT_EQ(time["units"][0], 2);
}

TEST(ReportData, PredictionsAreThoseOfThePlanProblem) {
  Made made;
  const auto problem = made.measured.problem();
  ASSERT_TRUE(problem) << problem.error().text();
  const auto assignment = assignment_of(*problem, made.report.runs[0].plan);
  ASSERT_TRUE(assignment);
  const Json data = made.data(), &run = data["runs"][0];
  EXPECT_NEAR(run["predicted_ms"].get<double>(), predicted_ms(*problem, *assignment), 0.05);
  EXPECT_NEAR(run["predicted_msef"].get<double>(), predicted_loss(*problem, *assignment), 0.05);
  EXPECT_NEAR(total(run["loss"]), predicted_loss(*problem, *assignment), 0.5);  // of three figures each
  EXPECT_EQ(run["switches"], switches(*assignment));
  EXPECT_EQ(run["moves"]["to"].size(), data["units"]["name"].size());
}

TEST(ReportData, UnitsHaveTheirMacsAndOwnParts) {
  Made made;
  const Json data = made.data(), &units = data["units"];
  const int64_t macs = *macs_of(made.model.graph, 16, 16);
  EXPECT_EQ(total(units["macs"]), double(macs));
  EXPECT_EQ(data["model"]["macs"], macs);
  const std::vector<std::string> processors = data["processors"];
  for (size_t p = 0; p < processors.size(); ++p) {
    for (size_t u = 0; u < units["name"].size(); ++u) {
      EXPECT_NEAR(units["ms"][p][u].get<double>(), made.measured.profile.units[u].on.at(processors[p]).ms, 0.01);
      if (processors[p] == "cpu.f32") {
        EXPECT_EQ(units["loss"][p][u], 0);
      }
    }
  }
}

// Whatever is not there is not shown, rather than shown as nothing.
TEST(ReportData, WhatIsNotKnownIsAbsent) {
  Made made;
  made.report.profile.reset();
  made.report.losses.reset();
  made.report.runs[0].frames.clear();
  made.report.absent = {{"profile", "why", "fye profile"}};
  const Json data = made.data();
  for (const char* key : {"time", "predicted_ms", "predicted_msef", "loss", "moves"})
    EXPECT_FALSE(data["runs"][0].contains(key)) << key;
  for (const char* key : {"ms", "loss", "spread"}) EXPECT_FALSE(data["units"].contains(key)) << key;
  EXPECT_FALSE(data.contains("book"));
  EXPECT_EQ(data["absent"].size(), 1u);
  EXPECT_TRUE(data["sources"].empty());
  EXPECT_FALSE(data.contains("picture"));
}

TEST(ReportData, LossesAloneAreShownWithoutPredictions) {
  Made made;
  made.report.profile.reset();
  const Json data = made.data();
  EXPECT_TRUE(data["units"].contains("loss"));
  EXPECT_FALSE(data["runs"][0].contains("predicted_msef"));
}

TEST(ReportData, SaysWhatDiffersBetweenTheFilesAndThePage) {
  Made made;
  made.report.profile->value.machine.cpu = "another";
  made.report.profile->value.width = 99;
  const Json data = made.data();
  std::string notes;
  for (const Json& source : data["sources"])
    if (source["what"] == "profile") notes = source["notes"].dump();
  EXPECT_NE(notes.find("another CPU"), notes.npos) << notes;
  EXPECT_NE(notes.find("99x16"), notes.npos) << notes;
}

TEST(ReportData, ARunOnAProcessorThatIsNotHereHasNoPredictions) {
  Made made;
  made.report.runs[0].plan = plan_on(made.model.graph, {"npu.int8"});
  const Json data = made.data();
  EXPECT_TRUE(data["runs"][0].contains("unpredicted"));
  EXPECT_FALSE(data["runs"][0].contains("predicted_ms"));
}

TEST(ReportData, RefusesPlansAndBooksOfOtherUnits) {
  Made made;
  made.report.runs[0].plan.steps[0].units[0] = "stranger";
  EXPECT_FALSE(report_data(made.report));
  Made twice;
  twice.report.runs[0].plan.steps.push_back(twice.report.runs[0].plan.steps[0]);
  EXPECT_FALSE(report_data(twice.report));
  Made booked;
  Book book = book_with(booked.model, 3);
  book.units[0] = "stranger";
  booked.report.book = Found<Book>{book, "book.json"};
  const auto data = report_data(booked.report);
  ASSERT_FALSE(data);
  EXPECT_NE(data.error().text().find("book.json"), std::string::npos);
}

TEST(ReportData, TheRunsOwnPlanIsOnTheCurve) {
  Made made;
  const Book book = book_with(made.model, 30);
  made.report.runs[0].plan = plan_of(book, book.entries[17]);
  made.report.book = Found<Book>{book, "book.json"};
  NameTable processors;
  const auto json = book_json(made.report, processors, 3);
  ASSERT_TRUE(json) << json.error().text();
  EXPECT_EQ((*json)["own"][0], 17);
  EXPECT_EQ((*json)["plans"], 30);
  EXPECT_EQ((*json)["points"].size(), 4u);
  // Counts and processors in turn give the plans back.
  for (const Json& point : (*json)["points"]) {
    std::vector<std::string> on;
    for (size_t i = 0; i < point["on"].size(); i += 2)
      on.insert(on.end(), point["on"][i].get<size_t>(), processors.names()[point["on"][i + 1].get<size_t>()]);
    EXPECT_EQ(on, book.entries[point["entry"].get<size_t>()].processor);
  }
}

RC_GTEST_PROP(LossByUnit, AddsUpToThePlansLoss, ()) {
  const PlanProblem problem = chain_problem(*rc::gen::inRange(4, 20), *rc::gen::inRange(1, 5), 4, *rc::gen::arbitrary<unsigned>());
  Assignment plan;
  for (size_t u = 0; u < problem.units.size(); ++u) plan.push_back(*rc::gen::inRange(0, 4));
  const std::vector<double> losses = loss_by_unit(problem, plan);
  RC_ASSERT(losses.size() == problem.units.size());
  for (const double loss : losses) RC_ASSERT(loss >= 0);
  const double sum = std::accumulate(losses.begin(), losses.end(), 0.), whole = predicted_loss(problem, plan);
  RC_ASSERT(std::fabs(sum - whole) <= 1e-9 * (1 + whole));
}

RC_GTEST_PROP(Figures, AreWithinTheirRounding, ()) {
  const double value = *rc::gen::arbitrary<double>();
  const Json json = figures(value, 4);
  if (!std::isfinite(value)) {
    RC_ASSERT(json.is_null());
  } else {
    RC_ASSERT(std::fabs(json.get<double>() - value) <= 0.5e-3 * std::fabs(value));
  }
}

// Hostile names go through data and page as they are (report/page_test.cc sees to the page).
RC_GTEST_PROP(ReportData, NamesMayBeAnything, ()) {
  Made made;
  const std::string text = *testing::hostile_text();
  made.report.picture = text;
  made.model.name = text;
  made.report.notices = {text};
  made.report.runs[0].chosen = text;
  made.report.runs[0].frames[1].hand_overs = {{text, 1}};
  made.report.profile->value.conditions["date"] = text;
  const auto data = report_data(made.report);
  RC_ASSERT(data.ok());
  RC_ASSERT((*data)["notices"][0] == text);
  const Json fit = fitted(*data, {});
  RC_ASSERT(Json::parse(json_island(fit)).contains("units"));
}

// A network of many units, with a large book, on four processors.
TEST(Fitted, LayersByTheHundredStayBelowTheLimit) {
  Json data = Made().data();
  data["processors"] = {"cpu.f32", "cpu.bf16", "cpu.int8", "cpu.int8r16"};
  data["units"] = {{"kinds", {"conv leaky_relu"}}};
  Json& run = data["runs"][0];
  run["moves"] = Json::object();
  run["on"] = run["loss"] = run["time"]["units"] = Json::array();
  std::mt19937 random(1);
  const auto number = [&] { return figures(double(random() % 100000) / 7919, 4); };
  for (int i = 0; i < 380; ++i) {
    data["units"]["name"].push_back("body.rdb" + std::to_string(i) + ".conv1");
    data["units"]["ops"].push_back(0);
    data["units"]["macs"].push_back(123456789 + i);
    for (const char* key : {"ms", "spread", "loss"})
      for (size_t p = 0; p < 4; ++p) data["units"][key][p].push_back(number());
    run["on"].push_back(random() % 4);
    run["loss"].push_back(number());
    run["moves"]["to"].push_back(random() % 4);
    for (const char* key : {"ms", "loss"}) run["moves"][key].push_back(number());
    run["time"]["units"].push_back(number());
  }
  data["book"] = {{"plans", 900}, {"own", {7, nullptr}}, {"points", Json::array()}};
  for (int e = 0; e < 120; ++e) {
    Json on = Json::array();
    for (int i = 0; i < 190; ++i) on.insert(on.end(), {2, random() % 4});
    data["book"]["points"].push_back({{"entry", e}, {"ms", e}, {"msef", 120 - e}, {"on", on}});
  }
  ASSERT_GT(page_bytes(data, {}), kMostPageBytes);
  const Json fit = fitted(data, {});
  EXPECT_LE(page_bytes(fit, {}), kMostPageBytes);
  EXPECT_EQ(fit["units"]["name"].size(), 380u);
  EXPECT_GE(fit["book"]["points"].size(), 8u);
  EXPECT_EQ(fit["book"]["points"].front()["entry"], 0);
  EXPECT_EQ(fit["book"]["points"].back()["entry"], 119);
  bool own = false;
  for (const Json& point : fit["book"]["points"]) own = own || point["entry"] == 7;
  EXPECT_TRUE(own);
  for (size_t u = 0; u < 380; ++u)  // what the table shows is there still
    for (const Json& r : fit["runs"]) EXPECT_FALSE(fit["units"]["ms"][r["on"][u].get<size_t>()][u].is_null());
}

TEST(Fitted, ASmallPageKeepsAll) {
  const Json data = Made().data();
  EXPECT_EQ(fitted(data, {}), data);
}

}  // namespace
}  // namespace fye

// Report: everything that one page shows, as values; and the data that the page reads, made from them.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "plan/book.h"
#include "profile/losses.h"
#include "profile/profile.h"
#include "report/page.h"
#include "report/scores.h"
#include "runtime/book_session.h"
#include "runtime/model.h"

namespace fye {

// A plan, and what came of it where it ran.
struct ReportRun {
  std::string name;      // "result"; of two "A", "B"
  std::string chosen;    // how it was chosen: "plan.json", "int8 for every unit"
  Plan plan;
  std::string measured;  // where the frames are from: "for this page", "trace.json"
  std::vector<FrameTrace> frames;
  // Of frames: the entry that the plan is; others ran by other plans and are counted only.
  int entry = 0;
  double deadline_ms = 0;            // 0: none
  std::optional<MachineId> machine;  // that the frames are from
  std::map<std::string, std::string> conditions;
  int width = 0, height = 0;         // of the pictures; 0: not said
};

// A file of measurements, and how it was found: "profile.json", "kept on this machine".
template <class T>
struct Found {
  T value;
  std::string from;
};

// A part of the page that nothing is known for.
struct AbsentPart {
  std::string part;     // "book", as the page's sections are called
  std::string why;      // "no book of plans is kept for this model, size and machine"
  std::string command;  // that would fill it
};

struct Report {
  const Model* model = nullptr;  // outlives it
  std::string picture;           // file name; empty: the report is about plans alone
  int width = 0, height = 0;     // that goes in, or what the figures are for
  int channels = 0, bits = 0, out_width = 0, out_height = 0;
  std::string date;              // UTC
  MachineId here;                // that made the page
  std::vector<std::string> notices;
  std::vector<ReportRun> runs;   // one, or two to be compared; all their units are the model's
  std::optional<Found<Profile>> profile;
  std::optional<Found<Losses>> losses;
  std::optional<Found<Book>> book;
  std::vector<ScoreTable> scores;
  std::vector<AbsentPart> absent;
};

// What src/report/page/base.js describes. Units, processors and plans are in the network's order; numbers are rounded
// to what is worth telling. Errors: a plan or book whose units are not the network's, a network that the size can't go
// through.
Result<Json> report_data(const Report& report);

// The same with less beside the point, until a page with these pictures is within kMostPageBytes: fewer plans of the
// book, no times on processors that a unit does not run on, no moves. The data says what was left out.
Json fitted(Json data, std::span<const PagePicture> pictures);

}  // namespace fye

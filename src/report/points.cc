// Tested by report/report_test.cc.
#include "report/points.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/units.h"

namespace fye {
namespace {

constexpr int kTimeFigures = 4, kLossFigures = 4;

Json counted(const std::vector<std::string>& on, NameTable& processors) {
  Json runs = Json::array();
  for (size_t from = 0; from < on.size();) {
    size_t to = from;
    while (to < on.size() && on[to] == on[from]) ++to;
    runs.push_back(to - from);
    runs.push_back(processors.index_of(on[from]));
    from = to;
  }
  return runs;
}

}  // namespace

Result<Json> book_json(const Report& report, NameTable& processors, size_t most) {
  const Book& book = report.book->value;
  const std::vector<Unit> units = units_of(report.model->graph);
  if (!std::equal(units.begin(), units.end(), book.units.begin(), book.units.end(),
                  [](const Unit& unit, const std::string& name) { return unit.name == name; }))
    return bad_input(fmt::format("{}: its {} units are not the {} of the network", report.book->from,
                                 book.units.size(), units.size()),
                     "make a book for this model");
  // Entries that a run's plan is.
  std::vector<Json> own(report.runs.size());
  std::vector<int> shown = spread_entries(book, int(most));
  for (size_t r = 0; r < report.runs.size(); ++r) {
    const auto on = placed(report.runs[r].plan, report.model->graph, report.runs[r].chosen);
    if (!on) return on.error();
    for (size_t e = 0; e < book.entries.size(); ++e)
      if (book.entries[e].processor == *on) own[r] = e, shown.push_back(int(e));
  }
  std::sort(shown.begin(), shown.end());
  shown.erase(std::unique(shown.begin(), shown.end()), shown.end());

  Json points = Json::array();
  for (const int e : shown) {
    const BookEntry& entry = book.entries[size_t(e)];
    Json point = {{"entry", e}, {"ms", figures(entry.ms, kTimeFigures)}, {"msef", figures(entry.msef, kLossFigures)}};
    if (entry.measured_ms) point["measured_ms"] = figures(*entry.measured_ms, kTimeFigures);
    if (entry.measured_msef) point["measured_msef"] = figures(*entry.measured_msef, kLossFigures);
    if (entry.lpf) point["lpf"] = figures(*entry.lpf, kLossFigures);
    point["on"] = counted(entry.processor, processors);
    points.push_back(std::move(point));
  }
  return Json{{"strategy", book.strategy}, {"plans", book.entries.size()}, {"own", own}, {"points", std::move(points)}};
}

}  // namespace fye

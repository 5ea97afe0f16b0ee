// Units: what a report says about each unit of a network, and about each unit of a plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "plan/problem.h"
#include "report/report.h"

namespace fye {

// Names with an index each, in the order in which they were first asked for.
class NameTable {
 public:
  int index_of(const std::string& name);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

// To so many significant decimal figures, so that JSON is short; null for what is not finite.
Json figures(double value, int count);

// Columns of all units, since a network may have many: "name"; "ops", indices into "kinds", which say what its nodes do;
// "macs", multiply-accumulates for a picture of the report's size; and, each a list of columns by processor, "ms" and
// "spread" (median and half of the 95 % interval by the profile) and "loss" (own part). null: not known, a unit's or a
// processor's; absent: nothing is known.
Result<Json> unit_columns(const Report& report, NameTable& processors);

// What each unit adds to predicted_loss(): its own part, that of the tensor it writes, and those of what it reads in a
// coarser form; the last one also what the caller reads. What the picture itself loses counts for the first unit.
std::vector<double> loss_by_unit(const PlanProblem& problem, const Assignment& plan);

// Where each unit of the network runs, by processor name. Errors: units that are missing or not the network's.
Result<std::vector<std::string>> placed(const Plan& plan, const Graph& graph, const std::string& file);

// One run: where units run; times of the median frame, which add up to "ms"; predictions where the report has a profile
// and this machine the plan's processors.
Result<Json> run_json(const Report& report, const ReportRun& run, NameTable& processors);

}  // namespace fye

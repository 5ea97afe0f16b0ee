// Plan: which unit runs on which processor; plan.json in memory and on disk (design.md, section 3;
// docs/formats.md).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"
#include "graph/units.h"
#include "processors/processor.h"
#include "profile/profile.h"

namespace fye {

// Units on one processor, usually consecutive ones. The other placements of design.md (rows, channels,
// patches) are refused by name when a file has them.
struct PlanStep {
  std::vector<std::string> units;
  std::string processor;
  std::string reason;                               // why; may be empty
  std::map<std::string, std::string> reasons = {};  // by unit, from a planner; may lack any
};

struct Plan {
  std::string graph_sha256;
  std::vector<PlanStep> steps;
  // What a planner knows, and a plan written by hand does not say.
  std::optional<MachineId> machine = {};     // that the times were measured on
  int width = 0, height = 0;                 // of the picture that goes in
  std::optional<double> ms = {}, msef = {};  // predicted
};

// Errors name the file, the step and the unit. Other graph: error, unless `graph_sha256` is empty.
Result<Plan> read_plan(const std::filesystem::path& path, const std::string& graph_sha256);
Status write_plan(const std::filesystem::path& path, const Plan& plan);

// How `here` differs from the machine and build that something was measured on, as a sentence's end ("another
// CPU (A, not B)"); empty if it does not.
std::string difference(const MachineId& measured_on, const MachineId& here);

// All units on one processor.
Plan uniform_plan(const Graph& graph, std::string_view processor);

// One processor a node. Errors: another graph; a unit missing, named twice or unknown; a processor that is
// not there or can't run a node (with its reason).
Result<std::vector<const Processor*>> placement_of(const Plan& plan, const Graph& graph, Isa max);

}  // namespace fye

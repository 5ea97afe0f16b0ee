// Plan: which unit runs on which processor; plan.json in memory and on disk (design.md, section 3;
// docs/formats.md).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"
#include "graph/units.h"
#include "processors/processor.h"

namespace fye {

// Units on one processor, usually consecutive ones. The other placements of design.md (rows, channels,
// patches) are refused by name when a file has them.
struct PlanStep {
  std::vector<std::string> units;
  std::string processor;
  std::string reason;  // why; may be empty
};

struct Plan {
  std::string graph_sha256;
  std::vector<PlanStep> steps;
};

// Errors name the file, the step and the unit. Other graph: error, unless `graph_sha256` is empty.
Result<Plan> read_plan(const std::filesystem::path& path, const std::string& graph_sha256);
Status write_plan(const std::filesystem::path& path, const Plan& plan);

// All units on one processor.
Plan uniform_plan(const Graph& graph, std::string_view processor);

// One processor a node. Errors: another graph; a unit missing, named twice or unknown; a processor that is
// not there or can't run a node (with its reason).
Result<std::vector<const Processor*>> placement_of(const Plan& plan, const Graph& graph, Isa max);

}  // namespace fye

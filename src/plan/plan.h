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
#include "execute/patches.h"
#include "execute/shared.h"
#include "graph/graph.h"
#include "graph/units.h"
#include "processors/processor.h"
#include "profile/profile.h"

namespace fye {

// Work that processors share: by rows or output channels of a step's units (execute/shared.h), or by patches
// of the picture (execute/patches.h); then the step holds all units.
struct Sharing {
  enum class By : uint8_t { rows, channels, patches };
  struct Share {
    std::string processor;
    double part = 1;                   // of the whole; the parts add up to 1
    std::optional<double> above = {};  // patches: instead of the part, see PatchShare
  };
  By by = By::rows;
  std::vector<Share> shares;
  PatchRule patches;
};

// Units on one processor, or shared; usually consecutive ones.
struct PlanStep {
  std::vector<std::string> units;
  std::string processor;                            // empty if shared
  std::string reason;                               // why; may be empty
  std::map<std::string, std::string> reasons = {};  // by unit, from a planner; may lack any
  std::optional<Sharing> sharing = {};
};

// "cpu.f32", or "rows: cpu.f32@core0 0.5, cpu.f32@core1 0.5": says all there is to a step's placement.
std::string placement_text(const PlanStep& step);

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
// not there or can't run a node (with its reason); a plan that is_shared().
Result<std::vector<const Processor*>> placement_of(const Plan& plan, const Graph& graph, Isa max);

// True if a step is shared, or done by a processor on a core of its own: work_of() and the executors for
// shared work run such plans, over whole maps.
bool is_shared(const Plan& plan);

// Any plan for those executors: stages, with the stage of each node, or who takes which patches.
struct SharedWork {
  std::vector<Stage> stages;
  std::vector<int> stage_of;
  std::vector<PatchShare> patches;  // if not empty, there are no stages
  PatchRule rule;
};
// Errors: as placement_of; patches of some units only.
Result<SharedWork> work_of(const Plan& plan, const Graph& graph, Isa max);

}  // namespace fye

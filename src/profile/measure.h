// Measuring a profile: units between dummy layers, hand-overs, whole networks; pairs of runs take turns, so
// that the machine's moods cancel (spec/fye-sr.md, section 3; design.md, section 6).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/map.h"
#include "processors/processor.h"
#include "profile/profile.h"

namespace fye {

struct MeasureOptions {
  int height = 0, width = 0;  // of the network's input map
  DType picture = DType::u8;  // how the caller's pictures are stored: u8 or f32
  Quant picture_quant;        // of u8 pictures
  int least_pairs = 5, most_pairs = 30;
  double half_width = 0.05;  // a time is known well enough when its half-width is below this share of it
  double seconds = 60;       // about; a unit that none of it is left for is timed in place
  Isa max = active_isa();
};

// How the parts add up for one processor: all units on it, measured whole.
struct Additivity {
  std::string processor;
  double whole_ms = 0, sum_ms = 0;  // sum: units and hand-overs
  std::vector<double>
      in_place_ms;  // by unit: the naive way, time between the ends of nodes inside a whole run
};

struct MeasureReport {
  std::vector<Additivity> additivity;
  int measured = 0, reused = 0, in_place = 0;  // unit times: by a pair of networks, by signature, naively
  double seconds = 0;
};

// Units that a processor can't run have no time on it. Progress: 0..1. The profile's identity (machine,
// graph) is filled in but for `build`. Errors: as Executor::prepare; a graph without units.
Result<Profile> measure_profile(const Graph& graph, const Calib* calib,
                                std::span<const Processor* const> processors, const MeasureOptions& options,
                                ThreadPool& threads, const std::function<void(double)>& progress = {},
                                MeasureReport* report = nullptr);

}  // namespace fye

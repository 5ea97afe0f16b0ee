// Trace: where the time of each picture of a stream went; trace.json in memory and on disk (docs/formats.md).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "runtime/book_session.h"

namespace fye {

struct Trace {
  std::string graph_sha256;
  int threads = 0;
  // Absent in traces that were written before 0.1.0 said so.
  std::optional<MachineId> machine;
  int width = 0, height = 0;                  // of the pictures that went in; 0: not said
  std::map<std::string, std::string> conditions;  // as Profile's
  std::map<int, std::vector<PlanStep>> plans;     // by entry of the frames; without reasons
  std::vector<FrameTrace> frames;
};

// Errors name the file, the field and the value: another graph (unless `graph_sha256` is empty), no frames, times
// that are not finite or above a day.
Result<Trace> read_trace(const std::filesystem::path& path, const std::string& graph_sha256);
Status write_trace(const std::filesystem::path& path, const Trace& trace);

}  // namespace fye

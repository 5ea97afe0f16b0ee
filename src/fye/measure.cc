#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fye/inside.h"
#include "plan/exact.h"
#include "runtime/measuring.h"

namespace fye::v0 {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

Status check(int width, int height, int threads) {
  if (width < 1 || height < 1 || width > 65535 || height > 65535)
    return usage_error(fmt::format("{} x {} is no size of a picture", width, height), "1 to 65535 a side");
  if (threads < 0 || threads > 1024)
    return usage_error(fmt::format("{} threads are not between 1 and 1024", threads), "0 is all cores");
  return {};
}

double ms_on(const std::map<std::string, Timing>& times, const std::string& processor) {
  const auto found = times.find(processor);
  return found == times.end() ? kNever : found->second.ms;
}

Profile interface_profile(const fye::Profile& p) {
  Profile out{.width = p.width,
              .height = p.height,
              .threads = p.machine.threads,
              .cpu = p.machine.cpu,
              .isa = p.machine.isa,
              .processors = p.processors,
              .units = {},
              .whole_ms = {}};
  for (const UnitTimes& unit : p.units) {
    out.units.push_back({unit.unit, {}});
    for (const std::string& processor : p.processors)
      out.units.back().ms.push_back(ms_on(unit.on, processor));
  }
  for (const std::string& processor : p.processors) out.whole_ms.push_back(ms_on(p.whole, processor));
  return out;
}

Book interface_book(const fye::Book& b, const std::vector<std::string>& processors) {
  Book out{.width = b.width,
           .height = b.height,
           .threads = b.machine.threads,
           .processors = processors,
           .units = b.units,
           .entries = {}};
  for (const BookEntry& entry : b.entries) {
    out.entries.push_back({entry.best_ms(), entry.msef, {}});
    for (const std::string& name : entry.processor)
      out.entries.back().processor.push_back(
          int(std::find(processors.begin(), processors.end(), name) - processors.begin()));
  }
  return out;
}

}  // namespace

Result<Profile> profile(const Model& model, int width, int height, const ProfileOptions& options) {
  return walled([&]() -> Result<Profile> {
    if (Status right = check(width, height, options.threads); !right) return right.error();
    if (!(options.seconds >= 1 && options.seconds <= 86400))
      return usage_error(fmt::format("{} seconds are not between 1 and 86400", options.seconds));
    const fye::Model& network = Access::of(model).model;
    ThreadPool threads(options.threads);
    const auto on = processors_for(network);
    if (!options.again)
      if (const auto kept = kept_profile(network, width, height, this_machine(threads.size()), on))
        return interface_profile(*kept);
    const auto measured =
        measure_model(network, width, height, on, options.seconds, threads, options.progress);
    if (!measured) return measured.error();
    // Without a place to keep it the measurement is still what was asked for; plan() says that it is missing.
    (void)keep_profile(*measured).ok();
    return interface_profile(*measured);
  });
}

Result<Book> plan(const Model& model, int width, int height, int threads) {
  return walled([&]() -> Result<Book> {
    if (Status right = check(width, height, threads); !right) return right.error();
    const auto& [network, file] = Access::of(model);
    const std::string& sha256 = network.graph.sha256;
    const MachineId here = this_machine(threads ? threads : available_cores());
    const auto profile = profile_for({}, file.string(), sha256, width, height, here);
    if (!profile) return profile.error();
    const auto losses = losses_for({}, file, sha256);
    if (!losses) return losses.error();
    if (!*losses)
      return bad_input(
          fmt::format("{}: it is not known what each unit loses in each number format", network.name),
          fmt::format("fye sensitivity {} PICTURES... -o {}", file.string(),
                      std::filesystem::path(file).replace_extension(".losses.json").string()));
    const auto problem = plan_problem(network.graph, network.calib ? &*network.calib : nullptr,
                                      processors_of(*profile), *profile, &**losses);
    if (!problem) return problem.error();
    const auto front = exact_plans(*problem);
    if (!front) return front.error();
    const fye::Book book = book_of(*problem, *front, *profile, "exact");
    if (Status kept = keep_book(book); !kept) return kept.error();
    return interface_book(book, problem->processors);
  });
}

const Book::Entry* Book::at(double deadline_ms) const {
  const Entry* best = nullptr;
  for (const Entry& entry : entries)
    if (entry.ms <= deadline_ms && (!best || entry.msef < best->msef)) best = &entry;
  return best;
}

}  // namespace fye::v0

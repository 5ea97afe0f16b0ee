#include "runtime/measuring.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/network.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Of the deadline, what the book's time may take: that is the network's alone and a median. What is around it
// (5 to 8 %, `fye run --trace`), a second run (10 %) and scatter come on top.
constexpr double kHeadroom = 0.8;

template <class Kept>
Status keep(const char* kind, const Kept& kept, Status (*write)(const fs::path&, const Kept&)) {
  const auto file = kept_file(kind, kept.graph_sha256, kept.width, kept.height, kept.machine);
  if (!file)
    return resource_error(fmt::format("the {} are not kept: there is no cache folder", kind),
                          "set XDG_CACHE_HOME or HOME");
  std::error_code ignored;
  fs::create_directories(file->parent_path(), ignored);
  return write(*file, kept);
}

}  // namespace

std::vector<const Processor*> processors_for(const Model& model) {
  std::vector<const Processor*> chosen;
  for (const Processor* processor : processors(active_isa())) {
    const Numbers numbers = processor->numbers();
    const bool in_float = numbers == Numbers::f32 || numbers == Numbers::bf16;
    if (processor->name() != "null" && (model.calib || in_float)) chosen.push_back(processor);
  }
  return chosen;
}

std::optional<Profile> kept_profile(const Model& model, int width, int height, const MachineId& machine,
                                    std::span<const Processor* const> processors) {
  const std::string& sha256 = model.graph.sha256;
  const auto file = kept_file("profiles", sha256, width, height, machine);
  std::error_code none;
  if (!file || !fs::exists(*file, none)) return {};
  auto profile = read_profile(*file, sha256);
  if (!profile || !(profile->machine == machine)) return {};
  const auto& known = profile->processors;
  for (const Processor* processor : processors)
    if (std::find(known.begin(), known.end(), processor->name()) == known.end()) return {};
  return *std::move(profile);
}

Result<Profile> measure_model(const Model& model, int width, int height,
                              std::span<const Processor* const> processors, double seconds,
                              ThreadPool& threads, const std::function<void(double)>& progress,
                              MeasureReport* report) {
  const int enlarged = model.conventions.bicubic_first ? model.conventions.scale : 1;
  const Stored picture = picture_form(model.conventions);
  const MeasureOptions options{.height = height * enlarged,
                               .width = width * enlarged,
                               .picture = picture.type,
                               .picture_quant = picture.quant,
                               .seconds = seconds};
  auto profile = measure_profile(model.graph, model.calib ? &*model.calib : nullptr, processors, options,
                                 threads, progress, report);
  if (!profile) return profile;
  profile->machine = this_machine(threads.size());
  profile->width = width;
  profile->height = height;
  return profile;
}

Status keep_profile(const Profile& profile) { return keep("profiles", profile, write_profile); }
Status keep_book(const Book& book) { return keep("books", book, write_book); }

Result<Plan> plan_within(const FoundBook& found, int width, int height, double deadline_ms) {
  Book book = found.book;
  for (BookEntry& entry : book.entries) {
    entry.ms *= found.scale;
    if (entry.measured_ms) *entry.measured_ms *= found.scale;
  }
  if (book.entries.empty()) return bad_input("the book has no plans");
  const BookEntry* entry = entry_for(book, kHeadroom * deadline_ms);
  if (!entry) entry = entry_for(book, deadline_ms);
  if (entry) return plan_of(book, *entry);
  const double fastest = book.entries.front().best_ms();
  return Error{ErrorCode::deadline,
               fmt::format("no plan for {}x{} meets {:.2f} ms: the fastest takes {:.2f} ms, {:.2f} more",
                           width, height, deadline_ms, fastest, fastest - deadline_ms),
               fmt::format("--deadline {:.2f}ms can be met", std::ceil(fastest * 100) / 100)};
}

}  // namespace fye

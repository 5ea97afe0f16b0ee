#include "runtime/measurements.h"

#include <fmt/format.h>

#include <cmath>

#include "base/isa.h"

namespace fye {

Result<Profile> profile_for(const std::string& file, const std::string& model,
                            const std::string& graph_sha256, int width, int height,
                            const MachineId& machine) {
  if (!file.empty()) return read_profile(file, graph_sha256);
  const auto kept = kept_file("profiles", graph_sha256, width, height, machine);
  std::error_code none;
  if (kept && std::filesystem::exists(*kept, none)) {
    auto profile = read_profile(*kept, graph_sha256);
    if (profile && profile->machine == machine) return profile;
  }
  return bad_input(fmt::format("{}: this machine has no times for it at {}x{} on {} thread{}", model, width,
                               height, machine.threads, machine.threads == 1 ? "" : "s"),
                   fmt::format("fye profile {} --size {}x{} --threads {} measures them", model, width, height,
                               machine.threads));
}

Result<std::optional<Losses>> losses_for(const std::string& file, const std::filesystem::path& model_file,
                                         const std::string& graph_sha256) {
  std::filesystem::path found = file;
  if (file.empty()) {
    found = model_file;
    found.replace_extension(".losses.json");
    std::error_code none;
    if (!std::filesystem::exists(found, none)) return std::optional<Losses>();
  }
  auto losses = read_losses(found, graph_sha256);
  if (!losses) return losses.error();
  return std::optional<Losses>(*std::move(losses));
}

namespace {

// Of the books kept for a graph and machine, the one whose size is nearest in pixels.
std::optional<Book> nearest_book(const std::string& graph_sha256, int width, int height,
                                 const MachineId& machine) {
  const auto kept = kept_file("books", graph_sha256, width, height, machine);
  if (!kept) return {};
  std::optional<Book> nearest;
  const auto distance = [&](const Book& book) {
    return std::fabs(std::log(double(book.width) * book.height / (double(width) * height)));
  };
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(kept->parent_path(), none)) {
    auto book = read_book(entry.path(), graph_sha256);
    if (!book || !(book->machine == machine)) continue;
    if (!nearest || distance(*book) < distance(*nearest)) nearest = *std::move(book);
  }
  return nearest;
}

}  // namespace

Result<FoundBook> book_for(const std::string& file, const std::filesystem::path& model_file,
                           const std::string& model, const std::string& graph_sha256, int width, int height,
                           const MachineId& machine, bool strict) {
  FoundBook found;
  std::filesystem::path beside = model_file;
  beside.replace_extension(".book.json");
  std::error_code none;
  if (!file.empty() || std::filesystem::exists(beside, none)) {
    auto book = read_book(file.empty() ? beside : std::filesystem::path(file), graph_sha256);
    if (!book) return book.error();
    found.book = *std::move(book);
  } else if (auto kept = nearest_book(graph_sha256, width, height, machine)) {
    found.book = *std::move(kept);
  } else {
    return bad_input(fmt::format("{}: there is no book of plans for it on this machine with {} thread{}",
                                 model, machine.threads, machine.threads == 1 ? "" : "s"),
                     fmt::format("fye profile {0} --size {1}x{2} --threads {3}, then fye plan {0} --size "
                                 "{1}x{2} --threads {3} make "
                                 "one",
                                 model, width, height, machine.threads));
  }
  if (const std::string other = difference(found.book.machine, machine); !other.empty())
    found.notices.push_back(fmt::format("the book was measured on {}: its times may not hold here", other));
  found.scale = double(width) * height / (double(found.book.width) * found.book.height);
  if (found.book.width != width || found.book.height != height)
    found.notices.push_back(
        fmt::format("the book is for {}x{}: its times are scaled to {}x{} by the number of pixels",
                    found.book.width, found.book.height, width, height));
  if (strict && !found.notices.empty())
    return bad_input(found.notices.front(), "make a book for this machine and size, or leave --strict out");
  return found;
}

std::vector<const Processor*> processors_of(const Profile& profile) {
  std::vector<const Processor*> here;
  for (const std::string& name : profile.processors)
    if (const auto processor = find_processor(name, active_isa())) here.push_back(*processor);
  return here;
}

}  // namespace fye

// What was measured about a model - times and losses - from files that were named, or from where fye keeps
// them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/machine.h"
#include "plan/book.h"
#include "processors/processor.h"
#include "profile/losses.h"
#include "profile/profile.h"

namespace fye {

// The profile in `file`; or, if that is empty, the one kept for this graph, size and machine. Errors: neither
// is there: says how to make one.
Result<Profile> profile_for(const std::string& file, const std::string& model,
                            const std::string& graph_sha256, int width, int height, const MachineId& machine);

// The losses in `file`; or, if that is empty, NAME.losses.json beside the model file; nothing if that is
// absent.
Result<std::optional<Losses>> losses_for(const std::string& file, const std::filesystem::path& model_file,
                                         const std::string& graph_sha256);

// A book and how its times are scaled to the size at hand.
struct FoundBook {
  Book book;
  double scale = 1;                  // pixels at hand over the book's
  std::vector<std::string> notices;  // sentences: another machine, another size
};

// The book in `file`; or, if that is empty, NAME.book.json beside the model file; or the one kept for this
// graph, machine and the nearest size. Errors: there is none: says how to make one; with `strict`, another
// machine, build or size.
Result<FoundBook> book_for(const std::string& file, const std::filesystem::path& model_file,
                           const std::string& model, const std::string& graph_sha256, int width, int height,
                           const MachineId& machine, bool strict);

// Those of a profile that this machine has, in the profile's order.
std::vector<const Processor*> processors_of(const Profile& profile);

}  // namespace fye

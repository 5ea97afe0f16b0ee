// The flag or verb that a mistyped word probably meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace fye {

// Insertions, deletions and replacements that turn one word into the other (Levenshtein).
int edit_distance(std::string_view a, std::string_view b);

// The name of an option or subcommand of `app` (or its parent) that is at most a third of its letters, or
// one, away from one of the words that were not understood; empty if there is none.
std::string nearest_name(const CLI::App& app, const std::vector<std::string>& not_understood);

}  // namespace fye

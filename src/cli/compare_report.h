// What `fye compare` prints: a table for people, JSON and CSV for programs.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "quality/comparison.h"

namespace fye {

// One picture that was scored.
struct ComparedRow {
  std::string original, file;
  Scores scores;
};

// Two folders and what came of their pictures.
struct ComparedFolders {
  std::string originals, pictures;
  std::vector<ComparedRow> rows;
  std::vector<std::string> alone;                           // files without a partner
  std::vector<std::pair<std::string, std::string>> failed;  // file, why
};

// Rows of pictures, columns of scores. A score that looks at one picture alone stands in the original's row
// too. "identical" for an infinite PSNR, "not installed" or "-" for what could not be had.
std::string table_of(std::span<const ComparedRow> rows, std::span<const Metric> columns);

// The same with lines for the means and those of the originals; n stands beside a name where it isn't all.
std::string table_of(const ComparedFolders& folders, std::span<const Metric> columns);

// {"file", every score by its name, NAME_original for a score that looks at one picture alone, "identical"}.
// null: infinite, could not be had, or (identical) no score compared.
Json json_of(const ComparedRow& row, std::span<const Metric> columns);

// {"originals", "pictures", "mean": by name, "n": how many each mean is of, "rows", "without_partner",
// "failed"}.
Json json_of(const ComparedFolders& folders, std::span<const Metric> columns);

// A line of names, a line for each row, RFC 4180; an infinite PSNR is "inf", what could not be had is empty.
std::string csv_of(std::span<const ComparedRow> rows, std::span<const Metric> columns);

}  // namespace fye

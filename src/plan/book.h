// Plan book: the plans worth having for one graph, machine and input size, from the fastest to the truest;
// book.json in memory and on disk (docs/formats.md).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/exact.h"
#include "plan/plan.h"
#include "profile/profile.h"

namespace fye {

struct BookEntry {
  std::vector<std::string> processor;                     // by unit, in the book's order
  double ms = 0, msef = 0;                                // predicted
  std::optional<double> measured_ms, measured_msef, lpf;  // on calibration pictures, where they were measured
  // What deadlines are held against: measured if there is a measurement.
  double best_ms() const { return measured_ms.value_or(ms); }
};

struct Book {
  std::string graph_sha256;
  MachineId machine;
  int width = 0, height = 0;
  std::string strategy;            // "exact", "greedy", "fye", ...
  std::vector<std::string> units;  // in the order of units_of()
  std::vector<BookEntry> entries;  // ascending ms, descending msef
};

// The truest entry that meets the deadline; none if even the fastest does not.
const BookEntry* entry_for(const Book& book, double deadline_ms);

// At most `count` entries: the fastest, the truest, and between them those nearest to equal ratios of time.
// Indices, ascending.
std::vector<int> spread_entries(const Book& book, int count);

// As plan.json has it: neighbours on one processor in one step.
Plan plan_of(const Book& book, const BookEntry& entry);

// One entry for each plan of a front, without those that are less than a 400th slower than the one before
// (the fastest and the truest stay): about 900 where the truest takes 10 times as long as the fastest.
Book book_of(const PlanProblem& problem, const std::vector<PlanPoint>& front, const Profile& profile,
             const std::string& strategy);

// Errors name the file, the field and the value: another graph (unless `graph_sha256` is empty), entries out
// of order, times or losses that can't be, plans with too few or too many units.
Result<Book> read_book(const std::filesystem::path& path, const std::string& graph_sha256);
Status write_book(const std::filesystem::path& path, const Book& book);

}  // namespace fye

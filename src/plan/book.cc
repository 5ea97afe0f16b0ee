// Tested by plan/book_test.cc.
#include "plan/book.h"

#include <algorithm>
#include <cmath>

namespace fye {

const BookEntry* entry_for(const Book& book, double deadline_ms) {
  const BookEntry* found = nullptr;
  const auto msef = [](const BookEntry& entry) { return entry.measured_msef.value_or(entry.msef); };
  // Measurements may contradict the predicted order.
  for (const BookEntry& entry : book.entries)
    if (entry.best_ms() <= deadline_ms && (!found || msef(entry) <= msef(*found))) found = &entry;
  return found;
}

std::vector<int> spread_entries(const Book& book, int count) {
  std::vector<int> chosen;
  const int size = int(book.entries.size());
  if (size == 0 || count < 1) return chosen;
  const double first = std::log(std::max(1e-6, book.entries.front().best_ms())),
               last = std::log(std::max(1e-6, book.entries.back().best_ms()));
  for (int i = 0; i < count; ++i) {
    const double wanted = count == 1 ? last : first + (last - first) * i / (count - 1);
    int nearest = 0;
    for (int e = 1; e < size; ++e)
      if (std::fabs(std::log(std::max(1e-6, book.entries[size_t(e)].best_ms())) - wanted) <
          std::fabs(std::log(std::max(1e-6, book.entries[size_t(nearest)].best_ms())) - wanted))
        nearest = e;
    if (chosen.empty() || chosen.back() < nearest) chosen.push_back(nearest);
  }
  return chosen;
}

Plan plan_of(const Book& book, const BookEntry& entry) {
  Plan plan{.graph_sha256 = book.graph_sha256,
            .steps = {},
            .machine = book.machine,
            .width = book.width,
            .height = book.height,
            .ms = entry.ms,
            .msef = entry.msef};
  for (size_t u = 0; u < book.units.size(); ++u) {
    if (plan.steps.empty() || plan.steps.back().processor != entry.processor[u])
      plan.steps.push_back({.units = {}, .processor = entry.processor[u], .reason = {}});
    plan.steps.back().units.push_back(book.units[u]);
  }
  return plan;
}

Book book_of(const PlanProblem& problem, const std::vector<PlanPoint>& front, const Profile& profile,
             const std::string& strategy) {
  constexpr double kSpacing = 1 + 1. / 400;
  Book book{.graph_sha256 = profile.graph_sha256,
            .machine = profile.machine,
            .width = profile.width,
            .height = profile.height,
            .strategy = strategy,
            .units = {},
            .entries = {}};
  for (const auto& unit : problem.units) book.units.push_back(unit.name);
  for (size_t i = 0; i < front.size(); ++i) {
    BookEntry entry{.processor = {},
                    .ms = front[i].ms,
                    .msef = front[i].loss,
                    .measured_ms = {},
                    .measured_msef = {},
                    .lpf = {}};
    for (const int p : front[i].plan) entry.processor.push_back(problem.processors[size_t(p)]);
    const bool close = !book.entries.empty() && front[i].ms < book.entries.back().ms * kSpacing;
    if (close && i + 1 < front.size()) continue;
    // The truest takes the place of one just before it, unless that is the fastest.
    if (close && book.entries.size() > 1) book.entries.pop_back();
    book.entries.push_back(std::move(entry));
  }
  return book;
}

}  // namespace fye

// Tested by plan/explain_test.cc.
#include "plan/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace fye {
namespace {

// Who pays for each form of each tensor: the first reader in order, or the producer for the host.
void add_hand_overs(const PlanProblem& problem, const Assignment& plan, std::vector<UnitRow>& rows) {
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    const Form written =
        tensor.producer == kNone ? Form::host : tensor.form[size_t(plan[size_t(tensor.producer)])];
    std::array<bool, kForms> paid{};
    paid[size_t(written)] = true;
    for (const PlanProblem::Reader& reader : tensor.readers) {
      const Form form = reader.unit == kNone ? Form::host : reader.form[size_t(plan[size_t(reader.unit)])];
      if (std::exchange(paid[size_t(form)], true)) continue;
      const int payer = reader.unit == kNone ? tensor.producer : reader.unit;
      rows[size_t(payer)].hand_overs.push_back(
          {tensor.name, written, form, tensor.ms[size_t(written)][size_t(form)]});
    }
  }
}

std::string loss_text(double loss) { return loss == 0 ? "0" : fmt::format("{:.4f}", loss); }

std::string change_text(const Move& move) {
  const bool dearer = move.ms > 0, truer = move.loss < 0;
  const std::string ms = fmt::format("{:.2f} ms", std::abs(move.ms)), loss = loss_text(std::abs(move.loss));
  if (move.loss == 0) return fmt::format("{} {} and changes no loss", dearer ? "costs" : "saves", ms);
  if (dearer) return fmt::format("costs {} and {} {}", ms, truer ? "buys" : "loses another", loss);
  return fmt::format("saves {} and {} {}", ms, truer ? "even gains" : "loses", loss);
}

}  // namespace

std::vector<UnitRow> explain_units(const PlanProblem& problem, const Assignment& plan) {
  std::vector<UnitRow> rows;
  const double ms = predicted_ms(problem, plan), loss = predicted_loss(problem, plan);
  for (size_t u = 0; u < problem.units.size(); ++u) {
    const PlanProblem::Unit& unit = problem.units[u];
    UnitRow row{unit.name, plan[u], unit.ms, unit.loss, {}, {}};
    for (size_t p = 0; p < unit.ms.size(); ++p) {
      if (int(p) == plan[u] || std::isinf(unit.ms[p])) continue;
      Assignment moved = plan;
      moved[u] = int(p);
      row.moves.push_back(
          {int(u), int(p), predicted_ms(problem, moved) - ms, predicted_loss(problem, moved) - loss});
    }
    rows.push_back(std::move(row));
  }
  add_hand_overs(problem, plan, rows);
  return rows;
}

std::optional<Move> best_buy(const std::vector<UnitRow>& rows) {
  std::optional<Move> best;
  double best_rate = 0;
  for (const UnitRow& row : rows)
    for (const Move& move : row.moves) {
      if (!(move.loss < 0)) continue;
      const double rate = move.ms > 0 ? -move.loss / move.ms : HUGE_VAL;
      if (rate > best_rate || (rate == best_rate && best && move.loss < best->loss))
        best_rate = rate, best = move;
    }
  return best;
}

std::optional<Move> best_sale(const std::vector<UnitRow>& rows) {
  std::optional<Move> best;
  double best_rate = 0;
  for (const UnitRow& row : rows)
    for (const Move& move : row.moves) {
      if (!(move.ms < 0)) continue;
      const double rate = move.loss > 0 ? -move.ms / move.loss : HUGE_VAL;
      if (rate > best_rate || (rate == best_rate && best && move.ms < best->ms))
        best_rate = rate, best = move;
    }
  return best;
}

std::string reason_of(const PlanProblem& problem, const UnitRow& row) {
  const auto here = size_t(row.processor);
  std::string text = fmt::format("{:.2f} ms and {} here", row.ms[here], loss_text(row.loss[here]));
  double hand_overs = 0;
  for (const UnitRow::HandOver& hand : row.hand_overs) hand_overs += hand.ms;
  if (hand_overs > 0) text += fmt::format(", after {:.2f} ms of hand-overs", hand_overs);
  for (const Move& move : row.moves) {
    const auto there = size_t(move.processor);
    text += fmt::format("; on {} {:.2f} ms and {}: moving it there {}", problem.processors[there],
                        row.ms[there], loss_text(row.loss[there]), change_text(move));
  }
  if (row.moves.empty()) text += "; no other processor can run it";
  return text;
}

std::string summary_of(const PlanProblem& problem, const Assignment& plan) {
  std::string text;
  for (size_t p = 0; p < problem.processors.size(); ++p) {
    const auto units = size_t(std::count(plan.begin(), plan.end(), int(p)));
    if (units == 0) continue;
    if (units == plan.size()) return fmt::format("all {} units on {}", units, problem.processors[p]);
    const char* noun = !text.empty() ? "" : units == 1 ? " unit" : " units";
    text += fmt::format("{}{}{} on {}", text.empty() ? "" : ", ", units, noun, problem.processors[p]);
  }
  const int count = switches(plan);
  return text + fmt::format(", {} switch{}", count, count == 1 ? "" : "es");
}

void add_reasons(Plan& plan, const PlanProblem& problem, const Assignment& assignment) {
  std::map<std::string, std::string> reasons;
  for (const UnitRow& row : explain_units(problem, assignment)) reasons[row.unit] = reason_of(problem, row);
  for (PlanStep& step : plan.steps)
    for (const std::string& unit : step.units)
      if (const auto found = reasons.find(unit); found != reasons.end()) step.reasons[unit] = found->second;
}

Result<Assignment> assignment_of(const PlanProblem& problem, const Plan& plan) {
  Assignment assignment(problem.units.size(), -1);
  for (const PlanStep& step : plan.steps) {
    const auto processor = std::find(problem.processors.begin(), problem.processors.end(), step.processor);
    if (processor == problem.processors.end())
      return bad_input(
          fmt::format("the plan uses {}, which the profile has no times on", placement_text(step)),
          "profile this model with that processor too");
    for (const std::string& name : step.units) {
      const auto unit = std::find_if(problem.units.begin(), problem.units.end(),
                                     [&](const PlanProblem::Unit& u) { return u.name == name; });
      if (unit == problem.units.end())
        return bad_input(fmt::format("the network has no unit \"{}\" that the plan places", name));
      assignment[size_t(unit - problem.units.begin())] = int(processor - problem.processors.begin());
    }
  }
  for (size_t u = 0; u < assignment.size(); ++u)
    if (assignment[u] < 0)
      return bad_input(fmt::format("the plan does not say where unit \"{}\" runs", problem.units[u].name));
  return assignment;
}

std::string pareto_plot(const Book& book, int chosen, int columns, int rows) {
  if (book.entries.empty() || columns < 2 || rows < 2) return {};
  const auto loss_of = [](const BookEntry& entry) { return entry.measured_msef.value_or(entry.msef); };
  double least = HUGE_VAL, most = 0, highest = 0;
  for (const BookEntry& entry : book.entries) {
    least = std::min(least, entry.best_ms());
    most = std::max(most, entry.best_ms());
    highest = std::max(highest, loss_of(entry));
  }
  if (!(most > least)) most = least + 1;
  if (!(highest > 0)) highest = 1;
  std::vector<std::string> lines(size_t(rows), std::string(size_t(columns), ' '));
  const auto mark = [&](const BookEntry& entry, char with) {
    const double x = (entry.best_ms() - least) / (most - least) * (columns - 1);
    const double y = (1 - loss_of(entry) / highest) * (rows - 1);
    lines[size_t(std::lround(y))][size_t(std::lround(x))] = with;
  };
  for (const BookEntry& entry : book.entries) mark(entry, '*');
  if (chosen >= 0 && size_t(chosen) < book.entries.size()) mark(book.entries[size_t(chosen)], 'o');
  std::string text = "loss (msef)\n";
  for (int r = 0; r < rows; ++r) {
    const bool labelled = r == 0 || r + 1 == rows;
    std::string line = lines[size_t(r)];
    line.erase(line.find_last_not_of(' ') + 1);
    text += fmt::format("{:>10} |{}\n", labelled ? fmt::format("{:.4g}", r == 0 ? highest : 0.) : "", line);
  }
  const std::string left = fmt::format("{:.4g}", least), right = fmt::format("{:.4g} ms", most);
  text += fmt::format("{:>10} +{}\n", "", std::string(size_t(columns), '-'));
  const int gap = std::max(1, columns - int(left.size()) - int(right.size()));
  return text + fmt::format("{:>10}  {}{}{}\n", "", left, std::string(size_t(gap), ' '), right);
}

}  // namespace fye

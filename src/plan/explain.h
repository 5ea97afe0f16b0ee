// Explain: why a plan places each unit where it does, in numbers and in sentences; and a front as a picture
// of characters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/book.h"
#include "plan/problem.h"

namespace fye {

// A unit alone on another processor: by how much the plan's time and loss would change, hand-overs included.
struct Move {
  int unit = 0, processor = 0;
  double ms = 0, loss = 0;
};

struct UnitRow {
  struct HandOver {
    std::string tensor;
    Form from, to;
    double ms;
  };
  std::string unit;
  int processor = 0;
  std::vector<double> ms, loss;  // own, by processor; infinite ms where it can't run
  // Those that this unit is the first to need; and for the host, those of what it writes. Over all units
  // these and the units' times add up to the plan's, less fixed_ms.
  std::vector<HandOver> hand_overs;
  std::vector<Move> moves;  // to each other processor that can run it
};

std::vector<UnitRow> explain_units(const PlanProblem& problem, const Assignment& plan);

// Of all moves: what buys most loss per further ms (ms > 0, loss < 0), and what saves most ms per further
// loss (ms < 0, loss > 0). Nothing where there is no such move. A move that improves both comes before
// either.
std::optional<Move> best_buy(const std::vector<UnitRow>& rows);
std::optional<Move> best_sale(const std::vector<UnitRow>& rows);

// "5.10 ms and 0.0210 here; on cpu.f32 8.90 ms and 0: moving it there costs 4.60 ms and buys 0.0190"
std::string reason_of(const PlanProblem& problem, const UnitRow& row);

// "all 7 units on cpu.int8"; "5 units on cpu.f32, 2 on cpu.int8, 1 switch"
std::string summary_of(const PlanProblem& problem, const Assignment& plan);

// A reason for each unit of the plan, by name. Units that the problem lacks get none.
void add_reasons(Plan& plan, const PlanProblem& problem, const Assignment& assignment);

// The assignment that a plan means. Errors: units or processors that are not the problem's.
Result<Assignment> assignment_of(const PlanProblem& problem, const Plan& plan);

// ms to the right, loss upwards, `columns` x `rows` characters of plot and its axes around it; `chosen` (an
// index, or kNone) is marked 'o'. Measured values where a book has them.
std::string pareto_plot(const Book& book, int chosen, int columns, int rows);

}  // namespace fye

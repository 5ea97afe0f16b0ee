// Points: a plan book as the page draws it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "report/units.h"

namespace fye {

// {"strategy", "machine", "width", "height", "plans": how many there are, "points": at most `most` of them, the run's
// own always among them}. A point: its place in the book, predicted and measured time and distance, and where each unit runs, as
// counts and processors in turn ("on": [5, 0, 2, 1]: five units on processor 0, two on 1). Errors: units that are
// not the network's.
Result<Json> book_json(const Report& report, NameTable& processors, size_t most);

}  // namespace fye

// Conditions: what the machine was doing while it was measured - load, clock, temperature - as far as it
// says.
#pragma once

#include <map>
#include <string>

namespace fye {

// "load" (running tasks, mean of the last minute), "mhz" (first core), "celsius" (hottest zone), "date"
// (UTC). What the machine doesn't show is absent.
std::map<std::string, std::string> conditions_now();

}  // namespace fye

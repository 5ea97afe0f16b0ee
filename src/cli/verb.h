// Verbs: what `fye VERB ...` can do - one file each, one row of the table in verb.cc, no arithmetic.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace fye {

// Does the verb's work once its options have been parsed. Results go to stdout, everything else to stderr.
using Run = std::function<Status()>;

struct Verb {
  std::string_view name;
  std::string_view summary;  // one line, for `fye --help`
  // Declares the verb's options and examples. What it returns owns the options.
  Run (*add)(CLI::App& app);
};

std::span<const Verb> verbs();

Run add_up(CLI::App& app);
Run add_compare(CLI::App& app);
Run add_resize(CLI::App& app);
Run add_calibrate(CLI::App& app);
Run add_profile(CLI::App& app);
Run add_sensitivity(CLI::App& app);
Run add_plan(CLI::App& app);
Run add_rival(CLI::App& app);
Run add_ladder(CLI::App& app);
Run add_run(CLI::App& app);
Run add_explain(CLI::App& app);
Run add_report(CLI::App& app);
Run add_export(CLI::App& app);
Run add_bench(CLI::App& app);
Run add_doctor(CLI::App& app);
Run add_models(CLI::App& app);

}  // namespace fye

// fye: the command line. Parses, runs one verb, turns errors into exit codes (docs/formats.md).
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <new>

#include "cli/interrupt.h"
#include "cli/nearest.h"
#include "cli/program.h"

namespace fye {
namespace {

int fail(const Error& error) {
  fmt::print(stderr, "fye: {}\n", error.text());
  return static_cast<int>(error.code);
}

// CLI11's sentence, the nearest flag or verb if one was mistyped, and where the help is.
int usage_failure(const CLI::App& app, const CLI::ParseError& error, const std::string& first_word) {
  const auto chosen = app.get_subcommands();
  const CLI::App& where = chosen.empty() ? app : *chosen.front();
  std::string what =
      chosen.empty() && !first_word.starts_with('-') ? first_word + ": there is no such verb" : error.what();
  if (const std::string near = nearest_name(where, app.remaining(true)); !near.empty())
    what += fmt::format("; did you mean {}?", near);
  return fail(
      usage_error(what, fmt::format("see fye{} --help", chosen.empty() ? "" : " " + where.get_name())));
}

void log_to_stderr(int verbosity) {
  auto logger = std::make_shared<spdlog::logger>("fye", std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_pattern("%v");
  logger->set_level(verbosity > 1    ? spdlog::level::debug
                    : verbosity == 1 ? spdlog::level::info
                                     : spdlog::level::warn);
  spdlog::set_default_logger(logger);
}

int run(int argc, char** argv) {
  const auto program = make_program();
  CLI::App& app = program->app;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return usage_failure(app, error, argc > 1 ? argv[1] : "-");
  }
  log_to_stderr(program->verbosity);
  for (const auto& [sub, verb_run] : program->runs) {
    if (!sub->parsed()) continue;
    const Status status = verb_run();
    if (std::fflush(stdout) != 0) return fail(resource_error("can't write the results to stdout"));
    return status ? 0 : fail(status.error());
  }
  fmt::print(stderr, "{}", app.help());
  return static_cast<int>(ErrorCode::usage);
}

}  // namespace
}  // namespace fye

// Nothing below a public function throws but the standard library when memory runs out; that is told apart
// from our bugs.
int main(int argc, char** argv) {
  fye::watch_interrupts();
  try {
    return fye::run(argc, argv);
  } catch (const std::bad_alloc&) {
    return fye::fail(
        fye::resource_error("out of memory", "give less to do at once: --mem, --tile, fewer --threads"));
  } catch (const std::exception& problem) {
    return fye::fail(fye::internal_error(problem.what()));
  }
}

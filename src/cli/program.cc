#include "cli/program.h"

#include "base/version.h"

namespace fye {

std::unique_ptr<Program> make_program() {
  auto program = std::make_unique<Program>();
  CLI::App& app = program->app;
  app.name("fye");
  app.description("fye makes pictures larger by trained networks, as well and as fast as this machine can.");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.get_formatter()->column_width(34);
  app.add_flag("-v,--verbose", program->verbosity, "say more on stderr; twice for even more");
  app.footer(R"(Every verb has its own help.

Exit codes: 0 done, 1 the call is wrong, 2 an input can't be used, 3 partly done, 4 a deadline can't be or was not
met, 5 out of memory or disk, 6 a bug in fye, 130 ended by Ctrl-C.

Examples:
  fye up small.jpg -o big.png
  fye compare original.png upscaled.png --shave 3
  fye up --help)");
  for (const Verb& verb : verbs()) {
    CLI::App* sub = app.add_subcommand(std::string(verb.name), std::string(verb.summary));
    program->runs.emplace_back(sub, verb.add(*sub));
  }
  return program;
}

}  // namespace fye

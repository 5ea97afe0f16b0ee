// Man pages of the program and its verbs.
#pragma once

#include <string>

#include "cli/program.h"

namespace fye {

// fye.1, in roff (man(7)).
std::string manual_of_program(const Program& program);

// fye-VERB.1.
std::string manual_of_verb(const CLI::App& verb);

}  // namespace fye

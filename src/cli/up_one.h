// fye up on one picture or film.
#pragma once

#include <filesystem>

#include "cli/up_options.h"

namespace fye {

// `input` and `output` may be "-"; `output` empty: a name is made. `by_option`: it was given with -o.
struct OneRequest {
  std::filesystem::path input, output;
  bool by_option = false;
};

Status up_one(const UpOptions& options, const OneRequest& request);

}  // namespace fye

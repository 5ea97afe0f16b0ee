// fye up on many files: folders, patterns and lists into a folder.
#pragma once

#include "cli/up_jobs.h"
#include "cli/up_options.h"

namespace fye {

// Errors: partial (exit code 3) when some files failed or were left; what stopped all of them otherwise.
Status up_many(const UpOptions& options, const UpRequest& request);

}  // namespace fye

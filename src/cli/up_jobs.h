// The inputs of a bulk run as jobs: which files, and under which names they go to the output folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "batch/decide.h"
#include "batch/inputs.h"
#include "cli/up_options.h"

namespace fye {

// What a call asks for, before anything is looked at but whether files and folders are there.
struct UpRequest {
  std::vector<std::string> inputs;  // files, folders, patterns, "-"; those of --list come on top
  std::filesystem::path output;     // may be empty
  bool by_option = false;           // output was given with -o
  bool many = false;                // the output is a folder with a manifest
};

// Errors: no input, several files and no folder to put them in.
Result<UpRequest> request_of(const UpOptions& options);

struct UpJobs {
  std::filesystem::path folder;   // of the outputs and the manifest; need not exist yet
  std::vector<Job> jobs;
  std::vector<Error> unusable;    // inputs that are not there, each a sentence
  size_t ignored = 0;
  std::vector<std::string> notes;
};

// Errors: an output folder that is a file, or is to be made up for several inputs.
Result<UpJobs> jobs_of(const UpOptions& options, const UpSettings& settings, const UpRequest& request);

}  // namespace fye

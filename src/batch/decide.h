// What has to be done: each job is run, skipped or refused, by what lies in the output folder and what the manifest
// says about it.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "batch/manifest.h"

namespace fye {

// overwrite, error: as they say. skip: what is there stays, whatever it is. rename: another name is found, a_2.png.
// automatic: what fye made is skipped while input and settings are the same, else made again; files of others are
// never replaced. (A single file named with -o is replaced under automatic: cli/output_name.h.)
enum class IfExists { automatic, skip, overwrite, rename, error };

struct Job {
  std::filesystem::path input;
  std::filesystem::path output;  // below the manifest's folder
  Json settings;                 // all that the output's bytes depend on, beside the input's
  bool film = false;
};

enum class Action { run, skip, fail };

struct Decision {
  Action action = Action::run;
  std::string reason;  // of a skip; empty: done before
  Error error;         // of a failure
};

// `job.output` may get another name (rename). `taken`: outputs of earlier jobs of this run; gets this one's.
// `manifest` may be null: nothing is known. Reads the input where its time of change differs from the manifest's.
Decision decide(Job& job, const Manifest* manifest, IfExists if_exists, std::set<std::filesystem::path>& taken);

// The name under which the manifest knows a file of its folder; empty for files elsewhere.
std::string key_in(const Manifest& manifest, const std::filesystem::path& file);

}  // namespace fye

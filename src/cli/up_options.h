// The options of `fye up`, as typed and as checked.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "batch/decide.h"
#include "batch/picture_work.h"
#include "cli/film.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "runtime/upscale.h"

namespace fye {

struct UpOptions {
  std::vector<std::string> files;    // IN... [OUT]
  std::string input, output, list;   // -i, -o, --list
  ModelOptions model;
  FilmOptions film;
  int scale = 0, quality = 95;
  std::string numbers = "auto", threads, tile = "0", memory, plan, format, if_exists = "auto", progress = "auto";
  std::string deadline, book, ladder, suffix, metadata = "keep", gpu = "-1";
  bool in_place = false, recursive = false, tta = false, json = false, strict = false, dry_run = false;
};

void add_up_options(CLI::App& app, UpOptions& options);

// What all files of a call share: everything read and checked.
struct UpSettings {
  Model model;
  std::filesystem::path model_file;
  UpscaleOptions upscale;
  PictureOptions pictures;
  StageThreads threads;  // work 0: every core
  std::optional<double> deadline;
  IfExists if_exists = IfExists::automatic;
  ProgressMode progress = ProgressMode::automatic;

  int scale() const { return upscale.scale ? upscale.scale : model.conventions.scale; }
};

// Errors name the option and say what is right.
Result<UpSettings> settings_of(const UpOptions& options);

}  // namespace fye

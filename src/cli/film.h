// fye up on a film: what the command line adds to runtime/film.h - options, progress, notices, the summary.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/progress.h"
#include "runtime/model.h"
#include "runtime/upscale.h"

namespace fye {

// True for what film containers begin with; else false for a file that begins as a picture does; else by the
// extension, so that a text named clip.mp4 is refused as a film. Reads a few hundred bytes. False if there is
// no such file.
bool is_film(const std::filesystem::path& path);

// By its extension alone: a container that up_film() can write.
bool is_film_name(const std::filesystem::path& path);

// The options of `fye up` that only films have.
struct FilmOptions {
  std::string encoder = "auto";  // FFmpeg's name; auto: libx264, libx265 above 8 bits, by container
  std::optional<int> crf;        // unset: the encoder's default here
  std::string preset;            // empty: the encoder's default here
  std::vector<std::string> encoder_options;  // "key=value", handed to the encoder
  std::vector<int> leave_out;                // indices of streams that are not copied
  bool damaged = false;                      // go on over what can't be decoded
};

void add_film_options(CLI::App& app, FilmOptions& options);

struct FilmTask {
  std::filesystem::path input, output;  // output: checked by the caller as far as replacing goes
  const Model* model = nullptr;
  std::filesystem::path model_file;  // where a book is looked for
  UpscaleOptions upscale;            // numbers, plan, scale, tile, memory_bytes
  int threads = 0;                   // 0: every core
  std::optional<double> deadline;    // milliseconds for each frame
  std::string book;                  // with a deadline; empty: the one that was kept
  bool strict = false;
  bool json = false;  // the summary on stdout
  ProgressMode progress = ProgressMode::automatic;
  FilmOptions options;
};

// Writes `output` complete or not at all; what was finished of an interrupted run lies beside it in a work
// folder, and the next run with the same settings goes on there. With `summary`, that is filled instead of
// anything being printed on stdout. Errors: as upscale_film() (runtime/film.h); code deadline after the film
// was written, if more than 1 % of the frames were late.
Status up_film(const FilmTask& task, Json* summary = nullptr);

}  // namespace fye

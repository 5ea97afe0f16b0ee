// Films: decode, enlarge, encode - three processes at once, bounded queues in between, no frame on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/threads.h"
#include "runtime/model.h"
#include "runtime/upscale.h"

namespace fye {

struct FilmEncoding {
  std::string encoder = "auto";
  std::optional<int> crf;
  std::string preset;
  std::map<std::string, std::string> options;
  std::vector<int> leave_out;  // stream indices that are not copied
  bool damaged = false;        // go on over what can't be decoded
};

struct FilmProgress {
  int64_t frames = 0, expected = 0;  // done, of so many; 0: the film does not say how many it has
  double fraction = 0;          // 0..1 of the frames or, where their number is not known, of the film's time
  double resumed_fraction = 0;  // of that, by an earlier run
  int64_t resumed = 0;          // frames of those done, by an earlier run
  bool writing = false;         // all frames are done; the film is put together
  double written = 0;           // 0..1 of that
};

struct FilmRequest {
  std::filesystem::path input, output;
  const Model* model = nullptr;
  std::filesystem::path model_file;  // where a book is looked for
  UpscaleOptions upscale;
  FilmEncoding encoding;
  std::optional<double> deadline_ms;  // for each frame: from its decoded form in memory to its enlarged one
  std::string book;                   // with a deadline; empty: the one that was kept
  bool strict = false;                // refuse a book of another machine, build or size
  std::function<bool()> stop;         // asked often; true: drop the segment in hand and end
  std::function<void(const FilmProgress&)> progress;  // after each frame, on the calling thread
  std::function<void(const std::string&)>
      say;  // sentences for the user, each once; as soon as they are known
};

struct FilmReport {
  int in_width = 0, in_height = 0, width = 0, height = 0, bits = 8;
  int64_t frames = 0, resumed = 0, segments = 0;  // in all; of those by earlier runs; segments of the output
  double seconds = 0;                             // this run
  double frames_per_second = 0;                   // this run's frames; without the final muxing
  std::string encoder, pixels, container;         // FFmpeg's names
  Json streams;                                   // index, kind, codec, language, fate of each of the film's
  int64_t copied_packets = 0;
  // Milliseconds that each stage was busy in this run; decode and encode with their conversions to and from
  // RGB.
  double decode_ms = 0, upscale_ms = 0, encode_ms = 0, mux_ms = 0;
  // That enlarging waited for a frame, and for room to hand one on.
  double waited_for_decode_ms = 0, waited_for_encode_ms = 0;
  // Of a deadline; times in ms of this run's frames.
  int64_t late = 0;
  int changes = 0;
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;
  UpscaleReport upscale;  // of the last frame
};

// `output` appears complete or not at all. The film is encoded in closed segments of under two seconds; those
// that are finished stay in a work folder beside the output (runtime/film_work.h) when a run ends early, and
// the next one with the same film and settings goes on after them: its frames are those of a run without a
// break (but for deadlines, under which plans change). Errors: what fye-av says of the film or the encoder; a
// crash of it; no memory, disk full (resources); stopped: partial if something is finished, else interrupted.
Result<FilmReport> upscale_film(const FilmRequest& request, ThreadPool& threads);

}  // namespace fye

// One picture file to a larger one: whole in memory, or row by row where the memory budget asks for it.
#pragma once

#include <filesystem>
#include <functional>

#include "base/result.h"
#include "image/file.h"
#include "runtime/upscale.h"

namespace fye {

struct FileOptions {
  WriteOptions write;
  ReadLimits limits;
  std::function<void(Metadata&)>
      metadata;  // changes what the input carries before it is written; may be empty
};

struct FileReport {
  int in_width = 0, in_height = 0, width = 0, height = 0;  // pixels, upright
  int channels = 0, bits = 8;                              // of the picture that was made
  bool streamed = false;                                   // rows, not the whole picture in memory
  double read_ms = 0, write_ms = 0;  // streamed: the time that the run waited for rows to come or go
  UpscaleReport upscale;             // its notices tell also what the output format could not hold
};

// `out` appears complete or not at all; it may be `in`. UpscaleOptions::memory_bytes is the budget for all
// that is held at once: pictures or windows of rows, maps, decoder and encoder. Errors: those of
// read_picture, Upscaler::run and write_picture; (resources) no way fits into the budget: names the least
// that would do.
Result<FileReport> upscale_file(Upscaler& upscaler, const std::filesystem::path& in,
                                const std::filesystem::path& out, const FileOptions& options = {});

}  // namespace fye

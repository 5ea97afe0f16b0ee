// A picture file to a larger one row by row: what upscale_file does where the whole picture is too much.
// Inside this room only.
#pragma once

#include <filesystem>
#include <vector>

#include "image/rows.h"
#include "runtime/upscale_file.h"
#include "runtime/upscale_state.h"

namespace fye {

struct RowsTask {
  std::filesystem::path in, out;
  FileOptions options;
  RowFormat larger;  // of the file to write
  std::vector<const Processor*> placement;
};

// `reader` is the opened input, no row read; `report` what is known already. Errors: those of upscale_file.
Result<FileReport> upscale_rows(Upscaler::State& state, RowReader reader, const RowsTask& task,
                                UpscaleReport report);

}  // namespace fye

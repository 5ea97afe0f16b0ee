// Work folder of a film: its finished segments, beside the output, so that a run that was killed goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "video/channel.h"

namespace fye {

struct FinishedSegment {
  std::filesystem::path path;
  int64_t frames = 0;
};

// OUTPUT.fye-DIGEST/ with manifest.json (what the segments were made of and with), lock, and
// NNNNNN-FRAMES.seg for each finished segment. The digest is the manifest's, so other settings have another
// folder. Not thread-safe.
class FilmWork {
 public:
  // Makes the folder, or takes up an unfinished run's, and locks it. `identity`: everything that decides
  // about the encoded frames. Errors: the output's folder is missing or can't be written, another fye is at
  // work there.
  static Result<FilmWork> open(const std::filesystem::path& output, const Json& identity);
  FilmWork(FilmWork&&) noexcept;
  // Removes the folder if nothing in it is finished.
  ~FilmWork();

  // In order, from the first on without a gap.
  const std::vector<FinishedSegment>& segments() const { return segments_; }
  int64_t frames() const;
  const std::filesystem::path& folder() const { return folder_; }

  // A file for segment `number`, empty. Errors: can't be written.
  Result<Descriptor> begin_segment(int64_t number);
  // It is complete and on the disk (fsync): gets its final name. `number` must be the next one.
  Status finish_segment(int64_t number, int64_t frames);

  // It and those after it are no longer finished.
  void drop_segment(int64_t number);

  // Where the film is put together: in the folder, with the output's extension.
  Result<Descriptor> begin_film();
  // fsync, rename to the output, and the folder is removed; so are those of other settings for the same
  // output.
  Status finish_film();

 private:
  FilmWork() = default;
  std::filesystem::path segment_part(int64_t number) const;
  std::filesystem::path film_part() const;
  std::filesystem::path output_, folder_;
  Descriptor lock_;
  std::vector<FinishedSegment> segments_;
};

// What tells a film's content from another's without reading all of it: its size, when it was changed, and a
// SHA-256 over 64 blocks of 64 KiB spread evenly, first and last included. Errors: it can't be read.
Result<Json> film_digest(int fd);

}  // namespace fye

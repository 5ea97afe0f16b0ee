// The manifest of an output folder: what fye made there, from what and with which settings, so that a rerun does only
// what is left. A file of JSON lines, .fye-manifest.jsonl (docs/formats.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace fye {

inline constexpr std::string_view kManifestName = ".fye-manifest.jsonl";

// Size and time of change: what tells a changed file without reading it.
struct Stamp {
  int64_t bytes = 0, changed_ns = 0;
  bool operator==(const Stamp&) const = default;
};

// Nothing if there is no such file.
std::optional<Stamp> stamp_of(const std::filesystem::path& path);

// A SHA-256 of the file's content, hex; of one above 64 MB, of its size and of 8 MB each from its start, middle and
// end. Errors: it can't be read.
Result<std::string> content_digest(const std::filesystem::path& path);

// A SHA-256 of the text of `settings`, hex.
std::string settings_digest(const Json& settings);

struct Record {
  std::string output;        // relative to the folder, '/' between names
  std::string input;         // as it was given
  Stamp input_stamp;
  std::string input_digest;  // content_digest(); empty while it was only begun
  std::string settings;      // settings_digest()
  std::optional<Stamp> output_stamp;  // unset: begun, not known to be finished
};

// One process at a time has a folder's manifest. Not thread-safe.
class Manifest {
 public:
  // Reads it if there is one; lines that can't be read (torn by a crash) count as absent. Locks the folder. Errors:
  // (resources) another fye is at work in it; (bad_input) it can't be read, or was written by a newer fye.
  static Result<Manifest> open(const std::filesystem::path& folder);
  Manifest(Manifest&&) noexcept;
  Manifest& operator=(Manifest&&) noexcept;
  ~Manifest();

  const std::filesystem::path& folder() const;
  // Null if fye made no such output here.
  const Record* find(const std::string& output) const;
  size_t size() const;

  // Before anything is written: notes what is about to be made, in one write that reaches the disk. `settings`:
  // what the digests stand for, for people who read the file.
  Status begin(std::span<const Record> records, const std::map<std::string, Json>& settings);

  // Notes that an output is complete.
  Status done(Record record);

  // Takes back what begin() noted about an output that was not made after all.
  Status undo(const std::string& output);

 private:
  struct State;
  explicit Manifest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

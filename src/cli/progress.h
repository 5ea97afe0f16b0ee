// Progress: how far a long run is and when it will end, on stderr.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/json.h"

namespace fye {

// automatic: nothing in the first second, then a bar on a terminal, or a plain line every ten seconds elsewhere.
// bar: the same from the start. json: an event a line from the start, and at least one a second. No mode writes
// terminal control sequences or colours.
enum class ProgressMode { automatic, bar, json, none };

// "auto", "bar", "json", "none".
std::optional<ProgressMode> progress_mode_from(const std::string& text);

// One step of what is shown.
struct ProgressStep {
  double fraction = 0;           // of the work that is done, 0..1; what is shown never goes down
  std::string text;              // "frame 120 of 900, 31.2 frames a second"; may be empty
  std::optional<double> left_s;  // seconds; unset: from the fraction and the time since the first step
  Json fields;                   // an object: further fields of the JSON event
};

// Thread-safe. The destructor clears the terminal's line, or writes the last JSON event.
class Progress {
 public:
  explicit Progress(std::string what, ProgressMode mode = ProgressMode::automatic);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(double fraction);
  void update(double fraction, std::string text);
  void update(ProgressStep step);

  // Writes nothing until resumed: while a part of the work shows progress of its own.
  void pause(bool paused);

  // A line on stderr that the bar makes way for; under json an event "note". A newline is added.
  void say(const std::string& line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "8 s", "12 min", "3.5 h".
std::string duration_text(double seconds);

}  // namespace fye

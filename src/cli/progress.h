// Progress: how far a long run is and when it will end, on stderr.
#pragma once

#include <memory>
#include <string>

namespace fye {

// Says nothing in the first second; then one line that redraws itself on a terminal, or a plain line every
// ten seconds elsewhere. Thread-safe. The destructor clears the terminal's line.
class Progress {
 public:
  // `show` false: silent.
  Progress(std::string what, bool show);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `fraction` of the work is done, 0..1.
  void update(double fraction);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fye

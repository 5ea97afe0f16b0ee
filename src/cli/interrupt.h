// Ctrl-C: ends the process at once with 130 and without partial files.
#pragma once

namespace fye {

// Call first in main, before any thread exists: SIGINT, SIGTERM and SIGHUP then end the process with 128 +
// the signal's number, but not while a FinishWriting lives.
void watch_interrupts();

// While one lives an interrupt waits: files are written to a temporary name and renamed, and a write that was
// started is finished (a second or so) rather than left as a temporary file. Nothing else may be done inside.
class FinishWriting {
 public:
  FinishWriting();
  ~FinishWriting();
  FinishWriting(const FinishWriting&) = delete;
  FinishWriting& operator=(const FinishWriting&) = delete;
};

}  // namespace fye

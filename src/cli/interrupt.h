// Ctrl-C: ends the process at once with 130 and without partial files, or asks work that can stop to stop.
#pragma once

namespace fye {

// Call first in main, before any thread exists: SIGINT, SIGTERM and SIGHUP then end the process with 128 +
// the signal's number, but not while a FinishWriting lives. Where a StopWhenAsked lives, the first one only makes
// interrupted() true; the next ends the process.
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

// While one lives, work asks interrupted() often and stops in good order. The second interrupt removes the
// temporary files of pending writes (base/file.h) and ends the process. May be nested.
class StopWhenAsked {
 public:
  StopWhenAsked();
  ~StopWhenAsked();
  StopWhenAsked(const StopWhenAsked&) = delete;
  StopWhenAsked& operator=(const StopWhenAsked&) = delete;
};

// True after the first interrupt that came while a StopWhenAsked lived. Thread-safe, cheap.
bool interrupted();

}  // namespace fye

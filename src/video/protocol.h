// What fye and its helper fye-av say to each other: messages over a socket, frames in shared memory.
#pragma once

#include <cstdint>

namespace fye {

// One job a process; the job is the first message (JSON, field "job"). Who sends what:
//   all      fye-av: ready (JSON: sandbox) once it is locked in and before it reads a byte of the film;
//            failed (JSON: code, what, hint) as its last word
//   probe    fye-av: done (JSON: film, plan)
//   decode   fye: slot_free for each slot it may fill; fye-av: frame, and done (JSON) after the last
//   encode   fye: segment_begin (with a file), frame..., segment_end, again and again;
//            fye-av: slot_free, segment_done
//   mux      fye-av: want_segment; fye: segment (with a file); fye-av: damaged (and then failed) if it is not
//   whole,
//            progress, done (JSON)
enum class MessageType : uint32_t {
  job = 1,
  ready,
  failed,
  done,
  frame,
  slot_free,
  segment_begin,
  segment_end,
  segment_done,
  want_segment,
  segment,
  damaged,
  progress,
};

// As it travels, followed by text_bytes of text; a text longer than kTextPart comes in several messages.
struct MessageHead {
  MessageType type{};
  int32_t slot = -1;     // frame, slot_free
  int64_t pts = 0;       // frame: in units of the film's time base
  int64_t duration = 0;  // frame: the same; 0 = not known
  int64_t number = 0;    // segments: index; frame: bytes of side data behind the pixels; progress: per mille
  uint32_t text_bytes = 0;
  uint32_t more = 0;  // 1: the text goes on in the next message
};

inline constexpr uint32_t kTextPart = 32 << 10;  // far below the 208 KiB a socket holds by default
inline constexpr uint32_t kMostText = 8 << 20;   // a film's description; more is refused

// Closed captions travel with a frame, behind its pixels (SMPTE ST 334: at most 31 triples a field, here far
// more).
inline constexpr uint32_t kSideBytes = 4096;

// Descriptors of fye-av when it starts.
inline constexpr int kChannelFd = 3, kMemoryFd = 4, kInputFd = 5, kOutputFd = 6;

}  // namespace fye

// What an Upscaler keeps; shared by the ways that pictures go through it. Inside this room only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/guard.h"
#include "runtime/network.h"
#include "runtime/upscale.h"

namespace fye {

struct Upscaler::State {
  const Model* model;
  UpscaleOptions options;
  ThreadPool* threads;
  Numbers numbers = Numbers::f32;
  std::vector<const Processor*> placement;  // of a shared plan: what the guard repairs with
  std::optional<SharedWork> shared;         // a plan whose processors work side by side

  // The last network prepared, and what for.
  std::optional<Network> network;
  int width = 0, height = 0, tile = 0;
  std::vector<const Processor*> network_placement;
  std::optional<Guard> guard;

  Observer tamper;  // for tests: see Guard::tamper
  bool tamper_again = false;
  bool unguarded = false;  // for measuring what the guard costs

  const StepDone* done() const { return options.step_done ? &options.step_done : nullptr; }
  int own_scale() const { return model->conventions.scale; }
  int scale() const { return options.scale > 0 ? options.scale : own_scale(); }
  // Bytes that everything together may take.
  int64_t budget() const;

  Result<std::vector<const Processor*>> placement_in(Numbers format) const;
  // The placement for a picture of so many bits; the report gets numbers and notices.
  Result<std::vector<const Processor*>> placement_for(int bits, UpscaleReport& report) const;
  void note_scale(UpscaleReport& report) const;
  // A guard for pictures of that size, told of `tamper`.
  Result<Guard> make_guard(int w, int h, std::span<const Processor* const> wanted) const;
  void note_guard(const Guard& guard, UpscaleReport& report) const;

  // What the pictures themselves take: input, colour part, network output, and where they exist alpha's and
  // the resampled picture.
  int64_t picture_bytes(int w, int h, int channels, int bits) const;

  // Prepares for a size; picks bands or tiles by `allowed` bytes, of which `pictures` go to pictures. Errors:
  // resources, with the least that would do.
  Status prepare(int w, int h, int64_t pictures, int64_t allowed,
                 const std::vector<const Processor*>& wanted);
};

// Bands of the whole width compute nothing twice, so they are preferred: usual ones, unless deep networks and
// wide pictures make them larger than this; then lower ones.
inline constexpr int64_t kLargeArena = int64_t{256} << 20;

// A picture whose samples differ by more than this can't have an output of one colour.
inline int flat_levels(int bits) { return bits == 8 ? 8 : 8 * 257; }
Error flat_output(const std::string& model);

// "--mem 512M is the least that would do".
Error too_little_memory(int width, int height, int64_t least, int64_t allowed, const std::string& why = {});

}  // namespace fye

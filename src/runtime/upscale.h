// Upscaling one picture in memory: colour, alpha, bit depth, tiles and other scales around a prepared
// network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "execute/parts.h"
#include "graph/tensor.h"
#include "image/picture.h"
#include "plan/plan.h"
#include "runtime/model.h"

namespace fye {

struct UpscaleOptions {
  std::optional<Numbers> numbers;  // unset: the fastest whose loss on the model's card is <= 0.05 dB
  std::optional<Plan> plan;        // instead of numbers: a mixture
  int scale = 0;  // 0 = the model's own; else 1..16: the model's scale, then one resampling to scale
  int tile =
      0;  // input pixels; 0 = bands of the whole width, or tiles if `memory_bytes` is too little for those
  int64_t memory_bytes =
      0;  // budget for pictures, planned memory and weights; 0 = three quarters of what is free
  Isa max = active_isa();
  StepDone step_done;  // after each step of the network, for accounts of time (execute/parts.h); may be empty
  std::function<void(double)> progress;  // called with 0..1 of a picture's work, from the calling thread
  // Asked between bands or tiles, on the calling thread; true ends the run with ErrorCode::interrupted. May
  // be empty.
  std::function<bool()> stop;
};

// What happened, for the run report.
struct UpscaleReport {
  Numbers numbers = Numbers::f32;
  bool planned = false;
  int tile = 0;  // edge used, input pixels; 0 = the whole width, in bands
  int64_t arena_bytes = 0;
  double prepare_ms = 0, run_ms = 0;
  int suspected = 0,
      repaired = 0;  // patches that looked wrong; those computed again in float (runtime/guard.h)
  std::vector<std::string> notices;  // sentences: what differs from what was asked (16 bit runs in f32, ...)
};

struct Upscaled {
  Picture picture;  // same channels and bit depth class as the input; metadata copied
  UpscaleReport report;
};

// Keeps prepared networks by input size, so that a folder of equal pictures prepares once. One call at a
// time.
class Upscaler {
 public:
  // `model` outlives the upscaler. Errors: a plan or numbers that the model or machine can't do, with the
  // reason.
  static Result<Upscaler> create(const Model& model, const UpscaleOptions& options, ThreadPool& threads);
  Upscaler(Upscaler&&) noexcept;
  ~Upscaler();

  // Numbers that will be used for an 8-bit picture.
  Numbers numbers() const;

  // Errors: resources when the budget can't hold the picture (says the least that would do), bad_input for
  // sizes the network can't take, internal if the output is not finite or flat where the input is not.
  Result<Upscaled> run(const Picture& picture);

  // The network's part alone, for benchmarks: 8-bit RGB in, 8-bit RGB out, no checks, no metadata.
  Status run_into(const Picture& in, Picture& out);

  struct State;  // runtime/upscale_state.h
  State& state() { return *state_; }

 private:
  explicit Upscaler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

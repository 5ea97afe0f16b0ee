// Measuring a model on this machine and choosing among its plans: what `fye profile`, `fye plan` and
// `fye up --deadline` share with the library (fye/fye.h).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "profile/measure.h"
#include "runtime/measurements.h"
#include "runtime/model.h"

namespace fye {

// Those that have a format of their own and that the model can run on: without calibration only float ones.
std::vector<const Processor*> processors_for(const Model& model);

// The profile kept for this model, size and machine, if it has times for all these processors.
std::optional<Profile> kept_profile(const Model& model, int width, int height, const MachineId& machine,
                                    std::span<const Processor* const> processors);

// Times of every unit for pictures of width x height, measured now; takes about `seconds`. Errors: as
// measure_profile.
Result<Profile> measure_model(const Model& model, int width, int height,
                              std::span<const Processor* const> processors, double seconds,
                              ThreadPool& threads, const std::function<void(double)>& progress = {},
                              MeasureReport* report = nullptr);

// Kept where kept_profile() and book_for() look. Errors: there is no cache folder, or it can't be written.
Status keep_profile(const Profile& profile);
Status keep_book(const Book& book);

// A first run also pays for new memory and sleeping cores, 1.3 to 2.2 times what the book says (abpn_x3,
// 160x90 to 1280x720). Under a deadline of at most so long, one picture is run before the one that counts.
inline constexpr double kPracticeMs = 1000;

// The truest plan of the book for a picture of width x height, with room for what is around the network.
// Errors: code deadline if even the fastest is predicted to be slower, with its time.
Result<Plan> plan_within(const FoundBook& found, int width, int height, double deadline_ms);

}  // namespace fye

#include "runtime/network.h"

#include <fmt/format.h>

#include <variant>
#include <vector>

#include "image/resize.h"
#include "runtime/network_colour.h"

namespace fye {
namespace {

// The executor reads a little past the last pixel (kernels/map.h); a picture's vector must have room for it.
constexpr size_t kPictureSlack = 256;

// `values` made large enough for a map of that size, slack included.
Map map_of(std::vector<float>& values, int height, int width, int channels) {
  values.resize(size_t(height) * width * channels + kPictureSlack / sizeof(float));
  return float_map(values.data(), width, channels, 0, height);
}

Map map_of(const Picture& picture, float range) {
  return pixel_map(picture.u8(), picture.width, picture.channels, picture.bits, range, 0, picture.height);
}

}  // namespace

struct Network::State {
  const Model* model;
  std::variant<Executor, SharedExecutor, PatchExecutor> way;
  int width, height, scale;
  std::vector<float> in_values, out_values;

  int out_height() const {
    return std::visit([](const auto& executor) { return executor.out_height(); }, way);
  }
  int out_width() const {
    return std::visit([](const auto& executor) { return executor.out_width(); }, way);
  }
  int out_channels() const {
    return std::visit([](const auto& executor) { return executor.out_channels(); }, way);
  }
  size_t arena_bytes() const {
    return std::visit([](const auto& executor) { return executor.arena_bytes(); }, way);
  }
  Status execute(const Map& from, const Map& to, ThreadPool& threads, const Observer* observer,
                 const StepDone* done) {
    if (auto* patches = std::get_if<PatchExecutor>(&way)) return patches->run(from, to, threads);
    if (auto* shared = std::get_if<SharedExecutor>(&way))
      return shared->run(from, to, threads, observer, done);
    return std::get<Executor>(way).run(from, to, threads, observer, done);
  }

  float lo() const { return model->conventions.lo; }
  float range() const { return model->conventions.hi - model->conventions.lo; }

  Status run_rgb(const Picture& in, Picture& out, ThreadPool& threads, const Observer* observer,
                 const StepDone* done) {
    if (lo() == 0) return execute(map_of(in, range()), map_of(out, range()), threads, observer, done);
    const Map from = map_of(in_values, in.height, in.width, 3);
    const Map to = map_of(out_values, out.height, out.width, 3);
    to_range(in.u8(), in.bits, in.samples(), lo(), range(), in_values.data());
    if (auto status = execute(from, to, threads, observer, done); !status) return status;
    from_range(out_values.data(), out.bits, out.samples(), lo(), range(), out.u8());
    return {};
  }

  Status run_luma(const Picture& in, const Picture& enlarged, Picture& out, ThreadPool& threads,
                  const Observer* observer, const StepDone* done) {
    const Map from = map_of(in_values, in.height, in.width, 1);
    const Map to = map_of(out_values, out.height, out.width, 1);
    constexpr int64_t kPixelsAtOnce = 1 << 14;  // their doubles stay in a second-level cache
    const auto by_parts = [&](const Picture& of, const auto& body) {
      threads.parallel_for(int64_t(of.width) * of.height, kPixelsAtOnce,
                           [&](int64_t first, int64_t last) { body(size_t(first), size_t(last - first)); });
    };
    const auto bytes_before = [](const Picture& of, size_t pixel) {
      return pixel * size_t(of.channels) * size_t(of.bits / 8);
    };
    by_parts(in, [&](size_t first, size_t count) {
      luma_to_range(in.u8() + bytes_before(in, first), in.channels, in.bits, count, lo(), range(),
                    in_values.data() + first);
    });
    if (auto status = execute(from, to, threads, observer, done); !status) return status;
    by_parts(out, [&](size_t first, size_t count) {
      with_luma(out_values.data() + first, enlarged.u8() + bytes_before(enlarged, first), out.channels,
                out.bits, count, lo(), range(), out.u8() + bytes_before(out, first));
    });
    return {};
  }
};

Stored picture_form(const Conventions& conventions) {
  if (conventions.colour == Conventions::Colour::y || conventions.lo != 0) return {};
  return {DType::u8, {(conventions.hi - conventions.lo) / 255, 0}};
}

Network::Network(std::unique_ptr<State> state) : state_(std::move(state)) {}
Network::Network(Network&&) noexcept = default;
Network::~Network() = default;

Result<Network> Network::prepare(const Model& model, std::span<const Processor* const> placement,
                                 const ExecuteOptions& options) {
  const int first = model.conventions.bicubic_first ? model.conventions.scale : 1;
  ExecuteOptions scaled = options;
  for (int* length : {&scaled.height, &scaled.width, &scaled.tile, &scaled.band}) *length *= first;
  auto executor = Executor::prepare(model.graph, model.calib ? &*model.calib : nullptr, placement, scaled);
  if (!executor) return executor.error();
  return Network(std::make_unique<State>(
      State{&model, *std::move(executor), options.width, options.height, model.conventions.scale, {}, {}}));
}

Result<Network> Network::prepare(const Model& model, const SharedWork& work, const ExecuteOptions& options) {
  constexpr float kLevels = 255;
  const Conventions& conventions = model.conventions;
  const int first = conventions.bicubic_first ? conventions.scale : 1;
  const int height = options.height * first, width = options.width * first;
  const Calib* calib = model.calib ? &*model.calib : nullptr;
  const auto made = [&](auto executor) -> Result<Network> {
    if (!executor) return executor.error();
    return Network(std::make_unique<State>(
        State{&model, *std::move(executor), options.width, options.height, conventions.scale, {}, {}}));
  };
  if (work.patches.empty())
    return made(
        SharedExecutor::prepare(model.graph, calib, work.stages, work.stage_of, height, width, options.max));
  return made(PatchExecutor::prepare(model.graph, calib, work.patches, work.rule,
                                     kLevels / (conventions.hi - conventions.lo), height, width,
                                     options.max));
}

Status Network::run(const Picture& in, Picture& out, ThreadPool& threads, const Observer* observer,
                    const StepDone* done) {
  State& s = *state_;
  if (in.width != s.width || in.height != s.height || in.has_alpha() || out.width != in.width * s.scale ||
      out.height != in.height * s.scale || out.channels != in.channels || out.bits != in.bits)
    return internal_error("Network::run got pictures of another form than it was prepared for");
  const Conventions& conventions = s.model->conventions;
  if (conventions.colour == Conventions::Colour::y) {
    const Picture enlarged = resample_bicubic(in, out.width, out.height);
    return s.run_luma(conventions.bicubic_first ? enlarged : in, enlarged, out, threads, observer, done);
  }
  Picture rgb;
  const Picture* source = &in;
  if (in.channels == 1) {
    rgb = Picture(in.width, in.height, 3, in.bits);
    grey_to_rgb(in.u8(), in.bits, in.samples(), rgb.u8());
    source = &rgb;
  }
  if (conventions.bicubic_first) {
    rgb = resample_bicubic(*source, out.width, out.height);
    source = &rgb;
  }
  if (in.channels == 3) return s.run_rgb(*source, out, threads, observer, done);
  Picture answer(out.width, out.height, 3, out.bits);
  if (auto status = s.run_rgb(*source, answer, threads, observer, done); !status) return status;
  rgb_to_grey(answer.u8(), out.bits, out.samples(), out.u8());
  return {};
}

int64_t Network::bytes() const {
  const State& s = *state_;
  const int64_t pixels = int64_t(s.out_height()) * s.out_width();
  const bool luma = s.model->conventions.colour == Conventions::Colour::y;
  const int64_t floats = luma || s.lo() != 0 ? pixels * s.out_channels() * 2 : 0;
  const int64_t planes = luma ? pixels * 2 * int64_t(sizeof(double)) + pixels * 6 : 0;
  return int64_t(s.arena_bytes()) + floats * int64_t(sizeof(float)) + planes;
}

int Network::pass_count() const {
  const auto* plain = std::get_if<Executor>(&state_->way);
  return plain ? plain->pass_count() : 1;
}

}  // namespace fye

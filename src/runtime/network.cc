#include "runtime/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/colour.h"
#include "image/resize.h"

namespace fye {
namespace {

// Studio luma spans 219 of 255 levels; a step of luma is this many steps of each of R, G and B.
constexpr float kLumaToRgb = 255.f / 219.f;

// A packed picture as a map. 8 bit: one level is one step of `range`; 16 bit: 257 steps a level.
Map map_of(const Picture& picture, float range) {
  Map map{.type = picture.bits == 8 ? DType::u8 : DType::u16};
  map.quant = {picture.bits == 8 ? range / 255 : range / 65535, 0};
  map.channels = map.pitch = picture.channels;
  map.region = {0, 0, picture.height, picture.width};
  map.row_bytes = ptrdiff_t(picture.width) * picture.channels * (picture.bits / 8);
  map.origin = reinterpret_cast<std::byte*>(const_cast<uint8_t*>(picture.u8()));
  return map;
}

// The executor reads a little past the last pixel (kernels/map.h); a picture's vector must have room for it.
constexpr size_t kPictureSlack = 256;

Map map_of(std::vector<float>& values, int height, int width, int channels) {
  values.resize(size_t(height) * width * channels + kPictureSlack / sizeof(float));
  Map map{.type = DType::f32};
  map.channels = map.pitch = channels;
  map.region = {0, 0, height, width};
  map.row_bytes = ptrdiff_t(width) * channels * ptrdiff_t(sizeof(float));
  map.origin = reinterpret_cast<std::byte*>(values.data());
  return map;
}

float top_of(const Picture& picture) { return picture.bits == 8 ? 255.f : 65535.f; }

float sample(const Picture& picture, size_t i) {
  return picture.bits == 8 ? float(picture.u8()[i]) : float(picture.u16()[i]);
}

// Half to even, saturating; NaN becomes 0.
void store(Picture& picture, size_t i, float value) {
  const float v = std::nearbyint(std::clamp(std::isnan(value) ? 0.f : value, 0.f, top_of(picture)));
  if (picture.bits == 8)
    picture.u8()[i] = uint8_t(v);
  else
    picture.u16()[i] = uint16_t(v);
}

Picture grey_to_rgb(const Picture& grey) {
  Picture rgb(grey.width, grey.height, 3, grey.bits);
  for (size_t i = 0; i < grey.samples(); ++i)
    for (size_t c = 0; c < 3; ++c) {
      if (grey.bits == 8)
        rgb.u8()[3 * i + c] = grey.u8()[i];
      else
        rgb.u16()[3 * i + c] = grey.u16()[i];
    }
  return rgb;
}

void rgb_to_grey(const Picture& rgb, Picture& grey) {
  for (size_t i = 0; i < grey.samples(); ++i)
    store(grey, i, (sample(rgb, 3 * i) + sample(rgb, 3 * i + 1) + sample(rgb, 3 * i + 2)) / 3);
}

}  // namespace

struct Network::State {
  const Model* model;
  Executor executor;
  int width, height, scale;
  std::vector<float> in_values, out_values;

  float lo() const { return model->conventions.lo; }
  float range() const { return model->conventions.hi - model->conventions.lo; }

  Status run_rgb(const Picture& in, Picture& out, ThreadPool& threads, const Observer* observer,
                 const StepDone* done) {
    if (lo() == 0) return executor.run(map_of(in, range()), map_of(out, range()), threads, observer, done);
    const float step = range() / top_of(in);
    const Map from = map_of(in_values, height, width, 3);
    const Map to = map_of(out_values, out.height, out.width, 3);
    for (size_t i = 0; i < in.samples(); ++i) in_values[i] = lo() + step * sample(in, i);
    if (auto status = executor.run(from, to, threads, observer, done); !status) return status;
    for (size_t i = 0; i < out.samples(); ++i) store(out, i, (out_values[i] - lo()) / step);
    return {};
  }

  Status run_luma(const Picture& in, const Picture& enlarged, Picture& out, ThreadPool& threads,
                  const Observer* observer, const StepDone* done) {
    const Plane y_in = luma(in);
    const Plane y_enlarged = luma(enlarged);
    const Map from = map_of(in_values, in.height, in.width, 1);
    const Map to = map_of(out_values, out.height, out.width, 1);
    const float step = range() / 255;
    for (size_t i = 0; i < y_in.values.size(); ++i) in_values[i] = lo() + step * float(y_in.values[i]);
    if (auto status = executor.run(from, to, threads, observer, done); !status) return status;
    const float level = top_of(out) / 255 * kLumaToRgb;
    for (size_t i = 0; i < y_enlarged.values.size(); ++i) {
      const float change = level * ((out_values[i] - lo()) / step - float(y_enlarged.values[i]));
      for (int c = 0; c < out.channels; ++c) {
        const size_t at = i * size_t(out.channels) + size_t(c);
        store(out, at, sample(enlarged, at) + change);
      }
    }
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
    rgb = grey_to_rgb(in);
    source = &rgb;
  }
  if (conventions.bicubic_first) {
    rgb = resample_bicubic(*source, out.width, out.height);
    source = &rgb;
  }
  if (in.channels == 3) return s.run_rgb(*source, out, threads, observer, done);
  Picture answer(out.width, out.height, 3, out.bits);
  if (auto status = s.run_rgb(*source, answer, threads, observer, done); !status) return status;
  rgb_to_grey(answer, out);
  return {};
}

int64_t Network::bytes() const {
  const State& s = *state_;
  const int64_t pixels = int64_t(s.executor.out_height()) * s.executor.out_width();
  const bool luma = s.model->conventions.colour == Conventions::Colour::y;
  const int64_t floats = luma || s.lo() != 0 ? pixels * s.executor.out_channels() * 2 : 0;
  const int64_t planes = luma ? pixels * 2 * int64_t(sizeof(double)) + pixels * 6 : 0;
  return int64_t(s.executor.arena_bytes()) + floats * int64_t(sizeof(float)) + planes;
}

const Executor& Network::executor() const { return state_->executor; }

}  // namespace fye

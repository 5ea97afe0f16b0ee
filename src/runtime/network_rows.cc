// Tested by runtime/network_rows_test.cc: equal to Network::run for random sizes, colours, depths and bands.
#include "runtime/network_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "image/resize.h"
#include "runtime/network_colour.h"

namespace fye {

struct NetworkRows::State {
  const Model* model;
  Executor executor;
  int width, height, channels, bits;
  int out_width, out_height;
  bool luma, floats, enlarged_in, needs_enlarged;

  // Rows on their way: the network's input; the bicubic enlargement, where the input or the output is made of
  // it; the network's output, where that isn't yet the picture's; the picture's.
  RowWindow in, enlarged, answer, out;
  std::optional<BicubicRows> enlarger;
  std::vector<uint8_t> rgb;  // a row
  int added = 0;

  float lo() const { return model->conventions.lo; }
  float range() const { return model->conventions.hi - model->conventions.lo; }
  int net_channels() const { return luma ? 1 : 3; }
  size_t sample_bytes() const { return size_t(bits / 8); }

  Map out_map(int first, int count) {
    const int c = net_channels();
    RowWindow& to = answers() ? answer : out;
    return floats ? float_map(to.row(first), out_width, c, first, count)
                  : pixel_map(to.row(first), out_width, c, bits, range(), first, count);
  }
  // Whether the network's output needs another step.
  bool answers() const { return floats || channels == 1; }

  PassRows rows(int pass) {
    // Only type and quant count.
    const Map form = floats ? float_map(nullptr, out_width, net_channels(), 0, 0)
                            : pixel_map(nullptr, out_width, net_channels(), bits, range(), 0, 0);
    return *executor.pass_rows(pass, form);
  }

  // A row of the network's input, in RGB or, for luma, in the picture's channels.
  void feed(const uint8_t* row, int pixels) {
    std::byte* to = in.append(1);
    if (luma)
      luma_to_range(row, channels, bits, size_t(pixels), lo(), range(), reinterpret_cast<float*>(to));
    else if (floats)
      to_range(row, bits, size_t(pixels) * 3, lo(), range(), reinterpret_cast<float*>(to));
    else
      std::memcpy(to, row, in.row_bytes());
  }

  void add(const uint8_t* row) {
    ++added;
    if (!luma && channels == 1) {
      grey_to_rgb(row, bits, size_t(width), rgb.data());
      row = rgb.data();
    }
    if (!enlarged_in) feed(row, width);
    if (!needs_enlarged) return;
    enlarger->add(row);
    for (;;) {
      const int y = enlarged.end();
      if (!enlarger->next(reinterpret_cast<uint8_t*>(enlarged.append(1)))) {
        enlarged.shorten(y);
        return;
      }
      if (enlarged_in) feed(enlarged.u8(y), out_width);
      if (!luma) enlarged.drop_before(y + 1);
    }
  }

  Status run(int pass, ThreadPool& threads, const Observer* observer, const StepDone* done) {
    const PassRows r = rows(pass);
    const int count = r.out_to - r.out_from;
    in.drop_before(r.in_from);
    const int in_width = enlarged_in ? out_width : width;
    const int c = net_channels();
    const int held = in.end() - in.first();
    const Map from = floats ? float_map(in.row(in.first()), in_width, c, in.first(), held)
                            : pixel_map(in.row(in.first()), in_width, c, bits, range(), in.first(), held);
    if (answers()) answer.append(count);
    out.append(count);
    if (auto ok = executor.run_pass(pass, from, out_map(r.out_from, count), threads, observer, done); !ok)
      return ok;
    const size_t pixels = size_t(out_width) * size_t(count);
    if (count == 0 || !answers()) return {};
    const float* values = reinterpret_cast<const float*>(answer.row(r.out_from));
    uint8_t* made = out.u8(r.out_from);
    if (luma) {
      with_luma(values, enlarged.u8(r.out_from), channels, bits, pixels, lo(), range(), made);
      enlarged.drop_before(r.out_to);
    } else if (channels == 3) {
      from_range(values, bits, pixels * 3, lo(), range(), made);
    } else if (floats) {
      std::vector<uint8_t> three(pixels * 3 * sample_bytes());
      from_range(values, bits, pixels * 3, lo(), range(), three.data());
      rgb_to_grey(three.data(), bits, pixels, made);
    } else {
      rgb_to_grey(answer.u8(r.out_from), bits, pixels, made);
    }
    answer.drop_before(r.out_to);
    return {};
  }
};

NetworkRows::NetworkRows(std::unique_ptr<State> state) : state_(std::move(state)) {}
NetworkRows::NetworkRows(NetworkRows&&) noexcept = default;
NetworkRows::~NetworkRows() = default;

Result<NetworkRows> NetworkRows::prepare(const Model& model, std::span<const Processor* const> placement,
                                         const ExecuteOptions& options, int channels, int bits) {
  const Conventions& conventions = model.conventions;
  const int first = conventions.bicubic_first ? conventions.scale : 1;
  ExecuteOptions scaled = options;
  for (int* length : {&scaled.height, &scaled.width, &scaled.tile, &scaled.band}) *length *= first;
  auto executor = Executor::prepare(model.graph, model.calib ? &*model.calib : nullptr, placement, scaled);
  if (!executor) return executor.error();
  const bool luma = conventions.colour == Conventions::Colour::y;
  auto state = std::unique_ptr<State>(new State{.model = &model,
                                                .executor = *std::move(executor),
                                                .width = options.width,
                                                .height = options.height,
                                                .channels = channels,
                                                .bits = bits,
                                                .out_width = options.width * conventions.scale,
                                                .out_height = options.height * conventions.scale,
                                                .luma = luma,
                                                .floats = luma || conventions.lo != 0,
                                                .enlarged_in = conventions.bicubic_first,
                                                .needs_enlarged = luma || conventions.bicubic_first});
  State& s = *state;
  if (s.executor.pass_count() < 1 || !s.executor.pass_rows(0, float_map(nullptr, 0, 0, 0, 0)))
    return usage_error(
        fmt::format("{} can't go through a picture row by row: a node needs the whole", model.name));
  if (s.executor.out_width() != s.out_width || s.executor.out_height() != s.out_height)
    return internal_error("the network's output is not its scale times its input");
  const size_t in_width = size_t(s.enlarged_in ? s.out_width : s.width), net = size_t(s.net_channels());
  const size_t value = s.floats ? sizeof(float) : s.sample_bytes();
  s.in = RowWindow(in_width * net * value);
  s.answer = RowWindow(size_t(s.out_width) * net * value);
  s.out = RowWindow(size_t(s.out_width) * size_t(channels) * s.sample_bytes());
  const int rows_channels = luma ? channels : 3;
  s.enlarged = RowWindow(size_t(s.out_width) * size_t(rows_channels) * s.sample_bytes());
  s.rgb.resize(size_t(s.width) * 3 * s.sample_bytes());
  if (s.needs_enlarged) s.enlarger.emplace(s.width, s.height, rows_channels, bits, s.out_width, s.out_height);
  return NetworkRows(std::move(state));
}

int NetworkRows::passes() const { return state_->executor.pass_count(); }

int NetworkRows::rows_before(int pass) const {
  State& s = *state_;
  const PassRows r = s.rows(pass);
  const auto enlarged = [&](int end) { return end > 0 ? s.enlarger->rows_before(end - 1) : 0; };
  int rows = s.enlarged_in ? enlarged(r.in_to) : r.in_to;
  if (s.luma) rows = std::max(rows, enlarged(r.out_to));
  return rows;
}

int NetworkRows::added() const { return state_->added; }
void NetworkRows::add(const uint8_t* row) { state_->add(row); }

Status NetworkRows::run(int pass, ThreadPool& threads, const Observer* observer, const StepDone* done) {
  return state_->run(pass, threads, observer, done);
}

RowWindow& NetworkRows::out() { return state_->out; }

int64_t NetworkRows::bytes() const {
  State& s = *state_;
  int in = 0, out = 0, before = 0, behind = 0;
  for (int pass = 0; pass < passes(); ++pass) {
    const PassRows r = s.rows(pass);
    in = std::max(in, r.in_to - std::min(before, r.in_from));
    out = std::max(out, r.out_to - r.out_from);
    behind = std::max(behind, r.in_to - r.out_from / std::max(1, s.out_height / s.height));
    before = r.in_from;
  }
  // A window grows by half and holds old and new rows while it grows; one enlarged row may bring `scale`
  // more.
  const auto window = [](const RowWindow& rows, int count) {
    return int64_t(rows.row_bytes()) * (5 * count / 2 + 4);
  };
  const int scale = s.out_height / s.height;
  int64_t bytes = int64_t(s.executor.arena_bytes()) + window(s.in, in + (s.enlarged_in ? 2 * scale : 0)) +
                  window(s.out, out);
  if (s.answers())
    bytes += window(s.answer, out) + (s.channels == 1 && s.floats ? window(s.out, 3 * out) : 0);
  if (s.luma) bytes += window(s.enlarged, (behind + 2) * scale) + int64_t(s.out_width) * out * 8;
  if (s.enlarger) bytes += s.enlarger->bytes();
  return bytes;
}

}  // namespace fye

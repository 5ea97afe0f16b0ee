// The schedule is made once: for each band, forwards from the input rows it adds, which rows every map gains
// and from which row on it must be kept. A run then moves each window's kept rows to its start and goes
// forwards through the steps. Tested by execute/bands_test.cc: equal to whole maps bit for bit.
#include "execute/bands.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include "base/buffer.h"
#include "graph/region.h"
#include "kernels/convert/convert.h"
#include "processors/split_rows.h"

namespace fye {
namespace {

// Ranges a thread takes off a step's rows.
constexpr int kRangesPerThread = 2;

}  // namespace

std::optional<Bands> Bands::plan(const Parts& net, int rows) {
  for (const Node& node : net.graph->nodes)
    if (is_global(node)) return std::nullopt;
  Bands bands(net);
  if (!bands.add_steps()) return std::nullopt;
  // In whole grains, or maps would pile up where steps of one row follow steps of several.
  int grain = 1;
  for (const Step& step : bands.steps_)
    if (step.kernel) grain = std::max(grain, step.kernel->grain().size);
  bands.schedule((rows + grain - 1) / grain * grain);
  return bands;
}

// False if a segment has no kernels to show.
bool Bands::add_steps() {
  const Parts& net = *net_;
  for (const Copy& copy : net.copies) slots_.push_back({copy.tensor, copy.format, copy.margin, {}, 0});
  for (size_t p = 0; p < net.parts.size(); ++p) {
    const Part& part = net.parts[p];
    const auto kernels = part.runnable->kernels();
    if (kernels.size() != part.segment.nodes.size()) return false;
    for (size_t c = 0; c < net.copies.size(); ++c)
      if (net.copies[c].from != kNone && net.copies[c].segment == int(p))
        steps_.push_back({.in = {net.copies[c].from}, .out = int(c)});
    std::map<TensorId, int> slot;  // as this segment stores it
    for (size_t i = 0; i < part.in.size(); ++i) slot[part.segment.inputs[i]] = part.in[i];
    std::map<TensorId, int> crossing;
    for (size_t i = 0; i < part.out.size(); ++i) crossing[part.segment.outputs[i]] = part.out[i];
    for (const NodeKernel& k : kernels) {
      const Node& node = net.graph->nodes[size_t(k.node)];
      Step step{.node = k.node, .kernel = k.kernel};
      for (TensorId input : node.inputs) step.in.push_back(slot.at(input));
      Slot& first = slots_[size_t(step.in[0])];
      first.margin = std::max(first.margin, margin_of(node));
      const auto crosses = crossing.find(node.output);
      step.out = crosses != crossing.end() ? crosses->second : int(slots_.size());
      if (crosses == crossing.end()) slots_.push_back({node.output, k.format, 0, {}, 0});
      slot[node.output] = step.out;
      steps_.push_back(std::move(step));
    }
  }
  const Format& last = net.copies[size_t(net.final_copy)].format;
  steps_.push_back({.in = {net.final_copy}, .out = int(slots_.size())});
  slots_.push_back({net.output, last, 0, {}, 0});
  return true;
}

Region Bands::input_rows(const Step& step, size_t which, int y0, int y1) const {
  const MapSize out = net_->size_of(slots_[size_t(step.out)].tensor);
  const Region rows{y0, 0, y1 - y0, out.width};
  if (!step.kernel) return rows;
  const Region made = whole_grains(rows, step.kernel->grain(), out.height, out.width);
  const MapSize in = net_->size_of(slots_[size_t(step.in[which])].tensor);
  return input_region(net_->graph->nodes[size_t(step.node)], int(which), made, in.height, in.width);
}

// The last row that `step` can make from what its inputs hold, at most `most` rows from `made.done` on and up
// to whole grains.
int Bands::rows_to_make(const Step& step, const Window& made, int most,
                        const std::vector<Window>& now) const {
  const int height = net_->size_of(slots_[size_t(step.out)].tensor).height;
  const Grain grain = step.kernel ? step.kernel->grain() : Grain{};
  const auto whole = [&](int end) { return std::min(height, grain.row_after(end)); };
  const auto possible = [&](int end) {
    for (size_t i = 0; i < step.in.size(); ++i) {
      const Region needed = input_rows(step, i, made.done, end);
      if (needed.y + needed.h > now[size_t(step.in[i])].end) return false;
    }
    return true;
  };
  int low = made.done, high = whole(std::min(height, made.done + most));
  while (low < high) {
    const int middle = whole(low + (high - low + 1) / 2), next = std::min(middle, high);
    if (possible(next)) {
      low = next;
    } else {
      high = std::max(low, grain.row_before(next - 1));
    }
  }
  return low;
}

// Each band lets `rows` more rows of the input in, and every step makes what its inputs allow, but no more
// rows at once than correspond to the band: so that windows stay low at the start and at the end, too.
void Bands::schedule(int rows) {
  const int in_height = net_->size_of(net_->input).height;
  std::vector<Window> now(slots_.size());
  std::vector<int> capacity(slots_.size());
  const auto height_of = [&](size_t slot) { return net_->size_of(slots_[slot].tensor).height; };
  while (now.back().end < height_of(slots_.size() - 1)) {
    for (Window& w : now) w.done = w.end;
    Window& input = now[size_t(net_->input_copy)];
    input.end = std::min(in_height, input.done + rows);
    for (const Step& step : steps_) {
      Window& made = now[size_t(step.out)];
      const int64_t share = int64_t(rows) * height_of(size_t(step.out));
      made.end = rows_to_make(step, made, int((share + in_height - 1) / in_height), now);
    }
    std::vector<int> keep(slots_.size(), std::numeric_limits<int>::max());
    for (const Step& step : steps_) {
      const Window& made = now[size_t(step.out)];
      if (made.done == height_of(size_t(step.out))) continue;
      for (size_t i = 0; i < step.in.size(); ++i) {
        const Region needed = input_rows(step, i, made.done, made.done + 1);
        if (needed.h > 0) keep[size_t(step.in[i])] = std::min(keep[size_t(step.in[i])], needed.y);
      }
    }
    for (size_t s = 0; s < slots_.size(); ++s) {
      Window& w = now[s];
      w.base = std::max(w.base, std::min(keep[s], w.done));
      capacity[s] = std::max(capacity[s], w.end - w.base);
    }
    bands_.push_back(now);
  }
  for (size_t s = 0; s < slots_.size(); ++s) {
    Slot& slot = slots_[s];
    const Region window{0, 0, capacity[s], net_->size_of(slot.tensor).width};
    slot.layout = map_layout(slot.format, window, slot.margin);
    slot.offset = bytes_;
    const bool users = int(s) == net_->input_copy || s + 1 == slots_.size();
    if (!users) bytes_ += (map_bytes(slot.layout) + kAlignment - 1) / kAlignment * kAlignment;
  }
}

void Bands::run_step(const Step& step, const std::vector<Map>& maps, const Window& rows, ThreadPool& threads,
                     Isa max) const {
  const Map& out = maps[size_t(step.out)];
  const MapSize size = net_->size_of(slots_[size_t(step.out)].tensor);
  std::vector<Map> in;
  for (int i : step.in) in.push_back(maps[size_t(i)]);
  auto part = [&](int y0, int y1) { return part_of(out, {y0, 0, y1 - y0, size.width}); };
  const Grain grain = step.kernel ? step.kernel->grain() : Grain{};
  split_rows(rows.done, rows.end, grain, kRangesPerThread, threads, [&](int y0, int y1) {
    if (step.kernel)
      step.kernel->rows(in, part(y0, y1), y0, y1);
    else
      convert_rows(in[0], part(y0, y1), y0, y1, max);
  });
  // By one thread: the corners of neighbouring ranges overlap.
  if (out.margin > 0) fill_margin(part(rows.done, rows.end), size.height, size.width);
}

PassRows Bands::rows(int index, const Map& out) const {
  const std::vector<Window>& rows = bands_[size_t(index)];
  const Window& in = rows[size_t(net_->input_copy)];
  const Window& made = net_->ends_in(out) ? rows[size_t(net_->final_copy)] : rows.back();
  return {in.base, in.end, made.done, made.end};
}

void Bands::run_band(int index, const Map& in, const Map& out, std::byte* memory, ThreadPool& threads,
                     Isa max, const Observer* observer, const StepDone* done) const {
  const bool direct = net_->ends_in(out);
  const size_t last = slots_.size() - 1;
  const std::vector<Window>& rows = bands_[size_t(index)];
  std::vector<Map> maps(slots_.size());
  for (size_t s = 0; s < slots_.size(); ++s) {
    if (int(s) == net_->input_copy) {
      maps[s] = in;
      continue;
    }
    if (s == last || (direct && int(s) == net_->final_copy)) {
      maps[s] = out;
      continue;
    }
    Map& map = maps[s] = place_map(slots_[s].layout, memory + slots_[s].offset);
    const Window& w = rows[s];
    // Rows with their margins, and the margin below the last row once it is there; what was above base is
    // given up.
    std::byte* start = map.origin - ptrdiff_t(map.margin) * map.pitch * size_of(map.type);
    const int down = w.base - (index > 0 ? bands_[size_t(index) - 1][s].base : 0);
    const int below = w.done == net_->size_of(slots_[s].tensor).height ? map.margin : 0;
    if (down > 0)
      std::memmove(start, start + down * map.row_bytes,
                   size_t(w.done - w.base + below) * size_t(map.row_bytes));
    map.region = {w.base, 0, w.end - w.base, map.region.w};
  }
  if (done) (*done)(kNone, kNone);
  for (const Step& step : steps_) {
    if (direct && step.out == int(last)) continue;
    const Window& w = rows[size_t(step.out)];
    if (w.end > w.done) run_step(step, maps, w, threads, max);
    if (done) (*done)(step.node, slots_[size_t(step.out)].tensor);
    if (!observer || step.node == kNone) continue;
    const Map& map = maps[size_t(step.out)];
    (*observer)(step.node, part_of(map, {w.done, 0, w.end - w.done, map.region.w}));
  }
}

}  // namespace fye

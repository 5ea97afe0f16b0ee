#include "execute/parts.h"

#include <algorithm>

namespace fye {
namespace {

// Maximal runs of nodes on one processor, with the tensors at their edges.
std::vector<Part> cut(const Graph& graph, const Calib* calib, std::span<const Processor* const> placement,
                      const std::vector<Shape>& shapes) {
  std::vector<Part> parts;
  std::vector<int> part_of(graph.nodes.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (parts.empty() || parts.back().processor != placement[n]) {
      parts.push_back({});
      parts.back().processor = placement[n];
      parts.back().segment.graph = &graph;
      parts.back().segment.calib = calib;
      parts.back().segment.shapes = shapes;
    }
    parts.back().segment.nodes.push_back(int(n));
    part_of[n] = int(parts.size()) - 1;
  }
  auto add = [](std::vector<TensorId>& list, TensorId tensor) {
    if (std::find(list.begin(), list.end(), tensor) == list.end()) list.push_back(tensor);
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Segment& mine = parts[size_t(part_of[n])].segment;
    for (TensorId tensor : graph.nodes[n].inputs) {
      const int writer = graph.producer(tensor);
      if (writer != kNone && part_of[size_t(writer)] == part_of[n]) continue;
      add(mine.inputs, tensor);
      if (writer != kNone) add(parts[size_t(part_of[size_t(writer)])].segment.outputs, tensor);
    }
    if (graph.is_output(graph.nodes[n].output)) add(mine.outputs, graph.nodes[n].output);
  }
  return parts;
}

}  // namespace

bool Parts::ends_in(const Map& out) const {
  const Copy& last = copies[size_t(final_copy)];
  return last.from == kNone && last.last_reader <= last.segment && last.format.type == out.type &&
         (last.format.type == DType::f32 || last.format.quant == out.quant);
}

Result<Parts> cut_into_parts(const Graph& graph, const Calib* calib,
                             std::span<const Processor* const> placement, std::vector<Shape> shapes) {
  Parts s{.graph = &graph, .shapes = std::move(shapes), .input = graph.inputs[0], .output = graph.outputs[0]};
  s.parts = cut(graph, calib, placement, s.shapes);
  for (Part& part : s.parts) {
    auto runnable = part.processor->prepare(part.segment);
    if (!runnable) return runnable.error();
    part.runnable = *std::move(runnable);
  }

  // Stored forms. `form` finds or makes the copy of a tensor in a format, converted before segment `reader`.
  auto channels = [&](TensorId tensor) { return map_size(s.shapes[size_t(tensor)]).channels; };
  std::vector<int> source(graph.tensors.size(), kNone);  // the copy its producer wrote
  s.copies.push_back({.tensor = s.input, .format = {DType::f32, {}, channels(s.input)}});
  source[size_t(s.input)] = 0;
  auto form = [&](TensorId tensor, const Format& format, int margin, int reader) {
    const int origin = source[size_t(tensor)];
    for (size_t c = 0; c < s.copies.size(); ++c) {
      Copy& copy = s.copies[c];
      // The user's own map has no margin and any layout: it is always copied.
      if (int(c) == s.input_copy || copy.tensor != tensor || copy.format.type != format.type ||
          !(copy.format.quant == format.quant))
        continue;
      copy.margin = std::max(copy.margin, margin);
      copy.last_reader = std::max(copy.last_reader, reader);
      return int(c);
    }
    s.copies.push_back({.tensor = tensor,
                        .format = format,
                        .margin = margin,
                        .from = origin,
                        .segment = reader,
                        .last_reader = reader});
    s.copies[size_t(origin)].last_reader = std::max(s.copies[size_t(origin)].last_reader, reader);
    return int(s.copies.size()) - 1;
  };
  for (size_t p = 0; p < s.parts.size(); ++p) {
    Part& part = s.parts[p];
    const auto margins = part.runnable->input_margins();
    auto format_of = [&](TensorId tensor) -> Result<Format> {
      auto quant = part.processor->quant_of(graph, calib, tensor);
      if (!quant) return quant.error();
      return Format{storage(part.processor->numbers()), *quant, channels(tensor)};
    };
    for (size_t i = 0; i < part.segment.inputs.size(); ++i) {
      auto format = format_of(part.segment.inputs[i]);
      if (!format) return format.error();
      part.in.push_back(form(part.segment.inputs[i], *format, margins[i], int(p)));
    }
    for (TensorId tensor : part.segment.outputs) {
      auto format = format_of(tensor);
      if (!format) return format.error();
      source[size_t(tensor)] = int(s.copies.size());
      part.out.push_back(source[size_t(tensor)]);
      s.copies.push_back({.tensor = tensor, .format = *format, .segment = int(p)});
    }
  }
  if (source[size_t(s.output)] == kNone || s.output == s.input)
    return bad_input("the network's output is its input", "give a network with at least one node");
  s.final_copy = source[size_t(s.output)];
  // It must outlive everything if the user's output is converted from it at the end of the tile.
  s.copies[size_t(s.final_copy)].last_reader =
      std::max(s.copies[size_t(s.final_copy)].last_reader, s.copies[size_t(s.final_copy)].segment);

  return s;
}

}  // namespace fye

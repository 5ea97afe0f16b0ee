#include "execute/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fye {
namespace {

struct Cut {
  std::vector<Part> parts;
  std::vector<int> part_of;            // by node
  std::vector<std::vector<Stored>> in;  // by part and input
};

// How every node stores its output and wants its inputs.
struct Forms {
  std::vector<Stored> writes;              // by node
  std::vector<std::vector<Stored>> reads;  // by node and slot
};

Result<Forms> forms_of(const Graph& graph, const Calib* calib, std::span<const Processor* const> placement) {
  Forms forms;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    auto writes = placement[n]->writes(graph, calib, int(n));
    if (!writes) return writes.error();
    forms.writes.push_back(*writes);
    forms.reads.emplace_back();
    const auto& inputs = graph.nodes[n].inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      auto reads = placement[n]->reads(graph, calib, int(n), int(i));
      if (!reads) return reads.error();
      for (size_t k = 0; k < i; ++k)
        if (inputs[k] == inputs[i] && !(forms.reads[n][k] == *reads))
          return bad_input(fmt::format("{} would need tensor \"{}\" in two forms for node \"{}\"",
                                       placement[n]->name(), graph.tensors[size_t(inputs[i])].name,
                                       graph.nodes[n].name),
                           "place this unit on another processor");
      forms.reads[n].push_back(*reads);
    }
  }
  return forms;
}

// Maximal runs of nodes on one processor inside which each tensor has one form, with the tensors at their
// edges.
Cut cut(const Graph& graph, const Calib* calib, std::span<const Processor* const> placement,
        const std::vector<Shape>& shapes, const Forms& forms, std::span<const int> stage) {
  Cut all{.part_of = std::vector<int>(graph.nodes.size())};
  std::vector<Part>& parts = all.parts;
  std::vector<int>& part_of = all.part_of;
  std::map<TensorId, Stored> inside;  // forms in the last part
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    bool fits = !parts.empty() && parts.back().processor == placement[n] &&
                (stage.empty() || stage[n] == stage[n - 1]);
    for (size_t i = 0; fits && i < node.inputs.size(); ++i) {
      const auto found = inside.find(node.inputs[i]);
      fits = found == inside.end() || found->second == forms.reads[n][i];
    }
    if (!fits) {
      parts.push_back({});
      parts.back().processor = placement[n];
      parts.back().segment.graph = &graph;
      parts.back().segment.calib = calib;
      parts.back().segment.shapes = shapes;
      inside.clear();
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) inside.emplace(node.inputs[i], forms.reads[n][i]);
    inside[node.output] = forms.writes[n];
    parts.back().segment.nodes.push_back(int(n));
    part_of[n] = int(parts.size()) - 1;
  }
  all.in.resize(parts.size());
  auto add = [](std::vector<TensorId>& list, TensorId tensor) {
    const bool fresh = std::find(list.begin(), list.end(), tensor) == list.end();
    if (fresh) list.push_back(tensor);
    return fresh;
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Segment& mine = parts[size_t(part_of[n])].segment;
    for (size_t i = 0; i < graph.nodes[n].inputs.size(); ++i) {
      const TensorId tensor = graph.nodes[n].inputs[i];
      const int writer = graph.producer(tensor);
      if (writer != kNone && part_of[size_t(writer)] == part_of[n]) continue;
      if (add(mine.inputs, tensor)) all.in[size_t(part_of[n])].push_back(forms.reads[n][i]);
      if (writer != kNone) add(parts[size_t(part_of[size_t(writer)])].segment.outputs, tensor);
    }
    if (graph.is_output(graph.nodes[n].output)) add(mine.outputs, graph.nodes[n].output);
  }
  return all;
}

}  // namespace

bool Parts::ends_in(const Map& out) const {
  const Copy& last = copies[size_t(final_copy)];
  return last.from == kNone && last.last_reader <= last.segment && last.format.type == out.type &&
         (last.format.type == DType::f32 || last.format.quant == out.quant);
}

Result<Parts> cut_into_parts(const Graph& graph, const Calib* calib,
                             std::span<const Processor* const> placement, std::vector<Shape> shapes,
                             std::span<const int> stage) {
  Parts s{.graph = &graph, .shapes = std::move(shapes), .input = graph.inputs[0], .output = graph.outputs[0]};
  const auto forms = forms_of(graph, calib, placement);
  if (!forms) return forms.error();
  Cut all = cut(graph, calib, placement, s.shapes, *forms, stage);
  s.parts = std::move(all.parts);
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
    for (size_t i = 0; i < part.segment.inputs.size(); ++i) {
      const TensorId tensor = part.segment.inputs[i];
      const Stored& wanted = all.in[p][i];
      part.in.push_back(form(tensor, {wanted.type, wanted.quant, channels(tensor)}, margins[i], int(p)));
    }
    for (TensorId tensor : part.segment.outputs) {
      const Stored& stored = forms->writes[size_t(graph.producer(tensor))];
      source[size_t(tensor)] = int(s.copies.size());
      part.out.push_back(source[size_t(tensor)]);
      s.copies.push_back(
          {.tensor = tensor, .format = {stored.type, stored.quant, channels(tensor)}, .segment = int(p)});
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

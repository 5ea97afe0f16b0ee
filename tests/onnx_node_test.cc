// The ONNX project's own node tests (PyPI onnx 1.22.0, backend/test/data/node) on the importer, the reference
// and the kernels.
//
// Every case goes through the importer, with all inputs but the picture-like ones turned into initializers,
// as networks have them. What the importer takes is inside the op set and must give the expected output, on
// the dense reference and, where every tensor has one batch and the ops have map kernels, on cpu.f32, item by
// item. What it refuses must fit one of the rules listed here. Floors on the counts catch cases that get
// lost.
//
// The folder is $FYE_ONNX_NODE_TESTS, else build/oracle's; without either the tests are skipped.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.h"
#include "import/onnx_import.h"
#include "import/value.h"
#include "kernels/convert/convert.h"
#include "kernels/reference/dense_map.h"
#include "processors/processor.h"
#include "processors/segment_maps.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFileLimit = int64_t{1} << 28;

fs::path node_folder() {
  if (const char* given = std::getenv("FYE_ONNX_NODE_TESTS")) return given;
  std::error_code none;
  for (const auto& python : fs::directory_iterator(fs::path(FYE_SOURCE_DIR) / "build/oracle/lib", none)) {
    const fs::path folder = python.path() / "site-packages/onnx/backend/test/data/node";
    if (fs::exists(folder, none)) return folder;
  }
  return {};
}

std::vector<fs::path> all_cases() {
  std::vector<fs::path> cases;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(node_folder(), none))
    if (fs::exists(entry.path() / "model.onnx")) cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  return cases;
}

template <class Proto>
bool read_proto(const fs::path& path, Proto& proto) {
  const auto bytes = read_file(path, kFileLimit);
  return bytes && proto.ParseFromString(*bytes);
}

Result<Dense> read_dense(const fs::path& path) {
  onnx::TensorProto proto;
  if (!read_proto(path, proto)) return bad_input(path.string() + ": no tensor");
  auto value = read_value(proto, {}, {});
  if (!value) return value.error();
  Dense dense{value->shape, value->floats};
  if (!value->is_float()) dense.values.assign(value->ints.begin(), value->ints.end());
  return dense;
}

fs::path data_file(const fs::path& folder, std::string_view kind, int i) {
  return folder / "test_data_set_0" / fmt::format("{}_{}.pb", kind, i);
}

// True if a network would hold this operand as a constant: weights, bounds, shapes; with `second_too` also
// the second operand of arithmetic.
bool is_parameter(const onnx::NodeProto& node, int operand, bool second_too) {
  static const std::set<std::string> kParameters = {"BatchNormalization",
                                                    "Clip",
                                                    "Conv",
                                                    "ConvTranspose",
                                                    "DequantizeLinear",
                                                    "Dropout",
                                                    "Gemm",
                                                    "MatMul",
                                                    "PRelu",
                                                    "QuantizeLinear",
                                                    "Reshape",
                                                    "Resize",
                                                    "Tile"};
  static const std::set<std::string> kArithmetic = {"Add", "Sub", "Mul", "Div"};
  return operand > 0 &&
         (kParameters.contains(node.op_type()) || (second_too && kArithmetic.contains(node.op_type())));
}

// Makes initializers of the inputs that are parameters; returns the others, as indices into the file's list.
std::vector<int> promote_parameters(onnx::ModelProto& model, const fs::path& folder, bool second_too) {
  onnx::GraphProto& graph = *model.mutable_graph();
  std::set<std::string> parameters;
  for (const auto& node : graph.node())
    for (int i = 0; i < node.input_size(); ++i)
      if (is_parameter(node, i, second_too)) parameters.insert(node.input(i));
  std::vector<int> data;
  for (int i = 0; i < graph.input_size(); ++i) {
    onnx::TensorProto value;
    const auto& input = graph.input(i);
    if (i > 0 && input.type().has_tensor_type() && parameters.contains(input.name()) &&
        read_proto(data_file(folder, "input", i), value)) {
      value.set_name(input.name());
      *graph.add_initializer() = value;
    } else {
      data.push_back(i);
    }
  }
  return data;
}

// As onnx's own runner compares floating point: numpy.testing.assert_allclose(rtol=1e-3, atol=1e-7). A
// bfloat16 output is given half a step of that format, since fye's graphs carry no number formats.
std::string difference(const Dense& got, const Dense& want, bool bfloat16) {
  const float relative = bfloat16 ? 1.0f / 256 : 1e-3f;
  if (got.shape != want.shape)
    return fmt::format("shape [{}], expected [{}]", fmt::join(got.shape, ","), fmt::join(want.shape, ","));
  for (size_t i = 0; i < want.values.size(); ++i) {
    const float g = got.values[i], w = want.values[i];
    if (g == w || (std::isnan(g) && std::isnan(w))) continue;
    if (!(std::fabs(g - w) <= 1e-7f + relative * std::fabs(w)))
      return fmt::format("element {}: {}, expected {}", i, g, w);
  }
  return {};
}

// Item `item` of every input through a prepared graph; appends to the outputs.
void run_item(const Graph& graph, const Runnable& runnable, const std::vector<Shape>& shapes,
              const std::vector<Dense>& inputs, int64_t item, std::vector<Dense>& outputs) {
  std::vector<OwnedMap> in, out;
  std::vector<Map> in_maps, out_maps;
  std::vector<Region> regions;
  const auto whole = [&](TensorId id) {
    const MapSize size = map_size(shapes[size_t(id)]);
    return Region{0, 0, size.height, size.width};
  };
  const std::vector<int> margins = runnable.input_margins();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorId id = graph.inputs[i];
    const int channels = map_size(shapes[size_t(id)]).channels;
    in.push_back(make_map(DType::f32, {}, channels, whole(id), margins[i]));
    Dense dense = inputs[i];
    if (dense.shape.size() != 4) dense.shape = {dense.shape[0], channels};
    put(dense, item, in.back().map);
    in_maps.push_back(in.back().map);
  }
  for (const TensorId id : graph.outputs) {
    regions.push_back(whole(id));
    out.push_back(make_map(DType::f32, {}, map_size(shapes[size_t(id)]).channels, whole(id)));
    out_maps.push_back(out.back().map);
  }
  Buffer scratch(runnable.scratch_bytes(regions));
  ThreadPool threads(1);
  runnable.run(in_maps, out_maps, scratch.data(), threads, nullptr);
  for (size_t i = 0; i < out_maps.size(); ++i) {
    const std::vector<float> values = get(out_maps[i]).values;
    outputs[i].values.insert(outputs[i].values.end(), values.begin(), values.end());
  }
}

// The whole graph on cpu.f32, batch items one after the other. Error: maps can't hold it, or the kernels
// don't do it.
Result<std::vector<Dense>> run_kernels(const Graph& graph, const std::vector<Dense>& inputs, Isa max) {
  std::vector<Shape> input_shapes;
  for (const Dense& dense : inputs) input_shapes.push_back(dense.shape);
  auto shapes = infer_shapes(graph, input_shapes);
  if (!shapes) return shapes.error();
  const int64_t batch = input_shapes.at(0).at(0);
  for (const Shape& shape : *shapes)
    if (shape.empty() || shape[0] != batch) return bad_input("moves elements between batch items");
  const auto processor = find_processor("cpu.f32", max);
  if (!processor) return processor.error();
  Segment segment{.graph = &graph, .inputs = graph.inputs, .outputs = graph.outputs, .shapes = *shapes};
  for (size_t i = 0; i < graph.nodes.size(); ++i) segment.nodes.push_back(int(i));
  auto runnable = (*processor)->prepare(segment);
  if (!runnable) return runnable.error();
  std::vector<Dense> outputs;
  for (const TensorId id : graph.outputs) outputs.push_back({(*shapes)[size_t(id)], {}});
  for (int64_t item = 0; item < batch; ++item) run_item(graph, **runnable, *shapes, inputs, item, outputs);
  return outputs;
}

// Why a case is outside: what the importer's error says, and the rule that covers it. The first match counts.
struct Rule {
  std::string_view error, rule;
};
constexpr Rule kRules[] = {
    {"unknown op", "op outside the set"},
    {"has functions", "functions"},
    {"fye reads ai.onnx 11 to 27", "opset or domain"},
    {"fye feeds floating point", "input of another type"},
    {"fye reads numbers of 8 to 64 bits", "constant of another type"},
    {"fye computes in floating point", "Cast to another type"},
    {"is no tensor", "sequence, optional or map"},
    {"dimension 0; expected", "empty tensor"},
    {"0 dimensions; expected 1 to 8", "scalar input"},
    {"the graph has no inputs", "nothing to compute"},
    {"training_mode is set", "training"},
    {"fye computes only the first", "second output"},
    {"is computed by no node", "second output"},
    {"fye knows maps of 4 (NCHW)", "1-D or 3-D window"},
    {"fye knows 2-D convolutions", "1-D or 3-D window"},
    {"expected one value or one a channel", "PRelu slope for single elements"},
    {"one value or one a column", "Gemm with a bias for single elements"},
    {"(MatMul): weights", "MatMul of two tensors, or not 2-D"},
    {"(Resize)", "Resize other than repeating or half-pixel cubic by whole factors"},
    {"repeated channels (axis 1) alone", "Tile other than channels"},
    {"QuantizeLinear): ", "quantisation other than one scale a tensor"},
    {"is quantised", "quantised output (tested through the converter)"},
};

std::string rule_for(const Error& error) {
  for (const Rule& rule : kRules)
    if (error.what.find(rule.error) != std::string::npos) return std::string(rule.rule);
  return {};
}

struct Outcome {
  std::string failure;    // empty: what ran is right
  std::string outside;    // the rule, if the importer refused it
  std::string no_kernel;  // why only the reference ran it
};

std::string compare_outputs(const std::vector<Dense>& got, const onnx::ModelProto& model,
                            const fs::path& folder) {
  for (size_t i = 0; i < got.size(); ++i) {
    const auto want = read_dense(data_file(folder, "output", int(i)));
    if (!want) return want.error().what;
    const int type = model.graph().output(int(i)).type().tensor_type().elem_type();
    if (auto text = difference(got[i], *want, type == onnx::TensorProto::BFLOAT16); !text.empty())
      return text;
  }
  return {};
}

Outcome run_case(const fs::path& folder, bool second_too) {
  onnx::ModelProto model;
  if (!read_proto(folder / "model.onnx", model)) return {.failure = "model.onnx is unreadable"};
  const std::vector<int> data = promote_parameters(model, folder, second_too);
  const auto imported = import_onnx_bytes(model.SerializeAsString(), folder.filename().string(), {});
  if (!imported) {
    const std::string rule = rule_for(imported.error());
    return {.failure = rule.empty() ? "refused by no rule: " + imported.error().what : "", .outside = rule};
  }
  std::vector<Dense> inputs;
  for (const int i : data) {
    auto input = read_dense(data_file(folder, "input", i));
    if (!input) return {.failure = input.error().what};
    inputs.push_back(*std::move(input));
  }
  const auto reference = reference_graph(imported->graph, inputs);
  if (!reference) return {.failure = "reference: " + reference.error().what};
  if (const auto text = compare_outputs(*reference, model, folder); !text.empty())
    return {.failure = "reference: " + text};
  for (const Isa isa : {active_isa(), Isa::scalar}) {
    const auto kernels = run_kernels(imported->graph, inputs, isa);
    if (!kernels) return {.no_kernel = kernels.error().what};
    if (const auto text = compare_outputs(*kernels, model, folder); !text.empty())
      return {.failure = fmt::format("kernels ({}): {}", name(isa), text)};
  }
  return {};
}

void print(std::string_view title, const std::map<std::string, std::vector<std::string>>& groups) {
  for (const auto& [key, cases] : groups)
    fmt::print("  {:>4} {}: {}{}\n", cases.size(), title, key,
               cases.size() <= 3 ? fmt::format(" ({})", fmt::join(cases, ", ")) : "");
}

TEST(OnnxNodes, CasesInsideTheOpSetPass) {
  const std::vector<fs::path> cases = all_cases();
  if (cases.empty())
    GTEST_SKIP() << "no ONNX node cases: set FYE_ONNX_NODE_TESTS or let ./check make build/oracle";
  int inside = 0, on_kernels = 0;
  std::map<std::string, std::vector<std::string>> outside, reference_only;
  for (const fs::path& folder : cases) {
    Outcome outcome = run_case(folder, false);
    if (!outcome.no_kernel.empty()) {  // arithmetic with a tensor that broadcasts: maps take it as a constant
      const Outcome other = run_case(folder, true);
      if (other.outside.empty()) outcome = other;
    }
    const std::string name = folder.filename();
    EXPECT_EQ(outcome.failure, "") << name;
    if (!outcome.outside.empty()) {
      outside[outcome.outside].push_back(name);
      continue;
    }
    ++inside;
    if (outcome.no_kernel.empty())
      ++on_kernels;
    else
      reference_only[outcome.no_kernel].push_back(name);
  }
  fmt::print(
      "{} cases inside the op set: {} run on the reference, {} of them on the direct kernels; {} outside\n",
      inside, inside, on_kernels, cases.size() - size_t(inside));
  print("on the reference only", reference_only);
  print("outside", outside);
  // What onnx 1.22.0 gave when this was written; fewer means that cases got lost.
  EXPECT_GE(cases.size(), 1765u);
  EXPECT_GE(inside, 141);
  EXPECT_GE(on_kernels, 117);
}

// QuantizeLinear and DequantizeLinear never become nodes: they are what the converter does at a segment's
// edge.
void check_converter(const std::string& name, DType type, bool quantise) {
  const fs::path folder = node_folder() / name;
  const auto x = read_dense(data_file(folder, "input", 0)), scale = read_dense(data_file(folder, "input", 1));
  const auto zero = read_dense(data_file(folder, "input", 2)), y = read_dense(data_file(folder, "output", 0));
  ASSERT_TRUE(x && scale && zero && y) << name;
  const int count = int(x->values.size());
  const Quant quant{scale->values.at(0), int(zero->values.at(0))};
  const OwnedMap real = make_map(DType::f32, {}, 1, {0, 0, 1, count});
  const OwnedMap stored = make_map(type, quant, 1, {0, 0, 1, count});
  const auto element = [&](const Dense& dense, int i) { return dense.values[size_t(i)]; };
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    for (int i = 0; i < count; ++i) {
      const float v = element(*x, i);
      if (quantise)
        *real.map.at<float>(0, i) = v;
      else if (type == DType::u8)
        *stored.map.at<uint8_t>(0, i) = uint8_t(v);
      else
        *stored.map.at<uint16_t>(0, i) = uint16_t(v);
    }
    if (quantise)
      convert_rows(real.map, stored.map, 0, 1, isa);
    else
      convert_rows(stored.map, real.map, 0, 1, isa);
    for (int i = 0; i < count; ++i) {
      const float got = !quantise           ? *real.map.at<float>(0, i)
                        : type == DType::u8 ? float(*stored.map.at<uint8_t>(0, i))
                                            : float(*stored.map.at<uint16_t>(0, i));
      EXPECT_EQ(got, element(*y, i)) << name << " element " << i;
    }
  }
}

TEST(OnnxNodes, QuantizeAndDequantizeAreTheConverter) {
  if (all_cases().empty())
    GTEST_SKIP() << "no ONNX node cases: set FYE_ONNX_NODE_TESTS or let ./check make build/oracle";
  check_converter("test_quantizelinear", DType::u8, true);
  check_converter("test_quantizelinear_uint16", DType::u16, true);
  check_converter("test_dequantizelinear", DType::u8, false);
  check_converter("test_dequantizelinear_uint16", DType::u16, false);
}

}  // namespace
}  // namespace fye

// Models that must import, and what they become.
#include "import/onnx_import.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "graph/units.h"
#include "import/sha256.h"
#include "import/test_model.h"

namespace fye {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Model = TestModel;

// The graph's text of a model with one node of this op on x (and constants that `prepare` adds), output y.
std::string text_of(const std::function<void(Model&)>& prepare) {
  Model model;
  prepare(model);
  model.output("y");
  const auto imported = model.import();
  return imported ? to_text(imported->graph) : imported.error().what;
}

TEST(Sha256, KnownDigests) {  // FIPS 180-4 examples
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Import, EachOp) {
  const struct {
    std::function<void(Model&)> prepare;
    const char* expected;
  } cases[] = {
      {[](Model& m) { m.conv("x", "y"); }, "y_node: y[1,4,8,9] = conv(x) 3x3 pad 1,1,1,1 weight [4,4,3,3]"},
      {[](Model& m) {
         auto& n = m.node("Conv", {"x", m.filled("w", {8, 1, 3, 2}, 1)}, "y");
         Model::integer(n, "group", 4), Model::ints(n, "strides", {2, 1}),
             Model::text(n, "auto_pad", "SAME_LOWER");
       },
       // Height 8, stride 2: total padding 1, at the top; width: total 1, at the left.
       "y[1,8,4,9] = conv(x) 3x2 stride 2x1 pad 1,1,0,0 group 4"},
      {[](Model& m) {
         auto& n = m.node("Conv", {"x", m.filled("w", {8, 4, 3, 2}, 1)}, "y");
         Model::ints(n, "dilations", {2, 1}), Model::text(n, "auto_pad", "SAME_UPPER");
       },
       "y[1,8,8,9] = conv(x) 3x2 dilation 2x1 pad 2,0,2,1"},
      {[](Model& m) {
         auto& n = m.node("ConvTranspose", {"x", m.filled("w", {4, 3, 3, 3}, 1)}, "y");
         Model::ints(n, "strides", {2, 2}), Model::text(n, "auto_pad", "SAME_UPPER");
       },
       "y[1,3,16,18] = conv_transpose(x) 3x3 stride 2x2 pad 0,0,1,1"},
      {[](Model& m) {
         auto& n = m.node("ConvTranspose", {"x", m.filled("w", {4, 3, 3, 3}, 1)}, "y");
         Model::ints(n, "strides", {2, 2}), Model::ints(n, "output_shape", {18, 18});
       },
       "y[1,3,18,18] = conv_transpose(x) 3x3 stride 2x2 pad 0,1,0,0 output_pad 1x0"},
      {[](Model& m) { m.node("Relu", {"x"}, "y"); }, "elementwise(x) act relu"},
      {[](Model& m) { m.node("LeakyRelu", {"x"}, "y"); }, "act leaky_relu [0.01]"},
      {[](Model& m) { m.node("PRelu", {"x", m.filled("s", {4, 1, 1}, 0.5f)}, "y"); },
       "act prelu [0.5,0.5,0.5,0.5]"},
      {[](Model& m) { m.node("PRelu", {"x", m.filled("s", {1}, 0.5f)}, "y"); }, "act leaky_relu [0.5]"},
      {[](Model& m) { m.node("Clip", {"x", m.floats("lo", {}, {0}), m.floats("hi", {}, {6})}, "y"); },
       "act clip 0 6"},
      {[](Model& m) { m.node("Clip", {"x", "", m.floats("hi", {}, {6})}, "y"); }, "act clip -inf 6"},
      {[](Model& m) {
         auto& n = m.node("Clip", {"x"}, "y");
         Model::number(n, "min", -1), Model::number(n, "max", 1);
       },
       "act clip -1 1"},
      {[](Model& m) { m.node("Tanh", {"x"}, "y"); }, "act tanh"},
      {[](Model& m) { m.node("Sigmoid", {"x"}, "y"); }, "act sigmoid"},
      {[](Model& m) { m.node("Add", {"x", m.filled("c", {4, 1, 1}, 3)}, "y"); },
       "affine(x) scale [1,1,1,1] shift [3,3,3,3]"},
      {[](Model& m) { m.node("Sub", {m.filled("c", {}, 3), "x"}, "y"); },
       "affine(x) scale [-1,-1,-1,-1] shift [3,3,3,3]"},
      {[](Model& m) { m.node("Sub", {"x", m.filled("c", {1, 4, 1, 1}, 3)}, "y"); },
       "scale [1,1,1,1] shift [-3,-3,-3,-3]"},
      {[](Model& m) { m.node("Mul", {"x", m.filled("c", {1}, 3)}, "y"); }, "scale [3,3,3,3] shift [0,0,0,0]"},
      {[](Model& m) { m.node("Div", {"x", m.filled("c", {}, 4)}, "y"); }, "scale [0.25,0.25,0.25,0.25]"},
      {[](Model& m) { m.node("Div", {m.filled("c", {}, 4), "x"}, "y"); }, "binary(x) div constant []#"},
      {[](Model& m) { m.node("Add", {"x", m.filled("c", {9}, 3)}, "y"); }, "binary(x) add constant [9]#"},
      {[](Model& m) { m.node("Mul", {"x", "x"}, "y"); }, "binary(x, x) mul"},
      {[](Model& m) { Model::integer(m.node("Concat", {"x", "x"}, "y"), "axis", -3); },
       "y[1,8,8,9] = concat(x, x) axis 1"},
      {[](Model& m) { m.node("Tile", {"x", m.int64s("r", {1, 3, 1, 1})}, "y"); },
       "y[1,12,8,9] = concat(x, x, x) axis 1"},
      {[](Model& m) {
         auto& n = m.node("DepthToSpace", {"x"}, "y");
         Model::integer(n, "blocksize", 2), Model::text(n, "mode", "CRD");
       },
       "y[1,1,16,18] = depth_to_space(x) block 2 crd"},
      {[](Model& m) {
         m.input("z", {1, 3, -1, -1});
         Model::integer(m.node("SpaceToDepth", {"z"}, "y"), "blocksize", 2);
       },
       "y[1,12,-1,-1] = conv(z) 2x2 stride 2x2 weight [12,3,2,2]"},
      {[](Model& m) {
         auto& n = m.node("Resize", {"x", "", m.floats("s", {4}, {1, 1, 3, 2})}, "y");
         Model::text(n, "coordinate_transformation_mode", "asymmetric"),
             Model::text(n, "nearest_mode", "floor");
       },
       "y[1,4,24,18] = resize(x) nearest 3x2"},
      {[](Model& m) { m.node("Resize", {"x", "", "", m.int64s("s", {1, 4, 24, 27})}, "y"); },
       "resize(x) nearest 3x3"},
      {[](Model& m) {
         auto& n = m.node("Resize", {"x", "", m.floats("s", {2}, {2, 2})}, "y");
         Model::text(n, "mode", "cubic"), Model::ints(n, "axes", {-2, -1}),
             m.model.mutable_opset_import(0)->set_version(18);
       },
       "resize(x) bicubic 2x2 a -0.75"},
      {[](Model& m) { Model::ints(m.node("MaxPool", {"x"}, "y"), "kernel_shape", {2, 3}); },
       "y[1,4,7,7] = pool(x) max 2x3"},
      {[](Model& m) {
         auto& n = m.node("AveragePool", {"x"}, "y");
         Model::ints(n, "kernel_shape", {3, 3}), Model::ints(n, "strides", {2, 2}),
             Model::integer(n, "ceil_mode", 1);
         Model::integer(n, "count_include_pad", 1), Model::ints(n, "pads", {1, 0, 0, 0});
       },
       "y[1,4,4,4] = pool(x) average 3x3 stride 2x2 pad 1,0,0,0 ceil count_include_pad"},
      {[](Model& m) { m.node("GlobalAveragePool", {"x"}, "y"); }, "y[1,4,1,1] = global_average_pool(x)"},
      {[](Model& m) { m.node("Flatten", {"x"}, "y"); }, "y[1,288] = reshape(x) flatten 1"},
      {[](Model& m) { m.node("Reshape", {"x", m.int64s("s", {0, -1, 9})}, "y"); },
       "y[1,32,9] = reshape(x) to [0,-1,9]"},
      {[](Model& m) { Model::integer(m.node("Softmax", {"x"}, "y"), "axis", -3); }, "softmax(x) axis 1"},
      {[](Model& m) {
         m.node("BatchNormalization",
                {"x", m.filled("s", {4}, 6), m.filled("b", {4}, 1), m.filled("m", {4}, 2),
                 m.filled("v", {4}, 4)},
                "y");
         Model::number(*m.graph().mutable_node(0), "epsilon", 0);
       },
       "affine(x) scale [3,3,3,3] shift [-5,-5,-5,-5]"},
      {[](Model& m) { m.node("Dropout", {"x"}, "y"); }, "elementwise(x)"},
      {[](Model& m) {
         m.node("Identity", {"x"}, "a"), m.conv("a", "b"),
             Model::integer(m.node("Cast", {"b"}, "y"), "to", 1);
       },
       "b_node: y[1,4,8,9] = conv(x)"},
      {[](Model& m) {
         m.node("Flatten", {"x"}, "f");
         m.node("MatMul", {"f", m.filled("w", {288, 5}, 1)}, "p");
         m.node("Add", {"p", m.filled("b", {5}, 2)}, "y");
       },
       "y[1,5] = gemm(f) weight [288,5]"},
      {[](Model& m) {
         m.node("Flatten", {"x"}, "f");
         auto& n = m.node("Gemm", {"f", m.filled("w", {5, 288}, 1), m.filled("c", {1, 5}, 2)}, "y");
         Model::integer(n, "transB", 1), Model::number(n, "alpha", 0.5f);
       },
       "gemm(f) weight [5,288]"},
  };
  for (const auto& [prepare, expected] : cases) EXPECT_THAT(text_of(prepare), HasSubstr(expected));
}

TEST(Import, ConstantsOfEveryKind) {
  const auto weight = [](const std::function<void(onnx::TensorProto&)>& fill, int type) {
    Model m;
    auto& w = m.initializer("w", {1, 4, 1, 1}, type);
    fill(w);
    m.node("Conv", {"x", "w"}, "y");
    const auto imported = m.output("y").import();
    return imported ? imported->graph.constants[0].values : std::vector<float>{};
  };
  using Proto = onnx::TensorProto;
  const auto raw = [&](const auto& values, int type) {
    return weight([&](Proto& w) { w.set_raw_data(values.data(), values.size() * sizeof(values[0])); }, type);
  };
  EXPECT_THAT(raw(std::vector<float>{1, -2, 0.5, 3}, Proto::FLOAT), ElementsAre(1, -2, 0.5, 3));
  EXPECT_THAT(raw(std::vector<double>{1, -2, 0.5, 3}, Proto::DOUBLE), ElementsAre(1, -2, 0.5, 3));
  // 1, the smallest subnormal, -2, the largest finite number
  EXPECT_THAT(raw(std::vector<uint16_t>{0x3c00, 1, 0xc000, 0x7bff}, Proto::FLOAT16),
              ElementsAre(1, 0x1p-24f, -2, 65504));
  EXPECT_THAT(raw(std::vector<uint16_t>{0x3f80, 0xc000, 0x3f00, 0}, Proto::BFLOAT16),
              ElementsAre(1, -2, 0.5, 0));
  const auto fields = [&](int type) {
    return weight(
        [](Proto& w) {
          for (const int v : {0x3c00, 0xc000, 0, 0x3800}) w.add_int32_data(v);
        },
        type);
  };
  EXPECT_THAT(fields(Proto::FLOAT16), ElementsAre(1, -2, 0, 0.5));
  EXPECT_THAT(weight(
                  [](Proto& w) {
                    for (const int v : {1, 2, 3, 4}) w.add_double_data(v);
                  },
                  Proto::DOUBLE),
              ElementsAre(1, 2, 3, 4));
}

TEST(Import, ConstantNodesAndCasts) {
  Model m;
  auto& c = m.node("Constant", {}, "shape_f");
  auto& list = Model::attribute(c, "value_floats", onnx::AttributeProto::FLOATS);
  for (const float v : {1.0f, -1.0f}) list.add_floats(v);
  Model::integer(m.node("Cast", {"shape_f"}, "shape"), "to", onnx::TensorProto::INT64);
  m.node("Reshape", {"x", "shape"}, "y");
  const auto imported = m.output("y").import();
  ASSERT_TRUE(imported) << imported.error().what;
  EXPECT_THAT(to_text(imported->graph), HasSubstr("to [1,-1]"));
}

TEST(Import, SortsNodesKeepsMetadataAndNames) {
  Model m;
  m.conv("a", "y");
  m.conv("x", "a");
  for (auto& node : *m.graph().mutable_node()) node.set_name("same");
  auto& scale = *m.model.add_metadata_props();
  scale.set_key("fye.scale"), scale.set_value("1");
  auto& other = *m.model.add_metadata_props();
  other.set_key("author"), other.set_value("somebody");
  const auto imported = m.output("y").import();
  ASSERT_TRUE(imported) << imported.error().what;
  EXPECT_EQ(imported->graph.metadata, (std::map<std::string, std::string>{{"fye.scale", "1"}}));
  EXPECT_EQ(imported->graph.nodes[0].name, "same");
  EXPECT_EQ(imported->graph.nodes[1].name, "same/y");
  EXPECT_EQ(imported->graph.sha256, sha256_hex(m.model.SerializeAsString()));
  EXPECT_FALSE(imported->calib);
}

TEST(Import, FreeSizesStayFree) {
  Model m;
  m.graph().clear_input();
  m.input("x", {-1, 4, -1, -1});
  m.conv("x", "a"), m.node("Relu", {"a"}, "y");
  const auto imported = m.output("y").import();
  ASSERT_TRUE(imported) << imported.error().what;
  EXPECT_THAT(to_text(imported->graph), HasSubstr("a_node: y[-1,4,-1,-1] = conv(x)"));
}

TEST(Import, InitializersListedAsInputsAreConstants) {
  Model m;
  m.conv("x", "y");
  m.input("y_w", {4, 4, 3, 3});
  const auto imported = m.output("y").import();
  ASSERT_TRUE(imported) << imported.error().what;
  EXPECT_EQ(imported->graph.inputs.size(), 1);
}

// A folder that is removed at the end.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("fye_import_" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path / "data"); }
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST(Import, ExternalData) {
  const Folder folder;
  const std::vector<float> values{9, 9, 1, 2, 3, 4};
  std::ofstream(folder.path / "data" / "w.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()), 24);
  Model m;
  auto& w = m.initializer("w", {1, 4, 1, 1}, onnx::TensorProto::FLOAT);
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair{"location", "data/w.bin"}, {"offset", "8"}, {"length", "16"}}) {
    auto& entry = *w.add_external_data();
    entry.set_key(key), entry.set_value(value);
  }
  m.node("Conv", {"x", "w"}, "y");
  m.output("y");
  const auto imported = m.import(folder.path);
  ASSERT_TRUE(imported) << imported.error().what;
  EXPECT_THAT(imported->graph.constants[0].values, ElementsAre(1, 2, 3, 4));

  const auto file = folder.path / "model.onnx";
  std::ofstream(file, std::ios::binary) << m.model.SerializeAsString();
  EXPECT_TRUE(import_onnx(file));
}

// x -> Q -> DQ -> Conv (DQ weights, DQ bias) -> Relu -> Q -> DQ -> y.
struct QdqModel : TestModel {
  explicit QdqModel(int type, const std::vector<int>& weights = {1, -128, 3, 127},
                    int weight_type = onnx::TensorProto::INT8) {
    const bool is_signed = type == onnx::TensorProto::INT8;
    floats("sx", {}, {0.5f}), codes("zx", {}, type, {is_signed ? -28 : 100});
    floats("sy", {}, {0.25f}), codes("zy", {}, type, {is_signed ? -128 : 0});
    floats("sw", {2}, {0.1f, 0.2f}), codes("zw", {2}, weight_type, {0, 0});
    floats("sb", {2}, {0.05f, 0.1f});
    std::vector<int> all;
    for (int i = 0; i < 2; ++i) all.insert(all.end(), weights.begin(), weights.end());
    codes("w_q", {2, 4, 1, 1}, weight_type, all);
    codes("b_q", {2}, onnx::TensorProto::INT32, {7, -9});
    node("QuantizeLinear", {"x", "sx", "zx"}, "x_q");
    node("DequantizeLinear", {"x_q", "sx", "zx"}, "x_dq");
    integer(node("DequantizeLinear", {"w_q", "sw", "zw"}, "w"), "axis", 0);
    integer(node("DequantizeLinear", {"b_q", "sb"}, "b"), "axis", 0);
    node("Conv", {"x_dq", "w", "b"}, "c");
    node("Relu", {"c"}, "r");
    node("QuantizeLinear", {"r", "sy", "zy"}, "r_q");
    node("DequantizeLinear", {"r_q", "sy", "zy"}, "y");
    output("y");
  }
};

TEST(ImportQdq, UnsignedAndSignedActivations) {
  for (const int type : {onnx::TensorProto::UINT8, onnx::TensorProto::INT8}) {
    const auto imported = QdqModel(type).import();
    ASSERT_TRUE(imported) << imported.error().what;
    EXPECT_THAT(to_text(imported->graph), HasSubstr("c_node: y[1,2,8,9] = conv(x) 1x1 weight [2,4,1,1]"));
    ASSERT_TRUE(imported->calib);
    const Calib& calib = *imported->calib;
    EXPECT_EQ(calib.method, "qdq");
    EXPECT_EQ(calib.graph_sha256, imported->graph.sha256);
    EXPECT_EQ(calib.tensors, (std::map<std::string, Quant>{{"x", {0.5f, 100}}, {"y", {0.25f, 0}}}));
    const WeightQuant& weights = calib.weights.at("c_node");
    EXPECT_THAT(weights.values, ElementsAre(1, -128, 3, 127, 1, -128, 3, 127));
    EXPECT_THAT(weights.scale, ElementsAre(0.1f, 0.2f));
    EXPECT_THAT(weights.bias, ElementsAre(7 * 0.05f, -9 * 0.1f));
    EXPECT_EQ(imported->graph.constants[0].values[4], 1 * 0.2f);
  }
}

TEST(ImportQdq, ScalesFollowFoldedNormalisation) {
  QdqModel m(onnx::TensorProto::UINT8, {1, -127, 3, 127});
  m.graph().mutable_node(5)->set_input(0, "n");
  m.node(
      "BatchNormalization",
      {"c", m.floats("s", {2}, {3, -2}), m.filled("o", {2}, 1), m.filled("m", {2}, 0), m.filled("v", {2}, 1)},
      "n");
  Model::number(*m.graph().mutable_node(8), "epsilon", 0);
  const auto imported = m.import();
  ASSERT_TRUE(imported) << imported.error().what;
  const WeightQuant& weights = imported->calib->weights.at("c_node");
  EXPECT_THAT(weights.values, ElementsAre(1, -127, 3, 127, -1, 127, -3, -127));
  EXPECT_FLOAT_EQ(weights.scale[0], 0.3f);
  EXPECT_FLOAT_EQ(weights.scale[1], 0.4f);
}

TEST(ImportQdq, FloatWeightsThroughQ) {
  Model m;
  m.floats("s", {}, {0.5f}), m.codes("z", {}, onnx::TensorProto::INT8, {0});
  m.floats("w", {1, 4, 1, 1}, {0.25f, 0.75f, -100, 1});
  m.node("QuantizeLinear", {"w", "s", "z"}, "w_q");
  m.node("DequantizeLinear", {"w_q", "s", "z"}, "w_dq");
  m.node("Conv", {"x", "w_dq"}, "y");
  const auto imported = m.output("y").import();
  ASSERT_TRUE(imported) << imported.error().what;
  EXPECT_THAT(imported->calib->weights.at("y_node").values, ElementsAre(0, 2, -128, 2));  // ties to even
}

}  // namespace
}  // namespace fye

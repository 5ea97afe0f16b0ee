// Models that must be refused: each is one change to a good model, and says so naming the file and the node
// or tensor.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "import/onnx_import.h"
#include "import/test_model.h"

namespace fye {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Model = TestModel;
using Proto = onnx::TensorProto;

onnx::NodeProto& conv_of(Model& m) { return *m.graph().mutable_node(0); }
onnx::TensorProto& weight_of(Model& m) { return *m.graph().mutable_initializer(0); }
void set_dim(onnx::ValueInfoProto& info, int i, int64_t value) {
  info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(i)->set_dim_value(value);
}
// Replaces the relu by this op.
onnx::NodeProto& instead(Model& m, const std::string& op, std::vector<std::string> more = {}) {
  auto& node = *m.graph().mutable_node(1);
  node.set_op_type(op);
  for (const std::string& input : more) node.add_input(input);
  return node;
}

struct Case {
  const char* message;  // besides the file's name
  std::function<void(Model&)> spoil;
};

void expect_refused(const std::vector<Case>& cases) {
  for (const auto& [message, spoil] : cases) {
    Model m = good_model();
    spoil(m);
    const auto imported = m.import();
    ASSERT_FALSE(imported) << "accepted, instead of: " << message;
    EXPECT_EQ(imported.error().code, ErrorCode::bad_input);
    EXPECT_THAT(imported.error().what, AllOf(HasSubstr("test.onnx"), HasSubstr(message)));
  }
}

TEST(Hostile, TheGoodModelIsGood) {
  const auto imported = good_model().import();
  EXPECT_TRUE(imported) << imported.error().what;
}

TEST(Hostile, Model) {
  expect_refused({
      {"IR version 0", [](Model& m) { m.model.set_ir_version(0); }},
      {"IR version 99", [](Model& m) { m.model.set_ir_version(99); }},
      {"opset 10", [](Model& m) { m.model.mutable_opset_import(0)->set_version(10); }},
      {"opset 28", [](Model& m) { m.model.mutable_opset_import(0)->set_version(28); }},
      {"opset 0", [](Model& m) { m.model.mutable_opset_import(0)->set_version(INT64_MIN); }},
      {"opset 0", [](Model& m) { m.model.clear_opset_import(); }},
      {"functions", [](Model& m) { m.model.add_functions()->set_name("f"); }},
      {"no graph", [](Model& m) { m.model.clear_graph(); }},
      {"no nodes", [](Model& m) { m.graph().clear_node(); }},
      {"no outputs", [](Model& m) { m.graph().clear_output(); }},
      {"no inputs", [](Model& m) { m.filled("x", {1, 4, 8, 9}, 0), m.graph().clear_input(); }},
      {"sparse", [](Model& m) { m.graph().add_sparse_initializer(); }},
  });
}

TEST(Hostile, InputsAndOutputs) {
  expect_refused({
      {"input \"x\": takes UINT8",
       [](Model& m) {
         m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(Proto::UINT8);
       }},
      {"input \"x\": has no shape",
       [](Model& m) { m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape(); }},
      {"input \"x\": is no tensor",
       [](Model& m) { m.graph().mutable_input(0)->mutable_type()->mutable_sequence_type(); }},
      {"dimension 0", [](Model& m) { set_dim(*m.graph().mutable_input(0), 2, 0); }},
      {"dimension -5", [](Model& m) { set_dim(*m.graph().mutable_input(0), 2, -5); }},
      {"dimension 9223372036854775807", [](Model& m) { set_dim(*m.graph().mutable_input(0), 2, INT64_MAX); }},
      {"9 dimensions", [](Model& m) { m.input("z", Shape(9, 1)); }},
      {"input name \"x\" is empty or taken", [](Model& m) { m.input("x", {1}); }},
      {"output \"z\": is computed by no node", [](Model& m) { m.output("z"); }},
      {"output \"y\" is listed twice", [](Model& m) { m.output("y"); }},
      {"output \"a_w\": is a constant", [](Model& m) { m.output("a_w"); }},
  });
}

TEST(Hostile, Structure) {
  expect_refused({
      {"unknown op \"Foo\" (node \"y_node\"); fye knows: Add, AveragePool",
       [](Model& m) { instead(m, "Foo"); }},
      {"unknown op \"If\"", [](Model& m) { instead(m, "If"); }},
      {"unknown op \"Loop\"", [](Model& m) { instead(m, "Loop"); }},
      {"unknown op \"com.microsoft.Relu\"", [](Model& m) { instead(m, "Relu").set_domain("com.microsoft"); }},
      {"\"y_node\" (Relu): input \"gone\" is computed by no node",
       [](Model& m) { m.graph().mutable_node(1)->set_input(0, "gone"); }},
      {"\"a_node\" (Conv): needs its own output", [](Model& m) { conv_of(m).set_input(0, "y"); }},
      {"\"a_node\" (Conv): needs its own output", [](Model& m) { conv_of(m).set_input(0, "a"); }},
      {"output \"a\" is already written", [](Model& m) { m.graph().mutable_node(1)->set_output(0, "a"); }},
      {"output \"x\" is already written", [](Model& m) { m.node("Relu", {"a"}, "x"); }},
      {"initializer name \"a_w\"", [](Model& m) { m.filled("a_w", {1}, 0); }},
      {"initializer name \"\"", [](Model& m) { m.filled("", {1}, 0); }},
      {"\"y_node\" (Relu): input 0 is missing", [](Model& m) { m.graph().mutable_node(1)->clear_input(); }},
      {"has no output", [](Model& m) { m.node("Relu", {"a"}, "z").clear_output(); }},
      {"output 1 \"i\"",
       [](Model& m) {
         auto& n = instead(m, "MaxPool");
         n.add_output("i");
         Model::ints(n, "kernel_shape", {2, 2});
       }},
      {"attribute \"mystery\" is unknown",
       [](Model& m) { Model::integer(instead(m, "Relu"), "mystery", 1); }},
      {"input 0 is a constant", [](Model& m) { m.graph().mutable_node(1)->set_input(0, "a_w"); }},
      {"refers to a function",
       [](Model& m) {
         Model::attribute(instead(m, "Relu"), "f", onnx::AttributeProto::FLOAT).set_ref_attr_name("q");
       }},
      {"wrong type", [](Model& m) { Model::text(conv_of(m), "group", "2"); }},
  });
}

TEST(Hostile, Convolutions) {
  expect_refused({
      {"\"a_node\" (Conv): a kernel size, stride or dilation is 0",
       [](Model& m) { Model::ints(conv_of(m), "strides", {0, 1}); }},
      {"dilation is 0", [](Model& m) { Model::ints(conv_of(m), "dilations", {1, 0}); }},
      {"\"strides\": -1", [](Model& m) { Model::ints(conv_of(m), "strides", {-1, 1}); }},
      {"\"strides\" has 3 values", [](Model& m) { Model::ints(conv_of(m), "strides", {1, 1, 1}); }},
      {"\"strides\": 4611686018427387904",
       [](Model& m) { Model::ints(conv_of(m), "strides", {int64_t{1} << 62, 1}); }},
      {"kernel_shape 5x5", [](Model& m) { Model::ints(conv_of(m), "kernel_shape", {5, 5}); }},
      {"a kernel size, stride or dilation is 0",
       [](Model& m) { Model::ints(conv_of(m), "kernel_shape", {0, 0}); }},
      {"(conv): input [1,4,8,9] has 4 channels, the weights take 8",
       [](Model& m) { Model::integer(conv_of(m), "group", 2); }},
      {"3 groups", [](Model& m) { Model::integer(conv_of(m), "group", 3); }},
      {"group 0", [](Model& m) { Model::integer(conv_of(m), "group", 0); }},
      {"\"group\": -1", [](Model& m) { Model::integer(conv_of(m), "group", -1); }},
      {"auto_pad \"SOME\"", [](Model& m) { Model::text(conv_of(m), "auto_pad", "SOME"); }},
      {"model leaves free",
       [](Model& m) {
         m.graph()
             .mutable_input(0)
             ->mutable_type()
             ->mutable_tensor_type()
             ->mutable_shape()
             ->mutable_dim(2)
             ->clear_dim_value();
         Model::text(conv_of(m), "auto_pad", "SAME_UPPER"), Model::ints(conv_of(m), "strides", {2, 2});
       }},
      {"weight [4,36] has 2 dimensions",
       [](Model& m) { weight_of(m).clear_dims(), weight_of(m).add_dims(4), weight_of(m).add_dims(36); }},
      {"weight [4,4,9] has 3 dimensions",
       [](Model& m) { weight_of(m).set_dims(2, 9), weight_of(m).mutable_dims()->RemoveLast(); }},
      {"is empty", [](Model& m) { weight_of(m).set_dims(0, 0), weight_of(m).clear_float_data(); }},
      {"bias",
       [](Model& m) {
         m.graph().mutable_initializer(1)->set_dims(0, 3),
             m.graph().mutable_initializer(1)->mutable_float_data()->RemoveLast();
       }},
      {"smaller than the kernel",
       [](Model& m) { set_dim(*m.graph().mutable_input(0), 3, 1), conv_of(m).clear_attribute(); }},
      {"expected a tensor that depends", [](Model& m) { conv_of(m).set_input(0, "a_w"); }},
      {"input 1 is no constant", [](Model& m) { conv_of(m).set_input(1, "x"); }},
      {"NaN", [](Model& m) { weight_of(m).set_float_data(7, NAN); }},
      {"NaN, or a number beyond", [](Model& m) { weight_of(m).set_float_data(7, INFINITY); }},
      {"has 3 dimensions; fye knows maps of 4",
       [](Model& m) { m.graph().clear_input(), m.input("x", {4, 8, 9}); }},
      {"output_shape needs a padding",
       [](Model& m) {
         auto& n = instead(m, "ConvTranspose", {m.filled("t", {4, 3, 3, 3}, 1)});
         Model::ints(n, "output_shape", {int64_t{1} << 40, 5});
       }},
      {"output_shape is out of range",
       [](Model& m) {
         auto& n = instead(m, "ConvTranspose", {m.filled("t", {4, 3, 3, 3}, 1)});
         Model::ints(n, "output_shape", {INT64_MIN, INT64_MAX});
       }},
  });
}

TEST(Hostile, OtherOps) {
  expect_refused({
      {"depth_to_space): 4 channels",
       [](Model& m) { Model::integer(instead(m, "DepthToSpace"), "blocksize", 3); }},
      {"block 0", [](Model& m) { Model::integer(instead(m, "DepthToSpace"), "blocksize", 0); }},
      {"has no blocksize", [](Model& m) { instead(m, "DepthToSpace"); }},
      {"mode \"XYZ\"",
       [](Model& m) {
         auto& n = instead(m, "DepthToSpace");
         Model::integer(n, "blocksize", 2), Model::text(n, "mode", "XYZ");
       }},
      {"no multiple of blocksize",
       [](Model& m) { Model::integer(instead(m, "SpaceToDepth"), "blocksize", 5); }},
      {"too large",
       [](Model& m) {
         set_dim(*m.graph().mutable_input(0), 2, -1), m.graph().clear_input(), m.input("x", {1, 4, -1, -1});
         Model::integer(instead(m, "SpaceToDepth"), "blocksize", 30000);
       }},
      {"axis 4 of", [](Model& m) { Model::integer(instead(m, "Concat"), "axis", 4); }},
      {"has no axis", [](Model& m) { instead(m, "Concat"); }},
      {"can't be joined",
       [](Model& m) {
         m.input("z", {1, 4, 8, 8});
         Model::integer(instead(m, "Concat", {"z"}), "axis", 1);
       }},
      {"can't be combined",
       [](Model& m) {
         m.input("z", {1, 4, 8, 8});
         instead(m, "Add", {"z"});
       }},
      {"both inputs are constants",
       [](Model& m) { m.graph().mutable_node(1)->set_input(0, "a_w"), instead(m, "Add", {"a_b"}); }},
      {"1.5 on axis 2", [](Model& m) { instead(m, "Resize", {"", m.floats("s", {4}, {1, 1, 1.5f, 2})}); }},
      {"factor 0 on axis", [](Model& m) { instead(m, "Resize", {"", m.floats("s", {4}, {1, 1, 0, 2})}); }},
      {"factor nan on axis",
       [](Model& m) { instead(m, "Resize", {"", m.floats("s", {4}, {1, 1, NAN, 2})}); }},
      {"factor -2 on axis", [](Model& m) { instead(m, "Resize", {"", "", m.int64s("s", {1, 4, -16, 9})}); }},
      {"factor 2 on axis 1", [](Model& m) { instead(m, "Resize", {"", m.floats("s", {4}, {1, 2, 2, 2})}); }},
      {"3 scales or sizes for 4 axes",
       [](Model& m) { instead(m, "Resize", {"", m.floats("s", {3}, {1, 2, 2})}); }},
      {"neither scales nor sizes", [](Model& m) { instead(m, "Resize"); }},
      {"does not repeat pixels",
       [](Model& m) {
         auto& n = instead(m, "Resize", {"", m.floats("s", {4}, {1, 1, 3, 3})});
         Model::text(n, "coordinate_transformation_mode", "asymmetric"),
             Model::text(n, "nearest_mode", "round_prefer_floor");
       }},
      {"mode \"linear\"",
       [](Model& m) {
         Model::text(instead(m, "Resize", {"", m.floats("s", {4}, {1, 1, 2, 2})}), "mode", "linear");
       }},
      {"cubic with align_corners",
       [](Model& m) {
         auto& n = instead(m, "Resize", {"", m.floats("s", {4}, {1, 1, 2, 2})});
         Model::text(n, "mode", "cubic"), Model::text(n, "coordinate_transformation_mode", "align_corners");
       }},
      {"has no kernel_shape", [](Model& m) { instead(m, "MaxPool"); }},
      {"without a pixel",
       [](Model& m) {
         auto& n = instead(m, "MaxPool");
         Model::ints(n, "kernel_shape", {2, 2}), Model::ints(n, "pads", {2, 0, 0, 0});
       }},
      {"has 3 values", [](Model& m) { Model::ints(instead(m, "AveragePool"), "kernel_shape", {2, 2, 2}); }},
      {"repeats [1,1,2,1]", [](Model& m) { instead(m, "Tile", {m.int64s("r", {1, 1, 2, 1})}); }},
      {"2 repeats", [](Model& m) { instead(m, "Tile", {m.int64s("r", {1, 2})}); }},
      {"can't become [7,7]", [](Model& m) { instead(m, "Reshape", {m.int64s("r", {7, 7})}); }},
      {"impossible target", [](Model& m) { instead(m, "Reshape", {m.int64s("r", {-1, -1})}); }},
      {"impossible target", [](Model& m) { instead(m, "Reshape", {m.int64s("r", {-7, 1})}); }},
      {"too large", [](Model& m) { instead(m, "Reshape", {m.int64s("r", {INT64_MAX, 1})}); }},
      {"expected whole numbers", [](Model& m) { instead(m, "Reshape", {m.floats("r", {1}, {-1})}); }},
      {"expected floating point", [](Model& m) { instead(m, "PRelu", {m.int64s("r", {1})}); }},
      {"one value or one a channel", [](Model& m) { instead(m, "PRelu", {m.filled("r", {9}, 1)}); }},
      {"min is NaN", [](Model& m) { instead(m, "Clip", {m.floats("r", {}, {NAN})}); }},
      {"max has 2 values", [](Model& m) { instead(m, "Clip", {"", m.filled("r", {2}, 1)}); }},
      {"\"alpha\" is not finite", [](Model& m) { Model::number(instead(m, "LeakyRelu"), "alpha", NAN); }},
      {"has 4 dimensions, expected 2", [](Model& m) { instead(m, "Gemm", {m.filled("r", {9, 3}, 1)}); }},
      {"knows products of matrices", [](Model& m) { instead(m, "MatMul", {m.filled("r", {9, 3}, 1)}); }},
      {"negative variance",
       [](Model& m) {
         instead(
             m, "BatchNormalization",
             {m.filled("p", {4}, 1), m.filled("q", {4}, 1), m.filled("r", {4}, 1), m.filled("s", {4}, -1)});
       }},
      {"differ in length",
       [](Model& m) {
         instead(
             m, "BatchNormalization",
             {m.filled("p", {4}, 1), m.filled("q", {3}, 1), m.filled("r", {4}, 1), m.filled("s", {4}, 1)});
       }},
      {"3 channel constants",
       [](Model& m) {
         instead(
             m, "BatchNormalization",
             {m.filled("p", {3}, 1), m.filled("q", {3}, 1), m.filled("r", {3}, 1), m.filled("s", {3}, 1)});
       }},
      {"training_mode",
       [](Model& m) {
         m.codes("t", {}, Proto::BOOL, {1});
         instead(m, "Dropout", {"", "t"});
       }},
      {"to INT8", [](Model& m) { Model::integer(instead(m, "Cast"), "to", Proto::INT8); }},
      {"axis -5", [](Model& m) { Model::integer(instead(m, "Softmax"), "axis", -5); }},
      {"takes axes 1 to 3 together",
       [](Model& m) { m.model.mutable_opset_import(0)->set_version(12), instead(m, "Softmax"); }},
      {"axis 5 of", [](Model& m) { Model::integer(instead(m, "Flatten"), "axis", 5); }},
      {"holds no numbers", [](Model& m) { m.node("Constant", {}, "k"); }},
  });
}

TEST(Hostile, Tensors) {
  const auto fill = [](const Shape& shape, int type, const std::function<void(Proto&)>& f) {
    return [=](Model& m) { f(m.initializer("bad", shape, type)); };
  };
  expect_refused({
      {"\"bad\": holds STRING", fill({1}, Proto::STRING, [](Proto& t) { t.add_string_data("x"); })},
      {"\"bad\": holds COMPLEX64", fill({1}, Proto::COMPLEX64, [](Proto&) {})},
      {"\"bad\": holds type 77", fill({1}, 77, [](Proto&) {})},
      {"holds UNDEFINED", fill({1}, 0, [](Proto&) {})},
      {"needs 8 bytes, got 7", fill({2}, Proto::FLOAT, [](Proto& t) { t.set_raw_data("1234567"); })},
      {"needs 0 bytes, got 4", fill({0}, Proto::FLOAT, [](Proto& t) { t.set_raw_data("1234"); })},
      {"needs 2 values, got 3", fill({2}, Proto::FLOAT,
                                     [](Proto& t) {
                                       for (int i = 0; i < 3; ++i) t.add_float_data(1);
                                     })},
      {"needs 2 values, got 0", fill({2}, Proto::FLOAT, [](Proto& t) { t.add_int32_data(1); })},
      {"dimensions go from 0", fill({-2}, Proto::FLOAT, [](Proto&) {})},
      {"dimensions go from 0", fill({INT64_MAX}, Proto::FLOAT, [](Proto&) {})},
      {"beyond 268435456 elements", fill(Shape(8, int64_t{1} << 24), Proto::FLOAT, [](Proto&) {})},
      {"beyond 268435456 elements", fill({1 << 15, 1 << 15}, Proto::UINT8, [](Proto&) {})},
      {"needs 268435456 values, got 0", fill({1 << 14, 1 << 14}, Proto::FLOAT, [](Proto&) {})},
      {"9 dimensions", fill(Shape(9, 1), Proto::FLOAT, [](Proto& t) { t.add_float_data(1); })},
      {"segments", fill({1}, Proto::FLOAT, [](Proto& t) { t.mutable_segment(); })},
      {"models from memory", fill({1}, Proto::FLOAT, [](Proto& t) { t.set_data_location(Proto::EXTERNAL); })},
  });
}

TEST(Hostile, Quantisation) {
  // Between conv and relu: a -> Q -> DQ -> relu.
  const auto pair = [](Model& m, float scale, int zero, int type, float second_scale) {
    m.floats("s", {}, {scale}), m.codes("z", {}, type, {zero}), m.floats("s2", {}, {second_scale});
    m.node("QuantizeLinear", {"a", "s", "z"}, "q");
    m.node("DequantizeLinear", {"q", "s2", "z"}, "dq");
    m.graph().mutable_node(1)->set_input(0, "dq");
  };
  const auto weights = [](Model& m, int type, int zero, int axis, std::vector<float> scales) {
    m.codes("wq", {4, 4, 3, 3}, type, std::vector<int>(144, 5));
    const auto n = static_cast<int64_t>(scales.size());
    m.floats("ws", {n}, scales), m.codes("wz", {n}, type, std::vector<int>(scales.size(), zero));
    Model::integer(m.node("DequantizeLinear", {"wq", "ws", "wz"}, "w"), "axis", axis);
    conv_of(m).set_input(1, "w");
  };
  const std::vector<float> four(4, 0.5f);
  expect_refused({
      {"scale is not a positive number", [&](Model& m) { pair(m, 0, 0, Proto::UINT8, 0); }},
      {"scale is not a positive number", [&](Model& m) { pair(m, -1, 0, Proto::UINT8, -1); }},
      {"scale is not a positive number", [&](Model& m) { pair(m, NAN, 0, Proto::UINT8, 1); }},
      {"zero point 300", [&](Model& m) { pair(m, 1, 300, Proto::UINT8, 1); }},
      {"activations of INT16", [&](Model& m) { pair(m, 1, 0, Proto::INT16, 1); }},
      {"differ from QuantizeLinear", [&](Model& m) { pair(m, 1, 0, Proto::UINT8, 2); }},
      {"is quantised; fye reads",
       [&](Model& m) { pair(m, 1, 0, Proto::UINT8, 1), m.graph().mutable_node(1)->set_input(0, "q"); }},
      {"output \"q\": is quantised", [&](Model& m) { pair(m, 1, 0, Proto::UINT8, 1), m.output("q"); }},
      {"is not quantised",
       [&](Model& m) { pair(m, 1, 0, Proto::UINT8, 1), m.graph().mutable_node(3)->set_input(0, "a"); }},
      {"in two ways",
       [&](Model& m) {
         pair(m, 1, 0, Proto::UINT8, 1), m.floats("s3", {}, {3});
         m.node("QuantizeLinear", {"a", "s3", "z"}, "q3"),
             m.node("DequantizeLinear", {"q3", "s3", "z"}, "dq3");
         m.node("Tanh", {"dq3"}, "t"), m.output("t");
       }},
      {"\"a_node\" (Conv): weights are UINT8", [&](Model& m) { weights(m, Proto::UINT8, 0, 0, four); }},
      {"zero point other than 0", [&](Model& m) { weights(m, Proto::INT8, 3, 0, four); }},
      {"axis 1; expected axis 0", [&](Model& m) { weights(m, Proto::INT8, 0, 1, four); }},
      {"axis 7 of a constant", [&](Model& m) { weights(m, Proto::INT8, 0, 7, four); }},
      {"3 scales along axis 0", [&](Model& m) { weights(m, Proto::INT8, 0, 0, {1, 1, 1}); }},
      {"fye knows INT8", [&](Model& m) { weights(m, Proto::INT16, 0, 0, four); }},
      {"not a positive", [&](Model& m) { weights(m, Proto::INT8, 0, 0, {1, 1, 0, 1}); }},
      {"block_size",
       [&](Model& m) {
         weights(m, Proto::INT8, 0, 0, four), Model::integer(*m.graph().mutable_node(2), "block_size", 16);
       }},
      {"scaling of the nodes around",
       [&](Model& m) {
         weights(m, Proto::INT8, 0, 0, four);
         conv_of(m).clear_attribute();
         m.node("Mul", {"x", m.floats("k", {4, 1, 1}, {1, 2, 3, 4})}, "xs");
         conv_of(m).set_input(0, "xs");
       }},
  });
}

}  // namespace
}  // namespace fye

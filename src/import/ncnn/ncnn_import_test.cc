#include "import/ncnn/ncnn_import.h"

#include <gmock/gmock.h>

#include <cstring>

#include "import/half.h"

namespace fye {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Bytes of a .bin file.
struct Bin {
  std::string bytes;
  template <class T>
  Bin& put(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  Bin& floats(const std::vector<float>& values) {
    for (float v : values) put(v);
    return *this;
  }
  Bin& tagged(const std::vector<float>& values) { return put(uint32_t{0}).floats(values); }
};

std::string text(const std::string& layers, int count) {
  return "7767517\n" + std::to_string(count) + " 9\n" + layers;
}

// A 1x1 convolution 2 -> 3 with leaky relu, shuffled by nothing, plus a scaled sum with itself.
const std::string kLayers =
    "Input in 0 1 data\n"
    "Convolution conv 1 1 data a 0=3 1=1 5=1 6=6 9=2 -23310=1,2.000000e-01\n"
    "Split split 1 2 a a0 a1\n"
    "Eltwise sum 2 1 a0 a1 out 0=1 -23301=2,5.000000e-01,1.0\n";
Bin good_bin() { return Bin().tagged({1, 2, 3, 4, 5, 6}).floats({.1f, .2f, .3f}); }

Result<Imported> import(const std::string& param, const Bin& bin, ImportLimits limits = {}) {
  return import_ncnn_bytes(param, bin.bytes, "net.param", limits);
}

TEST(Ncnn, LayersBecomeNodes) {
  const auto net = import(text(kLayers, 4), good_bin());
  ASSERT_TRUE(net) << net.error().what;
  const Graph& graph = net->graph;
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.tensors[graph.inputs[0]].shape, (Shape{1, 2, -1, -1}));
  ASSERT_EQ(graph.outputs.size(), 1u);
  EXPECT_EQ(graph.tensors[graph.outputs[0]].name, "out");
  const Conv* conv = graph.nodes[0].as<Conv>();
  ASSERT_TRUE(conv);
  EXPECT_EQ(conv->act.kind, Activation::Kind::leaky_relu);
  EXPECT_EQ(graph.constants[conv->weight].values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(graph.constants[conv->bias].values, (std::vector<float>{.1f, .2f, .3f}));
  EXPECT_EQ(net->graph.sha256.size(), 64u);
}

TEST(Ncnn, CarriageReturnsAndBlankLinesDoNotMatter) {
  std::string windows;
  for (char c : text(kLayers, 4)) windows += c == '\n' ? std::string("\r\n\r\n") : std::string(1, c);
  EXPECT_TRUE(import(windows, good_bin()));
}

TEST(Ncnn, HalvesArePaddedToFourBytes) {
  // 3 halves (1, -2, 0.5) and 2 bytes of padding, then a bias.
  Bin bin;
  bin.put(uint32_t{0x01306b47})
      .put(uint16_t{0x3c00})
      .put(uint16_t{0xc000})
      .put(uint16_t{0x3800})
      .put(uint16_t{0xffff});
  bin.floats({7});
  const auto net = import(text("Input in 0 1 data\nConvolution c 1 1 data out 0=1 1=1 5=1 6=3\n", 2), bin);
  ASSERT_TRUE(net) << net.error().what;
  const Conv* conv = net->graph.nodes[0].as<Conv>();
  EXPECT_EQ(net->graph.constants[conv->weight].values, (std::vector<float>{1, -2, .5f}));
  EXPECT_EQ(net->graph.constants[conv->bias].values, (std::vector<float>{7}));
}

TEST(Ncnn, HalvesAreExact) {
  EXPECT_EQ(from_half(0x0001), 0x1p-24f);
  EXPECT_EQ(from_half(0x7bff), 65504.f);
  EXPECT_EQ(from_half(0x8000), -0.f);
  EXPECT_TRUE(std::isinf(from_half(0x7c00)));
  EXPECT_TRUE(std::isnan(from_half(0x7e00)));
}

TEST(Ncnn, PaddingGoesByDefaults) {
  const auto padded = [](const std::string& numbers) {
    const auto net =
        import(text("Input in 0 1 data\nConvolution c 1 1 data out 0=1 1=3 5=0 6=18 " + numbers + "\n", 2),
               Bin().tagged(std::vector<float>(18, 1)));
    EXPECT_TRUE(net) << net.error().what;
    const Conv& c = *net->graph.nodes[0].as<Conv>();
    return std::vector<int>{c.pad_left, c.pad_right, c.pad_top, c.pad_bottom};
  };
  EXPECT_EQ(padded("4=1"), (std::vector<int>{1, 1, 1, 1}));
  EXPECT_EQ(padded("4=1 15=2"), (std::vector<int>{1, 2, 1, 1}));
  EXPECT_EQ(padded("4=1 14=0"), (std::vector<int>{1, 1, 0, 0}));
  EXPECT_EQ(padded("4=1 14=0 16=2"), (std::vector<int>{1, 1, 0, 2}));
}

struct Case {
  const char* message;
  std::string layers;
  int count = 4;
};

TEST(NcnnHostile, RefusedWithTheLayerNamed) {
  const std::string in = "Input in 0 1 data\n", conv = "Convolution conv 1 1 data a 0=3 1=1 5=1 6=6";
  const Case cases[] = {
      {"announces 5", kLayers, 5},
      {"more layers than the 3", kLayers, 3},
      {"no count", "", -1},
      {"is no layer", in + "Convolution conv x 1 data a\n", 2},
      {"fewer than 3 blobs", in + "Eltwise sum 2 1 data\n", 2},
      {"unknown type Gru", in + "Gru cell 1 1 data a\n", 2},
      {"\"conv\" (Convolution): reads \"nobody\"",
       in + conv + "\nConvolution conv 1 1 nobody b 0=1 1=1 6=3\n", 3},
      {"is no key=number", in + conv + " what\n", 2},
      {"is no key=number", in + conv + " 20=\n", 2},
      {"is no key=number", in + conv + " -23310=2,1\n", 2},
      {"is no key=number", in + conv + " 0=3\n", 2},  // twice
      {"is no key=number", in + conv + " 9=nan\n", 2},
      {"announces 7 weights",
       in + "Split s 1 1 data d\nConvolution c 1 1 d a 0=2 1=1 6=4\n" + "Convolution e 1 1 a b 0=3 1=1 6=7\n",
       4},
      {"nobody says how many channels", in + "ReLU r 1 1 data a\n", 2},
      {"second input", in + conv + "\nInput more 0 1 d\n", 3},
      {"number 0 is -1", in + conv + "\nConvolution c 1 1 a b 0=-1 1=1 6=3\n", 3},
      {"number 1 is 100000", in + conv + "\nConvolution c 1 1 a b 0=1 1=100000 6=3\n", 3},
      {"pads automatically", in + conv + " 4=-233\n", 2},
      {"int8 scales", in + conv + " 8=1\n", 2},
      {"activation 5", in + conv + " 9=5\n", 2},
      {"activation 2 has 0 values", in + conv + " 9=2\n", 2},
      {"number 77, which fye does not know", in + conv + " 77=1\n", 2},
      {"resizes by 0.5; fye knows whole factors", in + conv + "\nInterp i 1 1 a b 0=3 1=0.5 2=0.5\n", 3},
      {"kind 2", in + conv + "\nInterp i 1 1 a b 0=2 1=2 2=2\n", 3},
      {"operation 6", in + conv + "\nBinaryOp p 1 1 a b 0=6 1=1 2=2\n", 3},
      {"maximum", in + conv + "\nEltwise p 2 1 a a b 0=2\n", 3},
      {"1 coefficients for 2", in + conv + "\nEltwise p 2 1 a a b 0=1 -23301=1,2\n", 3},
      {"axis 1", in + conv + "\nConcat p 2 1 a a b 0=1\n", 3},
      {"which a layer before it has written", in + conv + "\nReLU r 1 1 a a\n", 3},
      {"has 0 outputs, expected 1", in + conv + "\nReLU r 1 0 a\n", 3},
  };
  for (const auto& [message, layers, count] : cases) {
    Bin bin = good_bin();
    for (int i = 0; i < 64; ++i) bin.put(float(i));  // enough for all
    const auto net = import(text(layers, count), bin);
    ASSERT_FALSE(net) << "accepted, instead of: " << message;
    EXPECT_EQ(net.error().code, ErrorCode::bad_input);
    EXPECT_THAT(net.error().what, AllOf(HasSubstr("net.param"), HasSubstr(message)));
  }
}

TEST(NcnnHostile, NoText) {
  for (const std::string bytes : {"", "7767518\n", "\x7f\x45LF", "7767517", "7767517\n4 5 6\n"})
    EXPECT_FALSE(import(bytes, good_bin())) << bytes;
}

TEST(NcnnHostile, WeightsThatDoNotFit) {
  const std::string param = text(kLayers, 4);
  for (size_t size = 0; size < good_bin().bytes.size(); ++size) {
    Bin cut;
    cut.bytes = good_bin().bytes.substr(0, size);
    EXPECT_FALSE(import(param, cut)) << size;
  }
  const auto more = import(param, good_bin().put(1.f));
  ASSERT_FALSE(more);
  EXPECT_THAT(more.error().what, HasSubstr("4 bytes more"));
  const auto not_finite = import(param, Bin().tagged({1, 2, 3, 4, 5, 6}).floats({.1f, std::nanf(""), 0}));
  ASSERT_FALSE(not_finite);
  EXPECT_THAT(not_finite.error().what, HasSubstr("NaN"));
  const auto int8 = import(param, Bin().put(uint32_t{0x000d4b38}).floats({1, 2, 3, 4, 5, 6}));
  ASSERT_FALSE(int8);
  EXPECT_THAT(int8.error().what, HasSubstr("8-bit weights"));
}

TEST(NcnnHostile, NothingIsAllocatedBeforeTheBytesAreThere) {
  const auto huge =
      import(text("Input in 0 1 data\nConvolution c 1 1 data out 0=32768 1=64 5=0 6=134217728\n", 2),
             Bin().tagged({1}));
  ASSERT_FALSE(huge);
  EXPECT_THAT(huge.error().what, HasSubstr("bytes left"));
}

}  // namespace
}  // namespace fye

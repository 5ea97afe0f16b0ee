#include "learn/net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fye {
namespace {

NetSpec spec_of(const std::string& net, int scale) {
  auto spec = net_spec(net, scale);
  EXPECT_TRUE(spec.ok());
  return *spec;
}

TEST(NetSpec, AbpnHasThePublishedSizes) {
  const auto spec = spec_of("abpn", 3);
  int64_t parameters = 0;
  for (const auto& layer : spec.layers) parameters += 9 * layer.in * layer.out + layer.out;
  EXPECT_EQ(parameters, 42539);  // spec/abpn.md, section 2
  EXPECT_EQ(spec.layers.size(), 7u);
}

TEST(NetSpec, EdsrBaselineHasThePublishedSizes) {
  const auto spec = spec_of("edsr-baseline", 2);
  int64_t parameters = 0;
  for (const auto& layer : spec.layers) parameters += 9 * layer.in * layer.out + layer.out;
  EXPECT_EQ(parameters, 1369859);  // 1.37 M, Lim et al. 2017, without the two mean shifts
}

TEST(NetSpec, UnknownPairsAreRefused) {
  for (const auto& [net, scale] :
       {std::pair<const char*, int>{"abpn", 5}, {"abpn", 1}, {"edsr-baseline", 3}, {"", 2}}) {
    const auto spec = net_spec(net, scale);
    ASSERT_FALSE(spec.ok()) << net << scale;
    EXPECT_EQ(spec.error().code, ErrorCode::usage);
  }
}

TEST(Weights, SameSeedSameWeights) {
  const auto spec = spec_of("abpn", 2);
  const auto a = initial_weights(spec, 7), b = initial_weights(spec, 7), c = initial_weights(spec, 8);
  EXPECT_TRUE(a.kernels[3].equal(b.kernels[3]));
  EXPECT_FALSE(a.kernels[3].equal(c.kernels[3]));
}

TEST(Cells, ChannelOrderIsTensorFlowsDepthToSpace) {
  for (const int scale : {2, 3, 4}) {
    const auto cells = torch::arange(2 * 3 * scale * scale * 4 * 5).reshape({2, 3 * scale * scale, 4, 5});
    const auto picture = cells_to_picture(cells, scale);
    ASSERT_EQ(picture.sizes(), torch::IntArrayRef({2, 3, 4 * scale, 5 * scale}));
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 4 * scale; ++y)
        for (int x = 0; x < 5 * scale; ++x) {
          const int channel = ((y % scale) * scale + x % scale) * 3 + c;
          ASSERT_EQ(picture[1][c][y][x].item<int64_t>(),
                    cells[1][channel][y / scale][x / scale].item<int64_t>());
        }
    EXPECT_TRUE(picture_to_cells(picture, scale).equal(cells));
  }
}

TEST(Forward, AbpnWithZeroWeightsRepeatsPixels) {
  const auto spec = spec_of("abpn", 3);
  auto weights = initial_weights(spec, 1);
  for (auto& kernel : weights.kernels) kernel.zero_();
  const auto x = torch::randint(0, 256, {1, 3, 6, 5}).to(torch::kFloat32) / kUnit;
  const auto picture = cells_to_picture(forward(spec, float_arithmetic(spec, weights), x), 3);
  EXPECT_TRUE(picture.equal(x.repeat_interleave(3, 2).repeat_interleave(3, 3)));
}

TEST(Forward, StoresEveryTensorUnderItsName) {
  for (const auto& [net, tensors] : {std::pair<const char*, size_t>{"abpn", 8}, {"edsr-baseline", 37}}) {
    const auto spec = spec_of(net, 2);
    const auto weights = initial_weights(spec, 1);
    auto arithmetic = float_arithmetic(spec, weights);
    std::vector<std::string> names;
    arithmetic.store = [&names](const std::string& name, const torch::Tensor& x) {
      names.push_back(name);
      return x;
    };
    const auto y = forward(spec, arithmetic, torch::zeros({1, 3, 8, 8}));
    EXPECT_EQ(y.sizes(), torch::IntArrayRef({1, 12, 8, 8}));
    EXPECT_EQ(names.size(), tensors);
    EXPECT_EQ(names.back(), output_name(spec));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::unique(names.begin(), names.end()), names.end()) << net;
  }
}

}  // namespace
}  // namespace fye

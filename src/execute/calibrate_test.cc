#include "execute/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "execute/plain.h"
#include "execute/testing_graphs.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using ::testing::Each;
using testing::FloatMap;
using ::testing::HasSubstr;
using testing::TestPicture;

Graph small_net(uint32_t seed = 1) {
  Graph graph = testing::small_abpn(3, 10, seed);
  graph.metadata["fye.range"] = "0..255";
  graph.sha256 = "abc";
  return graph;
}

class Pictures {
 public:
  Pictures() {
    for (const auto& [h, w] : {std::pair{20, 17}, {16, 24}, {16, 24}})
      owned_.emplace_back(h, w, 3, uint32_t(owned_.size()));
    for (TestPicture& picture : owned_) maps_.push_back(picture.map());
  }
  std::span<Map> maps() { return maps_; }
  TestPicture& operator[](size_t i) { return owned_[i]; }

 private:
  std::vector<TestPicture> owned_;
  std::vector<Map> maps_;
};

Result<Calib> run(const Graph& graph, std::span<const Map> maps,
                  CalibrationMethod method = CalibrationMethod::honest, CalibrateReport* report = nullptr,
                  int threads = 1) {
  ThreadPool pool(threads);
  return calibrate(graph, maps, {.method = method}, pool, {}, report);
}

void expect_refused(const Result<Calib>& result, const std::string& says) {
  ASSERT_FALSE(result) << says;
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().what, HasSubstr(says));
}

void expect_equal(const Calib& a, const Calib& b) {
  EXPECT_EQ(a.tensors, b.tensors);
  EXPECT_EQ(a.pictures, b.pictures);
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (const auto& [name, weight] : a.weights) {
    EXPECT_EQ(weight.scale, b.weights.at(name).scale);
    EXPECT_EQ(weight.values, b.weights.at(name).values);
    EXPECT_EQ(weight.bias, b.weights.at(name).bias);
  }
}

TEST(Calibrate, HonestCoversTheGraph) {
  const Graph graph = small_net();
  Pictures pictures;
  const auto calib = run(graph, pictures.maps());
  ASSERT_TRUE(calib) << calib.error().text();
  EXPECT_EQ(calib->graph_sha256, "abc");
  EXPECT_EQ(calib->method, "honest");
  EXPECT_EQ(calib->pictures, digest_of_pictures(pictures.maps()));
  for (const Tensor& tensor : graph.tensors) EXPECT_TRUE(calib->tensors.contains(tensor.name)) << tensor.name;
  EXPECT_EQ(calib->tensors.at(graph.tensors[size_t(graph.inputs[0])].name), (Quant{1, 0}));
  EXPECT_EQ(calib->tensors.at(graph.tensors[size_t(graph.outputs[0])].name), (Quant{1, 0}));
  for (const Node& node : graph.nodes) {
    const Conv* conv = node.as<Conv>();
    if (!conv) continue;
    const WeightQuant& weight = calib->weights.at(node.name);
    const Constant& exact = graph.constants[size_t(conv->weight)];
    ASSERT_EQ(weight.values.size(), exact.values.size());
    ASSERT_EQ(weight.scale.size(), size_t(exact.shape[0]));
    ASSERT_EQ(weight.bias.size(), size_t(exact.shape[0]));
    EXPECT_GT((std::set<float>(weight.scale.begin(), weight.scale.end())).size(), 1u)
        << "one scale a channel";
    const size_t rest = exact.values.size() / weight.scale.size();
    for (size_t i = 0; i < exact.values.size(); ++i)
      ASSERT_LE(std::fabs(exact.values[i] - weight.scale[i / rest] * weight.values[i]),
                0.501f * weight.scale[i / rest]);
    if (conv->act.kind == Activation::Kind::relu) {
      EXPECT_EQ(calib->tensors.at(graph.tensors[size_t(node.output)].name).zero, 0) << node.name;
    }
  }
}

TEST(Calibrate, NaiveIsPerLayerAndUncorrected) {
  const Graph graph = small_net();
  Pictures pictures;
  CalibrateReport report;
  const auto calib = run(graph, pictures.maps(), CalibrationMethod::naive, &report);
  ASSERT_TRUE(calib) << calib.error().text();
  EXPECT_EQ(calib->method, "naive");
  EXPECT_FALSE(report.bias_corrected);
  EXPECT_EQ(report.msef, report.msef_uncorrected);
  for (const Node& node : graph.nodes) {
    const Conv* conv = node.as<Conv>();
    if (!conv) continue;
    const WeightQuant& weight = calib->weights.at(node.name);
    EXPECT_THAT(weight.scale, Each(weight.scale[0]));
    EXPECT_EQ(weight.bias, graph.constants[size_t(conv->bias)].values);
  }
}

TEST(Calibrate, ThreadsDoNotMatter) {
  const Graph graph = testing::branched();
  Pictures pictures;
  for (const auto method : {CalibrationMethod::honest, CalibrationMethod::naive}) {
    const auto one = run(graph, pictures.maps(), method, nullptr, 1),
               three = run(graph, pictures.maps(), method, nullptr, 3);
    ASSERT_TRUE(one && three);
    expect_equal(*one, *three);
  }
}

TEST(Calibrate, HonestBeatsNaiveWhereChannelsDiffer) {
  Graph graph = small_net(4);
  // One channel of each convolution ten times larger and its reader's weights ten times smaller: per-layer
  // scales suffer.
  for (const Node& node : graph.nodes)
    if (const Conv* conv = node.as<Conv>()) {
      Constant& weight = graph.constants[size_t(conv->weight)];
      const size_t rest = weight.values.size() / size_t(weight.shape[0]);
      for (size_t i = 0; i < rest; ++i) weight.values[i] *= 10;
      for (int64_t oc = 0; oc < weight.shape[0]; ++oc)
        if (weight.shape[1] > 3)
          for (size_t i = 0; i < 9; ++i) weight.values[size_t(oc) * rest + i] /= 10;
    }
  Pictures pictures;
  CalibrateReport honest, naive;
  ASSERT_TRUE(run(graph, pictures.maps(), CalibrationMethod::honest, &honest));
  ASSERT_TRUE(run(graph, pictures.maps(), CalibrationMethod::naive, &naive));
  EXPECT_LT(honest.msef, naive.msef / 2);
}

TEST(Calibrate, KeepsTheBetterBiases) {
  int corrected = 0;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    const Graph graph = small_net(seed);
    Pictures pictures;
    CalibrateReport report;
    const auto calib = run(graph, pictures.maps(), CalibrationMethod::honest, &report);
    ASSERT_TRUE(calib);
    EXPECT_GT(report.msef, 0);
    EXPECT_EQ(report.bias_corrected, report.msef < report.msef_uncorrected);
    bool differs = false;
    for (const Node& node : graph.nodes)
      if (const Conv* conv = node.as<Conv>())
        differs |= calib->weights.at(node.name).bias != graph.constants[size_t(conv->bias)].values;
    EXPECT_EQ(differs, report.bias_corrected);
    corrected += report.bias_corrected;
  }
  EXPECT_GT(corrected, 0) << "never tried?";
}

TEST(Calibrate, Int8FollowsTheFloatNetwork) {
  const Graph graph = small_net();
  Pictures pictures;
  CalibrateReport report;
  ASSERT_TRUE(run(graph, pictures.maps(), CalibrationMethod::honest, &report));
  EXPECT_LT(report.msef, 12) << "3.5 grey levels; random weights amplify";
}

TEST(Calibrate, WithoutARangeThePicturesDecide) {
  Graph graph = small_net();
  graph.metadata.clear();
  Pictures pictures;
  for (Map& map : pictures.maps()) map.quant = {0.5f, 7};
  const auto calib = run(graph, pictures.maps());
  ASSERT_TRUE(calib);
  EXPECT_EQ(calib->tensors.at(graph.tensors[size_t(graph.inputs[0])].name), (Quant{0.5f, 7}));
}

TEST(Calibrate, FloatPicturesGiveTheSameAsBytes) {
  const Graph graph = small_net();
  Pictures pictures;
  FloatMap floats(20, 17, 3);
  for (size_t i = 0; i < 20 * 17 * 3; ++i) floats.values[i] = pictures[0].bytes[i];
  const Map as_float[] = {floats.map()};
  const auto a = run(graph, pictures.maps().first(1)), b = run(graph, as_float);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->tensors, b->tensors);
  EXPECT_NE(a->pictures, b->pictures);
}

TEST(Calibrate, NodesWithoutIntegerFormStayFloat) {
  const Graph graph = fuse(small_classifier(16, random_weights(3)));
  TestPicture picture(16, 16, 3);
  const Map maps[] = {picture.map()};
  const auto calib = run(graph, maps);
  ASSERT_TRUE(calib) << calib.error().text();
}

TEST(Calibrate, ProgressRisesToOne) {
  Pictures pictures;
  ThreadPool threads(1);
  for (const auto method : {CalibrationMethod::honest, CalibrationMethod::naive}) {
    std::vector<double> seen;
    ASSERT_TRUE(calibrate(small_net(), pictures.maps(), {.method = method}, threads,
                          [&](double f) { seen.push_back(f); }));
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    ASSERT_FALSE(seen.empty());
    EXPECT_GT(seen.front(), 0);
    EXPECT_EQ(seen.back(), 1);
  }
}

TEST(Calibrate, RefusesBadPictures) {
  const Graph graph = small_net();
  expect_refused(run(graph, {}), "no pictures");
  TestPicture grey(8, 8, 1);
  const Map grey_map[] = {grey.map()};
  expect_refused(run(graph, grey_map), "1 channels");
  TestPicture picture(8, 8, 3);
  Map bad[] = {picture.map(), picture.map()};
  bad[1].region.h = 0;
  expect_refused(run(graph, bad), "picture 2");
  bad[1] = picture.map();
  bad[1].region.y = 4;
  expect_refused(run(graph, bad), "part");
  bad[1] = picture.map();
  bad[1].type = DType::bf16;
  expect_refused(run(graph, bad), "bf16");
}

TEST(Calibrate, RefusesNotANumberAndNamesTheTensor) {
  Graph graph = small_net();
  graph.constants[size_t(graph.nodes[1].as<Conv>()->bias)].values[2] =
      std::numeric_limits<float>::quiet_NaN();
  graph.nodes[1].as<Conv>()->act = {};
  Pictures pictures;
  expect_refused(run(graph, pictures.maps()), graph.tensors[size_t(graph.nodes[1].output)].name);

  FloatMap floats(8, 8, 3);
  floats.values[5] = std::numeric_limits<float>::infinity();
  const Map maps[] = {floats.map()};
  expect_refused(run(small_net(), maps), "\"input\"");
}

TEST(Calibrate, RefusesAnUnknownRange) {
  Graph graph = small_net();
  graph.metadata["fye.range"] = "0..7";
  Pictures pictures;
  expect_refused(run(graph, pictures.maps()), "fye.range");
}

TEST(Digest, SeesPixelsAndNothingElse) {
  Pictures pictures;
  const std::string before = digest_of_pictures(pictures.maps());
  EXPECT_EQ(before.size(), 16u);
  pictures[2].bytes[size_t(16) * 24 * 3] ^= 1;  // past the last pixel
  EXPECT_EQ(digest_of_pictures(pictures.maps()), before);
  pictures[2].bytes[100] ^= 1;
  EXPECT_NE(digest_of_pictures(pictures.maps()), before);
  pictures[2].bytes[100] ^= 1;
  EXPECT_EQ(digest_of_pictures(pictures.maps()), before);
  std::swap(pictures.maps()[1], pictures.maps()[2]);
  EXPECT_NE(digest_of_pictures(pictures.maps()), before);
  EXPECT_NE(digest_of_pictures(pictures.maps().first(2)), before);
}

}  // namespace
}  // namespace fye

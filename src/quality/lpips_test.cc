#include "quality/lpips.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file.h"
#include "graph/passes/passes.h"
#include "image/file.h"
#include "image/resize.h"
#include "import/sha256.h"
#include "kernels/reference/dense.h"
#include "quality/lpips_network.h"
#include "quality/testing_lpips.h"
#include "quality/testing_pictures.h"

namespace fye {
namespace {

using testing::disturbed;
using testing::filled;
using testing::noise;
using testing::random_lpips_weights;

LpipsNetwork& random_network() {
  static LpipsNetwork network(random_lpips_weights(1));
  return network;
}

// A folder that is FYE_MODELS while it lives.
class ModelFolder {
 public:
  ModelFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fye_lpips_XXXXXX").string();
    path_ = mkdtemp(name.data());
    if (const char* given = std::getenv("FYE_MODELS")) before_ = given;
    setenv("FYE_MODELS", path_.c_str(), 1);
  }
  ~ModelFolder() {
    before_ ? setenv("FYE_MODELS", before_->c_str(), 1) : unsetenv("FYE_MODELS");
    std::filesystem::remove_all(path_);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<std::string> before_;
};

// The formulas of spec/metrics.md, 5, on dense tensors.
double by_definition(const LpipsWeights& weights, const Picture& a, const Picture& b) {
  const auto taps = [&](const Picture& picture) {
    Dense input{{1, 3, picture.height, picture.width}, {}};
    for (int c = 0; c < 3; ++c) {
      for (size_t i = 0; i < picture.samples() / 3; ++i)
        input.values.push_back(2 * picture.bytes[i * 3 + c] / 255.f - 1);
    }
    return *reference_graph(lpips_network(weights), std::vector{input});
  };
  const auto of_a = taps(a), of_b = taps(b);
  double distance = 0;
  for (size_t l = 0; l < kAlexConvs.size(); ++l) {
    const Shape& shape = of_a[l].shape;
    const size_t channels = size_t(shape[1]), positions = size_t(shape[2] * shape[3]);
    double sum = 0;
    for (size_t p = 0; p < positions; ++p) {
      const auto length = [&](const Dense& f) {
        double squares = 0;
        for (size_t c = 0; c < channels; ++c) squares += std::pow(double(f.values[c * positions + p]), 2);
        return std::sqrt(squares) + 1e-10;
      };
      for (size_t c = 0; c < channels; ++c) {
        const size_t at = c * positions + p;
        sum += weights.layers[l].lin[c] *
               std::pow(of_a[l].values[at] / length(of_a[l]) - of_b[l].values[at] / length(of_b[l]), 2);
      }
    }
    distance += sum / double(positions);
  }
  return distance;
}

TEST(LpipsNetwork, FollowsTheFormulas) {
  const LpipsWeights weights = random_lpips_weights(1);
  // The poolings leave a row or column of their input unread, or none.
  for (const auto& [width, height] : {std::pair{31, 31}, {47, 36}, {36, 55}, {63, 39}}) {
    SCOPED_TRACE(width);
    const Picture a = noise(width, height, 3, 1), b = disturbed(a, 25, 2);
    const double expected = by_definition(weights, a, b);
    EXPECT_GT(expected, 0.01);
    EXPECT_NEAR(random_network().distance(a, b, 0)->value, expected, 1e-5 * expected);
  }
}

TEST(LpipsNetwork, EqualPicturesAreIdentical) {
  const Picture a = noise(40, 33, 3, 1);
  const auto same = random_network().distance(a, a, 0);
  EXPECT_EQ(same->value, 0);
  EXPECT_TRUE(same->identical);
  Picture b = a;
  b.bytes[0] ^= 1;
  EXPECT_FALSE(random_network().distance(a, b, 0)->identical);
  EXPECT_TRUE(random_network().distance(a, b, 1)->identical);
}

RC_GTEST_PROP(LpipsNetwork, SymmetricAndTheSameFromAnyHistory, (unsigned seed)) {
  // Three sizes, one more than are kept, and first pictures that come again or not.
  const int width = 31 + *rc::gen::inRange(0, 3), height = 32;
  const Picture a = noise(width, height, 3, seed % 3), b = noise(width, height, 3, seed + 5);
  const double forth = random_network().distance(a, b, 0)->value;
  RC_ASSERT(random_network().distance(b, a, 0)->value == forth);
  RC_ASSERT(random_network().distance(a, b, 0)->value == forth);
}

TEST(LpipsNetwork, KeepsNothingWrongBetweenPictures) {
  const Picture a = noise(40, 40, 3, 1), b = noise(40, 40, 3, 2), c = noise(40, 40, 3, 3),
                d = noise(50, 32, 3, 1), e = noise(50, 32, 3, 2);
  const auto fresh = [](const Picture& left, const Picture& right) {
    return LpipsNetwork(random_lpips_weights(1)).distance(left, right, 0)->value;
  };
  const double ab = fresh(a, b), ac = fresh(a, c), cb = fresh(c, b), de = fresh(d, e);
  LpipsNetwork network(random_lpips_weights(1));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(network.distance(a, b, 0)->value, ab);
    EXPECT_EQ(network.distance(a, c, 0)->value, ac);
    EXPECT_EQ(network.distance(d, e, 0)->value, de);
    EXPECT_EQ(network.distance(c, b, 0)->value, cb);
  }
}

TEST(LpipsNetwork, TheSameBitsForAnyNumberOfThreads) {
  const Picture a = noise(90, 70, 3, 1), b = disturbed(a, 9, 2);
  LpipsNetwork one(random_lpips_weights(1), 1), three(random_lpips_weights(1), 3);
  EXPECT_EQ(one.distance(a, b, 2)->value, three.distance(a, b, 2)->value);
}

TEST(LpipsNetwork, GreyAlphaAndDepthAreOneThing) {
  const Picture a = noise(40, 33, 1, 1), b = noise(40, 33, 1, 2);
  const auto widened = [](const Picture& grey, int channels) {
    Picture result(grey.width, grey.height, channels, 16);
    for (size_t i = 0; i < result.samples(); ++i) {
      const bool alpha = result.has_alpha() && int(i % channels) == channels - 1;
      result.u16()[i] = static_cast<uint16_t>(alpha ? i * 77 : grey.bytes[i / channels] * 257);
    }
    return result;
  };
  const double expected = random_network().distance(a, b, 0)->value;
  for (int channels : {1, 2, 3, 4})
    EXPECT_EQ(random_network().distance(widened(a, channels), widened(b, channels), 0)->value, expected);
}

TEST(LpipsNetwork, ShaveEqualsCroppedPictures) {
  const Picture a = noise(50, 45, 3, 1), b = disturbed(a, 9, 2);
  EXPECT_EQ(random_network().distance(a, b, 5)->value,
            random_network().distance(shaved(a, 5), shaved(b, 5), 0)->value);
}

TEST(LpipsNetwork, RefusesWhatItCannotSee) {
  EXPECT_TRUE(random_network().distance(filled(31, 31, 3, 1), filled(31, 31, 3, 2), 0));
  for (const auto& [width, height, shave] : {std::array{30, 80, 0}, {80, 30, 0}, {40, 40, 5}}) {
    const auto small =
        random_network().distance(filled(width, height, 3, 1), filled(width, height, 3, 2), shave);
    ASSERT_FALSE(small);
    EXPECT_EQ(small.error().code, ErrorCode::bad_input);
    EXPECT_NE(small.error().what.find("31x31"), std::string::npos) << small.error().what;
  }
  const auto sizes = random_network().distance(filled(40, 50, 3, 1), filled(50, 40, 3, 1), 0);
  ASSERT_FALSE(sizes);
  EXPECT_NE(sizes.error().what.find("40x50"), std::string::npos) << sizes.error().what;
}

// 31 is what the layers leave something of, 30 not.
TEST(LpipsNetwork, TheLeastSizeIsTheNetworks) {
  const Graph network = lpips_network(random_lpips_weights(1));
  EXPECT_TRUE(infer_shapes(network, {{1, 3, kLpipsLeast, kLpipsLeast}}));
  EXPECT_FALSE(infer_shapes(network, {{1, 3, kLpipsLeast - 1, kLpipsLeast}}));
}

TEST(LpipsWeights, RoundTripThroughNumbersAndNetwork) {
  const LpipsWeights weights = random_lpips_weights(3);
  const std::string bytes = bytes_of(weights);
  EXPECT_EQ(bytes.size(), 4u * (2'469'696 + 1'152));  // spec/metrics.md, 5
  EXPECT_EQ(bytes_of(*lpips_weights_from(bytes)), bytes);
  EXPECT_EQ(bytes_of(*lpips_weights_of(lpips_network(weights))), bytes);
  EXPECT_EQ(bytes_of(*lpips_weights_of(fuse(lpips_network(weights)))), bytes);
}

TEST(LpipsWeights, RefusesOtherNumbers) {
  const std::string bytes = bytes_of(random_lpips_weights(3));
  EXPECT_FALSE(lpips_weights_from(""));
  EXPECT_FALSE(lpips_weights_from(bytes.substr(1)));
  EXPECT_FALSE(lpips_weights_from(bytes + '\0'));
  const Status other = check_published(*lpips_weights_from(bytes));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().what.find("sha256"), std::string::npos);
}

TEST(LpipsWeights, RefusesOtherNetworks) {
  Graph network = lpips_network(random_lpips_weights(3));
  Graph renamed = network, narrow = network;
  for (Node& node : renamed.nodes)
    if (node.name == "lin3") node.name = "lin";
  for (Constant& constant : narrow.constants)
    if (constant.values.size() == 192) constant.values.pop_back();
  for (const Graph* graph : {&renamed, &narrow}) {
    const auto weights = lpips_weights_of(*graph);
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().code, ErrorCode::bad_input);
  }
  EXPECT_NE(lpips_weights_of(renamed).error().what.find("lin3"), std::string::npos);
}

TEST(InstalledLpips, SaysWhatToRunWhereThereIsNone) {
  const ModelFolder folder;
  const auto weights = installed_lpips_weights();
  ASSERT_FALSE(weights);
  EXPECT_TRUE(is_not_installed(weights.error()));
  EXPECT_EQ(weights.error().what, "not installed: run fye models install lpips");
}

TEST(InstalledLpips, NamesABrokenFile) {
  const ModelFolder folder;
  for (const char* content : {"", "not a network", "\x08\x08\x12\xff\xff\xff\xff\x0f"}) {
    ASSERT_TRUE(write_file(folder.path() / kLpipsFile, content));
    const auto weights = installed_lpips_weights();
    ASSERT_FALSE(weights);
    EXPECT_FALSE(is_not_installed(weights.error()));
    EXPECT_EQ(weights.error().code, ErrorCode::bad_input);
    EXPECT_NE(weights.error().what.find("lpips_alex.onnx"), std::string::npos) << weights.error().what;
  }
}

bool missing() {
  const auto weights = installed_lpips_weights();
  return !weights && is_not_installed(weights.error());
}

TEST(Lpips, TheAuthorsExamples) {
  if (missing()) GTEST_SKIP() << "LPIPS's weights are not installed; run fye models install lpips";
  const auto file = [](const char* name) { return read_picture(testing::test_data(name)); };
  const auto reference = file("lpips/ex_ref.png"), p0 = file("lpips/ex_p0.png"), p1 = file("lpips/ex_p1.png");
  if (!reference) GTEST_SKIP() << "no examples: " << reference.error().what << "; set FYE_DATA";
  EXPECT_NEAR(lpips_alex(*reference, *p0, 0)->value, 0.7219, 5e-5);
  EXPECT_NEAR(lpips_alex(*reference, *p1, 0)->value, 0.1376, 5e-5);
}

// One of the pictures that tests/oracle/lpips_oracle.py compares.
Picture distorted(const Picture& original, const std::string& how) {
  const int width = original.width, height = original.height;
  if (how == "bicubic2")
    return matlab_bicubic(matlab_bicubic(original, width / 2, height / 2), width, height);
  const ModelFolder folder;
  const auto file = folder.path() / "jpeg30.jpg";
  EXPECT_EQ(how, "jpeg30");
  EXPECT_TRUE(write_picture(original, file, {.quality = 30}));
  return *read_picture(file);
}

struct OracleRow {
  std::string original, how, sha256;
  double value = 0;
};

// tests/oracle/lpips_oracle.csv.
std::vector<OracleRow> oracle_rows() {
  std::ifstream table(std::filesystem::path(__FILE__).parent_path() / "../../tests/oracle/lpips_oracle.csv");
  std::vector<OracleRow> rows;
  std::string line;
  std::getline(table, line);  // the names of the columns
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    OracleRow row;
    std::getline(fields, row.original, ',');
    std::getline(fields, row.how, ',');
    std::getline(fields, row.sha256, ',');
    fields >> row.value;
    rows.push_back(row);
  }
  return rows;
}

class LpipsOnKodak : public ::testing::TestWithParam<int> {};

// Against PyTorch with the same weights, on one of Kodak's pictures; 1e-4 is the issue's.
TEST_P(LpipsOnKodak, EqualsTheAuthorsProgram) {
  if (missing()) GTEST_SKIP() << "LPIPS's weights are not installed; run fye models install lpips";
  const std::string name = "kodak/" + std::to_string(GetParam()) + ".png";
  const auto file = testing::test_data(name.c_str());
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no picture at " << file << "; set FYE_DATA";
  const Picture original = *read_picture(file);
  int compared = 0;
  for (const OracleRow& row : oracle_rows()) {
    if (row.original != name) continue;
    const Picture other = distorted(original, row.how);
    if (sha256_hex({reinterpret_cast<const char*>(other.bytes.data()), other.bytes.size()}) != row.sha256) {
      EXPECT_EQ(row.how, "jpeg30");  // another codec's rounding; the resize is fye's own
      continue;
    }
    const double value = lpips_alex(original, other, 0)->value;
    EXPECT_NEAR(value, row.value, 1e-4) << row.how;
    std::printf("%s %s: %.7f, PyTorch %.7f\n", name.c_str(), row.how.c_str(), value, row.value);
    ++compared;
  }
  EXPECT_GE(compared, 1);
}

INSTANTIATE_TEST_SUITE_P(All, LpipsOnKodak, ::testing::Range(1, 25));

}  // namespace
}  // namespace fye

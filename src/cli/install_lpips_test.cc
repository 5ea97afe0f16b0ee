// What the installation writes is what the score reads. The rest of it, with pip and the reader of the
// package, is in tests/lpips_install_test.py.
#include "cli/install_lpips.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "export/onnx_export.h"
#include "import/onnx_import.h"
#include "quality/lpips_weights.h"
#include "quality/score.h"
#include "quality/testing_lpips.h"

namespace fye {
namespace {

TEST(InstallLpips, TheFileKeepsEveryBit) {
  const LpipsWeights weights = testing::random_lpips_weights(5);
  const auto bytes = export_onnx(lpips_network(weights));
  ASSERT_TRUE(bytes);
  const auto imported = import_onnx_bytes(*bytes, "lpips_alex.onnx", {});
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_EQ(bytes_of(*lpips_weights_of(imported->graph)), bytes_of(weights));
  EXPECT_EQ(imported->graph.outputs.size(), 10u);
}

TEST(InstallLpips, OtherWeightsAreNotUsed) {
  const std::filesystem::path folder = ::testing::TempDir() + "/fye_install_lpips";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_file(folder / kLpipsFile, *export_onnx(lpips_network(testing::random_lpips_weights(5)))));
  const char* before = std::getenv("FYE_MODELS");
  const std::string kept = before ? before : "";
  setenv("FYE_MODELS", folder.c_str(), 1);
  const auto weights = installed_lpips_weights();
  before ? setenv("FYE_MODELS", kept.c_str(), 1) : unsetenv("FYE_MODELS");
  std::filesystem::remove_all(folder);
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().code, ErrorCode::bad_input);
  EXPECT_FALSE(is_not_installed(weights.error()));
  EXPECT_NE(weights.error().what.find("lpips_alex.onnx: not LPIPS's weights"), std::string::npos)
      << weights.error().what;
  EXPECT_NE(weights.error().hint.find("fye models install lpips"), std::string::npos);
}

}  // namespace
}  // namespace fye

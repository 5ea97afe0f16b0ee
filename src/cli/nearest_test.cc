#include "cli/nearest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace fye {
namespace {

TEST(EditDistance, Examples) {
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("--thread", "--threads"), 1);
}

RC_GTEST_PROP(EditDistance, IsAMetric, (const std::string& a, const std::string& b, const std::string& c)) {
  RC_ASSERT((edit_distance(a, b) == 0) == (a == b));
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT(edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c));
}

TEST(NearestName, FlagsVerbsAndNothing) {
  CLI::App app("x", "x");
  bool ignored = false;
  CLI::App* up = app.add_subcommand("up", "");
  app.add_subcommand("compare", "");
  up->add_flag("--threads", ignored);
  up->add_flag("--tile", ignored);
  EXPECT_EQ(nearest_name(*up, {"--thread"}), "--threads");
  EXPECT_EQ(nearest_name(*up, {"--tiles=3"}), "--tile");
  EXPECT_EQ(nearest_name(app, {"compar"}), "compare");
  EXPECT_EQ(nearest_name(*up, {"--quantum-flux"}), "");
  EXPECT_EQ(nearest_name(*up, {}), "");
}

}  // namespace
}  // namespace fye

#include "cli/exit_codes.h"

#include <gtest/gtest.h>

#include "base/result.h"

namespace fye {
namespace {

TEST(ExitCodes, EveryKindOfErrorIsExplained) {
  for (const ErrorCode code :
       {ErrorCode::usage, ErrorCode::bad_input, ErrorCode::partial, ErrorCode::deadline, ErrorCode::resources,
        ErrorCode::internal, ErrorCode::interrupted}) {
    const auto text = explained_exit_code(std::to_string(int(code)));
    ASSERT_TRUE(text) << int(code);
    EXPECT_EQ(text->rfind("exit code " + std::to_string(int(code)), 0), 0u) << *text;
  }
  EXPECT_EQ(explained_exit_code("deadline"), explained_exit_code("4"));
}

TEST(ExitCodes, AnyOtherWordIsANetwork) {
  for (const char* word : {"", "7", "04", "4 ", "-1", "abpn_x3", "131"})
    EXPECT_FALSE(explained_exit_code(word)) << word;
}

}  // namespace
}  // namespace fye

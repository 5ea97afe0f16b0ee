#include "cli/process.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace fye {
namespace {

Finished run(std::vector<std::string> words) { return *run_process({.words = std::move(words)}); }

TEST(Process, BothOutputsAndTheStatus) {
  const Finished done = run({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_TRUE(done.found);
  EXPECT_EQ(done.status, 7);
  EXPECT_EQ(done.out, "out\n");
  EXPECT_EQ(done.err, "err\n");
}

TEST(Process, ASignalIsAStatus) { EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).status, 128 + 9); }

TEST(Process, ArgumentsAreNotSplit) {
  EXPECT_EQ(run({"printf", "%s|", "a b", "$HOME", ""}).out, "a b|$HOME||");
}

TEST(Process, EnvironmentFolderAndInput) {
  setenv("FYE_PROCESS_TEST", "ours", 1);
  setenv("FYE_PROCESS_OTHER", "kept", 1);
  const std::string file = ::testing::TempDir() + "/fye_process_input";
  ASSERT_TRUE(write_file(file, "from a file"));
  const auto done =
      run_process({.words = {"sh", "-c", "cat; echo \" $FYE_PROCESS_TEST $FYE_PROCESS_OTHER\"; pwd"},
                   .environment = {{"FYE_PROCESS_TEST", "theirs"}},
                   .folder = "/",
                   .input = file});
  EXPECT_EQ(done->out, "from a file theirs kept\n/\n");
  unsetenv("FYE_PROCESS_TEST");
  unsetenv("FYE_PROCESS_OTHER");
  std::filesystem::remove(file);
}

// More than a pipe holds, on both sides at once.
TEST(Process, MuchOutputIsReadAndBounded) {
  const auto done =
      run_process({.words = {"sh", "-c", "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"},
                   .most_output = 1'000'000});
  EXPECT_EQ(done->status, 0);
  EXPECT_EQ(done->out.size(), 1'000'000u);
  EXPECT_EQ(done->err.size(), 1'000'000u);
}

TEST(Process, WhatIsNotThere) {
  EXPECT_FALSE(run({"fye-no-such-program"}).found);
  const auto input = run_process({.words = {"cat"}, .input = "/no/such/file"});
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, ErrorCode::bad_input);
  EXPECT_NE(input.error().what.find("/no/such/file"), std::string::npos);
}

}  // namespace
}  // namespace fye

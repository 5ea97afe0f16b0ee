#include "batch/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "batch/testing_folder.h"

namespace fye {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Decide : public testing::Test {
 protected:
  Decide() {
    fs::create_directory(root / "out");
    write("a.png", "picture a");
    write("b.png", "picture b");
  }

  void write(const fs::path& name, const std::string& text) { std::ofstream(root / name) << text; }
  Job job(const std::string& input, const std::string& output, int scale = 2) const {
    return {root / input, root / output, {{"scale", scale}}};
  }
  Manifest open() const { return *Manifest::open(root / "out"); }
  // As a run would have left it.
  void make(Manifest& manifest, const Job& made) const {
    Record record{key_in(manifest, made.output), made.input.string(), *stamp_of(made.input),
                  *content_digest(made.input), settings_digest(made.settings), {}};
    ASSERT_TRUE(manifest.begin(std::span(&record, 1), {}));
    std::ofstream(made.output) << "made";
    record.output_stamp = stamp_of(made.output);
    ASSERT_TRUE(manifest.done(record));
  }
  Decision ask(Job wanted, const Manifest* manifest, IfExists if_exists = IfExists::automatic) {
    std::set<fs::path> taken;
    const Decision decision = decide(wanted, manifest, if_exists, taken);
    last = wanted.output;
    return decision;
  }
  static void touch(const fs::path& file) {
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(5));
  }
  TestFolder folder;
  const fs::path root = folder.path;
  fs::path last;
};

TEST_F(Decide, NothingThereRuns) {
  for (const IfExists how : {IfExists::automatic, IfExists::skip, IfExists::overwrite, IfExists::rename, IfExists::error})
    EXPECT_EQ(ask(job("a.png", "out/a.png"), nullptr, how).action, Action::run);
}

TEST_F(Decide, WhatWasMadeBeforeIsSkippedUntilSomethingChanges) {
  Manifest manifest = open();
  const Job made = job("a.png", "out/a.png");
  make(manifest, made);
  EXPECT_EQ(ask(made, &manifest).action, Action::skip);
  EXPECT_EQ(ask(made, &manifest, IfExists::rename).action, Action::skip);
  EXPECT_EQ(ask(made, &manifest, IfExists::overwrite).action, Action::run);
  EXPECT_EQ(ask(made, &manifest, IfExists::error).action, Action::fail);

  EXPECT_EQ(ask(job("a.png", "out/a.png", 3), &manifest).action, Action::run) << "another setting";
  EXPECT_EQ(ask(job("b.png", "out/a.png"), &manifest).action, Action::run) << "another input of the same size";
  touch(root / "a.png");
  EXPECT_EQ(ask(made, &manifest).action, Action::skip) << "touched, but the same content";
  write("a.png", "picture x");
  EXPECT_EQ(ask(made, &manifest).action, Action::run) << "other content";
}

TEST_F(Decide, FilesOfOthersAreNeverReplaced) {
  Manifest manifest = open();
  write("out/a.png", "somebody's");
  const Job wanted = job("a.png", "out/a.png");
  EXPECT_EQ(ask(wanted, &manifest).action, Action::fail);
  EXPECT_EQ(ask(wanted, nullptr).action, Action::fail);
  EXPECT_EQ(ask(wanted, &manifest, IfExists::skip).action, Action::skip);
  EXPECT_EQ(ask(wanted, &manifest, IfExists::overwrite).action, Action::run);
  EXPECT_EQ(ask(wanted, &manifest, IfExists::rename).action, Action::run);
  EXPECT_EQ(last, root / "out/a_2.png");

  const Job made = job("b.png", "out/b.png");
  make(manifest, made);
  write("out/b.png", "edited by hand");
  const Decision decision = ask(made, &manifest);
  EXPECT_EQ(decision.action, Action::fail);
  EXPECT_THAT(decision.error.what, HasSubstr("was changed since"));
}

TEST_F(Decide, BegunAndNotFinishedIsMadeAgain) {
  Manifest manifest = open();
  const Job wanted = job("a.png", "out/a.png");
  const Record begun{"a.png", "a.png", {}, "", "", {}};
  ASSERT_TRUE(manifest.begin(std::span(&begun, 1), {}));
  write("out/a.png", "complete, but not written down");
  EXPECT_EQ(ask(wanted, &manifest).action, Action::run);
}

TEST_F(Decide, RenamedOutputsAreKnownAgain) {
  Manifest manifest = open();
  write("out/a.png", "somebody's");
  Job made = job("a.png", "out/a_2.png");
  make(manifest, made);
  EXPECT_EQ(ask(job("a.png", "out/a.png"), &manifest, IfExists::rename).action, Action::skip);
  EXPECT_EQ(ask(job("b.png", "out/a.png"), &manifest, IfExists::rename).action, Action::run);
  EXPECT_EQ(last, root / "out/a_3.png");
}

TEST_F(Decide, TwoInputsForOneName) {
  for (const IfExists how : {IfExists::automatic, IfExists::overwrite, IfExists::rename}) {
    std::set<fs::path> taken;
    Job first = job("a.png", "out/x.png"), second = job("b.png", "out/x.png");
    EXPECT_EQ(decide(first, nullptr, how, taken).action, Action::run);
    const Decision decision = decide(second, nullptr, how, taken);
    EXPECT_EQ(decision.action, how == IfExists::rename ? Action::run : Action::fail);
    EXPECT_EQ(second.output, root / (how == IfExists::rename ? "out/x_2.png" : "out/x.png"));
  }
}

TEST_F(Decide, OwnProductsAreNoInputs) {
  Manifest manifest = open();
  make(manifest, job("a.png", "out/a_big.png"));
  const Decision decision = ask(job("out/a_big.png", "out/a_big_big.png"), &manifest);
  EXPECT_EQ(decision.action, Action::skip);
  EXPECT_EQ(decision.reason, "fye made it");
}

TEST_F(Decide, TheInputItselfIsRefused) {
  fs::create_hard_link(root / "a.png", root / "out/same.png");
  EXPECT_EQ(ask(job("a.png", "out/same.png"), nullptr, IfExists::overwrite).action, Action::fail);
}

// In place: once, and not again after a crash between the rename and the note of it.
TEST_F(Decide, InPlaceOnce) {
  write("out/a.png", "small");
  Manifest manifest = open();
  const Job in_place = job("out/a.png", "out/a.png");
  EXPECT_EQ(ask(in_place, &manifest).action, Action::run);
  const Record begun{"a.png", "a.png", *stamp_of(root / "out/a.png"), "", "", {}};
  ASSERT_TRUE(manifest.begin(std::span(&begun, 1), {}));
  EXPECT_EQ(ask(in_place, &manifest).action, Action::run) << "begun, not replaced yet";
  write("out/a.png", "larger");
  EXPECT_EQ(ask(in_place, &manifest).action, Action::skip) << "replaced";
  Record done = begun;
  done.output_stamp = stamp_of(root / "out/a.png");
  ASSERT_TRUE(manifest.done(done));
  EXPECT_EQ(ask(in_place, &manifest).action, Action::skip);
  EXPECT_EQ(ask(in_place, &manifest, IfExists::overwrite).action, Action::run);
}

}  // namespace
}  // namespace fye

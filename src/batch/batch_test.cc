#include "batch/batch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <numeric>

#include "base/file.h"
#include "batch/inputs.h"
#include "batch/testing_folder.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct Folder : TestFolder {
  Folder() {
    fs::create_directory(path / "in");
    fs::create_directory(path / "out");
  }
};

std::string slurp(const fs::path& file) { return *read_file(file, 1 << 20); }

// "Enlarges" a text by writing it twice, with the setting; a text with "bad" in it can't be read.
struct Doubling : Work {
  Doubling(const Job& j, std::atomic<int>& c) : job(j), calls(c) {}
  Status load() override {
    text = slurp(job.input);
    if (text.find("bad") != std::string::npos) return bad_input(job.input.string() + ": is bad");
    return {};
  }
  Status work() override {
    ++calls;
    text += text + job.settings.dump();
    return {};
  }
  Status save() override { return write_file(job.output, text); }
  const Job& job;
  std::atomic<int>& calls;
  std::string text;
};

struct Ran {
  std::vector<Outcome> outcomes;
  int worked = 0;
  size_t count(Fate fate) const {
    return size_t(std::count_if(outcomes.begin(), outcomes.end(), [&](const Outcome& o) { return o.fate == fate; }));
  }
};

std::vector<Job> jobs_of(const fs::path& root, int scale) {
  std::vector<Job> jobs;
  const auto inputs = walk(root / "in", {.recursive = true, .leave_out = {}});
  for (const Input& input : inputs->files) {
    fs::create_directories((root / "out" / input.relative).parent_path());
    jobs.push_back({input.path, root / "out" / input.relative, {{"scale", scale}}});
  }
  return jobs;
}

Ran run(const fs::path& root, int scale, const std::function<bool()>& stop = {}) {
  auto manifest = Manifest::open(root / "out");
  EXPECT_TRUE(manifest);
  std::vector<Job> jobs = jobs_of(root, scale);
  Ran ran{decide_all(jobs, &*manifest, IfExists::automatic)};
  std::vector<size_t> order;
  for (size_t i = 0; i < jobs.size(); ++i)
    if (ran.outcomes[i].fate == Fate::left) order.push_back(i);
  std::atomic<int> worked{0};
  BatchRun batch{.jobs = jobs, .order = order, .manifest = &*manifest, .make = {}, .options = {}};
  batch.make = [&](size_t job) { return std::make_unique<Doubling>(jobs[job], worked); };
  batch.options.stop = stop;
  batch.options.save_threads = 2;
  EXPECT_TRUE(run_batch(batch, ran.outcomes));
  ran.worked = worked;
  return ran;
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != kManifestName)
      all[fs::relative(entry.path(), folder).string()] = slurp(entry.path());
  return all;
}

// A random tree of "pictures", some of them bad.
std::vector<std::string> random_tree() {
  return *rc::gen::container<std::vector<std::string>>(*rc::gen::inRange<size_t>(1, 25),
                                                       rc::gen::element<std::string>("one", "two", "three", "bad", "four"));
}

void grow(const fs::path& root, const std::vector<std::string>& tree) {
  for (size_t i = 0; i < tree.size(); ++i) {
    const fs::path file = root / "in" / ("d" + std::to_string(i % 3)) / ("p" + std::to_string(i) + ".png");
    fs::create_directories(file.parent_path());
    std::ofstream(file) << tree[i] << i;
  }
}

size_t good(const std::vector<std::string>& tree) {
  return tree.size() - size_t(std::count(tree.begin(), tree.end(), "bad"));
}

TEST(Batch, DoneFailedAndNothingTheSecondTime) {
  const Folder folder;
  grow(folder.path, {"one", "bad", "two"});
  const Ran first = run(folder.path, 2);
  EXPECT_EQ(first.count(Fate::done), 2u);
  EXPECT_EQ(first.count(Fate::failed), 1u);
  const Ran second = run(folder.path, 2);
  EXPECT_EQ(second.count(Fate::skipped), 2u);
  EXPECT_EQ(second.count(Fate::failed), 1u);
  EXPECT_EQ(second.worked, 0);
  EXPECT_EQ(run(folder.path, 3).worked, 2) << "another setting makes all again";
  std::ofstream(folder.path / "in/d0/p0.png") << "changed";
  EXPECT_EQ(run(folder.path, 3).worked, 1) << "one input changed";
  fs::remove(folder.path / "out/d2/p2.png");
  EXPECT_EQ(run(folder.path, 3).worked, 1) << "one output is gone";
}

RC_GTEST_PROP(Batches, InterruptedRunsAddUpToOne, ()) {
  const std::vector<std::string> tree = random_tree();
  const Folder whole, broken;
  grow(whole.path, tree);
  grow(broken.path, tree);
  const Ran once = run(whole.path, 2);
  RC_ASSERT(once.count(Fate::done) == good(tree));
  int worked = 0;
  for (int round = 0; round < 3; ++round) {
    const int stop_after = *rc::gen::inRange(0, 60);
    std::atomic<int> asked{0};
    const Ran part = run(broken.path, 2, [&] { return ++asked > stop_after; });
    worked += part.worked;
    // Whole files or none, and all of them the same as in the single run.
    for (const auto& [name, text] : contents(broken.path / "out")) RC_ASSERT(text == slurp(whole.path / "out" / name));
  }
  const Ran last = run(broken.path, 2);
  RC_ASSERT(last.count(Fate::left) == 0u);
  RC_ASSERT(contents(broken.path / "out") == contents(whole.path / "out"));
  RC_ASSERT(worked + last.worked == int(good(tree)));  // nothing was done twice
  RC_ASSERT(run(broken.path, 2).worked == 0);
}

// As SIGKILL does, at a random moment: the process is gone without a word.
RC_GTEST_PROP(Batches, KilledRunsAddUpToOne, ()) {
  const std::vector<std::string> tree = random_tree();
  const Folder whole, broken;
  grow(whole.path, tree);
  grow(broken.path, tree);
  run(whole.path, 2);
  for (int round = 0; round < 2; ++round) {
    const int die_after = *rc::gen::inRange(0, 60);
    const pid_t child = fork();
    if (child == 0) {
      std::atomic<int> asked{0};
      run(broken.path, 2, [&]() -> bool {
        if (++asked > die_after) _exit(9);
        return false;
      });
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
  }
  const Ran last = run(broken.path, 2);
  RC_ASSERT(last.count(Fate::left) == 0u);
  RC_ASSERT(last.count(Fate::failed) == tree.size() - good(tree));
  auto made = contents(broken.path / "out");
  std::erase_if(made, [](const auto& file) { return fs::path(file.first).filename().string().starts_with('.'); });
  RC_ASSERT(made == contents(whole.path / "out"));
}

TEST(Batch, AManifestThatCantBeWrittenStopsIt) {
  const Folder folder;
  grow(folder.path, {"one", "two"});
  auto manifest = Manifest::open(folder.path / "out");
  std::vector<Job> jobs = jobs_of(folder.path, 2);
  auto outcomes = decide_all(jobs, &*manifest, IfExists::automatic);
  fs::remove_all(folder.path / "out");
  std::atomic<int> worked{0};
  const std::vector<size_t> order = {0, 1};
  BatchRun batch{.jobs = jobs, .order = order, .manifest = &*manifest, .make = {}, .options = {}};
  batch.make = [&](size_t job) { return std::make_unique<Doubling>(jobs[job], worked); };
  EXPECT_FALSE(run_batch(batch, outcomes));
  EXPECT_EQ(worked, 0);
}

}  // namespace
}  // namespace fye

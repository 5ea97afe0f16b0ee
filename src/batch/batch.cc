// Tested by batch/batch_test.cc.
#include "batch/batch.h"

#include <atomic>
#include <map>
#include <set>

namespace fye {
namespace {

// Takes the input's stamp and digest before the stages look at it; an output in place of its input replaces it.
class NotedWork : public Work {
 public:
  NotedWork(std::unique_ptr<Work> work, const std::filesystem::path& input, Record& record)
      : work_(std::move(work)), input_(input), record_(record) {}

  Status load() override {
    if (const auto stamp = stamp_of(input_)) record_.input_stamp = *stamp;
    auto digest = content_digest(input_);
    if (!digest) return digest.error();
    record_.input_digest = *std::move(digest);
    return work_->load();
  }
  Status work() override { return work_->work(); }
  Status save() override { return work_->save(); }

 private:
  std::unique_ptr<Work> work_;
  const std::filesystem::path& input_;
  Record& record_;
};

Record begun(const Manifest& manifest, const Job& job, const std::string& settings) {
  Record record{key_in(manifest, job.output), job.input.string(), {}, "", settings, {}};
  if (const auto stamp = stamp_of(job.input)) record.input_stamp = *stamp;
  return record;
}

// Writing down, and what went wrong with it.
class Notes {
 public:
  explicit Notes(const BatchRun& run) : run_(run), records_(run.order.size()) {}

  Status begin() {
    if (!run_.manifest) return {};
    std::map<std::string, Json> settings;
    for (size_t place = 0; place < run_.order.size(); ++place) {
      const Job& job = run_.jobs[run_.order[place]];
      const std::string digest = settings_digest(job.settings);
      settings.emplace(digest, job.settings);
      records_[place] = begun(*run_.manifest, job, digest);
    }
    return run_.manifest->begin(records_, settings);
  }

  std::unique_ptr<Work> noted(size_t place, std::unique_ptr<Work> work) {
    if (!run_.manifest) return work;
    return std::make_unique<NotedWork>(std::move(work), run_.jobs[run_.order[place]].input, records_[place]);
  }

  void ended(size_t place, Fate fate) {
    if (!run_.manifest || !problem_) return;
    Record& record = records_[place];
    const std::string output = record.output;
    if (fate == Fate::done) {
      record.output_stamp = stamp_of(run_.jobs[run_.order[place]].output);
      problem_ = run_.manifest->done(std::move(record));
    } else {
      problem_ = run_.manifest->undo(output);
    }
    if (!problem_) broken_ = true;
  }

  bool broken() const { return broken_; }
  Status problem() const { return problem_; }

 private:
  const BatchRun& run_;
  std::vector<Record> records_;  // by place in the order
  Status problem_;
  std::atomic<bool> broken_{false};
};

}  // namespace

std::string_view name(Fate fate) {
  switch (fate) {
    case Fate::left:
      return "left";
    case Fate::done:
      return "done";
    case Fate::skipped:
      return "skipped";
    case Fate::failed:
      return "failed";
  }
  return "";
}

std::vector<Outcome> decide_all(std::vector<Job>& jobs, const Manifest* manifest, IfExists if_exists) {
  std::set<std::filesystem::path> taken;
  std::vector<Outcome> outcomes(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    Decision decision = decide(jobs[i], manifest, if_exists, taken);
    if (decision.action == Action::skip) outcomes[i] = {Fate::skipped, std::move(decision.reason), {}, {}};
    if (decision.action == Action::fail) outcomes[i] = {Fate::failed, {}, std::move(decision.error), {}};
  }
  return outcomes;
}

Status run_batch(const BatchRun& run, std::vector<Outcome>& outcomes) {
  Notes notes(run);
  if (auto ok = notes.begin(); !ok) return ok;
  std::vector<bool> ended(run.order.size());
  JobsOptions options = run.options;
  options.stop = [&] { return notes.broken() || (run.options.stop && run.options.stop()); };
  if (run.options.alone) options.alone = [&](size_t place) { return run.options.alone(run.order[place]); };
  options.ended = [&](size_t place, const Status& status, const StageTimes& times) {
    const size_t job = run.order[place];
    const bool left = !status && status.error().code == ErrorCode::interrupted;
    Outcome& outcome = outcomes[job];
    outcome.fate = status ? Fate::done : left ? Fate::left : Fate::failed;
    if (outcome.fate == Fate::failed) outcome.error = status.error();
    outcome.times = times;
    ended[place] = true;
    notes.ended(place, outcome.fate);
    if (run.options.ended) run.options.ended(job, status, times);
  };
  run_jobs(run.order.size(), [&](size_t place) { return notes.noted(place, run.make(run.order[place])); }, options);
  for (size_t place = 0; place < ended.size(); ++place)
    if (!ended[place]) notes.ended(place, Fate::left);
  return notes.problem();
}

}  // namespace fye

#include "cli/up_many.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <mutex>
#include <set>
#include <system_error>

#include "base/clock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cli/interrupt.h"
#include "cli/up_network.h"
#include "cli/up_summary.h"
#include "cli/up_survey.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Maps and weights take about so much beside pictures (runtime/upscale_state.h: kLargeArena).
constexpr int64_t kNetworkBytes = int64_t{256} << 20;

// The film of a batch: it has threads, queues and progress of its own.
class FilmWork : public Work {
 public:
  FilmWork(FilmTask task, Progress& progress, Json& summary)
      : task_(std::move(task)), progress_(progress), summary_(summary) {}
  Status load() override { return {}; }
  Status work() override {
    progress_.pause(true);
    const Status done = up_film(task_, &summary_);
    progress_.pause(false);
    if (!done && interrupted()) return interrupted_error(done.error().what);
    return done;
  }
  Status save() override { return {}; }

 private:
  FilmTask task_;
  Progress& progress_;
  Json& summary_;
};

// One run: what its parts share.
class Run {
 public:
  Run(const UpOptions& options, const UpSettings& settings, UpJobs& jobs, std::vector<Outcome>& outcomes,
      std::vector<FileReport>& reports, std::vector<Json>& films)
      : options_(options), settings_(settings), jobs_(jobs), outcomes_(outcomes), reports_(reports), films_(films),
        survey_(survey_of(jobs.jobs, outcomes, settings)), place_(jobs.jobs.size()), threads_(settings.threads.work),
        progress_(jobs.folder.filename().empty() ? jobs.folder.parent_path().filename().string()
                                                 : jobs.folder.filename().string(),
                  settings.progress),
        upscalers_(options, settings, threads_, [this](double fraction) { within(fraction); }),
        estimator_(survey_.costs, 0) {
    for (size_t place = 0; place < survey_.order.size(); ++place) place_[survey_.order[place]] = place;
    const int64_t budget = settings.upscale.memory_bytes > 0 ? settings.upscale.memory_bytes : free_bytes() / 4 * 3;
    const int at_once = settings.threads.load + settings.threads.save + 1;
    beside_bytes_ = std::max<int64_t>(0, budget - resident_bytes() - kNetworkBytes) / at_once;
  }

  Status go(Manifest& manifest) {
    BatchRun run;
    run.jobs = jobs_.jobs;
    run.order = survey_.order;
    run.manifest = &manifest;
    run.make = [this](size_t job) { return work_of(job); };
    run.options.load_threads = settings_.threads.load;
    run.options.save_threads = settings_.threads.save;
    run.options.stop = interrupted;
    run.options.alone = [this](size_t job) { return alone(job); };
    run.options.ended = [this](size_t job, const Status& status, const StageTimes&) { ended(job, status); };
    watch_ = Stopwatch();
    show();
    return run_batch(run, outcomes_);
  }

 private:
  bool alone(size_t job) const {
    const auto& info = survey_.infos[job];
    if (jobs_.jobs[job].film) return true;
    return info && picture_work_bytes(*info, settings_.scale(), settings_.pictures.tta) > beside_bytes_;
  }

  std::unique_ptr<Work> work_of(size_t index) {
    const Job& job = jobs_.jobs[index];
    std::error_code problem;  // told when the file is written
    fs::create_directories(job.output.parent_path(), problem);
    if (job.film) return std::make_unique<FilmWork>(film_task(job), progress_, films_[index]);
    const auto make = alone(index) && !settings_.deadline ? large_picture_work : picture_work;
    const UpscalerFor& upscaler_for = upscaler_for_.emplace_back([this, index](int width, int height) {
      {
        const std::lock_guard lock(mutex_);
        current_ = index;
      }
      return upscalers_.for_size(width, height);
    });
    return make(job.input, job.output, settings_.pictures, upscaler_for, reports_[index]);
  }

  FilmTask film_task(const Job& job) const {
    FilmTask task;
    task.input = job.input;
    task.output = job.output;
    task.model = &settings_.model;
    task.model_file = settings_.model_file;
    task.upscale = settings_.upscale;
    task.threads = settings_.threads.work;
    task.deadline = settings_.deadline;
    task.book = options_.book;
    task.strict = options_.strict;
    task.json = options_.json;
    task.progress = settings_.progress;
    task.options = options_.film;
    return task;
  }

  double now() const { return watch_.ms() / 1000; }

  void within(double fraction) {
    const std::lock_guard lock(mutex_);
    estimator_.within(place_[current_], fraction);
    show();
  }

  void ended(size_t job, const Status& status) {
    const std::lock_guard lock(mutex_);
    if (!status && status.error().code == ErrorCode::interrupted) return;
    estimator_.ended(place_[job], now(), !status);
    ++ended_;
    if (!status) {
      ++failed_;
      progress_.say(status.error().text());
    } else {
      for (const std::string& notice : reports_[job].upscale.notices) say_once(job, notice);
    }
    show();
  }

  // What holds for thousands of files is said for the first of them.
  void say_once(size_t job, const std::string& notice) {
    if (said_.insert(notice).second)
      progress_.say(fmt::format("note: {}: {} (other files of this kind: see --json)",
                                jobs_.jobs[job].input.filename().string(), notice));
  }

  void show() {
    const double seconds = now();
    ProgressStep step;
    step.fraction = estimator_.fraction();
    step.left_s = estimator_.left_s(seconds);
    const size_t all = survey_.order.size();
    step.text = fmt::format("file {} of {}{}{}", std::min(ended_ + 1, all), all,
                            failed_ ? fmt::format(", {} failed", failed_) : "",
                            ended_ > 0 && seconds > 0 ? fmt::format(", {:.3g} a second", double(ended_) / seconds) : "");
    step.fields = {{"files_done", ended_}, {"files", all}, {"failed", failed_},
                   {"current", ended_ < all ? jobs_.jobs[current_].input.string() : ""}};
    progress_.update(std::move(step));
  }

  const UpOptions& options_;
  const UpSettings& settings_;
  UpJobs& jobs_;
  std::vector<Outcome>& outcomes_;
  std::vector<FileReport>& reports_;
  std::vector<Json>& films_;
  Survey survey_;
  std::vector<size_t> place_;  // of a job in the order
  ThreadPool threads_;
  Progress progress_;
  Upscalers upscalers_;
  std::deque<UpscalerFor> upscaler_for_;
  int64_t beside_bytes_ = 0;
  Stopwatch watch_;
  std::mutex mutex_;
  Estimator estimator_;
  size_t ended_ = 0, failed_ = 0, current_ = 0;
  std::set<std::string> said_;
};

Status dry_run(const UpOptions& options, const UpSettings& settings, const UpJobs& jobs,
               const std::vector<Outcome>& outcomes) {
  const Survey survey = survey_of(jobs.jobs, outcomes, settings);
  const auto cast = forecast(jobs.jobs, survey, options, settings);
  if (!cast) return cast.error();
  print_forecast(options, jobs, outcomes, *cast);
  return {};
}

}  // namespace

Status up_many(const UpOptions& options, const UpRequest& request) {
  const Stopwatch watch;
  const StopWhenAsked stop;
  const auto settings = settings_of(options);
  if (!settings) return settings.error();
  auto jobs = jobs_of(options, *settings, request);
  if (!jobs) return jobs.error();
  for (const std::string& note : jobs->notes) spdlog::warn("note: {}", note);
  for (const Error& error : jobs->unusable) spdlog::warn("{}", error.text());
  if (jobs->jobs.empty() && jobs->unusable.empty())
    return bad_input(fmt::format("there are no pictures or films in what was given{}",
                                 jobs->ignored ? fmt::format(" ({} other files)", jobs->ignored) : ""),
                     options.recursive ? "" : "--recursive looks into folders of folders too");
  if (jobs->jobs.empty()) return jobs->unusable.front();

  std::error_code problem;
  const bool there = fs::is_directory(jobs->folder, problem);
  if (!there && !options.dry_run) {
    fs::create_directories(jobs->folder, problem);
    if (problem)
      return bad_input(fmt::format("{}: can't make the folder: {}", jobs->folder.string(), problem.message()));
  }
  std::optional<Manifest> manifest;
  if (there || !options.dry_run) {
    auto opened = Manifest::open(jobs->folder);
    if (!opened) return opened.error();
    manifest.emplace(*std::move(opened));
  }
  std::vector<Outcome> outcomes = decide_all(jobs->jobs, manifest ? &*manifest : nullptr, settings->if_exists);
  if (options.dry_run) return dry_run(options, *settings, *jobs, outcomes);
  for (const Outcome& outcome : outcomes)
    if (outcome.fate == Fate::failed) spdlog::warn("{}", outcome.error.text());

  std::vector<FileReport> reports(jobs->jobs.size());
  std::vector<Json> films(jobs->jobs.size());
  Status written;
  if (std::any_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.fate == Fate::left; }))
    written = Run(options, *settings, *jobs, outcomes, reports, films).go(*manifest);
  const Summary summary{options, *settings, *jobs, outcomes, reports, films, watch.ms() / 1000};
  if (options.json) print_json(summary);
  print_totals(summary);
  if (!written) return written;
  return verdict(summary);
}

}  // namespace fye

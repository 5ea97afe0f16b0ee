// fye itself runs the middle of three stages; fye-av decodes in one process and encodes in another
// (video/protocol.h). A frame's slot in shared memory belongs to whoever works on it, so the number of slots
// bounds the queues, and each stage waits only for slots. Tested by tests/film_cli_test.py against FFmpeg's
// own tools.
#include "runtime/film.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/clock.h"
#include "base/file.h"
#include "import/sha256.h"
#include "plan/plan.h"
#include "runtime/film_enlarge.h"
#include "runtime/film_queue.h"
#include "runtime/film_work.h"
#include "runtime/machine.h"
#include "video/helper.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// A segment is cut at the first frame this long after its first one, or after so many frames, whatever their
// times say. A killed run loses at most one whole segment, still in the encoder, and the frames in the queue
// behind it: at 24 frames a second 1.6 s and 8 frames, about two seconds.
constexpr double kSegmentSeconds = 1.6;
constexpr int64_t kSegmentFrames = 200;

// Of each queue: enough to even out what single frames take, where they are not large.
constexpr int64_t kQueueBytes = int64_t{192} << 20;
constexpr int64_t kLeastSlots = 2, kMostSlots = 8;

// The probe's answer, as far as it is fye's business; the rest goes on to the other jobs unread.
struct Probed {
  Json film, plan;
  int width = 0, height = 0, out_width = 0, out_height = 0, bits = 8, channels = 3;
  double time_base = 0;             // seconds
  int64_t frames = 0;               // 0: not known
  double seconds = 0, start_s = 0;  // of the picture; 0 seconds: not known
  size_t in_bytes() const { return size_t(width) * size_t(height) * size_t(channels) * size_t(bits / 8); }
  size_t out_bytes() const {
    return size_t(out_width) * size_t(out_height) * size_t(channels) * size_t(bits / 8);
  }
};

Result<Probed> probed_from(const Json& answer, const std::string& name) try {
  Probed p;
  p.film = answer.at("film");
  p.plan = answer.at("plan");
  p.plan.at("width").get_to(p.width);
  p.plan.at("height").get_to(p.height);
  p.plan.at("out_width").get_to(p.out_width);
  p.plan.at("out_height").get_to(p.out_height);
  p.plan.at("bits").get_to(p.bits);
  p.plan.at("channels").get_to(p.channels);
  p.film.at("frames").get_to(p.frames);
  p.film.at("seconds").get_to(p.seconds);
  p.film.at("start_s").get_to(p.start_s);
  const int den = p.plan.at("time_base").at(1).get<int>();
  p.time_base = den ? double(p.plan.at("time_base").at(0).get<int>()) / den : 0;
  constexpr int kMostSide = 65'535;  // as the probe's
  for (const int side : {p.width, p.height, p.out_width, p.out_height})
    if (side < 1 || side > kMostSide)
      return internal_error(name + ": the film helper gives impossible sizes");
  if ((p.bits != 8 && p.bits != 16) || (p.channels != 3 && p.channels != 4) || !(p.time_base > 0))
    return internal_error(name + ": the film helper gives an impossible form");
  return p;
} catch (const Json::exception& problem) {
  return internal_error(fmt::format("{}: the film helper's description: {}", name, problem.what()));
}

Result<Descriptor> open_input(const fs::path& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file || fstat(file.get(), &info) != 0)
    return bad_input(fmt::format("{}: can't read: {}", path.string(), std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) return bad_input(fmt::format("{}: not a regular file", path.string()));
  if (info.st_size == 0) return bad_input(fmt::format("{}: is empty", path.string()));
  return file;
}

int64_t free_memory() {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return int64_t{1} << 30;
  return int64_t(info.freeram + info.bufferram) * info.mem_unit;
}

class FilmRun {
 public:
  FilmRun(const FilmRequest& request, ThreadPool& threads)
      : request_(request), threads_(threads), name_(request.input.string()) {}

  Result<FilmReport> run() {
    const Stopwatch all;
    auto input = open_input(request_.input);
    if (!input) return input.error();
    input_ = *std::move(input);
    if (auto status = probe(); !status) return status.error();
    if (auto status = make_room(); !status) return status.error();
    auto enlarger = FrameEnlarger::create(request_, probed_.width, probed_.height, probed_.channels,
                                          probed_.bits, threads_);
    if (!enlarger) return enlarger.error();
    enlarger_.emplace(*std::move(enlarger));
    auto identity = identity_of_this();
    if (!identity) return identity.error();
    auto work = FilmWork::open(request_.output, *identity);
    if (!work) return work.error();
    work_.emplace(*std::move(work));
    if (auto status = frames(); !status) return with_what_is_kept(status.error());
    const Stopwatch writing;
    if (auto status = mux(); !status) return with_what_is_kept(status.error());
    report_.mux_ms = writing.ms();
    report_.seconds = all.ms() / 1e3;
    return report_;
  }

 private:
  bool stopped() const { return request_.stop && request_.stop(); }

  Error stopped_error() const {
    const int64_t done = work_ ? work_->frames() : 0;
    if (done == 0) return interrupted_error(fmt::format("{}: stopped", name_));
    return {
        ErrorCode::partial,
        fmt::format("{}: stopped; {} frames are done and kept in {}", name_, done, work_->folder().string()),
        "the same command goes on after them"};
  }

  // What fails late says what need not be done again.
  Error with_what_is_kept(Error error) const {
    if (error.code == ErrorCode::partial || error.code == ErrorCode::interrupted || work_->segments().empty())
      return error;
    const std::string kept =
        fmt::format("{} finished frames are kept in {}; the same command goes on after them", work_->frames(),
                    work_->folder().string());
    error.hint += (error.hint.empty() ? "" : "; ") + kept;
    return error;
  }

  void say(const std::string& sentence) {
    if (request_.say && said_.insert(sentence).second) request_.say(sentence);
  }

  void hear(const Helper& helper) {
    for (const std::string& missing : helper.sandbox().missing)
      say(fmt::format("the film helper is not fully locked in, since this kernel lacks {}", missing));
  }

  Status probe() {
    const FilmEncoding& e = request_.encoding;
    Json encoder = {{"name", e.encoder}, {"preset", e.preset}, {"options", Json(e.options)}};
    if (e.options.empty()) encoder["options"] = Json::object();
    if (e.crf) encoder["crf"] = *e.crf;
    const int own = request_.model->conventions.scale;
    const Json job = {{"job", "probe"},
                      {"output", request_.output.filename().string()},
                      {"scale", request_.upscale.scale > 0 ? request_.upscale.scale : own},
                      {"threads", available_cores()},
                      {"damaged", e.damaged},
                      {"leave_out", e.leave_out},
                      {"encoder", encoder}};
    auto helper = Helper::start(name_, job, {.input = input_.get()});
    if (!helper) return helper.error();
    hear(*helper);
    const auto answer = helper->finish();
    if (!answer) return answer.error();
    auto probed = probed_from(*answer, name_);
    if (!probed) return probed.error();
    probed_ = *std::move(probed);
    for (const Json& notice : probed_.film.value("notices", Json::array()))
      if (notice.is_string()) say(notice.get<std::string>());
    progress_.expected = probed_.frames;
    report_.in_width = probed_.width, report_.in_height = probed_.height;
    report_.width = probed_.out_width, report_.height = probed_.out_height;
    report_.bits = probed_.bits;
    report_.encoder = probed_.plan.value("encoder", "");
    report_.pixels = probed_.plan.value("format", "");
    report_.container = probed_.plan.value("container", "");
    report_.streams = probed_.film.value("streams", Json::array());
    return {};
  }

  // The two queues.
  Status make_room() {
    const int64_t budget =
        request_.upscale.memory_bytes > 0 ? request_.upscale.memory_bytes : free_memory() / 4 * 3;
    const auto slots = [&](size_t bytes) {
      return std::clamp(std::min(kQueueBytes, budget / 4) / int64_t(bytes), kLeastSlots, kMostSlots);
    };
    const int64_t in = slots(probed_.in_bytes()), out = slots(probed_.out_bytes());
    const int64_t needed = in * int64_t(probed_.in_bytes()) + out * int64_t(probed_.out_bytes());
    if (needed > budget)
      return resource_error(
          fmt::format("{}: its queues of {}x{} and {}x{} frames take {} MB, and {} MB are allowed", name_,
                      probed_.width, probed_.height, probed_.out_width, probed_.out_height,
                      needed / 1'000'000, budget / 1'000'000),
          "a smaller --scale, or a larger --mem");
    auto decoded = SharedFrames::create(int(in), probed_.in_bytes() + kSideBytes);
    if (!decoded) return decoded.error();
    auto enlarged = SharedFrames::create(int(out), probed_.out_bytes() + kSideBytes);
    if (!enlarged) return enlarged.error();
    decoded_.emplace(*std::move(decoded));
    enlarged_.emplace(*std::move(enlarged));
    return {};
  }

  // Everything that decides about the encoded frames.
  Result<Json> identity_of_this() const {
    auto digest = film_digest(input_.get());
    if (!digest) return bad_input(name_ + ": " + digest.error().what);
    const Conventions& c = request_.model->conventions;
    const UpscaleOptions& u = request_.upscale;
    const MachineId machine = this_machine(threads_.size());
    Json identity = {{"version", 1},
                     {"film", {{"name", request_.input.filename().string()}, {"digest", *digest}}},
                     {"model",
                      {{"name", request_.model->name},
                       {"graph", request_.model->graph.sha256},
                       {"scale", c.scale},
                       {"range", {c.lo, c.hi}},
                       {"luma", c.colour == Conventions::Colour::y},
                       {"bicubic_first", c.bicubic_first}}},
                     {"numbers", u.numbers ? std::string(name(*u.numbers)) : "auto"},
                     {"isa", machine.isa},
                     {"build", machine.build},
                     {"plan", probed_.plan}};
    std::error_code ignored;
    fs::path calibration = request_.model_file;
    calibration.replace_extension(".calib.json");
    constexpr int64_t kMostCalibration = 64 << 20;
    if (fs::exists(calibration, ignored))
      if (const auto bytes = read_file(calibration, kMostCalibration))
        identity["calibration"] = sha256_hex(*bytes);
    if (u.plan) identity["placement"] = sha256_hex(placements_text(*u.plan));
    if (request_.deadline_ms) identity["deadline_ms"] = *request_.deadline_ms;
    return identity;
  }

  static std::string placements_text(const Plan& plan) {
    std::string text;
    for (const PlanStep& step : plan.steps) {
      for (const std::string& unit : step.units) text += unit + " ";
      text += placement_text(step) + "\n";
    }
    return text;
  }

  // Decode, enlarge, encode, after what an earlier run has finished.
  Status frames() {
    progress_.resumed = progress_.frames = report_.resumed = work_->frames();
    const Stopwatch watch;
    FilmQueue::Start start{.name = name_,
                           .plan = probed_.plan,
                           .input = input_.get(),
                           .skip = work_->frames(),
                           .damaged = request_.encoding.damaged,
                           .stop = request_.stop};
    auto queue = FilmQueue::start(start, *decoded_, *enlarged_, *work_);
    if (!queue) return queue.error();
    hear(queue->decoder());
    hear(queue->encoder());
    int64_t in_segment = 0, segment_start = 0;
    while (true) {
      auto next = queue->next_frame();
      if (!next) return end_of(*queue, next.error());
      if (!*next) break;
      const DecodedFrame frame = **next;
      const bool full =
          in_segment > 0 && (double(frame.pts - segment_start) * probed_.time_base >= kSegmentSeconds ||
                             in_segment >= kSegmentFrames);
      if (full) {
        if (auto status = queue->end_segment(); !status) return end_of(*queue, status.error());
        in_segment = 0;
      }
      if (in_segment++ == 0) segment_start = frame.pts;
      if (progress_.frames == progress_.resumed)
        progress_.resumed_fraction = fraction_at(double(frame.pts) * probed_.time_base);
      if (auto status = enlarge(*queue, frame); !status) return end_of(*queue, status.error());
      ++progress_.frames;
      progress_.fraction = fraction_at(double(frame.pts + frame.duration) * probed_.time_base);
      if (request_.progress) request_.progress(progress_);
    }
    if (in_segment > 0)
      if (auto status = queue->end_segment(); !status) return end_of(*queue, status.error());
    if (auto status = queue->finish(); !status) return end_of(*queue, status.error());
    report_.frames = work_->frames();
    report_.segments = int64_t(work_->segments().size());
    if (report_.frames == 0) return bad_input(name_ + ": has no frames");
    enlarger_->tell(report_);
    queue->tell(report_);
    report_.frames_per_second = double(report_.frames - report_.resumed) / (watch.ms() / 1e3);
    return {};
  }

  double fraction_at(double seconds) const {
    const double by_time = probed_.seconds > 0 ? (seconds - probed_.start_s) / probed_.seconds : 0;
    return std::clamp(probed_.frames > 0 ? double(progress_.frames) / double(probed_.frames) : by_time, 0.,
                      1.);
  }

  Error end_of(FilmQueue& queue, const Error& error) const {
    if (error.code != ErrorCode::interrupted) return error;
    queue.keep_what_is_whole();
    return stopped_error();
  }

  Status enlarge(FilmQueue& queue, const DecodedFrame& frame) {
    const auto slot = queue.free_slot();
    if (!slot) return slot.error();
    const auto in = decoded_->slot(frame.slot), out = enlarged_->slot(*slot);
    if (auto status = enlarger_->run(in.first(probed_.in_bytes()), out.first(probed_.out_bytes())); !status) {
      Error error = status.error();
      if (error.code != ErrorCode::interrupted)
        error.what = fmt::format("{}: frame {} at {:.2f} s: {}", name_, progress_.frames,
                                 double(frame.pts) * probed_.time_base, error.what);
      return error;
    }
    std::memcpy(out.data() + probed_.out_bytes(), in.data() + probed_.in_bytes(), size_t(frame.side_bytes));
    return queue.hand_on(frame, *slot);
  }

  Status mux() {
    if (stopped()) return stopped_error();
    progress_.writing = true;
    auto output = work_->begin_film();
    if (!output) return output.error();
    const Json job = {
        {"job", "mux"}, {"plan", probed_.plan}, {"segments", int64_t(work_->segments().size())}};
    auto helper = Helper::start(name_, job, {.input = input_.get(), .output = output->get()});
    if (!helper) return helper.error();
    while (true) {
      auto message = helper->receive(std::chrono::milliseconds(100));
      if (!message) return message.error();
      if (stopped()) return stopped_error();
      if (!*message) continue;
      if ((*message)->type == MessageType::want_segment) {
        if (auto status = give_segment(*helper, (*message)->number); !status) return status;
      } else if ((*message)->type == MessageType::damaged) {
        const int64_t number = (*message)->number;
        work_->drop_segment(number);
        return bad_input(fmt::format("{}: its finished segment {} was damaged on the disk, and is dropped",
                                     name_, number));
      } else if ((*message)->type == MessageType::progress) {
        progress_.written = std::clamp(double((*message)->number) / 1000, 0., 1.);
        if (request_.progress) request_.progress(progress_);
      } else if ((*message)->type == MessageType::done) {
        const auto said = json_of(**message);
        if (!said) return said.error();
        report_.copied_packets = said->value("copied_packets", int64_t{0});
        return work_->finish_film();
      }
    }
  }

  Status give_segment(Helper& helper, int64_t number) {
    const auto& segments = work_->segments();
    if (number < 0 || number >= int64_t(segments.size())) return internal_error(name_ + ": no such segment");
    const fs::path& path = segments[size_t(number)].path;
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return bad_input(fmt::format("{}: can't read: {}", path.string(), std::strerror(errno)));
    return helper.send({.type = MessageType::segment, .number = number}, {}, file.get());
  }

  const FilmRequest& request_;
  ThreadPool& threads_;
  std::string name_;
  Descriptor input_;
  Probed probed_;
  std::optional<SharedFrames> decoded_, enlarged_;
  std::optional<FrameEnlarger> enlarger_;
  std::optional<FilmWork> work_;
  std::set<std::string> said_;
  FilmProgress progress_;
  FilmReport report_;
};

}  // namespace

Result<FilmReport> upscale_film(const FilmRequest& request, ThreadPool& threads) {
  return FilmRun(request, threads).run();
}

}  // namespace fye

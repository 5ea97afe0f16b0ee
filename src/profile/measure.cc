// Tested by profile/measure_test.cc (what must hold of any profile) and by bench/plan/predict.py (predicted
// against measured plans).
#include "profile/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "base/buffer.h"
#include "base/clock.h"
#include "execute/plain.h"
#include "kernels/convert/convert.h"
#include "processors/segment_maps.h"
#include "processors/split_rows.h"
#include "profile/conditions.h"
#include "profile/dummy.h"
#include "profile/energy.h"
#include "profile/interval.h"
#include "profile/pairs.h"

namespace fye {
namespace {

constexpr int kWholeRounds = 9;  // at least 7 (design.md, section 6), where they don't take too long
constexpr int kMostCopies = 8;
// A difference shows well if it is this share of what it is a difference of.
constexpr double kShowing = 0.5;
// Whole networks take at most this share of the time there is, before and after the units; but two rounds
// each.
constexpr double kWholeShare = 0.15;
// Bands that Executor may have chosen, smallest first (execute/plain.cc).
constexpr int kBandRows[] = {2, 4, 8, 16, 24, 32, 48, 64};

// A map with memory of its own.
struct OwnMap {
  Map map;
  Buffer memory;
};

OwnMap own_map(const Format& format, int height, int width, int margin = 0) {
  OwnMap own;
  const Map layout = map_layout(format, {0, 0, height, width}, margin);
  own.memory = Buffer(map_bytes(layout));
  own.map = place_map(layout, own.memory.data());
  return own;
}

// A network, its memory, and pictures for it.
class Run {
 public:
  static Result<std::unique_ptr<Run>> prepare(const Graph& graph, const Calib* calib,
                                              std::span<const Processor* const> placement,
                                              const ExecuteOptions& options, DType picture, Quant quant,
                                              ThreadPool& threads) {
    auto executor = Executor::prepare(graph, calib, placement, options);
    if (!executor) return executor.error();
    const int channels = int(graph.tensors[size_t(graph.inputs[0])].shape[1]);
    auto run = std::unique_ptr<Run>(new Run{*std::move(executor), {}, {}, &threads});
    run->in_ = own_map({picture, quant, channels}, options.height, options.width);
    // Not all zero: sums of zeros could meet denormals or shortcuts that real pictures don't.
    if (picture == DType::u8)
      for (size_t i = 0; i < run->in_.memory.size(); ++i) run->in_.memory.data()[i] = std::byte(i * 37 % 251);
    Executor& e = run->executor;
    run->out_ = own_map({picture, quant, e.out_channels()}, e.out_height(), e.out_width());
    return run;
  }

  Status operator()(const Observer* observer = nullptr) {
    return executor.run(in_.map, out_.map, *threads_, observer);
  }

  Executor executor;

 private:
  Run(Executor e, OwnMap in, OwnMap out, ThreadPool* threads)
      : executor(std::move(e)), in_(std::move(in)), out_(std::move(out)), threads_(threads) {}
  OwnMap in_, out_;
  ThreadPool* threads_;
};

int band_rows_of(const Executor& executor, int height) {
  for (const int rows : kBandRows)
    if ((height + rows - 1) / rows <= executor.pass_count()) return rows;
  return height;
}

// One processor with the whole network on it.
struct Uniform {
  const Processor* processor;
  std::unique_ptr<Run> run;  // null if it can't run all of it
  int band = 0;
  std::vector<double> node_ms;  // in place
  std::vector<double> ms;       // of its timed runs
  double mj = 0;                // over those
};

class Measurement {
 public:
  Measurement(const Graph& graph, const Calib* calib, std::span<const Processor* const> processors,
              const MeasureOptions& options, ThreadPool& threads, const std::function<void(double)>& progress)
      : graph_(graph),
        calib_(calib),
        processors_(processors),
        options_(options),
        threads_(threads),
        progress_(progress),
        units_(units_of(graph)) {}

  Result<Profile> run(MeasureReport* report) {
    const Tensor& input = graph_.tensors[size_t(graph_.inputs[0])];
    auto shapes = infer_shapes(graph_, {{1, input.shape[1], options_.height, options_.width}});
    if (!shapes) return shapes.error();
    shapes_ = *std::move(shapes);
    profile_.graph_sha256 = graph_.sha256;
    profile_.machine = {std::string(cpu_model()), std::string(name(options_.max)), "", threads_.size()};
    profile_.width = options_.width;
    profile_.height = options_.height;
    profile_.executor = "bands";
    profile_.conditions = conditions_now();
    for (const Processor* p : processors_) profile_.processors.emplace_back(p->name());
    for (const Unit& unit : units_) profile_.units.push_back({unit.name, {}});

    if (auto status = prepare_whole(); !status) return status.error();
    if (auto status = time_whole(true); !status) return status.error();
    if (auto status = time_in_place(); !status) return status.error();
    progress(0.15);
    if (auto status = hand_overs(); !status) return status.error();
    if (auto status = unit_times(); !status) return status.error();
    if (auto status = time_whole(false); !status) return status.error();
    keep_whole();
    progress(1);
    add_up();
    report_.seconds = watch_.ms() / 1000;
    if (report) *report = std::move(report_);
    return std::move(profile_);
  }

 private:
  bool runs(const Processor& processor, const Unit& unit) const {
    for (int index : unit.nodes) {
      if (!processor.supports(graph_, graph_.nodes[size_t(index)]).empty()) return false;
      if (!processor.writes(graph_, calib_, index)) return false;
      for (size_t i = 0; i < graph_.nodes[size_t(index)].inputs.size(); ++i)
        if (!processor.reads(graph_, calib_, index, int(i))) return false;
    }
    return true;
  }

  void progress(double share) const {
    if (progress_) progress_(std::min(1., share));
  }

  // Every processor that can run it all, prepared.
  Status prepare_whole() {
    for (const Processor* p : processors_) {
      Uniform uniform{p, nullptr, kUsualBand, std::vector<double>(graph_.nodes.size()), {}, 0};
      if (std::all_of(units_.begin(), units_.end(), [&](const Unit& unit) { return runs(*p, unit); })) {
        const ExecuteOptions execute{.height = options_.height,
                                     .width = options_.width,
                                     .band = kUsualBand,
                                     .band_bytes = kUsualBandBytes,
                                     .whole_if_smaller = true,
                                     .max = options_.max};
        auto run = Run::prepare(graph_, calib_, everywhere(graph_, p), execute, options_.picture,
                                options_.picture_quant, threads_);
        if (!run) return run.error();
        uniform.run = *std::move(run);
        uniform.band = band_rows_of(uniform.run->executor, options_.height);
      }
      uniforms_.push_back(std::move(uniform));
    }
    return {};
  }

  // Some rounds of each in turns: before the units (after one round to warm up) and after them, since
  // machines change meanwhile.
  Status time_whole(bool first) {
    auto meter = EnergyMeter::open();
    constexpr int kLeast = 2;
    for (int turn = first ? -1 : 0; turn < kWholeRounds / 2 + (first ? 0 : kWholeRounds % 2); ++turn) {
      if (turn >= kLeast && whole_ms_ * (turn + 1) > kWholeShare * options_.seconds * 1000) break;
      const Stopwatch round;
      for (Uniform& uniform : uniforms_) {
        if (!uniform.run) continue;
        if (meter) meter->millijoules();
        const Stopwatch watch;
        if (auto status = (*uniform.run)(); !status) return status;
        if (turn < 0) continue;
        uniform.ms.push_back(watch.ms());
        if (meter) uniform.mj += meter->millijoules();
      }
      whole_ms_ = round.ms();
    }
    return {};
  }

  // Once with a look at each node: the naive way.
  Status time_in_place() {
    for (Uniform& uniform : uniforms_) {
      if (!uniform.run) continue;
      Stopwatch since;
      const Observer observer = [&](int node, const Map&) {
        uniform.node_ms[size_t(node)] += since.ms();
        since = {};
      };
      if (auto status = (*uniform.run)(&observer); !status) return status;
    }
    return {};
  }

  void keep_whole() {
    for (Uniform& uniform : uniforms_) {
      if (!uniform.run) continue;
      const std::string processor(uniform.processor->name());
      profile_.whole[processor] = interval_of(uniform.ms);
      if (uniform.mj <= 0) continue;
      profile_.watts[processor] = uniform.mj / std::accumulate(uniform.ms.begin(), uniform.ms.end(), 0.);
      profile_.watts_from = "rapl";
    }
  }

  int band_of(const Processor* processor) const {
    for (const Uniform& uniform : uniforms_)
      if (uniform.processor == processor) return uniform.band;
    return kUsualBand;
  }

  // How long rows take from one form to another, band by band as an executor takes them.
  Timing conversion_time(const Format& from, const Format& to, const MapSize& size, bool host_in,
                         bool host_out) {
    const int rows = std::clamp(kUsualBand * size.height / std::max(1, options_.height), 1, size.height);
    OwnMap a = own_map(from, host_in ? size.height : rows, size.width);
    OwnMap b = own_map(to, host_out ? size.height : rows, size.width, host_out ? 0 : 1);
    std::vector<double> samples;
    Timing time;
    constexpr int kMost = 30;
    for (int round = 0; round < kMost; ++round) {
      const Stopwatch watch;
      for (int y = 0; y < size.height; y += rows) {
        const int end = std::min(size.height, y + rows);
        Map in = a.map, out = b.map;
        if (!host_in) in.region.y = y;
        if (!host_out) out.region.y = y;
        in.region.h = out.region.h = end - y;
        if (host_in) in = part_of(a.map, {y, 0, end - y, size.width});
        if (host_out) out = part_of(b.map, {y, 0, end - y, size.width});
        constexpr int kRanges = 2;  // as execute/bands.cc
        split_rows(y, end, {}, kRanges, threads_, [&](int y0, int y1) {
          convert_rows(in, part_of(out, {y0, 0, y1 - y0, size.width}), y0, y1, options_.max);
        });
        if (out.margin > 0) fill_margin(out, size.height, size.width);
      }
      if (round > 0) samples.push_back(watch.ms());
      if (round < options_.least_pairs) continue;
      time = interval_of(samples);
      if (time.half_width < options_.half_width * time.ms) break;
    }
    return time;
  }

  // All forms that some processor stores a tensor in, or wants it in.
  Status hand_overs() {
    std::map<std::string, Timing> known;
    for (TensorId tensor = 0; tensor < TensorId(graph_.tensors.size()); ++tensor) {
      const int writer = graph_.producer(tensor);
      const bool is_input = tensor == graph_.inputs[0];
      if (writer == kNone && !is_input) continue;
      const MapSize size = map_size(shapes_[size_t(tensor)]);
      std::map<Form, Stored> written, read;
      for (const Processor* p : processors_) {
        if (!is_input)
          if (const auto form = p->writes(graph_, calib_, writer))
            written.emplace(form_of(form->type), *form);
        for (int reader : graph_.consumers(tensor)) {
          const auto& inputs = graph_.nodes[size_t(reader)].inputs;
          for (size_t i = 0; i < inputs.size(); ++i)
            if (inputs[i] == tensor)
              if (const auto form = p->reads(graph_, calib_, reader, int(i)))
                read.emplace(form_of(form->type), *form);
        }
      }
      const Stored host{options_.picture, options_.picture_quant};
      if (is_input) written = {{Form::host, host}};
      if (graph_.is_output(tensor)) read.emplace(Form::host, host);
      for (const auto& [from, stored] : written)
        for (const auto& [to, wanted] : read) {
          if (from == to) continue;
          const std::string key =
              fmt::format("{} {} {}x{}x{}", name(from), name(to), size.channels, size.width, size.height);
          // The last node writes into the caller's picture itself where that has its form (Parts::ends_in).
          const bool direct = to == Form::host && stored == wanted;
          if (!known.contains(key) || direct)
            known[key] = direct ? Timing{}
                                : conversion_time({stored.type, stored.quant, size.channels},
                                                  {wanted.type, wanted.quant, size.channels}, size,
                                                  from == Form::host, to == Form::host);
          profile_.hand_overs.push_back({graph_.tensors[size_t(tensor)].name, from, to, known[key]});
        }
    }
    progress(0.2);
    return {};
  }

  double hand_over_ms(TensorId tensor, Form from, Form to) const {
    for (const HandOver& hand : profile_.hand_overs)
      if (hand.tensor == graph_.tensors[size_t(tensor)].name && hand.from == from && hand.to == to)
        return hand.time.ms;
    return 0;
  }

  // The dummy networks' readers see bytes where the unit writes 16 bits: an executor converts all of it.
  double reading_ms(const Unit& unit, const Processor& processor) const {
    double ms = 0;
    for (TensorId tensor : tensors_out_of(graph_, unit))
      if (const auto form = processor.writes(graph_, calib_, graph_.producer(tensor));
          form && form->type == DType::s16)
        ms += hand_over_ms(tensor, Form::s16, Form::u8);
    return ms;
  }

  Result<std::unique_ptr<Run>> dummy(const Unit& unit, const Processor& processor, int copies, int readers,
                                     std::list<DummyNet>& nets) {
    auto net = dummy_net(graph_, calib_, unit, shapes_, copies, readers);
    if (!net) return net.error();
    nets.push_back(*std::move(net));
    const DummyNet& made = nets.back();
    const int scale = std::max(1, made.height / options_.height);
    const ExecuteOptions execute{
        .height = made.height, .width = made.width, .band = band_of(&processor) * scale, .max = options_.max};
    return Run::prepare(made.graph, &made.calib, everywhere(made.graph, &processor), execute, DType::u8,
                        {1, 0}, threads_);
  }

  // In about `ms`; a few pairs at least.
  Result<Timing> unit_time(const Unit& unit, const Processor& processor, double ms) {
    const Stopwatch spent;
    PairOptions pairs{options_.least_pairs, options_.most_pairs, options_.half_width};
    Timing time;
    for (int copies = 1;;) {
      std::list<DummyNet> nets;
      auto without = dummy(unit, processor, 0, copies, nets);
      if (!without) return without.error();
      auto with = dummy(unit, processor, copies, copies, nets);
      if (!with) return with.error();
      double base_ms = 0;
      pairs.most_ms = std::max(0., ms - spent.ms());
      auto measured = time_difference(
          [&] {
            const Stopwatch watch;
            const Status status = (**without)();
            base_ms = watch.ms();
            return status;
          },
          [&] { return (**with)(); }, copies, pairs);
      if (!measured) return measured.error();
      time = *measured;
      // A thin unit shows with more copies rather than with more pairs; one that shows already does not.
      const int more = int(std::ceil(kShowing * base_ms / std::max(1e-6, time.ms)));
      if (time.half_width < options_.half_width * time.ms || copies > 1 || more < 2 || spent.ms() > ms) break;
      copies = std::min(kMostCopies, more);
    }
    time.ms = std::max(0., time.ms - reading_ms(unit, processor));
    return time;
  }

  double in_place_ms(const Unit& unit, const Processor& processor) const {
    double ms = 0;
    for (const Uniform& uniform : uniforms_)
      if (uniform.processor == &processor)
        for (int node : unit.nodes) ms += uniform.node_ms[size_t(node)];
    return ms;
  }

  // Each signature once; what time is left is shared by those to come.
  Status unit_times() {
    struct Work {
      size_t unit;
      const Processor* processor;
      std::string key;
    };
    std::vector<Work> all;
    std::map<std::string, Timing> known;
    std::set<std::string> keys;
    for (size_t u = 0; u < units_.size(); ++u)
      for (const Processor* p : processors_) {
        if (!runs(*p, units_[u])) continue;
        auto signature = signature_of(graph_, calib_, units_[u], shapes_, *p);
        if (!signature) return signature.error();
        all.push_back({u, p, fmt::format("{}\n{}", p->name(), *signature)});
        keys.insert(all.back().key);
      }
    const double end = options_.seconds * 1000 * (1 - kWholeShare);
    size_t done = 0;
    for (const Work& work : all) {
      progress(0.2 + 0.6 * double(done) / double(keys.size()));
      Timing& time = profile_.units[work.unit].on[std::string(work.processor->name())];
      if (const auto found = known.find(work.key); found != known.end()) {
        time = found->second;
        ++report_.reused;
        continue;
      }
      const double left = (end - watch_.ms()) / double(keys.size() - done);
      ++done;
      if (left > 0) {
        if (const auto measured = unit_time(units_[work.unit], *work.processor, left)) {
          known[work.key] = time = *measured;
          ++report_.measured;
          continue;
        }
      }
      known[work.key] = time = {in_place_ms(units_[work.unit], *work.processor), 0, 1};
      ++report_.in_place;
    }
    return {};
  }

  // Hand-overs of the whole network on one processor: to and from the host, and between its own forms.
  double hand_overs_on(const Processor& processor) const {
    double ms = 0;
    for (TensorId tensor = 0; tensor < TensorId(graph_.tensors.size()); ++tensor) {
      const int writer = graph_.producer(tensor);
      const auto form = writer == kNone ? Result<Stored>(Stored{}) : processor.writes(graph_, calib_, writer);
      if (!form) continue;
      const Form from = writer == kNone ? Form::host : form_of(form->type);
      std::set<Form> wanted;
      for (int reader : graph_.consumers(tensor)) {
        const auto& inputs = graph_.nodes[size_t(reader)].inputs;
        for (size_t i = 0; i < inputs.size(); ++i)
          if (inputs[i] == tensor)
            if (const auto read = processor.reads(graph_, calib_, reader, int(i)))
              wanted.insert(form_of(read->type));
      }
      if (graph_.is_output(tensor)) wanted.insert(Form::host);
      for (const Form to : wanted) ms += hand_over_ms(tensor, from, to);
    }
    return ms;
  }

  // Holds the sums against the whole networks, and stretches units to fit them.
  void add_up() {
    for (const Uniform& uniform : uniforms_) {
      const std::string processor(uniform.processor->name());
      const auto whole = profile_.whole.find(processor);
      if (whole == profile_.whole.end()) continue;
      double units = 0;
      for (const UnitTimes& unit : profile_.units) units += unit.on.at(processor).ms;
      const double hands = hand_overs_on(*uniform.processor);
      Additivity row{processor, whole->second.ms, units + hands, {}};
      for (const Unit& unit : units_) row.in_place_ms.push_back(in_place_ms(unit, *uniform.processor));
      report_.additivity.push_back(std::move(row));
      if (units <= 0 || whole->second.ms <= hands) continue;
      const double factor = profile_.chain[processor] = (whole->second.ms - hands) / units;
      for (UnitTimes& unit : profile_.units) {
        Timing& time = unit.on.at(processor);
        time.ms *= factor;
        time.half_width *= factor;
      }
    }
  }

  const Graph& graph_;
  const Calib* calib_;
  std::span<const Processor* const> processors_;
  const MeasureOptions& options_;
  ThreadPool& threads_;
  const std::function<void(double)>& progress_;
  std::vector<Unit> units_;
  std::vector<Shape> shapes_;
  std::vector<Uniform> uniforms_;
  Profile profile_;
  MeasureReport report_;
  double whole_ms_ = 0;  // of the last round of whole networks
  Stopwatch watch_;
};

}  // namespace

Result<Profile> measure_profile(const Graph& graph, const Calib* calib,
                                std::span<const Processor* const> processors, const MeasureOptions& options,
                                ThreadPool& threads, const std::function<void(double)>& progress,
                                MeasureReport* report) {
  if (graph.nodes.empty() || graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input("only networks with one input and one output can be profiled");
  if (processors.empty()) return usage_error("there are no processors to profile");
  return Measurement(graph, calib, processors, options, threads, progress).run(report);
}

}  // namespace fye

#include "processors/null.h"

#include "processors/segment_maps.h"

namespace fye {
namespace {

class NullSegment final : public Runnable {
 public:
  explicit NullSegment(Segment segment) : segment_(std::move(segment)) {}

  std::vector<Region> input_regions(std::span<const Region> outputs) const override {
    const auto demand = propagate(*segment_.graph, segment_.nodes, {}, segment_.outputs, outputs, segment_.shapes);
    std::vector<Region> regions;
    for (TensorId input : segment_.inputs) regions.push_back(demand[size_t(input)]);
    return regions;
  }
  std::vector<int> input_margins() const override { return std::vector<int>(segment_.inputs.size(), 0); }
  size_t scratch_bytes(std::span<const Region>) const override { return 0; }
  void run(std::span<const Map>, std::span<const Map>, std::byte*, ThreadPool&, const Observer*) const override {}
  std::vector<std::string> explain() const override {
    std::vector<std::string> lines;
    for (int node : segment_.nodes) lines.push_back(segment_.graph->nodes[size_t(node)].name + " null");
    return lines;
  }

 private:
  Segment segment_;
};

class Null final : public Processor {
 public:
  std::string_view name() const override { return "null"; }
  Numbers numbers() const override { return Numbers::f32; }
  Result<Stored> writes(const Graph&, const Calib*, int) const override { return Stored{}; }
  Result<Stored> reads(const Graph&, const Calib*, int, int) const override { return Stored{}; }
  std::string supports(const Graph&, const Node&) const override { return {}; }
  Result<std::unique_ptr<Runnable>> prepare(const Segment& segment) const override {
    return std::unique_ptr<Runnable>(std::make_unique<NullSegment>(segment));
  }
};

}  // namespace

std::unique_ptr<Processor> make_null() { return std::make_unique<Null>(); }

}  // namespace fye

#include "processors/pinned.h"

#include <fmt/format.h>

namespace fye {
namespace {

class Pinned final : public Processor {
 public:
  Pinned(const Processor& base, int core)
      : base_(base), core_(core), name_(fmt::format("{}@core{}", base.name(), core)) {}

  std::string_view name() const override { return name_; }
  Numbers numbers() const override { return base_.numbers(); }
  int core() const override { return core_; }
  Result<Stored> writes(const Graph& graph, const Calib* calib, int node) const override {
    return base_.writes(graph, calib, node);
  }
  Result<Stored> reads(const Graph& graph, const Calib* calib, int node, int slot) const override {
    return base_.reads(graph, calib, node, slot);
  }
  std::string supports(const Graph& graph, const Node& node) const override {
    return base_.supports(graph, node);
  }
  Result<std::unique_ptr<Runnable>> prepare(const Segment& segment) const override {
    return base_.prepare(segment);
  }

 private:
  const Processor& base_;
  int core_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Processor> make_pinned(const Processor& base, int core) {
  return std::make_unique<Pinned>(base, core);
}

}  // namespace fye

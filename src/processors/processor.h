// Processors: something that executes a segment - a run of nodes - in one number format (design.md, section
// 2).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/kernel.h"
#include "kernels/map.h"
#include "kernels/node_kernel.h"

namespace fye {

// Some nodes of a graph that run on one processor, with what crosses its edge. `shapes` are all tensors'
// shapes at the size to be run. Graph and calib outlive the Runnable made from it.
struct Segment {
  const Graph* graph = nullptr;
  const Calib* calib = nullptr;  // may be null where no node is int8
  std::vector<int> nodes;        // ascending
  std::vector<TensorId> inputs, outputs;
  std::vector<Shape> shapes;
};

// Sees every map that a run writes, right after it is complete (calibration, traces). `node` is an index into
// Graph::nodes.
using Observer = std::function<void(int node, const Map& out)>;

// How a tensor is stored: the type, and for whole numbers what they mean.
struct Stored {
  DType type = DType::f32;
  Quant quant;
  bool operator==(const Stored&) const = default;
};

// One node of a segment that goes row by row, and how its output is stored.
struct NodeKernel {
  int node;
  const Kernel* kernel;
  Format format;
};

// A prepared segment: kernels chosen, weights packed. Immutable; run() is for one caller at a time per
// scratch memory.
class Runnable {
 public:
  virtual ~Runnable() = default;

  // What each input must cover so that each output covers `outputs`; and the margin each input map needs.
  virtual std::vector<Region> input_regions(std::span<const Region> outputs) const = 0;
  virtual std::vector<int> input_margins() const = 0;

  // Bytes that run() needs besides its inputs and outputs.
  virtual size_t scratch_bytes(std::span<const Region> outputs) const = 0;

  // Computes every output's region. Input maps cover input_regions(), margins filled. `scratch` is 64-byte
  // aligned.
  virtual void run(std::span<const Map> in, std::span<const Map> out, std::byte* scratch, ThreadPool& threads,
                   const Observer* observer) const = 0;

  // Its kernels in order, one a node, for executors that go over the rows themselves (execute/bands.h).
  // Empty: it runs whole.
  virtual std::vector<NodeKernel> kernels() const { return {}; }

  // One line a node: which kernel runs it.
  virtual std::vector<std::string> explain() const = 0;
};

class Processor {
 public:
  virtual ~Processor() = default;
  virtual std::string_view name() const = 0;  // "cpu.f32"
  virtual Numbers numbers() const = 0;

  // The core it stays on, as a place in usable_cores() (base/crew.h); -1: all threads of whoever runs it.
  virtual int core() const { return -1; }

  // How node `node` stores its output here. Errors: a tensor that calib lacks.
  virtual Result<Stored> writes(const Graph& graph, const Calib* calib, int node) const = 0;

  // How node `node` wants its input `slot`. Where that is not how the tensor is stored, an executor converts
  // it first (execute/parts.h).
  virtual Result<Stored> reads(const Graph& graph, const Calib* calib, int node, int slot) const = 0;

  // Empty if it can run the node, else why not.
  virtual std::string supports(const Graph& graph, const Node& node) const = 0;

  virtual Result<std::unique_ptr<Runnable>> prepare(const Segment& segment) const = 0;
};

// The processors of this machine under the limit `max`: cpu.f32, cpu.int8, cpu.int8r16, cpu.bf16 where there
// is bf16 hardware, null (which computes nothing, for measuring what the rest costs; last). Valid for the
// life of the process.
std::span<const Processor* const> processors(Isa max);

// By name. "@coreN" behind the name of one that has kernels is that processor on one core, the N-th that this
// process may use (processors/pinned.h). The error lists those there are.
Result<const Processor*> find_processor(std::string_view name, Isa max);

}  // namespace fye

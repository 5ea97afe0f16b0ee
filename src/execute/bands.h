// Bands: a network runs over a few rows at a time, depth first, so that maps in between are as high as a band
// and what the next kernel still needs of the band before.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/isa.h"
#include "base/threads.h"
#include "execute/parts.h"

namespace fye {

// What one pass of a run reads of the input and writes of the output: rows [in_from, in_to) and [out_from,
// out_to). From pass to pass none of the four goes back, and out_from is where the last pass ended.
struct PassRows {
  int in_from = 0, in_to = 0, out_from = 0, out_to = 0;
};

// Every map is a window of rows that moves down its feature map; no row of any map is computed twice, however
// far the network looks. Threads share the rows of each kernel. Immutable; one run at a time per memory.
class Bands {
 public:
  // Bands of at least `rows` input rows. Nothing where a segment runs whole or a node needs the whole
  // picture. `net` is kept by reference.
  static std::optional<Bands> plan(const Parts& net, int rows);

  // Bytes of memory that run() takes, and bands in a run.
  size_t bytes() const { return bytes_; }
  int count() const { return int(bands_.size()); }

  // The rows of band `index` in a run whose output is stored as `out` (only its type and quant count).
  PassRows rows(int index, const Map& out) const;

  // Band `index` of a run; those before it have run on the same memory with outputs of the same type and
  // quant. `in` and `out` hold at least its rows, `in` in an order and type of its own (Executor::run). An
  // observer sees each node with the rows that the band adds.
  void run_band(int index, const Map& in, const Map& out, std::byte* memory, ThreadPool& threads, Isa max,
                const Observer* observer, const StepDone* done = nullptr) const;

 private:
  // One stored map. `layout` is its window at full height.
  struct Slot {
    TensorId tensor;
    Format format;
    int margin = 0;
    Map layout;
    size_t offset = 0;
  };
  // A kernel, or a conversion where there is none.
  struct Step {
    int node = kNone;
    const Kernel* kernel = nullptr;
    std::vector<int> in;
    int out = kNone;
  };
  // Rows [base, done) are there before the band, [done, end) come with it; rows before base are given up.
  struct Window {
    int base = 0, done = 0, end = 0;
  };

  explicit Bands(const Parts& net) : net_(&net) {}
  bool add_steps();
  void schedule(int rows);
  int rows_to_make(const Step& step, const Window& made, int most, const std::vector<Window>& now) const;
  Region input_rows(const Step& step, size_t which, int y0, int y1) const;
  void run_step(const Step& step, const std::vector<Map>& maps, const Window& rows, ThreadPool& threads,
                Isa max) const;

  const Parts* net_;
  std::vector<Slot> slots_;  // the copies of net_, then maps inside segments, then the user's output
  std::vector<Step> steps_;
  std::vector<std::vector<Window>> bands_;  // by slot
  size_t bytes_ = 0;
};

}  // namespace fye

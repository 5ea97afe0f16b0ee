// Patches: a picture cut into squares that go through the network on their own, each on the processor that
// its difficulty picks (MobiSR: Lee et al., MobiCom 2019, arXiv 1908.07985; spec/baselines.md, section 1).
// The paper's patch size, overlap and scheduler are not known to us; what follows is our fill-in.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/map.h"
#include "processors/processor.h"

namespace fye {

// Who gets which patches. Patches are ordered by total variation, largest first; each processor takes its
// `part` of them, the first in the list the largest. If all but the last have `above`, it counts instead: a
// processor takes what varies more than that and was not taken before it, the last the rest.
struct PatchShare {
  const Processor* processor = nullptr;
  double part = 1;
  std::optional<double> above;  // grey levels, see total_variation()
};

// `size` input pixels a side are written of each patch; `halo` more on each side are read, mirrored at the
// picture's border.
struct PatchRule {
  int size = 40, halo = 8;
};

// Mean over the pixels of a region of |right neighbour - pixel| + |lower neighbour - pixel|, of luma (BT.601
// weights of red, green and blue; or the one channel there is), in grey levels: values times `to_levels`.
// Neighbours outside the region count for nothing. `map` is u8, u16 or f32, with 1 or 3 channels.
double total_variation(const Map& map, const Region& region, double to_levels);

// The picture's cores, row by row; those at the right and bottom edges may be smaller.
std::vector<Region> patch_cores(int height, int width, int size);

// Which share takes each patch. Parts are rounded so that they add up; ties go by place.
std::vector<int> deal_patches(std::span<const double> variation, std::span<const PatchShare> shares);

// Seams are the method's own: a patch sees `halo` pixels around it, whatever the network looks at.
class PatchExecutor {
 public:
  // Graph, calib and processors outlive it. `to_levels`: grey levels per unit of the network's input. Errors:
  // as Executor::prepare; a rule whose patches are no 8 to 4096 pixels or whose halo is no 0 to 256; parts
  // that are negative or don't add up to 1; a network that needs the whole picture.
  static Result<PatchExecutor> prepare(const Graph& graph, const Calib* calib,
                                       std::span<const PatchShare> shares, const PatchRule& rule,
                                       double to_levels, int height, int width, Isa max = active_isa());
  PatchExecutor(PatchExecutor&&) noexcept;
  ~PatchExecutor();

  int out_height() const;
  int out_width() const;
  int out_channels() const;
  size_t arena_bytes() const;

  // Processors on cores of their own work side by side, one queue each; those on all threads one after the
  // other.
  Status run(const Map& in, const Map& out, ThreadPool& threads);

  // How many patches each share took in the last run.
  const std::vector<int>& counts() const;

  // For planners: what a share's engine takes for one patch, so that it can be timed. `in` is one patch of
  // size + 2 halo pixels a side, `out` its output.
  Status run_one(int share, const Map& in, const Map& out, ThreadPool& threads);

 private:
  struct State;
  explicit PatchExecutor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fye

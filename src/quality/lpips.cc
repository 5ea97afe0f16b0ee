#include "quality/lpips.h"

#include <memory>
#include <mutex>

#include "quality/lpips_network.h"

namespace fye {
namespace {

// The installed network, read once; what failed is tried again, so that an installation is seen.
Result<LpipsNetwork*> installed_network() {
  static std::mutex mutex;
  static std::unique_ptr<LpipsNetwork> network;
  const std::lock_guard lock(mutex);
  if (!network) {
    const auto weights = installed_lpips_weights();
    if (!weights) return weights.error();
    network = std::make_unique<LpipsNetwork>(*weights);
  }
  return network.get();
}

}  // namespace

Result<Score> lpips_alex(const Picture& a, const Picture& b, int shave) {
  const auto network = installed_network();
  if (!network) return network.error();
  return (*network)->distance(a, b, shave);
}

}  // namespace fye

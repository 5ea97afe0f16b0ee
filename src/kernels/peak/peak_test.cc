#include "kernels/peak/peak.h"

#include <gtest/gtest.h>

#include "kernels/peak/loops.h"

namespace fye {
namespace {

TEST(Peak, WiderIsNotSlowerThanScalar) {
  const Peaks scalar = measure_peaks(Isa::scalar), all = measure_peaks(widest_isa());
  ASSERT_EQ(scalar.compute.size(), 1u);
  EXPECT_GT(scalar.best(Numbers::f32), 0);
  EXPECT_EQ(scalar.best(Numbers::int8), 0);
  EXPECT_GT(scalar.copy_gb_per_second, 0);
  EXPECT_GE(all.compute.size(), scalar.compute.size());
  if (machine_has(Isa::avx2)) {
    EXPECT_GT(all.best(Numbers::f32), scalar.best(Numbers::f32));
  }
  for (const Peak& peak : all.compute) {
    EXPECT_TRUE(machine_has(peak.isa)) << peak.name;
    // One core: no sequence is known above 10 TMAC/s, and none folded away by the compiler may pass.
    EXPECT_GT(peak.gmacs, 0.1) << peak.name;
    EXPECT_LT(peak.gmacs, 10000) << peak.name;
    RecordProperty(std::string(peak.name), std::to_string(peak.gmacs));
  }
}

TEST(Peak, LoopsCountTheirWork) {
  EXPECT_EQ(peak_f32_scalar(10), 120);
  if (!machine_has(Isa::portable)) GTEST_SKIP() << "this machine has no 128-bit vectors that fye uses";
  EXPECT_EQ(peak_f32_portable(10), 10 * 12 * 4);
  EXPECT_EQ(peak_int16_portable(10), 10 * 12 * 8);
#ifdef __x86_64__
  if (!machine_has(Isa::avx2)) GTEST_SKIP() << "this machine has no avx2";
  EXPECT_EQ(peak_f32_avx2(10), 10 * 12 * 8);
  EXPECT_EQ(peak_int8_maddubs_avx2(10), 10 * 12 * 32);
#endif
}

}  // namespace
}  // namespace fye

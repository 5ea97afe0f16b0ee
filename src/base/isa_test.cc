#include "base/isa.h"

#include <gtest/gtest.h>

namespace fye {
namespace {

TEST(Isa, NamesRoundTrip) {
  for (Isa isa : kAllIsas) EXPECT_EQ(isa_from(name(isa)), isa);
  EXPECT_EQ(isa_from("sse9"), std::nullopt);
}

TEST(Isa, WidestIsPresentAndActiveIsNotAboveIt) {
  EXPECT_TRUE(machine_has(Isa::scalar));
  EXPECT_TRUE(machine_has(widest_isa()));
  EXPECT_LE(active_isa(), widest_isa());
  EXPECT_TRUE(machine_has(active_isa()));
}

TEST(Isa, EveryVectorSetIncludesThePortableOne) {
  for (Isa isa : kAllIsas) {
    if (isa > Isa::portable && machine_has(isa)) {
      EXPECT_TRUE(machine_has(Isa::portable)) << name(isa);
    }
  }
}

TEST(Isa, LimitHolds) {
  EXPECT_TRUE(may_use(Isa::scalar, Isa::scalar));
  EXPECT_FALSE(may_use(Isa::amx, Isa::avx2));
}

}  // namespace
}  // namespace fye

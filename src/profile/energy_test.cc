#include "profile/energy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fye {
namespace {

namespace fs = std::filesystem;

class Energy : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void put(const std::string& file, const std::string& text) const {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text;
  }
  const fs::path folder_ = fs::temp_directory_path() / ("fye-energy-test-" + std::to_string(getpid()));
};

TEST_F(Energy, PackagesAreCountedOnceAndCountersWrap) {
  EXPECT_FALSE(EnergyMeter::open(folder_));
  EXPECT_FALSE(EnergyMeter::open(folder_ / "absent"));
  put("intel-rapl:0/energy_uj", "1000000");
  put("intel-rapl:0/max_energy_range_uj", "5000000");
  put("intel-rapl:0:0/energy_uj", "700");  // the cores inside it
  put("intel-rapl:0:0/max_energy_range_uj", "5000000");
  put("intel-rapl:1/energy_uj", "10");
  put("intel-rapl:1/max_energy_range_uj", "5000000");
  auto meter = EnergyMeter::open(folder_);
  ASSERT_TRUE(meter);
  EXPECT_EQ(meter->millijoules(), 0);
  put("intel-rapl:0/energy_uj", "3000000");
  put("intel-rapl:0:0/energy_uj", "900000");
  put("intel-rapl:1/energy_uj", "500010");
  EXPECT_DOUBLE_EQ(meter->millijoules(), 2500);
  put("intel-rapl:0/energy_uj", "1000000");  // wrapped: 2 J up to the range, 1 J from 0
  EXPECT_DOUBLE_EQ(meter->millijoules(), 3000);
}

TEST_F(Energy, WhatADeviceFileMaySay) {
  put("good.json", R"({"version": 1, "watts": {"cpu.f32": 12.5, "cpu.int8": 9}})");
  const auto watts = read_watts(folder_ / "good.json");
  ASSERT_TRUE(watts) << watts.error().text();
  EXPECT_EQ(watts->at("cpu.f32"), 12.5);
  for (const char* bad :
       {R"({"version": 1})", R"({"version": 2, "watts": {"a": 1}})", R"({"version": 1, "watts": {"a": -1}})",
        R"({"version": 1, "watts": {"a": "much"}})", R"({"version": 1, "watts": []})", "[]", "{"}) {
    put("bad.json", bad);
    const auto result = read_watts(folder_ / "bad.json");
    ASSERT_FALSE(result) << bad;
    EXPECT_NE(result.error().what.find("bad.json"), std::string::npos) << result.error().what;
  }
}

}  // namespace
}  // namespace fye

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "tests/models/pcie/platform.h"

namespace npuvp::tests {
namespace {

constexpr auto kEndpoint = Platform::kEndpoint;
constexpr uint64_t kTable = Platform::kBar0 + 0x8000;
constexpr uint64_t kPending = Platform::kBar0 + 0x9000;
constexpr uint32_t kControl = 0x92;  // MESSAGE_CONTROL of the MSI-X capability at 0x90
constexpr uint64_t kEnable = 0x8000;
constexpr uint64_t kFunctionMask = 0x4000;

class PcieMsix : public testing::Test {
 protected:
  PcieMsix() {
    platform.enumerate();
    for (unsigned vector = 0; vector < Platform::kVectors; ++vector) {
      platform.write_memory(kTable + 16 * vector, 4, 0xfee0'0000 + (vector << 12));
      platform.write_memory(kTable + 16 * vector + 4, 4, 0);
      platform.write_memory(kTable + 16 * vector + 8, 4, 0x40 + vector);
    }
  }
  void unmask(unsigned vector) { platform.write_memory(kTable + 16 * vector + 12, 4, 0); }
  void mask(unsigned vector) { platform.write_memory(kTable + 16 * vector + 12, 4, 1); }
  size_t interrupts() {
    sc_core::sc_start(10, sc_core::SC_US);
    return platform.host.interrupts.size();
  }

  Platform platform;
};

TEST_F(PcieMsix, SendsTheMessageOfTheVector) {
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  unmask(3);
  platform.endpoint.raise_vector(0, 3);
  EXPECT_TRUE(platform.host.interrupts.empty()) << "not before it has travelled";
  ASSERT_EQ(interrupts(), 1u);
  EXPECT_EQ(platform.host.interrupts[0].address, 0xfee0'3000u);
  EXPECT_EQ(platform.host.interrupts[0].data, 0x43u);
}

TEST_F(PcieMsix, LosesWhatIsRaisedWhileDisabled) {
  unmask(0);
  platform.endpoint.raise_vector(0, 0);
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  EXPECT_EQ(interrupts(), 0u);
  EXPECT_EQ(platform.read_memory(kPending, 8), 0u);
}

TEST_F(PcieMsix, KeepsAMaskedVectorPendingUntilUnmasked) {
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  platform.endpoint.raise_vector(0, 2);  // masked after reset
  platform.endpoint.raise_vector(0, 2);
  EXPECT_EQ(interrupts(), 0u);
  EXPECT_EQ(platform.read_memory(kPending, 8), 0x4u);
  unmask(2);
  EXPECT_EQ(platform.read_memory(kPending, 8), 0u);
  EXPECT_EQ(interrupts(), 1u) << "two conditions are one message";
  mask(2);
  unmask(2);
  EXPECT_EQ(interrupts(), 1u);
}

TEST_F(PcieMsix, FunctionMaskHoldsAllVectors) {
  platform.write_config(kEndpoint, kControl, 2, kEnable | kFunctionMask);
  unmask(0);
  unmask(7);
  platform.endpoint.raise_vector(0, 0);
  platform.endpoint.raise_vector(0, 7);
  EXPECT_EQ(interrupts(), 0u);
  EXPECT_EQ(platform.read_memory(kPending, 8), 0x81u);
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  EXPECT_EQ(interrupts(), 2u);
}

TEST_F(PcieMsix, WaitsForBusMasterEnable) {
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  unmask(1);
  platform.write_config(kEndpoint, 0x04, 2, 0x2);
  platform.endpoint.raise_vector(0, 1);
  EXPECT_EQ(interrupts(), 0u);
  platform.write_config(kEndpoint, 0x04, 2, 0x6);
  EXPECT_EQ(interrupts(), 1u);
}

TEST_F(PcieMsix, AVectorThatDoesNotExistIsMisuse) {
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  platform.endpoint.raise_vector(0, Platform::kVectors);
  EXPECT_EQ(interrupts(), 0u);
  EXPECT_EQ(platform.environment.diagnostics().misuse_count(), 1u);
}

TEST_F(PcieMsix, TableTakesAnyAccessAndKeepsReservedBits) {
  platform.write_memory(kTable + 16, 8, 0xffff'ffff'ffff'ffff);
  EXPECT_EQ(platform.read_memory(kTable + 16, 8), 0xffff'ffff'ffff'fffcu);
  platform.write_memory(kTable + 28, 4, 0xffff'ffff);
  EXPECT_EQ(platform.read_memory(kTable + 28, 4), 1u);
  platform.write_memory(kTable + 25, 1, 0x12);
  EXPECT_EQ(platform.read_memory(kTable + 24, 4), 0x1241u);
  platform.write_memory(kPending, 8, ~0ULL);
  EXPECT_EQ(platform.read_memory(kPending, 8), 0u) << "pending bits are read-only";
  EXPECT_EQ(platform.bar0.bytes[0x8010], 0) << "the card does not see the table";
  platform.write_memory(kTable + 0x80, 4, 0x77);
  EXPECT_EQ(platform.bar0.bytes[0x8080], 0x77) << "behind the table the card answers";
}

TEST_F(PcieMsix, ResetMasksAllVectors) {
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  unmask(0);
  platform.write_config(kEndpoint, 0x48, 2, 0x8000);
  platform.enumerate();
  EXPECT_EQ(platform.read_config(kEndpoint, kControl, 2), 7u);
  EXPECT_EQ(platform.read_memory(kTable + 12, 4), 1u);
  EXPECT_EQ(platform.read_memory(kTable, 8), 0u);
}

TEST_F(PcieMsix, FollowsTheWritesThatWereIssuedBefore) {
  platform.write_config(kEndpoint, kControl, 2, kEnable);
  unmask(0);
  std::vector<uint8_t> data(4096, 1);
  sc_core::sc_time arrived;
  for (unsigned burst = 0; burst < 16; ++burst) {
    sc_core::sc_time delay;
    platform.dma().write(FakeHost::kBase + 4096 * burst, data, delay);
    arrived = std::max(arrived, delay);
  }
  sc_core::sc_time later(1, sc_core::SC_MS);
  platform.dma().write(FakeHost::kBase, data, later);  // issued a millisecond after the interrupt
  arrived += sc_core::sc_time_stamp();
  platform.endpoint.raise_vector(0, 0);
  ASSERT_EQ(interrupts(), 1u);
  EXPECT_GE(platform.host.interrupts[0].at, arrived);
  EXPECT_LT(platform.host.interrupts[0].at, arrived + sc_core::sc_time(10, sc_core::SC_NS));
}

}  // namespace
}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
// Virtual functions of an endpoint behind a switch (PCI Express Base Specification chapter 9).
#include <gtest/gtest.h>

#include "tests/models/pcie/switched_platform.h"

namespace npuvp::tests {
namespace {

using P = SwitchedPlatform;

constexpr unsigned kVfs = 16;
constexpr uint64_t kVfBar0 = 0xe010'0000;  // the second half of endpoint 0's window
constexpr uint64_t kVfBar0Bytes = 64 << 10;
constexpr uint16_t kPf = P::endpoint_id(0);

class PcieSriov : public testing::Test {
 protected:
  PcieSriov() : platform({.endpoints = 2, .virtual_functions = kVfs}) {
    platform.enumerate();
    sriov = platform.extended(kPf, 0x0010);
  }

  static constexpr uint16_t vf(unsigned number) { return static_cast<uint16_t>(kPf + number); }

  void enable(unsigned count) {
    platform.write_config(P::port(0), 0x68, 2, 0x20);  // ARI forwarding
    platform.write_config(kPf, sriov + 0x10, 2, count);
    platform.write_config(kPf, sriov + 0x24, 4, kVfBar0);
    platform.write_config(kPf, sriov + 0x08, 2, 0x19);  // enable, memory space, ARI
  }
  void disable() { platform.write_config(kPf, sriov + 0x08, 2, 0); }

  tlm::tlm_response_status dma_write(unsigned function, uint8_t value) {
    sc_core::sc_time delay;
    platform.dma(0).sideband().function = static_cast<uint16_t>(function);
    const std::array<uint8_t, 1> data{value};
    return platform.dma(0).write(FakeHost::kBase + function, data, delay);
  }

  P platform;
  uint32_t sriov = 0;
};

TEST_F(PcieSriov, DescribesItsFunctions) {
  ASSERT_NE(sriov, 0u);
  EXPECT_EQ(platform.read_config(kPf, sriov + 0x0c, 4), kVfs << 16 | kVfs) << "initial and total VFs";
  EXPECT_EQ(platform.read_config(kPf, sriov + 0x14, 4), 1u << 16 | 1u) << "first offset and stride";
  EXPECT_EQ(platform.read_config(kPf, sriov + 0x1a, 2), 0x1221u);
  EXPECT_NE(platform.extended(kPf, 0x000e), 0u) << "ARI";
}

TEST_F(PcieSriov, FunctionsComeAndGo) {
  EXPECT_EQ(platform.read_config(vf(1), 0x08, 4), 0xffff'ffffu);
  enable(16);
  for (unsigned number = 1; number <= kVfs; ++number) {
    EXPECT_EQ(platform.read_config(vf(number), 0x00, 4), 0xffff'ffffu) << "a VF has the PF's ids";
    EXPECT_EQ(platform.read_config(vf(number), 0x08, 4), 0x1200'0000u) << number;
  }
  EXPECT_EQ(platform.read_config(vf(17), 0x08, 4), 0xffff'ffffu);
  disable();
  EXPECT_EQ(platform.read_config(vf(1), 0x08, 4), 0xffff'ffffu);
  ASSERT_EQ(platform.resets[0].size(), kVfs) << "the card is told of each";
  for (unsigned number = 1; number <= kVfs; ++number) EXPECT_EQ(platform.resets[0][number - 1], number);
  enable(3);
  EXPECT_EQ(platform.read_config(vf(3), 0x08, 4), 0x1200'0000u);
  EXPECT_EQ(platform.read_config(vf(4), 0x08, 4), 0xffff'ffffu);
}

TEST_F(PcieSriov, FunctionsAbove7NeedAri) {
  enable(16);
  platform.write_config(P::port(0), 0x68, 2, 0);
  EXPECT_EQ(platform.read_config(vf(7), 0x08, 4), 0x1200'0000u);
  EXPECT_EQ(platform.read_config(vf(8), 0x08, 4), 0xffff'ffffu) << "that would be device 1";
}

TEST_F(PcieSriov, EachFunctionsBarReachesItsOwnRegisters) {
  enable(16);
  for (unsigned number = 1; number <= kVfs; ++number) {
    const uint64_t base = kVfBar0 + (number - 1) * kVfBar0Bytes;
    platform.write_memory(base + 0x40, 0x100 + number);
    EXPECT_EQ(platform.endpoints[0]->bar0.sideband().function, number);
    EXPECT_EQ(platform.memories[0]->bytes[0x40], number) << "the offset is relative to its own BAR";
  }
  platform.write_config(kPf, sriov + 0x08, 2, 0x11);
  EXPECT_EQ(platform.read_memory(kVfBar0 + 0x40), 0xffff'ffffu) << "VF memory space is off";
  platform.write_memory(P::bar0(0) + 0x40, 7);
  EXPECT_EQ(platform.endpoints[0]->bar0.sideband().function, 0u);
}

TEST_F(PcieSriov, EachFunctionMastersInItsOwnName) {
  enable(2);
  EXPECT_EQ(dma_write(1, 5), tlm::TLM_GENERIC_ERROR_RESPONSE) << "its own bus master enable is off";
  platform.write_config(vf(1), 0x04, 2, 0x4);
  EXPECT_EQ(dma_write(1, 5), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(platform.host.memory[1], 5);
  EXPECT_EQ(dma_write(2, 6), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(dma_write(3, 6), tlm::TLM_GENERIC_ERROR_RESPONSE) << "not enabled";
  EXPECT_EQ(dma_write(0, 7), tlm::TLM_OK_RESPONSE);
  platform.write_config(kPf, 0x04, 2, 0x2);
  EXPECT_EQ(dma_write(1, 8), tlm::TLM_OK_RESPONSE) << "independent of the PF's";
}

TEST_F(PcieSriov, EachFunctionHasItsOwnInterrupts) {
  enable(2);
  platform.write_config(vf(2), 0x04, 2, 0x4);
  platform.write_config(vf(2), 0x92, 2, 0x8000);
  const uint64_t table = kVfBar0 + kVfBar0Bytes + 0x8000;
  platform.write_memory(table + 16, 0xfee0'0000);
  platform.write_memory(table + 24, 0x42);
  platform.write_memory(table + 28, 0);
  platform.endpoints[0]->raise_vector(2, 1);
  platform.endpoints[0]->raise_vector(1, 1);  // MSI-X of VF 1 is off
  sc_core::sc_start(10, sc_core::SC_US);
  ASSERT_EQ(platform.host.interrupts.size(), 1u);
  EXPECT_EQ(platform.host.interrupts[0].data, 0x42u);
  platform.endpoints[0]->raise_vector(2, 4);
  EXPECT_EQ(platform.environment.diagnostics().misuse_count(), 1u) << "a VF has four vectors";
}

TEST_F(PcieSriov, FunctionLevelResetOfOneLeavesTheOthers) {
  enable(3);
  for (unsigned number = 1; number <= 3; ++number) platform.write_config(vf(number), 0x04, 2, 0x4);
  platform.write_config(vf(2), 0x48, 2, 0x8000);
  EXPECT_EQ(platform.resets[0], std::vector<unsigned>{2});
  EXPECT_EQ(platform.read_config(vf(1), 0x04, 2), 0x4u);
  EXPECT_EQ(platform.read_config(vf(2), 0x04, 2), 0x0u);
  platform.write_config(kPf, 0x48, 2, 0x8000);
  EXPECT_EQ(platform.resets[0].back(), 0u);
  EXPECT_EQ(platform.read_config(vf(1), 0x08, 4), 0xffff'ffffu) << "the PF's reset ends its VFs";
  EXPECT_EQ(dma_write(1, 1), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_F(PcieSriov, ErrorsOfAFunctionAreItsOwn) {
  platform.enable_errors();
  enable(2);
  platform.write_config(vf(1), 0x04, 2, 0x4);
  platform.memories[0]->fail_from = 0x1000;
  platform.write_memory(kVfBar0 + 0x2000, 1);
  const uint32_t aer = platform.extended(vf(1), 0x0001);
  EXPECT_EQ(platform.read_config(vf(1), aer + 4, 4), 1u << 20);
  EXPECT_EQ(platform.read_config(kPf, platform.aer(kPf) + 4, 4), 0u);
  EXPECT_EQ(platform.read_config(P::kRootPort, platform.aer(P::kRootPort) + 0x34, 4) >> 16, vf(1));
}

}  // namespace
}  // namespace npuvp::tests

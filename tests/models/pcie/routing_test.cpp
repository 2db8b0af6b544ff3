// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "tests/models/pcie/platform.h"

namespace npuvp::tests {
namespace {

constexpr auto kPort = Platform::kPort;
constexpr auto kEndpoint = Platform::kEndpoint;
constexpr auto kBar0 = Platform::kBar0;
constexpr auto kBar2 = Platform::kBar2;

tlm::tlm_response_status dma_write(Platform& platform, uint64_t address) {
  const std::array<uint8_t, 8> data{1, 2, 3, 4, 5, 6, 7, 8};
  sc_core::sc_time delay;
  return platform.dma().write(address, data, delay);
}

tlm::tlm_response_status dma_read(Platform& platform, uint64_t address) {
  std::array<uint8_t, 8> data{};
  sc_core::sc_time delay;
  return platform.dma().read(address, data, delay);
}

TEST(PcieRouting, ForwardsConfigurationByBusNumber) {
  Platform platform;
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0xffff'ffffu) << "bus 1 has no number yet";
  platform.write_config(kPort, 0x18, 3, 0x02'01'00);
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0x1220'1effu);
  EXPECT_EQ(platform.read_config(kEndpoint | 1, 0, 4), 0xffff'ffffu) << "no function 1";
  EXPECT_EQ(platform.read_config(kEndpoint | 1 << 3, 0, 4), 0xffff'ffffu) << "no device 1";
  EXPECT_EQ(platform.read_config(0x0200, 0, 4), 0xffff'ffffu) << "an endpoint has no bus below it";
  EXPECT_EQ(platform.read_config(0x0300, 0, 4), 0xffff'ffffu) << "beyond the subordinate bus";
  EXPECT_EQ(platform.read_config(0x0008, 0, 4), 0xffff'ffffu) << "no second root port";

  platform.write_config(kPort, 0x18, 3, 0x08'07'00);
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0xffff'ffffu);
  platform.write_config(0x0700, 0x3c, 1, 1);
  EXPECT_EQ(platform.read_config(0x0700, 0, 4), 0x1220'1effu);
  EXPECT_EQ(platform.endpoint.physical_function().routing_id(), 0x0700) << "learned from the configuration write";
}

TEST(PcieRouting, ForwardsMemoryByWindowAndBar) {
  Platform platform;
  platform.enumerate();
  platform.write_memory(kBar0 + 0x10, 4, 0x1234'5678);
  EXPECT_EQ(platform.bar0.bytes[0x10], 0x78);
  EXPECT_EQ(platform.read_memory(kBar0 + 0x10, 4), 0x1234'5678u);
  platform.write_memory(kBar2 + 0x20, 8, 0x1122'3344'5566'7788);
  EXPECT_EQ(platform.read_memory(kBar2 + 0x20, 8), 0x1122'3344'5566'7788u);
  EXPECT_EQ(platform.bar2.bytes[0x27], 0x11);
}

TEST(PcieRouting, AnswersWithAllOnesWhereNobodyIs) {
  Platform platform;
  platform.enumerate();
  platform.bar0.bytes.assign(0x10000, 0x55);
  EXPECT_EQ(platform.read_memory(kBar0, 4), 0x5555'5555u);
  EXPECT_EQ(platform.read_memory(0x1000, 4), 0xffff'ffffu) << "no window";
  EXPECT_EQ(platform.read_memory(kBar0 + 0x10000, 4), 0xffff'ffffu) << "in the window, not in a BAR";
  EXPECT_EQ(platform.read_memory(kBar0 + 0xfffc, 8), 0xffff'ffff'5555'5555u) << "the part over the BAR's end";
  EXPECT_EQ(platform.read_config(kEndpoint, 0x4a, 2) & 0x8, 0x8u) << "unsupported request detected";
  platform.bar0.fail_from = 0x100;
  EXPECT_EQ(platform.read_memory(kBar0 + 0x100, 4), 0xffff'ffffu) << "the card does not answer";
}

TEST(PcieRouting, WindowsHaveInclusiveLimits) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kEndpoint, 0x10, 4, 0xe01f'0000);
  EXPECT_EQ(platform.read_memory(0xe01f'0000, 4), 0xffff'ffffu);
  platform.write_config(kPort, 0x22, 2, 0xe010);
  EXPECT_EQ(platform.read_memory(0xe01f'0000, 4), 0u) << "the last MiB of the window belongs to it";
  platform.write_config(kPort, 0x20, 2, 0xe020);
  EXPECT_EQ(platform.read_memory(0xe01f'0000, 4), 0xffff'ffffu) << "a base above the limit closes the window";
}

TEST(PcieRouting, HonoursMemoryEnableOfBridgeAndFunction) {
  for (const auto id : {kPort, kEndpoint}) {
    static Platform platform;  // one elaboration a process
    platform.enumerate();
    EXPECT_EQ(platform.read_memory(kBar0, 4), 0u);
    platform.write_config(id, 0x04, 2, 0x4);
    EXPECT_EQ(platform.read_memory(kBar0, 4), 0xffff'ffffu);
  }
}

TEST(PcieRouting, HonoursBusMasterEnableOfBridgeAndFunction) {
  Platform platform;
  platform.enumerate();
  EXPECT_EQ(dma_write(platform, FakeHost::kBase + 0x100), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(platform.host.memory[0x107], 8);
  platform.write_config(kEndpoint, 0x04, 2, 0x2);
  EXPECT_EQ(dma_write(platform, FakeHost::kBase + 0x200), tlm::TLM_GENERIC_ERROR_RESPONSE);
  platform.write_config(kEndpoint, 0x04, 2, 0x6);
  platform.write_config(kPort, 0x04, 2, 0x2);
  EXPECT_EQ(dma_write(platform, FakeHost::kBase + 0x200), tlm::TLM_OK_RESPONSE) << "posted: the card never learns";
  EXPECT_EQ(platform.host.memory[0x200], 0);
  EXPECT_EQ(dma_read(platform, FakeHost::kBase + 0x200), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(platform.read_config(kPort, 0x4a, 2) & 0x8, 0x8u) << "the port detected an unsupported request";
}

TEST(PcieRouting, ReportsDmaThatMissesHostMemory) {
  Platform platform;
  platform.enumerate();
  EXPECT_EQ(dma_read(platform, 0x1000), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(dma_read(platform, FakeHost::kBase + platform.host.memory.size() - 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(platform.read_config(kPort, 0x4a, 2) & 0xf, 0x9u) << "answered with an error completion: correctable";
  platform.write_config(kPort, 0x4a, 2, 0xf);
  EXPECT_EQ(dma_write(platform, 0x1000), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(platform.read_config(kPort, 0x4a, 2) & 0xf, 0xau) << "a posted write: non-fatal";
}

TEST(PcieRouting, DmaMayCrossPages) {
  Platform platform;
  platform.enumerate();
  std::vector<uint8_t> data(4096);
  for (size_t index = 0; index < data.size(); ++index) data[index] = static_cast<uint8_t>(index * 7);
  sc_core::sc_time delay;
  EXPECT_EQ(platform.dma().write(FakeHost::kBase + 0x801, data, delay), tlm::TLM_OK_RESPONSE);
  std::vector<uint8_t> back(4096);
  EXPECT_EQ(platform.dma().read(FakeHost::kBase + 0x801, back, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(back, data);
}

TEST(PcieRouting, D3HotAnswersConfigurationOnly) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kEndpoint, 0x84, 2, 3);
  EXPECT_EQ(platform.read_memory(kBar0, 4), 0xffff'ffffu);
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0x1220'1effu);
  platform.write_config(kEndpoint, 0x84, 2, 0);
  EXPECT_EQ(platform.read_memory(kBar0, 4), 0u);
}

TEST(PcieRouting, SecondaryBusResetResetsTheFunction) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kPort, 0x3e, 2, 0x40);
  EXPECT_EQ(platform.resets, 1);
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0xffff'ffffu) << "held in reset";
  platform.write_config(kPort, 0x3e, 2, 0x40);
  EXPECT_EQ(platform.resets, 1) << "once an edge";
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0x2000, 0u) << "the link is down";
  platform.write_config(kPort, 0x3e, 2, 0);
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x10, 4), 0x4u) << "BAR is cleared";
  EXPECT_EQ(platform.read_config(kEndpoint, 0x04, 2), 0u);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x52, 2) & 0x3ff, 0x105u) << "the link is back";
  EXPECT_EQ(platform.read_config(kPort, 0x19, 1), 1u) << "the bridge keeps its own state";
}

TEST(PcieRouting, FunctionLevelResetResetsTheFunction) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kEndpoint, 0x48, 2, 0x8000);
  EXPECT_EQ(platform.resets, 1);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x48, 2), 0x2910u) << "reads as 0, the rest as after reset";
  EXPECT_EQ(platform.read_config(kEndpoint, 0x04, 2), 0u);
}

TEST(PcieRouting, ALinkThatIsDisabledIsDown) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kPort, 0x50, 2, 0x10);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0x2000, 0u);
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0xffff'ffffu);
  EXPECT_EQ(platform.resets, 1);
  platform.write_config(kPort, 0x50, 2, 0);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0x2800, 0x800u) << "it trains";
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_EQ(platform.read_config(kEndpoint, 0, 4), 0x1220'1effu);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0x2bff, 0x2105u);
}

TEST(PcieRouting, RetrainingTakesTheTargetSpeed) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kPort, 0x70, 2, 4);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0xf, 5u) << "not before it is trained";
  platform.write_config(kPort, 0x50, 2, 0x20);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0x2800, 0x2800u) << "in training, and still up";
  sc_core::sc_start(20, sc_core::SC_US);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0xf, 4u);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x52, 2) & 0xf, 4u);
  EXPECT_NEAR(platform.link.bytes_per_second(), 31.5e9, 0.05e9);
}

}  // namespace
}  // namespace npuvp::tests

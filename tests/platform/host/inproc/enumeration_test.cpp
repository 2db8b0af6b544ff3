// SPDX-License-Identifier: Apache-2.0
// The in-process host sets up whole servers as a kernel would. Registers by their numbers in the PCI Express Base
// Specification.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "firmware/abi/memory_map.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/test_server.h"

namespace npuvp::host {
namespace {

using tests::TestServer;

constexpr uint8_t kExpress = 0x10;

uint16_t at(unsigned base, unsigned offset) {
  return static_cast<uint16_t>(base + offset);
}

/// Bytes of maximum payload in DEVICE_CONTROL.
uint32_t payload(InprocHost& host, uint16_t bdf) {
  const auto express = host.find_capability(bdf, kExpress);
  return 128U << (host.config_read(bdf, at(express, 8), 2) >> 5 & 7);
}

const PciBridge* bridge_above(const InprocHost& host, uint16_t bdf) {
  const auto& bridges = host.bridges();
  const auto found =
      std::find_if(bridges.begin(), bridges.end(), [bdf](const PciBridge& each) { return each.secondary == bdf >> 8; });
  return found == bridges.end() ? nullptr : &*found;
}

TEST(Enumeration, FindsSixteenCardsThroughTwoLevelsOfSwitches) {
  TestServer run("server-16", [](TestServer& self) {
    // Depth first: bus 1 the link, 2 inside the switch, 3 to 6 its cards, 7 the second switch's link, 8 inside, 9
    // to 12.
    const std::vector<uint16_t> expected{0x0300, 0x0400, 0x0500, 0x0600, 0x0900, 0x0a00, 0x0b00, 0x0c00,
                                         0x0f00, 0x1000, 0x1100, 0x1200, 0x1500, 0x1600, 0x1700, 0x1800};
    ASSERT_EQ(self.functions.size(), expected.size());
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (size_t card = 0; card < expected.size(); ++card) {
      const auto& function = self.functions[card];
      EXPECT_EQ(function.bdf, expected[card]);
      EXPECT_EQ(function.device_id, 0x1220);
      EXPECT_EQ(function.bar_bytes[0], 0x10000U);
      EXPECT_EQ(function.bar_bytes[2], 256U << 20);
      for (const unsigned bar : {0U, 2U}) ranges.emplace_back(function.bars[bar], function.bar_bytes[bar]);
      EXPECT_EQ(self.host.mmio_read32(function.bars[0]), 0x3055504eU) << card;  // ID: "NPU0"
    }
    std::sort(ranges.begin(), ranges.end());
    for (size_t each = 0; each < ranges.size(); ++each) {
      EXPECT_EQ(ranges[each].first % ranges[each].second, 0U);
      if (each == 0) continue;
      EXPECT_GE(ranges[each].first, ranges[each - 1].first + ranges[each - 1].second);
    }
    EXPECT_EQ(self.host.bridges().size(), 24U);  // 20 downstream ports, 4 upstream ports
    EXPECT_EQ(self.host.bridges().front().subordinate, 12U);
  });
}

TEST(Enumeration, PayloadIsThatOfThePortAbove) {
  TestServer run("server-4", [](TestServer& self) {
    // The host's firmware leaves 256 in the root port; everything is capable of more.
    for (const auto& bridge : self.host.bridges()) EXPECT_EQ(payload(self.host, bridge.bdf), 256U);
    for (const auto& function : self.functions) EXPECT_EQ(payload(self.host, function.bdf), 256U);
  });
}

TEST(Enumeration, ARootPortIsLoweredToItsCard) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "enumeration_payload";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "small.yaml") << "card: small\nlike: atom-ca22\npcie: {max_payload_bytes: 128}\n";
  std::ofstream(folder / "server.yaml") << "server: s\nroot_ports:\n  - card: ./small.yaml\n  - card: atom-ca22\n";
  TestServer run((folder / "server.yaml").string(), [](TestServer& self) {
    EXPECT_EQ(payload(self.host, 0x0000), 128U);
    EXPECT_EQ(payload(self.host, 0x0100), 128U);
    EXPECT_EQ(payload(self.host, 0x0008), 256U);
    EXPECT_EQ(payload(self.host, 0x0200), 256U);
  });
  std::filesystem::remove_all(folder);
}

TEST(Enumeration, EnablesErrorReportingOnTheWholeWay) {
  TestServer run("server-4", [](TestServer& self) {
    auto& host = self.host;
    for (const auto& bridge : host.bridges()) {
      EXPECT_EQ(host.config_read(bridge.bdf, at(host.find_capability(bridge.bdf, kExpress), 8), 2) & 0xf, 0xfU);
      EXPECT_EQ(host.config_read(bridge.bdf, 0x3e, 2) & 0x2, 0x2U);  // bridge control: SERR# enable
    }
    for (const auto& function : self.functions) {
      EXPECT_EQ(host.config_read(function.bdf, at(host.find_capability(function.bdf, kExpress), 8), 2) & 0xf, 0xfU);
    }
    const auto aer = host.find_extended_capability(0x0000, 0x0001);
    EXPECT_EQ(host.config_read(0x0000, at(aer, 0x2c), 4), 0x7U);  // root error command
  });
}

TEST(Enumeration, EveryCardBootsAndRunsAtTheSameTime) {
  TestServer run("server-4", [](TestServer& self) {
    const std::string firmware = TestServer::firmware();
    std::vector<std::unique_ptr<InprocDevice>> devices;
    for (const auto& function : self.functions) {
      devices.push_back(std::make_unique<InprocDevice>(
          self.host, function,
          std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size())));
    }
    ASSERT_EQ(devices.size(), 4U);
    for (const auto& device : devices) EXPECT_EQ(device->info().neural_engines, 8U);
  });
  EXPECT_EQ(run.environment.diagnostics().misuse_count(), 0U);
}

TEST(Enumeration, AnAtomMaxIsFourDevicesOfItsOwnId) {
  TestServer run("server-1-max", [](TestServer& self) {
    ASSERT_EQ(self.functions.size(), 4U);
    for (const auto& function : self.functions) {
      EXPECT_EQ(function.device_id, 0x1250);
      EXPECT_EQ(self.host.mmio_read32(function.bars[0]), 0x3055504eU);
    }
  });
}

TEST(Enumeration, VirtualFunctionsComeAndGoWithTheirOwnBarsAndVectors) {
  TestServer run("server-1-vf", [](TestServer& self) {
    auto& host = self.host;
    const auto& physical = self.functions.at(0);
    EXPECT_EQ(physical.total_vfs, 16U);
    EXPECT_EQ(physical.vf_bar_bytes[0], 0x10000U);
    EXPECT_EQ(physical.vf_bar_bytes[2], 16U << 20);
    EXPECT_EQ(host.config_read(at(physical.bdf, 1), 0, 2), 0xffffU);

    const auto functions = host.enable_virtual_functions(physical, 16);
    ASSERT_EQ(functions.size(), 16U);
    const auto* port = bridge_above(host, physical.bdf);
    ASSERT_NE(port, nullptr);
    const auto express = host.find_capability(port->bdf, kExpress);
    EXPECT_NE(host.config_read(port->bdf, at(express, 0x28), 2) & 0x20, 0U);  // ARI forwarding
    for (unsigned index = 0; index < 16; ++index) {
      const auto& function = functions[index];
      EXPECT_EQ(function.bdf, at(physical.bdf, 1 + index));
      // A virtual function's own vendor and device id read all ones (9.3.4.1.1).
      EXPECT_EQ(host.config_read(function.bdf, 0, 4), 0xffff'ffffU);
      EXPECT_EQ(function.bars[0], physical.vf_bars[0] + index * 0x10000U);
      EXPECT_EQ(function.bars[2], physical.vf_bars[2] + index * (16ULL << 20));
      EXPECT_GT(function.vectors, 0U);
      EXPECT_EQ(host.config_read(function.bdf, 4, 2) & 0x4, 0x4U);  // bus master
      // MSI-X table, entry 0: the vector that the host chose.
      EXPECT_EQ(host.mmio_read32(function.bars[0] + NPU_BAR0_MSIX_TABLE + 8), function.first_vector);
    }
    host.disable_virtual_functions(physical);
    EXPECT_EQ(host.config_read(functions[0].bdf, 4, 4), 0xffff'ffffU);
    EXPECT_EQ(host.mmio_read32(functions[3].bars[0] + NPU_BAR0_MSIX_TABLE), 0xffff'ffffU);
    // The physical function is as it was.
    EXPECT_EQ(host.mmio_read32(physical.bars[0]), 0x3055504eU);
    EXPECT_EQ(host.enable_virtual_functions(physical, 1).size(), 1U);
  });
}

TEST(Enumeration, AVirtualFunctionSwitchedOffLeavesTheOthersWindowsAlone) {
  TestServer run("server-16-vf", [](TestServer& self) {
    auto& host = self.host;
    const auto first = host.enable_virtual_functions(self.functions.at(0), 16);
    const auto last = host.enable_virtual_functions(self.functions.at(15), 16);
    EXPECT_EQ(host.mmio_read32(last[15].bars[0] + NPU_BAR0_MSIX_TABLE + 8), last[15].first_vector);
    host.disable_virtual_functions(self.functions.at(0));
    EXPECT_EQ(host.mmio_read32(first[0].bars[0] + NPU_BAR0_MSIX_TABLE), 0xffff'ffffU);
    EXPECT_EQ(host.mmio_read32(last[15].bars[0] + NPU_BAR0_MSIX_TABLE + 8), last[15].first_vector);
  });
}

}  // namespace
}  // namespace npuvp::host

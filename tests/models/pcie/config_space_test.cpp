// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "models/pcie/base_address_registers.h"
#include "tests/models/pcie/capability_table.h"
#include "tests/models/pcie/platform.h"

namespace npuvp::tests {
namespace {

constexpr auto kPort = Platform::kPort;
constexpr auto kEndpoint = Platform::kEndpoint;

/// Walks a list as system software does; id to offset. Fails on a loop or a pointer that is not a multiple of 4.
std::map<unsigned, unsigned> walk_capabilities(Platform& platform, uint16_t id) {
  std::map<unsigned, unsigned> found;
  unsigned at = platform.read_config(id, 0x34, 1);
  for (int steps = 0; at != 0 && steps < 48; ++steps) {
    EXPECT_EQ(at % 4, 0u);
    EXPECT_GE(at, 0x40u);
    const unsigned header = platform.read_config(id, at, 2);
    EXPECT_TRUE(found.emplace(header & 0xff, at).second) << "capability " << (header & 0xff) << " twice";
    at = header >> 8;
  }
  EXPECT_EQ(at, 0u);
  return found;
}

std::map<unsigned, unsigned> walk_extended_capabilities(Platform& platform, uint16_t id) {
  std::map<unsigned, unsigned> found;
  unsigned at = 0x100;
  for (int steps = 0; at != 0 && steps < 960; ++steps) {
    const uint32_t header = platform.read_config(id, at, 4);
    if (header == 0) break;
    found.emplace(header & 0xffff, at);
    at = header >> 20;
  }
  return found;
}

TEST(PcieConfigSpace, TellsWhatTheCardIs) {
  Platform platform;
  platform.enumerate();
  EXPECT_EQ(platform.read_config(kEndpoint, 0x00, 4), 0x1220'1effu);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x08, 4), 0x120000'00u);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x0e, 1), 0x00u);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x2c, 4), 0x1220'1effu);
  EXPECT_EQ(platform.read_config(kPort, 0x08, 4) >> 8, 0x060400u);
  EXPECT_EQ(platform.read_config(kPort, 0x0e, 1), 0x01u);
}

TEST(PcieConfigSpace, ChainsItsCapabilities) {
  Platform platform;
  platform.enumerate();
  const std::map<unsigned, unsigned> endpoint = walk_capabilities(platform, kEndpoint);
  EXPECT_EQ(endpoint.size(), 3u);
  EXPECT_TRUE(endpoint.contains(0x01) && endpoint.contains(0x10) && endpoint.contains(0x11));
  const auto port = walk_capabilities(platform, kPort);
  EXPECT_TRUE(port.contains(0x01) && port.contains(0x10) && port.contains(0x05));

  const auto extended = walk_extended_capabilities(platform, kEndpoint);
  ASSERT_TRUE(extended.contains(0x0003));
  EXPECT_EQ(platform.read_config(kEndpoint, extended.at(3) + 4, 4), 0x5566'7788u);
  EXPECT_EQ(platform.read_config(kEndpoint, extended.at(3) + 8, 4), 0x1122'3344u);
  std::set<unsigned> of_port;
  for (const auto& [id, offset] : walk_extended_capabilities(platform, kPort)) of_port.insert(id);
  // AER, ACS, Secondary PCI Express, DPC, Data Link Feature, Physical Layer 16.0 and 32.0 GT/s.
  EXPECT_EQ(of_port, (std::set<unsigned>{0x01, 0x0d, 0x19, 0x1d, 0x25, 0x26, 0x2a}));
}

TEST(PcieConfigSpace, ReportsTheLinkAsGen5x16) {
  Platform platform;
  platform.enumerate();
  for (const auto id : {kPort, kEndpoint}) {
    const unsigned express = walk_capabilities(platform, id).at(0x10);
    EXPECT_EQ(platform.read_config(id, express + 0x0c, 4) & 0x3ff, 0x105u) << "capability";
    EXPECT_EQ(platform.read_config(id, express + 0x12, 2) & 0x3ff, 0x105u) << "status";
    EXPECT_EQ(platform.read_config(id, express + 0x2c, 4) & 0xff, 0x3eu) << "supported speeds";
  }
}

TEST(PcieConfigSpace, SizesA64BitBarByWritingOnes) {
  Platform platform;
  platform.enumerate();
  for (const uint32_t offset : {0x10u, 0x14u, 0x18u, 0x1cu, 0x20u, 0x24u}) {
    platform.write_config(kEndpoint, offset, 4, 0xffff'ffff);
  }
  EXPECT_EQ(platform.read_config(kEndpoint, 0x10, 4), 0xffff'0004u);  // 64 KiB, 64-bit
  EXPECT_EQ(platform.read_config(kEndpoint, 0x14, 4), 0xffff'ffffu);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x18, 4), 0xf000'000cu);  // 256 MiB, 64-bit prefetchable
  EXPECT_EQ(platform.read_config(kEndpoint, 0x1c, 4), 0xffff'ffffu);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x20, 4), 0u);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x24, 4), 0u);
}

TEST(PcieConfigSpace, SizesBarsOfAllKinds) {
  base::Environment environment;
  pcie::Type0Registers header(environment, "type0", base::RegisterBank::Rules::kBytewise);
  pcie::BaseAddressRegisters bars(header);
  bars.add({.index = 0, .bytes = 4096});
  bars.add({.index = 1, .bytes = 1 << 20, .prefetchable = true});
  bars.add({.index = 2, .bytes = 1ULL << 34, .is_64bit = true, .prefetchable = true});
  const std::vector<uint8_t> ones(24, 0xff);
  header.write(0x10, ones, {});
  EXPECT_EQ(header.BAR[0].get(), 0xffff'f000u);
  EXPECT_EQ(header.BAR[1].get(), 0xfff0'0008u);
  EXPECT_EQ(header.BAR[2].get(), 0x0000'000cu);
  EXPECT_EQ(header.BAR[3].get(), 0xffff'fffcu);

  const uint8_t address[] = {0, 0, 0, 0, 0x40, 0, 0, 0};  // 0x40'00000000
  header.write(0x18, address, {});
  EXPECT_EQ(bars.base(2), 0x40'0000'0000u);
  EXPECT_FALSE(bars.decode(0x3f'ffff'ffff, 1).has_value());
  EXPECT_EQ(bars.decode(0x40'0000'0000, 8)->offset, 0u);
  EXPECT_EQ(bars.decode(0x43'ffff'fff8, 8)->offset, 0x3'ffff'fff8u);
  EXPECT_FALSE(bars.decode(0x43'ffff'fffc, 8).has_value()) << "must not run over the end";
}

template <typename Header>
void check_header(const std::vector<Row>& rows) {
  base::Environment environment;
  Header header(environment, "header", base::RegisterBank::Rules::kBytewise);
  pcie::ConfigSpace space(header);
  CapabilityTable(space, header, 0, 0x40, rows).check();
}

// PCI Express Base Specification 7.5.1; columns as in capability_table.h.
TEST(PcieConfigSpace, HeaderOfAFunction) {
  check_header<pcie::Type0Registers>({{0x04, 2, 0, 0x0546},
                                      {0x06, 2, 0x0010, 0, 0xf900},
                                      {0x0c, 1, 0, 0xff},
                                      {0x10, 4, 0, 0xffff'ffff},  // sized by BaseAddressRegisters
                                      {0x14, 4, 0, 0xffff'ffff},
                                      {0x18, 4, 0, 0xffff'ffff},
                                      {0x1c, 4, 0, 0xffff'ffff},
                                      {0x20, 4, 0, 0xffff'ffff},
                                      {0x24, 4, 0, 0xffff'ffff},
                                      {0x3c, 1, 0, 0xff}});
}

TEST(PcieConfigSpace, HeaderOfABridge) {
  check_header<pcie::Type1Registers>({{0x04, 2, 0, 0x0546},
                                      {0x06, 2, 0x0010, 0, 0xf900},
                                      {0x0a, 1, 0x04},
                                      {0x0b, 1, 0x06},
                                      {0x0c, 1, 0, 0xff},
                                      {0x0e, 1, 0x01},
                                      {0x18, 1, 0, 0xff},
                                      {0x19, 1, 0, 0xff},
                                      {0x1a, 1, 0, 0xff},
                                      {0x1e, 2, 0, 0, 0xf900},
                                      {0x20, 2, 0, 0xfff0},
                                      {0x22, 2, 0, 0xfff0},
                                      {0x24, 2, 0x0001, 0xfff0},
                                      {0x26, 2, 0x0001, 0xfff0},
                                      {0x28, 4, 0, 0xffff'ffff},
                                      {0x2c, 4, 0, 0xffff'ffff},
                                      {0x3c, 1, 0, 0xff},
                                      {0x3e, 2, 0, 0x0043}});
}

// 9.3.4.1: identifiers read ones, memory space and BARs are those of the SR-IOV capability.
TEST(PcieConfigSpace, HeaderOfAVirtualFunction) {
  check_header<pcie::Type0VirtualRegisters>(
      {{0x00, 2, 0xffff}, {0x02, 2, 0xffff}, {0x04, 2, 0, 0x0004}, {0x06, 2, 0x0010, 0, 0xf900}});
}

TEST(PcieConfigSpace, KeepsReadOnlyAndReservedBitsAndTakesBytes) {
  Platform platform;
  platform.enumerate();
  platform.write_config(kEndpoint, 0x00, 4, 0);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x00, 4), 0x1220'1effu);
  platform.write_config(kEndpoint, 0x04, 2, 0xffff);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x04, 2), 0x0546u);
  platform.write_config(kEndpoint, 0x05, 1, 0x00);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x04, 2), 0x0046u);
  platform.write_config(kEndpoint, 0x3c, 1, 0x5a);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x3c, 4), 0x0000'005au);
  EXPECT_EQ(platform.read_config(kEndpoint, 0x800, 4), 0u) << "nothing there";
  EXPECT_EQ(platform.read_config(kEndpoint, 0x40 + 0x09, 1), 0x29u) << "bytes of DEVICE_CONTROL";
}

TEST(PcieConfigSpace, ProgramsThePayloadSizes) {
  Platform platform;
  platform.enumerate();
  auto& express = platform.endpoint.port().express();
  EXPECT_EQ(express.max_payload_bytes(), 128u);
  EXPECT_EQ(express.max_read_request_bytes(), 512u);
  platform.write_config(kEndpoint, 0x48, 2, 0x5810 | 1 << 5);
  EXPECT_EQ(express.max_payload_bytes(), 256u);
  EXPECT_EQ(express.max_read_request_bytes(), 4096u);
  platform.write_config(kEndpoint, 0x48, 2, 7 << 5);
  EXPECT_EQ(express.max_payload_bytes(), 512u) << "not above the capability";
}

}  // namespace
}  // namespace npuvp::tests

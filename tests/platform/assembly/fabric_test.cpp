// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/fabric.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/platform/test_server.h"

namespace npuvp::assembly {
namespace {

using tests::TestServer;

TEST(Fabric, NamesEverythingInTheOrderOfTheTree) {
  TestServer run("server-16", [](TestServer& self) {
    auto& fabric = self.server.fabric();
    std::vector<std::string> links;
    for (const auto& each : fabric.segments()) links.push_back(each.name + " " + Fabric::name_below(each));
    const std::vector<std::string> first_half{
        "root_port0 switch0.upstream", "switch0.port0 card0",        "switch0.port1 card1",
        "switch0.port2 card2",         "switch0.port3 card3",        "switch0.port4 switch1.upstream",
        "switch1.port0 card4",         "switch1.port1 card5",        "switch1.port2 card6",
        "switch1.port3 card7",         "root_port1 switch2.upstream"};
    ASSERT_EQ(links.size(), 20U);
    EXPECT_TRUE(std::equal(first_half.begin(), first_half.end(), links.begin()));
    EXPECT_EQ(fabric.switch_count(), 4U);
    EXPECT_EQ(fabric.above_card(7).name, "switch1.port3");
    EXPECT_EQ(fabric.above_card(7).slot, 8U);
    EXPECT_EQ(fabric.find_port("card7"), &fabric.endpoint(7).port());
    EXPECT_EQ(fabric.find_port("switch1.upstream"), &fabric.switch_at(1).upstream().port());
    EXPECT_EQ(fabric.find_port("root_port1")->link(), fabric.find_port("switch2.upstream")->link());
    EXPECT_EQ(fabric.find_port("switch4.upstream"), nullptr);
    EXPECT_EQ(fabric.find_port("card16"), nullptr);
    for (const auto& each : fabric.segments()) EXPECT_TRUE(each.link.is_up()) << each.name;
  });
}

TEST(Fabric, SerialNumbersAndSlotNumbersAreUnique) {
  TestServer run("server-16", [](TestServer& self) {
    std::set<uint64_t> serial_numbers;
    for (const auto& function : self.functions) {
      const auto at = self.host.find_extended_capability(function.bdf, 0x0003);
      ASSERT_NE(at, 0);
      const auto word = [&](unsigned offset) {
        return uint64_t{self.host.config_read(function.bdf, static_cast<uint16_t>(at + offset), 4)};
      };
      serial_numbers.insert(word(4) | word(8) << 32);
    }
    EXPECT_EQ(serial_numbers.size(), 16U);
    std::set<uint32_t> slots;
    for (const auto& bridge : self.host.bridges()) {
      const auto express = self.host.find_capability(bridge.bdf, 0x10);
      const bool has_slot = (self.host.config_read(bridge.bdf, static_cast<uint16_t>(express + 2), 2) & 0x100) != 0;
      // Slot capabilities: number in 31:19, hot-plug capable and surprise in bits 6 and 5.
      const uint32_t slot = self.host.config_read(bridge.bdf, static_cast<uint16_t>(express + 0x14), 4);
      if (!has_slot) continue;
      EXPECT_EQ(slot & 0x60, 0x60U);
      slots.insert(slot >> 19);
    }
    EXPECT_EQ(slots.size(), 16U);
    EXPECT_EQ(*slots.begin(), 1U);
    EXPECT_EQ(*slots.rbegin(), 16U);
  });
}

TEST(Fabric, SeparateCardsHaveARootComplexEach) {
  base::Environment environment;
  Server server("server", environment, config::load_server("server-4", NPUVP_BOARDS_DIR),
                {.rom = tests::file_contents(NPUVP_FIRMWARE_DIR "/rom.bin"),
                 .rtl = {},
                 .layout = Fabric::Layout::kSeparateCards});
  auto& fabric = server.fabric();
  EXPECT_EQ(fabric.switch_count(), 0U);
  ASSERT_EQ(fabric.segments().size(), 4U);
  std::set<pcie::RootComplex*> root_complexes;
  for (size_t card = 0; card < 4; ++card) {
    const auto& segment = fabric.segments()[card];
    EXPECT_EQ(segment.name, "root_port" + std::to_string(card));
    EXPECT_EQ(segment.card, card);
    EXPECT_FALSE(segment.hot_plug);
    EXPECT_DOUBLE_EQ(segment.link.bytes_per_second(), 32e9 * 16 * 128 / 130 / 8);
    root_complexes.insert(&fabric.root_complex(card));
  }
  EXPECT_EQ(root_complexes.size(), 4U);
}

}  // namespace
}  // namespace npuvp::assembly

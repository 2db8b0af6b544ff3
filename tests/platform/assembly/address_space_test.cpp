// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/address_space.h"

#include <gtest/gtest.h>

#include "platform/config/board_loader.h"

namespace npuvp::assembly {
namespace {

constexpr uint64_t kMib = 1 << 20;
constexpr uint64_t kGib = 1 << 30;

AddressSpace space_of(const char* board) {
  return address_space(config::load_server(board, NPUVP_BOARDS_DIR));
}

TEST(AddressSpace, HasABusForEveryLinkAndInsideEverySwitch) {
  EXPECT_EQ(space_of("server-1").buses, 8U);    // 0 and 1; the least
  EXPECT_EQ(space_of("server-4").buses, 8U);    // 0, 1 + 1 + 4 = 7 in all
  EXPECT_EQ(space_of("server-16").buses, 32U);  // 0, 20 links, 4 switches = 25
}

TEST(AddressSpace, HoldsAllBarsAndOneCardAtItsMost) {
  // 256 MiB a card; one enlarged to 16 GiB, aligned to that.
  EXPECT_EQ(space_of("server-1").prefetchable_bytes, 64 * kGib);
  EXPECT_EQ(space_of("server-16").prefetchable_bytes, 64 * kGib);
  // 16 x (256 + 16 x 16) MiB = 8 GiB more than the 32 GiB.
  EXPECT_EQ(space_of("server-16-vf").prefetchable_bytes, 64 * kGib);
  EXPECT_EQ(space_of("server-1").memory_bytes, 64 * kMib);
  // 17 x 64 KiB need two units of 1 MiB a card.
  EXPECT_EQ(space_of("server-16-vf").memory_bytes, 64 * kMib);
}

}  // namespace
}  // namespace npuvp::assembly

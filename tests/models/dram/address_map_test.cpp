// SPDX-License-Identifier: Apache-2.0
#include "models/dram/address_map.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <tuple>

namespace npuvp::dram {
namespace {

using F = Field;

TEST(AddressMap, DealsOutBitsInOrder) {
  const AddressMap map(AddressMap::in_order(5, {{F::kChannel, 3}, {F::kColumn, 2}, {F::kBankGroup, 2}, {F::kRow, 4}}),
                       5);
  EXPECT_EQ(map.bytes(), 1U << 16);
  uint32_t channel = 0;
  // channel 5, column 2, bank group 1, row 9; 3 bytes into the transaction.
  const auto at = map.location(3 | 5 << 5 | 2 << 8 | 1 << 10 | 9 << 12, channel);
  EXPECT_EQ(channel, 5U);
  EXPECT_EQ(at.column, 2U);
  EXPECT_EQ(at.bank_group, 1U);
  EXPECT_EQ(at.row, 9U);
  EXPECT_EQ(at.bank, 0U);
}

/// RNGD's published map (hardware facts of the platform): channel bits XORed with row bits, and so on.
TEST(AddressMap, ComputesXorHashes) {
  AddressMap::Formula formula;
  formula.fields[static_cast<size_t>(F::kChannel)] = {AddressMap::parse_bit("3^5^7"), AddressMap::parse_bit("4")};
  formula.fields[static_cast<size_t>(F::kRow)] = {AddressMap::parse_bit("5"), AddressMap::parse_bit("6"),
                                                  AddressMap::parse_bit("7")};
  const AddressMap map(formula, 3);
  EXPECT_EQ(map.channel(0b0000'1000), 1U);
  EXPECT_EQ(map.channel(0b0010'1000), 0U);
  EXPECT_EQ(map.channel(0b1010'1000), 1U);
  EXPECT_EQ(map.channel(0b1011'0000), 2U);
}

TEST(AddressMap, GivesEveryAddressAPlaceOfItsOwn) {
  AddressMap::Formula formula = AddressMap::in_order(5, {{F::kColumn, 4}, {F::kRow, 6}});
  formula.fields[static_cast<size_t>(F::kBank)] = {AddressMap::parse_bit("15^9"), AddressMap::parse_bit("16^10^12")};
  const AddressMap map(formula, 5);
  std::set<std::tuple<uint32_t, uint32_t, uint32_t>> places;
  for (uint64_t address = 0; address < map.bytes(); address += 32) {
    uint32_t channel = 0;
    const auto at = map.location(address, channel);
    EXPECT_TRUE(places.insert({at.column, at.bank, at.row}).second) << address;
  }
}

TEST(AddressMap, RefusesMapsThatFoldTheMemory) {
  AddressMap::Formula twice = AddressMap::in_order(5, {{F::kColumn, 2}, {F::kRow, 2}});
  twice.fields[static_cast<size_t>(F::kBank)] = {AddressMap::parse_bit("5^6")};
  EXPECT_THROW(AddressMap(twice, 5), std::invalid_argument);  // bit 9 is used by nothing
  AddressMap::Formula inside = AddressMap::in_order(4, {{F::kColumn, 2}});
  EXPECT_THROW(AddressMap(inside, 5), std::invalid_argument);
  EXPECT_THROW(AddressMap({}, 5), std::invalid_argument);
}

TEST(AddressMap, RefusesBitsThatAreNone) {
  for (const char* text : {"", "^", "5^", "^5", "5^^6", "48", "x", "-1", "5 6", "4294967296"}) {
    EXPECT_THROW((void)AddressMap::parse_bit(text), std::invalid_argument) << text;
  }
  EXPECT_EQ(AddressMap::parse_bit("13^19"), 1U << 13 | 1U << 19);
}

}  // namespace
}  // namespace npuvp::dram

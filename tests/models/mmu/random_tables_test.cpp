// SPDX-License-Identifier: Apache-2.0
// Random page tables, sound and corrupt ones, against a walker written from the words of firmware/abi/page_table.h with
// numbers of its own.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "tests/models/mmu/mmu_bench.h"

namespace npuvp::mmu {
namespace {

/// Physical address of the byte at `address`, if it may be read (or written).
std::optional<uint64_t> reference(const std::vector<uint8_t>& dram, uint64_t root, uint64_t address, bool write) {
  const uint64_t dram_begin = 0x1000000000;
  const auto word = [&](uint64_t physical) {
    uint64_t value = 0;
    std::memcpy(&value, dram.data() + (physical - dram_begin), sizeof value);
    return value;
  };
  const auto inside = [&](uint64_t physical, uint64_t bytes) {
    return physical >= dram_begin && physical + bytes <= dram_begin + dram.size();
  };
  const uint64_t offset = address - dram_begin;
  const uint64_t gigabyte = offset / 0x40000000;
  const uint64_t megabytes = offset % 0x40000000 / 0x200000;
  const uint64_t kilobytes = offset % 0x200000 / 0x10000;
  const auto next = [&](uint64_t entry, uint64_t table_bytes) -> std::optional<uint64_t> {
    if (entry % 16 != 9 || entry / 16 % 16 != 0 || entry >> 52 != 0) return std::nullopt;  // valid and table alone
    const uint64_t table = entry - 9;
    if (table % table_bytes != 0 || !inside(table, table_bytes)) return std::nullopt;
    return table;
  };
  const auto page = [&](uint64_t entry, uint64_t bytes) -> std::optional<uint64_t> {
    if (entry % 2 != 1 || entry / 8 % 2 != 0 || entry >> 52 != 0) return std::nullopt;
    const uint64_t base = entry - entry % 8;
    if (base % bytes != 0 || !inside(base, bytes)) return std::nullopt;
    if (entry / (write ? 4 : 2) % 2 == 0) return std::nullopt;
    return base + offset % bytes;
  };
  const auto directory = next(word(root + gigabyte * 8), 4096);
  if (!directory) return std::nullopt;
  const uint64_t entry = word(*directory + megabytes * 8);
  if (entry / 8 % 2 == 0) return page(entry, 0x200000);
  const auto table = next(entry, 256);
  if (!table) return std::nullopt;
  return page(word(*table + kilobytes * 8), 0x10000);
}

class RandomTables : public testing::TestWithParam<unsigned> {};

TEST_P(RandomTables, AreWalkedAsTheReferenceDoes) {
  MmuBench bench;
  std::mt19937_64 random(GetParam());
  const auto below = [&](uint64_t bound) { return random() % bound; };
  constexpr uint64_t kRoot = 0x200;
  // Two directories and four tables, filled at random; entries point to them, to pages, or are bent in one bit.
  const auto fill = [&](uint64_t table, uint64_t entries, auto make) {
    for (uint64_t i = 0; i < entries; ++i) {
      uint64_t value = below(8) == 0 ? 0 : make();
      if (below(16) == 0) value ^= uint64_t{1} << below(64);
      bench.entry(table, i, value);
    }
  };
  const auto page = [&](uint64_t bytes) {
    return (kDram + below(kDramBytes / bytes + 1) * bytes) | kValid | below(4) * kRead;
  };
  const auto table = [&] { return (kDram + 0x4000 + below(4) * 0x100) | kTable | kValid; };
  fill(kRoot, 64, [&] { return (kDram + 0x1000 + below(2) * 0x1000) | kTable | kValid; });
  for (const uint64_t directory : {0x1000U, 0x2000U}) {
    fill(directory, 512, [&] { return below(2) == 0 ? page(0x200000) : table(); });
  }
  for (uint64_t i = 0; i < 4; ++i) fill(0x4000 + i * 0x100, 32, [&] { return page(0x10000); });
  bench.set_root(9, kRoot);
  bench.engine.port.sideband().asid = 9;

  unsigned good = 0;
  for (int i = 0; i < 3000; ++i) {
    const bool write = below(2) == 0;
    const uint64_t address = kDram + below(64ULL << 30) / 8 * 8;
    const auto expected = reference(bench.tables.data, kDram + kRoot, address, write);
    const auto response = write ? bench.write(address, 8) : bench.read(address, 8);
    ASSERT_EQ(response == tlm::TLM_OK_RESPONSE, expected.has_value()) << std::hex << address << (write ? " w" : " r");
    if (!expected) continue;
    ++good;
    ASSERT_EQ(bench.memory.log.back().address, *expected) << std::hex << address;
  }
  EXPECT_GT(good, 500U);
  EXPECT_LT(good, 2500U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTables, testing::Range(1U, 9U));

}  // namespace
}  // namespace npuvp::mmu

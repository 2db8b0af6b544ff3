// SPDX-License-Identifier: Apache-2.0
// firmware/lib/mmu against a DRAM of words and the MMU's registers; what it maps is read by a walker with numbers of
// its own (firmware/abi/page_table.h in words).
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "npu/registers/mmu.h"

extern "C" {
#include "firmware/lib/cpu.h"
#include "firmware/lib/mmio.h"
#include "firmware/lib/mmu.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kDram = 0x1000000000;
constexpr uint64_t kMib = 1 << 20;
constexpr uint64_t kLarge = 2 * kMib;
constexpr uint64_t kSmall = 64 << 10;
constexpr uint64_t kTables = kDram + 16 * kMib;
constexpr uint64_t kReadWrite = NPU_PTE_READ | NPU_PTE_WRITE;

struct FakeMmu {
  std::map<uint64_t, uint64_t> dram;   // by address
  std::map<uint64_t, uint64_t> roots;  // by ASID
  std::vector<uint32_t> invalidations;
  struct Record {
    uint32_t info;
    uint64_t address;
    uint32_t owner;
  };
  std::deque<Record> records;
  bool overflow = false;
  uint32_t irq_enable = 0;
};
FakeMmu* fake = nullptr;

struct MmuDriver : testing::Test {
  MmuDriver() { fake = &mmu; }
  ~MmuDriver() override { fake = nullptr; }

  struct Mapped {
    uint64_t physical;
    uint64_t access;
    bool operator==(const Mapped&) const = default;
  };
  /// What the tables say about the byte at `address`.
  std::optional<Mapped> walk(uint32_t asid, uint64_t address) {
    const uint64_t root = mmu.roots[asid];
    if ((root & 1) == 0) return std::nullopt;
    const uint64_t offset = address - kDram;
    uint64_t entry = mmu.dram.at((root & ~uint64_t{0x1ff}) + (offset >> 30) * 8);
    if ((entry & 1) == 0) return std::nullopt;
    EXPECT_EQ(entry & 0xff, 9U);
    entry = mmu.dram.at((entry & ~uint64_t{0xff}) + ((offset >> 21) & 511) * 8);
    if ((entry & 1) == 0) return std::nullopt;
    uint64_t bytes = kLarge;
    if ((entry & 8) != 0) {
      entry = mmu.dram.at((entry & ~uint64_t{0xff}) + ((offset >> 16) & 31) * 8);
      bytes = kSmall;
      if ((entry & 1) == 0) return std::nullopt;
    }
    EXPECT_EQ(entry & ~uint64_t{0xff} & (bytes - 1), 0U);
    return Mapped{(entry & ~uint64_t{0xff}) + offset % bytes, entry & 6};
  }

  FakeMmu mmu;
  mmu_space space{};
};

TEST_F(MmuDriver, InitLeavesNothingOfBefore) {
  mmu.roots[3] = kDram | 1;
  mmu.records.push_back({1, 2, 3});
  mmu.overflow = true;
  mmu_init();
  for (const auto& [asid, root] : mmu.roots) EXPECT_EQ(root, 0U) << asid;
  EXPECT_TRUE(mmu.records.empty());
  EXPECT_FALSE(mmu.overflow);
  EXPECT_EQ(mmu.irq_enable, 1U);
  EXPECT_EQ(mmu.invalidations.back() & 1, 1U);
}

TEST_F(MmuDriver, ANewSpaceMapsNothing) {
  ASSERT_EQ(mmu_create(&space, 5, kTables, kMib), MMU_OK);
  for (const uint64_t address : {kDram, kDram + 17 * kMib, kDram + (uint64_t{64} << 30) - 1}) {
    EXPECT_FALSE(walk(5, address));
  }
  mmu_destroy(&space);
  EXPECT_EQ(mmu.roots[5], 0U);
  EXPECT_EQ(mmu_map(&space, kDram, kDram, kSmall, kReadWrite), MMU_BAD_ARGUMENT);
}

TEST_F(MmuDriver, UsesLargePagesWhereBothSidesAllowThem) {
  ASSERT_EQ(mmu_create(&space, 1, kTables, kMib), MMU_OK);
  // 2 MiB - 64 KiB to 6 MiB + 64 KiB: small, large, large, small.
  ASSERT_EQ(mmu_map(&space, kDram + kLarge - kSmall, kDram + 2 * kLarge - kSmall, 2 * kLarge + 2 * kSmall, kReadWrite),
            MMU_OK);
  for (uint64_t at = kLarge - kSmall; at < 3 * kLarge + kSmall; at += kSmall) {
    EXPECT_EQ(walk(1, kDram + at + 5), (Mapped{kDram + at + kLarge + 5, kReadWrite})) << at;
  }
  EXPECT_FALSE(walk(1, kDram + kLarge - kSmall - 1));
  EXPECT_FALSE(walk(1, kDram + 3 * kLarge + kSmall));
  // A root, a directory, two tables.
  EXPECT_EQ(space.tables_next - kTables, 4096U + 4096U + 2 * 256U);
}

TEST_F(MmuDriver, RefusesWhatItCannotMap) {
  EXPECT_EQ(mmu_create(&space, 0, kTables, kMib), MMU_BAD_ARGUMENT);
  EXPECT_EQ(mmu_create(&space, 64, kTables, kMib), MMU_BAD_ARGUMENT);
  EXPECT_EQ(mmu_create(&space, 1, kTables + 8, kMib), MMU_BAD_ARGUMENT);
  EXPECT_EQ(mmu_create(&space, 1, 0x40000000, kMib), MMU_BAD_ARGUMENT);
  EXPECT_EQ(mmu_create(&space, 1, ~uint64_t{0xfff}, 0x2000), MMU_BAD_ARGUMENT);
  ASSERT_EQ(mmu_create(&space, 1, kTables, kMib), MMU_OK);
  const auto map = [&](uint64_t address, uint64_t physical, uint64_t bytes, uint64_t access) {
    return mmu_map(&space, address, physical, bytes, access);
  };
  EXPECT_EQ(map(kDram + 1, kDram, kSmall, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, kDram + 4096, kSmall, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, kDram, kSmall - 1, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, kDram, 0, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, kDram, kSmall, 0), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, kDram, kSmall, 8), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram - kSmall, kDram, 2 * kSmall, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram + (64ULL << 30) - kSmall, kDram, 2 * kSmall, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(~uint64_t{0xffff}, kDram, kSmall, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, ~uint64_t{0xffff}, 2 * kSmall, kReadWrite), MMU_BAD_ARGUMENT);
  EXPECT_EQ(map(kDram, 0x40000000, kSmall, kReadWrite), MMU_BAD_ARGUMENT);
}

TEST_F(MmuDriver, AMappingThatFailsLeavesNoPartOfItself) {
  ASSERT_EQ(mmu_create(&space, 1, kTables, kMib), MMU_OK);
  ASSERT_EQ(mmu_map(&space, kDram + 5 * kSmall, kDram, kSmall, NPU_PTE_READ), MMU_OK);
  EXPECT_EQ(mmu_map(&space, kDram, kDram + 64 * kMib, 8 * kSmall, kReadWrite), MMU_MAPPED);
  for (uint64_t page = 0; page < 8; ++page) EXPECT_EQ(walk(1, kDram + page * kSmall).has_value(), page == 5) << page;
  // Room for a root and a directory only.
  mmu_space small{};
  ASSERT_EQ(mmu_create(&small, 2, kTables + 2 * kMib, 0x2000), MMU_OK);
  EXPECT_EQ(mmu_map(&small, kDram, kDram, kLarge + kSmall, kReadWrite), MMU_NO_TABLES);
  EXPECT_FALSE(walk(2, kDram));
  EXPECT_EQ(mmu_map(&small, kDram, kDram, kLarge, kReadWrite), MMU_OK);
}

TEST_F(MmuDriver, UnmapsWholePagesOnly) {
  ASSERT_EQ(mmu_create(&space, 1, kTables, kMib), MMU_OK);
  ASSERT_EQ(mmu_map(&space, kDram, kDram, kLarge + 2 * kSmall, kReadWrite), MMU_OK);
  EXPECT_EQ(mmu_unmap(&space, kDram, kSmall), MMU_NOT_MAPPED);
  EXPECT_EQ(mmu_unmap(&space, kDram, kLarge + 3 * kSmall), MMU_NOT_MAPPED);
  EXPECT_TRUE(walk(1, kDram));
  mmu.invalidations.clear();
  EXPECT_EQ(mmu_unmap(&space, kDram, kLarge + kSmall), MMU_OK);
  EXPECT_FALSE(walk(1, kDram + kLarge));
  EXPECT_TRUE(walk(1, kDram + kLarge + kSmall));
  ASSERT_EQ(mmu.invalidations.size(), 1U);
  EXPECT_EQ(mmu.invalidations[0], 2U | 1U << 8);
  EXPECT_EQ(mmu_map(&space, kDram, kDram + kLarge, kLarge, NPU_PTE_READ), MMU_OK);
}

TEST_F(MmuDriver, RandomMappingsAreWhatWasAskedFor) {
  std::mt19937 random(1);
  ASSERT_EQ(mmu_create(&space, 1, kTables, 4 * kMib), MMU_OK);
  constexpr uint64_t kPages = 512;  // 32 MiB
  std::vector<std::optional<Mapped>> expected(kPages);
  for (int step = 0; step < 400; ++step) {
    const uint64_t first = random() % kPages;
    const uint64_t pages =
        std::min<uint64_t>(random() % 3 == 0 ? 32 * (1 + random() % 3) : 1 + random() % 40, kPages - first);
    const uint64_t begin = random() % 2 == 0 ? first / 32 * 32 : first;
    const uint64_t count = std::min(pages, kPages - begin);
    const auto range = std::span(expected).subspan(begin, count);
    if (random() % 2 == 0) {
      const uint64_t physical = kDram + random() % 1024 * kSmall;
      const bool is_free = std::none_of(range.begin(), range.end(), [](const auto& page) { return page.has_value(); });
      const auto result = mmu_map(&space, kDram + begin * kSmall, physical, count * kSmall, NPU_PTE_WRITE);
      ASSERT_EQ(result, is_free ? MMU_OK : MMU_MAPPED);
      for (uint64_t i = 0; is_free && i < count; ++i) range[i] = Mapped{physical + i * kSmall, NPU_PTE_WRITE};
    } else if (mmu_unmap(&space, kDram + begin * kSmall, count * kSmall) == MMU_OK) {
      ASSERT_TRUE(std::all_of(range.begin(), range.end(), [](const auto& page) { return page.has_value(); }));
      std::fill(range.begin(), range.end(), std::nullopt);
    }
    for (uint64_t page = 0; page < kPages; ++page) {
      ASSERT_EQ(walk(1, kDram + page * kSmall), expected[page]) << "step " << step << " page " << page;
    }
  }
}

TEST_F(MmuDriver, HandsOutFaultsInOrder) {
  mmu.records.push_back(
      {7U | 1U << 8 | uint32_t{NPU_MMU_FAULT_PERMISSION} << 12 | 2U << 16 | 6U << 24, kDram + 12, 0x55U | 4U << 16});
  mmu.records.push_back({8, kDram, 0});
  mmu_fault fault{};
  ASSERT_TRUE(mmu_take_fault(&fault));
  EXPECT_EQ(fault.asid, 7U);
  EXPECT_TRUE(fault.write);
  EXPECT_STREQ(mmu_reason_name(fault.reason), "not permitted");
  EXPECT_STREQ(mmu_initiator_name(fault.initiator), "Neural DMA");
  EXPECT_EQ(fault.engine, 6U);
  EXPECT_EQ(fault.address, kDram + 12);
  EXPECT_EQ(fault.context, 0x55U);
  EXPECT_EQ(fault.function, 4U);
  ASSERT_TRUE(mmu_take_fault(&fault));
  EXPECT_EQ(fault.asid, 8U);
  EXPECT_FALSE(fault.write);
  EXPECT_FALSE(mmu_take_fault(&fault));
  EXPECT_FALSE(mmu_take_overflow());
  mmu.overflow = true;
  EXPECT_TRUE(mmu_take_overflow());
  EXPECT_FALSE(mmu_take_overflow());
  EXPECT_STREQ(mmu_reason_name(99), "unknown fault");
  EXPECT_STREQ(mmu_initiator_name(99), "unknown engine");
}

uint64_t read_register(uint64_t offset) {
  const auto* record = fake->records.empty() ? nullptr : &fake->records.front();
  switch (offset) {
    case MMU_FAULT_STATUS:
      return fake->records.size() | (fake->overflow ? MMU_FAULT_STATUS_OVERFLOW_MASK : 0);
    case MMU_FAULT_INFO:
      return record == nullptr ? 0 : record->info;
    case MMU_FAULT_ADDRESS:
      return record == nullptr ? 0 : record->address;
    case MMU_FAULT_OWNER:
      return record == nullptr ? 0 : record->owner;
    default:
      ADD_FAILURE() << "read of " << offset;
      return 0;
  }
}

void write_register(uint64_t offset, uint64_t value) {
  if (offset == MMU_INVALIDATE) {
    fake->invalidations.push_back(static_cast<uint32_t>(value));
  } else if (offset == MMU_IRQ_ENABLE) {
    fake->irq_enable = static_cast<uint32_t>(value);
  } else if (offset == MMU_FAULT_POP) {
    if (!fake->records.empty()) fake->records.pop_front();
  } else if (offset == MMU_FAULT_STATUS) {
    if ((value & MMU_FAULT_STATUS_OVERFLOW_MASK) != 0) fake->overflow = false;
  } else if (offset > MMU_ROOT(0) && offset <= MMU_ROOT(63)) {
    fake->roots[(offset - MMU_ROOT(0)) / 8] = value;
  } else {
    ADD_FAILURE() << "write to " << offset;
  }
}

}  // namespace

uint64_t read(uint64_t address) {
  if (address >= kDram) return fake->dram.at(address);  // what was never written is garbage: nobody may read it
  return read_register(address - NPU_MAP_MMU);
}

void write(uint64_t address, uint64_t value) {
  if (address >= kDram) {
    fake->dram[address] = value;
  } else {
    write_register(address - NPU_MAP_MMU, value);
  }
}

}  // namespace npuvp::firmware_test

uint32_t mmio_read32(uint64_t address) {
  return static_cast<uint32_t>(npuvp::firmware_test::read(address));
}
uint64_t mmio_read64(uint64_t address) {
  return npuvp::firmware_test::read(address);
}
void mmio_write32(uint64_t address, uint32_t value) {
  npuvp::firmware_test::write(address, value);
}
void mmio_write64(uint64_t address, uint64_t value) {
  npuvp::firmware_test::write(address, value);
}
void cpu_fence() {}

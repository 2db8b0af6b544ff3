// SPDX-License-Identifier: Apache-2.0
// Address spaces of contexts: what the page tables hold after each message, walked here as firmware/abi/page_table.h
// describes them, and clearing of DRAM for a new owner.
#include <optional>

#include "npu/registers/mmu.h"
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/context.h"
#include "firmware/abi/page_table.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr auto kOk = static_cast<uint32_t>(NPU_MAILBOX_OK);
constexpr auto kBadArgument = static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT);
constexpr uint64_t kPage = 64 << 10;
constexpr uint64_t kLarge = 2 << 20;
constexpr uint32_t kBoth = NPU_CONTEXT_MAP_READ | NPU_CONTEXT_MAP_WRITE;

class AddressSpaces : public CpFixture {
 protected:
  /// Its ASID.
  uint32_t create_space(uint32_t id, uint32_t function = 0) {
    const Message reply =
        ask({NPU_MESSAGE_CONTEXT_CREATE, id, NPU_CONTEXT_WORD(NPU_PRIORITY_NORMAL, 0, NPU_CONTEXT_ADDRESS_SPACE)},
            function);
    EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), kOk) << card.console;
    return reply[1];
  }
  static Message with_pages(uint32_t opcode, uint32_t id, uint64_t address, uint32_t pages, uint32_t rights = 0) {
    return {opcode, id, static_cast<uint32_t>(address), static_cast<uint32_t>(address >> 32), pages, rights};
  }
  uint32_t map(uint32_t id, uint64_t address, uint32_t pages, uint32_t rights = kBoth, uint32_t function = 0) {
    return ask_status(with_pages(NPU_MESSAGE_CONTEXT_MAP, id, address, pages, rights), function);
  }
  uint32_t unmap(uint32_t id, uint64_t address, uint32_t pages, uint32_t function = 0) {
    return ask_status(with_pages(NPU_MESSAGE_CONTEXT_UNMAP, id, address, pages), function);
  }
  uint32_t clear(uint64_t address, uint32_t pages, uint32_t function = 0) {
    return ask_status(with_pages(NPU_MESSAGE_DRAM_CLEAR, 0, address, pages), function);
  }

  struct Page {
    uint64_t physical;
    uint64_t bytes;
    uint64_t rights;
    bool operator==(const Page&) const = default;
  };
  /// The page of `address` by the tables in DRAM.
  std::optional<Page> walk(uint32_t asid, uint64_t address) {
    const uint64_t root = card.error_registers[NPU_MAP_MMU + MMU_ROOT(asid)];
    if ((root & 1) == 0) return std::nullopt;
    const uint64_t offset = address - NPU_MAP_DRAM;
    uint64_t entry = entry_at(root & ~uint64_t{0x1ff}, offset >> 30);
    if ((entry & NPU_PTE_VALID) == 0) return std::nullopt;
    entry = entry_at(entry & NPU_PTE_ADDRESS, (offset >> 21) % 512);
    uint64_t bytes = kLarge;
    if ((entry & NPU_PTE_VALID) != 0 && (entry & NPU_PTE_TABLE) != 0) {
      entry = entry_at(entry & NPU_PTE_ADDRESS, (offset >> 16) % 32);
      bytes = kPage;
    }
    if ((entry & NPU_PTE_VALID) == 0) return std::nullopt;
    return Page{entry & NPU_PTE_ADDRESS & ~(bytes - 1), bytes, entry & (NPU_PTE_READ | NPU_PTE_WRITE)};
  }
  uint64_t entry_at(uint64_t table, uint64_t index) {
    return card.dram.get<uint64_t>(table - NPU_MAP_DRAM + index * sizeof(uint64_t));
  }
};

TEST_F(AddressSpaces, AContextHasExactlyWhatWasMapped) {
  const uint32_t asid = create_space(7), other = create_space(8);
  ASSERT_EQ(map(7, kJobDram + kPage, 2), kOk) << card.console;
  ASSERT_EQ(map(7, kJobDram + kLarge, 33, NPU_CONTEXT_MAP_READ), kOk) << card.console;
  const uint64_t both = NPU_PTE_READ | NPU_PTE_WRITE;
  EXPECT_FALSE(walk(asid, kJobDram));
  EXPECT_EQ(walk(asid, kJobDram + kPage), (Page{kJobDram + kPage, kPage, both}));
  EXPECT_EQ(walk(asid, kJobDram + 3 * kPage - 1), (Page{kJobDram + 2 * kPage, kPage, both}));
  EXPECT_FALSE(walk(asid, kJobDram + 3 * kPage));
  EXPECT_EQ(walk(asid, kJobDram + kLarge), (Page{kJobDram + kLarge, kLarge, NPU_PTE_READ}));
  EXPECT_EQ(walk(asid, kJobDram + 2 * kLarge), (Page{kJobDram + 2 * kLarge, kPage, NPU_PTE_READ}));
  EXPECT_FALSE(walk(asid, kJobDram + 2 * kLarge + kPage));
  for (uint64_t at = 0; at < 4 * kLarge; at += kPage) EXPECT_FALSE(walk(other, kJobDram + at)) << at;
}

TEST_F(AddressSpaces, WhatIsUnmappedIsGoneFromTablesAndTlb) {
  const uint32_t asid = create_space(7);
  ASSERT_EQ(map(7, kJobDram, 32 + 3), kOk);
  card.error_registers[NPU_MAP_MMU + MMU_INVALIDATE] = 0;
  ASSERT_EQ(unmap(7, kJobDram, 32 + 3), kOk);
  for (uint64_t at = 0; at < 2 * kLarge; at += kPage) EXPECT_FALSE(walk(asid, kJobDram + at)) << at;
  EXPECT_EQ(card.error_registers[NPU_MAP_MMU + MMU_INVALIDATE],
            MMU_INVALIDATE_ASID_MASK | asid << MMU_INVALIDATE_ID_SHIFT);
  EXPECT_EQ(unmap(7, kJobDram, 1), kBadArgument);
  ASSERT_EQ(map(7, kJobDram, 1), kOk);
}

TEST_F(AddressSpaces, AreRefusedWithNothingChanged) {
  const uint32_t asid = create_space(7);
  ASSERT_EQ(ask_status({NPU_MESSAGE_CONTEXT_CREATE, 8, NPU_CONTEXT_WORD(NPU_PRIORITY_NORMAL, 0, 0)}), kOk);
  ASSERT_EQ(map(7, kJobDram + 4 * kPage, 1), kOk);
  EXPECT_EQ(map(7, kJobDram, 5), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
  EXPECT_FALSE(walk(asid, kJobDram));
  EXPECT_EQ(map(8, kJobDram, 1), kBadArgument);  // has no address space
  EXPECT_EQ(map(9, kJobDram, 1), kBadArgument);
  EXPECT_EQ(map(7, kJobDram + 4096, 1), kBadArgument);
  EXPECT_EQ(map(7, kJobDram, 0), kBadArgument);
  EXPECT_EQ(map(7, kJobDram, NPU_CONTEXT_MAP_PAGES + 1), kBadArgument);
  EXPECT_EQ(map(7, kJobDram, 1, 0), kBadArgument);
  EXPECT_EQ(map(7, kJobDram, 1, 4), kBadArgument);
  EXPECT_EQ(map(7, NPU_MAP_DRAM, 1), kBadArgument);  // the system reserve
  EXPECT_EQ(map(7, kJobDram - kPage, 2), kBadArgument);
  EXPECT_EQ(map(7, NPU_MAP_DRAM + (uint64_t{16} << 30) - kPage, 2), kBadArgument);
  EXPECT_EQ(map(7, ~uint64_t{0xffff}, 1), kBadArgument);
  EXPECT_EQ(unmap(7, kJobDram, 5), kBadArgument);
  EXPECT_TRUE(walk(asid, kJobDram + 4 * kPage));
}

TEST_F(AddressSpaces, AVirtualFunctionMapsAndClearsItsOwnShareOnly) {
  const Message parts = ask({NPU_MESSAGE_PARTITION, 2});
  ASSERT_EQ(NPU_MAILBOX_STATUS(parts[0]), kOk);
  const uint64_t own = (uint64_t{parts[2]} << 20) + (uint64_t{parts[1]} << 20), part = uint64_t{parts[3]} << 20;
  create_space(7, 1);
  EXPECT_EQ(map(7, own, 1, kBoth, 1), kOk) << card.console;
  EXPECT_EQ(map(7, own + part - kPage, 1, kBoth, 1), kOk);
  EXPECT_EQ(map(7, own + part, 1, kBoth, 1), kBadArgument);
  EXPECT_EQ(map(7, own - kPage, 1, kBoth, 1), kBadArgument);
  const size_t fills = card.fills.size();
  EXPECT_EQ(clear(own + part, 1, 1), kBadArgument);
  EXPECT_EQ(clear(kJobDram, 1, 1), kBadArgument);
  EXPECT_EQ(card.fills.size(), fills);
  EXPECT_EQ(clear(own, 1, 1), kOk);
  EXPECT_EQ(card.fills.back(), (Extent{own, kPage}));
}

TEST_F(AddressSpaces, JobsRunInThemAndTheirCommandsMustBeReadable) {
  const uint32_t asid = create_space(kContext);
  create(0);
  EXPECT_EQ(run_first(execute(0, 1)).status, static_cast<uint32_t>(NPU_JOB_BAD_SUBMISSION));
  EXPECT_TRUE(said("job 1 refused: commands: not mapped in the context")) << card.console;
  ASSERT_EQ(map(kContext, kJobDram, 1), kOk);
  put(0, 1, execute(0, 2));
  card.ring_sq_tail(0, 2);
  run();
  ASSERT_EQ(card.started_jobs.size(), 1u);
  EXPECT_EQ(card.started_jobs[0].address_space, asid);
  EXPECT_EQ(card.started_jobs[0].asid, asid);
}

TEST_F(AddressSpaces, AContextWithoutOneIsNotTranslated) {
  create(0);
  put(0, 0, execute(0, 1));
  card.ring_sq_tail(0, 1);
  run();
  ASSERT_EQ(card.started_jobs.size(), 1u);
  EXPECT_EQ(card.started_jobs[0].address_space, 0u);
}

TEST_F(AddressSpaces, JobsNameTheirOwnSoThatTheTaskManagerKeepsTheOnChipMemoriesApart) {
  card.task_manager_duration_ns = 1000;
  for (uint32_t queue : {0u, 1u}) {
    create_space(kContext + queue);
    create(queue);
    ASSERT_EQ(map(kContext + queue, kJobDram, 1), kOk);
  }
  create(2);  // without one
  std::array<uint32_t, 3> tails{};
  const auto job_of = [&](uint32_t queue) {
    put(queue, tails[queue], execute(queue, 100));
    card.ring_sq_tail(queue, ++tails[queue]);
    run();
    sleep_and_run();
    return card.started_jobs.back();
  };
  const StartedJob first = job_of(0);
  EXPECT_TRUE(first.memories_cleared);  // a reset of the card leaves the memories as they are
  EXPECT_NE(first.address_space, 0u);
  EXPECT_NE(job_of(1).address_space, 0u);
  EXPECT_NE(job_of(1).address_space, first.address_space);
  EXPECT_EQ(job_of(0).address_space, first.address_space);
  EXPECT_EQ(job_of(2).address_space, 0u);
}

TEST_F(AddressSpaces, ALaterContextInTheSamePlaceFindsNothingOnTheChip) {
  card.task_manager_duration_ns = 1000;
  for (uint32_t round = 0; round < 2 * NPU_QUEUES; ++round) {
    create_space(kContext);
    create(0);
    ASSERT_EQ(map(kContext, kJobDram, 1), kOk);
    put(0, 0, execute(0, 1));
    card.ring_sq_tail(0, 1);
    run();
    sleep_and_run();
    EXPECT_TRUE(card.started_jobs.back().memories_cleared) << round;
    ASSERT_EQ(ask_status({NPU_MESSAGE_CONTEXT_DESTROY, kContext}), kOk);
    card.ring_sq_tail(0, 0);
  }
}

TEST_F(AddressSpaces, EndWithTheirContext) {
  const uint32_t asid = create_space(7);
  ASSERT_EQ(map(7, kJobDram, 1), kOk);
  ASSERT_EQ(ask_status({NPU_MESSAGE_CONTEXT_DESTROY, 7}), kOk);
  EXPECT_FALSE(walk(asid, kJobDram));
  for (uint32_t id = 100; id < 100 + NPU_QUEUES; ++id) EXPECT_FALSE(walk(create_space(id), kJobDram));
}

TEST_F(AddressSpaces, DramIsClearedInPiecesBetweenWhichOthersAreServed) {
  create(0);
  put(0, 0, nop(0, 1));
  card.send(with_pages(NPU_MESSAGE_DRAM_CLEAR, 0, kJobDram + kPage, 160));  // 10 MiB
  card.ring_sq_tail(0, 1);
  service_poll();
  EXPECT_FALSE(card.reply().has_value());
  run();
  ASSERT_TRUE(card.reply().has_value());
  EXPECT_EQ(NPU_MAILBOX_STATUS((*card.reply())[0]), kOk);
  EXPECT_EQ(completion(0, 0).job, 1u);
  uint64_t at = kJobDram + kPage, end = at + 160 * kPage;
  ASSERT_GT(card.fills.size(), 1u);
  for (const Extent& fill : card.fills) {
    EXPECT_EQ(fill.base, at);
    EXPECT_LE(fill.bytes, uint64_t{4} << 20);
    at += fill.bytes;
  }
  EXPECT_EQ(at, end);
}

TEST_F(AddressSpaces, MemoryThatCannotBeClearedIsReported) {
  card.fill_fails = true;
  EXPECT_EQ(clear(kJobDram, 1), static_cast<uint32_t>(NPU_MAILBOX_UNREADABLE));
  EXPECT_EQ(clear(kJobDram, 0), kBadArgument);
  EXPECT_EQ(clear(kJobDram + 1, 1), kBadArgument);
}

}  // namespace
}  // namespace npuvp::firmware_test

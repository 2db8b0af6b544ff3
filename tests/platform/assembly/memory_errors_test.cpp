// SPDX-License-Identifier: Apache-2.0
// Errors of memory and of addresses while jobs run: each ends its job with the right fault, the firmware learns of it,
// and the card goes on. The real firmware on the whole card. Where it has no driver's way to provoke an error yet, the
// test writes the registers in its place.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "firmware/abi/ecc.h"
#include "firmware/abi/page_table.h"
#include "npu/registers/ecc.h"
#include "npu/registers/mmu.h"
#include "npu/registers/task_manager.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/card_bus.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

constexpr uint64_t kMib = 1 << 20;
constexpr uint64_t kBytes = 8192;

std::vector<uint8_t> pattern() {
  std::vector<uint8_t> data(kBytes);
  std::iota(data.begin(), data.end(), uint8_t{1});
  return data;
}

/// A card whose firmware runs, its physical function, and its bus.
struct RunningCard {
  explicit RunningCard(TestServer& server)
      : booted(boot(server)),
        host(server.host),
        function(server.host, server.functions.front()),
        share(function.share()) {
    EXPECT_EQ(function.create_queue(), uint32_t{NPU_MAILBOX_OK});
  }
  static bool boot(TestServer& server) {
    const std::string image = TestServer::firmware();
    const host::InprocDevice device(server.host, server.functions.front(),
                                    {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
    return true;
  }

  /// 8 KiB of the function's memory, `offset` from its start.
  [[nodiscard]] npu_segment place(uint64_t offset) const {
    return {share.base + offset, kBytes, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0};
  }
  void inject(uint64_t address, uint32_t flips) {
    bus.write(NPU_MAP_ECC + ECC_INJECT_ADDRESS, address);
    bus.write(NPU_MAP_ECC + ECC_INJECT, flips);
  }
  uint32_t ecc(uint32_t offset) { return bus.read<uint32_t>(NPU_MAP_ECC + offset); }
  uint32_t mmu(uint32_t offset) { return bus.read<uint32_t>(NPU_MAP_MMU + offset); }
  /// Lets the firmware do what it has to.
  static void settle() { sc_core::wait(1, sc_core::SC_MS); }
  void expect_working() {
    function.write_memory(place(0), pattern());
    EXPECT_EQ(function.read_memory(place(0)), pattern());
    EXPECT_EQ(function.read(MAILBOX_HOST_CARD_STATE), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  }

  bool booted;
  host::InprocHost& host;
  RawFunction function;
  npu_segment share;
  CardBus bus;
};

void on_card(const std::function<void(RunningCard&)>& body) {
  const TestServer server("server-1", [&body](TestServer& self) {
    RunningCard card(self);
    card.expect_working();
    body(card);
    card.expect_working();
  });
}

constexpr uint32_t kDouble = ECC_INJECT_DOUBLE_MASK | 9U << ECC_INJECT_BIT1_SHIFT | 4U;

npu_command load(uint64_t offset) {
  return copy_command(NPU_COMMAND_NEURAL_DMA, 2, NPU_ADDRESS(1, offset), NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0), kBytes);
}
npu_command store() {
  return copy_command(NPU_COMMAND_NEURAL_DMA, 2, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0), NPU_ADDRESS(1, 0), kBytes);
}

TEST(MemoryErrors, ASingleErrorInDramIsCorrectedAndCounted) {
  on_card([](RunningCard& card) {
    card.inject(card.share.base + 0x108, 17);
    EXPECT_EQ(card.function.read_memory(card.place(0)), pattern());
    EXPECT_EQ(card.ecc(ECC_CORRECTED(NPU_ECC_DRAM)), 1U);
    EXPECT_EQ(card.bus.read<uint64_t>(NPU_MAP_ECC + ECC_LAST_CORRECTED(NPU_ECC_DRAM)), card.share.base + 0x108);
    RunningCard::settle();
    EXPECT_EQ(card.ecc(ECC_CORRECTED_PENDING), 0U) << "the firmware has taken it";
  });
}

TEST(MemoryErrors, AnUncorrectableErrorInDramEndsTheJobThatReadsIt) {
  on_card([](RunningCard& card) {
    card.inject(card.share.base + 0x1008, kDouble);
    const auto done = card.function.run(load(0), {card.place(0)});
    EXPECT_EQ(done.status, uint32_t{NPU_JOB_FAULT});
    EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_POISON});
    EXPECT_EQ(done.fault_address, NPU_ADDRESS(1, 0x1000)) << "the burst with the word";
    RunningCard::settle();
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED_PENDING), 0U) << "the firmware has taken it";
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_DRAM)), 1U);
    EXPECT_EQ(card.bus.read<uint64_t>(NPU_MAP_ECC + ECC_FIRST_UNCORRECTED(NPU_ECC_DRAM)), card.share.base + 0x1008);
  });
}

TEST(MemoryErrors, AnUncorrectableErrorInAScratchpadEndsTheJobThatReadsIt) {
  on_card([](RunningCard& card) {
    EXPECT_EQ(card.function.run(load(0), {card.place(0)}).status, uint32_t{NPU_JOB_OK});
    card.inject(NPU_MAP_SCRATCHPAD + 2 * NPU_MAP_SCRATCHPAD_STRIDE + 0x10, kDouble);
    const auto done = card.function.run(store(), {card.place(0)});
    EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_POISON});
    EXPECT_EQ(done.fault_address, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0));
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_SCRATCHPAD + 2)), 1U);
    // Written again it is sound.
    EXPECT_EQ(card.function.run(load(0), {card.place(0)}).status, uint32_t{NPU_JOB_OK});
    EXPECT_EQ(card.function.run(store(), {card.place(0)}).status, uint32_t{NPU_JOB_OK});
  });
}

TEST(MemoryErrors, AnUncorrectableErrorInSharedMemoryEndsTheJobThatReadsIt) {
  on_card([](RunningCard& card) {
    const auto in = copy_command(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(1, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), kBytes);
    const auto out = copy_command(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(NPU_SPACE_SHARED, 0), NPU_ADDRESS(1, 0), kBytes);
    EXPECT_EQ(card.function.run(in, {card.place(0)}).status, uint32_t{NPU_JOB_OK});
    card.inject(NPU_MAP_SHARED + 0x1ff8, kDouble);
    const auto done = card.function.run(out, {card.place(0)});
    EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_POISON});
    EXPECT_EQ(done.fault_address, NPU_ADDRESS(NPU_SPACE_SHARED, 0x1000));
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_SHARED)), 1U);
  });
}

TEST(MemoryErrors, DmaToNowhereEndsItsJob) {
  on_card([](RunningCard& card) {
    PagedBlock list(card.host.ram(), kBytes);
    list.set_page(1, 0xdead'0000'0000);
    const auto done =
        card.function.run(copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(2, 0), NPU_ADDRESS(1, 0), kBytes),
                          {card.place(0), list.segment()});
    EXPECT_EQ(done.status, uint32_t{NPU_JOB_FAULT});
    EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_BUS});
    EXPECT_EQ(done.fault_address, NPU_ADDRESS(2, 0x1000));
  });
}

TEST(MemoryErrors, AnAddressSpaceWithoutTablesEndsTheJobAndTheFirmwareSeesWho) {
  on_card([](RunningCard& card) {
    card.function.enter_address_space();
    const auto done = card.function.run(load(0), {card.place(0)});
    EXPECT_EQ(done.status, uint32_t{NPU_JOB_FAULT});
    EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_TRANSLATION});
    EXPECT_EQ(done.fault_address, NPU_ADDRESS(1, 0));
    RunningCard::settle();
    EXPECT_EQ(card.bus.read<uint64_t>(NPU_MAP_MMU + MMU_FAULTS), 1U);
    EXPECT_EQ(card.mmu(MMU_FAULT_STATUS), 0U) << "the firmware has taken the record";
    EXPECT_EQ(card.function.leave_address_space(), uint32_t{NPU_MAILBOX_OK});
  });
}

TEST(MemoryErrors, AJobReachesWhatItsTablesMapAndNothingElse) {
  on_card([](RunningCard& card) {
    // Virtual: the start of the share; 64 KiB there lead to 64 MiB further on, the next 64 KiB may only be read.
    const uint64_t tables = NPU_MAP_DRAM + 64 * kMib;  // in the system reserve
    const uint64_t virtual_base = card.share.base - NPU_MAP_DRAM;
    const uint64_t physical = card.share.base + 64 * kMib;
    card.bus.write(tables + (virtual_base >> 30) * 8, tables + 0x1000 + 9);
    card.bus.write(tables + 0x1000 + (virtual_base >> 21) % 512 * 8, tables + 0x2000 + 9);
    card.bus.write(tables + 0x2000, physical + 7);
    card.bus.write(tables + 0x2008, physical + 0x10000 + 3);
    const uint32_t asid = card.function.enter_address_space();
    card.bus.write(NPU_MAP_MMU + MMU_ROOT(asid), tables + 1);  // the test's own in place of the firmware's

    card.function.write_memory(card.place(0x1000), pattern());
    for (uint64_t at = 0; at < kBytes; at += 8) {
      uint64_t expected = 0;
      std::memcpy(&expected, pattern().data() + at, sizeof expected);
      ASSERT_EQ(card.bus.read<uint64_t>(physical + 0x1000 + at), expected) << at;
    }
    const auto refused = [&](uint64_t offset, const npu_command& command, uint64_t address) {
      const auto done = card.function.run(command, {card.place(offset)});
      EXPECT_EQ(done.fault, uint32_t{NPU_FAULT_TRANSLATION}) << offset;
      EXPECT_EQ(done.fault_address, address);
    };
    EXPECT_EQ(card.function.run(load(0), {card.place(0x10000)}).status, uint32_t{NPU_JOB_OK});
    refused(0x10000, store(), NPU_ADDRESS(1, 0));       // read only
    refused(0x1f000, load(0), NPU_ADDRESS(1, 0x1000));  // its second half is not mapped
    refused(64 * kMib, load(0), NPU_ADDRESS(1, 0));     // the physical address is no virtual one
    RunningCard::settle();
    EXPECT_EQ(card.mmu(MMU_FAULT_STATUS), 0U);
    EXPECT_EQ(card.function.leave_address_space(), uint32_t{NPU_MAILBOX_OK});
  });
}

}  // namespace
}  // namespace npuvp::tests

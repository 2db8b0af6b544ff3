// SPDX-License-Identifier: Apache-2.0
// firmware/lib: formatting, log lines and the drivers against the fake card.
#include <gtest/gtest.h>

#include <string>

#include "npu/registers/mailbox.h"
#include "tests/firmware/fake_card.h"

extern "C" {
#include "firmware/lib/aclint.h"
#include "firmware/lib/crc32.h"
#include "firmware/lib/dma.h"
#include "firmware/lib/format.h"
#include "firmware/lib/host_address.h"
#include "firmware/lib/log.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/task_manager.h"
#include "firmware/lib/trap.h"
}

namespace npuvp::firmware_test {
namespace {

template <typename... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char buffer[64];
  size_t length = format_text(buffer, sizeof(buffer), format, arguments...);
  EXPECT_EQ(length, std::string(buffer).size());
  return buffer;
}

TEST(Format, PrintsIntegers) {
  EXPECT_EQ(formatted("%u %d %d %x", 42u, -42, 0, 0xbeefu), "42 -42 0 beef");
  EXPECT_EQ(formatted("%lu %lx", ~0ul, ~0ul), "18446744073709551615 ffffffffffffffff");
  EXPECT_EQ(formatted("%ld", static_cast<long>(INT64_MIN)), "-9223372036854775808");
}

TEST(Crc32, IsThatOfIeee8023) {
  EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926u);  // the check value of "CRC-32/ISO-HDLC" in catalogues of CRCs
  EXPECT_EQ(crc32(crc32(0, "12345", 5), "6789", 4), 0xcbf43926u);
  EXPECT_EQ(crc32(0, "", 0), 0u);
}

TEST(Format, PadsToTheWidth) {
  EXPECT_EQ(formatted("[%5u|%05u|%08x|%4s|%03d]", 7u, 7u, 0xau, "ab", -5), "[    7|00007|0000000a|  ab|-05]");
}

TEST(Format, CopiesTextAndUnknownConversions) {
  EXPECT_EQ(formatted("%s%c 100%% %q", "a", 'b'), "ab 100% %q");
}

TEST(Format, NeverWritesBeyondTheBuffer) {
  char buffer[8] = {'?', '?', '?', '?', '?', '?', '?', '?'};
  EXPECT_EQ(format_text(buffer, 5, "%s", "abcdefgh"), 4u);
  EXPECT_STREQ(buffer, "abcd");
  EXPECT_EQ(buffer[5], '?');
}

TEST(Log, PrefixesTimeAndSource) {
  FakeCard card;
  log_init("cp");
  card.now_ns = 12'345'678'999;
  log_line("queue %u", 3u);
  EXPECT_EQ(card.console, "[   12.345679] cp: queue 3\r\n");  // 10 ns later by the read of mtime
}

TEST(Log, CutsLongLines) {
  FakeCard card;
  log_init("cp");
  log_line("%s", std::string(500, 'x').c_str());
  EXPECT_EQ(card.console.size(), LOG_LINE_BYTES - 1 + 2);
  EXPECT_TRUE(card.console.ends_with("x\r\n"));
}

TEST(Log, LosesTextWhenTheUartIsStuckButReturns) {
  FakeCard card;
  log_init("cp");
  card.uart_stuck = true;
  log_line("lost");
  EXPECT_EQ(card.console, "");
  EXPECT_LT(card.now_ns, 10'000'000u);
}

TEST(HostAddress, AcceptsRangesUpToTheLastAddressableByte) {
  EXPECT_TRUE(host_range_valid(0, 1));
  EXPECT_TRUE(host_range_valid(NPU_MAP_HOST_ADDRESS_MASK, 1));
  EXPECT_TRUE(host_range_valid(NPU_MAP_HOST_ADDRESS_MASK - 4095, 4096));
  EXPECT_FALSE(host_range_valid(NPU_MAP_HOST_ADDRESS_MASK - 4094, 4096));
  EXPECT_FALSE(host_range_valid(NPU_MAP_HOST_ADDRESS_MASK + 1, 1));
  EXPECT_FALSE(host_range_valid(8, UINT64_MAX));
  EXPECT_FALSE(host_range_valid(0, 0));
}

class Dma : public testing::Test {
 protected:
  void SetUp() override { plic_init(PLIC_SOURCE(NPU_IRQ_MAILBOX)); }
  FakeCard card;
};

TEST_F(Dma, CopiesFromTheHost) {
  card.host.put<uint64_t>(0x4560, 0x1122334455667788);
  uint64_t value = 0;
  EXPECT_EQ(dma_copy(0, dma_address(&value), host_to_card(0x4560), sizeof(value)), DMA_OK);
  EXPECT_EQ(value, 0x1122334455667788u);
}

TEST_F(Dma, SleepsInsteadOfPollingEvenWhileAMessageWaits) {
  card.host.put<uint64_t>(0x4560, 1);
  card.send({});
  card.dma_duration_ns = 50'000'000;
  uint64_t value = 0;
  unsigned before = card.accesses;
  EXPECT_EQ(dma_copy(0, dma_address(&value), host_to_card(0x4560), sizeof(value)), DMA_OK);
  EXPECT_LT(card.accesses - before, 25u);
}

TEST_F(Dma, LeavesTheInterruptControllerAsItWas) {
  card.host.put<uint64_t>(0x4560, 1);
  card.send({});
  uint64_t value = 0;
  ASSERT_EQ(dma_copy(0, dma_address(&value), host_to_card(0x4560), sizeof(value)), DMA_OK);
  EXPECT_EQ(plic_enabled(), PLIC_SOURCE(NPU_IRQ_MAILBOX));
  EXPECT_EQ(plic_claim(), static_cast<uint32_t>(NPU_IRQ_MAILBOX));
}

TEST_F(Dma, ReportsABusError) {
  uint64_t value = 0;
  EXPECT_EQ(dma_copy(0, dma_address(&value), host_to_card(0x9000), sizeof(value)), DMA_BUS_ERROR);
  EXPECT_EQ(dma_error_address(), host_to_card(0x9000));
}

TEST_F(Dma, GivesUpAfterTheTimeOutAndRefusesToUseTheBusyChannel) {
  card.dma_stuck = true;
  uint64_t value = 0, before = card.now_ns;
  EXPECT_EQ(dma_copy(0, dma_address(&value), host_to_card(0x4560), sizeof(value)), DMA_TIMED_OUT);
  EXPECT_GE(card.now_ns - before, DMA_TIMEOUT_NS);
  EXPECT_LT(card.now_ns - before, 2 * DMA_TIMEOUT_NS);
  card.dma_stuck = false;
  // The fake fails the test on a START while BUSY.
  EXPECT_EQ(dma_copy(0, dma_address(&value), host_to_card(0x4560), sizeof(value)), DMA_TIMED_OUT);
}

TEST(TaskManager, KeepsTheJobsOfItsSlotsApart) {
  FakeCard card;
  card.dram.map(0, 4096);
  ASSERT_EQ(task_manager_slots(), 4u);
  for (uint32_t slot : {0u, 3u}) {
    const task_manager_job job{.commands = NPU_MAP_DRAM,
                               .command_bytes = 128,
                               .asid = 7 + slot,
                               .address_space = 20 + slot,
                               .function = slot,
                               .segments = NPU_MAP_DRAM,
                               .segment_count = 0};
    EXPECT_TRUE(task_manager_start(slot, &job));
    EXPECT_FALSE(task_manager_start(slot, &job));
  }
  ASSERT_EQ(card.started_jobs.size(), 2u);
  EXPECT_EQ(card.started_jobs[1].slot, 3u);
  EXPECT_EQ(card.started_jobs[1].asid, 10u);
  EXPECT_EQ(card.started_jobs[1].address_space, 23u);
  EXPECT_EQ(card.started_jobs[1].function, 3u);

  task_manager_end end{};
  EXPECT_FALSE(task_manager_take_end(3, &end));
  task_manager_abort(0);
  EXPECT_TRUE(card.job_running(3));
  EXPECT_TRUE(task_manager_take_end(0, &end));
  EXPECT_TRUE(end.error);
  EXPECT_EQ(end.fault, uint32_t{NPU_FAULT_NONE});
  EXPECT_FALSE(task_manager_take_end(0, &end));

  card.retired = 5;
  EXPECT_EQ(task_manager_retired(3), 5u);
  card.end_job({.error = true,
                .fault = NPU_FAULT_BUS,
                .fault_command = 6,
                .fault_address = 0x1234567890,
                .retired = 5,
                .cancelled = 2,
                .fault_position = NPU_DMA_POSITION(1, 99)},
               3);
  ASSERT_TRUE(task_manager_take_end(3, &end));
  EXPECT_EQ(end.fault, uint32_t{NPU_FAULT_BUS});
  EXPECT_EQ(end.fault_command, 6u);
  EXPECT_EQ(end.fault_address, 0x1234567890u);
  EXPECT_EQ(end.fault_position, NPU_DMA_POSITION(1, 99));
  EXPECT_EQ(end.cancelled, 2u);
  EXPECT_EQ(end.retired, 5u);
}

TEST(Trap, DumpsTheRegistersAndLeavesARecordForTheNextBoot) {
  FakeCard card;
  log_init("cp");
  trap_frame frame{};
  frame.x[9] = 0xabcdef;  // x10 = a0
  frame.mepc = 0x100200;
  frame.mcause = 7;
  frame.mtval = 0x18;
  trap_report(&frame);
  EXPECT_NE(card.console.find("TRAP store access fault: pc 100200 value 18 cause 7"), std::string::npos)
      << card.console;
  EXPECT_NE(card.console.find(" a0 0000000000abcdef"), std::string::npos) << card.console;
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_FAULT);

  card.console.clear();
  EXPECT_TRUE(trap_report_last_crash());
  EXPECT_NE(card.console.find("store access fault, pc 100200 value 18"), std::string::npos) << card.console;
  EXPECT_FALSE(trap_report_last_crash());
}

}  // namespace
}  // namespace npuvp::firmware_test

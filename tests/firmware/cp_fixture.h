// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/firmware/fake_card.h"

extern "C" {
#include "firmware/abi/command.h"
#include "firmware/abi/mailbox.h"
#include "firmware/cp/service.h"
}

namespace npuvp::firmware_test {

/// The command-processor firmware running natively on the fake card, with the test as host driver.
class CpFixture : public testing::Test {
 protected:
  static constexpr uint32_t kContext = 77;
  static constexpr uint32_t kVector = 5;
  static constexpr uint64_t kSegmentTable = 0x30'0000;
  static constexpr uint64_t kJobDram = NPU_MAP_DRAM + NPU_DRAM_RESERVED_BYTES;

  void SetUp() override { service_init(); }

  /// Serves everything there is to do.
  static void run() {
    while (service_poll()) {
    }
  }
  /// Sleeps once and serves what woke the firmware.
  static void sleep_and_run() {
    service_sleep();
    run();
  }

  Message ask(const Message& message, uint32_t function = 0) {
    card.send(message, function);
    run();
    EXPECT_TRUE(card.reply(function).has_value());
    return card.reply(function).value_or(Message{});
  }
  uint32_t ask_status(const Message& message, uint32_t function = 0) {
    return NPU_MAILBOX_STATUS(ask(message, function)[0]);
  }

  static uint64_t submission_ring(uint32_t queue) { return 0x10'0000 + queue * 0x1'0000; }
  static uint64_t completion_ring(uint32_t queue) { return 0x20'0000'0000 + queue * 0x1'0000; }

  static Message queue_create(uint32_t queue, uint32_t log2_entries) {
    uint64_t sq = submission_ring(queue), cq = completion_ring(queue);
    return {NPU_MESSAGE_QUEUE_CREATE,  queue | log2_entries << 8 | (kVector + queue) << 16,
            static_cast<uint32_t>(sq), static_cast<uint32_t>(sq >> 32),
            static_cast<uint32_t>(cq), static_cast<uint32_t>(cq >> 32),
            kContext + queue};
  }
  void create(uint32_t queue, uint32_t log2_entries = 3) {
    card.host.map(submission_ring(queue), 64ull << log2_entries);
    card.host.map(completion_ring(queue), 64ull << log2_entries);
    ASSERT_EQ(ask_status(queue_create(queue, log2_entries)), static_cast<uint32_t>(NPU_MAILBOX_OK));
  }

  static npu_submission nop(uint32_t queue, uint64_t job) {
    npu_submission submission{};
    submission.opcode = NPU_SUBMIT_NOP;
    submission.context = kContext + queue;
    submission.job = job;
    return submission;
  }
  /// A job with one DEVICE segment that holds two commands, starting with `first_byte`.
  npu_submission execute(uint32_t queue, uint64_t job, uint8_t first_byte = 1) {
    card.host.put(kSegmentTable, npu_segment{kJobDram, 0x10000, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0});
    std::vector<uint8_t> commands(2 * sizeof(npu_command), 0);
    commands[0] = first_byte;
    card.dram.map(NPU_DRAM_RESERVED_BYTES, 0x10000);
    EXPECT_TRUE(card.dram.write(NPU_DRAM_RESERVED_BYTES, commands));
    npu_submission submission = nop(queue, job);
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.segment_table = kSegmentTable;
    submission.segment_count = 1;
    submission.command_bytes = static_cast<uint32_t>(commands.size());
    return submission;
  }
  /// Writes a submission into slot `index` of the ring.
  void put(uint32_t queue, uint32_t index, const npu_submission& submission) {
    card.host.put(submission_ring(queue) + index * sizeof(submission), submission);
  }
  npu_completion completion(uint32_t queue, uint32_t index) {
    return card.host.get<npu_completion>(completion_ring(queue) + index * sizeof(npu_completion));
  }
  /// Submits into slot 0 of a fresh queue 0 and returns the completion after all is served.
  npu_completion run_first(const npu_submission& submission) {
    put(0, 0, submission);
    card.ring_sq_tail(0, 1);
    run();
    return completion(0, 0);
  }
  [[nodiscard]] bool said(const char* text) const { return card.console.find(text) != std::string::npos; }

  FakeCard card;
};

}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// A function that floods the firmware with messages and doorbells, beside one with jobs (bounds of
// firmware/cp/upkeep.h).
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/context.h"
#include "firmware/abi/fault.h"
#include "firmware/cp/upkeep.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr auto kOk = static_cast<uint32_t>(NPU_MAILBOX_OK);
constexpr uint32_t kFlooder = 1;
constexpr uint32_t kVictim = 2;
constexpr uint64_t kRecords = 0x60'0000;
constexpr uint64_t kJobNs = 20'000;
constexpr uint32_t kEntries = 8;

enum Flood : unsigned { kNothing = 0, kMessages = 1, kDoorbells = 2 };

class Upkeep : public CpFixture {
 protected:
  void SetUp() override {
    card.dram_mib = 288 + 64;
    CpFixture::SetUp();
    ASSERT_EQ(ask_status({NPU_MESSAGE_PARTITION, 2}), kOk);
    for (uint32_t function : {kFlooder, kVictim}) {
      auto& host = card.vf_host[function];
      host.map(submission_ring(0), 64 * kEntries);
      host.map(completion_ring(0), 64 * kEntries);
      host.map(kRecords, NPU_VF_FAULT_RECORDS * sizeof(npu_fault_record));
      Message message = queue_create(0, 3);
      message[1] = 3u << 8 | 1u << 16;
      ASSERT_EQ(ask_status(message, function), kOk) << card.console;
    }
    // Sixteen records to read, which is the most expensive message that a virtual function may send.
    auto& host = card.vf_host[kFlooder];
    for (uint32_t i = 0; i < NPU_VF_FAULT_RECORDS + 4; ++i) {
      host.put(submission_ring(0) + i % kEntries * sizeof(npu_submission), nop(9, i));
      card.ring_sq_tail(0, (i + 1) % kEntries, kFlooder);
      run();
      card.ring_cq_head(0, (i + 1) % kEntries, kFlooder);
      run();
    }
    const Message hello = ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION}, kVictim);
    const uint64_t base = uint64_t{hello[7]} << 20;
    card.dram.map(base - NPU_MAP_DRAM, 4096);
    card.vf_host[kVictim].put(kSegmentTable, npu_segment{base, 4096, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0});
    npu_submission submission = nop(0, 1);
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.segment_table = kSegmentTable;
    submission.segment_count = 1;
    submission.command_bytes = sizeof(npu_command);
    for (uint32_t i = 0; i < kEntries; ++i) {
      card.vf_host[kVictim].put(submission_ring(0) + i * sizeof(submission), submission);
    }
    card.task_manager_duration_ns = kJobNs;
  }

  /// Jobs that the victim, whose ring is always full, has done after `ns`.
  uint32_t victims_jobs(uint64_t ns, unsigned flood) {
    const uint64_t end = card.now_ns + ns;
    uint32_t done = 0, head = 0;
    answers = 0;
    card.ring_sq_tail(0, kEntries - 1, kVictim);
    while (card.now_ns < end) {
      if ((flood & kMessages) && card.reply(kFlooder).has_value()) {
        ++answers;
        card.send({NPU_MESSAGE_FAULT_READ, 0, static_cast<uint32_t>(kRecords), 0, NPU_VF_FAULT_RECORDS}, kFlooder);
      }
      if (flood & kDoorbells) card.ring_cq_head(0, 77, kFlooder);
      if (!service_poll()) service_sleep();
      const auto entry = card.vf_host[kVictim].get<npu_completion>(completion_ring(0) + head * sizeof(npu_completion));
      if (entry.phase != (done / kEntries % 2 == 0 ? 1u : 0u)) continue;
      ++done;
      head = (head + 1) % kEntries;
      card.ring_cq_head(0, head, kVictim);
      card.ring_sq_tail(0, (head + kEntries - 1) % kEntries, kVictim);
    }
    return done;
  }

  uint64_t firmware_ns(uint32_t function) {
    const Message reply = ask({NPU_MESSAGE_CONTEXT_TIME, kContext}, function);
    EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), kOk);
    return reply[3] | uint64_t{reply[4]} << 32;
  }

  uint32_t answers = 0;
};

TEST_F(Upkeep, WithoutAFloodAJobTakesItsTimeAndLittleMore) {
  EXPECT_GT(victims_jobs(20'000'000, kNothing), 20'000'000 / (kJobNs + 5'000));
}

TEST_F(Upkeep, AFloodOfMessagesTakesItsPartOfTheTimeAndNoMore) {
  const uint32_t alone = 20'000'000 / (kJobNs + 5'000);
  const uint32_t flooded = victims_jobs(20'000'000, kMessages);
  EXPECT_GT(flooded, alone - alone / UPKEEP_SHARE - 10);
  // It is not starved either: an eighth of the time is some 2.5 ms, of which a message takes some 18 us.
  EXPECT_GT(answers, 100u);
  EXPECT_LT(answers, 200u);
}

TEST_F(Upkeep, AFloodOfDoorbellsTakesItsPartOfTheTimeAndNoMore) {
  const uint32_t alone = 20'000'000 / (kJobNs + 5'000);
  EXPECT_GT(victims_jobs(20'000'000, kDoorbells | kMessages), alone - alone / UPKEEP_SHARE - 10);
}

TEST_F(Upkeep, NobodyIsHeldBackWhileNobodyElseHasWork) {
  const uint64_t begin = card.now_ns;
  for (uint32_t i = 0; i < 100; ++i) {
    ASSERT_EQ(
        ask_status({NPU_MESSAGE_FAULT_READ, 0, static_cast<uint32_t>(kRecords), 0, NPU_VF_FAULT_RECORDS}, kFlooder),
        kOk);
  }
  EXPECT_LT(card.now_ns - begin, 100 * 25'000u);
}

TEST_F(Upkeep, DoorbellsAreOnTheAccountOfTheirContext) {
  const uint64_t before = firmware_ns(kFlooder);
  const uint64_t others = firmware_ns(kVictim);
  for (uint32_t i = 0; i < 50; ++i) {
    card.ring_cq_head(0, 77, kFlooder);
    run();
  }
  // A doorbell costs at least the reads of which function, which queue and the two indices, 10 ns each.
  EXPECT_GE(firmware_ns(kFlooder) - before, 50 * 40u);
  EXPECT_LT(firmware_ns(kVictim) - others, 1000u);  // its own message
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// Who gets the card, and after how long at the latest (bounds of firmware/cp/scheduler.h). Each job keeps the card for
// as long as its context says.
#include <map>

#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/context.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr auto kOk = static_cast<uint32_t>(NPU_MAILBOX_OK);
constexpr uint64_t kMs = 1'000'000;
constexpr uint32_t kEntries = 8;

class Scheduler : public CpFixture {
 protected:
  /// A function's queue whose ring is always full of jobs, or empty.
  struct Load {
    uint32_t function;
    uint32_t queue;
    uint64_t job_ns;
    bool nops = false;
    uint32_t tail = 0;
    uint32_t head = 0;  ///< Completions taken.
    uint32_t done = 0;
    uint32_t asid = 0;
    uint64_t waiting_since = 0;
    uint64_t longest_wait = 0;
  };

  FakeMemory& host_of(uint32_t function) { return function == 0 ? card.host : card.vf_host[function]; }

  void add(uint32_t function, uint32_t queue, uint32_t priority, uint64_t job_ns, bool nops = false) {
    host_of(function).map(submission_ring(queue), 64 * kEntries);
    host_of(function).map(completion_ring(queue), 64 * kEntries);
    const Message reply =
        ask({NPU_MESSAGE_CONTEXT_CREATE, kContext + queue, NPU_CONTEXT_WORD(priority, 0, 0)}, function);
    ASSERT_EQ(NPU_MAILBOX_STATUS(reply[0]), kOk) << card.console;
    Message message = queue_create(queue, 3);
    message[1] = queue | 3u << 8 | (queue + 1) << 16;
    ASSERT_EQ(ask_status(message, function), kOk) << card.console;
    loads.push_back({.function = function, .queue = queue, .job_ns = job_ns, .nops = nops, .asid = reply[1]});
  }

  npu_submission job_of(const Load& load) {
    npu_submission submission = nop(load.queue, load.done);
    if (load.nops) return submission;
    const Message hello = ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION}, load.function);
    const uint64_t base = uint64_t{hello[7]} << 20;
    card.dram.map(base - NPU_MAP_DRAM, 4096);
    host_of(load.function).put(kSegmentTable, npu_segment{base, 4096, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0});
    npu_command whole_card{};  // what a chain uses is not to be told: all of the shared memory
    whole_card.kind = NPU_COMMAND_TASK_DMA;
    whole_card.opcode = NPU_DMA_CHAIN;
    card.dram.put(base - NPU_MAP_DRAM, whole_card);
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.segment_table = kSegmentTable;
    submission.segment_count = 1;
    submission.command_bytes = sizeof(npu_command);
    return submission;
  }
  /// Fills the ring, whose entries are all alike.
  void fill(Load& load) {
    const npu_submission submission = job_of(load);
    for (uint32_t i = 0; i < kEntries; ++i) {
      host_of(load.function).put(submission_ring(load.queue) + i * sizeof(submission), submission);
    }
    refill(load);
  }
  void refill(Load& load) {
    load.tail = (load.head + kEntries - 1) % kEntries;
    card.ring_cq_head(load.queue, load.head, load.function);
    card.ring_sq_tail(load.queue, load.tail, load.function);
  }
  void take_completions(Load& load) {
    for (uint32_t taken = 0; taken < kEntries; ++taken) {
      const auto entry =
          host_of(load.function).get<npu_completion>(completion_ring(load.queue) + load.head * sizeof(npu_completion));
      const uint32_t phase = load.done / kEntries % 2 == 0 ? 1 : 0;
      if (entry.phase != phase) return;
      EXPECT_EQ(entry.status, static_cast<uint32_t>(NPU_JOB_OK));
      load.longest_wait = std::max(load.longest_wait, entry.start_ns - load.waiting_since);
      load.waiting_since = entry.end_ns;
      load.head = (load.head + 1) % kEntries;
      ++load.done;
    }
  }
  /// All loads flood the card for `ns`.
  void flood(uint64_t ns) {
    for (Load& load : loads) {
      load.waiting_since = card.now_ns;
      fill(load);
    }
    const uint64_t end = card.now_ns + ns;
    while (card.now_ns < end) {
      service_poll();
      if (card.job_running()) {
        const uint32_t asid = card.started_jobs.back().asid;
        for (const Load& load : loads) {
          if (load.asid == asid) card.advance_ns(load.job_ns);
        }
        card.end_job({.retired = 1});
      }
      for (Load& load : loads) {
        const uint32_t before = load.done;
        take_completions(load);
        if (load.done != before) refill(load);
      }
      card.started_jobs.erase(card.started_jobs.begin(), card.started_jobs.end() - (card.started_jobs.empty() ? 0 : 1));
    }
  }

  std::vector<Load> loads;
};

TEST_F(Scheduler, ContextsShareTimeNotJobs) {
  add(0, 0, NPU_PRIORITY_NORMAL, 5 * kMs);
  add(0, 1, NPU_PRIORITY_NORMAL, 1 * kMs);
  flood(600 * kMs);
  // 300 ms each: 60 jobs and 300, less what the firmware takes and one job of either.
  EXPECT_NEAR(loads[0].done, 60, 2);
  EXPECT_NEAR(loads[1].done, 300, 10);
}

TEST_F(Scheduler, FunctionsShareTimeWhateverTheyCallUrgent) {
  card.dram_mib = 288 + 64;
  service_init();
  ASSERT_EQ(ask_status({NPU_MESSAGE_PARTITION, 2}), kOk);
  add(0, 0, NPU_PRIORITY_LOW, 2 * kMs);
  add(1, 0, NPU_PRIORITY_URGENT, 10 * kMs);
  add(1, 1, NPU_PRIORITY_URGENT, 10 * kMs);
  add(2, 0, NPU_PRIORITY_LOW, 1 * kMs);
  flood(900 * kMs);
  // 300 ms a function.
  EXPECT_NEAR(loads[0].done, 150, 8);
  EXPECT_NEAR(loads[1].done + loads[2].done, 30, 2);
  EXPECT_NEAR(loads[3].done, 300, 15);
  // The others may be one job of theirs ahead and have one of its own lengths to catch up: 10 + 1 + 2 * 2, 10 + 2 + 2.
  EXPECT_LT(loads[0].longest_wait, 15 * kMs);
  EXPECT_LT(loads[3].longest_wait, 14 * kMs);
}

TEST_F(Scheduler, AFloodOfTinySubmissionsIsNotFree) {
  card.dram_mib = 288 + 64;
  service_init();
  ASSERT_EQ(ask_status({NPU_MESSAGE_PARTITION, 2}), kOk);
  add(1, 0, NPU_PRIORITY_NORMAL, 0, true);
  add(2, 0, NPU_PRIORITY_NORMAL, 1 * kMs);
  flood(200 * kMs);
  // Half of the time that is on anybody's account; here each tiny job comes with two doorbells of its own.
  EXPECT_GT(loads[1].done, 60u);
  EXPECT_LT(loads[1].longest_wait, 3 * kMs);
}

TEST_F(Scheduler, UrgentGoesFirstAndLowIsServedAtTheLatestWhenItHasRisen) {
  add(0, 0, NPU_PRIORITY_LOW, 1 * kMs);
  add(0, 1, NPU_PRIORITY_URGENT, 1 * kMs);
  add(0, 2, NPU_PRIORITY_HIGH, 1 * kMs);
  flood(3000 * kMs);
  // Three levels of NPU_PRIORITY_AGING_MS for LOW, one for HIGH, and a job of each of the others.
  EXPECT_GT(loads[0].longest_wait, 149 * kMs);
  EXPECT_LT(loads[0].longest_wait, 153 * kMs);
  EXPECT_LT(loads[2].longest_wait, 53 * kMs);
  EXPECT_LT(loads[1].longest_wait, 3 * kMs);
  EXPECT_GE(loads[0].done, 19u);
  EXPECT_GT(loads[1].done, 2900u);
}

TEST_F(Scheduler, WhoComesBackAfterAPauseHasSavedUpNothing) {
  add(0, 0, NPU_PRIORITY_NORMAL, 1 * kMs);
  flood(500 * kMs);
  add(0, 1, NPU_PRIORITY_NORMAL, 1 * kMs);
  flood(100 * kMs);
  EXPECT_NEAR(loads[1].done, 50, 2);
}

}  // namespace
}  // namespace npuvp::firmware_test

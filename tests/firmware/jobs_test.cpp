// SPDX-License-Identifier: Apache-2.0
// The path of a job through the command-processor firmware.
#include "npu/registers/mailbox.h"
#include "tests/firmware/cp_fixture.h"

namespace npuvp::firmware_test {
namespace {

class Jobs : public CpFixture {
 protected:
  void SetUp() override {
    CpFixture::SetUp();
    create(0);
  }
  /// Rings the doorbell for slot 0 of queue 0 and checks that the job runs.
  void start(const npu_submission& submission) {
    (void)run_first(submission);
    ASSERT_EQ(card.started_jobs.size(), 1u);
    ASSERT_TRUE(card.job_running());
  }
  void expect_refused(const npu_submission& submission, const char* reason) {
    npu_completion done = run_first(submission);
    EXPECT_EQ(done.phase, 1u);
    EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_BAD_SUBMISSION));
    EXPECT_EQ(done.job, submission.job);
    EXPECT_TRUE(card.started_jobs.empty());
    EXPECT_TRUE(said(reason)) << card.console;
  }
};

TEST_F(Jobs, DeviceCommandsReachTheTaskManagerThroughTheStagingArea) {
  npu_submission submission = execute(0, 5, 0x42);
  submission.command_offset = 128;
  submission.command_bytes = 128;
  card.dram.put<uint8_t>(NPU_DRAM_RESERVED_BYTES + 128, 0x43);
  start(submission);
  const StartedJob& job = card.started_jobs[0];
  ASSERT_EQ(job.commands.size(), 128u);
  EXPECT_EQ(job.commands[0], 0x43);
  EXPECT_EQ(job.asid, 1u);  // the first context of the physical function; 0 is the firmware's
  ASSERT_EQ(job.segments.size(), 1u);
  EXPECT_EQ(job.segments[0].base, kJobDram);
  EXPECT_EQ(job.segments[0].flags, NPU_SEGMENT_WRITABLE);
}

TEST_F(Jobs, CompletionCarriesWhatTheTaskManagerReports) {
  start(execute(0, 5));
  uint64_t started = card.now_ns;
  card.advance_ns(5000);
  card.end_job(
      {.error = true, .fault = NPU_FAULT_PERMISSION, .fault_command = 1, .fault_address = 0x300, .retired = 1});
  run();
  npu_completion done = completion(0, 0);
  EXPECT_EQ(done.job, 5u);
  EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_FAULT));
  EXPECT_EQ(done.fault, static_cast<uint32_t>(NPU_FAULT_PERMISSION));
  EXPECT_EQ(done.fault_command, 1u);
  EXPECT_EQ(done.fault_address, 0x300u);
  EXPECT_EQ(done.commands, 1u);
  EXPECT_LE(done.start_ns, started);
  EXPECT_EQ(done.end_ns, started + 5000);
}

TEST_F(Jobs, SuccessIsOk) {
  start(execute(0, 5));
  card.end_job({.retired = 2});
  run();
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(completion(0, 0).commands, 2u);
}

TEST_F(Jobs, HostCommandsAreGatheredPageByPage) {
  // 130 commands from command 31 of page 0 on: pages 0 to 5; 1 and 2 are neighbours, the others scattered.
  const std::vector<uint64_t> pages = {0x90000, 0x50000, 0x51000, 0x7000'0000'0000, 0x60000, 0x88000};
  constexpr uint64_t kList = 0x40'0ff8;  // the list crosses a page of its own
  for (uint64_t i = 0; i < pages.size(); ++i) {
    card.host.put(kList + 8 * i, pages[i]);
    for (uint64_t c = 0; c < 32; ++c) card.host.put(pages[i] + c * 128, 1000 + i * 32 + c);
  }
  npu_submission submission = execute(0, 5);
  card.host.put(kSegmentTable, npu_segment{kList, 6 * 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
  submission.command_offset = 31 * 128;
  submission.command_bytes = 130 * 128;
  start(submission);
  const std::vector<uint8_t>& commands = card.started_jobs[0].commands;
  ASSERT_EQ(commands.size(), 130u * 128);
  for (uint64_t c = 0; c < 130; ++c) {
    uint64_t number;
    std::memcpy(&number, commands.data() + c * 128, sizeof(number));
    ASSERT_EQ(number, 1000 + 31 + c);
  }
  EXPECT_EQ(card.dma_copies, 1u + 1 + 1 + 5 + 2);  // submission, segments, list, pages with one pair; what it needs
}

TEST_F(Jobs, TheLongestStreamFromTheMiddleOfAPageFits) {
  constexpr uint64_t kList = 0x40'0000;
  for (uint64_t i = 0; i < 65; ++i) {
    card.host.put(kList + 8 * i, 0x100'0000 + 0x2000 * i);
    card.host.map(0x100'0000 + 0x2000 * i, 4096);
  }
  npu_submission submission = execute(0, 5);
  card.host.put(kSegmentTable, npu_segment{kList, 65 * 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
  submission.command_offset = 128;
  submission.command_bytes = NPU_MAX_COMMAND_BYTES;
  start(submission);
}

TEST_F(Jobs, BadPageListEntriesAreRefused) {
  npu_submission submission = execute(0, 5);
  card.host.put(kSegmentTable, npu_segment{0x40'0000, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
  card.host.put<uint64_t>(0x40'0000, 0x50'0800);
  expect_refused(submission, "page list: not a page the card can reach");
}

TEST_F(Jobs, PageListEntriesBeyondTheWindowAreRefused) {
  npu_submission submission = execute(0, 5);
  card.host.put(kSegmentTable, npu_segment{0x40'0000, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
  card.host.put<uint64_t>(0x40'0000, NPU_MAP_HOST_ADDRESS_MASK + 1);
  expect_refused(submission, "page list: not a page the card can reach");
}

TEST_F(Jobs, BadSubmissionsAreRefusedWithAReason) {
  npu_submission submission = execute(0, 6);
  submission.context = 1;
  expect_refused(submission, "queue 0: job 6 refused: submission: context is not the queue's");
}

TEST_F(Jobs, BadSegmentsAreRefusedWithAReason) {
  npu_submission submission = execute(0, 6);
  card.host.put(kSegmentTable, npu_segment{NPU_MAP_DRAM, 0x10000, NPU_SEGMENT_DEVICE, 0, 0});
  expect_refused(submission, "queue 0: job 6 refused: segment: outside the DRAM for jobs");
}

TEST_F(Jobs, EverySegmentIsChecked) {
  npu_submission submission = execute(0, 6);
  for (uint64_t i = 0; i < 16; ++i) {
    card.host.put(kSegmentTable + 32 * i, npu_segment{kJobDram, 0x10000, NPU_SEGMENT_DEVICE, 0, i == 15});
  }
  submission.segment_count = 16;
  expect_refused(submission, "segment 15");
}

TEST_F(Jobs, CommandsOutsideTheirSegmentAreRefused) {
  npu_submission submission = execute(0, 6);
  submission.command_offset = 0x10000;
  expect_refused(submission, "commands: command range outside its segment");
}

TEST_F(Jobs, UnreadableTableIsAFetchFault) {
  npu_submission submission = execute(0, 6);
  submission.segment_table = 0x66'0000;
  npu_completion done = run_first(submission);
  EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_FAULT));
  EXPECT_EQ(done.fault, static_cast<uint32_t>(NPU_FAULT_FETCH));
  EXPECT_EQ(done.fault_address, 0x66'0000u);
}

TEST_F(Jobs, UnreadableCommandPagesAreAFetchFault) {
  npu_submission submission = execute(0, 6);
  card.host.put(kSegmentTable, npu_segment{0x40'0000, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
  card.host.put<uint64_t>(0x40'0000, 0x77'7000);
  npu_completion done = run_first(submission);
  EXPECT_EQ(done.fault, static_cast<uint32_t>(NPU_FAULT_FETCH));
  EXPECT_EQ(done.fault_address, 0x77'7000u);
}

TEST_F(Jobs, TheHostCannotChangeSegmentsAfterTheCheck) {
  npu_submission submission = execute(0, 6);
  card.after_dma = [&](unsigned copy) {
    if (copy == 2) card.host.put(kSegmentTable, npu_segment{0, UINT64_MAX, NPU_SEGMENT_DEVICE, 1, 0});
  };
  start(submission);
  EXPECT_EQ(card.started_jobs[0].segments[0].base, kJobDram);
}

TEST_F(Jobs, OfAQueueRunOneAtATimeAndMessagesAreServedMeanwhile) {
  put(0, 0, execute(0, 1));
  put(0, 1, execute(0, 2));
  card.ring_sq_tail(0, 2);
  run();
  EXPECT_EQ(card.started_jobs.size(), 1u);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PING}), static_cast<uint32_t>(NPU_MAILBOX_OK));
  create(3);
  card.end_job({});
  run();
  EXPECT_EQ(card.started_jobs.size(), 2u);
  EXPECT_EQ(completion(0, 0).job, 1u);
  card.end_job({});
  run();
  EXPECT_EQ(completion(0, 1).job, 2u);
}

TEST_F(Jobs, TimeOutAbortsTheJobAndTheQueueGoesOn) {
  npu_submission submission = execute(0, 5);
  submission.timeout_us = 250;
  start(submission);
  uint64_t started = card.now_ns;
  sleep_and_run();
  EXPECT_EQ(card.aborts, 1u);
  run();
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_GE(card.now_ns, started - 1000 + 250'000);
  EXPECT_LT(completion(0, 0).end_ns, started + 250'000 + 20'000);
  put(0, 1, nop(0, 6));
  card.ring_sq_tail(0, 2);
  run();
  EXPECT_EQ(completion(0, 1).status, static_cast<uint32_t>(NPU_JOB_OK));
}

TEST_F(Jobs, AJobThatEndsAtItsTimeOutCountsAsItEnded) {
  npu_submission submission = execute(0, 5);
  submission.timeout_us = 250;
  card.task_manager_obeys_abort = false;
  start(submission);
  sleep_and_run();
  EXPECT_EQ(card.aborts, 1u);
  card.end_job({.retired = 2});
  run();
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_OK));
}

TEST_F(Jobs, ATaskManagerThatDoesNotStopIsAFaultOfTheCard) {
  npu_submission submission = execute(0, 5);
  submission.timeout_us = 250;
  card.task_manager_obeys_abort = false;
  start(submission);
  sleep_and_run();
  sleep_and_run();
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  put(0, 1, execute(0, 6));
  card.ring_sq_tail(0, 2);
  run();
  EXPECT_EQ(completion(0, 1).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(card.started_jobs.size(), 1u);
}

TEST_F(Jobs, DestroyAbortsTheRunningJobThenTheWaitingOnes) {
  put(0, 0, execute(0, 1));
  put(0, 1, execute(0, 2));
  card.ring_sq_tail(0, 2);
  run();
  card.task_manager_obeys_abort = false;
  card.send({NPU_MESSAGE_QUEUE_DESTROY, 0});
  run();
  EXPECT_EQ(card.aborts, 1u);
  EXPECT_FALSE(card.reply().has_value());
  card.end_job({.error = true});
  run();
  EXPECT_TRUE(card.reply().has_value());
  EXPECT_EQ(completion(0, 0).job, 1u);
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(completion(0, 1).job, 2u);
  EXPECT_EQ(completion(0, 1).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(card.started_jobs.size(), 1u);
}

TEST_F(Jobs, DestroyOfAnotherQueueLeavesTheJobAlone) {
  create(1);
  start(execute(0, 1));
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 1}), static_cast<uint32_t>(NPU_MAILBOX_OK));
  EXPECT_EQ(card.aborts, 0u);
  EXPECT_TRUE(card.job_running());
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// A card shared by virtual functions: what each gets, what it cannot do to the others, and what a reset of one leaves.
// Each virtual function's host memory is its own, so an access in the wrong name fails or is seen in the wrong place.
#include <algorithm>

#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/cp/queues.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kMib = 1 << 20;
// 64 MiB for jobs, by hand: two virtual functions get a third of it in whole 2 MiB each, the physical one the rest.
constexpr uint32_t kPartMib = 20, kPhysicalMib = 24;
constexpr uint32_t kDramMib = 65536, kReservedMib = 288;  // memory_map.h
constexpr uint64_t kPhysicalBase = (kDramMib + kReservedMib) * kMib;
constexpr uint64_t kFirstBase = kPhysicalBase + kPhysicalMib * kMib;
constexpr uint64_t kSecondBase = kFirstBase + kPartMib * kMib;
constexpr auto kOk = static_cast<uint32_t>(NPU_MAILBOX_OK);
constexpr auto kBadArgument = static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT);

class Functions : public CpFixture {
 protected:
  void SetUp() override {
    card.dram_mib = kReservedMib + 64;
    CpFixture::SetUp();
  }

  FakeMemory& host_of(uint32_t function) { return function == 0 ? card.host : card.vf_host[function]; }

  void partition(uint32_t vfs) { ASSERT_EQ(ask_status({NPU_MESSAGE_PARTITION, vfs}), kOk) << card.console; }

  /// A queue of `function` with 8 entries; its vector is its number + 1.
  Message create_message(uint32_t queue, uint32_t vector) {
    Message message = queue_create(queue, 3);
    message[1] = queue | 3u << 8 | vector << 16;
    return message;
  }
  void create_for(uint32_t function, uint32_t queue = 0) {
    host_of(function).map(submission_ring(queue), 512);
    host_of(function).map(completion_ring(queue), 512);
    ASSERT_EQ(ask_status(create_message(queue, queue + 1), function), kOk) << card.console;
  }
  void put_for(uint32_t function, uint32_t index, const npu_submission& submission) {
    host_of(function).put(submission_ring(0) + index * sizeof(submission), submission);
  }
  npu_completion completion_of(uint32_t function, uint32_t index = 0) {
    return host_of(function).get<npu_completion>(completion_ring(0) + index * sizeof(npu_completion));
  }
  /// A job whose only segment, with its commands, is `segment`.
  npu_submission job_on(uint32_t function, uint64_t job, const npu_segment& segment) {
    host_of(function).put(kSegmentTable, segment);
    npu_submission submission = nop(0, job);
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.segment_table = kSegmentTable;
    submission.segment_count = 1;
    submission.command_bytes = sizeof(npu_command);
    return submission;
  }
  npu_submission job_in(uint32_t function, uint64_t base, uint64_t job = 1) {
    card.dram.map(base - NPU_MAP_DRAM, 4096);
    return job_on(function, job, {base, 4096, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0});
  }
  void submit(uint32_t function, const npu_submission& submission) {
    put_for(function, 0, submission);
    card.ring_sq_tail(0, 1, function);
    run();
  }
  /// Bytes of [base, base + bytes) that were cleared since the fills were forgotten.
  uint64_t cleared_within(uint64_t base, uint64_t bytes) {
    uint64_t cleared = 0;
    for (const Extent& fill : card.fills) {
      if (fill.base >= base && fill.base + fill.bytes <= base + bytes) cleared += fill.bytes;
    }
    return cleared;
  }
};

TEST_F(Functions, ThePhysicalFunctionHasEverythingAtTheStart) {
  EXPECT_EQ(card.windows[0], (Extent{kPhysicalBase, 64 * kMib}));
  EXPECT_EQ(card.windows[1], Extent{});
  EXPECT_EQ(ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION})[5], 64u);
}

TEST_F(Functions, PartitionDividesTheMemoryClearsItAndOpensTheWindows) {
  card.dram.put<uint64_t>(kSecondBase - NPU_MAP_DRAM + 8192, 42);
  Message reply = ask({NPU_MESSAGE_PARTITION, 2});
  EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), kOk);
  EXPECT_EQ(reply[1], kPhysicalMib);
  EXPECT_EQ(reply[2], kDramMib + kReservedMib);
  EXPECT_EQ(reply[3], kPartMib);
  EXPECT_EQ(card.windows[0], (Extent{kPhysicalBase, kPhysicalMib * kMib}));
  EXPECT_EQ(card.windows[1], (Extent{kFirstBase, kPartMib * kMib}));
  EXPECT_EQ(card.windows[2], (Extent{kSecondBase, kPartMib * kMib}));
  EXPECT_EQ(card.windows[3].bytes, 0u);
  EXPECT_EQ(cleared_within(kPhysicalBase, 64 * kMib), 64 * kMib);
  EXPECT_EQ(card.dram.get<uint64_t>(kSecondBase - NPU_MAP_DRAM + 8192), 0u);
}

TEST_F(Functions, PartitionByNoneGivesEverythingBack) {
  partition(2);
  Message reply = ask({NPU_MESSAGE_PARTITION, 0});
  EXPECT_EQ(reply[1], 64u);
  EXPECT_EQ(reply[3], 0u);
  EXPECT_EQ(card.windows[0], (Extent{kPhysicalBase, 64 * kMib}));
  EXPECT_EQ(card.windows[1].bytes, 0u);
}

TEST_F(Functions, PartitionRefusesWhatCannotBe) {
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, 17}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, UINT32_MAX}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, 16}), kOk);  // 3.76 MiB each: 2 MiB
  create_for(16);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, 1}), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 0}, 16), kOk);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, 1}), kOk);
}

TEST_F(Functions, MemoryThatCannotBeClearedIsNobodys) {
  card.fill_fails = true;
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, 2}), static_cast<uint32_t>(NPU_MAILBOX_NOT_READY));
  EXPECT_EQ(ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION}, 1)[5], 0u);
  EXPECT_EQ(card.windows[1].bytes, 0u);
}

TEST_F(Functions, HelloTellsAFunctionItsOwnShare) {
  partition(2);
  Message reply = ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION}, 2);
  EXPECT_EQ(reply[4], 8u);
  EXPECT_EQ(reply[5], kPartMib);
  EXPECT_EQ(reply[6], 2u);
  EXPECT_EQ(reply[7], kDramMib + kReservedMib + kPhysicalMib + kPartMib);
}

TEST_F(Functions, OneWithoutAShareHasNoQueues) {
  partition(2);
  EXPECT_EQ(ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION}, 3)[5], 0u);
  EXPECT_EQ(ask_status(create_message(0, 1), 3), kBadArgument);
}

TEST_F(Functions, AVirtualOneMayNotSendWhatConcernsTheCard) {
  partition(2);
  for (uint32_t opcode : {NPU_MESSAGE_PARTITION, NPU_MESSAGE_BOOT_LOAD}) {
    EXPECT_EQ(ask_status({opcode, 0}, 1), static_cast<uint32_t>(NPU_MAILBOX_NOT_PERMITTED));
  }
  EXPECT_EQ(ask_status({0xee}, 1), static_cast<uint32_t>(NPU_MAILBOX_NOT_PERMITTED));
  EXPECT_EQ(ask_status({NPU_MESSAGE_PING}, 1), kOk);
  EXPECT_EQ(card.windows[2].bytes, kPartMib * kMib);
}

TEST_F(Functions, QueuesAndVectorsCountWithinTheFunction) {
  partition(2);
  EXPECT_EQ(ask_status(create_message(2, 1), 1), kBadArgument);
  EXPECT_EQ(ask_status(create_message(1, 4), 1), kBadArgument);
  create_for(1, 1);
  submit(1, nop(0, 1));  // no queue 0
  EXPECT_EQ(completion_of(1).phase, 0u);
}

TEST_F(Functions, OneCannotDestroyTheQueueOfAnother) {
  partition(2);
  create(0);
  create(5);
  create_for(2);
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 0}, 1), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 5}, 1), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, queue_slot(2, 0)}, 1), kBadArgument);
  EXPECT_TRUE(queue_exists(queue_slot(0, 0)) && queue_exists(queue_slot(0, 5)) && queue_exists(queue_slot(2, 0)));
}

TEST_F(Functions, AJobRunsInTheNameOfItsFunction) {
  partition(2);
  create_for(2);
  submit(2, job_in(2, kSecondBase, 77));
  ASSERT_EQ(card.started_jobs.size(), 1u) << card.console;
  EXPECT_EQ(card.started_jobs[0].function, 2u);
  card.end_job({.retired = 1});
  run();
  EXPECT_EQ(completion_of(2).job, 77u);
  EXPECT_EQ(completion_of(2).queue, 0u);
  EXPECT_EQ(completion_of(2).status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(card.raised_by_vf[2], std::vector<uint32_t>{1});
  EXPECT_TRUE(card.raised_vectors.empty());
}

TEST_F(Functions, MemoryOutsideTheShareIsRefused) {
  partition(2);
  create_for(1);
  uint32_t index = 0;
  for (uint64_t base :
       std::initializer_list<uint64_t>{kPhysicalBase, kSecondBase, kFirstBase - 4096, kSecondBase - 2048, NPU_MAP_DRAM,
                                       NPU_MAP_TCM, NPU_MAP_SHARED, NPU_MAP_HOST | 0x1000}) {
    put_for(1, index, job_on(1, 10 + index, {base, 4096, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0}));
    card.ring_sq_tail(0, (index + 1) % 8, 1);
    run();
    EXPECT_EQ(completion_of(1, index).status, static_cast<uint32_t>(NPU_JOB_BAD_SUBMISSION)) << std::hex << base;
    EXPECT_EQ(completion_of(1, index).job, 10 + index);
    card.ring_cq_head(0, (index + 1) % 8, 1);
    run();
    index = (index + 1) % 8;
  }
  EXPECT_TRUE(card.started_jobs.empty());
  EXPECT_TRUE(said("vf 1: queue 0: job 10 refused: segment: outside the DRAM for jobs")) << card.console;
}

TEST_F(Functions, AContextThatIsNotTheQueuesIsRefused) {
  partition(2);
  create(0);
  create_for(1);
  npu_submission submission = job_in(1, kFirstBase);
  submission.context = kContext + 1;
  submit(1, submission);
  EXPECT_EQ(completion_of(1).status, static_cast<uint32_t>(NPU_JOB_BAD_SUBMISSION));
}

TEST_F(Functions, PageListsAndTablesAreReadFromItsOwnHost) {
  partition(2);
  create_for(1);
  // The list stands only in the memory of the other function's host.
  card.vf_host[2].put<uint64_t>(0x40'0000, 0x50'0000);
  card.vf_host[2].map(0x50'0000, 4096);
  submit(1, job_on(1, 3, {0x40'0000, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0}));
  EXPECT_EQ(completion_of(1).fault, static_cast<uint32_t>(NPU_FAULT_FETCH));
  EXPECT_EQ(completion_of(1).fault_address, 0x40'0000u);
  EXPECT_TRUE(card.started_jobs.empty());
}

TEST_F(Functions, TakeTurnsHoweverMuchOneSubmits) {
  partition(2);
  for (uint32_t function : {0u, 1u, 2u}) create_for(function);
  for (uint32_t index = 0; index < 6; ++index) put_for(1, index, nop(0, index));
  for (uint32_t index = 0; index < 2; ++index) put_for(2, index, nop(0, index));
  put_for(0, 0, nop(0, 0));
  card.ring_sq_tail(0, 6, 1);
  card.ring_sq_tail(0, 2, 2);
  card.ring_sq_tail(0, 1, 0);
  run();
  // Of the rounds, the first holds one of each, the second one of 1 and of 2.
  const uint64_t first_round = completion_of(1, 1).start_ns, second_round = completion_of(1, 2).start_ns;
  EXPECT_LT(completion_of(0, 0).start_ns, first_round);
  EXPECT_LT(completion_of(2, 0).start_ns, first_round);
  EXPECT_LT(completion_of(2, 1).start_ns, second_round);
  EXPECT_EQ(completion_of(1, 5).job, 5u);
}

TEST_F(Functions, OneThatNeverStopsRingingKeepsNobodyFromTheCard) {
  partition(2);
  create(0);
  create_for(1);
  card.rings_forever = 1;
  put(0, 0, execute(0, 5));
  card.ring_sq_tail(0, 1);
  for (int poll = 0; poll < 3; ++poll) service_poll();
  ASSERT_EQ(card.started_jobs.size(), 1u);
  card.end_job({});
  card.send({NPU_MESSAGE_PING});
  for (int poll = 0; poll < 3; ++poll) service_poll();
  EXPECT_EQ(completion(0, 0).job, 5u);
  EXPECT_TRUE(card.reply().has_value());
}

TEST_F(Functions, AResetRemovesQueuesAndJobAndTellsNobody) {
  partition(2);
  create_for(1);
  create_for(2);
  submit(1, job_in(1, kFirstBase));
  ASSERT_TRUE(card.job_running());
  card.fills.clear();
  card.reset_function(1);
  run();
  EXPECT_EQ(card.aborts, 1u);
  EXPECT_FALSE(card.reset_pending(1));
  EXPECT_FALSE(queue_exists(queue_slot(1, 0)));
  EXPECT_TRUE(queue_exists(queue_slot(2, 0)));
  EXPECT_EQ(completion_of(1).phase, 0u);
  EXPECT_TRUE(card.raised_by_vf[1].empty());
  EXPECT_EQ(cleared_within(kFirstBase, kPartMib * kMib), kPartMib * kMib);
  EXPECT_EQ(card.fills.size(), kPartMib / 4);  // and nothing else
  EXPECT_EQ(card.windows[1], (Extent{kFirstBase, kPartMib * kMib}));
  // Its next owner finds a function as new.
  create_for(1);
  submit(1, job_in(1, kFirstBase, 9));
  ASSERT_EQ(card.started_jobs.size(), 2u);
  EXPECT_TRUE(card.started_jobs[1].memories_cleared);
  card.end_job({});
  run();
  EXPECT_EQ(completion_of(1).job, 9u);
}

TEST_F(Functions, OthersGoOnWhileOneIsReset) {
  partition(2);
  create_for(1);
  create_for(2);
  submit(2, job_in(2, kSecondBase, 21));
  card.reset_function(1);
  run();
  EXPECT_EQ(card.aborts, 0u);
  ASSERT_TRUE(card.job_running());
  card.end_job({});
  run();
  EXPECT_EQ(completion_of(2).job, 21u);
  EXPECT_EQ(completion_of(2).status, static_cast<uint32_t>(NPU_JOB_OK));
}

TEST_F(Functions, MemoryIsClearedWhenTheLastWriterHasStoppedAndMessagesWait) {
  partition(2);
  create_for(1);
  submit(1, job_in(1, kFirstBase));
  card.fills.clear();
  card.task_manager_obeys_abort = false;
  card.reset_function(1);
  run();
  EXPECT_TRUE(card.fills.empty());
  EXPECT_EQ(card.windows[1].bytes, 0u);
  card.send({NPU_MESSAGE_HELLO, NPU_ABI_VERSION}, 1);
  card.send({NPU_MESSAGE_PING}, 2);
  run();
  EXPECT_FALSE(card.reply(1).has_value());
  EXPECT_TRUE(card.reply(2).has_value());
  card.end_job({.error = true});
  run();
  EXPECT_EQ(card.fills.size(), kPartMib / 4);
  ASSERT_TRUE(card.reply(1).has_value());
  EXPECT_EQ((*card.reply(1))[5], kPartMib);
  EXPECT_TRUE(card.raised_by_vf[1].empty());
}

TEST_F(Functions, PartitionWaitsForTheJobOfAFunctionThatIsGone) {
  partition(2);
  create_for(1);
  submit(1, job_in(1, kFirstBase));
  card.task_manager_obeys_abort = false;
  card.reset_function(1);
  card.send({NPU_MESSAGE_PARTITION, 0});
  run();
  EXPECT_FALSE(card.reply().has_value());
  card.end_job({.error = true});
  run();
  ASSERT_TRUE(card.reply().has_value());
  EXPECT_EQ(NPU_MAILBOX_STATUS((*card.reply())[0]), kOk);
}

TEST_F(Functions, AResetForgetsAMessageThatWaits) {
  partition(2);
  create_for(1);
  submit(1, job_in(1, kFirstBase));
  card.task_manager_obeys_abort = false;
  card.send({NPU_MESSAGE_QUEUE_DESTROY, 0}, 1);
  run();
  card.reset_function(1);
  run();
  card.end_job({.error = true});
  run();
  EXPECT_FALSE(card.reply(1).has_value());
  EXPECT_EQ(ask_status({NPU_MESSAGE_PING}, 1), kOk);
}

TEST_F(Functions, NoCompletionIsWrittenAfterAResetTheFirmwareHasNotSeenYet) {
  partition(2);
  create_for(1);
  card.after_dma = [this](unsigned) {
    card.after_dma = nullptr;
    card.reset_function(1);  // while the submission is fetched
  };
  submit(1, nop(0, 4));
  EXPECT_EQ(completion_of(1).phase, 0u);
  EXPECT_FALSE(queue_exists(queue_slot(1, 0)));
}

TEST_F(Functions, AQueueWhoseHostCannotBeWrittenStops) {
  partition(2);
  ASSERT_EQ(ask_status(create_message(0, 1), 1), kOk);  // rings in memory that its host does not have
  const unsigned before = card.dma_copies;
  card.ring_sq_tail(0, 7, 1);
  run();
  EXPECT_EQ(card.dma_copies - before, 3u);  // one submission, one fault record, one completion
  card.ring_sq_tail(0, 6, 1);
  run();
  EXPECT_EQ(card.dma_copies - before, 3u);
  create(0);
  put(0, 0, nop(0, 8));
  card.ring_sq_tail(0, 1);
  run();
  EXPECT_EQ(completion(0, 0).job, 8u);
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 0}, 1), kOk);
}

TEST_F(Functions, OneThatErrsAllTheTimeDoesNotFloodTheConsole) {
  partition(2);
  create_for(1);
  for (uint32_t i = 0; i < 500; ++i) {
    card.ring_sq_tail(0, 100 + i, 1);
    run();
  }
  const auto lines = std::count(card.console.begin(), card.console.end(), '\n');
  EXPECT_LT(lines, 40);
  card.advance_ns(1'000'000'000);
  card.ring_sq_tail(0, 100, 1);
  run();
  EXPECT_TRUE(said("lines left out")) << card.console;
  EXPECT_TRUE(said("vf 1: queue 0: SQ_TAIL 100 ignored")) << card.console;
}

TEST_F(Functions, AJobOfAVirtualOneGetsOneSecond) {
  partition(2);
  create_for(1);
  submit(1, job_in(1, kFirstBase));
  const uint64_t started = card.now_ns;
  sleep_and_run();
  EXPECT_EQ(card.aborts, 1u);
  run();
  EXPECT_EQ(completion_of(1).status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_GE(card.now_ns, started + 999'000'000);
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// Rings, doorbells and mailbox messages of the command-processor firmware.
#include "npu/registers/mailbox.h"
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/cp/queues.h"
}

namespace npuvp::firmware_test {
namespace {

TEST(Ring, CountsAcrossTheWrap) {
  EXPECT_EQ(ring_used(0, 0, 8), 0u);
  EXPECT_EQ(ring_used(2, 7, 8), 5u);
  EXPECT_EQ(ring_used(7, 2, 8), 3u);
  EXPECT_EQ(ring_next(6, 8), 7u);
  EXPECT_EQ(ring_next(7, 8), 0u);
  EXPECT_FALSE(ring_full(3, 1, 8));
  EXPECT_TRUE(ring_full(3, 2, 8));
}

class Queues : public CpFixture {
 protected:
  /// Submits `count` NOPs from slot `first` on, numbered like their slots plus `base`.
  void submit_nops(uint32_t queue, uint32_t first, uint32_t count, uint32_t entries, uint64_t base = 0) {
    for (uint32_t i = 0; i < count; ++i) put(queue, (first + i) % entries, nop(queue, base + first + i));
    card.ring_sq_tail(queue, (first + count) % entries);
    run();
  }
};

TEST_F(Queues, FirmwareIsReadyAndSaysWhatItRunsOn) {
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_READY);
  EXPECT_TRUE(said("cp: card 3: 8 Neural Engines, 16384 MiB DRAM, 32768 KiB shared memory, 4096 KiB scratchpads"))
      << card.console;
}

TEST_F(Queues, HelloTellsStageAndVersion) {
  Message reply = ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION});
  EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), static_cast<uint32_t>(NPU_MAILBOX_OK));
  EXPECT_EQ(reply[2], static_cast<uint32_t>(NPU_STAGE_FIRMWARE));
  EXPECT_EQ(reply[3], 0x010300u);
  EXPECT_EQ(reply[5], 16384u - 288u);
  EXPECT_EQ(ask_status({NPU_MESSAGE_HELLO, NPU_ABI_VERSION + 0x10000}), static_cast<uint32_t>(NPU_MAILBOX_BAD_VERSION));
}

TEST_F(Queues, UnknownMessagesAreRefused) {
  EXPECT_EQ(ask_status({NPU_MESSAGE_BOOT_LOAD}), static_cast<uint32_t>(NPU_MAILBOX_UNKNOWN_MESSAGE));
  EXPECT_EQ(ask_status({0}), static_cast<uint32_t>(NPU_MAILBOX_UNKNOWN_MESSAGE));
}

TEST_F(Queues, CreateRefusesBadArgumentsAndExistingQueues) {
  EXPECT_EQ(ask_status(queue_create(0, 1)), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(ask_status(queue_create(16, 3)), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  create(0);
  EXPECT_EQ(ask_status(queue_create(0, 3)), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
}

TEST_F(Queues, DestroyRefusesQueuesThatAreNot) {
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 3}), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 16}), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, UINT32_MAX}), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
}

TEST_F(Queues, NopCompletesWithJobQueueHeadPhaseAndVector) {
  create(2);
  put(2, 0, nop(2, 0xabcdef0123456789));
  card.ring_sq_tail(2, 1);
  run();
  npu_completion done = completion(2, 0);
  EXPECT_EQ(done.job, 0xabcdef0123456789u);
  EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(done.queue, 2u);
  EXPECT_EQ(done.sq_head, 1u);
  EXPECT_EQ(done.phase, 1u);
  EXPECT_EQ(done.start_ns, done.end_ns);
  EXPECT_EQ(card.raised_vectors, std::vector<uint32_t>{kVector + 2});
}

TEST_F(Queues, PhaseFlipsAtEachWrap) {
  create(0, 2);
  for (uint32_t i = 0; i < 10; ++i) {
    submit_nops(0, i % 4, 1, 4, i - i % 4);
    EXPECT_EQ(completion(0, i % 4).job, i);
    EXPECT_EQ(completion(0, i % 4).phase, i / 4 % 2 == 0 ? 1u : 0u) << i;
    EXPECT_EQ(completion(0, i % 4).sq_head, (i + 1) % 4);
    card.ring_cq_head(0, (i + 1) % 4);
    run();
  }
}

TEST_F(Queues, StallsWhileTheCompletionRingIsFullAndGoesOnWhenItMoves) {
  create(0, 2);
  submit_nops(0, 0, 3, 4);
  EXPECT_EQ(card.raised_vectors.size(), 3u);
  submit_nops(0, 3, 2, 4);
  EXPECT_EQ(card.raised_vectors.size(), 3u);
  EXPECT_EQ(completion(0, 0).job, 0u);  // not overwritten
  card.ring_cq_head(0, 1);
  run();
  EXPECT_EQ(card.raised_vectors.size(), 4u);
  EXPECT_EQ(completion(0, 3).job, 3u);
  card.ring_cq_head(0, 3);
  run();
  EXPECT_EQ(completion(0, 0).job, 4u);
  EXPECT_EQ(completion(0, 0).phase, 0u);
}

TEST_F(Queues, AWrongTailIsCountedAndIgnored) {
  create(0, 3);
  card.ring_sq_tail(0, 8);
  run();
  card.ring_sq_tail(0, UINT32_MAX);
  run();
  EXPECT_TRUE(card.raised_vectors.empty());
  EXPECT_EQ(queue_bad_doorbells(0), 2u);
  EXPECT_TRUE(said("queue 0: SQ_TAIL 8 ignored")) << card.console;
  submit_nops(0, 0, 1, 8, 5);
  EXPECT_EQ(completion(0, 0).job, 5u);
}

TEST_F(Queues, AHeadThatFreesUnwrittenCompletionsIsIgnored) {
  create(0, 2);
  submit_nops(0, 0, 3, 4);
  card.ring_cq_head(0, 4);
  run();
  card.ring_cq_head(0, UINT32_MAX);
  run();
  submit_nops(0, 3, 1, 4);
  EXPECT_EQ(card.raised_vectors.size(), 3u);
  EXPECT_EQ(queue_bad_doorbells(0), 2u);
}

TEST_F(Queues, DoorbellsOfQueuesThatAreNotAreHarmless) {
  card.ring_sq_tail(9, 3);
  run();
  EXPECT_TRUE(card.raised_vectors.empty());
}

TEST_F(Queues, IndicesOfAnEarlierQueueAreNotTakenForNewOnes) {
  create(0);
  submit_nops(0, 0, 3, 8);
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 0}), static_cast<uint32_t>(NPU_MAILBOX_OK));
  card.raised_vectors.clear();
  create(0);
  EXPECT_TRUE(card.raised_vectors.empty());
  EXPECT_TRUE(said("queue 0: SQ_TAIL or CQ_HEAD is left from an earlier queue")) << card.console;
  submit_nops(0, 0, 1, 8, 42);
  EXPECT_EQ(card.raised_vectors.size(), 1u);
  EXPECT_EQ(completion(0, 0).job, 42u);
}

TEST_F(Queues, AreServedInTurn) {
  for (uint32_t queue : {1u, 4u, 15u}) create(queue);
  for (uint32_t queue : {1u, 4u, 15u}) {
    put(queue, 0, nop(queue, 0));
    put(queue, 1, nop(queue, 1));
    card.ring_sq_tail(queue, 2);
  }
  run();
  EXPECT_EQ(card.raised_vectors,
            (std::vector<uint32_t>{kVector + 1, kVector + 4, kVector + 15, kVector + 1, kVector + 4, kVector + 15}));
}

TEST_F(Queues, AnUnreadableSubmissionCompletesAsFetchFault) {
  ASSERT_EQ(ask_status(queue_create(0, 3)), static_cast<uint32_t>(NPU_MAILBOX_OK));
  card.host.map(completion_ring(0), 4096);
  card.ring_sq_tail(0, 1);
  run();
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_FAULT));
  EXPECT_EQ(completion(0, 0).fault, static_cast<uint32_t>(NPU_FAULT_FETCH));
  EXPECT_EQ(completion(0, 0).fault_address, submission_ring(0));
}

TEST_F(Queues, ALostCompletionIsReportedAndTheFirmwareLivesOn) {
  ASSERT_EQ(ask_status(queue_create(0, 3)), static_cast<uint32_t>(NPU_MAILBOX_OK));
  put(0, 0, nop(0, 12));
  card.ring_sq_tail(0, 1);
  run();
  EXPECT_TRUE(said("queue 0: completion of job 12 lost")) << card.console;
  EXPECT_EQ(ask_status({NPU_MESSAGE_PING}), static_cast<uint32_t>(NPU_MAILBOX_OK));
}

TEST_F(Queues, DestroyAbortsWhatHasNotStartedInOrder) {
  create(0, 2);
  submit_nops(0, 0, 3, 4);  // fills the completion ring
  submit_nops(0, 3, 2, 4);  // these wait
  card.send({NPU_MESSAGE_QUEUE_DESTROY, 0});
  run();
  EXPECT_FALSE(card.reply().has_value());
  card.ring_cq_head(0, 3);
  run();
  ASSERT_TRUE(card.reply().has_value());
  EXPECT_EQ(completion(0, 3).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(completion(0, 3).job, 3u);
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(completion(0, 0).job, 4u);
}

TEST_F(Queues, DestroyAnswersWhatADoorbellBeforeItAnnounced) {
  create(0);
  put(0, 0, nop(0, 7));
  put(0, 1, nop(0, 8));
  card.ring_sq_tail(0, 2);
  card.send({NPU_MESSAGE_QUEUE_DESTROY, 0});  // both interrupts are pending: which one is first is the card's affair
  run();
  ASSERT_TRUE(card.reply().has_value());
  for (uint32_t entry : {0u, 1u}) {
    EXPECT_EQ(completion(0, entry).job, 7u + entry);
    EXPECT_EQ(completion(0, entry).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  }
}

TEST_F(Queues, DestroyGivesUpOnAHostThatFreesNothing) {
  create(0, 2);
  submit_nops(0, 0, 3, 4);
  submit_nops(0, 3, 2, 4);
  card.send({NPU_MAILBOX_WORD0(NPU_MESSAGE_QUEUE_DESTROY, 4, 0), 0});
  run();
  sleep_and_run();  // to the idle P-state
  EXPECT_FALSE(card.reply().has_value());
  sleep_and_run();
  ASSERT_TRUE(card.reply().has_value());
  EXPECT_EQ((*card.reply())[0], NPU_MAILBOX_WORD0(NPU_MESSAGE_QUEUE_DESTROY, 4, NPU_MAILBOX_OK));
  EXPECT_EQ(card.raised_vectors.size(), 3u);
  EXPECT_TRUE(said("queue 0 destroyed with 2 submissions unanswered")) << card.console;
  EXPECT_FALSE(queue_exists(0));
}

TEST_F(Queues, AMessageDuringDestroyIsAnsweredBusy) {
  create(0, 2);
  submit_nops(0, 0, 3, 4);
  submit_nops(0, 3, 1, 4);
  card.send({NPU_MESSAGE_QUEUE_DESTROY, 0});
  run();
  EXPECT_EQ(ask_status({NPU_MESSAGE_PING}), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
}

}  // namespace
}  // namespace npuvp::firmware_test

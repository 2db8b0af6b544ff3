// SPDX-License-Identifier: Apache-2.0
// Contexts of the command-processor firmware: rights, limits, life and death, fault records.
#include <algorithm>

#include "npu/registers/mailbox.h"
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/context.h"
#include "firmware/abi/fault.h"
#include "firmware/cp/queues.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr auto kOk = static_cast<uint32_t>(NPU_MAILBOX_OK);
constexpr auto kBadArgument = static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT);
constexpr uint64_t kRecords = 0x60'0000;

class Contexts : public CpFixture {
 protected:
  static Message create_message(uint32_t id, uint32_t flags = 0, uint32_t job_limit_us = 0,
                                uint32_t hang_limit_us = 0) {
    return {NPU_MESSAGE_CONTEXT_CREATE, id, NPU_CONTEXT_WORD(NPU_PRIORITY_NORMAL, 0, flags), job_limit_us,
            hang_limit_us};
  }
  static Message with_ranges(uint32_t id, uint32_t count, uint64_t bus) {
    return {NPU_MESSAGE_CONTEXT_CREATE,
            id,
            NPU_CONTEXT_WORD(NPU_PRIORITY_NORMAL, count, 0),
            0,
            0,
            static_cast<uint32_t>(bus),
            static_cast<uint32_t>(bus >> 32)};
  }
  /// A context of the id that queue `queue` of the fixture names, then the queue.
  void create_with_queue(uint32_t queue, const Message& message) {
    ASSERT_EQ(ask_status(message), kOk) << card.console;
    create(queue);
  }
  void submit(uint32_t queue, uint32_t first, const std::vector<npu_submission>& submissions) {
    for (uint32_t i = 0; i < submissions.size(); ++i) put(queue, first + i, submissions[i]);
    card.ring_sq_tail(queue, first + static_cast<uint32_t>(submissions.size()));
    run();
  }
  Message status_of(uint32_t id) { return ask({NPU_MESSAGE_CONTEXT_STATUS, id}); }
  Message read_faults(uint32_t after = 0, uint32_t count = NPU_FAULT_RECORDS, uint32_t function = 0, uint32_t of = 0) {
    auto& host = function == 0 ? card.host : card.vf_host[function];
    host.map(kRecords, NPU_FAULT_RECORDS * sizeof(npu_fault_record));
    return ask({NPU_MESSAGE_FAULT_READ, after, static_cast<uint32_t>(kRecords), 0, count, of}, function);
  }
  npu_fault_record record(uint32_t index, uint32_t function = 0) {
    auto& host = function == 0 ? card.host : card.vf_host[function];
    return host.get<npu_fault_record>(kRecords + index * sizeof(npu_fault_record));
  }
};

TEST_F(Contexts, EachHasAnAsidOfItsOwnThatIsNotTheFirmwares) {
  std::vector<uint32_t> asids;
  for (uint32_t id = 0; id < NPU_QUEUES; ++id) {
    const Message reply = ask(create_message(1000 + id));
    ASSERT_EQ(NPU_MAILBOX_STATUS(reply[0]), kOk);
    asids.push_back(reply[1]);
  }
  std::sort(asids.begin(), asids.end());
  EXPECT_GT(asids.front(), 0u);
  EXPECT_EQ(std::unique(asids.begin(), asids.end()), asids.end());
  EXPECT_EQ(ask_status(create_message(5)), static_cast<uint32_t>(NPU_MAILBOX_FULL));
  EXPECT_EQ(ask_status(queue_create(0, 3)), static_cast<uint32_t>(NPU_MAILBOX_FULL));
  EXPECT_EQ(ask_status({NPU_MESSAGE_CONTEXT_DESTROY, 1003}), kOk);
  EXPECT_EQ(ask_status(create_message(5)), kOk);
}

TEST_F(Contexts, WrongArgumentsAreRefused) {
  ASSERT_EQ(ask_status(create_message(1)), kOk);
  EXPECT_EQ(ask_status(create_message(1)), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
  EXPECT_EQ(ask_status({NPU_MESSAGE_CONTEXT_CREATE, 2, NPU_PRIORITIES}), kBadArgument);
  EXPECT_EQ(ask_status(create_message(2, 4)), kBadArgument);
  EXPECT_EQ(ask_status(with_ranges(2, NPU_CONTEXT_RANGES + 1, 0x1000)), kBadArgument);
  EXPECT_EQ(ask_status(with_ranges(2, 1, 0x1008)), kBadArgument);
  EXPECT_EQ(ask_status(with_ranges(2, 1, NPU_MAP_HOST_ADDRESS_MASK - 7)), kBadArgument);
  EXPECT_EQ(ask_status(with_ranges(2, 1, 0x77'0000)), static_cast<uint32_t>(NPU_MAILBOX_UNREADABLE));
  for (const npu_range& range : {npu_range{kJobDram, 0}, npu_range{kJobDram - 1, 4096}, npu_range{kJobDram, UINT64_MAX},
                                 npu_range{UINT64_MAX, 2}}) {
    card.host.put(0x1000, range);
    EXPECT_EQ(ask_status(with_ranges(2, 1, 0x1000)), kBadArgument) << range.base << " " << range.bytes;
  }
  EXPECT_EQ(ask_status({NPU_MESSAGE_CONTEXT_DESTROY, 2}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_CONTEXT_STATUS, 2}), kBadArgument);
}

TEST_F(Contexts, SegmentsLieInsideOneOfTheRanges) {
  // The fixture's job has one segment of 0x10000 bytes at kJobDram.
  card.host.put(0x1000, npu_range{kJobDram, 0x10000});
  card.host.put(0x1010, npu_range{kJobDram + 0x20000, 0x1000});
  create_with_queue(0, with_ranges(kContext, 2, 0x1000));
  card.host.put(0x1000, npu_range{kJobDram, 0xffff});  // what is not there any more
  card.host.put(0x1010, npu_range{kJobDram + 0xffff, 1});
  create_with_queue(1, with_ranges(kContext + 1, 2, 0x1000));
  submit(1, 0, {execute(1, 4)});
  EXPECT_EQ(completion(1, 0).status, static_cast<uint32_t>(NPU_JOB_BAD_SUBMISSION));
  EXPECT_TRUE(said("queue 1: job 4 refused: segment: outside the context's ranges")) << card.console;
  submit(0, 0, {execute(0, 5)});
  EXPECT_TRUE(card.job_running());
}

TEST_F(Contexts, QueuesOfOneShareItsAsidAndOthersHaveTheirOwn) {
  const uint32_t asid = ask(create_message(kContext))[1];
  create(0);
  Message message = queue_create(1, 3);
  message[6] = kContext;
  card.host.map(submission_ring(1), 512);
  card.host.map(completion_ring(1), 512);
  ASSERT_EQ(ask_status(message), kOk);
  create(2);  // without CONTEXT_CREATE
  auto second = execute(1, 2);
  second.context = kContext;
  card.task_manager_duration_ns = 1000;
  submit(0, 0, {execute(0, 1)});
  sleep_and_run();
  submit(1, 0, {second});
  sleep_and_run();
  submit(2, 0, {execute(2, 3)});
  sleep_and_run();
  ASSERT_EQ(card.started_jobs.size(), 3u);
  EXPECT_EQ(card.started_jobs[0].asid, asid);
  EXPECT_EQ(card.started_jobs[1].asid, asid);
  EXPECT_NE(card.started_jobs[2].asid, asid);
  EXPECT_NE(card.started_jobs[2].asid, 0u);
}

TEST_F(Contexts, DestroyEndsItsJobsAndQueuesAndNobodyElses) {
  create_with_queue(0, create_message(kContext));
  create_with_queue(1, create_message(kContext + 1));
  submit(0, 0, {execute(0, 1), execute(0, 2), nop(0, 3)});
  submit(1, 0, {execute(1, 9)});
  ASSERT_TRUE(card.job_running());
  const Message reply = ask({NPU_MESSAGE_CONTEXT_DESTROY, kContext});
  EXPECT_EQ(reply[1], 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(completion(0, i).job, i + 1u);
    EXPECT_EQ(completion(0, i).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  }
  EXPECT_FALSE(queue_exists(0));
  EXPECT_TRUE(queue_exists(1));
  EXPECT_FALSE(card.job_running(0));
  ASSERT_TRUE(card.job_running(1));
  card.end_job({.retired = 2}, 1);
  run();
  EXPECT_EQ(completion(1, 0).status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(ask_status({NPU_MESSAGE_CONTEXT_STATUS, kContext}), kBadArgument);
  EXPECT_EQ(read_faults()[1], 0u);  // to be killed is no fault
}

TEST_F(Contexts, OneMadeForItsQueueGoesWithIt) {
  create(0);
  EXPECT_EQ(NPU_MAILBOX_STATUS(status_of(kContext)[0]), kOk);
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 0}), kOk);
  EXPECT_EQ(NPU_MAILBOX_STATUS(status_of(kContext)[0]), kBadArgument);
  create_with_queue(0, create_message(kContext));
  EXPECT_EQ(ask_status({NPU_MESSAGE_QUEUE_DESTROY, 0}), kOk);
  EXPECT_EQ(NPU_MAILBOX_STATUS(status_of(kContext)[0]), kOk);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PARTITION, 1}), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
}

TEST_F(Contexts, CountersTellHowEachJobEnded) {
  create_with_queue(0, create_message(kContext));
  submit(0, 0, {nop(0, 1), nop(0, 2), nop(7, 3), execute(0, 4), nop(0, 5)});  // job 3 names a wrong context
  card.advance_ns(2000);
  card.end_job({.error = true, .fault = NPU_FAULT_BUS, .fault_command = 1});
  run();
  const Message status = status_of(kContext);
  EXPECT_EQ(status[1], 5u);
  EXPECT_EQ(status[2], 3u);
  EXPECT_EQ(status[3], 2u);
  EXPECT_EQ(status[4], 0u);
  const auto job = completion(0, 3);
  EXPECT_EQ(status[5], job.end_ns - job.start_ns);
  EXPECT_EQ(status[7] & 0xffffu, 0u);
}

TEST_F(Contexts, OneThatStopsOnFaultTakesNoMoreJobs) {
  create_with_queue(0, create_message(kContext, NPU_CONTEXT_STOP_ON_FAULT));
  create(1);
  submit(0, 0, {execute(0, 1), nop(0, 2)});
  card.end_job({.error = true, .fault = NPU_FAULT_ADDRESS, .fault_command = 1, .fault_address = 0x1234});
  run();
  submit(0, 2, {nop(0, 3)});
  submit(1, 0, {nop(1, 4)});
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_FAULT));
  EXPECT_EQ(completion(0, 1).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(completion(0, 2).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  EXPECT_EQ(completion(1, 0).status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(status_of(kContext)[7] & NPU_CONTEXT_STATE_STOPPED, NPU_CONTEXT_STATE_STOPPED);
}

TEST_F(Contexts, TheContextsLimitHoldsForJobsWithoutOne) {
  create_with_queue(0, create_message(kContext, 0, 300));
  submit(0, 0, {execute(0, 1)});
  const uint64_t started = card.now_ns;
  sleep_and_run();
  EXPECT_EQ(card.aborts, 1u);
  EXPECT_GE(card.now_ns, started + 299'000);
  EXPECT_LT(card.now_ns, started + 400'000);
  run();
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_EQ(completion(0, 0).fault, static_cast<uint32_t>(NPU_FAULT_NONE));
}

TEST_F(Contexts, AJobThatRetiresCommandsDoesNotHangAndOneThatStopsDoes) {
  create_with_queue(0, create_message(kContext, 0, 0, 100));
  submit(0, 0, {execute(0, 1)});
  for (uint32_t look = 1; look <= 5; ++look) {
    card.retired = look;
    service_sleep();
    run();
    ASSERT_EQ(card.aborts, 0u) << look;
  }
  card.busy_engines = {{.kind = NPU_COMMAND_TASK_DMA, .engine = 0, .asid = 1, .command = 1}};
  sleep_and_run();
  EXPECT_EQ(card.aborts, 1u);
  run();
  const auto done = completion(0, 0);
  EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_EQ(done.fault, static_cast<uint32_t>(NPU_FAULT_HANG));
  EXPECT_TRUE(card.reset_engines.empty());  // it stopped by itself
  ASSERT_EQ(read_faults()[1], 1u);
  EXPECT_EQ(record(0).block, static_cast<uint32_t>(NPU_COMMAND_TASK_DMA));
  EXPECT_EQ(record(0).command, 1u);
}

TEST_F(Contexts, AnEngineThatDoesNotStopIsResetAndOnlyThat) {
  create_with_queue(0, create_message(kContext, 0, 300));
  card.task_manager_obeys_abort = false;
  submit(0, 0, {execute(0, 1), nop(0, 2)});
  card.busy_engines = {{.kind = NPU_COMMAND_NEURAL_ENGINE, .engine = 2, .asid = 9, .command = 4},
                       {.kind = NPU_COMMAND_NEURAL_DMA, .engine = 5, .asid = 1, .command = 1}};
  sleep_and_run();  // over its time: abort
  sleep_and_run();  // it did not stop: reset
  run();
  ASSERT_EQ(card.reset_engines.size(), 1u);
  EXPECT_EQ(card.reset_engines[0].kind, NPU_COMMAND_NEURAL_DMA);
  EXPECT_EQ(card.reset_engines[0].engine, 5u);
  const auto done = completion(0, 0);
  EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_EQ(done.fault, static_cast<uint32_t>(NPU_FAULT_ENGINE_STUCK));
  EXPECT_EQ(done.fault_command, 1u);
  EXPECT_EQ(completion(0, 1).status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_READY);
  ASSERT_EQ(read_faults()[1], 1u);
  EXPECT_EQ(record(0).flags, NPU_FAULT_RECORD_ENGINE_RESET);
  EXPECT_EQ(record(0).engine, 5u);
}

TEST_F(Contexts, AnEngineThatNotEvenAResetStopsIsAFaultOfTheCard) {
  create_with_queue(0, create_message(kContext, 0, 300));
  card.task_manager_obeys_abort = false;
  submit(0, 0, {execute(0, 1), nop(0, 2)});
  card.busy_engines = {{.kind = NPU_COMMAND_EXTERNAL_HDMA, .engine = 1, .asid = 1, .command = 0, .reset_frees = false}};
  for (int step = 0; step < 3; ++step) sleep_and_run();
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  EXPECT_EQ(completion(0, 0).status, static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_EQ(completion(0, 1).status, static_cast<uint32_t>(NPU_JOB_ABORTED));
  ASSERT_EQ(read_faults()[1], 1u);
  EXPECT_TRUE(record(0).flags & NPU_FAULT_RECORD_CARD_DEAD);
}

TEST_F(Contexts, ARecordTellsWhoWhereWhatAndWhen) {
  create(0);
  create(3);
  submit(3, 0, {execute(3, 0xabcdef0123, NPU_COMMAND_TASK_DMA)});
  card.advance_ns(5000);
  card.end_job({.error = true,
                .fault = NPU_FAULT_PERMISSION,
                .fault_command = 0,
                .fault_address = 0x0100000000000300,
                .retired = 0});
  run();
  const Message reply = read_faults();
  EXPECT_EQ(reply[1], 1u);
  EXPECT_EQ(reply[2], 1u);
  EXPECT_EQ(reply[3], 1u);
  EXPECT_EQ(reply[4], 0u);
  const auto is = record(0);
  EXPECT_EQ(is.sequence, 1u);
  EXPECT_EQ(is.function, 0u);
  EXPECT_EQ(is.context, kContext + 3);
  EXPECT_EQ(is.queue, 3u);
  EXPECT_EQ(is.asid, card.started_jobs[0].asid);
  EXPECT_EQ(is.job, 0xabcdef0123u);
  EXPECT_EQ(is.status, static_cast<uint32_t>(NPU_JOB_FAULT));
  EXPECT_EQ(is.fault, static_cast<uint32_t>(NPU_FAULT_PERMISSION));
  EXPECT_EQ(is.block, static_cast<uint32_t>(NPU_COMMAND_TASK_DMA));
  EXPECT_EQ(is.command, 0u);
  EXPECT_EQ(is.address, 0x0100000000000300u);
  EXPECT_EQ(is.start_ns, completion(3, 0).start_ns);
  EXPECT_GE(is.time_ns, completion(3, 0).end_ns);
  EXPECT_EQ(is.flags, NPU_FAULT_RECORD_POSITION);
  EXPECT_EQ(is.position, 0u);
}

TEST_F(Contexts, ARecordTellsHowFarADmaCommandCame) {
  create(0);
  submit(0, 0, {execute(0, 1, NPU_COMMAND_NEURAL_DMA)});
  card.end_job({.error = true, .fault = NPU_FAULT_BUS, .fault_position = NPU_DMA_POSITION(3, 0x1234)});
  run();
  submit(0, 1, {execute(0, 2, NPU_COMMAND_NEURAL_ENGINE)});
  card.end_job({.error = true, .fault = NPU_FAULT_ADDRESS, .fault_position = 99});
  run();
  ASSERT_EQ(read_faults()[1], 2u);
  EXPECT_EQ(record(0).flags, NPU_FAULT_RECORD_POSITION);
  EXPECT_EQ(NPU_DMA_POSITION_DESCRIPTOR(record(0).position), 3u);
  EXPECT_EQ(NPU_DMA_POSITION_ELEMENTS(record(0).position), 0x1234u);
  EXPECT_EQ(record(1).flags, 0u);  // what it means is for DMA commands alone
  EXPECT_EQ(record(1).position, 0u);
}

TEST_F(Contexts, TheLatestRecordsAreKeptAndTheOthersCountAsLost) {
  create(0, 7);
  for (uint32_t i = 0; i < 70; ++i) put(0, i, nop(1, i));  // the context of another queue: refused
  card.ring_sq_tail(0, 70);
  run();
  Message reply = read_faults();
  EXPECT_EQ(reply[1], 64u);
  EXPECT_EQ(reply[2], 70u);
  EXPECT_EQ(reply[4], 6u);
  EXPECT_EQ(record(0).sequence, 7u);
  EXPECT_EQ(record(0).job, 6u);
  EXPECT_EQ(record(63).job, 69u);
  reply = read_faults(68, 1);
  EXPECT_EQ(reply[1], 1u);
  EXPECT_EQ(reply[2], 69u);
  EXPECT_EQ(reply[3], 70u);
  EXPECT_EQ(reply[4], 0u);
  EXPECT_EQ(record(0).job, 68u);
  EXPECT_EQ(read_faults(70)[1], 0u);
}

TEST_F(Contexts, FaultReadRefusesWrongArguments) {
  EXPECT_EQ(ask_status({NPU_MESSAGE_FAULT_READ, 0, 0x1000, 0, 0}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_FAULT_READ, 0, 0x1000, 0, NPU_FAULT_RECORDS + 1}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_FAULT_READ, 0, 0x1020, 0, 1}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_FAULT_READ, 0, 0, 0xffffffff, 1}), kBadArgument);
  EXPECT_EQ(ask_status({NPU_MESSAGE_FAULT_READ, 0, 0x1000, 0, 1, 17}), kBadArgument);
  create(0);
  submit(0, 0, {nop(1, 1)});
  EXPECT_EQ(ask_status({NPU_MESSAGE_FAULT_READ, 0, 0x7700'0000, 0, 1}), static_cast<uint32_t>(NPU_MAILBOX_UNREADABLE));
}

TEST_F(Contexts, AVirtualFunctionSeesItsOwnFaultsOnlyAndItsNextOwnerNone) {
  ASSERT_EQ(ask_status({NPU_MESSAGE_PARTITION, 2}), kOk);
  create(0);
  Message message = queue_create(0, 3);
  message[1] = 3u << 8 | 1u << 16;
  for (uint32_t function : {1u, 2u}) {
    card.vf_host[function].map(submission_ring(0), 512);
    card.vf_host[function].map(completion_ring(0), 512);
    ASSERT_EQ(ask_status(message, function), kOk);
  }
  card.vf_host[1].put(submission_ring(0), nop(5, 11));
  card.ring_sq_tail(0, 1, 1);
  submit(0, 0, {nop(5, 22)});
  EXPECT_EQ(read_faults(0, 64, 1)[1], 1u);
  EXPECT_EQ(record(0, 1).job, 11u);
  EXPECT_EQ(record(0, 1).function, 1u);
  EXPECT_EQ(read_faults(0, 64, 2)[1], 0u);
  EXPECT_EQ(NPU_MAILBOX_STATUS(read_faults(0, 64, 2, 1)[0]), static_cast<uint32_t>(NPU_MAILBOX_NOT_PERMITTED));
  EXPECT_EQ(read_faults(0, 64, 0, 1)[1], 1u);
  EXPECT_EQ(record(0).job, 11u);
  EXPECT_EQ(read_faults()[1], 1u);
  EXPECT_EQ(record(0).job, 22u);
  card.reset_function(1);
  run();
  EXPECT_EQ(read_faults(0, 64, 1)[1], 0u);
}

}  // namespace
}  // namespace npuvp::firmware_test

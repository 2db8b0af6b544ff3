// SPDX-License-Identifier: Apache-2.0
// Jobs of several contexts at once: which start together, who waits for whom, and that nobody suffers for another one.
// The fake card fails the test when two jobs that run share an engine, shared memory or an ASID.
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/context.h"
#include "firmware/abi/event_log.h"
#include "firmware/abi/fault.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr auto kOk = static_cast<uint32_t>(NPU_MAILBOX_OK);
constexpr uint64_t kMs = 1'000'000;

npu_command on_engine(uint32_t engine) {
  npu_command made{};
  made.kind = NPU_COMMAND_NEURAL_ENGINE;
  made.opcode = NPU_NE_GEMM;
  made.engine = static_cast<uint8_t>(engine);
  return made;
}

/// Commands for engines `first` to `last`.
std::vector<npu_command> on_engines(uint32_t first, uint32_t last) {
  std::vector<npu_command> stream;
  for (uint32_t engine = first; engine <= last; ++engine) stream.push_back(on_engine(engine));
  return stream;
}

/// Writes `bytes` of the shared memory.
std::vector<npu_command> in_shared(uint32_t bytes) {
  npu_command made{};
  made.kind = NPU_COMMAND_TASK_DMA;
  made.opcode = NPU_DMA_COPY;
  made.u.dma.destination = NPU_ADDRESS(NPU_SPACE_SHARED, 0);
  made.u.dma.rows = 1;
  made.u.dma.row_bytes = bytes;
  return {made};
}

class Dispatch : public CpFixture {
 protected:
  /// Queue n with context kContext + n.
  void add(uint32_t queue, uint32_t priority = NPU_PRIORITY_NORMAL, uint32_t job_limit_us = 0,
           uint32_t hang_limit_us = 0, uint32_t flags = 0) {
    ASSERT_EQ(ask_status({NPU_MESSAGE_CONTEXT_CREATE, kContext + queue, NPU_CONTEXT_WORD(priority, 0, flags),
                          job_limit_us, hang_limit_us}),
              kOk)
        << card.console;
    create(queue);
  }
  npu_submission job(uint32_t queue, uint64_t number, const std::vector<npu_command>& stream) {
    const uint64_t place = queue * 0x10000ull + number % 8 * 0x1000;
    card.host.put(kSegmentTable + place,
                  npu_segment{kJobDram + place, 0x1000, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0});
    for (size_t i = 0; i < stream.size(); ++i) {
      card.dram.put(NPU_DRAM_RESERVED_BYTES + place + i * sizeof(npu_command), stream[i]);
    }
    npu_submission submission = nop(queue, number);
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.segment_table = kSegmentTable + place;
    submission.segment_count = 1;
    submission.command_bytes = static_cast<uint32_t>(stream.size() * sizeof(npu_command));
    return submission;
  }
  /// Appends to the queue's ring, whose jobs count from 1.
  void submit(uint32_t queue, const std::vector<npu_submission>& submissions) {
    for (const npu_submission& each : submissions) put(queue, tails_[queue]++ % 8, each);
    card.ring_sq_tail(queue, tails_[queue] % 8);
    run();
  }
  void submit(uint32_t queue, uint64_t number, const std::vector<npu_command>& stream) {
    submit(queue, {job(queue, number, stream)});
  }
  [[nodiscard]] uint32_t running() const {
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < 4; ++slot) count += card.job_running(slot) ? 1u : 0u;
    return count;
  }
  /// Slot of the job of the queue's context that was started last.
  uint32_t slot_of(uint32_t queue) {
    const uint32_t asid = ask({NPU_MESSAGE_CONTEXT_STATUS, kContext + queue})[7] >> 16;
    for (auto job = card.started_jobs.rbegin(); job != card.started_jobs.rend(); ++job) {
      if (job->asid == asid) return job->slot;
    }
    ADD_FAILURE() << "no job of queue " << queue;
    return 0;
  }
  void end(uint32_t queue, const JobEnd& how = {}) {
    card.end_job(how, slot_of(queue));
    run();
  }
  /// Sleeps, at most some times, until it is so.
  static void sleep_until(const std::function<bool()>& so) {
    for (int sleeps = 0; sleeps < 10 && !so(); ++sleeps) sleep_and_run();
  }
  uint32_t status_of(uint32_t queue, uint32_t index = 0) { return completion(queue, index).status; }

 private:
  std::map<uint32_t, uint32_t> tails_;
};

TEST_F(Dispatch, ContextsThatNeedHalfOfTheCardEachRunTogether) {
  add(0);
  add(1);
  submit(0, 1, on_engines(0, 3));
  submit(1, 1, on_engines(4, 7));
  ASSERT_EQ(running(), 2u);
  EXPECT_EQ(card.started_jobs[0].engines, 0x0fu);
  EXPECT_EQ(card.started_jobs[0].first_engine, 0u);
  EXPECT_EQ(card.started_jobs[1].engines, 0xf0u);
  EXPECT_EQ(card.started_jobs[1].first_engine, 4u);
}

TEST_F(Dispatch, JobsThatNameTheSameEnginesGetDifferentOnes) {
  add(0);
  add(1);
  submit(0, 1, on_engines(0, 3));
  submit(1, 1, on_engines(0, 3));
  ASSERT_EQ(running(), 2u);
  EXPECT_EQ(card.started_jobs[1].engines, 0xf0u);
  EXPECT_EQ(card.started_jobs[1].first_engine, 0u);
}

TEST_F(Dispatch, PartsOfTheSharedMemoryLieBesideEachOther) {
  add(0);
  add(1);
  submit(0, 1, in_shared(0x20001));
  submit(1, 1, in_shared(0x10000));
  ASSERT_EQ(running(), 2u);
  EXPECT_EQ(card.started_jobs[0].shared, (Extent{0, 0x30000}));
  EXPECT_EQ(card.started_jobs[1].shared, (Extent{0x30000, 0x10000}));
}

TEST_F(Dispatch, ThereAreAsManyAtATimeAsSlots) {
  for (uint32_t queue = 0; queue < 6; ++queue) add(queue);
  for (uint32_t queue = 0; queue < 6; ++queue) submit(queue, 1, on_engines(0, 0));
  EXPECT_EQ(running(), 4u);
  end(2);
  EXPECT_EQ(running(), 4u);
  EXPECT_EQ(card.started_jobs.size(), 5u);
}

TEST_F(Dispatch, JobsOfAContextRunOneAfterTheOtherAlsoFromTwoQueues) {
  add(0);
  Message message = queue_create(1, 3);
  message[6] = kContext;
  card.host.map(submission_ring(1), 512);
  card.host.map(completion_ring(1), 512);
  ASSERT_EQ(ask_status(message), kOk);
  submit(0, {job(0, 1, on_engines(0, 0)), job(0, 2, on_engines(1, 1))});
  npu_submission other = job(1, 1, on_engines(2, 2));
  other.context = kContext;
  submit(1, {other});
  for (uint32_t left = 3; left > 0; --left) {
    EXPECT_EQ(running(), 1u);
    end(0);
  }
  EXPECT_EQ(card.started_jobs.size(), 3u);
}

TEST_F(Dispatch, TheNextJobIsReadyWhenTheCardIs) {
  add(0);
  add(1);
  submit(0, {job(0, 1, on_engines(0, 7)), job(0, 2, on_engines(0, 7))});
  submit(1, 1, on_engines(0, 7));
  ASSERT_EQ(running(), 1u);
  for (uint32_t left = 2; left > 0; --left) {
    const unsigned copies = card.dma_copies;
    card.end_job({}, 0);
    while (running() == 0) service_poll();
    EXPECT_EQ(card.dma_copies, copies + 1);  // nothing but the completion
    run();
  }
}

TEST_F(Dispatch, AJobThatNeedsMuchIsNotOvertakenByThoseThatWouldTakeItFromIt) {
  for (uint32_t queue = 0; queue < 4; ++queue) add(queue);
  submit(0, 1, on_engines(0, 3));
  submit(1, 1, on_engines(0, 5));  // waits for two of those
  submit(2, 1, on_engines(0, 2));  // four are free, but two only without the one before
  submit(3, 1, on_engines(0, 1));
  ASSERT_EQ(running(), 2u);
  EXPECT_EQ(card.started_jobs[1].asid, 4u);
  end(0);
  ASSERT_EQ(running(), 2u);
  EXPECT_EQ(card.started_jobs[2].asid, 2u);
  end(3);
  end(1);
  ASSERT_EQ(running(), 1u);
  EXPECT_EQ(card.started_jobs[3].asid, 3u);
}

TEST_F(Dispatch, WhoseTurnItIsKeepsItWhileItsJobIsMadeReady) {
  for (uint32_t queue = 0; queue < 3; ++queue) add(queue);
  for (uint32_t queue = 0; queue < 3; ++queue) {
    put(queue, 0, job(queue, 1, on_engines(0, 0)));
    card.ring_sq_tail(queue, 1);
  }
  run();
  ASSERT_EQ(running(), 3u);
  for (uint32_t queue = 0; queue < 3; ++queue) EXPECT_EQ(card.started_jobs[queue].asid, queue + 1);
}

TEST_F(Dispatch, AnUrgentJobGoesBeforeThoseThatWaitLonger) {
  add(0);
  add(1);
  add(2, NPU_PRIORITY_URGENT);
  submit(0, 1, on_engines(0, 7));
  submit(1, 1, on_engines(0, 7));
  submit(2, 1, on_engines(0, 7));
  end(0);
  EXPECT_EQ(card.started_jobs[1].asid, 3u);
  EXPECT_EQ(card.started_jobs[1].priority, static_cast<uint32_t>(NPU_PRIORITY_URGENT));
  end(2);
  EXPECT_EQ(card.started_jobs[2].asid, 2u);
  EXPECT_EQ(card.started_jobs[2].priority, static_cast<uint32_t>(NPU_PRIORITY_NORMAL));
}

TEST_F(Dispatch, ARunningJobRisesInTheTaskManagerWhileOthersRun) {
  add(0, NPU_PRIORITY_LOW);
  add(1, NPU_PRIORITY_URGENT);
  submit(0, 1, on_engines(0, 0));
  submit(1, 1, on_engines(1, 1));
  for (uint32_t level = NPU_PRIORITY_NORMAL; level <= NPU_PRIORITY_URGENT; ++level) {
    const uint64_t before = card.now_ns;
    sleep_and_run();
    EXPECT_EQ(card.priority(0), level);
    EXPECT_NEAR(static_cast<double>(card.now_ns - before), 50.0 * kMs, 1.0 * kMs);
  }
  EXPECT_EQ(card.priority(1), static_cast<uint32_t>(NPU_PRIORITY_URGENT));
}

TEST_F(Dispatch, WhatNeedsNoCardEndsInItsTurnAllTheSame) {
  add(0);
  npu_submission bad = job(0, 2, on_engines(0, 0));
  bad.reserved[0] = 1;
  submit(0, {job(0, 1, on_engines(0, 0)), bad, nop(0, 3)});
  EXPECT_EQ(completion(0, 0).phase, 0u);
  end(0);
  EXPECT_EQ(completion(0, 0).job, 1u);
  EXPECT_EQ(completion(0, 1).job, 2u);
  EXPECT_EQ(status_of(0, 1), static_cast<uint32_t>(NPU_JOB_BAD_SUBMISSION));
  EXPECT_EQ(completion(0, 2).job, 3u);
  EXPECT_EQ(status_of(0, 2), static_cast<uint32_t>(NPU_JOB_OK));
}

TEST_F(Dispatch, AStoppedContextsJobThatIsReadyIsAbortedWhateverItWouldHaveCome) {
  add(0, NPU_PRIORITY_NORMAL, 0, 0, NPU_CONTEXT_STOP_ON_FAULT);
  npu_submission bad = job(0, 2, on_engines(0, 0));
  bad.reserved[0] = 1;
  submit(0, {job(0, 1, on_engines(0, 0)), bad});
  end(0, {.error = true, .fault = NPU_FAULT_BUS});
  EXPECT_EQ(status_of(0, 0), static_cast<uint32_t>(NPU_JOB_FAULT));
  EXPECT_EQ(status_of(0, 1), static_cast<uint32_t>(NPU_JOB_ABORTED));
}

TEST_F(Dispatch, NoMoreIsTakenThanTheCompletionRingHasRoomFor) {
  create(0, 2);  // three completions
  for (uint32_t i = 0; i < 3; ++i) put(0, i, i < 2 ? nop(0, i) : job(0, 2, on_engines(0, 0)));
  card.ring_sq_tail(0, 3);
  run();
  ASSERT_EQ(running(), 1u);
  put(0, 3, nop(0, 3));
  card.ring_sq_tail(0, 0);  // one more behind it
  run();
  EXPECT_EQ(ask({NPU_MESSAGE_CONTEXT_STATUS, kContext})[1], 3u);
  card.ring_cq_head(0, 1);
  run();
  EXPECT_EQ(ask({NPU_MESSAGE_CONTEXT_STATUS, kContext})[1], 4u);
}

TEST_F(Dispatch, OnlyTheJobThatIsOverItsTimeIsStopped) {
  add(0, NPU_PRIORITY_NORMAL, 300);
  add(1);
  submit(0, 1, on_engines(0, 3));
  submit(1, 1, on_engines(4, 7));
  sleep_and_run();
  EXPECT_EQ(card.aborts, 1u);
  run();
  EXPECT_EQ(status_of(0), static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  ASSERT_EQ(running(), 1u);
  end(1);
  EXPECT_EQ(status_of(1), static_cast<uint32_t>(NPU_JOB_OK));
}

TEST_F(Dispatch, OnlyEnginesOfTheGuiltyJobAreReset) {
  add(0, NPU_PRIORITY_NORMAL, 300);
  add(1);
  card.task_manager_obeys_abort = false;
  submit(0, 1, on_engines(0, 3));
  submit(1, 1, on_engines(0, 3));
  // The guilty job's third engine, and one of the other's; both hold a copy engine's channels as well.
  card.busy_engines = {{.kind = NPU_COMMAND_NEURAL_ENGINE, .engine = 5, .asid = 2, .command = 1},
                       {.kind = NPU_COMMAND_NEURAL_ENGINE, .engine = 2, .asid = 1, .command = 2},
                       {.kind = NPU_COMMAND_EXTERNAL_HDMA, .engine = 0, .asid = 2, .command = 3}};
  sleep_until([&] { return !card.reset_engines.empty(); });
  run();
  ASSERT_EQ(card.reset_engines.size(), 1u);
  EXPECT_EQ(card.reset_engines[0].engine, 2u);
  EXPECT_EQ(status_of(0), static_cast<uint32_t>(NPU_JOB_TIMEOUT));
  EXPECT_EQ(completion(0, 0).fault, static_cast<uint32_t>(NPU_FAULT_ENGINE_STUCK));
  ASSERT_TRUE(card.job_running(slot_of(1)));
  end(1);
  EXPECT_EQ(status_of(1), static_cast<uint32_t>(NPU_JOB_OK));
}

TEST_F(Dispatch, AFaultsEngineIsNamedAsTheCardCountsIt) {
  add(0);
  add(1);
  submit(0, 1, on_engines(0, 3));
  submit(1, 1, on_engines(0, 3));
  end(1, {.error = true, .fault = NPU_FAULT_ADDRESS, .fault_command = 2});
  card.host.map(0x60'0000, sizeof(npu_fault_record));
  ASSERT_EQ(ask({NPU_MESSAGE_FAULT_READ, 0, 0x60'0000, 0, 1})[1], 1u);
  const auto record = card.host.get<npu_fault_record>(0x60'0000);
  EXPECT_EQ(record.block, static_cast<uint32_t>(NPU_COMMAND_NEURAL_ENGINE));
  EXPECT_EQ(record.engine, 6u);  // its third one of 4 to 7
  EXPECT_EQ(record.asid, 2u);
}

TEST_F(Dispatch, TimeForWhichOthersHaveItsEnginesIsForgiven) {
  add(0);
  add(1, NPU_PRIORITY_NORMAL, 300, 100);
  submit(0, 1, on_engines(0, 0));
  submit(1, 1, on_engines(1, 1));
  const uint64_t begin = card.now_ns;
  for (uint32_t look = 1; look <= 6; ++look) {  // of each 100 us it is blocked for 90
    card.set_blocked_ns(look * 90'000, slot_of(1));
    sleep_and_run();
    ASSERT_EQ(card.aborts, 0u) << look;
  }
  EXPECT_GT(card.now_ns, begin + 500'000);
  const uint64_t moving = card.now_ns;  // it waits no more and does not move: 100 us later it hangs
  sleep_until([&] { return card.aborts != 0; });
  EXPECT_EQ(card.aborts, 1u);
  EXPECT_LT(card.now_ns, moving + 250'000);
  run();
  EXPECT_EQ(completion(1, 0).fault, static_cast<uint32_t>(NPU_FAULT_HANG));
  EXPECT_EQ(running(), 1u);
}

TEST_F(Dispatch, DestroyOfAContextCompletesAlsoTheJobThatIsReady) {
  add(0);
  add(1);
  submit(0, {job(0, 1, on_engines(0, 3)), job(0, 2, on_engines(0, 3)), job(0, 3, on_engines(0, 3))});
  submit(1, 1, on_engines(0, 3));
  EXPECT_EQ(ask({NPU_MESSAGE_CONTEXT_DESTROY, kContext})[1], 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(completion(0, i).job, i + 1);
    EXPECT_EQ(status_of(0, i), static_cast<uint32_t>(NPU_JOB_ABORTED));
  }
  EXPECT_EQ(card.aborts, 1u);
  EXPECT_EQ(running(), 1u);
}

TEST_F(Dispatch, ManyContextsWithoutRoomForAllAreServedInTheEnd) {
  for (uint32_t queue = 0; queue < 16; ++queue) add(queue, queue % NPU_PRIORITIES);
  for (uint32_t queue = 0; queue < 16; ++queue) {
    submit(queue, {job(queue, 1, on_engines(0, 7)), job(queue, 2, in_shared(1)), nop(queue, 3)});
  }
  card.task_manager_duration_ns = 100'000;
  for (uint32_t slot = 0; slot < 4; ++slot) {
    if (card.job_running(slot)) card.end_job({}, slot);
  }
  run();
  for (int sleeps = 0; sleeps < 200 && running() != 0; ++sleeps) sleep_and_run();
  EXPECT_EQ(card.started_jobs.size(), 32u);
  for (uint32_t queue = 0; queue < 16; ++queue) {
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(completion(queue, i).job, i + 1) << queue;
      EXPECT_EQ(status_of(queue, i), static_cast<uint32_t>(NPU_JOB_OK));
    }
  }
}

TEST_F(Dispatch, TheEventLogTellsWhichJobWasWhereAndHowItEnded) {
  add(0);
  add(1);
  card.management.events.clear();
  submit(0, 5, on_engines(0, 3));
  submit(1, 6, on_engines(0, 3));
  end(1, {.error = true, .fault = NPU_FAULT_BUS});
  submit(1, {nop(1, 7)});
  end(0);
  std::vector<std::array<uint64_t, 6>> seen;  // code, context, queue, slot, status, job
  for (const auto& event : card.management.events) {
    if (event.code != NPU_EVENT_JOB_START && event.code != NPU_EVENT_JOB_END) continue;
    const uint64_t who = event.argument[0];
    EXPECT_EQ(NPU_EVENT_JOB_FUNCTION(who), 0u);
    seen.push_back({event.code, NPU_EVENT_JOB_CONTEXT(who), NPU_EVENT_JOB_QUEUE(who), NPU_EVENT_JOB_SLOT(who),
                    NPU_EVENT_JOB_STATUS(who), event.argument[1]});
  }
  const std::vector<std::array<uint64_t, 6>> expected{{NPU_EVENT_JOB_START, kContext, 0, 0, 0, 5},
                                                      {NPU_EVENT_JOB_START, kContext + 1, 1, 1, 0, 6},
                                                      {NPU_EVENT_JOB_END, kContext + 1, 1, 1, NPU_JOB_FAULT, 6},
                                                      {NPU_EVENT_JOB_END, kContext + 1, 1, NPU_EVENT_NO_SLOT, 0, 7},
                                                      {NPU_EVENT_JOB_END, kContext, 0, 0, NPU_JOB_OK, 5}};
  EXPECT_EQ(seen, expected);
}

/// Random jobs of many contexts that end in random order: each ends once, in its queue's order, and accounts agree.
TEST_F(Dispatch, RandomLoadIsAccountedForExactly) {
  constexpr uint32_t kContexts = 8;
  uint64_t state = 20'250'801;
  const auto random = [&state](uint32_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 33) % below;
  };
  std::array<uint32_t, kContexts> submitted{}, completed{}, failed{};
  for (uint32_t queue = 0; queue < kContexts; ++queue) add(queue, random(NPU_PRIORITIES));
  for (uint32_t step = 0; step < 3000; ++step) {
    const uint32_t queue = random(kContexts);
    if (submitted[queue] - completed[queue] < 7 && random(3) != 0) {
      const uint32_t first = random(8), kind = random(10);
      npu_submission next = kind == 0   ? nop(queue, ++submitted[queue])
                            : kind == 1 ? job(queue, ++submitted[queue], in_shared(1 + random(40) * 0x100000))
                                        : job(queue, ++submitted[queue], on_engines(first, first + random(8 - first)));
      submit(queue, {next});
    } else {
      const uint32_t slot = random(4);
      if (card.job_running(slot)) card.end_job({.error = random(20) == 0, .fault = NPU_FAULT_BUS}, slot);
      run();
    }
    for (uint32_t each = 0; each < kContexts; ++each) {
      for (;;) {
        const npu_completion entry = completion(each, completed[each] % 8);
        if (entry.phase != (completed[each] / 8 % 2 == 0 ? 1u : 0u)) break;
        ASSERT_EQ(entry.job, ++completed[each]);
        failed[each] += entry.status == NPU_JOB_FAULT ? 1u : 0u;
        card.ring_cq_head(each, completed[each] % 8);
      }
    }
  }
  for (int left = 0; left < 200; ++left) {
    for (uint32_t slot = 0; slot < 4; ++slot) {
      if (card.job_running(slot)) card.end_job({}, slot);
    }
    run();
  }
  for (uint32_t each = 0; each < kContexts; ++each) {
    const Message status = ask({NPU_MESSAGE_CONTEXT_STATUS, kContext + each});
    EXPECT_EQ(status[1], submitted[each]);
    EXPECT_EQ(status[2], submitted[each] - failed[each]);
    EXPECT_EQ(status[3], failed[each]);
  }
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// Jobs of several contexts at the same time on a whole card with the real firmware: what it gains, that the shares are
// fair, and that nobody suffers for another one.
#include <gtest/gtest.h>

#include "tests/platform/assembly/client_card.h"

namespace npuvp::tests {
namespace {

using Done = ContextClient::Done;

constexpr auto kOk = uint32_t{NPU_MAILBOX_OK};

/// One row times 1024 x 2048 INT8, four times, on each of `engines`, `times` in a row. The weights keep an engine busy
/// for long, and the simulation not.
std::vector<npu_command> products(unsigned first, unsigned engines, unsigned times) {
  std::vector<npu_command> stream;
  for (unsigned time = 0; time < times; ++time) {
    for (unsigned engine = first; engine < first + engines; ++engine) {
      npu_command command{};
      command.kind = NPU_COMMAND_NEURAL_ENGINE;
      command.opcode = NPU_NE_GEMM;
      command.engine = static_cast<uint8_t>(engine);
      command.signal = NPU_TOKEN_NONE;
      for (auto& wait : command.wait) wait = {NPU_TOKEN_NONE, 0};
      command.u.gemm.b = 0x10000;
      command.u.gemm.c = 0x300000;
      command.u.gemm.m = 1;
      command.u.gemm.n = 2048;
      command.u.gemm.k = 1024;
      command.u.gemm.a_stride = 1024;
      command.u.gemm.b_stride = 2048;
      command.u.gemm.c_stride = 8192;
      command.u.gemm.batch = 4;
      command.u.gemm.c_batch_stride = 8192;
      command.u.gemm.type = NPU_TYPE_INT8;
      stream.push_back(command);
    }
  }
  return stream;
}

std::vector<Done> drained(ContextClient& client) {
  std::vector<Done> done;
  EXPECT_TRUE(client.drain(done));
  return done;
}

void expect_all_ok(const std::vector<Done>& done) {
  for (const auto& each : done) EXPECT_EQ(each.completion.status, uint32_t{NPU_JOB_OK}) << each.completion.fault;
}

/// First start to last end, in ns of card time.
uint64_t span_of(const std::vector<Done>& done) {
  uint64_t begin = UINT64_MAX;
  uint64_t end = 0;
  for (const auto& each : done) {
    begin = std::min(begin, each.completion.start_ns);
    end = std::max(end, each.completion.end_ns);
  }
  return end - begin;
}

/// Two programs with half of the engines each, together and one after the other.
TEST(Concurrency, TwoHalvesTakeLittleMoreThanOne) {
  on_client_card([](ClientCard& card) {
    auto& first = card.add();
    auto& second = card.add();
    constexpr int kJobs = 6;
    const auto submit = [](ContextClient& client) {
      for (int job = 0; job < kJobs; ++job) client.submit_stream(products(0, 4, 7));
    };
    uint64_t apart = 0;
    for (auto* client : {&first, &second}) {
      submit(*client);
      const auto done = drained(*client);
      expect_all_ok(done);
      apart += span_of(done);
    }
    submit(first);
    submit(second);
    auto done = drained(first);
    const auto others = drained(second);
    done.insert(done.end(), others.begin(), others.end());
    ASSERT_EQ(done.size(), 2U * kJobs);
    expect_all_ok(done);
    const uint64_t together = span_of(done);
    RecordProperty("apart_ns", std::to_string(apart));
    RecordProperty("together_ns", std::to_string(together));
    EXPECT_LT(together * 100, apart * 60) << together << " ns instead of " << apart;
  });
}

/// Three contexts of one priority, one of which always asks for the whole card, have a third of it each.
TEST(Concurrency, SharesAreFairWhateverTheJobsNeed) {
  on_client_card([](ClientCard& card) {
    std::vector<ContextClient*> clients{&card.add(), &card.add(), &card.add()};
    const std::array<std::vector<npu_command>, 3> streams{products(0, 8, 3), products(0, 4, 3), products(0, 4, 6)};
    std::array<uint64_t, 3> engine_ns{};
    const std::array<uint64_t, 3> engines{8, 4, 4};
    const auto begin = sc_core::sc_time_stamp();
    while (sc_core::sc_time_stamp() - begin < sc_core::sc_time(3, sc_core::SC_MS)) {
      for (size_t i = 0; i < clients.size(); ++i) {
        while (clients[i]->has_room()) clients[i]->submit_stream(streams[i]);
        for (const auto& each : clients[i]->reap()) {
          EXPECT_EQ(each.completion.status, uint32_t{NPU_JOB_OK});
          engine_ns[i] += (each.completion.end_ns - each.completion.start_ns) * engines[i];
        }
      }
      sc_core::wait(5, sc_core::SC_US);
    }
    for (auto* client : clients) expect_all_ok(drained(*client));
    const double all = static_cast<double>(engine_ns[0] + engine_ns[1] + engine_ns[2]);
    for (const uint64_t each : engine_ns) EXPECT_NEAR(static_cast<double>(each) / all, 1.0 / 3, 0.12);
  });
}

/// One context's engine hangs in the middle of a job while two others have jobs on their engines all the time. They go
/// on meanwhile, and the reset meets nobody but the guilty one.
TEST(Concurrency, OthersRunOnWhileAnEngineHangsAndIsReset) {
  on_client_card([](ClientCard& card) {
    auto& guilty = card.add({.job_limit_us = 500});
    std::vector<ContextClient*> others{&card.add(), &card.add({.priority = NPU_PRIORITY_URGENT})};
    EXPECT_TRUE(card.card().hang_next_command("neural_dma0"));
    auto hanging = products(0, 2, 1);
    hanging.push_back(
        copy_command(NPU_COMMAND_NEURAL_DMA, 0, NPU_ADDRESS(1, 0), NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0), 256));
    guilty.submit_stream(hanging);
    guilty.submit_stream(products(0, 2, 1));
    sc_core::wait(100, sc_core::SC_US);
    const auto begin = sc_core::sc_time_stamp();
    uint64_t jobs = 0;
    while (guilty.outstanding() != 0 && sc_core::sc_time_stamp() - begin < sc_core::sc_time(1, sc_core::SC_SEC)) {
      for (auto* each : others) {
        const auto done = each->reap();
        expect_all_ok(done);
        jobs += done.size();
        if (each->outstanding() == 0) each->submit_stream(products(0, 3, 1));
      }
      for (const auto& each : guilty.reap()) {
        const bool first = each.completion.job == 1;
        EXPECT_EQ(each.completion.status, uint32_t{first ? NPU_JOB_TIMEOUT : NPU_JOB_OK});
        EXPECT_EQ(each.completion.fault, uint32_t{first ? NPU_FAULT_ENGINE_STUCK : NPU_FAULT_NONE});
      }
      sc_core::wait(2, sc_core::SC_MS);
    }
    EXPECT_EQ(guilty.outstanding(), 0U);
    EXPECT_GE(jobs, 2 * 48U);  // in 100 ms, one of each every 2 ms
    for (auto* each : others) expect_all_ok(drained(*each));
    const auto records = card.faults->read();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].context, 100U);
    EXPECT_EQ(records[0].block, uint32_t{NPU_COMMAND_NEURAL_DMA});
    EXPECT_EQ(records[0].engine, 0U);
    EXPECT_EQ(card.physical->read(MAILBOX_HOST_CARD_STATE), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  });
}

/// An engine that all share hangs in one context's command: the others wait for it, longer than their own limits allow
/// them to run, and complete.
TEST(Concurrency, WhoWaitsForASharedEngineThatHangsIsNotBlamed) {
  on_client_card([](ClientCard& card) {
    auto& guilty = card.add({.job_limit_us = 500});
    auto& other = card.add({.job_limit_us = 2000, .hang_limit_us = 1000});
    EXPECT_TRUE(card.card().hang_next_command("external_hdma1"));
    guilty.submit(Trouble::kHang);
    sc_core::wait(200, sc_core::SC_US);
    for (int job = 0; job < 3; ++job) other.submit(Trouble::kNone);
    const auto done = drained(guilty);
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].completion.fault, uint32_t{NPU_FAULT_ENGINE_STUCK});
    const auto theirs = drained(other);
    EXPECT_EQ(theirs.size(), 3U);
    expect_all_ok(theirs);
  });
}

}  // namespace
}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
// Jobs that go wrong on a whole card with the real firmware: only the guilty context suffers, everything is accounted
// for, and the record tells who, where and what. Expected endings: firmware/abi/status.h.
#include <gtest/gtest.h>

#include <random>

#include "tests/platform/assembly/client_card.h"

namespace npuvp::tests {
namespace {

using Done = ContextClient::Done;

constexpr auto kOk = uint32_t{NPU_MAILBOX_OK};
/// Long enough for any job of these tests (some ten microseconds), short for a simulation.
constexpr uint32_t kJobLimitUs = 2000;

void expect_ended_as(const Done& done) {
  const auto expected = ending_of(done.trouble);
  EXPECT_EQ(done.completion.status, expected.status) << "trouble " << static_cast<int>(done.trouble);
  EXPECT_EQ(done.completion.fault, expected.fault) << "trouble " << static_cast<int>(done.trouble);
  if (expected.fault != NPU_FAULT_NONE) {
    EXPECT_EQ(done.completion.fault_command, expected.command);
  }
}

class EachTrouble : public testing::TestWithParam<Trouble> {};

/// The guilty context stops, and what it had waiting is aborted. Two others have jobs under way all the time and notice
/// nothing. The record names the guilty one.
TEST_P(EachTrouble, EndsOnlyTheGuiltyContext) {
  const Trouble trouble = GetParam();
  on_client_card([trouble](ClientCard& card) {
    auto& guilty = card.add({.flags = NPU_CONTEXT_STOP_ON_FAULT, .job_limit_us = kJobLimitUs});
    std::vector<ContextClient*> others{&card.add({}), &card.add({.priority = NPU_PRIORITY_LOW})};
    if (trouble == Trouble::kDoubleError) card.spoil(0);
    if (trouble == Trouble::kHang) {
      EXPECT_TRUE(card.card().hang_next_command("external_hdma1"));
    }
    const uint64_t bad_job = guilty.submit(trouble);
    for (int behind = 0; behind < 3; ++behind) guilty.submit(Trouble::kNone);
    for (auto* other : others) {
      while (other->has_room()) other->submit(Trouble::kNone);
    }

    std::vector<Done> done;
    ASSERT_TRUE(guilty.drain(done));
    ASSERT_EQ(done.size(), 4U);
    expect_ended_as(done[0]);
    EXPECT_EQ(done[0].completion.job, bad_job);
    for (size_t behind = 1; behind < 4; ++behind) {
      EXPECT_EQ(done[behind].completion.status, uint32_t{NPU_JOB_ABORTED});
    }
    for (auto* other : others) {
      std::vector<Done> theirs;
      ASSERT_TRUE(other->drain(theirs));
      EXPECT_EQ(theirs.size(), ContextClient::kEntries - 1);
      for (const auto& each : theirs) expect_ended_as(each);
    }

    const auto records = card.faults->read();
    ASSERT_EQ(records.size(), 1U);
    const auto& record = records[0];
    const auto expected = ending_of(trouble);
    EXPECT_EQ(record.sequence, 1U);
    EXPECT_EQ(record.function, 0U);
    EXPECT_EQ(record.context, 100U);
    EXPECT_EQ(record.asid, guilty.asid);
    EXPECT_EQ(record.queue, 0U);
    EXPECT_EQ(record.job, bad_job);
    EXPECT_EQ(record.status, expected.status);
    EXPECT_EQ(record.fault, expected.fault);
    EXPECT_TRUE(record.flags & NPU_FAULT_RECORD_CONTEXT_STOPPED);
    EXPECT_EQ((record.flags & NPU_FAULT_RECORD_ENGINE_RESET) != 0, trouble == Trouble::kHang);
    EXPECT_GE(record.time_ns, record.start_ns);
    if (trouble == Trouble::kRefused) {
      EXPECT_EQ(record.command, NPU_FAULT_NO_COMMAND);
      EXPECT_EQ(record.block, 0U);
    } else {
      EXPECT_EQ(record.command, expected.command);
      EXPECT_EQ(record.block, trouble == Trouble::kIllegalCommand ? 77U : uint32_t{NPU_COMMAND_EXTERNAL_HDMA});
      EXPECT_EQ(record.engine, expected.command);  // command n runs on External HDMA n
    }

    // It can be made anew, and the engine works again.
    EXPECT_EQ(NPU_MAILBOX_STATUS(guilty.destroy()[0]), kOk);
    ASSERT_EQ(guilty.create({}), kOk);
    const auto again = guilty.run(Trouble::kNone);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->status, uint32_t{NPU_JOB_OK});
    EXPECT_EQ(card.physical->read(MAILBOX_HOST_CARD_STATE), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  });
}

INSTANTIATE_TEST_SUITE_P(Faults, EachTrouble,
                         testing::Values(Trouble::kDeadlock, Trouble::kIllegalCommand, Trouble::kBadAddress,
                                         Trouble::kReadOnly, Trouble::kDoubleError, Trouble::kRefused, Trouble::kHang));

/// Eight rows of 64 bytes, of which the sixth begins where the segment ends (models/dma: a row that leaves its segment
/// does not begin, those before it have moved).
TEST(Faults, TheRecordTellsHowFarADmaCommandCame) {
  on_client_card([](ClientCard& card) {
    auto& client = card.add({});
    auto copy = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(1, ClientCard::kClientBytes - 5 * 64),
                             NPU_ADDRESS(2, 0), 64);
    copy.u.dma.rows = 8;
    copy.u.dma.source_stride = copy.u.dma.destination_stride = 64;
    client.submit_stream({&copy, 1});
    std::vector<Done> done;
    ASSERT_TRUE(client.drain(done));
    EXPECT_EQ(done[0].completion.fault, uint32_t{NPU_FAULT_ADDRESS});
    const auto records = card.faults->read();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_TRUE(records[0].flags & NPU_FAULT_RECORD_POSITION);
    EXPECT_EQ(records[0].position, NPU_DMA_POSITION(0, 5 * 64));
    EXPECT_EQ(records[0].address, NPU_ADDRESS(1, ClientCard::kClientBytes));
  });
}

TEST(Faults, AHangIsFoundByTheCountOfRetiredCommandsLongBeforeTheTimeIsUp) {
  on_client_card([](ClientCard& card) {
    auto& client = card.add({.job_limit_us = 900'000, .hang_limit_us = 500});
    EXPECT_TRUE(card.card().hang_next_command("external_hdma0"));
    const auto begin = sc_core::sc_time_stamp();
    const auto done = client.run(Trouble::kNone);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->status, uint32_t{NPU_JOB_TIMEOUT});
    EXPECT_EQ(done->fault, uint32_t{NPU_FAULT_ENGINE_STUCK});
    EXPECT_EQ(done->commands, 0U);
    // One to two limits until it is found, then the 100 ms that an engine has to stop by itself.
    EXPECT_LT(sc_core::sc_time_stamp() - begin, sc_core::sc_time(110, sc_core::SC_MS));
    const auto records = card.faults->read();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].block, uint32_t{NPU_COMMAND_EXTERNAL_HDMA});
    EXPECT_EQ(records[0].engine, 0U);
    EXPECT_EQ(records[0].command, 0U);
  });
}

TEST(Faults, DestroyOfAContextWithAStuckEngineLeavesTheOthersAlone) {
  on_client_card([](ClientCard& card) {
    auto& guilty = card.add({});
    auto& other = card.add({});
    EXPECT_TRUE(card.card().hang_next_command("external_hdma0"));
    guilty.submit(Trouble::kHang);
    guilty.submit(Trouble::kNone);
    sc_core::wait(1, sc_core::SC_MS);
    while (other.has_room()) other.submit(Trouble::kNone);
    const auto reply = guilty.destroy();
    EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), kOk);
    EXPECT_EQ(reply[1], 2U);
    for (const auto& each : guilty.reap()) EXPECT_EQ(each.completion.status, uint32_t{NPU_JOB_ABORTED});
    EXPECT_EQ(guilty.outstanding(), 0U);
    std::vector<Done> done;
    ASSERT_TRUE(other.drain(done));
    for (const auto& each : done) expect_ended_as(each);
  });
}

/// Ten thousand jobs of four contexts, of which one in a hundred is bad in one of seven ways, chosen at random. Each
/// completes once, as it should; counters and records agree with what was submitted; nothing is left on the card.
TEST(Faults, TenThousandJobsAreAccountedForExactly) {
  on_client_card([](ClientCard& card) {
    constexpr unsigned kClients = 4;
    constexpr unsigned kJobs = 10'000;
    constexpr unsigned kTroubles = 7;
    struct Count {
      uint32_t ok = 0, failed = 0;
    };
    std::array<Count, kClients> expected{};
    std::array<Count, kClients> seen{};
    uint32_t records = 0;
    uint32_t bad = 0;
    std::mt19937_64 random(20'250'704);
    for (unsigned i = 0; i < kClients; ++i) {
      card.add({.priority = i, .job_limit_us = kJobLimitUs});
      card.spoil(i);
    }
    const auto take = [&](unsigned client, const std::vector<Done>& done) {
      for (const auto& each : done) {
        expect_ended_as(each);
        ++(each.completion.status == NPU_JOB_OK ? seen[client].ok : seen[client].failed);
      }
    };
    const auto drain_all = [&] {
      for (unsigned i = 0; i < kClients; ++i) {
        std::vector<Done> done;
        EXPECT_TRUE(card.clients[i]->drain(done));
        take(i, done);
      }
    };
    for (unsigned job = 0; job < kJobs; ++job) {
      const auto client = static_cast<unsigned>(random() % kClients);
      const bool is_bad = random() % 100 == 0;
      const auto trouble = is_bad ? static_cast<Trouble>(1 + random() % kTroubles) : Trouble::kNone;
      ++(is_bad ? expected[client].failed : expected[client].ok);
      bad += is_bad ? 1 : 0;
      // An engine hangs in the next command it gets, whose ever that is: let it be this job's.
      if (trouble == Trouble::kHang) {
        drain_all();
        EXPECT_TRUE(card.card().hang_next_command("external_hdma1"));
      }
      while (!card.clients[client]->has_room()) {
        for (unsigned i = 0; i < kClients; ++i) take(i, card.clients[i]->reap());
        sc_core::wait(20, sc_core::SC_US);
      }
      card.clients[client]->submit(trouble);
      if (trouble == Trouble::kHang) drain_all();
      if (is_bad) records += static_cast<uint32_t>(card.faults->read().size());
    }
    drain_all();
    records += static_cast<uint32_t>(card.faults->read().size());
    EXPECT_GT(bad, 50U);
    EXPECT_EQ(records, bad);
    EXPECT_EQ(card.faults->lost, 0U);
    for (unsigned i = 0; i < kClients; ++i) {
      EXPECT_EQ(seen[i].ok, expected[i].ok);
      EXPECT_EQ(seen[i].failed, expected[i].failed);
      const auto status = card.clients[i]->status();
      EXPECT_EQ(status[1], card.clients[i]->submitted());
      EXPECT_EQ(status[2], expected[i].ok);
      EXPECT_EQ(status[3], expected[i].failed);
      EXPECT_EQ(status[4], 0U);
      EXPECT_EQ(NPU_MAILBOX_STATUS(card.clients[i]->destroy()[0]), kOk);
    }
    // PARTITION is refused while anything of a context or a queue is left.
    EXPECT_EQ(card.physical->status_of(NPU_MESSAGE_PARTITION, {0, 0}), kOk);
    for (uint32_t id = 0; id < NPU_QUEUES; ++id) {
      EXPECT_EQ(card.physical->status_of(NPU_MESSAGE_CONTEXT_CREATE, {0, id, NPU_CONTEXT_WORD(1, 0, 0)}), kOk);
    }
  });
}

TEST(Faults, AVirtualFunctionThatFloodsTheCardKeepsOthersWaitingForOneOfItsJobsAtMost) {
  TestServer server("server-1-vf", [](TestServer& self) {
    ClientCard card(self);
    ASSERT_EQ(card.physical->status_of(NPU_MESSAGE_PARTITION, {0, 2}), kOk);
    std::vector<std::unique_ptr<RawFunction>> functions;
    for (const auto& each : self.host.enable_virtual_functions(self.functions.front(), 2)) {
      functions.push_back(std::make_unique<RawFunction>(self.host, each));
    }
    const auto client_of = [&](size_t function, uint32_t queue) {
      auto dram = functions[function]->share();
      dram.base += queue * ClientCard::kClientBytes;
      dram.size = ClientCard::kClientBytes;
      return std::make_unique<ContextClient>(self.host, *functions[function], 7 + queue, queue, dram);
    };
    const auto victim = client_of(1, 0);
    ASSERT_EQ(victim->create({.priority = NPU_PRIORITY_LOW}), kOk);
    const auto time_of = [](ContextClient& client) {
      const auto begin = sc_core::sc_time_stamp();
      const auto done = client.run(Trouble::kNone);
      EXPECT_TRUE(done && done->status == NPU_JOB_OK);
      return sc_core::sc_time_stamp() - begin;
    };
    const auto alone = time_of(*victim);

    const std::array attackers{client_of(0, 0), client_of(0, 1)};
    for (const auto& attacker : attackers) ASSERT_EQ(attacker->create({.priority = NPU_PRIORITY_URGENT}), kOk);
    auto longest = sc_core::SC_ZERO_TIME;
    for (int round = 0; round < 50; ++round) {
      for (const auto& attacker : attackers) {
        (void)attacker->reap();
        while (attacker->has_room()) attacker->submit(Trouble::kNone);
      }
      longest = std::max(longest, time_of(*victim));
      EXPECT_GT(attackers[0]->outstanding() + attackers[1]->outstanding(), 10U) << "no flood";
    }
    // All jobs are alike. Before the victim's: the one that runs, and one more of the attacker's, each with the
    // clearing of on-chip memories (32 MiB at 256 GB/s: 131 us) that a change of function costs.
    EXPECT_LT(longest, 3 * alone + 3 * sc_core::sc_time(35, sc_core::SC_US));
  });
}

}  // namespace
}  // namespace npuvp::tests

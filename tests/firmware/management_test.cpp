// SPDX-License-Identifier: Apache-2.0
// Thermal and P-state control, telemetry, event log, crash dump and self test, natively on the fake card.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "npu/registers/mailbox.h"
#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/crash.h"
#include "firmware/abi/event_log.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/telemetry.h"
#include "firmware/cp/management.h"
#include "firmware/cp/pstate.h"
#include "firmware/cp/self_test.h"
#include "firmware/cp/thermal.h"
#include "firmware/cp/version.h"
#include "firmware/lib/trap.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kPage = 0x40'0000;

class Management : public CpFixture {
 protected:
  [[nodiscard]] uint32_t pstate() const { return card.management.pstates.back(); }
  void set_celsius(int celsius) {
    card.management.set_temperature(celsius * 1000);
    card.advance_ns(0);
    run();
  }
  npu_telemetry telemetry() {
    card.host.map(kPage, sizeof(npu_telemetry));
    EXPECT_EQ(ask_status({NPU_MESSAGE_TELEMETRY, static_cast<uint32_t>(kPage), 0, 0}), uint32_t{NPU_MAILBOX_OK});
    return card.host.get<npu_telemetry>(kPage);
  }
  void start_job() {
    create(0);
    card.task_manager_duration_ns = UINT64_MAX;
    put(0, 0, execute(0, 1));
    card.ring_sq_tail(0, 1);
    run();
    ASSERT_TRUE(card.job_running());
  }
};

TEST_F(Management, ThermalStatesFollowTheLimitsWithHysteresis) {
  struct Row {
    npu_thermal_state state;
    int celsius;
    npu_thermal_state next;
  };
  for (const Row row : {
           Row{NPU_THERMAL_NORMAL, 74, NPU_THERMAL_NORMAL},
           Row{NPU_THERMAL_NORMAL, 75, NPU_THERMAL_THROTTLE},
           Row{NPU_THERMAL_THROTTLE, 71, NPU_THERMAL_THROTTLE},
           Row{NPU_THERMAL_THROTTLE, 70, NPU_THERMAL_NORMAL},
           Row{NPU_THERMAL_THROTTLE, 85, NPU_THERMAL_ABORT},
           Row{NPU_THERMAL_NORMAL, 90, NPU_THERMAL_ABORT},
           Row{NPU_THERMAL_ABORT, 81, NPU_THERMAL_ABORT},
           Row{NPU_THERMAL_ABORT, 80, NPU_THERMAL_THROTTLE},
           Row{NPU_THERMAL_ABORT, 60, NPU_THERMAL_NORMAL},
           Row{NPU_THERMAL_ABORT, 115, NPU_THERMAL_SHUTDOWN},
           Row{NPU_THERMAL_NORMAL, 115, NPU_THERMAL_SHUTDOWN},
           Row{NPU_THERMAL_SHUTDOWN, 20, NPU_THERMAL_SHUTDOWN},
           Row{NPU_THERMAL_NORMAL, -40, NPU_THERMAL_NORMAL},
       }) {
    EXPECT_EQ(thermal_next(row.state, row.celsius * 1000), row.next) << row.state << " at " << row.celsius;
  }
}

TEST_F(Management, IdleIsP14AndAJobRunsInP2) {
  EXPECT_EQ(pstate(), 14u);
  start_job();
  EXPECT_EQ(pstate(), 2u);
  card.end_job({});
  run();
  EXPECT_EQ(pstate(), 2u) << "the next job may follow at once";
  sleep_and_run();
  EXPECT_EQ(pstate(), 14u);
  EXPECT_EQ(management_deadline(), UINT64_MAX) << "idle, nothing wakes the firmware any more";
}

TEST_F(Management, TheHostChoosesTheStateOfJobs) {
  const auto reply = ask({NPU_MESSAGE_PSTATE, 6});
  EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), uint32_t{NPU_MAILBOX_OK});
  EXPECT_EQ(reply[1], 14u);
  start_job();
  EXPECT_EQ(pstate(), 6u);
  EXPECT_EQ(ask({NPU_MESSAGE_PSTATE, 0})[1], 2u);
  EXPECT_EQ(ask_status({NPU_MESSAGE_PSTATE, 10}), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
  EXPECT_EQ(ask_status({NPU_MESSAGE_PSTATE, 6}, 1), uint32_t{NPU_MAILBOX_NOT_PERMITTED});
}

TEST_F(Management, HotItThrottlesAndCoolsDownAgain) {
  start_job();
  set_celsius(75);
  EXPECT_EQ(pstate(), 10u);
  EXPECT_EQ(card.aborts, 0u);
  EXPECT_TRUE(said("throttled"));
  EXPECT_EQ(card.management.events.back().code, uint32_t{NPU_EVENT_THERMAL});
  set_celsius(71);
  EXPECT_EQ(pstate(), 10u);
  set_celsius(70);
  EXPECT_EQ(pstate(), 2u);
}

TEST_F(Management, TooHotItAbortsJobsAndStartsNoneUntilItIsCooler) {
  start_job();
  set_celsius(85);
  EXPECT_EQ(pstate(), 12u);
  EXPECT_EQ(card.aborts, 1u);
  card.end_job({.error = true});
  run();
  EXPECT_EQ(completion(0, 0).status, uint32_t{NPU_JOB_ABORTED});
  put(0, 1, nop(0, 2));
  card.ring_sq_tail(0, 2);
  run();
  EXPECT_EQ(completion(0, 1).phase, 0u) << "waits";
  set_celsius(80);
  EXPECT_EQ(completion(0, 1).job, 2u);
  EXPECT_EQ(completion(0, 1).status, uint32_t{NPU_JOB_OK});
  EXPECT_EQ(pstate(), 10u);
}

TEST_F(Management, MuchTooHotItSwitchesItselfOff) {
  set_celsius(115);
  EXPECT_TRUE(card.management.powered_off);
  EXPECT_EQ(card.card_state, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT});
}

TEST_F(Management, TelemetryTellsWhatIs) {
  create(0);
  put(0, 0, nop(0, 1));
  card.ring_sq_tail(0, 1);
  run();
  card.management.set_temperature(51234);
  const auto page = telemetry();
  EXPECT_EQ(page.magic, NPU_TELEMETRY_MAGIC);
  EXPECT_EQ(page.bytes, sizeof(npu_telemetry));
  EXPECT_EQ(page.temperature_mc, 51234);
  EXPECT_EQ(page.jobs_ok, 1u);
  EXPECT_EQ(page.jobs_running, 0u);
  EXPECT_EQ(page.reset_cause, 1u) << "the fake card was reset by the host";
  EXPECT_EQ(page.self_test, 0u);
  EXPECT_EQ(telemetry().sequence, page.sequence + 1);
}

TEST_F(Management, APeriodicPageIsWrittenOnlyWhileSomethingHappens) {
  card.host.map(kPage, sizeof(npu_telemetry));
  ASSERT_EQ(ask_status({NPU_MESSAGE_TELEMETRY, static_cast<uint32_t>(kPage), 0, 1000}), uint32_t{NPU_MAILBOX_OK});
  const auto sequence = [this] { return card.host.get<npu_telemetry>(kPage).sequence; };
  card.advance_ns(5'000'000);
  run();
  EXPECT_EQ(sequence(), 1u);
  EXPECT_EQ(management_deadline(), UINT64_MAX);
  start_job();
  EXPECT_EQ(sequence(), 2u);
  EXPECT_EQ(card.host.get<npu_telemetry>(kPage).jobs_running, 1u);
  sleep_and_run();
  EXPECT_EQ(sequence(), 3u) << "the job goes on";
  card.end_job({});
  run();
  while (management_deadline() != UINT64_MAX) sleep_and_run();
  EXPECT_EQ(card.host.get<npu_telemetry>(kPage).jobs_ok, 1u);
  EXPECT_EQ(card.host.get<npu_telemetry>(kPage).jobs_running, 0u);
}

TEST_F(Management, ABadTelemetryAddressIsRefused) {
  EXPECT_EQ(ask_status({NPU_MESSAGE_TELEMETRY, 0x400080, 0, 0}), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
  EXPECT_EQ(ask_status({NPU_MESSAGE_TELEMETRY, 0, 0xffffffff, 0}), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
  EXPECT_EQ(ask_status({NPU_MESSAGE_TELEMETRY, 0x77770000, 0, 0}), uint32_t{NPU_MAILBOX_UNREADABLE});
}

TEST_F(Management, EventsAreHandedOutBySequence) {
  card.host.map(kPage, 4096);
  const auto written = static_cast<uint32_t>(card.management.events.size());
  ASSERT_GE(written, 2u);
  // The fake log manager does not write the ring: put in what it would have.
  for (uint32_t i = 0; i < written; ++i) {
    card.dram.put(NPU_DRAM_EVENT_LOG + i * sizeof(npu_event), npu_event{i, i, 0, static_cast<uint16_t>(7 + i), {0, 0}});
  }
  auto reply = ask({NPU_MESSAGE_EVENT_LOG, static_cast<uint32_t>(kPage), 0, 128, 1});
  EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), uint32_t{NPU_MAILBOX_OK});
  EXPECT_EQ(reply[1], written - 1);
  EXPECT_EQ(reply[2], 1u);
  EXPECT_EQ(reply[3], written);
  EXPECT_EQ(card.host.get<npu_event>(kPage).code, 8u);
  reply = ask({NPU_MESSAGE_EVENT_LOG, static_cast<uint32_t>(kPage), 0, 128, written});
  EXPECT_EQ(reply[1], 0u) << "no more";
  reply = ask({NPU_MESSAGE_EVENT_LOG, static_cast<uint32_t>(kPage), 0, 1, written + 5});
  EXPECT_EQ(reply[1], 1u) << "a number from the future is one that is long lost";
  EXPECT_EQ(reply[2], 0u);
}

TEST_F(Management, ATrapLeavesACrashDumpThatTheHostCanReadOnce) {
  card.host.map(kPage, 4096);
  const Message read{NPU_MESSAGE_CRASH_DUMP, static_cast<uint32_t>(kPage), 0, sizeof(npu_crash_dump), 1};
  EXPECT_EQ(ask(read)[1], 0u) << "none yet";
  create(3);
  put(3, 0, nop(3, 1));
  trap_frame frame{};
  for (uint64_t i = 0; i < TRAP_REGISTERS; ++i) frame.x[i] = 0x1000 + i;
  frame.mepc = 0x101234;
  frame.mcause = 2;
  trap_report(&frame);
  EXPECT_TRUE(card.management.watchdog_asleep) << "the host looks at the card as it is";
  service_init();
  EXPECT_TRUE(said("crash dump of an earlier run"));
  EXPECT_EQ(ask({NPU_MESSAGE_CRASH_DUMP, static_cast<uint32_t>(kPage), 0, 16, 0})[1], 0u) << "too small";
  EXPECT_EQ(ask(read)[1], sizeof(npu_crash_dump));
  const auto dump = card.host.get<npu_crash_dump>(kPage);
  EXPECT_EQ(dump.magic, NPU_CRASH_MAGIC);
  EXPECT_EQ(dump.pc, 0x101234u);
  EXPECT_EQ(dump.x[9], 0x1009u);
  EXPECT_EQ(dump.firmware_version, CP_VERSION);
  ASSERT_EQ(dump.queue_count, 1u);
  EXPECT_EQ(dump.queue[0].queue, 3u);
  EXPECT_EQ(ask(read)[1], 0u) << "forgotten";
}

/// Of the crash dumps in flash.
class CrashArchive : public Management {
 protected:
  struct Record {
    npu_crash_entry entry;
    npu_crash_dump dump;
  };
  /// The firmware ends at `pc` and boots again.
  void crash_at(uint64_t pc) {
    trap_frame frame{};
    frame.mepc = pc;
    frame.mcause = 2;
    trap_report(&frame);
    service_init();
  }
  Message read(uint32_t index, uint32_t bytes = sizeof(Record), uint64_t bus = kPage) {
    card.host.map(kPage, 4096);
    return ask({NPU_MESSAGE_CRASH_ARCHIVE, static_cast<uint32_t>(bus), 0, bytes, index});
  }
  /// What is in the place of flash sector `place`, replaced by nothing that makes sense.
  void tear(uint32_t place) { card.security.flash[NPU_FLASH_CRASH(place) + 60] ^= 1; }
  [[nodiscard]] uint64_t pc_of(uint32_t index) {
    const Message reply = read(index);
    return reply[1] == sizeof(Record) ? card.host.get<Record>(kPage).dump.pc : 0;
  }
};

/// CRC-32 by long division, most significant bit first, of the bits in the order that IEEE 802.3 (3.2.9) sends them.
uint32_t crc_by_division(const uint8_t* data, size_t bytes) {
  uint32_t remainder = 0xffffffff;
  for (size_t bit = 0; bit < bytes * 8; ++bit) {
    const uint32_t next = data[bit / 8] >> bit % 8 & 1;
    const bool subtract = (remainder >> 31 ^ next) != 0;
    remainder = remainder << 1 ^ (subtract ? 0x04c11db7 : 0);
  }
  uint32_t reflected = 0;
  for (unsigned bit = 0; bit < 32; ++bit) reflected |= (~remainder >> bit & 1) << (31 - bit);
  return reflected;
}

TEST_F(CrashArchive, KeepsADumpInFlashOverTheLossOfPower) {
  EXPECT_EQ(read(0)[1], 0u) << "none yet";
  crash_at(0x101234);
  std::fill_n(card.security.flash.begin(), NPU_FLASH_USER, uint8_t{0x5a});  // nothing else matters
  card.dram.put(NPU_DRAM_CRASH_DUMP, uint64_t{0});                          // power was off
  service_init();
  EXPECT_TRUE(said("the flash holds 1 crash dump of earlier runs"));
  const Message reply = read(0);
  EXPECT_EQ(reply[1], sizeof(Record));
  EXPECT_EQ(reply[2], 1u);
  EXPECT_EQ(reply[3], 1u);
  const auto record = card.host.get<Record>(kPage);
  EXPECT_EQ(record.dump.pc, 0x101234u);
  EXPECT_EQ(record.dump.magic, NPU_CRASH_MAGIC);
  EXPECT_EQ(record.entry.bytes, sizeof(npu_crash_dump));
  const auto* const dump = reinterpret_cast<const uint8_t*>(&record.dump);
  EXPECT_EQ(record.entry.checksum, crc_by_division(dump, sizeof(npu_crash_dump)));
  const auto* const entry = reinterpret_cast<const uint8_t*>(&record.entry);
  EXPECT_EQ(record.entry.header_checksum, crc_by_division(entry, sizeof(npu_crash_entry) - 4));
}

TEST_F(CrashArchive, KeepsTheLatestAndNeverTouchesWhatElseIsInFlash) {
  const std::vector<uint8_t> before = card.security.flash;
  for (uint64_t crash = 1; crash <= 11; ++crash) crash_at(0x100000 + crash);
  EXPECT_EQ(read(0)[3], NPU_FLASH_CRASH_PLACES - 1) << "one place is erased for the next";
  for (uint32_t index = 0; index < NPU_FLASH_CRASH_PLACES - 1; ++index) EXPECT_EQ(pc_of(index), 0x10000bu - index);
  EXPECT_EQ(read(NPU_FLASH_CRASH_PLACES - 1)[1], 0u);
  EXPECT_EQ(read(0xffffffff)[1], 0u);
  const auto end = NPU_FLASH_CRASH(NPU_FLASH_CRASH_PLACES);
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + NPU_FLASH_USER, card.security.flash.begin()));
  EXPECT_TRUE(std::equal(before.begin() + end, before.end(), card.security.flash.begin() + end));
}

TEST_F(CrashArchive, ADumpThatWasCutShortIsNoneAndItsPlaceIsUsedAgain) {
  crash_at(0x100010);
  crash_at(0x100020);
  tear(1);
  service_init();
  EXPECT_EQ(read(0)[3], 1u);
  EXPECT_EQ(pc_of(0), 0x100010u);
  crash_at(0x100030);
  EXPECT_EQ(pc_of(0), 0x100030u);
  EXPECT_EQ(pc_of(1), 0x100010u);
  EXPECT_EQ(read(0)[2], 2u);
}

TEST_F(CrashArchive, WhatCannotBeAnsweredIsRefused) {
  crash_at(0x100010);
  const auto status = [](const Message& reply) { return NPU_MAILBOX_STATUS(reply[0]); };
  EXPECT_EQ(status(read(0, sizeof(Record) - 1)), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
  EXPECT_EQ(status(read(0, sizeof(Record), kPage + 4)), uint32_t{NPU_MAILBOX_BAD_ARGUMENT});
  EXPECT_EQ(status(read(0, sizeof(Record), 0x7777'0000)), uint32_t{NPU_MAILBOX_UNREADABLE});
  EXPECT_EQ(ask_status({NPU_MESSAGE_CRASH_ARCHIVE, kPage, 0, sizeof(Record), 0}, 1),
            uint32_t{NPU_MAILBOX_NOT_PERMITTED});
}

TEST_F(CrashArchive, WithoutAFlashThereIsStillTheDumpInDram) {
  card.security.flash_answers = false;
  const uint64_t begin = card.now_ns;
  trap_frame frame{};
  frame.mepc = 0x100010;
  trap_report(&frame);
  EXPECT_LT(card.now_ns - begin, 900'000'000u) << "the watchdog, kicked once, must not bite";
  EXPECT_TRUE(said("the flash did not take the crash dump"));
  EXPECT_EQ(card.dram.get<npu_crash_dump>(NPU_DRAM_CRASH_DUMP).pc, 0x100010u);
  EXPECT_TRUE(card.management.watchdog_asleep);
}

TEST_F(Management, AHangIsLeftToTheWatchdog) {
  trap_frame frame{};
  frame.mcause = 1ull << 63 | 3;
  card.management.watchdog_asleep = false;
  trap_report(&frame);
  EXPECT_FALSE(card.management.watchdog_asleep);
  EXPECT_TRUE(said("the main loop hangs"));
}

TEST_F(Management, SleepStopsTheWatchdogAndTheMainLoopKicksIt) {
  const unsigned before = card.management.kicks;
  card.send({NPU_MESSAGE_PING});
  run();
  EXPECT_GT(card.management.kicks, before);
  EXPECT_FALSE(card.management.watchdog_asleep);
}

TEST_F(Management, SelfTestNamesWhatIsBroken) {
  EXPECT_EQ(self_test(NPU_MAP_TCM, NPU_MAP_TCM + 4096), 0u);
  card.management.dma_fails = true;
  EXPECT_EQ(self_test(NPU_MAP_TCM, NPU_MAP_TCM + 4096), NPU_SELF_TEST_DMA);
  card.security.trng_silent = true;
  card.security.crypto_fails = true;
  EXPECT_EQ(self_test(NPU_MAP_TCM, NPU_MAP_TCM + 4096), NPU_SELF_TEST_DMA | NPU_SELF_TEST_TRNG | NPU_SELF_TEST_CRYPTO);
  service_init();
  EXPECT_EQ(card.card_state, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT});
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// The card looks after itself: the real firmware on the whole card, with heat and hangs that a test makes. Temperatures
// are compared with the analytic step response of the board's thermal network.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "firmware/abi/crash.h"
#include "firmware/abi/event_log.h"
#include "firmware/abi/telemetry.h"
#include "npu/registers/system_controller.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

using base::Rail;
using sc_core::SC_MS;
using sc_core::SC_SEC;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_US;

/// The one card of a server and a host that speaks to its firmware.
struct ManagedCard {
  explicit ManagedCard(TestServer& run)
      : server(run), management(run.server.card(0).management()), block(run.host.ram(), 65536) {
    boot();
  }

  void boot() {
    const std::string image = TestServer::firmware();
    const host::InprocDevice device(server.host, server.functions.front(),
                                    {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
    function.emplace(server.host, server.functions.front());
  }

  [[nodiscard]] RawFunction::Message with_block(uint32_t word3, uint32_t word4) const {
    const uint64_t at = block.bus_address();
    return {0, static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32), word3, word4};
  }
  template <typename T>
  [[nodiscard]] T from_block(size_t index = 0) const {
    T object;
    std::memcpy(&object, block.bytes().data() + index * sizeof object, sizeof object);
    return object;
  }

  npu_telemetry telemetry() {
    EXPECT_EQ(function->status_of(NPU_MESSAGE_TELEMETRY, with_block(0, 0)), uint32_t{NPU_MAILBOX_OK});
    return from_block<npu_telemetry>();
  }
  std::vector<npu_event> events() {
    const auto reply = function->call(NPU_MESSAGE_EVENT_LOG, with_block(1024, 0));
    std::vector<npu_event> all;
    for (uint32_t each = 0; each < reply[1]; ++each) all.push_back(from_block<npu_event>(each));
    return all;
  }
  /// Absolute time in s at which the firmware entered `state`, or nothing.
  std::optional<double> time_of(npu_thermal_state state) {
    for (const auto& event : events()) {
      if (event.source == NPU_EVENT_FIRMWARE && event.code == NPU_EVENT_THERMAL && event.argument[0] == state) {
        return static_cast<double>(event.time_ns) * 1e-9 + since_reset;
      }
    }
    return std::nullopt;
  }
  uint32_t reset_cause() { return function->read(MAILBOX_HOST_RESET_CAUSE); }
  uint32_t state() { return function->read(MAILBOX_HOST_CARD_STATE); }
  unsigned link_generation() {
    auto& port = server.server.fabric().segments().front().above.port();
    return static_cast<unsigned>(port.express().registers.LINK_STATUS.SPEED.get());
  }

  TestServer& server;
  assembly::Management& management;
  host::HostBlock block;
  std::optional<RawFunction> function;
  double since_reset = 0;  // card time counts from the card's reset
};

/// Step response from `begin` on; board file: 0.1 K/W with 20 ms, 0.4 K/W with 30 s, air of 30 C, 6 W idle.
double celsius_at(double seconds, double extra_watts) {
  const double idle = 6;
  const auto part = [](double kelvin, double since, double tau) { return kelvin * (1 - std::exp(-since / tau)); };
  const auto stage = [&](double kelvin_per_watt, double tau) {
    return part(kelvin_per_watt * (idle + extra_watts), seconds, tau);
  };
  return 30 + stage(0.1, 0.02) + stage(0.4, 30);
}

TEST(Management, BootsIdleAndSoundWithinAMillisecondOfSelfTest) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    sc_core::wait(100, SC_MS);
    const auto page = card.telemetry();
    EXPECT_EQ(page.self_test, 0U);
    EXPECT_EQ(page.pstate, 14U);
    EXPECT_EQ(page.reset_cause, uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_POWER_ON});
    EXPECT_EQ(page.clock_khz[0], 1000000U);
    EXPECT_EQ(page.clock_khz[1], 976562U / 16);
    const uint32_t milliwatts = page.power_mw[0] + page.power_mw[1] + page.power_mw[2] + page.power_mw[3];
    EXPECT_NEAR(milliwatts, 6000, 20) << "about 6 W idle";
    std::optional<uint64_t> begin;
    std::optional<uint64_t> end;
    for (const auto& event : card.events()) {
      if (event.source != NPU_EVENT_FIRMWARE) continue;
      if (event.code == NPU_EVENT_START) begin = event.time_ns;
      if (event.code == NPU_EVENT_SELF_TEST) end = event.time_ns;
    }
    ASSERT_TRUE(begin && end);
    EXPECT_LT(*end - *begin, 1000000U);
  });
}

TEST(Management, ThrottlesAbortsAndSwitchesOffAtTheLimitsThenCoolsDown) {
  constexpr double kHeat = 200;
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    const sc_time begin = sc_time_stamp();
    card.management.power.spend(Rail::kNeural, kHeat * 60, begin, begin + sc_time(60, SC_SEC));
    sc_core::wait(12, SC_SEC);
    EXPECT_EQ(card.telemetry().thermal_state, uint32_t{NPU_THERMAL_THROTTLE});
    EXPECT_EQ(card.telemetry().throttles, 1U);
    sc_core::wait(8, SC_SEC);
    EXPECT_EQ(card.telemetry().thermal_state, uint32_t{NPU_THERMAL_ABORT});
    const auto throttled = card.time_of(NPU_THERMAL_THROTTLE);
    const auto aborted = card.time_of(NPU_THERMAL_ABORT);
    ASSERT_TRUE(throttled && aborted);
    EXPECT_NEAR(celsius_at(*throttled - begin.to_seconds(), kHeat), 75, 0.05);
    EXPECT_NEAR(celsius_at(*aborted - begin.to_seconds(), kHeat), 85, 0.05);

    sc_core::wait(30, SC_SEC);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT});
    EXPECT_LT(card.management.sensors.watts(), kHeat + 1.5) << "only the injected heat and PCIe";
    sc_core::wait(100, SC_SEC);
    EXPECT_LT(card.management.sensors.celsius(), 50);
    card.function->write(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
    sc_core::wait(1, SC_MS);
    EXPECT_EQ(card.reset_cause(), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_THERMAL});
    card.boot();
    EXPECT_EQ(card.telemetry().thermal_state, uint32_t{NPU_THERMAL_NORMAL});
  });
}

TEST(Management, AHotRoomAloneSwitchesItOff) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    card.management.sensors.set_ambient(130);
    sc_core::wait(300, SC_SEC);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT});
  });
}

TEST(Management, AHangIsResetByTheWatchdogAndLeavesItsCrashDump) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    EXPECT_EQ(card.function->create_queue(), uint32_t{NPU_MAILBOX_OK});
    EXPECT_EQ(card.function->call(NPU_MESSAGE_TEST, {0, NPU_TEST_HANG})[0], RawFunction::kNoReply);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_ROM});
    EXPECT_EQ(card.reset_cause(), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG});
    card.boot();
    EXPECT_EQ(card.telemetry().watchdog_resets, 1U);
    EXPECT_EQ(card.telemetry().reset_cause, uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG});
    const auto reply = card.function->call(NPU_MESSAGE_CRASH_DUMP, card.with_block(sizeof(npu_crash_dump), 1));
    ASSERT_EQ(reply[1], sizeof(npu_crash_dump));
    const auto dump = card.from_block<npu_crash_dump>();
    EXPECT_EQ(dump.magic, NPU_CRASH_MAGIC);
    EXPECT_EQ(dump.mcause, 1ULL << 63 | 3);
    EXPECT_GE(dump.pc, NPU_MAP_TCM);
    EXPECT_LT(dump.pc, NPU_MAP_TCM + NPU_MAP_TCM_BYTES);
    EXPECT_GT(dump.stack_bytes, 0U);
    EXPECT_EQ(dump.queue_count, 1U);
    EXPECT_NEAR(static_cast<double>(dump.time_ns) * 1e-9, 0.9, 0.1);
  });
}

TEST(Management, TheWatchdogStandsStillWhileADebuggerHoldsTheHart) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    auto& harts = self.server.card(0).harts();
    card.function->send(NPU_MESSAGE_TEST, {0, NPU_TEST_HANG});
    sc_core::wait(100, SC_MS);
    harts.halt(0);
    sc_core::wait(10, SC_SEC);
    EXPECT_EQ(card.reset_cause(), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_POWER_ON});
    harts.resume(0);
    sc_core::wait(800, SC_MS);
    EXPECT_EQ(card.reset_cause(), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_POWER_ON}) << "0.9 s have passed for it";
    sc_core::wait(200, SC_MS);
    EXPECT_EQ(card.reset_cause(), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG});
  });
}

TEST(Management, AnIdleCardIsNotResetByTheWatchdog) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    sc_core::wait(20, SC_SEC);
    EXPECT_EQ(card.telemetry().watchdog_resets, 0U);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  });
}

TEST(Management, ATrapStaysForTheHostToSee) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    EXPECT_EQ(card.function->call(NPU_MESSAGE_TEST, {0, NPU_TEST_TRAP})[0], RawFunction::kNoReply);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT});
  });
}

/// INT8 GEMM whose time is the array's: 8 tiles of 1024 rows.
npu_command gemm() {
  npu_command command{};
  command.kind = NPU_COMMAND_NEURAL_ENGINE;
  command.opcode = NPU_NE_GEMM;
  command.signal = NPU_TOKEN_NONE;
  for (auto& wait : command.wait) wait = {NPU_TOKEN_NONE, 0};
  auto& work = command.u.gemm;
  work.a = 0;
  work.b = 2 << 20;
  work.c = 3 << 20;
  work.m = 1024;
  work.n = 64;
  work.k = 1024;
  work.a_stride = 1024;
  work.b_stride = 64;
  work.c_stride = 256;
  work.type = NPU_TYPE_INT8;
  return command;
}

TEST(Management, PStatesChangeTheTimeOfEnginesAndTheSpeedOfTheLink) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    ASSERT_EQ(card.function->create_queue(), uint32_t{NPU_MAILBOX_OK});
    const auto duration_ns = [&](uint32_t pstate) {
      EXPECT_EQ(card.function->status_of(NPU_MESSAGE_PSTATE, {0, pstate}), uint32_t{NPU_MAILBOX_OK});
      const auto done = card.function->run(gemm(), {});
      EXPECT_EQ(done.status, uint32_t{NPU_JOB_OK}) << done.fault;
      return static_cast<double>(done.end_ns - done.start_ns);
    };
    const double nominal = duration_ns(2);
    EXPECT_EQ(card.link_generation(), 5U);
    const double half = duration_ns(6);
    EXPECT_EQ(card.link_generation(), 4U);
    // 8 tiles of 1024 cycles, 128 for the first weights, 128 + 64 to fill and drain, at 976.5625 MHz.
    const double cycles_ns = (8 * 1024 + 128 + 128 + 64) / 0.9765625;
    EXPECT_NEAR(half - nominal, cycles_ns, 0.02 * cycles_ns);
    EXPECT_NEAR(duration_ns(4), nominal, 0.02 * nominal);
    EXPECT_EQ(card.link_generation(), 4U);
    (void)duration_ns(0);
    sc_core::wait(100, SC_US);
    EXPECT_EQ(card.link_generation(), 5U);
    sc_core::wait(10, SC_MS);
    EXPECT_EQ(card.telemetry().pstate, 14U);
    EXPECT_EQ(card.telemetry().jobs_ok, 4U);
  });
}

// Bound by Task DMA's port of the NoC, 64 bytes a cycle at 1 GHz: the bus clock's half is half of 64 GB/s.
TEST(Management, PStatesChangeTheBandwidthOfTheNoc) {
  TestServer run("server-1", [](TestServer& self) {
    ManagedCard card(self);
    const npu_segment dram = card.function->share();
    ASSERT_EQ(card.function->create_queue(), uint32_t{NPU_MAILBOX_OK});
    constexpr uint32_t kBytes = 16 << 20;
    const auto duration_ns = [&](uint32_t pstate) {
      EXPECT_EQ(card.function->status_of(NPU_MESSAGE_PSTATE, {0, pstate}), uint32_t{NPU_MAILBOX_OK});
      const auto copy =
          copy_command(NPU_COMMAND_TASK_DMA, 0, NPU_ADDRESS(1, 0), NPU_ADDRESS(NPU_SPACE_SHARED, 0), kBytes);
      const auto done = card.function->run(copy, {dram});
      EXPECT_EQ(done.status, uint32_t{NPU_JOB_OK}) << done.fault;
      return static_cast<double>(done.end_ns - done.start_ns);
    };
    const double transfer_ns = kBytes / 64.0;
    const double nominal = duration_ns(2);
    EXPECT_NEAR(nominal, transfer_ns, 0.02 * transfer_ns);
    EXPECT_NEAR(duration_ns(6) - nominal, transfer_ns, 0.02 * transfer_ns);
    EXPECT_NEAR(duration_ns(4), nominal, 0.001 * nominal) << "the link is slower, not the card";
  });
}

TEST(Management, VirtualFunctionsMayNotManageTheCard) {
  TestServer run("server-1-vf", [](TestServer& self) {
    ManagedCard card(self);
    EXPECT_EQ(card.function->status_of(NPU_MESSAGE_PARTITION, {0, 1}), uint32_t{NPU_MAILBOX_OK});
    RawFunction guest(self.host, self.host.enable_virtual_functions(self.functions.front(), 1).front());
    for (const uint32_t opcode :
         {NPU_MESSAGE_TELEMETRY, NPU_MESSAGE_EVENT_LOG, NPU_MESSAGE_CRASH_DUMP, NPU_MESSAGE_PSTATE, NPU_MESSAGE_TEST}) {
      EXPECT_EQ(guest.status_of(opcode, {0, 1}), uint32_t{NPU_MAILBOX_NOT_PERMITTED}) << opcode;
    }
  });
}

}  // namespace
}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
#include "models/log_manager/log_manager.h"

#include <gtest/gtest.h>

#include <map>

#include "firmware/abi/status.h"
#include "npu/registers/log_manager.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::log_manager {
namespace {

using sc_core::SC_NS;
using sc_core::sc_start;
using sc_core::sc_time;

constexpr uint64_t kRing = 0x400;

struct Sink final : base::TraceSink {
  void track(base::TrackId id, base::TrackId, std::string_view name) override { tracks[id] = name; }
  void span(base::TrackId track, std::string_view name, sc_time begin, sc_time end,
            const base::TraceArguments& arguments) override {
    spans.push_back({tracks[track], std::string(name), begin, end, std::get<std::string_view>(arguments.back().value)});
  }
  void instant(base::TrackId, std::string_view name, sc_time at, const base::TraceArguments&) override {
    names.emplace_back(name);
    last = at;
  }
  struct Span {
    std::string track, name;
    sc_time begin, end;
    std::string_view status;
  };
  std::map<base::TrackId, std::string> tracks;
  std::vector<Span> spans;
  std::vector<std::string> names;
  sc_time last;
};

class LogManagerTest : public testing::Test {
 protected:
  LogManagerTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(log.registers);
    log.memory.socket.bind(memory.socket);
    sc_start(sc_core::SC_ZERO_TIME);
  }
  void enable(uint32_t log2_entries = 4) {
    hart.write(LOG_MANAGER_BASE, kRing);
    hart.write(LOG_MANAGER_LOG2_ENTRIES, log2_entries);
    hart.write(LOG_MANAGER_CONTROL, uint32_t{LOG_MANAGER_CONTROL_ENABLE_MASK});
  }
  npu_event entry(size_t index) {
    npu_event event;
    std::memcpy(&event, memory.data.data() + kRing + index * sizeof(event), sizeof(event));
    return event;
  }
  uint64_t written() { return hart.read<uint64_t>(LOG_MANAGER_WRITTEN); }
  uint32_t status() { return hart.read<uint32_t>(LOG_MANAGER_STATUS); }

  base::Environment environment;
  LogManager log{"log", environment};
  test::TestTarget memory{"memory", 4096};
  test::TestInitiator hart{"hart"};
};

TEST_F(LogManagerTest, RecordsHardwareAndFirmwareInOrderWithTheirTimes) {
  enable();
  sc_start(70, SC_NS);
  log.record(NPU_EVENT_SYSTEM, NPU_EVENT_PSTATE, 2, 14);
  sc_start(30, SC_NS);
  hart.write(LOG_MANAGER_ARGUMENT(0), uint64_t{0x1111});
  hart.write(LOG_MANAGER_ARGUMENT(1), uint64_t{0x2222});
  hart.write(LOG_MANAGER_EVENT, uint32_t{NPU_EVENT_JOB_START});
  EXPECT_EQ(written(), 2U);
  EXPECT_EQ(entry(0).time_ns, 70U);
  EXPECT_EQ(entry(0).sequence, 0U);
  EXPECT_EQ(entry(0).source, NPU_EVENT_SYSTEM);
  EXPECT_EQ(entry(0).code, NPU_EVENT_PSTATE);
  EXPECT_EQ(entry(0).argument[0], 2U);
  EXPECT_EQ(entry(0).argument[1], 14U);
  EXPECT_EQ(entry(1).time_ns, 100U);
  EXPECT_EQ(entry(1).sequence, 1U);
  EXPECT_EQ(entry(1).source, NPU_EVENT_FIRMWARE);
  EXPECT_EQ(entry(1).code, NPU_EVENT_JOB_START);
  EXPECT_EQ(entry(1).argument[1], 0x2222U);
  EXPECT_FALSE(sc_core::sc_pending_activity());
}

TEST_F(LogManagerTest, ShowsJobsOnATrackOfTheirSlot) {
  Sink sink;
  environment.trace().add_sink(sink);
  const auto report = [&](npu_firmware_event code, uint32_t status, uint32_t slot, uint64_t job) {
    hart.write(LOG_MANAGER_ARGUMENT(0), uint64_t{NPU_EVENT_JOB(77, status, slot, 3, 1)});
    hart.write(LOG_MANAGER_ARGUMENT(1), job);
    hart.write(LOG_MANAGER_EVENT, uint32_t{code});
  };
  report(NPU_EVENT_JOB_START, 0, 2, 5);
  sc_start(30, SC_NS);
  report(NPU_EVENT_JOB_START, 0, 0, 6);
  sc_start(20, SC_NS);
  report(NPU_EVENT_JOB_END, NPU_JOB_TIMEOUT, 2, 5);
  report(NPU_EVENT_JOB_END, NPU_JOB_BAD_SUBMISSION, NPU_EVENT_NO_SLOT, 7);
  report(NPU_EVENT_JOB_END, NPU_JOB_OK, 0, 6);
  report(NPU_EVENT_JOB_END, NPU_JOB_OK, 1, 8);  // nobody knows when it began
  ASSERT_EQ(sink.spans.size(), 2U);
  EXPECT_EQ(sink.spans[0].track, "job slot 2");
  EXPECT_EQ(sink.spans[0].name, "job 5");
  EXPECT_EQ(sink.spans[0].begin, sc_core::SC_ZERO_TIME);
  EXPECT_EQ(sink.spans[0].end, sc_time(50, SC_NS));
  EXPECT_EQ(sink.spans[0].status, "timeout");
  EXPECT_EQ(sink.spans[1].track, "job slot 0");
  EXPECT_EQ(sink.spans[1].begin, sc_time(30, SC_NS));
  EXPECT_EQ(sink.names.size(), 6U);
}

TEST_F(LogManagerTest, TheNewestReplaceTheOldestAndTheReaderIsTold) {
  enable(4);
  for (uint16_t i = 0; i < 16; ++i) log.record(NPU_EVENT_SYSTEM, i);
  EXPECT_EQ(status(), 0U);
  log.record(NPU_EVENT_SYSTEM, 16);
  EXPECT_EQ(status(), uint32_t{LOG_MANAGER_STATUS_OVERRUN_MASK});
  EXPECT_EQ(written(), 17U);
  EXPECT_EQ(entry(0).sequence, 16U);
  EXPECT_EQ(entry(1).sequence, 1U);
  hart.write(LOG_MANAGER_TAIL, uint64_t{17});
  hart.write(LOG_MANAGER_STATUS, uint32_t{LOG_MANAGER_STATUS_OVERRUN_MASK});
  log.record(NPU_EVENT_SYSTEM, 17);
  EXPECT_EQ(status(), 0U);
}

TEST_F(LogManagerTest, InterruptsAtTheThresholdUntilTheReaderHasCaughtUp) {
  enable();
  hart.write(LOG_MANAGER_THRESHOLD, uint32_t{3});
  hart.write(LOG_MANAGER_IRQ_ENABLE, uint32_t{LOG_MANAGER_IRQ_ENABLE_THRESHOLD_MASK});
  log.record(NPU_EVENT_SYSTEM, 1);
  log.record(NPU_EVENT_SYSTEM, 1);
  EXPECT_FALSE(log.interrupt.level());
  log.record(NPU_EVENT_SYSTEM, 1);
  EXPECT_TRUE(log.interrupt.level());
  hart.write(LOG_MANAGER_TAIL, uint64_t{1});
  EXPECT_FALSE(log.interrupt.level());
}

TEST_F(LogManagerTest, SourcesThatAreMaskedAreNotRecorded) {
  enable();
  hart.write(LOG_MANAGER_SOURCES, uint32_t{1U << NPU_EVENT_SENSORS});
  log.record(NPU_EVENT_SYSTEM, 1);
  log.record(NPU_EVENT_SENSORS, 2);
  EXPECT_EQ(written(), 1U);
  EXPECT_EQ(entry(0).source, NPU_EVENT_SENSORS);
}

TEST_F(LogManagerTest, OffItRecordsNothingButTracesStill) {
  Sink sink;
  environment.trace().add_sink(sink);
  sc_start(5, SC_NS);
  log.record(NPU_EVENT_WATCHDOG, NPU_EVENT_WATCHDOG_EARLY);
  EXPECT_EQ(written(), 0U);
  EXPECT_EQ(sink.names, std::vector<std::string>{"watchdog"});
  EXPECT_EQ(sink.last, sc_time(5, SC_NS));
  EXPECT_TRUE(memory.log.empty());
}

TEST_F(LogManagerTest, RefusesARingThatCannotBe) {
  enable(3);
  EXPECT_EQ(hart.read<uint32_t>(LOG_MANAGER_CONTROL), 0U);
  enable(21);
  EXPECT_EQ(hart.read<uint32_t>(LOG_MANAGER_CONTROL), 0U);
  hart.write(LOG_MANAGER_LOG2_ENTRIES, uint32_t{4});
  hart.write(LOG_MANAGER_BASE, uint64_t{0x408});
  hart.write(LOG_MANAGER_CONTROL, uint32_t{1});
  EXPECT_EQ(hart.read<uint32_t>(LOG_MANAGER_CONTROL), 0U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 3U);
}

TEST_F(LogManagerTest, MovingTheRingMeansSwitchingItOffAndOn) {
  enable();
  hart.write(LOG_MANAGER_BASE, uint64_t{0x800});
  log.record(NPU_EVENT_SYSTEM, 9);
  EXPECT_EQ(entry(0).code, 9U);
  hart.write(LOG_MANAGER_CONTROL, uint32_t{0});
  log.record(NPU_EVENT_SYSTEM, 10);
  EXPECT_EQ(written(), 1U);
  hart.write(LOG_MANAGER_CONTROL, uint32_t{1});
  EXPECT_EQ(written(), 0U);
}

TEST_F(LogManagerTest, AnEventThatCannotBeWrittenIsLostAndSaidSo) {
  enable();
  memory.failing = kRing;
  log.record(NPU_EVENT_SYSTEM, 1);
  EXPECT_EQ(status(), uint32_t{LOG_MANAGER_STATUS_BUS_ERROR_MASK});
  EXPECT_EQ(written(), 0U);
  memory.failing.reset();
  log.record(NPU_EVENT_SYSTEM, 2);
  EXPECT_EQ(entry(0).code, 2U);
}

}  // namespace
}  // namespace npuvp::log_manager

// SPDX-License-Identifier: Apache-2.0
// Flags in the window, what waits for them, and whose they are.
#include "models/device_sync/device_sync.h"

#include <gtest/gtest.h>

#include <array>

#include "npu/registers/device_sync.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::device_sync {
namespace {

using test::ns;

constexpr uint64_t kWindow = NPU_BAR0_DEVICE_SYNC;
constexpr uint64_t kAdd = kWindow + NPU_SYNC_WINDOW_ADD;

/// Segment 1 is one page of the host, segment 2 of DRAM.
class TwoPages final : public base::AddressSpace {
 public:
  Range translate(uint64_t address, uint64_t bytes, bool, uint16_t, sc_core::sc_time& delay) override {
    delay += ns(5);
    const uint64_t offset = NPU_ADDRESS_OFFSET(address);
    const uint32_t space = NPU_ADDRESS_SPACE(address);
    if (space < 1 || space > 2 || offset + bytes > 4096) return {NPU_FAULT_ADDRESS};
    return {NPU_FAULT_NONE, (space == 1 ? NPU_MAP_HOST : NPU_MAP_DRAM) + offset, bytes};
  }
};

struct SyncBench {
  SyncBench() : block("device_sync", environment, {}) {
    environment.set_log_level("all", spdlog::level::off);
    host.port.socket.bind(block.host);
    hart.port.socket.bind(block.registers);
    block.others.bind(others.socket);
    block.memory.socket.bind(memory.socket);
    memory.index_of = test::card_index;
    memory.latency = ns(700);
    block.irq.connect([this](bool level) { irq = level; });
  }
  /// As the fabric hands it over: at the call, with the time that it takes.
  tlm::tlm_response_status post(uint64_t address, uint32_t value, unsigned function = 0, sc_core::sc_time delay = {}) {
    host.port.sideband().function = static_cast<uint16_t>(function);
    const auto* const bytes = reinterpret_cast<const uint8_t*>(&value);
    return host.port.write(address, {bytes, sizeof value}, delay);
  }
  uint32_t flag(uint32_t number, unsigned function = 0) {
    host.port.sideband().function = static_cast<uint16_t>(function);
    return host.read<uint32_t>(kWindow + 4ULL * number);
  }
  base::CommandOutcome execute(npu_command command, unsigned channel = 0, uint16_t function = 0,
                               const base::CancelSignal* cancel = nullptr) {
    command.engine = static_cast<uint8_t>(channel);
    return dynamic_cast<base::CommandTarget*>(block.commands[channel].get_interface())
        ->execute(
            {.command = &command, .space = &space, .context = 0, .index = 0, .function = function, .cancel = cancel});
  }

  base::Environment environment;
  DeviceSync block;
  TwoPages space;
  test::TestInitiator host{"host"};
  test::TestInitiator hart{"hart"};
  test::TestTarget others{"others", 0x10000};
  test::TestTarget memory{"memory", test::kCardBytes};
  bool irq = false;
};

npu_command sync_command(npu_sync_opcode opcode) {
  npu_command command{};
  command.kind = NPU_COMMAND_DEVICE_SYNC;
  command.opcode = static_cast<uint8_t>(opcode);
  return command;
}

npu_command wait_command(uint32_t flag, uint32_t value, npu_sync_compare compare = NPU_SYNC_GREATER_EQUAL) {
  auto command = sync_command(NPU_SYNC_WAIT);
  command.u.sync.flag = flag;
  command.u.sync.value = value;
  command.u.sync.compare = static_cast<uint8_t>(compare);
  return command;
}

TEST(DeviceSync, AWriteArrivesAtItsTimeAndReleasesWhoWaits) {
  SyncBench bench;
  test::run_thread([&] {
    bench.post(kWindow + 12, 5, 0, ns(300));
    EXPECT_EQ(bench.flag(3), 0U);
    EXPECT_TRUE(bench.execute(wait_command(3, 5)).ok());
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(300));
    EXPECT_EQ(bench.flag(3), 5U);
    EXPECT_TRUE(bench.execute(wait_command(3, 4)).ok());  // is so already
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(320));
  });
}

TEST(DeviceSync, SetsAddsAndComparesAroundTheWrap) {
  SyncBench bench;
  test::run_thread([&] {
    bench.post(kWindow, 0xfffffffe);
    bench.post(kAdd, 5);
    sc_core::wait(ns(1));
    EXPECT_EQ(bench.flag(0), 3U);
    EXPECT_TRUE(bench.execute(wait_command(0, 0xfffffff0)).ok());  // 3 is behind it
    auto consume = wait_command(0, 3, NPU_SYNC_EQUAL);
    consume.u.sync.update = NPU_SYNC_ADD;
    consume.u.sync.addend = static_cast<uint32_t>(-3);
    EXPECT_TRUE(bench.execute(consume).ok());
    EXPECT_EQ(bench.flag(0), 0U);
    auto update = sync_command(NPU_SYNC_UPDATE);
    update.u.sync.flag = 0;
    update.u.sync.value = 9;
    update.u.sync.update = NPU_SYNC_SET;
    EXPECT_TRUE(bench.execute(update, 3).ok());
    EXPECT_EQ(bench.flag(0), 9U);
  });
}

TEST(DeviceSync, EachFunctionHasFlagsOfItsOwn) {
  SyncBench bench;
  test::run_thread([&] {
    for (unsigned function = 0; function <= NPU_MAX_VFS; ++function) bench.post(kWindow + 40, 100 + function, function);
    sc_core::wait(ns(1));
    for (unsigned function = 0; function <= NPU_MAX_VFS; ++function)
      EXPECT_EQ(bench.flag(10, function), 100 + function);
    EXPECT_TRUE(bench.execute(wait_command(10, 107, NPU_SYNC_EQUAL), 0, 7).ok());
    auto never = wait_command(10, 107, NPU_SYNC_EQUAL);
    never.u.sync.timeout_us = 3;
    const auto begin = sc_core::sc_time_stamp();
    EXPECT_EQ(bench.execute(never, 0, 6).fault, NPU_FAULT_SYNC_TIMEOUT);
    EXPECT_EQ(sc_core::sc_time_stamp() - begin, ns(3020));
    bench.block.function_reset(7);
    EXPECT_EQ(bench.flag(10, 7), 0U);
    EXPECT_EQ(bench.flag(10, 6), 106U);
  });
}

TEST(DeviceSync, SignalIsAPostedWriteInTheFunctionsName) {
  SyncBench bench;
  test::run_thread([&] {
    auto signal = sync_command(NPU_SYNC_SIGNAL);
    signal.u.sync.address = NPU_ADDRESS(1, 0x404);
    signal.u.sync.value = 77;
    EXPECT_TRUE(bench.execute(signal, 2, 5).ok());
    EXPECT_EQ(sc_core::sc_time_stamp(), ns(20 + 5 + 700));
    ASSERT_EQ(bench.memory.log.size(), 1U);
    EXPECT_EQ(bench.memory.log[0].address, NPU_MAP_HOST + 0x404);
    EXPECT_EQ(bench.memory.log[0].bytes, 4U);
    EXPECT_EQ(bench.memory.log[0].function, 5U);
    signal.u.sync.address = NPU_ADDRESS(2, 0);  // not the fabric
    EXPECT_EQ(bench.execute(signal).fault, NPU_FAULT_ILLEGAL_COMMAND);
    signal.u.sync.address = NPU_ADDRESS(1, 4096);
    EXPECT_EQ(bench.execute(signal).fault, NPU_FAULT_ADDRESS);
  });
}

TEST(DeviceSync, AnAbortAndAResetEndAWait) {
  SyncBench bench;
  base::CancelSignal cancel;
  sc_core::sc_time ended;
  sc_core::sc_spawn([&] {
    EXPECT_EQ(bench.execute(wait_command(0, 1), 0, 0, &cancel).fault, NPU_FAULT_CANCELLED);
    ended = sc_core::sc_time_stamp();
    EXPECT_EQ(bench.execute(wait_command(0, 1)).fault, NPU_FAULT_BUS);
  });
  test::run_thread([&] {
    sc_core::wait(ns(500));
    cancel.requested = true;
    cancel.event.notify();
    sc_core::wait(ns(500));
    bench.block.reset();
  });
  EXPECT_EQ(ended, ns(500));
}

TEST(DeviceSync, FirmwareSeesAndSetsFlags) {
  SyncBench bench;
  test::run_thread([&] {
    bench.hart.write(DEVICE_SYNC_IRQ_ENABLE, uint32_t{1U << 4});
    bench.post(kWindow + 8, 1, 3);
    sc_core::wait(ns(1));
    EXPECT_FALSE(bench.irq);
    bench.post(kWindow + 8, 6, 4);
    sc_core::wait(ns(1));
    EXPECT_TRUE(bench.irq);
    EXPECT_EQ(bench.hart.read<uint32_t>(DEVICE_SYNC_CHANGED), 0x18U);
    bench.hart.write(DEVICE_SYNC_FUNCTION, uint32_t{4});
    bench.hart.write(DEVICE_SYNC_FLAG, uint32_t{2});
    EXPECT_EQ(bench.hart.read<uint32_t>(DEVICE_SYNC_VALUE), 6U);
    bench.hart.write(DEVICE_SYNC_ADD, uint32_t{10});
    EXPECT_EQ(bench.flag(2, 4), 16U);
    bench.hart.write(DEVICE_SYNC_CLEAR, uint32_t{4});
    EXPECT_EQ(bench.flag(2, 4), 0U);
    EXPECT_FALSE(bench.irq);
    EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 0U);
    bench.hart.write(DEVICE_SYNC_FUNCTION, uint32_t{17});
    bench.hart.write(DEVICE_SYNC_FLAG, uint32_t{256});
    EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 2U);
    EXPECT_EQ(bench.hart.read<uint32_t>(DEVICE_SYNC_FUNCTION), 4U);
  });
}

TEST(DeviceSync, OnlyWordsOfTheFlagsAreThere) {
  SyncBench bench;
  bench.others.data[0x44] = 9;
  EXPECT_EQ(bench.host.read<uint32_t>(0x44), 9U);
  EXPECT_EQ(bench.post(kWindow + 2, 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.post(kWindow + 0x800, 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.post(kWindow, 1, 17), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  bench.host.port.sideband().function = 0;
  bench.host.read<uint16_t>(kWindow);
  EXPECT_EQ(bench.host.response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  bench.host.read<std::array<uint32_t, 3>>(kWindow + 0x7f8);
  EXPECT_EQ(bench.host.response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST(DeviceSync, RefusesEveryWrongField) {
  SyncBench bench;
  test::run_thread([&] {
    const auto fault = [&](auto change) {
      auto command = wait_command(0, 0);
      change(command);
      return bench.execute(command).fault;
    };
    const auto illegal = NPU_FAULT_ILLEGAL_COMMAND;
    EXPECT_EQ(fault([](auto&) {}), NPU_FAULT_NONE);
    EXPECT_EQ(fault([](auto& c) { c.opcode = 0; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.opcode = 4; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.flags = 1; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.flag = NPU_SYNC_FLAGS; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.compare = 3; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.update = NPU_SYNC_SET; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.addend = 1; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.address = 4; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.reserved0 = 1; }), illegal);
    EXPECT_EQ(fault([](auto& c) { c.u.sync.reserved[16] = 1; }), illegal);
  });
}

}  // namespace
}  // namespace npuvp::device_sync

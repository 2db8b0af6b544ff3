// SPDX-License-Identifier: Apache-2.0
// Four harts of a whole card under a debugger, beside a host that goes on using the card.
#include "platform/debug/gdb/cluster_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "firmware/abi/memory_map.h"
#include "models/riscv/csr.h"
#include "npu/registers/mailbox.h"
#include "npu/registers/system_controller.h"
#include "tests/models/riscv/encode.h"
#include "tests/platform/test_server.h"

namespace npuvp::debug::gdb {
namespace {

using namespace riscv::test;
using testing::HasSubstr;
using testing::Not;
using tests::TestServer;

constexpr uint64_t kCode = NPU_MAP_TCM;
constexpr uint64_t kData = NPU_MAP_TCM + 0x8000;
constexpr unsigned kHarts = 4;
constexpr uint32_t a4 = 14;

/// B and J type of the ISA manual.
constexpr uint32_t bne(uint32_t rs1, uint32_t rs2, int32_t offset) {
  const auto bits = static_cast<uint32_t>(offset);
  return (bits >> 12 & 1) << 31 | (bits >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | 1 << 12 | (bits >> 1 & 0xf) << 8 |
         (bits >> 11 & 1) << 7 | 0x63;
}
constexpr uint32_t jal(uint32_t rd, int32_t offset) {
  const auto bits = static_cast<uint32_t>(offset);
  return (bits >> 20 & 1) << 31 | (bits >> 1 & 0x3ff) << 21 | (bits >> 11 & 1) << 20 | (bits >> 12 & 0xff) << 12 |
         rd << 7 | 0x6f;
}

uint64_t value(Target& target, unsigned thread, uint64_t number) {
  return target.read_register(thread, number).value_or(RegisterValue{}).value.value_or(0xdead);
}
uint64_t pc(Target& target, unsigned thread) {
  return value(target, thread, HartRegisters::kPc);
}

/// A card with `words` at kCode, a0 = kData and a1 = the hart's id in every hart, all halted at kCode.
struct Bench {
  Bench(TestServer& platform, std::vector<uint32_t> words)
      : server(platform), target(platform.server.card(0).harts(), {}) {
    target.attach([this](const Stop& why) { stop = why; });
    std::vector<uint8_t> code(4 * words.size());
    std::memcpy(code.data(), words.data(), code.size());
    EXPECT_TRUE(target.write_memory(0, kCode, code));
    for (unsigned hart = 0; hart < kHarts; ++hart) {
      target.write_register(hart, HartRegisters::kPc, kCode);
      target.write_register(hart, a0, kData);
      target.write_register(hart, a1, hart);
    }
  }
  void run(ThreadAction one, ThreadAction others, unsigned hart) {
    stop.reset();
    std::vector<ThreadAction> actions(kHarts, others);
    actions.at(hart) = one;
    target.resume(actions);
    sc_core::wait(sc_core::sc_time(100, sc_core::SC_US));
  }
  void run_all() { run(ThreadAction::kContinue, ThreadAction::kContinue, 0); }
  void step(unsigned hart) { run(ThreadAction::kStep, ThreadAction::kStay, hart); }

  TestServer& server;
  ClusterTarget target;
  std::optional<Stop> stop;
};

/// a2 counts rounds; hart 3 alone goes by kCode + 12.
const std::vector<uint32_t> kLoop{
    addi(a2, a2, 1),  // 0
    addi(a3, x0, 3),  // 4
    bne(a1, a3, 8),   // 8
    addi(a4, a4, 1),  // 12: hart 3 only
    jal(x0, -16),     // 16
};

TEST(GdbClusterTarget, ABreakpointStopsAllHartsWhereTheyAre) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, kLoop);
    ASSERT_TRUE(bench.target.insert_point(PointKind::kSoftware, kCode + 12, 4));
    bench.run_all();
    ASSERT_TRUE(bench.stop);
    EXPECT_EQ(bench.stop->thread, 3U);
    EXPECT_EQ(bench.stop->reason, Stop::Reason::kPoint);
    EXPECT_EQ(pc(bench.target, 3), kCode + 12);
    EXPECT_EQ(value(bench.target, 3, a4), 0U) << "before the instruction";
    EXPECT_TRUE(bench.target.all_halted());
    const uint64_t rounds = value(bench.target, 0, a2);
    sc_core::wait(sc_core::sc_time(100, sc_core::SC_US));
    EXPECT_EQ(value(bench.target, 0, a2), rounds) << "time goes on, the harts do not";

    std::vector<uint8_t> code(4);
    EXPECT_EQ(bench.target.read_memory(0, kCode + 12, code), 4U);
    EXPECT_EQ(code[0] | code[1] << 8 | code[2] << 16 | code[3] << 24, static_cast<int>(kLoop[3]))
        << "memory has no EBREAK";

    bench.run_all();
    EXPECT_EQ(value(bench.target, 3, a4), 1U) << "once round";
    bench.target.remove_point(PointKind::kSoftware, kCode + 12, 4);
    bench.run_all();
    EXPECT_FALSE(bench.stop);
    bench.target.halt();
  });
}

TEST(GdbClusterTarget, AStepIsOneInstructionOfOneHart) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, kLoop);
    const uint64_t expected[] = {kCode + 4, kCode + 8, kCode + 12, kCode + 16, kCode};
    for (const uint64_t each : expected) {
      bench.step(3);
      ASSERT_TRUE(bench.stop);
      EXPECT_EQ(bench.stop->reason, Stop::Reason::kStep);
      EXPECT_EQ(pc(bench.target, 3), each);
    }
    for (unsigned hart = 0; hart < 3; ++hart) EXPECT_EQ(pc(bench.target, hart), kCode);
    bench.run(ThreadAction::kStep, ThreadAction::kContinue, 0);
    EXPECT_EQ(bench.stop->thread, 0U);
    EXPECT_EQ(pc(bench.target, 0), kCode + 4);
  });
}

TEST(GdbClusterTarget, AStepTakesNoInterruptAndDoesNotSleep) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, {kWfi, addi(a2, a2, 1), kWfi});
    auto& hart = server.server.card(0).harts().hart(2);
    bench.step(2);
    EXPECT_TRUE(hart.waiting_for_interrupt());
    EXPECT_EQ(pc(bench.target, 2), kCode + 4);
    bench.step(2);
    EXPECT_EQ(value(bench.target, 2, a2), 1U);
    // A pending interrupt that is enabled waits until the hart runs freely.
    hart.write_csr(riscv::csr::kMie, 8);
    hart.write_csr(riscv::csr::kMtvec, kCode + 0x100);
    hart.write_csr(riscv::csr::kMstatus, riscv::csr::mstatus::kMie);
    hart.set_interrupt_pending(riscv::Interrupt::kSoftware, true);
    bench.target.write_register(2, HartRegisters::kPc, kCode + 4);
    bench.step(2);
    EXPECT_EQ(pc(bench.target, 2), kCode + 8);
    EXPECT_EQ(value(bench.target, 2, a2), 2U);
  });
}

TEST(GdbClusterTarget, WatchpointsNameTheirAddressAndHart) {
  // Only hart 2 stores, 4 bytes into the middle of what is watched.
  const std::vector<uint32_t> program{addi(a3, x0, 2), bne(a1, a3, 12), sw(a3, a0, 4), lw(a4, a0, 4), jal(x0, -16)};
  const TestServer run("server-1-4h", [&](TestServer& server) {
    Bench bench(server, program);
    ASSERT_TRUE(bench.target.insert_point(PointKind::kWrite, kData, 8));
    bench.run_all();
    ASSERT_TRUE(bench.stop);
    EXPECT_EQ(bench.stop->thread, 2U);
    EXPECT_EQ(bench.stop->point, PointKind::kWrite);
    EXPECT_EQ(bench.stop->address, kData);
    EXPECT_EQ(pc(bench.target, 2), kCode + 8) << "before the store";
    bench.target.remove_point(PointKind::kWrite, kData, 8);

    ASSERT_TRUE(bench.target.insert_point(PointKind::kRead, kData + 7, 1));
    bench.run_all();
    EXPECT_EQ(bench.stop->point, PointKind::kRead);
    EXPECT_EQ(pc(bench.target, 2), kCode + 12);
    bench.target.remove_point(PointKind::kRead, kData + 7, 1);

    ASSERT_TRUE(bench.target.insert_point(PointKind::kHardware, kCode + 12, 4));
    bench.run_all();
    EXPECT_EQ(bench.stop->point, PointKind::kHardware);
    EXPECT_EQ(pc(bench.target, 2), kCode + 12);
    EXPECT_EQ(value(bench.target, 2, HartRegisters::kFirstCsr + riscv::csr::kTselect), 0U) << "the program's own";
  });
}

TEST(GdbClusterTarget, HasAsManyHardwarePointsAsTheProgramLeavesTriggers) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, kLoop);
    // Hart 1's program uses trigger 0. Unaligned ranges take several: [1, 8) is 1 + 2 + 4 bytes.
    server.server.card(0).harts().hart(1).write_csr(riscv::csr::kTdata1, 6ULL << 60 | 4 | 64);
    EXPECT_TRUE(bench.target.insert_point(PointKind::kWrite, kData + 1, 7));
    EXPECT_TRUE(bench.target.insert_point(PointKind::kWrite, kData + 1, 7)) << "the same is no second one";
    EXPECT_FALSE(bench.target.insert_point(PointKind::kHardware, kCode, 4));
    bench.target.remove_point(PointKind::kWrite, kData + 1, 7);
    EXPECT_TRUE(bench.target.insert_point(PointKind::kHardware, kCode, 4));
    EXPECT_FALSE(bench.target.insert_point(PointKind::kWrite, ~0ULL - 1, 8));
    EXPECT_FALSE(bench.target.insert_point(PointKind::kWrite, 0, ~0ULL));
  });
}

TEST(GdbClusterTarget, APointOutlivesAResetAndHaltedHartsStayHalted) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, kLoop);
    ASSERT_TRUE(bench.target.insert_point(PointKind::kHardware, NPU_MAP_ROM + 4, 4));
    server.host.mmio_write32(server.functions[0].bars[0] + MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
    sc_core::wait(sc_core::sc_time(10, sc_core::SC_US));
    for (unsigned hart = 0; hart < kHarts; ++hart) EXPECT_EQ(pc(bench.target, hart), NPU_MAP_ROM);
    EXPECT_TRUE(bench.target.all_halted());
    bench.run_all();
    ASSERT_TRUE(bench.stop);
    EXPECT_EQ(pc(bench.target, bench.stop->thread), NPU_MAP_ROM + 4);
  });
}

TEST(GdbClusterTarget, TheHostUsesTheCardWhileItsHartsAreHalted) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, kLoop);
    const uint64_t bar0 = server.functions[0].bars[0];
    EXPECT_EQ(server.host.mmio_read32(bar0 + MAILBOX_HOST_ID), 0x3055504eU);
    server.host.mmio_write32(bar0 + MAILBOX_HOST_H2C_DATA(0), 0x12345678);
    EXPECT_EQ(server.host.mmio_read32(bar0 + MAILBOX_HOST_H2C_DATA(0)), 0x12345678U);
    EXPECT_EQ(server.host.config_read(server.functions[0].bdf, 0, 4), 0x12201effU);
    EXPECT_TRUE(bench.target.all_halted());
  });
}

TEST(GdbClusterTarget, WritesMemoryUnderDecodedCodeAndRegistersByTheBus) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, kLoop);
    bench.run_all();
    bench.target.halt();
    // What the harts have decoded long since is replaced.
    const uint32_t jump = jal(x0, 0);
    std::array<uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &jump, 4);
    ASSERT_TRUE(bench.target.write_memory(0, kCode + 4, bytes));
    bench.run_all();
    bench.target.halt();
    for (unsigned hart = 0; hart < kHarts; ++hart) EXPECT_EQ(pc(bench.target, hart), kCode + 4);

    const uint64_t scratch = NPU_MAP_SYSTEM_CONTROLLER + SYSTEM_CONTROLLER_SCRATCH(0);
    EXPECT_TRUE(bench.target.write_memory(0, scratch, bytes));
    std::array<uint8_t, 4> back{};
    EXPECT_EQ(bench.target.read_memory(0, scratch, back), 4U);
    EXPECT_EQ(back, bytes);
    EXPECT_FALSE(bench.target.write_memory(0, 0x3000'0000, bytes)) << "nothing is there";
    EXPECT_EQ(bench.target.read_memory(0, 0x3000'0000, back), 0U);
    EXPECT_EQ(server.environment.diagnostics().misuse_count(), 1U) << "the write to nothing was an access";
  });
}

TEST(GdbClusterTarget, AnEbreakOfTheProgramStopsOnlyUnderADebugger) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    Bench bench(server, {addi(a2, a2, 1), kEbreak, addi(a2, a2, 1), jal(x0, 0)});
    bench.run(ThreadAction::kContinue, ThreadAction::kStay, 1);
    ASSERT_TRUE(bench.stop);
    EXPECT_EQ(bench.stop->reason, Stop::Reason::kBreakpoint);
    EXPECT_EQ(pc(bench.target, 1), kCode + 4);
    bench.run(ThreadAction::kContinue, ThreadAction::kStay, 1);
    EXPECT_EQ(value(bench.target, 1, a2), 2U) << "it goes on behind the EBREAK";
    bench.target.halt();
    bench.target.write_register(1, HartRegisters::kPc, kCode + 4);
    bench.target.detach();
    sc_core::wait(sc_core::sc_time(1, sc_core::SC_US));
    auto& hart = server.server.card(0).harts().hart(1);
    EXPECT_EQ(hart.read_csr(riscv::csr::kMcause), 3U) << "a breakpoint exception";
  });
}

TEST(GdbHartRegisters, AreThoseThatTheHartHas) {
  const TestServer run("server-1-4h", [](TestServer& server) {
    auto& hart = server.server.card(0).harts().hart(3);
    const HartRegisters registers(hart);
    const std::string xml = registers.description();
    for (const char* name : {"\"zero\"", "\"pc\"", "\"ft0\"", "\"fcsr\"", "\"mstatus\"", "\"mhpmcounter31\"",
                             "\"pmpaddr15\"", "\"tdata1\"", "\"mhartid\"", "\"priv\"", "org.gnu.gdb.riscv.csr"}) {
      EXPECT_THAT(xml, HasSubstr(name));
    }
    for (const char* name : {"\"satp\"", "\"pmpcfg1\"", "\"dcsr\"", "\"sstatus\""})
      EXPECT_THAT(xml, Not(HasSubstr(name)));
    EXPECT_EQ(HartRegisters::csr_name(0xb04), "mhpmcounter4");
    EXPECT_EQ(HartRegisters::csr_name(0x7c0), "csr1984");
    // Numbers by GDB: 65 + CSR number.
    EXPECT_EQ(registers.read(hart, 65 + 0xf14)->value, 3U);
    EXPECT_FALSE(registers.read(hart, 65 + 0x180));
    EXPECT_FALSE(registers.read(hart, 1 << 20));
    EXPECT_EQ(registers.read(hart, 65 + 3)->bytes, 4U);
    EXPECT_FALSE(registers.read(hart, 65 + 3)->value) << "mstatus.FS is off";
    EXPECT_FALSE(registers.write(hart, 65 + 0xf14, 1));
    EXPECT_FALSE(registers.write(hart, HartRegisters::kPrivilege, 0));
    EXPECT_TRUE(registers.write(hart, 33, 5));
    EXPECT_EQ(hart.f(0), 5U);
  });
}

}  // namespace
}  // namespace npuvp::debug::gdb

// SPDX-License-Identifier: Apache-2.0
// The cluster in simulated time: exact access times, exact interrupts, idle harts.
#include "models/riscv/hart_cluster.h"

#include <gmock/gmock.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstring>

#include "models/base/sparse_memory.h"
#include "tests/models/riscv/encode.h"

namespace npuvp::riscv::test {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using testing::ElementsAre;

constexpr uint64_t kRam = 0x80000000;
constexpr uint64_t kDevice = 0x10000000;
constexpr uint32_t kTimerEnable = 1 << 7;

/// RAM with direct access and a register that takes 30 ns and writes down who came when.
class Target final : public sc_core::sc_module {
 public:
  explicit Target(const sc_core::sc_module_name& name) : sc_module(name), socket("socket"), ram(0x10000) {
    socket.register_b_transport(this, &Target::b_transport);
    socket.register_get_direct_mem_ptr(this, &Target::get_direct_mem_ptr);
  }

  struct Access {
    sc_time at;
    uint16_t hart;
    uint64_t pc;
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
    if (payload.get_address() >= kRam && payload.get_address() - kRam < ram.size()) {
      uint8_t* const host = ram.data() + (payload.get_address() - kRam);
      if (payload.is_read()) std::memcpy(payload.get_data_ptr(), host, payload.get_data_length());
      if (payload.is_write()) std::memcpy(host, payload.get_data_ptr(), payload.get_data_length());
    } else if (payload.get_address() == kDevice) {
      const base::Origin& origin = base::sideband_of(payload).origin;
      EXPECT_EQ(origin.kind, base::Origin::Kind::kHart);
      accesses.push_back({sc_core::sc_time_stamp() + delay, origin.id, origin.pc});
      if (payload.is_read()) std::memset(payload.get_data_ptr(), 0, payload.get_data_length());
      if (on_access) on_access();
      delay += sc_time(30, SC_NS);
    } else {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    if (!direct || payload.get_address() < kRam || payload.get_address() - kRam >= ram.size()) return false;
    dmi.set_dmi_ptr(ram.data());
    dmi.set_start_address(kRam);
    dmi.set_end_address(kRam + ram.size() - 1);
    dmi.allow_read_write();
    return true;
  }

  void program(uint64_t offset, std::initializer_list<uint32_t> words) {
    for (const uint32_t word : words) {
      std::memcpy(ram.data() + offset, &word, sizeof word);
      offset += 4;
    }
  }

  tlm_utils::simple_target_socket<Target> socket;
  base::SparseMemory ram;
  bool direct = true;
  std::function<void()> on_access;
  std::vector<Access> accesses;
};

class Cluster : public testing::Test {
 protected:
  void build(unsigned harts = 1, sc_time quantum = sc_time(10, sc_core::SC_US)) {
    HartClusterParameters parameters;
    parameters.harts = harts;
    parameters.clock_period = sc_time(2, SC_NS);
    parameters.quantum = quantum;
    parameters.reset_pc = kRam;
    cluster = std::make_unique<HartCluster>("cluster", parameters);
    cluster->bus.socket.bind(target.socket);
  }

  /// A handler at kRam + 0x100 that stops in a loop; the interrupt's arrival is read from mepc and mcycle.
  void take_timer_interrupts(unsigned hart = 0) {
    target.program(0x100, {csrrs(a1, csr::kMcycle, x0), kJumpToSelf});
    cluster->hart(hart).write_csr(csr::kMtvec, kRam + 0x100);
    cluster->hart(hart).write_csr(csr::kMie, kTimerEnable);
    cluster->hart(hart).write_csr(csr::kMstatus, csr::mstatus::kMie);
  }

  Target target{"target"};
  std::unique_ptr<HartCluster> cluster;
};

/// Raises and lowers an input at given times.
class Driver final : public sc_core::sc_module {
 public:
  Driver(const sc_core::sc_module_name& name, std::vector<std::pair<sc_time, std::function<void()>>> steps)
      : sc_module(name), steps_(std::move(steps)) {
    SC_HAS_PROCESS(Driver);
    SC_THREAD(drive);
  }

 private:
  void drive() {
    for (const auto& [at, action] : steps_) {
      wait(at - sc_core::sc_time_stamp());
      action();
    }
  }
  std::vector<std::pair<sc_time, std::function<void()>>> steps_;
};

TEST_F(Cluster, AccessesHappenAtTheirExactTimeAndTakeTheirTime) {
  build();
  target.program(0, {kNop, kNop, lw(a1, a0), kNop, sw(a1, a0), kJumpToSelf});
  cluster->hart(0).set_x(a0, kDevice);
  sc_core::sc_start(sc_time(1, sc_core::SC_US));
  ASSERT_EQ(target.accesses.size(), 2u);
  EXPECT_EQ(target.accesses[0].at, sc_time(4, SC_NS)) << "two instructions of 2 ns";
  EXPECT_EQ(target.accesses[0].pc, kRam + 8);
  EXPECT_EQ(target.accesses[0].hart, 0);
  EXPECT_EQ(target.accesses[1].at, sc_time(4 + 2 + 30 + 2, SC_NS)) << "the load and its 30 ns, one more instruction";
}

TEST_F(Cluster, BusErrorIsAnAccessFault) {
  build();
  target.program(0, {lw(a1, a0)});
  target.program(0x100, {kJumpToSelf});
  cluster->hart(0).write_csr(csr::kMtvec, kRam + 0x100);
  cluster->hart(0).set_x(a0, 0x20000000);
  sc_core::sc_start(sc_time(1, sc_core::SC_US));
  EXPECT_EQ(*cluster->hart(0).read_csr(csr::kMcause), 5u);
  EXPECT_EQ(*cluster->hart(0).read_csr(csr::kMtval), 0x20000000u);
}

class ClusterQuantum : public Cluster, public testing::WithParamInterface<unsigned> {};

TEST_P(ClusterQuantum, InterruptIsTakenAtItsTimeWhateverTheQuantum) {
  build(1, sc_time(GetParam(), SC_NS));
  target.program(0, {addi(a0, a0, 1), jalr(x0, a2)});
  cluster->hart(0).set_x(a2, kRam);
  take_timer_interrupts();
  const base::IrqSink input = cluster->interrupt_input(0, Interrupt::kTimer);
  const Driver driver("driver", {{sc_time(1001, SC_NS), [&] { input(true); }}});
  sc_core::sc_start(sc_time(5, sc_core::SC_US));
  // Instructions that started before 1001 ns: at 0, 2, ... 1000 ns.
  EXPECT_EQ(cluster->hart(0).x(a1), 501u);
  EXPECT_EQ(cluster->hart(0).x(a0), 251u);
}

INSTANTIATE_TEST_SUITE_P(Nanoseconds, ClusterQuantum, testing::Values(2u, 100u, 10'000u, 1'000'000u));

TEST_F(Cluster, WaitingHartHasNoEventsAndWakesAtOnce) {
  build();
  target.program(0, {kWfi, sw(a1, a0), kWfi, kJumpToSelf});
  cluster->hart(0).set_x(a0, kDevice);
  cluster->hart(0).write_csr(csr::kMie, kTimerEnable);
  sc_core::sc_start(sc_time(100, SC_NS));
  EXPECT_TRUE(cluster->hart(0).waiting_for_interrupt());
  EXPECT_FALSE(sc_core::sc_pending_activity());
  const uint64_t deltas = sc_core::sc_delta_count();
  sc_core::sc_start(sc_time(1, sc_core::SC_SEC));
  EXPECT_LE(sc_core::sc_delta_count(), deltas + 1);
  cluster->interrupt_input(0, Interrupt::kTimer)(true);
  sc_core::sc_start(sc_time(100, SC_NS));
  ASSERT_EQ(target.accesses.size(), 1u);
  EXPECT_EQ(target.accesses[0].at, sc_time(1, sc_core::SC_SEC) + sc_time(100, SC_NS));
  // 2 ns for WFI, then idle until 1 s + 100 ns; then the access.
  EXPECT_GE(*cluster->hart(0).read_csr(csr::kMcycle), 500'000'050u);
}

TEST_F(Cluster, TimeRegisterShowsLocalTime) {
  build();
  cluster->set_time_source([](const sc_time& at) { return at.value() / sc_time(1, SC_NS).value(); });
  target.program(0, {kNop, kNop, kNop, csrrs(a0, csr::kTime, x0), kJumpToSelf});
  sc_core::sc_start(sc_time(1, sc_core::SC_US));
  EXPECT_EQ(cluster->hart(0).x(a0), 6u);
}

TEST_F(Cluster, HartsAccessTheBusInOrderOfTime) {
  build(3);
  // Hart n first spends 3 - n more rounds of a loop, so that hart 2 comes first.
  target.program(0, {csrrs(a1, csr::kMhartid, x0), addi(a2, x0, 3), i_type(0x13, 4, a1, a1, -1), addi(a1, a1, 1),
                     0x00b60633 /* add a2, a2, a1 */, addi(a2, a2, 1), addi(a2, a2, -1), 0xfe061ee3 /* bnez a2, -4 */,
                     sw(a1, a0), kJumpToSelf});
  for (unsigned i = 0; i < 3; ++i) cluster->hart(i).set_x(a0, kDevice);
  sc_core::sc_start(sc_time(10, sc_core::SC_US));
  ASSERT_EQ(target.accesses.size(), 3u);
  EXPECT_EQ(target.accesses[0].hart, 2);
  EXPECT_EQ(target.accesses[1].hart, 1);
  EXPECT_EQ(target.accesses[2].hart, 0);
  EXPECT_EQ(target.accesses[1].at - target.accesses[0].at, sc_time(4, SC_NS)) << "one round of two instructions";
  EXPECT_EQ(target.accesses[2].at - target.accesses[1].at, sc_time(4, SC_NS));
}

TEST_F(Cluster, ResetHoldsAndRestarts) {
  build();
  target.program(0, {addi(a0, a0, 1), kJumpToSelf});
  const base::IrqSink reset = cluster->reset_input();
  const Driver driver("driver", {{sc_time(100, SC_NS), [&] { reset(true); }},
                                 {sc_time(200, SC_NS), [&] { reset(false); }},
                                 {sc_time(211, SC_NS), [&] {
                                    EXPECT_EQ(cluster->hart(0).x(a0), 1u);
                                    EXPECT_EQ(*cluster->hart(0).read_csr(csr::kMcycle), 6u)
                                        << "started at 200, 202, ... 210 ns";
                                  }}});
  sc_core::sc_start(sc_time(1, sc_core::SC_US));
}

TEST_F(Cluster, HartThatResetsItselfStartsAgain) {
  build();
  target.program(0, {sw(a1, a0), addi(a2, a2, 1), kJumpToSelf});
  cluster->hart(0).set_x(a0, kDevice);
  const base::IrqSink reset = cluster->reset_input();
  target.on_access = [&] {
    reset(true);
    reset(false);
  };
  sc_core::sc_start(sc_time(1, sc_core::SC_US));
  EXPECT_EQ(target.accesses.size(), 1u);
  EXPECT_EQ(cluster->hart(0).x(a0), 0u) << "after the reset the store goes to address 0 and faults";
  EXPECT_EQ(cluster->hart(0).x(a2), 0u);
}

TEST_F(Cluster, HaltAndResume) {
  build();
  target.program(0, {addi(a0, a0, 1), jalr(x0, a2)});
  cluster->hart(0).set_x(a2, kRam);
  std::vector<StopReason> stops;
  cluster->on_halt([&](unsigned, StopReason reason) { stops.push_back(reason); });
  const Driver driver(
      "driver", {{sc_time(100, SC_NS), [&] { cluster->halt(0); }}, {sc_time(300, SC_NS), [&] { cluster->resume(0); }}});
  sc_core::sc_start(sc_time(200, SC_NS));
  EXPECT_TRUE(cluster->halted(0));
  EXPECT_THAT(stops, ElementsAre(StopReason::kHalted));
  const uint64_t before = cluster->hart(0).instructions_retired();
  EXPECT_EQ(before, 50u);
  sc_core::sc_start(sc_time(200, SC_NS));
  EXPECT_GT(cluster->hart(0).instructions_retired(), before);
}

TEST_F(Cluster, MemoryWithoutDirectAccessWorksAndWithdrawnMemoryIsNotTouched) {
  build();
  target.program(0, {addi(a0, a0, 1), jalr(x0, a2)});
  cluster->hart(0).set_x(a2, kRam);
  const Driver driver("driver", {{sc_time(100, SC_NS), [&] {
                                    target.direct = false;
                                    target.socket->invalidate_direct_mem_ptr(0, ~0ull);
                                  }}});
  sc_core::sc_start(sc_time(200, SC_NS));
  EXPECT_EQ(cluster->hart(0).instructions_retired(), 100u) << "the same time, through the bus";
  EXPECT_FALSE(cluster->bus.direct(kRam));
}

}  // namespace
}  // namespace npuvp::riscv::test

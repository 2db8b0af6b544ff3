// SPDX-License-Identifier: Apache-2.0
// Four harts with atomics, LR/SC and interrupts between them (programs/stress.S): nothing is lost, whatever the turns.
#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstring>
#include <vector>

#include "models/riscv/elf_program.h"
#include "models/riscv/hart_cluster.h"

namespace npuvp::riscv::test {
namespace {

constexpr unsigned kHarts = 4;
constexpr uint64_t kRounds = 2000;
constexpr uint64_t kRam = 0x80000000;
constexpr uint64_t kSoftwareInterrupts = 0x02000000;
constexpr uint64_t kShared = kRam + 0x1000;  ///< The program's data section.

/// RAM and the software interrupt registers.
class Board final : public sc_core::sc_module {
 public:
  Board(const sc_core::sc_module_name& name, const HartClusterParameters& parameters)
      : sc_module(name), cluster("cluster", parameters), socket_("socket"), ram_(0x10000) {
    socket_.register_b_transport(this, &Board::b_transport);
    socket_.register_get_direct_mem_ptr(this, &Board::get_direct_mem_ptr);
    cluster.bus.socket.bind(socket_);
    const auto program = ElfProgram::load(NPUVP_TEST_PROGRAMS "/stress.elf");
    for (const auto& segment : program.segments) {
      std::memcpy(ram_.data() + (segment.address - kRam), segment.bytes.data(), segment.bytes.size());
    }
  }

  [[nodiscard]] uint64_t doubleword(uint64_t address) const {
    uint64_t value = 0;
    std::memcpy(&value, ram_.data() + (address - kRam), sizeof value);
    return value;
  }

  HartCluster cluster;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
    const uint64_t hart = (payload.get_address() - kSoftwareInterrupts) / 4;
    if (payload.get_address() < kSoftwareInterrupts || hart >= kHarts || !payload.is_write()) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    cluster.interrupt_input(static_cast<unsigned>(hart), Interrupt::kSoftware)(payload.get_data_ptr()[0] != 0);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    if (payload.get_address() < kRam || payload.get_address() - kRam >= ram_.size()) return false;
    dmi.set_dmi_ptr(ram_.data());
    dmi.set_start_address(kRam);
    dmi.set_end_address(kRam + ram_.size() - 1);
    dmi.allow_read_write();
    return true;
  }

  tlm_utils::simple_target_socket<Board> socket_;
  std::vector<uint8_t> ram_;
};

/// By the length of a turn: from every few instructions to long ones.
class FourHarts : public testing::TestWithParam<uint64_t> {};

TEST_P(FourHarts, LoseNothing) {
  HartClusterParameters parameters;
  parameters.harts = kHarts;
  parameters.reset_pc = kRam;
  parameters.interleave_cycles = GetParam();
  Board board("board", parameters);
  constexpr uint64_t kDone = kShared + 384, kTwoOwners = kShared + 320, kReceived = kShared + 768;
  for (unsigned i = 0; i < 1000 && board.doubleword(kDone) != kHarts; ++i) sc_core::sc_start(100, sc_core::SC_US);
  ASSERT_EQ(board.doubleword(kDone), kHarts) << "not all harts came to an end";
  EXPECT_EQ(board.doubleword(kShared), kHarts * kRounds) << "LR/SC";
  EXPECT_EQ(board.doubleword(kShared + 64), kHarts * kRounds) << "AMO";
  EXPECT_EQ(board.doubleword(kShared + 192), kHarts * kRounds) << "under the lock";
  EXPECT_EQ(board.doubleword(kTwoOwners), 0u) << "a node of the stack had two owners";
  for (unsigned hart = 0; hart < kHarts; ++hart) {
    EXPECT_EQ(board.doubleword(kReceived + 8 * hart), kRounds) << "interrupts of hart " << hart;
  }
}

INSTANTIATE_TEST_SUITE_P(Turns, FourHarts, testing::Values(1, 7, 50, 200));

}  // namespace
}  // namespace npuvp::riscv::test

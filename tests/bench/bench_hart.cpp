// SPDX-License-Identifier: Apache-2.0
// npuvp bench hart: instructions per second of host processor time of the hart inside simulated time (cluster, bus with
// direct memory, quantum, a timer interrupt every 100 us) on the mixed benchmark hart_mix.c, beside Spike and QEMU on
// the same ELF. Processor time, so that other work on the machine counts for nobody; the others' time to start is taken
// off by a run of the ELF without its rounds.
#include <sys/resource.h>
#include <sys/wait.h>
#include <tlm_utils/simple_target_socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <systemc>
#include <vector>

#include "models/riscv/elf_program.h"
#include "models/riscv/hart_cluster.h"
#include "tests/bench/bench_report.h"

namespace {

using namespace npuvp;
using sc_core::sc_time;

constexpr uint64_t kRamStart = 0x80000000;
constexpr uint64_t kRamBytes = 1 << 20;
constexpr uint64_t kTimerAcknowledge = 0x10000000;

/// RAM with direct access, and a timer that interrupts until it is acknowledged.
class Board final : public sc_core::sc_module {
 public:
  Board(const sc_core::sc_module_name& name, const riscv::ElfProgram& program)
      : sc_module(name), cluster("cluster", parameters(program)), socket_("socket"), ram_(kRamBytes) {
    socket_.register_b_transport(this, &Board::b_transport);
    socket_.register_get_direct_mem_ptr(this, &Board::get_direct_mem_ptr);
    cluster.bus.socket.bind(socket_);
    line_ = cluster.interrupt_input(0, riscv::Interrupt::kTimer);
    for (const auto& segment : program.segments) {
      std::memcpy(ram_.data() + (segment.address - kRamStart), segment.bytes.data(), segment.bytes.size());
    }
    SC_HAS_PROCESS(Board);
    SC_THREAD(tick);
  }

  [[nodiscard]] uint64_t doubleword(uint64_t address) const {
    uint64_t value = 0;
    std::memcpy(&value, ram_.data() + (address - kRamStart), sizeof value);
    return value;
  }

  riscv::HartCluster cluster;

 private:
  static riscv::HartClusterParameters parameters(const riscv::ElfProgram& program) {
    riscv::HartClusterParameters out;
    out.reset_pc = program.entry;
    return out;
  }

  void b_transport(tlm::tlm_generic_payload& payload, sc_time& /*delay*/) {
    const bool acknowledge = payload.get_address() == kTimerAcknowledge && payload.is_write();
    if (acknowledge) line_(false);
    payload.set_response_status(acknowledge ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    if (payload.get_address() < kRamStart || payload.get_address() - kRamStart >= kRamBytes) return false;
    dmi.set_dmi_ptr(ram_.data());
    dmi.set_start_address(kRamStart);
    dmi.set_end_address(kRamStart + kRamBytes - 1);
    dmi.allow_read_write();
    return true;
  }

  void tick() {
    for (;;) {
      wait(100, sc_core::SC_US);
      line_(true);
    }
  }

  tlm_utils::simple_target_socket<Board> socket_;
  base::IrqSink line_;
  std::vector<uint8_t> ram_;
};

/// User time of a program in seconds, or nothing if it cannot be run, does not end within a minute or reports a wrong
/// sum.
std::optional<double> user_seconds(std::vector<std::string> arguments) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
}

std::vector<std::string> qemu(const char* elf) {
  return {NPUVP_CACHE_DIR "/qemu-system-riscv64",
          "-M",
          "spike",
          "-bios",
          "none",
          "-display",
          "none",
          "-monitor",
          "none",
          "-serial",
          "none",
          "-kernel",
          elf};
}
std::vector<std::string> spike(const char* elf) {
  const char* const program = std::getenv("NPUVP_SPIKE");
  return {program != nullptr ? program : "spike", "--isa=rv64imac_zicsr_zifencei", elf};
}

/// Million instructions per second of another simulator, best of three.
std::optional<double> rate(std::vector<std::string> (*command)(const char*), uint64_t instructions) {
  std::optional<double> best;
  for (int run = 0; run < 3; ++run) {
    const std::optional<double> idle = user_seconds(command(NPUVP_HART_MIX_EMPTY));
    const std::optional<double> busy = user_seconds(command(NPUVP_HART_MIX));
    if (!idle || !busy || *busy <= *idle) return best;
    const double here = static_cast<double>(instructions) / (*busy - *idle) / 1e6;
    if (!best || here > *best) best = here;
  }
  return best;
}

}  // namespace

int sc_main(int argc, char** argv) {
  const auto program = riscv::ElfProgram::load(NPUVP_HART_MIX);
  Board board("board", program);
  const std::clock_t begin = std::clock();
  while (board.doubleword(program.tohost) == 0) sc_core::sc_start(1, sc_core::SC_MS);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  if (board.doubleword(program.tohost) != 1) {
    fmt::print(stderr, "npuvp: {}: the hart computed a wrong sum\n", NPUVP_HART_MIX);
    return 1;
  }
  const uint64_t instructions = board.cluster.hart(0).instructions_retired();
  const double ours = static_cast<double>(instructions) / seconds / 1e6;

  bench::Report report(argc, argv);
  if (const auto other = rate(spike, instructions)) {
    report.add("hart.mix", ours, "M instructions/s", "spike", *other);
  } else {
    fmt::print(
        "hart.mix: no baseline spike: no RISC-V Spike is installed, and Debian has none (its package spike is another\n"
        "program). Name one by NPUVP_SPIKE.\n");
  }
  if (const auto other = rate(qemu, instructions)) {
    report.add("hart.mix", ours, "M instructions/s", "qemu-tcg", *other);
  } else {
    fmt::print("hart.mix: no baseline qemu-tcg; launcher/host_tools.sh {} qemu-riscv\n", NPUVP_CACHE_DIR);
  }
  return report.finish();
}

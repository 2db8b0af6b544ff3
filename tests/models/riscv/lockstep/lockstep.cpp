// SPDX-License-Identifier: Apache-2.0
// Random instruction streams on the hart and on QEMU, every register compared before every instruction.
//
//   riscv_lockstep --qemu QEMU --plugin PLUGIN [--group NAME] [--instructions N] [--seed S]
//
// Two harts run each program: one single-steps and is compared at each instruction; the other runs in pieces of random
// length, as in a platform, and is compared at their ends. Exit status 0: all equal; 1: a difference, told; 2: usage or
// no reference.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <random>
#include <string>

#include "models/riscv/csr.h"
#include "models/riscv/hart.h"
#include "tests/models/riscv/flat_bus.h"
#include "tests/models/riscv/lockstep/program.h"
#include "tests/models/riscv/lockstep/reference.h"

namespace npuvp::riscv::test {
namespace {

constexpr unsigned kBodyInstructions = 8000;
constexpr unsigned kRounds = 25;
constexpr unsigned kLongestPiece = 3000;

struct Machine {
  explicit Machine(const RandomProgram& program)
      : hart(bus, HartParameters{.hart_id = 0, .reset_pc = kProgramBase, .misaligned_access = true}) {
    bus.write(kProgramBase, program.image);
  }

  void set_registers(const std::array<uint64_t, RECORD_REGISTERS>& values) {
    for (unsigned i = 0; i < 32; ++i) {
      hart.set_x(i, values[RECORD_X + i]);
      hart.set_f(i, values[RECORD_F + i]);
    }
  }

  FlatBus bus;
  Hart hart;
};

/// The first difference between a hart and the reference, or nothing.
std::string difference(const Hart& hart, const Reference& reference) {
  char text[160];
  const auto describe = [&text](const char* name, unsigned index, uint64_t ours, uint64_t theirs) {
    std::snprintf(text, sizeof text, "%s%u is %llx, the reference has %llx", name, index,
                  static_cast<unsigned long long>(ours), static_cast<unsigned long long>(theirs));
    return std::string(text);
  };
  if (hart.pc() != reference.pc()) return describe("pc", 0, hart.pc(), reference.pc());
  const auto& values = reference.registers();
  for (unsigned i = 0; i < 32; ++i) {
    if (hart.x(i) != values[RECORD_X + i]) return describe("x", i, hart.x(i), values[RECORD_X + i]);
  }
  for (unsigned i = 0; i < 32; ++i) {
    if (hart.f(i) != values[RECORD_F + i]) return describe("f", i, hart.f(i), values[RECORD_F + i]);
  }
  const uint64_t fcsr = hart.read_csr(csr::kFcsr).value_or(0);
  if (fcsr != values[RECORD_FCSR]) return describe("fcsr", 0, fcsr, values[RECORD_FCSR]);
  return "";
}

struct Options {
  std::string qemu, plugin, group;
  uint64_t instructions = 1'000'000;
  uint64_t seed = 1;
};

/// Instructions compared; throws std::runtime_error that tells a difference.
uint64_t run_program(const Options& options, const std::string& group, uint64_t seed) {
  const RandomProgram program = make_program(group, seed, kBodyInstructions, kRounds);
  Machine stepped(program);
  Machine pieced(program);
  Reference reference(options.qemu, options.plugin, program.image);
  const auto fail = [&](const std::string& what, uint64_t pc) {
    char word[64];
    std::snprintf(word, sizeof word, " after pc %llx, word %08x", static_cast<unsigned long long>(pc),
                  stepped.bus.peek<uint32_t>(pc));
    throw std::runtime_error("group " + group + ", seed " + std::to_string(seed) + word + ": " + what);
  };

  do {
    if (!reference.next()) throw std::runtime_error("no trace from the reference: " + reference.log());
  } while (reference.pc() != kProgramBase);
  stepped.set_registers(reference.registers());
  pieced.set_registers(reference.registers());

  std::mt19937_64 random(seed);
  uint64_t count = 0;
  uint64_t piece = 1 + random() % kLongestPiece;
  uint64_t last_pc = kProgramBase;
  while (reference.pc() != program.exit_pc) {
    if (stepped.hart.run(1, BusAccess::kAllowed).cycles != 1) fail("the hart stopped", last_pc);
    ++count;
    last_pc = reference.pc();
    if (!reference.next()) fail("the reference ended: " + reference.log(), last_pc);
    if (const std::string text = difference(stepped.hart, reference); !text.empty()) fail(text, last_pc);
    if (--piece != 0 && reference.pc() != program.exit_pc) continue;
    pieced.hart.run(count - pieced.hart.cycles(), BusAccess::kAllowed);
    if (const std::string text = difference(pieced.hart, reference); !text.empty()) {
      fail("in one go: " + text, last_pc);
    }
    piece = 1 + random() % kLongestPiece;
  }
  for (uint64_t address = kProgramBase; address < kProgramBase + kProgramBytes; address += 8) {
    if (stepped.bus.peek<uint64_t>(address) != pieced.bus.peek<uint64_t>(address)) fail("memory differs", address);
  }
  return count;
}

int run(const Options& options) {
  for (const std::string_view group : groups()) {
    if (!options.group.empty() && options.group != group) continue;
    uint64_t count = 0;
    for (uint64_t seed = options.seed; count < options.instructions; ++seed) {
      count += run_program(options, std::string(group), seed);
    }
    std::printf("%-10s %10llu instructions compared, no difference\n", std::string(group).c_str(),
                static_cast<unsigned long long>(count));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace npuvp::riscv::test

int main(int argc, char** argv) {
  npuvp::riscv::test::Options options;
  std::map<std::string, std::string> values;
  for (int i = 1; i + 1 < argc; i += 2) values[argv[i]] = argv[i + 1];
  options.qemu = values["--qemu"];
  options.plugin = values["--plugin"];
  options.group = values["--group"];
  if (values.contains("--instructions"))
    options.instructions = std::strtoull(values["--instructions"].c_str(), nullptr, 0);
  if (values.contains("--seed")) options.seed = std::strtoull(values["--seed"].c_str(), nullptr, 0);
  if (options.qemu.empty() || options.plugin.empty()) {
    std::fputs("riscv_lockstep --qemu QEMU --plugin PLUGIN [--group NAME] [--instructions N] [--seed S]\n", stderr);
    return 2;
  }
  try {
    return npuvp::riscv::test::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "riscv_lockstep: %s\n", error.what());
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/isa_test.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

#include "models/riscv/csr.h"
#include "models/riscv/elf_program.h"
#include "models/riscv/hart.h"

namespace npuvp::riscv {
namespace {

constexpr uint64_t kRamStart = 0x80000000;
constexpr uint64_t kRamBytes = 16 << 20;
/// Between looks at tohost.
constexpr uint64_t kPiece = 1000;

std::string hex(uint64_t value) {
  std::array<char, 20> text;
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

/// Memory and nothing else.
class Ram final : public Bus {
 public:
  BusStatus load(uint64_t /*address*/, unsigned /*size_bytes*/, uint64_t& /*value*/) override {
    return BusStatus::kAccessFault;
  }
  BusStatus store(uint64_t /*address*/, unsigned /*size_bytes*/, uint64_t /*value*/) override {
    return BusStatus::kAccessFault;
  }
  std::optional<DirectRegion> direct(uint64_t address) override {
    const DirectRegion all{bytes_.data(), kRamStart, kRamBytes, true, true};
    return all.contains(address, 1) ? std::optional(all) : std::nullopt;
  }

  /// The bytes of a range, or nullptr if it is not wholly memory.
  [[nodiscard]] uint8_t* at(uint64_t address, uint64_t size_bytes) {
    const std::optional<DirectRegion> all = direct(address);
    return all && all->contains(address, size_bytes) ? bytes_.data() + (address - kRamStart) : nullptr;
  }
  [[nodiscard]] uint64_t doubleword(uint64_t address) {
    uint64_t value = 0;
    if (const uint8_t* host = at(address, sizeof value)) std::memcpy(&value, host, sizeof value);
    return value;
  }
  void set_doubleword(uint64_t address, uint64_t value) {
    if (uint8_t* host = at(address, sizeof value)) std::memcpy(host, &value, sizeof value);
  }

 private:
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kRamBytes);
};

/// The host's side of tohost and fromhost.
class HostInterface {
 public:
  HostInterface(Ram& ram, const ElfProgram& program, const IsaTestOptions& options)
      : ram_(ram), program_(program), options_(options) {}

  /// Serves what the program asks for. True when it has ended: then `result` says how.
  bool serve(IsaTestResult& result) {
    const uint64_t request = ram_.doubleword(program_.tohost);
    if (request == 0) return false;
    if ((request & 1) != 0 && request >> 48 == 0) {
      result.passed = request == 1;
      if (!result.passed) result.message = "case " + std::to_string(request >> 1) + " failed";
      return true;
    }
    ram_.set_doubleword(program_.tohost, 0);
    constexpr uint64_t kConsolePut = 0x0101;
    if (request >> 48 == kConsolePut) {
      put(static_cast<char>(request));
      return false;
    }
    if (request >> 48 == 0 && system_call(request)) return false;
    result.message = "the program asks the host for something unknown: tohost is " + hex(request);
    return true;
  }

 private:
  /// `block`: number and arguments; the result replaces the number. Only write to the console is served.
  bool system_call(uint64_t block) {
    constexpr uint64_t kWrite = 64;
    if (ram_.at(block, 8 * sizeof(uint64_t)) == nullptr || ram_.doubleword(block) != kWrite) return false;
    const uint64_t address = ram_.doubleword(block + 16);
    const uint64_t length = ram_.doubleword(block + 24);
    const uint8_t* const text = ram_.at(address, length);
    if (text == nullptr) return false;
    for (uint64_t i = 0; i < length; ++i) put(static_cast<char>(text[i]));
    ram_.set_doubleword(block, length);
    ram_.set_doubleword(program_.fromhost, 1);
    return true;
  }
  void put(char letter) {
    if (options_.output) options_.output(letter);
  }

  Ram& ram_;
  const ElfProgram& program_;
  const IsaTestOptions& options_;
};

void load(Ram& ram, const ElfProgram& program, const std::string& path) {
  if (ram.at(program.tohost, sizeof(uint64_t)) == nullptr) {
    throw std::runtime_error(path + ": no symbol tohost in memory; give a program by the riscv-tests convention");
  }
  for (const auto& segment : program.segments) {
    if (segment.bytes.empty()) continue;
    uint8_t* const host = ram.at(segment.address, segment.bytes.size());
    if (host == nullptr) {
      throw std::runtime_error(path + ": the segment at " + hex(segment.address) + " of " +
                               std::to_string(segment.bytes.size()) + " bytes is not within " + hex(kRamStart) +
                               " to " + hex(kRamStart + kRamBytes - 1) + "; link the program there");
    }
    std::copy(segment.bytes.begin(), segment.bytes.end(), host);
  }
}

}  // namespace

IsaTestResult run_isa_test(const std::string& path, const IsaTestOptions& options) {
  const ElfProgram program = ElfProgram::load(path);
  Ram ram;
  load(ram, program, path);
  Hart hart(ram, {.hart_id = 0, .reset_pc = program.entry, .misaligned_access = options.misaligned_access});
  HostInterface host(ram, program, options);
  IsaTestResult result;
  bool ended = false;
  while (!ended && hart.cycles() < options.instructions) {
    const RunResult run = hart.run(std::min(kPiece, options.instructions - hart.cycles()), BusAccess::kAllowed);
    ended = host.serve(result);
    if (!ended && run.reason == StopReason::kWfi) {
      result.message = "the program waits for an interrupt that never comes, pc " + hex(hart.pc());
      ended = true;
    }
  }
  result.instructions = hart.instructions_retired();
  if (!ended) {
    result.message = "no end after " + std::to_string(hart.cycles()) + " instructions: pc " + hex(hart.pc()) +
                     ", mcause " + hex(hart.read_csr(csr::kMcause).value_or(0)) + ", mepc " +
                     hex(hart.read_csr(csr::kMepc).value_or(0));
  }
  return result;
}

}  // namespace npuvp::riscv

// SPDX-License-Identifier: Apache-2.0
#include "platform/main/firmware_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>

#include "platform/config/config_error.h"

namespace npuvp::main {
namespace {

riscv::ElfProgram read(const std::string& path) {
  try {
    return riscv::ElfProgram::load(path);
  } catch (const std::runtime_error& error) {
    throw config::ConfigError(fmt::format("--fw: {}; give an RV64 executable", error.what()));
  }
}

size_t write(riscv::HartCluster& harts, uint64_t address, std::span<const uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const unsigned moved = harts.bus.debug_write(address + done, bytes.subspan(done));
    if (moved == 0) break;
    done += moved;
  }
  return done;
}

}  // namespace

FirmwareLoad::FirmwareLoad(const std::string& path) : path_(path), program_(read(path)) {}

void FirmwareLoad::hold(riscv::HartCluster& harts) {
  for (unsigned hart = 0; hart < harts.hart_count(); ++hart) harts.halt(hart);
}

void FirmwareLoad::start(riscv::HartCluster& harts, bool stay_halted) const {
  for (const auto& segment : program_.segments) {
    const size_t done = write(harts, segment.address, segment.bytes);
    if (done == segment.bytes.size()) continue;
    throw config::ConfigError(
        fmt::format("--fw {}: the segment at {:#x} of {} bytes leaves the card's memory at {:#x}; link it into the TCM",
                    path_, segment.address, segment.bytes.size(), segment.address + done));
  }
  harts.flush();
  for (unsigned hart = 0; hart < harts.hart_count(); ++hart) {
    harts.hart(hart).set_pc(program_.entry);
    if (!stay_halted) harts.resume(hart);
  }
}

}  // namespace npuvp::main

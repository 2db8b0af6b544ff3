// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/riscv/elf_program.h"
#include "models/riscv/hart_cluster.h"

namespace npuvp::main {

/// Runs an ELF file on a card's harts as a debugger would load it, past boot ROM, image header and signature: the
/// segments are written to their addresses and every hart starts at the entry with the state of reset. For a firmware
/// developer's edit-run loop; a reset of the card brings back the ROM.
class FirmwareLoad {
 public:
  /// Reads the file. Errors: config::ConfigError.
  explicit FirmwareLoad(const std::string& path);

  /// The harts wait for start(). Before the simulation begins.
  static void hold(riscv::HartCluster& harts);
  /// Writes the program and lets the harts run, or leaves them halted at the entry. In a process of the simulation.
  /// Errors: config::ConfigError if a segment is not in the card's memory.
  void start(riscv::HartCluster& harts, bool stay_halted) const;

 private:
  std::string path_;
  riscv::ElfProgram program_;
};

}  // namespace npuvp::main

// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/elf_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>

#include "platform/config/config_error.h"

namespace npuvp::debug::firmware {

ElfFile::ElfFile(const std::string& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!file_) fail("cannot be read; is it built?");
  elf_version(EV_CURRENT);
  elf_ = elf_begin(file_.get(), ELF_C_READ, nullptr);
  GElf_Ehdr header;
  if (elf_ == nullptr || gelf_getehdr(elf_, &header) == nullptr || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != EM_RISCV) {
    elf_end(elf_);
    fail("not an RV64 ELF file; give the program with its symbols");
  }
}

ElfFile::~ElfFile() {
  elf_end(elf_);
}

void ElfFile::fail(const std::string& reason) const {
  throw config::ConfigError(fmt::format("{}: {}", path_, reason));
}

}  // namespace npuvp::debug::firmware

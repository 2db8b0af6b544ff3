// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libelf.h>

#include <string>

#include "platform/base/unique_fd.h"

namespace npuvp::debug::firmware {

/// An open RV64 ELF file of libelf's.
class ElfFile {
 public:
  /// Throws config::ConfigError with file and reason.
  explicit ElfFile(const std::string& path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  [[nodiscard]] Elf* get() const { return elf_; }
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  std::string path_;
  host::UniqueFd file_;
  Elf* elf_ = nullptr;
};

}  // namespace npuvp::debug::firmware

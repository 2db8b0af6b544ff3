// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/elf_program.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace npuvp::riscv {
namespace {

class File {
 public:
  explicit File(const std::string& path) : path_(path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) fail("cannot be read");
    bytes_.assign(std::istreambuf_iterator<char>(stream), {});
  }

  template <typename T>
  [[nodiscard]] T at(uint64_t offset) const {
    T value;
    check(offset, sizeof value);
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::vector<uint8_t> slice(uint64_t offset, uint64_t length) const {
    check(offset, length);
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(length)};
  }
  [[nodiscard]] std::string text(uint64_t offset) const {
    std::string out;
    for (; at<char>(offset) != 0; ++offset) out.push_back(at<char>(offset));
    return out;
  }
  [[noreturn]] void fail(const char* reason) const { throw std::runtime_error(path_ + ": " + reason); }

 private:
  void check(uint64_t offset, uint64_t length) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) fail("shorter than its headers say");
  }

  std::string path_;
  std::vector<uint8_t> bytes_;
};

uint64_t find_symbol(const File& file, const Elf64_Ehdr& header, const std::string& name) {
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto table = file.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (table.sh_type != SHT_SYMTAB) continue;
    const auto strings = file.at<Elf64_Shdr>(header.e_shoff + table.sh_link * sizeof(Elf64_Shdr));
    for (uint64_t offset = 0; offset + sizeof(Elf64_Sym) <= table.sh_size; offset += sizeof(Elf64_Sym)) {
      const auto symbol = file.at<Elf64_Sym>(table.sh_offset + offset);
      if (file.text(strings.sh_offset + symbol.st_name) == name) return symbol.st_value;
    }
  }
  return 0;
}

}  // namespace

ElfProgram ElfProgram::load(const std::string& path) {
  const File file(path);
  const auto header = file.at<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != EM_RISCV) {
    file.fail("not an RV64 ELF executable");
  }
  ElfProgram program;
  program.entry = header.e_entry;
  program.tohost = find_symbol(file, header, "tohost");
  program.fromhost = find_symbol(file, header, "fromhost");
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = file.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD)
      program.segments.push_back({segment.p_paddr, file.slice(segment.p_offset, segment.p_filesz)});
  }
  return program;
}

}  // namespace npuvp::riscv

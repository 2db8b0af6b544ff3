// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/function_table.h"

#include <gelf.h>

#include <iterator>

#include "platform/debug/firmware/elf_file.h"

namespace npuvp::debug::firmware {

void FunctionTable::add(const std::string& elf) {
  const ElfFile file(elf);
  size_t count = 0;
  for (Elf_Scn* section = elf_nextscn(file.get(), nullptr); section != nullptr;
       section = elf_nextscn(file.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0) continue;
    Elf_Data* const data = elf_getdata(section, nullptr);
    if (data == nullptr) file.fail("damaged symbol table; build it again");
    for (size_t i = 0; i < data->d_size / header.sh_entsize; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0) continue;
      const char* const name = elf_strptr(file.get(), header.sh_link, symbol.st_name);
      if (name == nullptr) continue;
      functions_[symbol.st_value] = {symbol.st_value, symbol.st_value + symbol.st_size, name};
      ++count;
    }
  }
  if (count == 0) file.fail("no functions in its symbol table; give the program before it is stripped");
}

const FunctionTable::Function* FunctionTable::find(uint64_t address) const {
  const auto next = functions_.upper_bound(address);
  if (next == functions_.begin()) return nullptr;
  const Function& candidate = std::prev(next)->second;
  return address < candidate.end ? &candidate : nullptr;
}

}  // namespace npuvp::debug::firmware

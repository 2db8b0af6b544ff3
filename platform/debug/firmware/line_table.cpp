// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/line_table.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>
#include <utility>

#include "platform/debug/firmware/elf_file.h"
#include "platform/debug/firmware/function_table.h"

namespace npuvp::debug::firmware {
namespace {

using Range = std::pair<uint64_t, uint64_t>;  // first byte, behind the last one

/// A function that the linker dropped has address 0 in the debug information: only one that a symbol of its name (or
/// of a copy of it, name.part.0) stands for is really there.
bool is_linked(const FunctionTable& symbols, uint64_t address, const std::string& name) {
  const auto found = symbols.functions().find(address);
  if (found == symbols.functions().end()) return false;
  const std::string& symbol = found->second.name;
  return symbol == name || symbol.starts_with(name + ".");
}

/// Code of a compilation unit that is in the program.
class UnitCode {
 public:
  UnitCode(Dwarf_Die& unit, const FunctionTable& symbols) : symbols_(symbols) {
    const int language = dwarf_srclang(&unit);
    assembler_ = language == DW_LANG_Mips_Assembler;
    dwarf_getfuncs(&unit, &UnitCode::add_function, this, 0);
  }

  [[nodiscard]] bool contains(uint64_t address) const {
    // An assembler's sections are kept whole, and its functions have no entries of their own.
    if (assembler_) return symbols_.find(address) != nullptr;
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [address](const Range& each) { return address >= each.first && address < each.second; });
  }

 private:
  static int add_function(Dwarf_Die* function, void* self) {
    auto& code = *static_cast<UnitCode*>(self);
    const char* const name = dwarf_diename(function);
    if (name == nullptr) return DWARF_CB_OK;
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(function, at, &base, &begin, &end)) > 0;) {
      if (is_linked(code.symbols_, begin, name)) code.ranges_.emplace_back(begin, end);
    }
    return DWARF_CB_OK;
  }

  const FunctionTable& symbols_;
  bool assembler_ = false;
  std::vector<Range> ranges_;
};

void add_rows(Dwarf_Die& unit, const UnitCode& code, std::vector<LineTable::Row>& rows) {
  Dwarf_Lines* lines = nullptr;
  size_t count = 0;
  if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
  for (size_t i = 0; i < count; ++i) {
    Dwarf_Line* const line = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    int number = 0;
    bool ends = false;
    bool statement = false;
    if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0 ||
        dwarf_lineendsequence(line, &ends) != 0 || dwarf_linebeginstatement(line, &statement) != 0) {
      continue;
    }
    const char* const file = dwarf_linesrc(line, nullptr, nullptr);
    if (ends || !statement || number <= 0 || file == nullptr || !code.contains(address)) continue;
    rows.push_back({address, file, number});
  }
}

}  // namespace

LineTable LineTable::read(const std::string& elf) {
  FunctionTable symbols;
  symbols.add(elf);
  const ElfFile file(elf);
  Dwarf* const dwarf = dwarf_begin_elf(file.get(), DWARF_C_READ, nullptr);
  if (dwarf == nullptr) file.fail("no debug information; compile it with -g");

  LineTable table;
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    const UnitCode code(die, symbols);
    add_rows(die, code, table.rows);
  }
  dwarf_end(dwarf);
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [](const Row& one, const Row& other) { return one.address < other.address; });
  for (const auto& [begin, function] : symbols.functions()) {
    const auto row = std::lower_bound(table.rows.begin(), table.rows.end(), begin,
                                      [](const Row& each, uint64_t address) { return each.address < address; });
    if (row == table.rows.end() || row->address >= function.end) continue;
    table.functions.push_back({begin, function.name, row->file, row->line});
  }
  return table;
}

}  // namespace npuvp::debug::firmware

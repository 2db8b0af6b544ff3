// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/coverage.h"

#include <fmt/format.h>
#include <gelf.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "platform/debug/firmware/elf_file.h"
#include "platform/debug/firmware/line_table.h"

namespace npuvp::debug::firmware {
namespace {

/// A larger piece of code than any memory of the card holds is a damaged file.
constexpr uint64_t kMostCodeBytes = 64 << 20;

struct FileCoverage {
  std::map<int, uint64_t> lines;                              ///< Line to executions.
  std::map<std::pair<int, std::string>, uint64_t> functions;  ///< Line and name to calls.
};

std::string report_of(const std::string& name, const FileCoverage& file) {
  const auto hit = [](const auto& counts) {
    return std::count_if(counts.begin(), counts.end(), [](const auto& each) { return each.second != 0; });
  };
  std::string text = fmt::format("SF:{}\n", name);
  for (const auto& [place, calls] : file.functions) text += fmt::format("FN:{},{}\n", place.first, place.second);
  for (const auto& [place, calls] : file.functions) text += fmt::format("FNDA:{},{}\n", calls, place.second);
  text += fmt::format("FNF:{}\nFNH:{}\n", file.functions.size(), hit(file.functions));
  for (const auto& [line, count] : file.lines) text += fmt::format("DA:{},{}\n", line, count);
  return text + fmt::format("LF:{}\nLH:{}\nend_of_record\n", file.lines.size(), hit(file.lines));
}

}  // namespace

void Coverage::add(const std::string& elf) {
  const ElfFile file(elf);
  for (Elf_Scn* section = elf_nextscn(file.get(), nullptr); section != nullptr;
       section = elf_nextscn(file.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_EXECINSTR) == 0) continue;
    if (header.sh_size > kMostCodeBytes) file.fail("a section of code that no memory holds; build it again");
    regions_.push_back({header.sh_addr, std::vector<uint64_t>((header.sh_size + 1) / 2)});
  }
  programs_.push_back(elf);
}

void Coverage::on_instruction(const riscv::Hart& /*hart*/, uint64_t pc, const riscv::Instruction& /*instruction*/) {
  if (last_ >= regions_.size() || !regions_[last_].contains(pc)) {
    const auto found =
        std::find_if(regions_.begin(), regions_.end(), [pc](const Region& each) { return each.contains(pc); });
    if (found == regions_.end()) return;
    last_ = static_cast<size_t>(found - regions_.begin());
  }
  Region& region = regions_[last_];
  ++region.counts[(pc - region.begin) / 2];
}

std::optional<uint64_t> Coverage::count(uint64_t address) const {
  for (const Region& each : regions_) {
    if (each.contains(address)) return each.counts[(address - each.begin) / 2];
  }
  return std::nullopt;
}

std::string Coverage::to_lcov(const std::string& source_dir) const {
  std::map<std::string, FileCoverage> files;
  const auto full = [&](const std::string& name) {
    return (std::filesystem::path(source_dir) / name).lexically_normal().string();
  };
  for (const std::string& program : programs_) {
    const LineTable table = LineTable::read(program);
    for (const auto& row : table.rows) {
      uint64_t& lines = files[full(row.file)].lines[row.line];
      lines = std::max(lines, count(row.address).value_or(0));
    }
    for (const auto& function : table.functions) {
      files[full(function.file)].functions[{function.line, function.name}] += count(function.address).value_or(0);
    }
  }
  std::string text = "TN:\n";
  for (const auto& [name, file] : files) {
    if (std::filesystem::exists(name)) text += report_of(name, file);
  }
  return text;
}

}  // namespace npuvp::debug::firmware

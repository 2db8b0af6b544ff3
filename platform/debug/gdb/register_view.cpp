// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/register_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace npuvp::debug::gdb {
namespace {

constexpr size_t kMostQuoted = 40;

std::string line_of(const base::Register& each) {
  const auto& info = each.info();
  const uint64_t value = base::RegisterBank::peek(each);
  std::string line = fmt::format("  +{:#06x} {:<24} {:#0{}x}", info.offset, info.name, value, 2 + 2 * info.bytes);
  for (const auto& field : info.fields)
    line += fmt::format(" {}={:#x}", field.name, (value & field.mask) >> field.shift);
  return line + "\n";
}

/// The block that a bank belongs to: "mailbox" of "mailbox.host", "task_dma" of itself.
std::string_view block_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

}  // namespace

std::string_view RegisterView::short_name(const base::RegisterBank& bank) const {
  const std::string_view name = bank.name();
  if (!name.starts_with(scope_) || name.size() <= scope_.size() || name[scope_.size()] != '.') return {};
  return name.substr(scope_.size() + 1);
}

std::vector<const base::RegisterBank*> RegisterView::banks() const {
  std::vector<const base::RegisterBank*> found;
  for (const auto* each : environment_.register_banks()) {
    if (!short_name(*each).empty()) found.push_back(each);
  }
  return found;
}

std::vector<const base::RegisterBank*> RegisterView::find(std::string_view name) const {
  std::vector<const base::RegisterBank*> found;
  for (const auto* each : banks()) {
    const std::string_view known = short_name(*each);
    if (known == name || (known.starts_with(name) && known[name.size()] == '.')) found.push_back(each);
  }
  if (!found.empty()) return found;

  const size_t digits = name.find_last_not_of("0123456789") + 1;
  unsigned wanted = 0;
  if (digits == 0 || std::from_chars(name.data() + digits, name.data() + name.size(), wanted).ec != std::errc{}) {
    return {};
  }
  const std::string with_line = fmt::format("{}_{}", name.substr(0, digits), wanted);  // one of several: ne_3
  std::vector<std::string_view> blocks;
  for (const auto* each : banks()) {
    const std::string_view block = block_of(short_name(*each));
    if (block == with_line) return {each};
    if (block.find(name.substr(0, digits)) == block.npos) continue;
    if (std::find(blocks.begin(), blocks.end(), block) == blocks.end()) blocks.push_back(block);
  }
  return wanted < blocks.size() ? find(blocks[wanted]) : found;
}

std::string RegisterView::list() const {
  std::string text;
  std::string_view last;
  for (const auto* each : banks()) {
    const std::string_view name = short_name(*each);
    if (name != last) text += fmt::format("{}\n", name);
    last = name;
  }
  return text;
}

std::string RegisterView::show(std::string_view name) const {
  const auto found = find(name);
  if (found.empty()) {
    return fmt::format("regs: no block '{}'; 'monitor regs' lists them\n", name.substr(0, kMostQuoted));
  }
  std::string text;
  for (const auto* bank : found) {
    text += fmt::format("{}\n", short_name(*bank));
    for (const auto* each : bank->registers()) text += line_of(*each);
  }
  return text;
}

}  // namespace npuvp::debug::gdb

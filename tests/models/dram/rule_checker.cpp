// SPDX-License-Identifier: Apache-2.0
#include "tests/models/dram/rule_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace npuvp::dram::support {
namespace {

constexpr uint32_t set(std::initializer_list<CommandKind> kinds) {
  uint32_t bits = 0;
  for (const auto kind : kinds) bits |= 1U << static_cast<unsigned>(kind);
  return bits;
}

using K = CommandKind;
constexpr uint32_t kAct = set({K::kActivate});
constexpr uint32_t kPre = set({K::kPrecharge});
constexpr uint32_t kPreAll = set({K::kPrechargeAll});
constexpr uint32_t kRead = set({K::kRead, K::kReadA});
constexpr uint32_t kWrite = set({K::kWrite, K::kWriteA});
constexpr uint32_t kRefAll = set({K::kRefreshAll});
constexpr uint32_t kRefBank = set({K::kRefreshBank});

bool in(CommandKind kind, uint32_t kinds) {
  return (kinds >> static_cast<unsigned>(kind) & 1) != 0;
}
bool is_column(CommandKind kind) {
  return in(kind, kRead | kWrite);
}

constexpr const char* kNames[] = {"ACT", "PREpb", "PREab", "RD", "RDA", "WR", "WRA", "REFab", "REFpb"};

}  // namespace

RuleChecker::RuleChecker(const Part& part)
    : part_(part),
      clock_(part.ticks_per_clock()),
      banks_(part.organisation.banks_of_channel()),
      pseudo_channels_(part.organisation.pseudo_channels) {
  const auto& t = part.timings;
  const Tick write_data = t.CWL + t.BL;
  rules_ = {
      {"tRC", kAct, kAct | kRefBank, kBank, t.tRC},
      {"tRC", kAct, kRefAll, kPseudoChannel, t.tRC},
      {"tRCDRD", kAct, kRead, kBank, t.tRCDRD},
      {"tRCDWR", kAct, kWrite, kBank, t.tRCDWR},
      {"tRAS", kAct, kPre, kBank, t.tRAS},
      {"tRAS", kAct, kPreAll, kPseudoChannel, t.tRAS},
      {"tRTP", kRead, kPre, kBank, t.tRTP},
      {"tRTP", kRead, kPreAll, kPseudoChannel, t.tRTP},
      {"tWR", kWrite, kPre, kBank, write_data + t.tWR},
      {"tWR", kWrite, kPreAll, kPseudoChannel, write_data + t.tWR},
      {"tRP", kPreAll, kAct | kRefAll | kRefBank, kPseudoChannel, t.tRP},
      {"tRP", kPre, kRefAll, kPseudoChannel, t.tRP},
      {"tCCD_S", kRead, kRead, kStack, t.tCCD_S},
      {"tCCD_S", kWrite, kWrite, kPseudoChannel, t.tCCD_S},
      {"tCCD_L", kRead, kRead, kGroup, t.tCCD_L},
      {"tCCD_L", kWrite, kWrite, kGroup, t.tCCD_L},
      {"tRTW", kRead, kWrite, kPseudoChannel, t.tRTW},
      {"tWTR_S", kWrite, kRead, kPseudoChannel, write_data + t.tWTR_S},
      {"tWTR_L", kWrite, kRead, kGroup, write_data + t.tWTR_L},
      {"tRRD_S", kAct, kAct | kRefBank, kPseudoChannel, t.tRRD_S},
      {"tRRD_L", kAct, kAct | kRefBank, kGroup, t.tRRD_L},
      {"tPPD", kPre | kPreAll, kPre | kPreAll, kPseudoChannel, t.tPPD},
      {"tRFCab", kRefAll, kAct | kPre | kPreAll | kRefAll | kRefBank, kPseudoChannel, t.tRFCab},
      {"tRFCpb", kRefBank, kAct | kRefBank, kBank, t.tRFCpb},
      {"tRFCpb", kRefBank, kRefAll, kPseudoChannel, t.tRFCpb},
      {"tRREFD", kRefBank, kAct | kRefBank, kPseudoChannel, t.tRREFD},
  };
  Times never;
  never.fill(-kNever);
  const auto& organisation = part.organisation;
  const size_t stacks = organisation.pseudo_channels * organisation.stack_ids;
  last_[kBank].assign(banks_.size(), never);
  last_[kGroup].assign(stacks * organisation.bank_groups, never);
  last_[kStack].assign(stacks, never);
  last_[kPseudoChannel].assign(organisation.pseudo_channels, never);
}

std::array<size_t, RuleChecker::kScopes> RuleChecker::places(const Location& where) const {
  const size_t stack = where.pseudo_channel * part_.organisation.stack_ids + where.stack_id;
  const size_t group = stack * part_.organisation.bank_groups + where.bank_group;
  return {group * part_.organisation.banks + where.bank, group, stack, where.pseudo_channel};
}

void RuleChecker::on_command(const Command& command) {
  ++commands_;
  Tick edge = command.time;  // the command's last one
  if (part_.dual_command_bus && command.kind == K::kActivate) edge += 2;
  if (part_.dual_command_bus && is_column(command.kind)) edge += 1;
  check_bus(command);
  check_distances(command, edge);
  check_other_stacks(command, edge);
  check_window(command, edge);
  if (is_column(command.kind)) check_data(command);
  check_state(command, edge);
  const auto at = places(command.where);
  for (size_t scope = 0; scope < kScopes; ++scope) last_[scope][at[scope]][static_cast<size_t>(command.kind)] = edge;
}

void RuleChecker::check_bus(const Command& command) {
  if (!part_.dual_command_bus) {
    require(command.time >= row_bus_free_, "command bus", command);
    row_bus_free_ = command.time + 1;
    return;
  }
  // Rising edges are odd; only precharges may use the others.
  const bool rising = command.time % 2 == 1;
  require(rising || in(command.kind, kPre | kPreAll), "rising edge", command);
  if (is_column(command.kind)) {
    require(command.time >= column_bus_free_, "command bus", command);
    column_bus_free_ = command.time + 2;
  } else {
    require(command.time >= row_bus_free_, "command bus", command);
    row_bus_free_ = command.time + (command.kind == K::kActivate ? 3 : 1);
  }
}

void RuleChecker::check_distances(const Command& command, Tick edge) {
  const auto at = places(command.where);
  for (const auto& rule : rules_) {
    if (!in(command.kind, rule.seconds)) continue;
    const Times& times = last_[rule.scope][at[rule.scope]];
    for (size_t kind = 0; kind < kKinds; ++kind) {
      if ((rule.firsts >> kind & 1) == 0) continue;
      require(edge - times[kind] >= rule.clocks * clock_, rule.name, command);
    }
  }
}

void RuleChecker::check_other_stacks(const Command& command, Tick edge) {
  if (!in(command.kind, kRead)) return;
  for (size_t stack = 0; stack < part_.organisation.stack_ids; ++stack) {
    if (stack == command.where.stack_id) continue;
    const auto& times = last_[kStack][command.where.pseudo_channel * part_.organisation.stack_ids + stack];
    for (const auto kind : {K::kRead, K::kReadA}) {
      require(edge - times[static_cast<size_t>(kind)] >= part_.timings.tCCD_R * clock_, "tCCD_R", command);
    }
  }
}

void RuleChecker::check_window(const Command& command, Tick edge) {
  if (!in(command.kind, kAct | kRefBank)) return;
  auto& window = pseudo_channels_[command.where.pseudo_channel].window;
  if (window.size() == 4) {
    require(edge - window.front() >= part_.timings.tFAW * clock_, "tFAW", command);
    window.erase(window.begin());
  }
  window.push_back(edge);
}

void RuleChecker::check_data(const Command& command) {
  auto& channel = pseudo_channels_[command.where.pseudo_channel];
  const auto& t = part_.timings;
  const Tick begin = command.time + clock_ * (in(command.kind, kRead) ? t.CL : t.CWL);
  require(begin >= channel.data_end, "data bus", command);
  channel.data_end = begin + clock_ * t.BL;
}

void RuleChecker::check_state(const Command& command, Tick edge) {
  const auto& t = part_.timings;
  const auto at = places(command.where);
  Bank& bank = banks_[at[kBank]];
  const size_t banks = part_.organisation.banks_of_pseudo_channel();
  const size_t first = command.where.pseudo_channel * banks;
  const auto idle = [&](const Bank& each) { return !each.open && edge - each.precharged >= t.tRP * clock_; };
  switch (command.kind) {
    case K::kActivate:
      require(!bank.open, "activate of an open bank", command);
      require(edge - bank.precharged >= t.tRP * clock_, "tRP", command);
      bank = {true, command.where.row, edge, bank.precharged};
      break;
    case K::kPrecharge:
      require(bank.open, "precharge of a closed bank", command);
      bank.open = false;
      bank.precharged = edge;
      break;
    case K::kPrechargeAll:
      for (size_t i = first; i < first + banks; ++i) {
        if (banks_[i].open) banks_[i].precharged = edge;
        banks_[i].open = false;
      }
      break;
    case K::kRead:
    case K::kReadA:
    case K::kWrite:
    case K::kWriteA: {
      require(bank.open && bank.row == command.where.row, "access to a row that is not open", command);
      if (command.kind != K::kReadA && command.kind != K::kWriteA) break;
      const Tick recovery = command.kind == K::kReadA ? t.tRTP : t.CWL + t.BL + t.tWR;
      bank.precharged = std::max(edge + recovery * clock_, bank.activated + t.tRAS * clock_);
      bank.open = false;
      break;
    }
    case K::kRefreshAll:
      for (size_t i = first; i < first + banks; ++i) require(idle(banks_[i]), "refresh of an open bank", command);
      ++pseudo_channels_[command.where.pseudo_channel].refreshes;
      break;
    case K::kRefreshBank:
      require(idle(bank), "refresh of an open bank", command);
      ++pseudo_channels_[command.where.pseudo_channel].refreshes;
      break;
  }
}

void RuleChecker::finish(Tick end, bool all_bank) {
  constexpr uint64_t kPostponed = 8;  // JESD250 and JESD238 allow as many
  const uint64_t commands_a_refresh = all_bank ? 1 : part_.organisation.banks_of_pseudo_channel();
  const uint64_t due = static_cast<uint64_t>(end / (clock_ * part_.timings.tREFI)) * commands_a_refresh;
  for (const auto& channel : pseudo_channels_) {
    require(channel.refreshes + kPostponed * commands_a_refresh >= due, "tREFI", {end, K::kRefreshAll, {}});
  }
}

void RuleChecker::require(bool met, const char* rule, const Command& command) {
  if (met) return;
  ++violations_[rule];
  if (!first_.empty()) return;
  const auto& at = command.where;
  first_ = fmt::format("{}: {} at tick {}, pseudo-channel {} stack {} group {} bank {} row {}", rule,
                       kNames[static_cast<size_t>(command.kind)], command.time, at.pseudo_channel, at.stack_id,
                       at.bank_group, at.bank, at.row);
}

}  // namespace npuvp::dram::support

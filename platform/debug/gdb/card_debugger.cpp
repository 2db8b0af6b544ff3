// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/card_debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "platform/config/config_error.h"

namespace npuvp::debug::gdb {
namespace {

constexpr size_t kMostQuoted = 40;
constexpr std::string_view kBlanks = " \t\r\n";

/// Takes the first word off `line`, blanks around it too.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
  return word;
}

/// As a probe on a real board: a card whose fuses close debug access lets nobody in.
assembly::Card& open_card(assembly::Card& card) {
  if (card.debug_allowed()) return card;
  throw config::ConfigError(
      fmt::format("{}: its fuses close debug access (models/otp/README.md); debug a card in the life cycle test, "
                  "development or RMA whose debug-disable fuse is not blown",
                  card.name()));
}

}  // namespace

CardDebugger::CardDebugger(const base::Environment& environment, assembly::Card& card, const Options& options,
                           host::EventLoop loop)
    : card_(open_card(card)),
      registers_(environment, card.name()),
      target_(card.harts(), [this](std::string_view line) { return monitor(line); }),
      listener_(options.place, std::move(loop), target_) {
  if (options.break_at_reset) target_.halt_until_attached();
}

const std::vector<CardDebugger::Command>& CardDebugger::commands() {
  static const std::vector<Command> kCommands{
      {"help", "help", "This list.", &CardDebugger::help},
      {"reset", "reset", "Resets the card; its harts stop at their reset vectors.", &CardDebugger::reset},
      {"regs [BLOCK]", "regs", "Registers of a block, decoded; without BLOCK the blocks' names.", &CardDebugger::regs},
      {"halt", "halt", "Says that the harts are halted, as they are whenever a command is taken.", &CardDebugger::halt},
      {"time", "time", "Simulated time, and each hart's own.", &CardDebugger::time},
  };
  return kCommands;
}

std::string CardDebugger::monitor(std::string_view line) {
  const std::string_view name = take_word(line);
  for (const Command& each : commands()) {
    if (name == each.name) return (this->*each.action)(line);
  }
  return fmt::format("no command '{}'; 'monitor help' lists them\n", name.substr(0, kMostQuoted));
}

std::string CardDebugger::help(std::string_view /*argument*/) {
  std::string text;
  for (const Command& each : commands()) text += fmt::format("{:<14} {}\n", each.usage, each.description);
  return text;
}

std::string CardDebugger::reset(std::string_view /*argument*/) {
  target_.halt();
  card_.restart(system_controller::ResetCause::kHost);
  // The blocks are reset in the next delta cycle and the harts in one after that.
  for (int cycle = 0; cycle < 3; ++cycle) sc_core::wait(sc_core::SC_ZERO_TIME);
  return "the card is reset; GDB shows it after 'maintenance flush register-cache'\n";
}

std::string CardDebugger::regs(std::string_view argument) {
  return argument.empty() ? registers_.list() : registers_.show(argument);
}

std::string CardDebugger::halt(std::string_view /*argument*/) {
  target_.halt();
  return "halted\n";
}

std::string CardDebugger::time(std::string_view /*argument*/) {
  std::string text = fmt::format("platform {} ps\n", sc_core::sc_time_stamp().value());
  for (unsigned hart = 0; hart < card_.harts().hart_count(); ++hart) {
    text += fmt::format("hart {}   {} ps, {} instructions\n", hart, card_.harts().instruction_time(hart).value(),
                        card_.harts().hart(hart).instructions_retired());
  }
  return text;
}

}  // namespace npuvp::debug::gdb

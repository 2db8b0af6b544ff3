// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/dram/command.h"
#include "models/dram/part.h"

namespace npuvp::dram::support {

/// Checks a channel's commands against the rules of JESD250 (GDDR6) and JESD238 (HBM3): bank states, distances, the
/// activate window, command and data buses, refresh rate. Written from the list of rules; shares with the controller
/// only the description of parts and commands. Distances count between the last edges of commands.
class RuleChecker final : public CommandSink {
 public:
  explicit RuleChecker(const Part& part);

  void on_command(const Command& command) override;
  /// Checks what needs the whole trace: no pseudo-channel may be more than 8 refreshes behind at `end`.
  void finish(Tick end, bool all_bank);

  [[nodiscard]] uint64_t commands() const { return commands_; }
  /// Violations by rule, named after the parameter or the state.
  [[nodiscard]] const std::map<std::string, uint64_t>& violations() const { return violations_; }
  [[nodiscard]] const std::string& first() const { return first_; }

 private:
  enum Scope : uint8_t { kBank, kGroup, kStack, kPseudoChannel, kScopes };
  static constexpr size_t kKinds = 9;
  using Times = std::array<Tick, kKinds>;

  /// `second` follows one of `firsts` in the same `scope` not earlier than `clocks` later.
  struct Rule {
    const char* name;
    uint32_t firsts;  // sets of kinds
    uint32_t seconds;
    Scope scope;
    Tick clocks;
  };
  struct Bank {
    bool open = false;
    uint32_t row = 0;
    Tick activated = -kNever;
    Tick precharged = -kNever;  // start of the last precharge, an automatic one's included
  };
  struct PseudoChannel {
    std::vector<Tick> window;  // activates and per-bank refreshes, the last four
    Tick data_end = -kNever;
    uint64_t refreshes = 0;
  };

  void check_bus(const Command& command);
  void check_state(const Command& command, Tick edge);
  void check_distances(const Command& command, Tick edge);
  void check_other_stacks(const Command& command, Tick edge);
  void check_window(const Command& command, Tick edge);
  void check_data(const Command& command);
  void require(bool met, const char* rule, const Command& command);
  [[nodiscard]] std::array<size_t, kScopes> places(const Location& where) const;

  const Part part_;
  const Tick clock_;
  std::vector<Rule> rules_;
  std::array<std::vector<Times>, kScopes> last_;  // edge of the last command, by scope, place and kind
  std::vector<Bank> banks_;
  std::vector<PseudoChannel> pseudo_channels_;
  Tick row_bus_free_ = 0;
  Tick column_bus_free_ = 0;
  uint64_t commands_ = 0;
  std::map<std::string, uint64_t> violations_;
  std::string first_;
};

}  // namespace npuvp::dram::support

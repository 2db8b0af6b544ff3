// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "models/dram/part.h"

namespace npuvp::dram {

/// The earliest time of every command that a channel's timing rules allow, kept up to date command by command.
///
/// Each rule is applied when its first command is issued: it raises the earliest time of the second one in the banks
/// and bank groups that it concerns, so that a question costs two comparisons. Banks are numbered bank + banks x
/// (group), groups bank_group + bank_groups x (stack_id + stack_ids x pseudo_channel).
///
/// JEDEC counts between the last edges of commands. With two buses an activate takes 3 half clocks, a column command 2,
/// other row commands 1; times here are of the first edge, so rules between commands of different length are shifted.
class TimingState {
 public:
  explicit TimingState(const Part& part);

  [[nodiscard]] Tick read(size_t bank) const { return std::max(banks_[bank].read, groups_[group_of(bank)].read); }
  [[nodiscard]] Tick write(size_t bank) const { return std::max(banks_[bank].write, groups_[group_of(bank)].write); }
  [[nodiscard]] Tick activate(size_t bank) const {
    return std::max(banks_[bank].activate, groups_[group_of(bank)].activate);
  }
  [[nodiscard]] Tick precharge(size_t bank) const {
    return std::max(banks_[bank].precharge, pseudo_channels_[pseudo_channel_of(bank)].precharge);
  }
  /// A per-bank refresh obeys the rules of an activate, without the activate's longer time on the bus.
  [[nodiscard]] Tick refresh_bank(size_t bank) const { return activate(bank) + rules_.activate_extra; }
  [[nodiscard]] Tick precharge_all(size_t pseudo_channel) const {
    return pseudo_channels_[pseudo_channel].precharge_all;
  }
  [[nodiscard]] Tick refresh_all(size_t pseudo_channel) const { return pseudo_channels_[pseudo_channel].refresh_all; }

  /// `auto_precharge`: the bank is closed as early as tRTP or tWR and tRAS allow.
  void on_read(size_t bank, Tick at, bool auto_precharge);
  void on_write(size_t bank, Tick at, bool auto_precharge);
  void on_activate(size_t bank, Tick at);
  void on_precharge(size_t bank, Tick at);
  void on_precharge_all(size_t pseudo_channel, Tick at);
  void on_refresh_all(size_t pseudo_channel, Tick at);
  void on_refresh_bank(size_t bank, Tick at);

  [[nodiscard]] size_t group_of(size_t bank) const { return bank >> bank_bits_; }
  [[nodiscard]] size_t pseudo_channel_of(size_t bank) const { return bank / rules_.banks_of_pseudo_channel; }
  /// From a read command to its last data.
  [[nodiscard]] Tick read_latency() const { return rules_.read_latency; }

 private:
  struct Bank {
    Tick activate = 0, read = 0, write = 0, precharge = 0;
  };
  struct Group {
    Tick activate = 0, read = 0, write = 0;
  };
  struct PseudoChannel {
    Tick precharge = 0, precharge_all = 0, refresh_all = 0;
    std::array<Tick, 4> activates{-kNever, -kNever, -kNever, -kNever};  // the last four, a ring
    uint32_t oldest = 0;
  };
  /// Distances in ticks between the first edges of two commands.
  struct Rules {
    explicit Rules(const Part& part);
    Tick same_group, same_stack, other_stack;     // read to read, write to write
    Tick read_write, write_read_l, write_read_s;  // command to command
    Tick activate_read, activate_write, activate_precharge, activate_activate;
    Tick rrd_s, rrd_l, faw;
    Tick read_precharge, write_precharge, precharge_activate, precharge_precharge;
    Tick precharge_refresh, activate_refresh, refresh_all_activate, refresh_all_refresh;
    Tick refresh_bank_activate, refresh_bank_other, refresh_bank_refresh_all;
    Tick activate_extra;  // ticks that an activate takes more than other row commands
    Tick read_latency;
    size_t banks_of_pseudo_channel, groups_of_pseudo_channel, groups_of_stack;
  };

  void count_activate(size_t bank, Tick at, Tick same_group, Tick other_group);
  void close(size_t bank, Tick precharge_at);

  Rules rules_;
  uint32_t bank_bits_;
  std::vector<Bank> banks_;
  std::vector<Group> groups_;
  std::vector<PseudoChannel> pseudo_channels_;
};

}  // namespace npuvp::dram

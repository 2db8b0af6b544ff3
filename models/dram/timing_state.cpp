// SPDX-License-Identifier: Apache-2.0
#include "models/dram/timing_state.h"

#include <algorithm>
#include <bit>

namespace npuvp::dram {
namespace {

void raise(Tick& earliest, Tick to) {
  earliest = std::max(earliest, to);
}

}  // namespace

TimingState::Rules::Rules(const Part& part) {
  const auto& t = part.timings;
  const Tick clock = part.ticks_per_clock();
  // Ticks by which a command's last edge lies behind its first.
  const Tick act = part.dual_command_bus ? 2 : 0;
  const Tick col = part.dual_command_bus ? 1 : 0;
  const auto ticks = [&](uint32_t clocks) { return static_cast<Tick>(clocks) * clock; };

  same_group = ticks(t.tCCD_L);
  same_stack = ticks(t.tCCD_S);
  other_stack = ticks(t.tCCD_R);
  read_write = ticks(t.tRTW);
  write_read_l = ticks(t.CWL + t.BL + t.tWTR_L);
  write_read_s = ticks(t.CWL + t.BL + t.tWTR_S);
  activate_read = ticks(t.tRCDRD) + act - col;
  activate_write = ticks(t.tRCDWR) + act - col;
  activate_precharge = ticks(t.tRAS) + act;
  activate_activate = ticks(t.tRC);
  rrd_s = ticks(t.tRRD_S);
  rrd_l = ticks(t.tRRD_L);
  faw = ticks(t.tFAW);
  read_precharge = ticks(t.tRTP) + col;
  write_precharge = ticks(t.CWL + t.BL + t.tWR) + col;
  precharge_activate = ticks(t.tRP) - act;
  precharge_precharge = ticks(t.tPPD);
  precharge_refresh = ticks(t.tRP);
  activate_refresh = ticks(t.tRC) + act;
  refresh_all_activate = ticks(t.tRFCab) - act;
  refresh_all_refresh = ticks(t.tRFCab);
  refresh_bank_activate = ticks(t.tRFCpb) - act;
  refresh_bank_other = ticks(t.tRREFD);
  refresh_bank_refresh_all = ticks(t.tRFCpb);
  activate_extra = act;
  read_latency = ticks(t.CL + t.BL);
  banks_of_pseudo_channel = part.organisation.banks_of_pseudo_channel();
  groups_of_pseudo_channel = part.organisation.groups_of_pseudo_channel();
  groups_of_stack = part.organisation.bank_groups;
}

TimingState::TimingState(const Part& part)
    : rules_(part),
      bank_bits_(static_cast<uint32_t>(std::countr_zero(part.organisation.banks))),
      banks_(part.organisation.banks_of_channel()),
      groups_(part.organisation.pseudo_channels * part.organisation.groups_of_pseudo_channel()),
      pseudo_channels_(part.organisation.pseudo_channels) {}

void TimingState::on_read(size_t bank, Tick at, bool auto_precharge) {
  const size_t own = group_of(bank);
  const size_t first = pseudo_channel_of(bank) * rules_.groups_of_pseudo_channel;
  const size_t stack = own - (own - first) % rules_.groups_of_stack;
  for (size_t group = first; group < first + rules_.groups_of_pseudo_channel; ++group) {
    const bool same_stack = group - stack < rules_.groups_of_stack;
    raise(groups_[group].read, at + (same_stack ? rules_.same_stack : rules_.other_stack));
    raise(groups_[group].write, at + rules_.read_write);
  }
  raise(groups_[own].read, at + rules_.same_group);
  raise(banks_[bank].precharge, at + rules_.read_precharge);
  raise(pseudo_channels_[pseudo_channel_of(bank)].precharge_all, at + rules_.read_precharge);
  if (auto_precharge) close(bank, banks_[bank].precharge);
}

void TimingState::on_write(size_t bank, Tick at, bool auto_precharge) {
  const size_t own = group_of(bank);
  const size_t first = pseudo_channel_of(bank) * rules_.groups_of_pseudo_channel;
  for (size_t group = first; group < first + rules_.groups_of_pseudo_channel; ++group) {
    raise(groups_[group].write, at + rules_.same_stack);
    raise(groups_[group].read, at + rules_.write_read_s);
  }
  raise(groups_[own].write, at + rules_.same_group);
  raise(groups_[own].read, at + rules_.write_read_l);
  raise(banks_[bank].precharge, at + rules_.write_precharge);
  raise(pseudo_channels_[pseudo_channel_of(bank)].precharge_all, at + rules_.write_precharge);
  if (auto_precharge) close(bank, banks_[bank].precharge);
}

void TimingState::on_activate(size_t bank, Tick at) {
  count_activate(bank, at, rules_.rrd_l, rules_.rrd_s);
  raise(banks_[bank].activate, at + rules_.activate_activate);
  raise(banks_[bank].read, at + rules_.activate_read);
  raise(banks_[bank].write, at + rules_.activate_write);
  raise(banks_[bank].precharge, at + rules_.activate_precharge);
  auto& channel = pseudo_channels_[pseudo_channel_of(bank)];
  raise(channel.precharge_all, at + rules_.activate_precharge);
  raise(channel.refresh_all, at + rules_.activate_refresh);
}

void TimingState::on_precharge(size_t bank, Tick at) {
  auto& channel = pseudo_channels_[pseudo_channel_of(bank)];
  raise(channel.precharge, at + rules_.precharge_precharge);
  raise(channel.precharge_all, at + rules_.precharge_precharge);
  close(bank, at);
}

void TimingState::on_precharge_all(size_t pseudo_channel, Tick at) {
  auto& channel = pseudo_channels_[pseudo_channel];
  raise(channel.precharge, at + rules_.precharge_precharge);
  raise(channel.precharge_all, at + rules_.precharge_precharge);
  const size_t first = pseudo_channel * rules_.banks_of_pseudo_channel;
  for (size_t bank = first; bank < first + rules_.banks_of_pseudo_channel; ++bank) close(bank, at);
}

void TimingState::on_refresh_all(size_t pseudo_channel, Tick at) {
  const size_t first = pseudo_channel * rules_.banks_of_pseudo_channel;
  for (size_t bank = first; bank < first + rules_.banks_of_pseudo_channel; ++bank) {
    raise(banks_[bank].activate, at + rules_.refresh_all_activate);
  }
  auto& channel = pseudo_channels_[pseudo_channel];
  raise(channel.refresh_all, at + rules_.refresh_all_refresh);
  raise(channel.precharge, at + rules_.refresh_all_refresh);
  raise(channel.precharge_all, at + rules_.refresh_all_refresh);
}

void TimingState::on_refresh_bank(size_t bank, Tick at) {
  // In the activate window it stands for an activate whose last edge is this command's.
  count_activate(bank, at - rules_.activate_extra, rules_.refresh_bank_other, rules_.refresh_bank_other);
  raise(banks_[bank].activate, at + rules_.refresh_bank_activate);
  raise(pseudo_channels_[pseudo_channel_of(bank)].refresh_all, at + rules_.refresh_bank_refresh_all);
}

void TimingState::count_activate(size_t bank, Tick at, Tick same_group, Tick other_group) {
  auto& channel = pseudo_channels_[pseudo_channel_of(bank)];
  channel.activates[channel.oldest] = at;
  channel.oldest = (channel.oldest + 1) % 4;
  const Tick window = channel.activates[channel.oldest] + rules_.faw;
  const size_t first = pseudo_channel_of(bank) * rules_.groups_of_pseudo_channel;
  const Tick earliest = std::max(at + other_group, window);
  for (size_t group = first; group < first + rules_.groups_of_pseudo_channel; ++group) {
    raise(groups_[group].activate, earliest);
  }
  raise(groups_[group_of(bank)].activate, at + same_group);
}

void TimingState::close(size_t bank, Tick precharge_at) {
  raise(banks_[bank].activate, precharge_at + rules_.precharge_activate);
  raise(pseudo_channels_[pseudo_channel_of(bank)].refresh_all, precharge_at + rules_.precharge_refresh);
}

}  // namespace npuvp::dram

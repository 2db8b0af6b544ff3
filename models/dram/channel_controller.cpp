// SPDX-License-Identifier: Apache-2.0
#include "models/dram/channel_controller.h"

#include <stdexcept>

namespace npuvp::dram {
namespace {

constexpr uint32_t kMaxEntries = 8192;

}  // namespace

Counters& Counters::operator+=(const Counters& other) {
  reads += other.reads;
  writes += other.writes;
  forwarded += other.forwarded;
  coalesced += other.coalesced;
  hits += other.hits;
  misses += other.misses;
  conflicts += other.conflicts;
  activates += other.activates;
  precharges += other.precharges;
  turnarounds += other.turnarounds;
  refreshes += other.refreshes;
  refresh_stall += other.refresh_stall;
  return *this;
}

ChannelController::ChannelController(const Part& part, const Policy& policy)
    : organisation_(part.organisation),
      policy_(policy),
      clock_(part.ticks_per_clock()),
      rising_mask_(part.dual_command_bus ? 1 : 0),
      activate_ticks_(part.dual_command_bus ? 3 : 1),
      refresh_interval_(clock_ * part.timings.tREFI),
      refresh_ticks_(clock_ * (policy.refresh == RefreshPolicy::kPerBank ? part.timings.tRFCpb : part.timings.tRFCab)),
      starvation_(clock_ * policy.starvation_clocks),
      timing_(part),
      queue_(policy.read_entries + policy.write_entries + part.organisation.banks_of_channel(),
             part.organisation.banks_of_channel()),
      banks_(part.organisation.banks_of_channel()),
      pseudo_channels_(part.organisation.pseudo_channels) {
  if (auto wrong = check_part(part); !wrong.empty())
    throw std::invalid_argument("DRAM part " + part.name + ": " + wrong);
  if (policy.read_entries == 0 || policy.write_entries == 0 || policy.read_entries > kMaxEntries ||
      policy.write_entries > kMaxEntries || !(policy.write_low >= 0 && policy.write_low < policy.write_high) ||
      !(policy.write_high < 1)) {
    throw std::invalid_argument("DRAM controller: queues need 1 to 8192 entries and watermarks 0 <= low < high < 1");
  }
  if (policy.refresh == RefreshPolicy::kPerBank) refresh_interval_ /= organisation_.banks_of_pseudo_channel();
  next_refresh_ = policy.refresh == RefreshPolicy::kNone ? kNever : refresh_interval_;
}

bool ChannelController::accept(const Request& request, Tick now) {
  const Direction direction = request.write ? kWrites : kReads;
  const size_t bank = bank_of(request.where);
  if (answered_by_write_queue(request, bank)) {
    ++(request.write ? counters_.coalesced : counters_.forwarded);
    completions_.push_back({now + 1, request.tag, request.write});
    return true;
  }
  if (waiting_[direction] == (request.write ? policy_.write_entries : policy_.read_entries)) return false;
  const int16_t index = queue_.push({.order = order_++,
                                     .accepted = now,
                                     .tag = request.tag,
                                     .row = request.where.row,
                                     .column = request.where.column,
                                     .bank = static_cast<uint16_t>(bank),
                                     .next = kNone,
                                     .write = request.write,
                                     .counted = false});
  ++waiting_[direction];
  update_bank(bank);
  if (column_planned_ && row_planned_) update_mode();
  if (direction != mode_ || only_refresh()) return true;
  // Only what this entry adds to its bank can be better than the plans.
  const bool is_hit = banks_[bank].hit[direction] == index;
  const bool is_oldest = queue_.oldest(bank, request.write) == index;
  if (column_planned_ && is_hit && wants_[direction].column.contains(bank)) offer_hit(bank, index);
  if (row_planned_ && is_oldest) offer_rows_of(bank);
  return true;
}

Tick ChannelController::next_event() {
  plan();
  return std::min({column_plan_.time, row_plan_.time, next_refresh_});
}

void ChannelController::run_until(Tick time) {
  if (next_refresh_ < time && waiting() == 0) skip_idle_refreshes(time);
  while (true) {
    const Tick next = next_event();
    if (next > time) break;
    now_ = next - 1;
    if (next == next_refresh_) {
      refresh_becomes_due();
      forget_plans();
      continue;
    }
    const bool column = column_first();
    const Plan plan = column ? column_plan_ : row_plan_;
    issue(plan);
    keep_valid_plans(plan);
    // Nothing more can happen in this tick, and what is accepted in it takes part in the next decision.
    if (next == time && !(column && rising_mask_ != 0)) break;
  }
  now_ = time;
}

void ChannelController::issue(const Plan& plan) {
  switch (plan.step) {
    case Step::kColumn:
      return issue_column(plan);
    case Step::kActivate:
      return issue_activate(plan);
    case Step::kPrecharge:
      return issue_precharge(plan);
    case Step::kPrechargeAll:
      return issue_precharge_all(plan);
    case Step::kRefreshAll:
    case Step::kRefreshBank:
      return issue_refresh(plan);
    case Step::kNothing:
      return;
  }
}

void ChannelController::issue_column(const Plan& plan) {
  const size_t number = plan.target;
  Bank& bank = banks_[number];
  Entry& entry = queue_.at(plan.entry);
  auto& channel = pseudo_channels_[timing_.pseudo_channel_of(number)];
  const Direction direction = entry.write ? kWrites : kReads;
  count_first(entry, counters_.hits);
  if (bank.active == plan.entry) {
    bank.active = kNone;
    active_banks_.put(number, false);
    --channel.active;
    --active_;
  } else {
    queue_.unlink(plan.entry);
    --waiting_[direction];
    bank.hit[direction] = kNone;
  }
  update_bank(number);
  const bool auto_precharge = policy_.page == PagePolicy::kClosed && bank.active == kNone &&
                              bank.hit[kReads] == kNone && bank.hit[kWrites] == kNone;
  if (channel.last_direction == 1 - direction) ++counters_.turnarounds;
  channel.last_direction = static_cast<int8_t>(direction);
  if (entry.write) {
    ++counters_.writes;
    timing_.on_write(number, plan.time, auto_precharge);
    trace(plan.time, auto_precharge ? CommandKind::kWriteA : CommandKind::kWrite, number, entry.row, entry.column);
    completions_.push_back({plan.time, entry.tag, true});
  } else {
    ++counters_.reads;
    timing_.on_read(number, plan.time, auto_precharge);
    trace(plan.time, auto_precharge ? CommandKind::kReadA : CommandKind::kRead, number, entry.row, entry.column);
    completions_.push_back({plan.time + timing_.read_latency(), entry.tag, false});
  }
  queue_.release(plan.entry);
  column_bus_free_ = plan.time + clock_;
  if (rising_mask_ == 0) row_bus_free_ = column_bus_free_;
  if (auto_precharge) close(number);
}

void ChannelController::issue_activate(const Plan& plan) {
  const size_t number = plan.target;
  Bank& bank = banks_[number];
  Entry& entry = queue_.at(plan.entry);
  auto& channel = pseudo_channels_[timing_.pseudo_channel_of(number)];
  count_first(entry, counters_.misses);
  ++counters_.activates;
  timing_.on_activate(number, plan.time);
  trace(plan.time, CommandKind::kActivate, number, entry.row);
  occupy_row_bus(plan.time, activate_ticks_);
  queue_.unlink(plan.entry);
  --waiting_[entry.write ? kWrites : kReads];
  bank.open = true;
  bank.row = entry.row;
  bank.active = plan.entry;
  active_banks_.put(number, true);
  ++channel.open_banks;
  ++channel.active;
  ++active_;
  update_bank(number);
}

void ChannelController::issue_precharge(const Plan& plan) {
  if (plan.entry != kNone) count_first(queue_.at(plan.entry), counters_.conflicts);
  ++counters_.precharges;
  timing_.on_precharge(plan.target, plan.time);
  trace(plan.time, CommandKind::kPrecharge, plan.target);
  occupy_row_bus(plan.time, 1);
  close(plan.target);
}

void ChannelController::issue_precharge_all(const Plan& plan) {
  ++counters_.precharges;
  timing_.on_precharge_all(plan.target, plan.time);
  const size_t first = plan.target * organisation_.banks_of_pseudo_channel();
  trace(plan.time, CommandKind::kPrechargeAll, first);
  occupy_row_bus(plan.time, 1);
  for (size_t bank = first; bank < first + organisation_.banks_of_pseudo_channel(); ++bank) {
    if (banks_[bank].open) close(bank);
  }
}

void ChannelController::issue_refresh(const Plan& plan) {
  const bool all = plan.step == Step::kRefreshAll;
  if (all) {
    timing_.on_refresh_all(plan.target, plan.time);
  } else {
    timing_.on_refresh_bank(plan.target, plan.time);
  }
  trace(plan.time, all ? CommandKind::kRefreshAll : CommandKind::kRefreshBank,
        all ? plan.target * organisation_.banks_of_pseudo_channel() : plan.target);
  occupy_row_bus(plan.time, 1);
  ++counters_.refreshes;
  const auto rounds =
      static_cast<Tick>((refresh_pending_ + organisation_.pseudo_channels - 1) / organisation_.pseudo_channels);
  const Tick due = next_refresh_ - rounds * refresh_interval_;
  if (waiting() > 0) counters_.refresh_stall += plan.time + refresh_ticks_ - due;
  --refresh_pending_;
  ++refresh_turn_;
  set_refresh_target();
}

void ChannelController::occupy_row_bus(Tick from, Tick ticks) {
  row_bus_free_ = from + ticks;
  if (rising_mask_ == 0) column_bus_free_ = row_bus_free_;
}

void ChannelController::close(size_t bank) {
  banks_[bank].open = false;
  --pseudo_channels_[timing_.pseudo_channel_of(bank)].open_banks;
  update_bank(bank);
}

void ChannelController::refresh_becomes_due() {
  next_refresh_ += refresh_interval_;
  refresh_pending_ += organisation_.pseudo_channels;
  set_refresh_target();
}

void ChannelController::set_refresh_target() {
  if (policy_.refresh != RefreshPolicy::kPerBank) return;
  const size_t old = refresh_target_;
  const size_t banks = organisation_.banks_of_pseudo_channel();
  refresh_target_ = refresh_pending_ == 0
                        ? SIZE_MAX
                        : refresh_pseudo_channel() * banks + refresh_turn_ / organisation_.pseudo_channels % banks;
  if (old != SIZE_MAX) update_bank(old);
  if (refresh_target_ != SIZE_MAX) update_bank(refresh_target_);
}

void ChannelController::skip_idle_refreshes(Tick until) {
  // Refreshes of an idle channel change nothing but the last few ones' earliest times; a sink wants to see them all.
  constexpr Tick kKept = 4;
  bool closed = sink_ == nullptr && refresh_pending_ == 0;
  for (const auto& channel : pseudo_channels_) closed = closed && channel.open_banks == 0;
  const Tick rounds = (until - next_refresh_) / refresh_interval_ - kKept;
  if (!closed || rounds <= 0) return;
  next_refresh_ += rounds * refresh_interval_;
  const uint64_t commands = static_cast<uint64_t>(rounds) * organisation_.pseudo_channels;
  refresh_turn_ += commands;
  counters_.refreshes += commands;
}

void ChannelController::count_first(Entry& entry, uint64_t& counter) const {
  if (!entry.counted) ++counter;
  entry.counted = true;
}

bool ChannelController::answered_by_write_queue(const Request& request, size_t bank) const {
  return queue_.contains(bank, true, request.where.row, request.where.column);
}

size_t ChannelController::bank_of(const Location& where) const {
  const size_t stack = where.pseudo_channel * organisation_.stack_ids + where.stack_id;
  return (stack * organisation_.bank_groups + where.bank_group) * organisation_.banks + where.bank;
}

void ChannelController::trace(Tick time, CommandKind kind, size_t bank, uint32_t row, uint32_t column) const {
  if (sink_ == nullptr) return;
  const size_t group = bank / organisation_.banks;
  const size_t stack = group / organisation_.bank_groups;
  sink_->on_command({.time = time,
                     .kind = kind,
                     .where = {.row = row,
                               .column = column,
                               .bank = static_cast<uint16_t>(bank % organisation_.banks),
                               .bank_group = static_cast<uint16_t>(group % organisation_.bank_groups),
                               .stack_id = static_cast<uint16_t>(stack % organisation_.stack_ids),
                               .pseudo_channel = static_cast<uint16_t>(stack / organisation_.stack_ids)}});
}

}  // namespace npuvp::dram

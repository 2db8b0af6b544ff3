// SPDX-License-Identifier: Apache-2.0
// Which command of a channel is the next one, and when.
#include "models/dram/channel_controller.h"

namespace npuvp::dram {
namespace {

// Classes of commands in a plan's rank: what has its row opened, then refresh, then everything else.
constexpr uint64_t kClassActive = 0;
constexpr uint64_t kClassRefresh = uint64_t{1} << 62;
constexpr uint64_t kClassOther = uint64_t{2} << 62;

}  // namespace

bool ChannelController::column_first() const {
  if (column_plan_.time != row_plan_.time) return column_plan_.time < row_plan_.time;
  return rising_mask_ != 0 || column_plan_.rank < row_plan_.rank;
}

void ChannelController::plan() {
  if (column_planned_ && row_planned_) return;
  update_mode();
  if (!column_planned_) plan_columns();
  if (!row_planned_) plan_rows();
}

void ChannelController::plan_columns() {
  column_planned_ = true;
  column_plan_ = {};
  active_banks_.for_each([&](size_t bank) { offer_column(bank, banks_[bank].active, kClassActive); });
  if (only_refresh()) return;
  wants_[mode_].column.for_each([&](size_t bank) { offer_column(bank, banks_[bank].hit[mode_], kClassOther); });
}

void ChannelController::plan_rows() {
  row_planned_ = true;
  row_plan_ = {};
  if (refresh_pending_ > 0) plan_refresh();
  if (only_refresh()) return;
  wants_[mode_].activate.for_each([&](size_t bank) { offer_activate(bank); });
  wants_[mode_].precharge.for_each([&](size_t bank) { offer_precharge(bank); });
}

void ChannelController::offer_column(size_t bank, int16_t index, uint64_t rank_class) {
  const Entry& entry = queue_.at(index);
  const Tick ready = entry.write ? timing_.write(bank) : timing_.read(bank);
  const Tick time = std::max(rising(ready), column_floor());
  if (time > column_plan_.time) return;
  if (starvation_ > 0 && rank_class == kClassOther) {
    // Reads that follow at tCCD_L keep a precharge from ever being possible where tRTP is longer.
    const int16_t oldest = queue_.oldest(bank, entry.write);
    if (oldest != index && time >= queue_.at(oldest).accepted + starvation_) return;
  }
  column_plan_.improve(time, rank_class | entry.order, Step::kColumn, bank, index);
}

void ChannelController::offer_hit(size_t bank, int16_t index) {
  offer_column(bank, index, kClassOther);
}

void ChannelController::offer_activate(size_t bank) {
  const Tick time = rising(std::max(timing_.activate(bank), row_floor()));
  if (time > row_plan_.time) return;
  const int16_t index = queue_.oldest(bank, mode_ == kWrites);
  row_plan_.improve(time, kClassOther | queue_.at(index).order, Step::kActivate, bank, index);
}

void ChannelController::offer_precharge(size_t bank) {
  const Tick time = std::max(timing_.precharge(bank), row_floor());
  if (time > row_plan_.time) return;
  const int16_t index = queue_.oldest(bank, mode_ == kWrites);
  row_plan_.improve(time, kClassOther | queue_.at(index).order, Step::kPrecharge, bank, index);
}

void ChannelController::offer_rows_of(size_t bank) {
  if (wants_[mode_].activate.contains(bank)) offer_activate(bank);
  if (wants_[mode_].precharge.contains(bank)) offer_precharge(bank);
}

void ChannelController::plan_refresh() {
  const size_t channel = refresh_pseudo_channel();
  if (policy_.refresh == RefreshPolicy::kPerBank) {
    const Bank& bank = banks_[refresh_target_];
    if (bank.active != kNone) return;
    if (bank.open) {
      const Tick time = std::max(timing_.precharge(refresh_target_), row_floor());
      row_plan_.improve(time, kClassRefresh, Step::kPrecharge, refresh_target_, kNone);
    } else {
      const Tick time = rising(std::max(timing_.refresh_bank(refresh_target_), row_floor()));
      row_plan_.improve(time, kClassRefresh, Step::kRefreshBank, refresh_target_, kNone);
    }
  } else if (pseudo_channels_[channel].open_banks > 0) {
    if (pseudo_channels_[channel].active > 0) return;
    const Tick time = std::max(timing_.precharge_all(channel), row_floor());
    row_plan_.improve(time, kClassRefresh, Step::kPrechargeAll, channel, kNone);
  } else {
    const Tick time = rising(std::max(timing_.refresh_all(channel), row_floor()));
    row_plan_.improve(time, kClassRefresh, Step::kRefreshAll, channel, kNone);
  }
}

void ChannelController::keep_valid_plans(const Plan& issued) {
  const size_t bank = issued.target;
  switch (issued.step) {
    case Step::kColumn:
      column_planned_ = false;
      if (row_plan_.target == bank || refresh_pending_ > 0) row_planned_ = false;
      if (row_planned_) offer_rows_of(bank);
      break;
    case Step::kActivate:
      row_planned_ = false;
      offer_column(bank, issued.entry, kClassActive);
      if (wants_[mode_].column.contains(bank)) offer_column(bank, banks_[bank].hit[mode_], kClassOther);
      break;
    case Step::kPrecharge:
      row_planned_ = false;
      if (column_plan_.target == bank) column_planned_ = false;
      break;
    default:
      forget_plans();
  }
  // On the only bus the other command has lost its turn to this one.
  if (row_plan_.time < row_floor()) row_planned_ = false;
  if (column_plan_.time < column_floor()) column_planned_ = false;
}

void ChannelController::update_bank(size_t number) {
  Bank& bank = banks_[number];
  const bool blocked = number == refresh_target_;
  for (const Direction direction : {kReads, kWrites}) {
    const int16_t oldest = queue_.oldest(number, direction == kWrites);
    const int16_t hit = bank.open ? queue_.find_row(oldest, bank.row) : kNone;
    const bool other_row = bank.open && oldest != hit && bank.active == kNone;
    bank.hit[direction] = hit;
    wants_[direction].column.put(number, hit != kNone && !blocked);
    wants_[direction].activate.put(number, oldest != kNone && !bank.open && !blocked);
    wants_[direction].precharge.put(number, other_row && !blocked);
  }
}

void ChannelController::update_mode() {
  const Direction before = mode_;
  if (mode_ == kReads) {
    if (waiting_[kWrites] > policy_.write_high * policy_.write_entries || waiting_[kReads] == 0) mode_ = kWrites;
  } else if (waiting_[kWrites] < policy_.write_low * policy_.write_entries && waiting_[kReads] != 0) {
    mode_ = kReads;
  }
  if (mode_ != before) forget_plans();
}

}  // namespace npuvp::dram

// SPDX-License-Identifier: Apache-2.0
#include "models/base/power_meter.h"

#include <algorithm>

namespace npuvp::base {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

uint64_t bin_of(sc_time at) {
  return at.value() / PowerMeter::bin().value();
}

/// Share of its bin that has passed at `at`.
double share_of_bin(sc_time at) {
  const uint64_t ticks = PowerMeter::bin().value();
  return static_cast<double>(at.value() % ticks) / static_cast<double>(ticks);
}

void add(RailValues& sum, const RailValues& values, double factor = 1) {
  for (size_t rail = 0; rail < kRails; ++rail) sum[rail] += values[rail] * factor;
}

}  // namespace

void PowerMeter::advance() {
  const uint64_t now = bin_of(sc_time_stamp());
  if (present_ < now) collect();
  while (present_ < now) {
    if (const auto first = changes_.begin(); first != changes_.end() && first->first == present_) {
      add(level_, first->second);
      changes_.erase(first);
    }
    const uint64_t end = changes_.empty() ? now : std::min(now, changes_.begin()->first);
    add(joules_, level_, static_cast<double>(end - present_));
    if (observer_ != nullptr) {
      RailValues watts{};
      add(watts, level_, 1 / bin().to_seconds());
      observer_->elapsed(start_of(present_), start_of(end), watts);
    }
    present_ = end;
  }
}

void PowerMeter::change(size_t rail, uint64_t bin, double joules) {
  changes_[bin][rail] += joules;
}

void PowerMeter::set_baseline(Rail rail, double watts) {
  advance();
  const auto index = static_cast<size_t>(rail);
  const double change_of_bin = (watts - baseline_[index]) * bin().to_seconds();
  baseline_[index] = watts;
  // The rest of the present bin has the new power, all later ones too.
  const double left = 1 - share_of_bin(sc_time_stamp());
  change(index, present_, change_of_bin * left);
  change(index, present_ + 1, change_of_bin * (1 - left));
  if (observer_ != nullptr) observer_->forecast_changed();
}

void PowerMeter::spend(Rail rail, double joules, sc_time begin, sc_time end) {
  advance();
  const auto index = static_cast<size_t>(rail);
  begin = std::max(begin, start_of(present_));
  end = std::max(end, begin);
  const uint64_t first = bin_of(begin);
  const uint64_t last = end > begin ? bin_of(end - sc_time::from_value(1)) : first;
  if (first == last) {
    change(index, first, joules);
    change(index, first + 1, -joules);
  } else {
    const double in_bin = joules * (bin() / (end - begin));
    const double in_first = in_bin * (1 - share_of_bin(begin));
    const double in_last = joules - in_first - in_bin * static_cast<double>(last - first - 1);
    change(index, first, in_first);
    change(index, first + 1, in_bin - in_first);
    change(index, last, in_last - in_bin);
    change(index, last + 1, -in_last);
  }
  announce(last);
}

void PowerMeter::announce(uint64_t bin) {
  if (bin < known_end_) return;
  known_end_ = bin + 1;
  if (observer_ != nullptr) observer_->forecast_changed();
}

void PowerMeter::collect() {
  for (auto* counter : counters_) counter->deliver();
}

double PowerMeter::joules(Rail rail, sc_time at) {
  advance();
  const auto index = static_cast<size_t>(rail);
  double sum = joules_[index];
  forecast([&](sc_time begin, sc_time end, const RailValues& watts) {
    if (at > begin) sum += watts[index] * (std::min(at, end) - begin).to_seconds();
    return at > end;
  });
  return sum;
}

RailValues PowerMeter::watts() {
  RailValues present{};
  forecast([&](sc_time, sc_time, const RailValues& watts) {
    present = watts;
    return false;
  });
  return present;
}

void EnergyCounter::connect(PowerMeter& meter, Rail rail, double joules_per_unit) {
  sc_assert(meter_ == nullptr);
  meter_ = &meter;
  rail_ = static_cast<size_t>(rail);
  joules_per_unit_ = joules_per_unit;
  delivered_ += pending_;  // what came before counts nowhere
  pending_ = 0;
  bin_length_ = PowerMeter::bin().value();
  bin_begin_ = 0 - bin_length_;  // the first work enters its bin, whichever it is
  meter.counters_.push_back(this);
}

void EnergyCounter::enter_bin(sc_time at) {
  deliver();
  const uint64_t bin = bin_of(at);
  bin_begin_ = bin * bin_length_;
  meter_->announce(bin);
}

void EnergyCounter::deliver() {
  if (pending_ == 0) return;
  const double joules = static_cast<double>(pending_) * joules_per_unit_;
  delivered_ += pending_;
  pending_ = 0;
  const uint64_t bin = std::max(bin_begin_ / bin_length_, meter_->present_);
  meter_->change(rail_, bin, joules);
  meter_->change(rail_, bin + 1, -joules);
}

}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <systemc>
#include <vector>

namespace npuvp::base {

/// Supply rails of a card. The vendor's rails are not public; these are ours (u), by what is likely to share a
/// regulator.
enum class Rail : uint8_t {
  kNeural,  ///< Neural Engines with their scratchpads (clock domains dc1, dc2).
  kSystem,  ///< Command processor, interconnects, DMA engines, shared memory (cp, bus, shm).
  kDram,    ///< DRAM devices and their interface.
  kPcie,    ///< PCIe interface.
};
inline constexpr size_t kRails = 4;

/// One value for each rail, by static_cast<size_t>(Rail).
using RailValues = std::array<double, kRails>;

class EnergyCounter;

/// The energy that one card takes from each rail.
///
/// Blocks report the energy of an operation together with the interval that it takes, when they know it: usually at its
/// begin (PowerTap). What is too small and too frequent for that, they count (EnergyCounter). Beside it runs a baseline
/// power (idle and clocks). Within bins of 100 us energy counts as spread evenly, which is far below the time constants
/// of packages and the periods of power telemetry. Nothing is scheduled: the meter is evaluated when somebody asks or
/// reports, so idle costs nothing.
class PowerMeter {
 public:
  /// Told of what the meter knows; sensors that integrate power and forecast from it.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// [begin, end) is over, with this power in W on each rail all along. Intervals come in order and without gaps.
    virtual void elapsed(sc_core::sc_time begin, sc_core::sc_time end, const RailValues& watts) = 0;
    /// The forecast has changed: energy beyond the last bin told of so far, or another baseline. At most once a bin
    /// while blocks work, never while they do not.
    virtual void forecast_changed() = 0;
  };

  /// At most one; it must outlive the meter's use.
  void observe(Observer* observer) { observer_ = observer; }

  /// Power of `rail` in W beside all operations, from now on.
  void set_baseline(Rail rail, double watts);

  /// An operation that takes `joules` evenly over the absolute times [begin, end). What lies in bins that are over
  /// counts in the present one; an empty interval is a moment.
  void spend(Rail rail, double joules, sc_core::sc_time begin, sc_core::sc_time end);

  /// Energy in J from time 0 to `at`, which is not before the present bin. The average power between two times is the
  /// difference of two readings over the difference of the times.
  [[nodiscard]] double joules(Rail rail, sc_core::sc_time at);
  [[nodiscard]] double joules(Rail rail) { return joules(rail, sc_core::sc_time_stamp()); }

  /// Power in W on each rail in the bin of the present, as far as it has been reported.
  [[nodiscard]] RailValues watts();

  /// Calls `piece(begin, end, watts)` for the present bin and all that follow as far as they are known, in order; the
  /// last piece is the baseline and ends at sc_max_time(). `piece` returns false to stop.
  template <typename Piece>
  void forecast(Piece&& piece);

  [[nodiscard]] static sc_core::sc_time bin() { return {100, sc_core::SC_US}; }

 private:
  friend class EnergyCounter;

  [[nodiscard]] static sc_core::sc_time start_of(uint64_t bin_number) {
    return sc_core::sc_time::from_value(bin().value() * bin_number);
  }
  /// Makes everything before the bin of the present history.
  void advance();
  void change(size_t rail, uint64_t bin, double joules);
  /// Takes what has been counted and not delivered yet.
  void collect();
  /// There is energy in `bin`.
  void announce(uint64_t bin);

  Observer* observer_ = nullptr;
  uint64_t present_ = 0;                    // number of the bin of the present at the last advance()
  RailValues joules_{};                     // of all bins before it
  RailValues level_{};                      // energy of the bin before it, J
  std::map<uint64_t, RailValues> changes_;  // bin, from `present_` on -> its energy less that of the bin before, J
  uint64_t known_end_ = 0;                  // bins before it are in the forecast told of
  RailValues baseline_{};                   // W
  std::vector<EnergyCounter*> counters_;
};

/// A block's connection to a rail. Unconnected it swallows what it is told, so that blocks work without a meter.
class PowerTap {
 public:
  void connect(PowerMeter& meter, Rail rail) {
    meter_ = &meter;
    rail_ = rail;
  }
  /// As PowerMeter::spend.
  void spend(double joules, sc_core::sc_time begin, sc_core::sc_time end) const {
    if (meter_ != nullptr) meter_->spend(rail_, joules, begin, end);
  }

 private:
  PowerMeter* meter_ = nullptr;
  Rail rail_ = Rail::kSystem;
};

/// A block's connection to a rail for work that comes in large numbers of equal units: bytes, instructions. Counting
/// costs an addition; the meter is told once a bin, and whenever somebody asks it. Unconnected it only counts.
class EnergyCounter {
 public:
  EnergyCounter() = default;
  EnergyCounter(const EnergyCounter&) = delete;
  EnergyCounter& operator=(const EnergyCounter&) = delete;

  /// From now on each unit takes `joules_per_unit`. Once; the counter must outlive the meter's use.
  void connect(PowerMeter& meter, Rail rail, double joules_per_unit);

  /// `units` of work in the bin of the absolute time `at`.
  void count(uint64_t units, sc_core::sc_time at) {
    if (at.value() - bin_begin_ >= bin_length_) enter_bin(at);
    pending_ += units;
  }

  /// Since construction.
  [[nodiscard]] uint64_t units() const { return delivered_ + pending_; }
  [[nodiscard]] double joules() const { return static_cast<double>(units()) * joules_per_unit_; }

 private:
  friend class PowerMeter;

  void enter_bin(sc_core::sc_time at);
  void deliver();

  PowerMeter* meter_ = nullptr;
  size_t rail_ = 0;
  double joules_per_unit_ = 0;
  uint64_t bin_begin_ = 0;            // of the bin that `pending_` is in, in ticks of the kernel
  uint64_t bin_length_ = UINT64_MAX;  // unconnected: all of time is one bin
  uint64_t pending_ = 0;
  uint64_t delivered_ = 0;
};

template <typename Piece>
void PowerMeter::forecast(Piece&& piece) {
  advance();
  collect();
  const double seconds = bin().to_seconds();
  RailValues level = level_;
  RailValues watts{};
  sc_core::sc_time begin = start_of(present_);
  for (auto next = changes_.begin();; ++next) {
    const bool last = next == changes_.end();
    const sc_core::sc_time end = last ? sc_core::sc_max_time() : start_of(next->first);
    for (size_t rail = 0; rail < kRails; ++rail) watts[rail] = level[rail] / seconds;
    if (begin < end && !piece(begin, end, watts)) return;
    if (last) return;
    for (size_t rail = 0; rail < kRails; ++rail) level[rail] += next->second[rail];
    begin = end;
  }
}

}  // namespace npuvp::base

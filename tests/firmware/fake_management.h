// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace npuvp::firmware_test {

/// The management blocks of the fake card: watchdog, timers, sensors, log manager, the firmware's DMA, and clocks and
/// power of the system controller. Timers expire and lists end at once; a test sets the temperature.
class FakeManagement {
 public:
  /// Reads and writes card memory, false if there is none.
  using Copy = std::function<bool(uint64_t address, void* data, uint64_t bytes, bool write)>;
  explicit FakeManagement(Copy copy) : copy_(std::move(copy)) {}

  struct Event {
    uint32_t code;
    uint64_t argument[2];
  };

  [[nodiscard]] bool handles(uint64_t address) const;
  uint64_t read(uint64_t address);
  void write(uint64_t address, uint64_t value);

  /// In 1/1000 degree Celsius; alarms come as the thresholds say.
  void set_temperature(int32_t temperature_mc);

  [[nodiscard]] bool timer_line() const { return (value(kTimerExpired) & 1) != 0; }
  [[nodiscard]] bool sensors_line() const { return alarms_ != 0; }

  /// A descriptor that was carried out.
  struct Transfer {
    uint64_t source, destination, bytes;
    bool operator==(const Transfer&) const = default;
  };
  std::vector<Transfer> dma_lists;  ///< In order.
  std::vector<uint32_t> pstates;    ///< As written.
  std::vector<Event> events;        ///< Of the firmware.
  unsigned kicks = 0;
  bool watchdog_asleep = false;
  bool powered_off = false;
  bool dma_fails = false;

 private:
  static const uint64_t kTimerExpired;
  [[nodiscard]] uint64_t value(uint64_t address) const {
    const auto found = values_.find(address);
    return found == values_.end() ? 0 : found->second;
  }
  void evaluate();
  void follow_list(uint64_t address);

  Copy copy_;
  std::map<uint64_t, uint64_t> values_;
  int32_t temperature_mc_ = 40000;
  uint32_t alarms_ = 0;
  std::array<bool, 8> met_{};
};

}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "models/riscv/bus.h"

namespace npuvp::riscv::test {

/// RAM at kRam and one 4 KiB register page at kDevice; everything else is an access fault.
class FlatBus final : public Bus {
 public:
  static constexpr uint64_t kRam = 0x80000000;
  static constexpr uint64_t kRamBytes = 0x100000;
  static constexpr uint64_t kDevice = 0x10000000;
  static constexpr uint64_t kDeviceBytes = 0x1000;

  struct DeviceAccess {
    bool is_store = false;
    uint64_t address = 0;
    unsigned size_bytes = 0;
    uint64_t value = 0;
  };

  BusStatus load(uint64_t address, unsigned size_bytes, uint64_t& value) override {
    value = 0;
    if (in(address, size_bytes, kRam, kRamBytes)) {
      std::memcpy(&value, ram_.data() + (address - kRam), size_bytes);
      return BusStatus::kOk;
    }
    if (!in(address, size_bytes, kDevice, kDeviceBytes)) return BusStatus::kAccessFault;
    value = device_value;
    accesses.push_back({false, address, size_bytes, value});
    return BusStatus::kOk;
  }

  BusStatus store(uint64_t address, unsigned size_bytes, uint64_t value) override {
    if (in(address, size_bytes, kRam, kRamBytes)) {
      std::memcpy(ram_.data() + (address - kRam), &value, size_bytes);
      return BusStatus::kOk;
    }
    if (!in(address, size_bytes, kDevice, kDeviceBytes)) return BusStatus::kAccessFault;
    accesses.push_back({true, address, size_bytes, value});
    if (on_device_store) on_device_store();
    return BusStatus::kOk;
  }

  std::optional<DirectRegion> direct(uint64_t address) override {
    if (!direct_memory || !in(address, 1, kRam, kRamBytes)) return std::nullopt;
    return DirectRegion{ram_.data(), kRam, kRamBytes, true, true};
  }

  template <typename T>
  [[nodiscard]] T peek(uint64_t address) const {
    T value;
    std::memcpy(&value, ram_.data() + (address - kRam), sizeof value);
    return value;
  }
  template <typename T>
  void poke(uint64_t address, T value) {
    std::memcpy(ram_.data() + (address - kRam), &value, sizeof value);
  }
  void write(uint64_t address, std::span<const uint8_t> bytes) {
    std::memcpy(ram_.data() + (address - kRam), bytes.data(), bytes.size());
  }

  bool direct_memory = true;
  uint64_t device_value = 0;
  std::function<void()> on_device_store;
  std::vector<DeviceAccess> accesses;

 private:
  static bool in(uint64_t address, uint64_t size_bytes, uint64_t start, uint64_t length_bytes) {
    return address >= start && address - start <= length_bytes - size_bytes;
  }

  std::vector<uint8_t> ram_ = std::vector<uint8_t>(kRamBytes);
};

}  // namespace npuvp::riscv::test

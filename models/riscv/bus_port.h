// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/riscv/bus.h"
#include "models/riscv/hart.h"

namespace npuvp::riscv {

/// A cluster's initiator port with what it has been told about direct memory.
class BusPort final : public base::InitiatorPort {
 public:
  explicit BusPort(const char* name);

  /// The direct region around `address`, asked for once; a denial is remembered for its 4 KiB page.
  [[nodiscard]] std::optional<DirectRegion> direct(uint64_t address);

  /// Forgets all regions and denials.
  void flush_direct();
  /// Called after regions have been forgotten because their target withdrew them.
  void on_invalidate(std::function<void()> handler) { on_invalidate_ = std::move(handler); }

 private:
  static constexpr unsigned kDenied = 64;
  static constexpr uint64_t kNoPage = ~0ull;

  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end);

  std::vector<DirectRegion> regions_;
  std::array<uint64_t, kDenied> denied_pages_;
  std::function<void()> on_invalidate_;
};

/// One hart's view of the port: marks each access with the hart and its pc and collects the time accesses take.
class HartBus final : public Bus {
 public:
  explicit HartBus(BusPort& port) : port_(port) {}
  void set_hart(const Hart& hart) { hart_ = &hart; }

  BusStatus load(uint64_t address, unsigned size_bytes, uint64_t& value) override;
  BusStatus store(uint64_t address, unsigned size_bytes, uint64_t value) override;
  std::optional<DirectRegion> direct(uint64_t address) override { return port_.direct(address); }

  /// Time the accesses since the last call took.
  [[nodiscard]] sc_core::sc_time take_delay();

 private:
  void mark_origin();

  BusPort& port_;
  const Hart* hart_ = nullptr;
  sc_core::sc_time delay_;
};

}  // namespace npuvp::riscv

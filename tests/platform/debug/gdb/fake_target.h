// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "platform/debug/gdb/target.h"

namespace npuvp::debug::gdb::test {

/// Two threads with 64 KiB of memory at kBase, four general registers and one of 4 bytes that cannot be read (number
/// 9).
class FakeTarget final : public Target {
 public:
  static constexpr uint64_t kBase = 0x100000;
  static constexpr unsigned kThreads = 2;
  static constexpr unsigned kRegisters = 4;
  static constexpr unsigned kUnreadable = 9;

  [[nodiscard]] unsigned thread_count() const override { return kThreads; }
  [[nodiscard]] std::string thread_name(unsigned thread) const override { return fmt::format("hart {}", thread); }
  [[nodiscard]] std::string description() const override { return xml; }
  [[nodiscard]] unsigned general_registers() const override { return kRegisters; }
  [[nodiscard]] std::optional<RegisterValue> read_register(unsigned thread, uint64_t number) override {
    if (number == kUnreadable) return RegisterValue{.bytes = 4, .value = std::nullopt};
    if (number >= kRegisters) return std::nullopt;
    return RegisterValue{.bytes = 8, .value = registers.at(thread).at(number)};
  }
  bool write_register(unsigned thread, uint64_t number, uint64_t value) override {
    if (number >= kRegisters) return false;
    registers.at(thread).at(number) = value;
    return true;
  }
  [[nodiscard]] size_t read_memory(unsigned /*thread*/, uint64_t address, std::span<uint8_t> data) override {
    size_t done = 0;
    for (; done < data.size() && address - kBase + done < memory.size() && address >= kBase; ++done) {
      data[done] = memory[address - kBase + done];
    }
    return done;
  }
  [[nodiscard]] bool write_memory(unsigned /*thread*/, uint64_t address, std::span<const uint8_t> data) override {
    if (address < kBase || address - kBase > memory.size() || data.size() > memory.size() - (address - kBase))
      return false;
    std::copy(data.begin(), data.end(), memory.begin() + static_cast<std::ptrdiff_t>(address - kBase));
    return true;
  }
  [[nodiscard]] bool insert_point(PointKind kind, uint64_t address, uint64_t bytes) override {
    if (kind != PointKind::kSoftware && points.size() >= 4) return false;
    points.insert({kind, address, bytes});
    return true;
  }
  void remove_point(PointKind kind, uint64_t address, uint64_t bytes) override { points.erase({kind, address, bytes}); }
  void attach(StopHandler stop_handler) override {
    handler = std::move(stop_handler);
    attached = true;
  }
  void detach() override {
    handler = {};
    attached = false;
  }
  void resume(std::span<const ThreadAction> actions) override { resumed.assign(actions.begin(), actions.end()); }
  void halt() override { ++halts; }
  [[nodiscard]] std::string monitor(std::string_view line) override { return fmt::format("[{}]\n", line); }

  std::string xml = "<target>#$}*</target>";
  std::array<std::array<uint64_t, kRegisters>, kThreads> registers{};
  std::vector<uint8_t> memory = std::vector<uint8_t>(0x10000);
  std::set<std::tuple<PointKind, uint64_t, uint64_t>> points;
  StopHandler handler;
  std::vector<ThreadAction> resumed;
  int halts = 0;
  bool attached = false;
};

}  // namespace npuvp::debug::gdb::test

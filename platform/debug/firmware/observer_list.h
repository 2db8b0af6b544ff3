// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/riscv/observer.h"

namespace npuvp::debug::firmware {

/// Several observers of the same hart, told in order.
class ObserverList final : public riscv::HartObserver {
 public:
  void add(riscv::HartObserver& observer) { observers_.push_back(&observer); }
  [[nodiscard]] bool empty() const { return observers_.empty(); }

  void on_instruction(const riscv::Hart& hart, uint64_t pc, const riscv::Instruction& instruction) override {
    for (auto* each : observers_) each->on_instruction(hart, pc, instruction);
  }
  void on_trap(const riscv::Hart& hart, const riscv::TrapRecord& trap) override {
    for (auto* each : observers_) each->on_trap(hart, trap);
  }
  void on_reset(const riscv::Hart& hart) override {
    for (auto* each : observers_) each->on_reset(hart);
  }

 private:
  std::vector<riscv::HartObserver*> observers_;
};

}  // namespace npuvp::debug::firmware

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <vector>

#include "models/riscv/hart.h"
#include "models/riscv/observer.h"
#include "platform/debug/firmware/function_table.h"

namespace npuvp::debug::firmware {

/// What happens to the call stacks of harts, in order for each hart. `function`: nullptr where no symbol is known.
class CallListener {
 public:
  virtual ~CallListener() = default;
  /// The innermost function is this one from `at` on.
  virtual void on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time at) = 0;
  /// The innermost function is left, by return, tail call or end of the trap handler.
  virtual void on_leave(unsigned hart, sc_core::sc_time at) = 0;
  /// So much time went by in the innermost function itself.
  virtual void on_run(unsigned hart, sc_core::sc_time spent) = 0;
  /// The hart waited for an interrupt for so long.
  virtual void on_sleep(unsigned hart, sc_core::sc_time spent) = 0;
};

/// Follows calls and returns of harts from their instructions alone. What a jump is tell its link registers
/// (Unprivileged ISA, hints for return-address stacks: x1 and x5); a function that is reached in another way takes the
/// place of the innermost one (a tail call). A trap is a call of its handler, MRET the return from it. A return to
/// nobody's caller, as by a switch of stacks, starts a new stack.
class CallTracker final : public riscv::HartObserver {
 public:
  /// A deeper stack starts anew.
  static constexpr size_t kMostFrames = 256;

  /// Start of a hart's current instruction.
  using TimeSource = std::function<sc_core::sc_time(unsigned hart)>;

  CallTracker(const FunctionTable& functions, unsigned harts, sc_core::sc_time clock_period, TimeSource time);

  void add(CallListener& listener) { listeners_.push_back(&listener); }
  /// Leaves everything, at the harts' current times.
  void finish();

  void on_instruction(const riscv::Hart& hart, uint64_t pc, const riscv::Instruction& instruction) override;
  void on_trap(const riscv::Hart& hart, const riscv::TrapRecord& trap) override;
  void on_reset(const riscv::Hart& hart) override;

 private:
  enum class Transfer : uint8_t { kNone, kCall, kReturn, kReturnAndCall, kTrap, kTrapReturn };

  struct Frame {
    const FunctionTable::Function* function;
    uint64_t return_address;
    bool is_handler;
  };
  struct HartState {
    std::vector<Frame> frames;
    Transfer transfer = Transfer::kNone;  ///< What the instruction before did.
    uint64_t return_address = 0;          ///< The one that it left.
    uint64_t pc = 0;                      ///< Its own.
    sc_core::sc_time since;               ///< When it started.
    bool started = false;
    bool sleeps = false;  ///< It was WFI.
  };

  void arrive(unsigned hart, HartState& state, uint64_t pc, sc_core::sc_time now);
  void spend(unsigned hart, HartState& state, sc_core::sc_time now);
  void push(unsigned hart, HartState& state, uint64_t pc, bool is_handler, sc_core::sc_time now);
  void pop(unsigned hart, HartState& state, sc_core::sc_time now);
  void return_to(unsigned hart, HartState& state, uint64_t pc, sc_core::sc_time now);
  void leave_handler(unsigned hart, HartState& state, sc_core::sc_time now);
  static Transfer transfer_of(const riscv::Instruction& instruction);

  const FunctionTable& functions_;
  TimeSource time_;
  sc_core::sc_time period_;
  std::vector<HartState> states_;
  std::vector<CallListener*> listeners_;
};

}  // namespace npuvp::debug::firmware

// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/call_tracker.h"

#include <algorithm>
#include <utility>

namespace npuvp::debug::firmware {
namespace {

using riscv::Op;
using sc_core::sc_time;

constexpr unsigned kSlotBytes = 2;

bool is_link(unsigned reg) {
  return reg == 1 || reg == 5;
}

}  // namespace

CallTracker::CallTracker(const FunctionTable& functions, unsigned harts, sc_time clock_period, TimeSource time)
    : functions_(functions), time_(std::move(time)), period_(clock_period), states_(harts) {}

CallTracker::Transfer CallTracker::transfer_of(const riscv::Instruction& instruction) {
  switch (instruction.op) {
    case Op::kJal:
    case Op::kJalNear:
      return is_link(instruction.rd) ? Transfer::kCall : Transfer::kNone;
    case Op::kJalr: {
      const bool links = is_link(instruction.rd);
      const bool uses = is_link(instruction.rs1);
      if (!links) return uses ? Transfer::kReturn : Transfer::kNone;
      return uses && instruction.rd != instruction.rs1 ? Transfer::kReturnAndCall : Transfer::kCall;
    }
    case Op::kMret:
      return Transfer::kTrapReturn;
    default:
      return Transfer::kNone;
  }
}

void CallTracker::on_instruction(const riscv::Hart& hart, uint64_t pc, const riscv::Instruction& instruction) {
  const auto id = static_cast<unsigned>(hart.hart_id());
  HartState& state = states_.at(id);
  const sc_time now = time_(id);
  spend(id, state, now);
  arrive(id, state, pc, now);
  state.transfer = transfer_of(instruction);
  state.return_address = pc + kSlotBytes * uint64_t{instruction.slots};
  state.pc = pc;
  state.sleeps = instruction.op == Op::kWfi;
}

void CallTracker::on_trap(const riscv::Hart& hart, const riscv::TrapRecord& trap) {
  const auto id = static_cast<unsigned>(hart.hart_id());
  HartState& state = states_.at(id);
  const sc_time now = time_(id);
  spend(id, state, now);
  // An exception undoes its instruction; an interrupt comes behind one that has done what it does.
  const bool interrupt = trap.cause >> 63 != 0;
  if (interrupt || state.pc != trap.pc) arrive(id, state, trap.pc, now);
  state.transfer = Transfer::kTrap;
  state.return_address = trap.pc;
  state.sleeps = false;
}

void CallTracker::on_reset(const riscv::Hart& hart) {
  const auto id = static_cast<unsigned>(hart.hart_id());
  HartState& state = states_.at(id);
  const sc_time now = std::max(state.since, sc_core::sc_time_stamp());
  while (!state.frames.empty()) pop(id, state, now);
  state = {};
}

void CallTracker::finish() {
  for (unsigned hart = 0; hart < states_.size(); ++hart) {
    HartState& state = states_[hart];
    if (!state.started) continue;
    const sc_time now = std::max(state.since, time_(hart));
    spend(hart, state, now);
    while (!state.frames.empty()) pop(hart, state, now);
    state = {};
  }
}

/// The instruction before takes until the next one starts; of WFI only its cycle is work.
void CallTracker::spend(unsigned hart, HartState& state, sc_time now) {
  if (state.started && now > state.since) {
    const sc_time all = now - state.since;
    const sc_time work = state.sleeps ? std::min(all, period_) : all;
    for (auto* each : listeners_) {
      each->on_run(hart, work);
      if (work < all) each->on_sleep(hart, all - work);
    }
  }
  state.started = true;
  state.since = now;
}

/// Control has come to `pc` as the last transfer says.
void CallTracker::arrive(unsigned hart, HartState& state, uint64_t pc, sc_time now) {
  switch (std::exchange(state.transfer, Transfer::kNone)) {
    case Transfer::kNone:
      break;
    case Transfer::kCall:
      push(hart, state, pc, false, now);
      return;
    case Transfer::kReturn:
      return_to(hart, state, pc, now);
      break;
    case Transfer::kReturnAndCall:
      if (!state.frames.empty()) pop(hart, state, now);
      push(hart, state, pc, false, now);
      return;
    case Transfer::kTrap:
      push(hart, state, pc, true, now);
      return;
    case Transfer::kTrapReturn:
      leave_handler(hart, state, now);
      break;
  }
  if (state.frames.empty()) {
    push(hart, state, pc, false, now);
    return;
  }
  // Still inside the innermost function, or by a tail call in another one.
  Frame& top = state.frames.back();
  if (top.function != nullptr && pc >= top.function->begin && pc < top.function->end) return;
  const auto* function = functions_.find(pc);
  if (function == top.function) return;
  top.function = function;
  for (auto* each : listeners_) {
    each->on_leave(hart, now);
    each->on_enter(hart, function, now);
  }
}

void CallTracker::push(unsigned hart, HartState& state, uint64_t pc, bool is_handler, sc_time now) {
  if (state.frames.size() == kMostFrames) {
    while (!state.frames.empty()) pop(hart, state, now);
  }
  state.frames.push_back({functions_.find(pc), state.return_address, is_handler});
  for (auto* each : listeners_) each->on_enter(hart, state.frames.back().function, now);
}

void CallTracker::pop(unsigned hart, HartState& state, sc_time now) {
  state.frames.pop_back();
  for (auto* each : listeners_) each->on_leave(hart, now);
}

void CallTracker::return_to(unsigned hart, HartState& state, uint64_t pc, sc_time now) {
  for (size_t index = state.frames.size(); index-- > 0;) {
    // The outermost frame was not called by anybody.
    if (index == 0 || state.frames[index].return_address != pc) continue;
    while (state.frames.size() > index) pop(hart, state, now);
    return;
  }
  while (!state.frames.empty()) pop(hart, state, now);
}

void CallTracker::leave_handler(unsigned hart, HartState& state, sc_time now) {
  const bool inside =
      std::any_of(state.frames.begin(), state.frames.end(), [](const Frame& each) { return each.is_handler; });
  // MRET without a trap is how a program starts another one.
  for (bool done = false; !done && !state.frames.empty();) {
    done = inside && state.frames.back().is_handler;
    pop(hart, state, now);
  }
}

}  // namespace npuvp::debug::firmware

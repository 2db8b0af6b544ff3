// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/hart.h"

#include <bit>

namespace npuvp::riscv {

static_assert(std::endian::native == std::endian::little, "guest memory is accessed in place");

Hart::Hart(Bus& bus, const HartParameters& parameters)
    : bus_(bus), parameters_(parameters), csrs_(parameters.hart_id, parameters.pmp_granularity_bytes) {
  unkept_page_.clear();
  reset();
}

void Hart::reset() {
  x_.fill(0);
  f_.fill(0);
  pc_ = parameters_.reset_pc & ~1ull;
  csrs_.reset();
  waiting_ = false;
  halt_requested_ = false;
  reservation_ = {};
  step_over_.reset();
  restarts_at_.reset();
  passes_triggers_ = fetch_triggers_ = false;
  code_.flush();
  flush_direct_memory();
  enter_privilege(Privilege::kMachine);
  if (observer_ != nullptr) observer_->on_reset(*this);
}

RunResult Hart::run(uint64_t max_cycles, BusAccess bus_access) {
  if (halt_requested_) {
    halt_requested_ = false;
    return {StopReason::kHalted, 0};
  }
  if (waiting_) {
    if (!csrs_.wakes_from_wfi()) return {StopReason::kWfi, 0};
    waiting_ = false;
  }
  if (!passes_triggers_) return run_steps(max_cycles, bus_access);
  // The instruction at which a trigger stopped goes first, alone.
  if (max_cycles == 0) return {StopReason::kBudget, 0};
  const RunResult first = run_steps(1, bus_access);
  if (first.cycles == 0 || first.reason != StopReason::kBudget) return first;
  passes_triggers_ = false;
  RunResult rest = run_steps(max_cycles - 1, bus_access);
  rest.cycles += first.cycles;
  return rest;
}

RunResult Hart::run_steps(uint64_t max_cycles, BusAccess bus_access) {
  budget_ = left_ = settled_left_ = max_cycles;
  bus_access_ = bus_access;
  attention_ = true;
  StopReason reason = StopReason::kBudget;
  do {
    switches_interpreter_ = false;
    reason = instrumented() ? execute<true>() : execute<false>();
  } while (switches_interpreter_);
  settle_counters(left_);
  if (reason != StopReason::kBreakpoint && left_ != budget_) step_over_.reset();
  if (reason == StopReason::kTrigger) passes_triggers_ = true;
  return {reason, budget_ - left_};
}

bool Hart::instrumented() const {
  return observer_ != nullptr || !breakpoints_.empty() || fetch_triggers_;
}

void Hart::set_interrupt_pending(Interrupt line, bool level) {
  csrs_.set_interrupt_pending(line, level);
  attention_ = true;
}

void Hart::request_halt() {
  halt_requested_ = true;
  attention_ = true;
}

void Hart::flush_direct_memory() {
  flush_data();
  flush_fetch();
  attention_ = true;
}

bool Hart::write_csr(unsigned number, uint64_t value) {
  if (!csrs_.write(number, value, Privilege::kMachine, true)) return false;
  after_csr_write(number);
  return true;
}

void Hart::add_idle_cycles(uint64_t cycles) {
  cycles_ += cycles;
  csrs_.count(cycles, 0);
  csrs_.count_event(PerformanceEvent::kIdleCycle, cycles);
}

void Hart::settle_counters(uint64_t left) {
  const uint64_t cycles = settled_left_ - left;
  const uint64_t retired = cycles - unsettled_exceptions_;
  cycles_ += cycles;
  retired_ += retired;
  csrs_.count(cycles, retired);
  settled_left_ = left;
  unsettled_exceptions_ = 0;
}

Hart::Step Hart::raise(Exception cause, uint64_t value) {
  exception_ = {cause, value};
  return Step::kException;
}

void Hart::take_exception() {
  ++unsettled_exceptions_;
  trap(static_cast<uint64_t>(exception_.cause), exception_.value);
}

void Hart::take_pending_interrupt() {
  if (interrupts_masked_) return;
  const std::optional<Interrupt> line = csrs_.interrupt_to_take(privilege_);
  if (line) trap(csr::kMcauseInterrupt | static_cast<uint64_t>(*line), 0);
}

void Hart::trap(uint64_t cause, uint64_t value) {
  const uint64_t handler = csrs_.enter_trap(cause, value, pc_, privilege_);
  if (observer_ != nullptr) observer_->on_trap(*this, {cause, value, pc_, handler, privilege_});
  pc_ = handler;
  reservation_.valid = false;
  enter_privilege(Privilege::kMachine);
}

void Hart::enter_privilege(Privilege privilege) {
  privilege_ = privilege;
  fetch_tlbs_ = &tlbs_of(privilege);
  data_tlbs_ = &tlbs_of(csrs_.data_privilege(privilege));
}

Hart::Step Hart::csr_instruction(const Instruction& instruction, Op op) {
  // Counters must show the instructions before this one; the current one is already out of left_.
  settle_counters(left_ + 1);
  const bool immediate = op == Op::kCsrrwi || op == Op::kCsrrsi || op == Op::kCsrrci;
  const bool replaces = op == Op::kCsrrw || op == Op::kCsrrwi;
  const uint64_t operand = immediate ? instruction.rs1 : x_[instruction.rs1];
  const bool reads = !replaces || instruction.rd != kSinkRegister;
  const bool writes = replaces || instruction.rs1 != 0;

  const std::optional<uint64_t> old = csrs_.read(csr_of(instruction), privilege_);
  // A CSR that cannot be read does not exist for this privilege, so that a write alone fails as well.
  if (!old) return raise(Exception::kIllegalInstruction, instruction.raw);
  if (writes) {
    const bool sets = op == Op::kCsrrs || op == Op::kCsrrsi;
    const uint64_t value = replaces ? operand : sets ? *old | operand : *old & ~operand;
    if (!csrs_.write(csr_of(instruction), value, privilege_))
      return raise(Exception::kIllegalInstruction, instruction.raw);
    csrs_.uncount(csr_of(instruction));
    after_csr_write(csr_of(instruction));
  }
  if (reads) x_[instruction.rd] = *old;
  return Step::kDone;
}

void Hart::after_csr_write(unsigned number) {
  if (number == csr::kMstatus) enter_privilege(privilege_);
  const bool pmp =
      (number >= csr::kPmpcfg0 && number <= csr::kPmpcfg2) || (number >= csr::kPmpaddr0 && number <= csr::kPmpaddr15);
  const bool trigger = number == csr::kTdata1 || number == csr::kTdata2;
  if (trigger) fetch_triggers_ = csrs_.triggers().any(AccessType::kFetch);
  if (pmp || trigger) flush_direct_memory();
  if (number == csr::kMstatus || number == csr::kMie) attention_ = true;
}

Hart::Step Hart::machine_return(const Instruction& instruction) {
  if (privilege_ != Privilege::kMachine) return raise(Exception::kIllegalInstruction, instruction.raw);
  pc_ = csrs_.mepc();
  enter_privilege(csrs_.leave_trap());
  attention_ = true;
  return Step::kDone;
}

Hart::Step Hart::wait_for_interrupt(const Instruction& instruction) {
  if (privilege_ == Privilege::kUser && csrs_.wfi_times_out_in_user_mode()) {
    return raise(Exception::kIllegalInstruction, instruction.raw);
  }
  waiting_ = !csrs_.wakes_from_wfi();
  return Step::kDone;
}

bool Hart::stops_at_breakpoint() {
  if (breakpoints_.empty()) return false;
  if (step_over_ == pc_) {
    step_over_.reset();
    return false;
  }
  if (!breakpoints_.contains(pc_)) return false;
  step_over_ = pc_;
  return true;
}

Hart::Step Hart::check_triggers(uint64_t address, unsigned size_bytes, AccessType type) {
  if (!csrs_.triggers().covers(address, size_bytes, type)) return Step::kDone;
  const std::optional<TriggerModule::Action> action = csrs_.triggers().match(address, size_bytes, type, privilege_);
  if (!action) return Step::kDone;
  if (*action == TriggerModule::Action::kException) return raise(Exception::kBreakpoint, address);
  return passes_triggers_ ? Step::kDone : Step::kTrigger;
}

void Hart::share_reservations(Reservations& reservations) {
  reservations_ = &reservations;
  reservations.add(*this);
  flush_data();
}

void Hart::keep_stores_out_of_buffer(uint64_t page) {
  for (PrivilegeTlbs& tlbs : tlbs_) tlbs.store.evict(page);
}

void Hart::invalidate_code() {
  code_.flush();
  flush_fetch();
  attention_ = true;
}

}  // namespace npuvp::riscv

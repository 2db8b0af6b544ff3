// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "models/riscv/csr.h"
#include "models/riscv/pmp.h"
#include "models/riscv/privilege.h"
#include "models/riscv/trigger_module.h"

namespace npuvp::riscv {

/// Events that mhpmevent can choose (values ours): all of them happen off the interpreter's fast path.
enum class PerformanceEvent : uint8_t { kNone, kException, kInterrupt, kBusAccess, kIdleCycle };

/// The control and status registers of an M/U hart and their WARL rules (Privileged ISA 1.12, chapter 3).
class CsrFile {
 public:
  CsrFile(uint64_t hart_id, unsigned pmp_granularity_bytes) : hart_id_(hart_id), pmp_(pmp_granularity_bytes) {
    reset();
  }

  void reset();

  /// Value of a CSR, or nothing if it does not exist or `privilege` may not read it.
  [[nodiscard]] std::optional<uint64_t> read(unsigned number, Privilege privilege) const;

  /// False if the CSR does not exist, is read-only or `privilege` may not write it. `debugger` may change the triggers
  /// that are the debugger's own.
  [[nodiscard]] bool write(unsigned number, uint64_t value, Privilege privilege, bool debugger = false);

  /// Saves the trapped state and gives the handler's address.
  uint64_t enter_trap(uint64_t cause, uint64_t value, uint64_t pc, Privilege from);
  /// Restores mstatus as MRET does and gives the privilege to return to.
  Privilege leave_trap();

  /// Cause of the interrupt to take at `privilege` now, if any: external before software before timer (section 3.1.9).
  [[nodiscard]] std::optional<Interrupt> interrupt_to_take(Privilege privilege) const;
  /// What ends a WFI: pending and enabled in mie, whatever mstatus.MIE says.
  [[nodiscard]] bool wakes_from_wfi() const { return (mip_ & mie_) != 0; }
  void set_interrupt_pending(Interrupt line, bool level);

  /// Privilege that loads and stores are checked with (mstatus.MPRV).
  [[nodiscard]] Privilege data_privilege(Privilege privilege) const;
  [[nodiscard]] bool wfi_times_out_in_user_mode() const { return (mstatus_ & csr::mstatus::kTw) != 0; }
  [[nodiscard]] uint64_t mepc() const { return mepc_; }
  [[nodiscard]] const Pmp& pmp() const { return pmp_; }
  [[nodiscard]] TriggerModule& triggers() { return triggers_; }
  [[nodiscard]] const TriggerModule& triggers() const { return triggers_; }

  /// mstatus.FS: floating-point instructions are illegal while the unit is off.
  [[nodiscard]] bool float_off() const { return (mstatus_ & csr::mstatus::kFs) == 0; }
  void mark_float_dirty() { mstatus_ |= csr::mstatus::kFs; }
  /// 0 to 7; 5 to 7 are no rounding modes.
  [[nodiscard]] unsigned frm() const { return frm_; }
  [[nodiscard]] uint8_t fflags() const { return fflags_; }
  void set_fflags(uint8_t flags) { fflags_ = flags; }

  /// Adds to mcycle and minstret unless mcountinhibit stops them.
  void count(uint64_t cycles, uint64_t instructions);
  /// Adds to the hpm counters that count this event.
  void count_event(PerformanceEvent event, uint64_t times = 1);
  /// Takes back the count of the instruction that has just written the counter `number`: a written value is what the
  /// next instruction reads (Unprivileged ISA, chapter "Zicsr").
  void uncount(unsigned number);
  /// Source of the time CSR, in ticks of mtime; without one it reads 0.
  void set_time_source(std::function<uint64_t()> source) { time_source_ = std::move(source); }

 private:
  [[nodiscard]] std::optional<uint64_t> read_counter(unsigned number, Privilege privilege) const;
  [[nodiscard]] std::optional<uint64_t> read_machine(unsigned number) const;
  [[nodiscard]] bool write_machine(unsigned number, uint64_t value);
  [[nodiscard]] std::optional<uint64_t> read_float(unsigned number) const;
  [[nodiscard]] bool write_float(unsigned number, uint64_t value);
  void write_mstatus(uint64_t value);

  uint64_t hart_id_;
  std::function<uint64_t()> time_source_;
  Pmp pmp_;
  TriggerModule triggers_;
  uint64_t mstatus_ = 0, mie_ = 0, mip_ = 0, mtvec_ = 0, mscratch_ = 0, mepc_ = 0, mcause_ = 0, mtval_ = 0;
  uint64_t mcounteren_ = 0, mcountinhibit_ = 0, menvcfg_ = 0, mcycle_ = 0, minstret_ = 0;
  std::array<uint64_t, csr::kEventCounters> mhpmcounter_{};
  std::array<PerformanceEvent, csr::kEventCounters> mhpmevent_{};
  uint8_t frm_ = 0, fflags_ = 0;
};

}  // namespace npuvp::riscv

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>

#include "models/riscv/bus.h"
#include "models/riscv/code_cache.h"
#include "models/riscv/csr_file.h"
#include "models/riscv/data_tlb.h"
#include "models/riscv/observer.h"
#include "models/riscv/privilege.h"
#include "models/riscv/reservations.h"

namespace npuvp::riscv {

enum class StopReason : uint8_t {
  kBudget,      ///< All cycles asked for have been used.
  kWfi,         ///< Waiting for an interrupt; run() returns this without a cycle until one is pending and enabled.
  kSync,        ///< The next instruction needs the bus: bring time up to date, then run() with BusAccess::kAllowed.
  kHalted,      ///< request_halt() was called.
  kBreakpoint,  ///< At a breakpoint, the instruction not executed yet. The next run() steps over it. Or at an EBREAK.
  kTrigger,     ///< As kBreakpoint, by a trigger of the debugger: tdata1.hit tells which.
};

/// Whether run() may access what is not direct memory, or stops before it.
enum class BusAccess : uint8_t { kStopBefore, kAllowed };

struct RunResult {
  StopReason reason = StopReason::kBudget;
  uint64_t cycles = 0;  ///< One for each instruction executed or trapped.
};

struct HartParameters {
  uint64_t hart_id = 0;
  uint64_t reset_pc = 0;
  bool misaligned_access = false;      ///< Loads and stores to memory may be misaligned; otherwise they trap.
  unsigned pmp_granularity_bytes = 4;  ///< A power of two from 4 to 4096.
};

/// RV64GC hart with Zba, Zbb, Zicntr, Zihpm, Sdtrig, M and U mode and PMP, one cycle an instruction. Plain C++: knows
/// neither SystemC nor time.
///
/// Instructions are decoded once for each 4 KiB page into a CodePage and dispatched from there. Loads and stores to
/// direct memory go through a DataTlb, which has the PMP's answer in it; everything else is a Bus access. Interrupt
/// inputs and halt requests may change between run() calls and inside Bus accesses, and act before the next
/// instruction. One thread only. Sources: RISC-V Unprivileged ISA 20191213 with Zicntr/Zifencei as ratified, Privileged
/// ISA 1.12.
class Hart {
 public:
  Hart(Bus& bus, const HartParameters& parameters);
  Hart(const Hart&) = delete;
  Hart& operator=(const Hart&) = delete;

  /// To machine mode at the reset pc; all registers 0, counters 0, interrupt inputs as they are.
  void reset();

  /// Executes up to `max_cycles` instructions.
  RunResult run(uint64_t max_cycles, BusAccess bus_access = BusAccess::kStopBefore);

  void set_interrupt_pending(Interrupt line, bool level);
  /// The run() in progress, or else the next one, stops before its next instruction, once.
  void request_halt();

  /// Everything known of host pointers and PMP results is asked for again. Needed when a direct region has gone or
  /// changed rights.
  void flush_direct_memory();

  // State, for debuggers and for the module around the hart. Not to be changed during run().
  [[nodiscard]] uint64_t pc() const { return pc_; }
  void set_pc(uint64_t pc) { pc_ = pc & ~1ull; }
  /// `index` 0..31.
  [[nodiscard]] uint64_t x(unsigned index) const { return x_[index]; }
  void set_x(unsigned index, uint64_t value) { x_[index == 0 ? kSinkRegister : index] = value; }
  /// Floating-point register, `index` 0..31: a double, or a single NaN-boxed.
  [[nodiscard]] uint64_t f(unsigned index) const { return f_[index]; }
  void set_f(unsigned index, uint64_t value) { f_[index] = value; }
  /// A CSR as machine mode sees it, or nothing if there is none.
  [[nodiscard]] std::optional<uint64_t> read_csr(unsigned number) const {
    return csrs_.read(number, Privilege::kMachine);
  }
  /// As the debugger: it may use triggers that stop the hart instead of raising an exception.
  bool write_csr(unsigned number, uint64_t value);
  [[nodiscard]] Privilege privilege() const { return privilege_; }
  [[nodiscard]] bool waiting_for_interrupt() const { return waiting_; }
  /// Whether an interrupt pends that ends a WFI.
  [[nodiscard]] bool wakes_from_wfi() const { return csrs_.wakes_from_wfi(); }
  [[nodiscard]] uint64_t hart_id() const { return parameters_.hart_id; }

  /// Instructions retired and cycles since construction, whatever software does to minstret and mcycle.
  [[nodiscard]] uint64_t instructions_retired() const { return retired_; }
  [[nodiscard]] uint64_t cycles() const { return cycles_; }
  /// Inside a Bus access or the time source: cycles of this run() before the current instruction.
  [[nodiscard]] uint64_t cycles_into_run() const { return budget_ - left_ - 1; }
  /// Time that passed without instructions (waiting for the bus or an interrupt): counts in mcycle.
  void add_idle_cycles(uint64_t cycles);

  void set_time_source(std::function<uint64_t()> source) { csrs_.set_time_source(std::move(source)); }
  /// nullptr for none.
  void set_observer(HartObserver* observer) { observer_ = observer; }
  /// EBREAK stops the hart with kBreakpoint, not executed, instead of raising an exception (dcsr.ebreakm, ebreaku).
  void set_ebreak_stops(bool stops) { ebreak_stops_ = stops; }
  /// Interrupts are not taken, whatever mstatus says (dcsr.stepie = 0): a debugger's step stays in the program.
  void mask_interrupts(bool masked) { interrupts_masked_ = masked; }
  /// Ends a WFI as an interrupt would: for a debugger that steps or moves the hart.
  void end_wait() { waiting_ = false; }
  void add_breakpoint(uint64_t address) { breakpoints_.insert(address); }
  void remove_breakpoint(uint64_t address) { breakpoints_.erase(address); }

  /// Harts of one memory share this, so that stores end each other's LR reservations; it must outlive the hart's use.
  void share_reservations(Reservations& reservations);
  [[nodiscard]] bool reserves() const { return reservation_.valid; }
  [[nodiscard]] uint64_t reserved_address() const { return reservation_.address; }
  void lose_reservation() { reservation_.valid = false; }
  /// Stores to this page are looked at one by one until it is looked up again.
  void keep_stores_out_of_buffer(uint64_t page);

  /// Forgets decoded instructions, as FENCE.I does; after a debugger or loader has written to code.
  void invalidate_code();

 private:
  /// How a step that may leave the fast path ended.
  enum class Step : uint8_t { kDone, kException, kSync, kTrigger };

  struct PendingException {
    Exception cause = Exception::kIllegalInstruction;
    uint64_t value = 0;
  };
  struct Reservation {
    bool valid = false;
    unsigned size_bytes = 0;
    uint64_t address = 0;
    uint64_t value = 0;
  };
  struct FetchEntry {
    uint64_t base = ~0ull;
    CodePage* page = nullptr;
  };
  struct PrivilegeTlbs {
    DataTlb load;
    DataTlb store;
    static constexpr unsigned kFetchEntries = 64;
    std::array<FetchEntry, kFetchEntries> fetch;
  };

  // hart_execute.cpp
  template <bool kInstrumented>
  StopReason execute();

  // hart.cpp: traps, control
  Step raise(Exception cause, uint64_t value);
  void take_exception();
  void take_pending_interrupt();
  void trap(uint64_t cause, uint64_t value);
  Step csr_instruction(const Instruction& instruction, Op op);
  Step machine_return(const Instruction& instruction);
  Step wait_for_interrupt(const Instruction& instruction);
  void enter_privilege(Privilege privilege);
  void after_csr_write(unsigned number);
  void settle_counters(uint64_t left);
  [[nodiscard]] PrivilegeTlbs& tlbs_of(Privilege privilege) { return tlbs_[privilege == Privilege::kMachine ? 1 : 0]; }
  [[nodiscard]] bool stops_at_breakpoint();
  [[nodiscard]] bool instrumented() const;
  RunResult run_steps(uint64_t max_cycles, BusAccess bus_access);
  Step check_triggers(uint64_t address, unsigned size_bytes, AccessType type);

  // hart_float.cpp
  Step float_instruction(const Instruction& instruction, Op op);
  Step float_load(const Instruction& instruction, unsigned size_bytes);
  Step float_store(const Instruction& instruction, unsigned size_bytes);

  // hart_fetch.cpp
  [[nodiscard]] CodePage& code_page(uint64_t address);
  Step fetch(CodePage& page, Instruction& slot, unsigned& handler);
  Step fetch_parcel(uint64_t address, uint16_t& parcel);
  void flush_fetch();

  // hart_memory.cpp
  Step load(uint64_t address, unsigned size_bytes, uint64_t& value);
  Step store(uint64_t address, unsigned size_bytes, uint64_t value);
  Step load_reserved(const Instruction& instruction, unsigned size_bytes);
  Step store_conditional(const Instruction& instruction, unsigned size_bytes);
  Step atomic(const Instruction& instruction, Op op, unsigned size_bytes);
  [[nodiscard]] uint8_t* direct(uint64_t address, unsigned size_bytes, AccessType type);
  [[nodiscard]] bool permitted(uint64_t address, unsigned size_bytes, AccessType type) const;
  Step read(uint64_t address, unsigned size_bytes, uint64_t& value, Exception fault);
  Step write(uint64_t address, unsigned size_bytes, uint64_t value);
  Step transfer_misaligned(uint64_t address, unsigned size_bytes, uint64_t& value, AccessType type);
  void flush_data();

  Bus& bus_;
  HartParameters parameters_;

  // Used by the interpreter.
  std::array<uint64_t, 33> x_{};  ///< x0..x31 and the sink for writes to x0.
  std::array<uint64_t, 32> f_{};
  uint64_t pc_ = 0;
  uint64_t budget_ = 0;                  ///< Cycles this run() may use,
  uint64_t left_ = 0;                    ///< and those still unused.
  PrivilegeTlbs* data_tlbs_ = nullptr;   ///< For loads and stores (MPRV).
  PrivilegeTlbs* fetch_tlbs_ = nullptr;  ///< For fetches.
  bool attention_ = false;               ///< Something to look at before the next instruction: interrupts, halt.
  BusAccess bus_access_ = BusAccess::kStopBefore;

  CsrFile csrs_;
  Privilege privilege_ = Privilege::kMachine;
  bool waiting_ = false;
  bool halt_requested_ = false;
  bool ebreak_stops_ = false;
  bool interrupts_masked_ = false;
  PendingException exception_;
  Reservation reservation_;
  Reservations* reservations_ = nullptr;
  std::array<PrivilegeTlbs, 2> tlbs_;  ///< User, machine.
  CodeCache code_;
  CodePage unkept_page_;  ///< Stands in for pages that cannot be kept decoded.

  uint64_t retired_ = 0;
  uint64_t cycles_ = 0;
  uint64_t settled_left_ = 0;          ///< left_ when the counters were last brought up to date,
  uint64_t unsettled_exceptions_ = 0;  ///< and the cycles since that retired no instruction.

  HartObserver* observer_ = nullptr;
  std::set<uint64_t> breakpoints_;
  std::optional<uint64_t> step_over_;    ///< Breakpoint at which the last run() stopped.
  bool passes_triggers_ = false;         ///< The last run() stopped at a trigger: its instruction is executed now.
  bool fetch_triggers_ = false;          ///< A trigger may match a fetch.
  bool switches_interpreter_ = false;    ///< execute() returned for its other form to go on.
  std::optional<uint64_t> restarts_at_;  ///< Instruction that stopped for kSync after it had been observed.
};

}  // namespace npuvp::riscv

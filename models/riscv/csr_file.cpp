// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/csr_file.h"

namespace npuvp::riscv {
namespace {

using namespace csr;

constexpr uint64_t bit(Interrupt line) {
  return 1ull << static_cast<unsigned>(line);
}
constexpr uint64_t kInterrupts = bit(Interrupt::kSoftware) | bit(Interrupt::kTimer) | bit(Interrupt::kExternal);

constexpr uint64_t extension(char letter) {
  return 1ull << (letter - 'A');
}
constexpr uint64_t kMisaValue = kMisaRv64 | extension('I') | extension('M') | extension('A') | extension('F') |
                                extension('D') | extension('C') | extension('U');

constexpr uint64_t kMenvcfgFiom = 1;

constexpr uint64_t kFrmMask = 7;
constexpr uint64_t kFflagsMask = 31;
constexpr unsigned kFrmShift = 5;

constexpr uint64_t kCounters = kCounterCycle | kCounterInstret | kCounterEvents;

constexpr bool in(unsigned number, unsigned first, unsigned last) {
  return number >= first && number <= last;
}

}  // namespace

void CsrFile::reset() {
  mstatus_ = mie_ = mtvec_ = mscratch_ = mepc_ = mcause_ = mtval_ = 0;
  mcounteren_ = mcountinhibit_ = menvcfg_ = mcycle_ = minstret_ = 0;
  mhpmcounter_.fill(0);
  mhpmevent_.fill(PerformanceEvent::kNone);
  frm_ = fflags_ = 0;
  pmp_.reset();
  triggers_.reset();
}

std::optional<uint64_t> CsrFile::read(unsigned number, Privilege privilege) const {
  if (lowest_privilege(number) > static_cast<unsigned>(privilege)) return std::nullopt;
  if (in(number, kCycle, kHpmcounter31)) return read_counter(number, privilege);
  if (in(number, kFflags, kFcsr)) return read_float(number);
  return read_machine(number);
}

std::optional<uint64_t> CsrFile::read_counter(unsigned number, Privilege privilege) const {
  if (privilege == Privilege::kUser && ((mcounteren_ >> (number - kCycle)) & 1) == 0) return std::nullopt;
  switch (number) {
    case kCycle:
      return mcycle_;
    case kTime:
      return time_source_ ? time_source_() : 0;
    case kInstret:
      return minstret_;
    default:
      return number - kHpmcounter3 < kEventCounters ? mhpmcounter_[number - kHpmcounter3] : 0;
  }
}

std::optional<uint64_t> CsrFile::read_float(unsigned number) const {
  if (float_off()) return std::nullopt;
  if (number == kFflags) return fflags_;
  if (number == kFrm) return frm_;
  return static_cast<uint64_t>(frm_) << kFrmShift | fflags_;
}

bool CsrFile::write_float(unsigned number, uint64_t value) {
  if (float_off()) return false;
  if (number != kFrm) fflags_ = static_cast<uint8_t>(value & kFflagsMask);
  if (number == kFrm) frm_ = static_cast<uint8_t>(value & kFrmMask);
  if (number == kFcsr) frm_ = static_cast<uint8_t>((value >> kFrmShift) & kFrmMask);
  mark_float_dirty();
  return true;
}

std::optional<uint64_t> CsrFile::read_machine(unsigned number) const {
  if (in(number, kPmpaddr0, kPmpaddr15)) return pmp_.read_address(number - kPmpaddr0);
  if (in(number, kMhpmcounter3, kMhpmcounter31)) {
    const unsigned index = number - kMhpmcounter3;
    return index < kEventCounters ? mhpmcounter_[index] : 0;
  }
  if (in(number, kMhpmevent3, kMhpmevent31)) {
    const unsigned index = number - kMhpmevent3;
    return index < kEventCounters ? static_cast<uint64_t>(mhpmevent_[index]) : 0;
  }
  if (in(number, kTselect, kTcontrol)) return triggers_.read(number);
  switch (number) {
    case kMstatus:
      return mstatus_ | mstatus::kUxl64 | ((mstatus_ & mstatus::kFs) == mstatus::kFs ? mstatus::kSd : 0);
    case kMisa:
      return kMisaValue;
    case kMie:
      return mie_;
    case kMtvec:
      return mtvec_;
    case kMcounteren:
      return mcounteren_;
    case kMenvcfg:
      return menvcfg_;
    case kMcountinhibit:
      return mcountinhibit_;
    case kMscratch:
      return mscratch_;
    case kMepc:
      return mepc_;
    case kMcause:
      return mcause_;
    case kMtval:
      return mtval_;
    case kMip:
      return mip_;
    case kPmpcfg0:
      return pmp_.read_config(0);
    case kPmpcfg2:
      return pmp_.read_config(8);
    case kMcycle:
      return mcycle_;
    case kMinstret:
      return minstret_;
    case kMvendorid:
    case kMarchid:
    case kMimpid:
    case kMconfigptr:
      return 0;
    case kMhartid:
      return hart_id_;
    default:
      return std::nullopt;
  }
}

bool CsrFile::write(unsigned number, uint64_t value, Privilege privilege, bool debugger) {
  if (is_read_only(number) || lowest_privilege(number) > static_cast<unsigned>(privilege)) return false;
  if (in(number, kFflags, kFcsr)) return write_float(number, value);
  if (in(number, kTselect, kTcontrol)) return triggers_.write(number, value, debugger);
  return write_machine(number, value);
}

bool CsrFile::write_machine(unsigned number, uint64_t value) {
  if (in(number, kPmpaddr0, kPmpaddr15)) {
    pmp_.write_address(number - kPmpaddr0, value);
    return true;
  }
  if (in(number, kMhpmcounter3, kMhpmcounter31)) {
    if (number - kMhpmcounter3 < kEventCounters) mhpmcounter_[number - kMhpmcounter3] = value;
    return true;
  }
  if (in(number, kMhpmevent3, kMhpmevent31)) {
    const bool known = value <= static_cast<uint64_t>(PerformanceEvent::kIdleCycle);
    const unsigned index = number - kMhpmevent3;
    if (index < kEventCounters)
      mhpmevent_[index] = known ? static_cast<PerformanceEvent>(value) : PerformanceEvent::kNone;
    return true;
  }
  switch (number) {
    case kMstatus:
      write_mstatus(value);
      return true;
    case kMisa:
      return true;
    case kMie:
      mie_ = value & kInterrupts;
      return true;
    case kMtvec:
      mtvec_ = value & ~2ull;
      return true;  // modes 2 and 3 are reserved
    case kMcounteren:
      mcounteren_ = value & (kCounters | kCounterTime);
      return true;
    case kMenvcfg:
      menvcfg_ = value & kMenvcfgFiom;
      return true;
    case kMcountinhibit:
      mcountinhibit_ = value & kCounters;
      return true;
    case kMscratch:
      mscratch_ = value;
      return true;
    case kMepc:
      mepc_ = value & ~1ull;
      return true;
    case kMcause:
      mcause_ = value;
      return true;
    case kMtval:
      mtval_ = value;
      return true;
    case kMip:
      return true;  // the machine-level bits belong to the interrupt controllers
    case kPmpcfg0:
      pmp_.write_config(0, value);
      return true;
    case kPmpcfg2:
      pmp_.write_config(8, value);
      return true;
    case kMcycle:
      mcycle_ = value;
      return true;
    case kMinstret:
      minstret_ = value;
      return true;
    default:
      return false;
  }
}

void CsrFile::write_mstatus(uint64_t value) {
  constexpr uint64_t kWritable = mstatus::kMie | mstatus::kMpie | mstatus::kFs | mstatus::kMprv | mstatus::kTw;
  const uint64_t mpp = (value & mstatus::kMpp) >> mstatus::kMppShift;
  mstatus_ = (value & kWritable) | (mstatus_ & mstatus::kMpp);
  // MPP is WARL: the modes the hart lacks leave it as it is.
  if (mpp == static_cast<uint64_t>(Privilege::kUser) || mpp == static_cast<uint64_t>(Privilege::kMachine)) {
    mstatus_ = (mstatus_ & ~mstatus::kMpp) | (value & mstatus::kMpp);
  }
}

uint64_t CsrFile::enter_trap(uint64_t cause, uint64_t value, uint64_t pc, Privilege from) {
  mepc_ = pc;
  mcause_ = cause;
  mtval_ = value;
  const uint64_t previous_enable = (mstatus_ & mstatus::kMie) != 0 ? mstatus::kMpie : 0;
  mstatus_ &= ~(mstatus::kMie | mstatus::kMpie | mstatus::kMpp);
  mstatus_ |= previous_enable | static_cast<uint64_t>(from) << mstatus::kMppShift;
  triggers_.enter_trap();
  count_event((cause & kMcauseInterrupt) != 0 ? PerformanceEvent::kInterrupt : PerformanceEvent::kException);
  const uint64_t base = mtvec_ & ~3ull;
  const bool vectored = (mtvec_ & 3) == 1 && (cause & kMcauseInterrupt) != 0;
  return vectored ? base + 4 * (cause & ~kMcauseInterrupt) : base;
}

Privilege CsrFile::leave_trap() {
  const auto to = static_cast<Privilege>((mstatus_ & mstatus::kMpp) >> mstatus::kMppShift);
  const uint64_t enable = (mstatus_ & mstatus::kMpie) != 0 ? mstatus::kMie : 0;
  mstatus_ &= ~(mstatus::kMie | mstatus::kMpp);
  mstatus_ |= enable | mstatus::kMpie;  // MPP becomes the least privileged mode, user
  if (to != Privilege::kMachine) mstatus_ &= ~mstatus::kMprv;
  triggers_.leave_trap();
  return to;
}

std::optional<Interrupt> CsrFile::interrupt_to_take(Privilege privilege) const {
  const uint64_t ready = mip_ & mie_;
  if (ready == 0) return std::nullopt;
  if (privilege == Privilege::kMachine && (mstatus_ & mstatus::kMie) == 0) return std::nullopt;
  for (const Interrupt line : {Interrupt::kExternal, Interrupt::kSoftware, Interrupt::kTimer}) {
    if ((ready & bit(line)) != 0) return line;
  }
  return std::nullopt;
}

void CsrFile::set_interrupt_pending(Interrupt line, bool level) {
  mip_ = level ? mip_ | bit(line) : mip_ & ~bit(line);
}

Privilege CsrFile::data_privilege(Privilege privilege) const {
  if (privilege != Privilege::kMachine || (mstatus_ & mstatus::kMprv) == 0) return privilege;
  return static_cast<Privilege>((mstatus_ & mstatus::kMpp) >> mstatus::kMppShift);
}

void CsrFile::count(uint64_t cycles, uint64_t instructions) {
  if ((mcountinhibit_ & kCounterCycle) == 0) mcycle_ += cycles;
  if ((mcountinhibit_ & kCounterInstret) == 0) minstret_ += instructions;
}

void CsrFile::count_event(PerformanceEvent event, uint64_t times) {
  for (unsigned i = 0; i < kEventCounters; ++i) {
    if (mhpmevent_[i] == event && ((mcountinhibit_ >> (3 + i)) & 1) == 0) mhpmcounter_[i] += times;
  }
}

void CsrFile::uncount(unsigned number) {
  if (number == kMcycle && (mcountinhibit_ & kCounterCycle) == 0) --mcycle_;
  if (number == kMinstret && (mcountinhibit_ & kCounterInstret) == 0) --minstret_;
}

}  // namespace npuvp::riscv

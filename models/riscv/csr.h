// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Numbers and bits of the control and status registers the hart has (Privileged ISA 1.12, chapters 2 and 3).
namespace npuvp::riscv::csr {

inline constexpr unsigned kFflags = 0x001;
inline constexpr unsigned kFrm = 0x002;
inline constexpr unsigned kFcsr = 0x003;

inline constexpr unsigned kCycle = 0xc00;
inline constexpr unsigned kTime = 0xc01;
inline constexpr unsigned kInstret = 0xc02;
inline constexpr unsigned kHpmcounter3 = 0xc03;
inline constexpr unsigned kHpmcounter31 = 0xc1f;

inline constexpr unsigned kMstatus = 0x300;
inline constexpr unsigned kMisa = 0x301;
inline constexpr unsigned kMie = 0x304;
inline constexpr unsigned kMtvec = 0x305;
inline constexpr unsigned kMcounteren = 0x306;
inline constexpr unsigned kMenvcfg = 0x30a;
inline constexpr unsigned kMcountinhibit = 0x320;
inline constexpr unsigned kMhpmevent3 = 0x323;
inline constexpr unsigned kMhpmevent31 = 0x33f;
inline constexpr unsigned kMscratch = 0x340;
inline constexpr unsigned kMepc = 0x341;
inline constexpr unsigned kMcause = 0x342;
inline constexpr unsigned kMtval = 0x343;
inline constexpr unsigned kMip = 0x344;
inline constexpr unsigned kPmpcfg0 = 0x3a0;
inline constexpr unsigned kPmpcfg2 = 0x3a2;
inline constexpr unsigned kPmpaddr0 = 0x3b0;
inline constexpr unsigned kPmpaddr15 = 0x3bf;
inline constexpr unsigned kTselect = 0x7a0;
inline constexpr unsigned kTdata1 = 0x7a1;
inline constexpr unsigned kTdata2 = 0x7a2;
inline constexpr unsigned kTdata3 = 0x7a3;
inline constexpr unsigned kTinfo = 0x7a4;
inline constexpr unsigned kTcontrol = 0x7a5;
inline constexpr unsigned kMcycle = 0xb00;
inline constexpr unsigned kMinstret = 0xb02;
inline constexpr unsigned kMhpmcounter3 = 0xb03;
inline constexpr unsigned kMhpmcounter31 = 0xb1f;
inline constexpr unsigned kMvendorid = 0xf11;
inline constexpr unsigned kMarchid = 0xf12;
inline constexpr unsigned kMimpid = 0xf13;
inline constexpr unsigned kMhartid = 0xf14;
inline constexpr unsigned kMconfigptr = 0xf15;

namespace mstatus {
inline constexpr uint64_t kMie = 1ull << 3;
inline constexpr uint64_t kMpie = 1ull << 7;
inline constexpr unsigned kMppShift = 11;
inline constexpr uint64_t kMpp = 3ull << kMppShift;
inline constexpr uint64_t kFs = 3ull << 13;  ///< State of the floating-point unit: off, initial, clean, dirty.
inline constexpr uint64_t kMprv = 1ull << 17;
inline constexpr uint64_t kTw = 1ull << 21;
inline constexpr uint64_t kUxl64 = 2ull << 32;  ///< Read-only: user mode is 64 bits wide.
inline constexpr uint64_t kSd = 1ull << 63;     ///< Read-only: FS is dirty.
}  // namespace mstatus

inline constexpr uint64_t kMisaRv64 = 2ull << 62;
inline constexpr uint64_t kMcauseInterrupt = 1ull << 63;

/// Bits of mcounteren and mcountinhibit.
inline constexpr uint64_t kCounterCycle = 1;
inline constexpr uint64_t kCounterTime = 2;
inline constexpr uint64_t kCounterInstret = 4;

/// The hpm counters that count: 3 .. 3 + kEventCounters - 1. The others are read-only zero.
inline constexpr unsigned kEventCounters = 4;
inline constexpr uint64_t kCounterEvents = ((1ull << kEventCounters) - 1) << 3;

/// Section 2.1: bits 11:10 of a CSR number are 3 for read-only ones, bits 9:8 the lowest privilege.
[[nodiscard]] constexpr bool is_read_only(unsigned number) {
  return ((number >> 10) & 3) == 3;
}
[[nodiscard]] constexpr unsigned lowest_privilege(unsigned number) {
  return (number >> 8) & 3;
}

}  // namespace npuvp::riscv::csr

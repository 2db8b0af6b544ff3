// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::riscv {

enum class Privilege : uint8_t { kUser = 0, kMachine = 3 };

enum class AccessType : uint8_t { kLoad, kStore, kFetch };

/// Interrupt inputs of a hart; the values are mip bit numbers and interrupt codes of mcause.
enum class Interrupt : uint8_t { kSoftware = 3, kTimer = 7, kExternal = 11 };

/// Synchronous exception codes of mcause (Privileged ISA, table "mcause values after trap").
enum class Exception : uint8_t {
  kFetchMisaligned = 0,
  kFetchAccessFault = 1,
  kIllegalInstruction = 2,
  kBreakpoint = 3,
  kLoadMisaligned = 4,
  kLoadAccessFault = 5,
  kStoreMisaligned = 6,
  kStoreAccessFault = 7,
  kEcallFromUser = 8,
  kEcallFromMachine = 11,
};

}  // namespace npuvp::riscv

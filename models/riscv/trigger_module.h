// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "models/riscv/privilege.h"

namespace npuvp::riscv {

/// Hardware breakpoints and watchpoints: four address triggers of type mcontrol6, each for fetches, loads and stores in
/// machine and user mode (RISC-V Debug Specification 1.0, chapter "Sdtrig"). They fire before the access. Address
/// matches are equal, NAPOT, at or above, and below; data matches, chains and other types are not there. A trigger
/// raises a breakpoint exception (action 0) or stops the hart for the debugger (action 1), which only the debugger can
/// ask for. tcontrol.mte keeps exceptions out of machine mode's trap handlers.
class TriggerModule {
 public:
  static constexpr unsigned kTriggers = 4;
  enum class Action : uint8_t { kException, kDebugger };

  /// Bits of tdata1 for type mcontrol6.
  enum Control : uint64_t {
    kLoad = 1ull << 0,
    kStore = 1ull << 1,
    kExecute = 1ull << 2,
    kUser = 1ull << 3,
    kMachine = 1ull << 6,
    kNapot = 1ull << 7,
    kAtOrAbove = 2ull << 7,
    kBelow = 3ull << 7,
    kMatch = 15ull << 7,
    kToDebugger = 1ull << 12,
    kActionMask = 15ull << 12,
    kSizeMask = 7ull << 16,
    kHit = 1ull << 22,
    kDebuggerOnly = 1ull << 59,
    kMcontrol6 = 6ull << 60,
    kDisabled = 15ull << 60,
  };

  TriggerModule() { reset(); }
  /// All triggers disabled, those of the debugger too.
  void reset();

  /// CSRs tselect to tcontrol; `debugger` may change what is marked for it (dmode).
  [[nodiscard]] std::optional<uint64_t> read(unsigned number) const;
  [[nodiscard]] bool write(unsigned number, uint64_t value, bool debugger);

  /// What a trigger does to an access before it happens, if one matches. The debugger comes first.
  [[nodiscard]] std::optional<Action> match(uint64_t address, unsigned size_bytes, AccessType type,
                                            Privilege privilege);

  /// Whether any trigger may match an access of this type in the range: the fast paths stay clear of it.
  [[nodiscard]] bool covers(uint64_t address, uint64_t size_bytes, AccessType type) const;
  [[nodiscard]] bool any(AccessType type) const;

  void enter_trap();
  void leave_trap();

 private:
  struct Trigger {
    uint64_t control = kDisabled;
    uint64_t address = 0;
  };
  /// Bytes [first, last] whose access fires.
  struct Range {
    uint64_t first;
    uint64_t last;
  };

  [[nodiscard]] static Range range_of(const Trigger& trigger);
  [[nodiscard]] static bool matches(const Trigger& trigger, uint64_t address, uint64_t size_bytes, AccessType type);

  std::array<Trigger, kTriggers> triggers_;
  unsigned selected_ = 0;
  bool machine_enable_ = false;           ///< tcontrol.mte
  bool machine_previous_enable_ = false;  ///< tcontrol.mpte
};

}  // namespace npuvp::riscv

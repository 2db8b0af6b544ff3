// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/base/register_bank.h"

namespace npuvp::pcie {

/// How a function is reset, PCI Express Base Specification 6.6. All but the first leave sticky bits as they are.
enum class ResetKind : uint8_t {
  kFundamental,    ///< Cold or warm: everything.
  kHot,            ///< Through the link: secondary bus reset, link disable, link down.
  kFunctionLevel,  ///< One function alone: what belongs to the link stays too.
};

/// A structure of configuration space that is found through the capability list or the extended capability list.
class Capability {
 public:
  virtual ~Capability() = default;

  [[nodiscard]] virtual base::RegisterBank& bank() = 0;

  /// What the structure takes of configuration space, from offset 0 of the bank.
  [[nodiscard]] virtual unsigned bytes() { return static_cast<unsigned>(bank().size()); }

  virtual void reset(ResetKind kind) {
    if (kind == ResetKind::kFundamental) {
      bank().reset();
    } else {
      bank().reset_unless_sticky();
    }
  }
};

/// Some bits of a register that outlive a reset: takes them when constructed and gives them back.
class KeptBits {
 public:
  KeptBits(base::Register& kept, uint64_t bits) : register_(kept), bits_(bits), value_(kept.get() & bits) {}
  explicit KeptBits(base::Register& kept) : KeptBits(kept, ~0ULL) {}

  void restore() const { register_.set((register_.get() & ~bits_) | value_); }

 private:
  base::Register& register_;
  uint64_t bits_;
  uint64_t value_;
};

}  // namespace npuvp::pcie

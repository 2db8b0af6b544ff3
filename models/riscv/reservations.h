// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace npuvp::riscv {

class Hart;

/// The LR reservations of harts that share memory: a store by one hart ends the reservations of the others on the same
/// 64-byte block, whatever value it leaves. A page with a reservation is kept out of the other harts' store buffers, so
/// that their stores to it come by here; nothing else pays for it.
class Reservations {
 public:
  static constexpr uint64_t kBlockBytes = 64;

  /// `hart` takes part from now on; it must outlive the last use of this object.
  void add(Hart& hart) { harts_.push_back(&hart); }

  /// `hart` has reserved `address`.
  void reserved(const Hart& hart, uint64_t address);
  /// `hart` has written [address, address + size_bytes).
  void stored(const Hart& hart, uint64_t address, unsigned size_bytes);
  /// Whether another hart than `hart` holds a reservation in the 4 KiB page.
  [[nodiscard]] bool others_reserve(const Hart& hart, uint64_t page) const;

 private:
  std::vector<Hart*> harts_;
};

}  // namespace npuvp::riscv

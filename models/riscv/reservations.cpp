// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/reservations.h"

#include "models/riscv/hart.h"

namespace npuvp::riscv {

void Reservations::reserved(const Hart& hart, uint64_t address) {
  for (Hart* const other : harts_) {
    if (other != &hart) other->keep_stores_out_of_buffer(page_of(address));
  }
}

void Reservations::stored(const Hart& hart, uint64_t address, unsigned size_bytes) {
  for (Hart* const other : harts_) {
    if (other == &hart || !other->reserves()) continue;
    const uint64_t block = other->reserved_address() & ~(kBlockBytes - 1);
    if (address < block + kBlockBytes && address + size_bytes > block) other->lose_reservation();
  }
}

bool Reservations::others_reserve(const Hart& hart, uint64_t page) const {
  for (const Hart* const other : harts_) {
    if (other != &hart && other->reserves() && page_of(other->reserved_address()) == page) return true;
  }
  return false;
}

}  // namespace npuvp::riscv

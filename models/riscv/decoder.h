// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/riscv/instruction.h"

namespace npuvp::riscv {

/// Whether the 16-bit parcel starts a 32-bit instruction (Unprivileged ISA, section 1.5: low two bits 11).
[[nodiscard]] constexpr bool is_wide(uint16_t parcel) {
  return (parcel & 3) == 3;
}

/// Decodes a 32-bit RV64IMAFD_Zicsr_Zifencei_Zba_Zbb instruction; Op::kIllegal for every other encoding.
[[nodiscard]] Instruction decode(uint32_t raw);

/// Decodes a 16-bit RV64C instruction; Op::kIllegal for reserved encodings.
[[nodiscard]] Instruction decode_compressed(uint16_t raw);

/// The 32-bit instruction a compressed one stands for (Unprivileged ISA, chapter "C"), or 0, which is illegal.
[[nodiscard]] uint32_t expand_compressed(uint16_t raw);

}  // namespace npuvp::riscv

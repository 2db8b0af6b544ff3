// SPDX-License-Identifier: Apache-2.0
// Expansion of RV64C, Unprivileged ISA, chapter "C" (instruction listings by quadrant).
#include "models/riscv/decoder.h"

namespace npuvp::riscv {
namespace {

constexpr uint32_t kIllegal = 0;
constexpr uint32_t kZero = 0;
constexpr uint32_t kReturnAddress = 1;
constexpr uint32_t kStackPointer = 2;

constexpr uint32_t kOpLoad = 0x03, kOpLoadFp = 0x07, kOpImm = 0x13, kOpImm32 = 0x1b, kOpStore = 0x23, kOpStoreFp = 0x27,
                   kOpReg = 0x33, kOpLui = 0x37, kOpReg32 = 0x3b, kOpBranch = 0x63, kOpJalr = 0x67, kOpJal = 0x6f;
constexpr uint32_t kEbreak = 0x00100073;

constexpr uint32_t bits(uint32_t raw, unsigned high, unsigned low) {
  return (raw >> low) & ((1u << (high - low + 1)) - 1);
}

/// Bit `from` of `raw` moved to bit `to`.
constexpr uint32_t move_bit(uint32_t raw, unsigned from, unsigned to) {
  return ((raw >> from) & 1) << to;
}

constexpr uint32_t sign_extend(uint32_t value, unsigned width) {
  const uint32_t sign = 1u << (width - 1);
  return (value ^ sign) - sign;
}

constexpr uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t imm) {
  return (imm & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t s_type(uint32_t opcode, uint32_t funct3, uint32_t rs1, uint32_t rs2, uint32_t imm) {
  return bits(imm, 11, 5) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | bits(imm, 4, 0) << 7 | opcode;
}
constexpr uint32_t r_type(uint32_t opcode, uint32_t funct7, uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t rs2) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t branch(uint32_t funct3, uint32_t rs1, uint32_t imm) {
  return bits(imm, 12, 12) << 31 | bits(imm, 10, 5) << 25 | rs1 << 15 | funct3 << 12 | bits(imm, 4, 1) << 8 |
         bits(imm, 11, 11) << 7 | kOpBranch;
}
constexpr uint32_t jump(uint32_t rd, uint32_t imm) {
  return bits(imm, 20, 20) << 31 | bits(imm, 10, 1) << 21 | bits(imm, 11, 11) << 20 | bits(imm, 19, 12) << 12 |
         rd << 7 | kOpJal;
}

constexpr uint32_t small_register(uint32_t raw, unsigned low) {
  return 8 + bits(raw, low + 2, low);
}

constexpr uint32_t imm6(uint32_t raw) {
  return move_bit(raw, 12, 5) | bits(raw, 6, 2);
}
constexpr uint32_t offset_word(uint32_t raw) {
  return bits(raw, 12, 10) << 3 | move_bit(raw, 6, 2) | move_bit(raw, 5, 6);
}
constexpr uint32_t offset_double(uint32_t raw) {
  return bits(raw, 12, 10) << 3 | bits(raw, 6, 5) << 6;
}
constexpr uint32_t offset_branch(uint32_t raw) {
  return sign_extend(
      move_bit(raw, 12, 8) | bits(raw, 11, 10) << 3 | bits(raw, 6, 5) << 6 | bits(raw, 4, 3) << 1 | move_bit(raw, 2, 5),
      9);
}
constexpr uint32_t offset_jump(uint32_t raw) {
  return sign_extend(move_bit(raw, 12, 11) | move_bit(raw, 11, 4) | bits(raw, 10, 9) << 8 | move_bit(raw, 8, 10) |
                         move_bit(raw, 7, 6) | move_bit(raw, 6, 7) | bits(raw, 5, 3) << 1 | move_bit(raw, 2, 5),
                     12);
}

uint32_t quadrant0(uint32_t raw) {
  const uint32_t base = small_register(raw, 7);
  const uint32_t other = small_register(raw, 2);
  switch (bits(raw, 15, 13)) {
    case 0: {  // C.ADDI4SPN
      const uint32_t imm = bits(raw, 12, 11) << 4 | bits(raw, 10, 7) << 6 | move_bit(raw, 6, 2) | move_bit(raw, 5, 3);
      return imm == 0 ? kIllegal : i_type(kOpImm, 0, other, kStackPointer, imm);
    }
    case 1:
      return i_type(kOpLoadFp, 3, other, base, offset_double(raw));  // C.FLD
    case 2:
      return i_type(kOpLoad, 2, other, base, offset_word(raw));  // C.LW
    case 3:
      return i_type(kOpLoad, 3, other, base, offset_double(raw));  // C.LD
    case 5:
      return s_type(kOpStoreFp, 3, base, other, offset_double(raw));  // C.FSD
    case 6:
      return s_type(kOpStore, 2, base, other, offset_word(raw));  // C.SW
    case 7:
      return s_type(kOpStore, 3, base, other, offset_double(raw));  // C.SD
    default:
      return kIllegal;  // reserved
  }
}

uint32_t quadrant1_arithmetic(uint32_t raw) {
  const uint32_t rd = small_register(raw, 7);
  const uint32_t rs2 = small_register(raw, 2);
  switch (bits(raw, 11, 10)) {
    case 0:
      return i_type(kOpImm, 5, rd, rd, imm6(raw));  // C.SRLI
    case 1:
      return i_type(kOpImm, 5, rd, rd, imm6(raw) | 0x400);  // C.SRAI
    case 2:
      return i_type(kOpImm, 7, rd, rd, sign_extend(imm6(raw), 6));  // C.ANDI
    default:
      break;
  }
  const bool word = bits(raw, 12, 12) != 0;
  switch (bits(raw, 6, 5)) {
    case 0:
      return r_type(word ? kOpReg32 : kOpReg, 0x20, 0, rd, rd, rs2);  // C.SUB, C.SUBW
    case 1:
      return word ? r_type(kOpReg32, 0, 0, rd, rd, rs2) : r_type(kOpReg, 0, 4, rd, rd, rs2);  // C.ADDW, C.XOR
    case 2:
      return word ? kIllegal : r_type(kOpReg, 0, 6, rd, rd, rs2);  // C.OR
    default:
      return word ? kIllegal : r_type(kOpReg, 0, 7, rd, rd, rs2);  // C.AND
  }
}

uint32_t quadrant1(uint32_t raw) {
  const uint32_t rd = bits(raw, 11, 7);
  const uint32_t imm = sign_extend(imm6(raw), 6);
  switch (bits(raw, 15, 13)) {
    case 0:
      return i_type(kOpImm, 0, rd, rd, imm);  // C.NOP, C.ADDI
    case 1:
      return rd == 0 ? kIllegal : i_type(kOpImm32, 0, rd, rd, imm);  // C.ADDIW
    case 2:
      return i_type(kOpImm, 0, rd, kZero, imm);  // C.LI
    case 3:
      if (imm == 0) return kIllegal;
      if (rd == kStackPointer) {  // C.ADDI16SP
        const uint32_t offset = sign_extend(move_bit(raw, 12, 9) | move_bit(raw, 6, 4) | move_bit(raw, 5, 6) |
                                                bits(raw, 4, 3) << 7 | move_bit(raw, 2, 5),
                                            10);
        return i_type(kOpImm, 0, kStackPointer, kStackPointer, offset);
      }
      return (imm << 12) | rd << 7 | kOpLui;  // C.LUI
    case 4:
      return quadrant1_arithmetic(raw);
    case 5:
      return jump(kZero, offset_jump(raw));  // C.J
    case 6:
      return branch(0, small_register(raw, 7), offset_branch(raw));  // C.BEQZ
    default:
      return branch(1, small_register(raw, 7), offset_branch(raw));  // C.BNEZ
  }
}

uint32_t quadrant2(uint32_t raw) {
  const uint32_t rd = bits(raw, 11, 7);
  const uint32_t rs2 = bits(raw, 6, 2);
  switch (bits(raw, 15, 13)) {
    case 0:
      return i_type(kOpImm, 1, rd, rd, imm6(raw));  // C.SLLI
    case 1: {                                       // C.FLDSP
      const uint32_t offset = move_bit(raw, 12, 5) | bits(raw, 6, 5) << 3 | bits(raw, 4, 2) << 6;
      return i_type(kOpLoadFp, 3, rd, kStackPointer, offset);
    }
    case 2: {  // C.LWSP
      const uint32_t offset = move_bit(raw, 12, 5) | bits(raw, 6, 4) << 2 | bits(raw, 3, 2) << 6;
      return rd == 0 ? kIllegal : i_type(kOpLoad, 2, rd, kStackPointer, offset);
    }
    case 3: {  // C.LDSP
      const uint32_t offset = move_bit(raw, 12, 5) | bits(raw, 6, 5) << 3 | bits(raw, 4, 2) << 6;
      return rd == 0 ? kIllegal : i_type(kOpLoad, 3, rd, kStackPointer, offset);
    }
    case 4:
      if (bits(raw, 12, 12) == 0) {
        if (rs2 != 0) return r_type(kOpReg, 0, 0, rd, kZero, rs2);     // C.MV
        return rd == 0 ? kIllegal : i_type(kOpJalr, 0, kZero, rd, 0);  // C.JR
      }
      if (rs2 != 0) return r_type(kOpReg, 0, 0, rd, rd, rs2);                // C.ADD
      return rd == 0 ? kEbreak : i_type(kOpJalr, 0, kReturnAddress, rd, 0);  // C.EBREAK, C.JALR
    case 5:
      return s_type(kOpStoreFp, 3, kStackPointer, rs2, bits(raw, 12, 10) << 3 | bits(raw, 9, 7) << 6);  // C.FSDSP
    case 6:
      return s_type(kOpStore, 2, kStackPointer, rs2, bits(raw, 12, 9) << 2 | bits(raw, 8, 7) << 6);  // C.SWSP
    default:
      return s_type(kOpStore, 3, kStackPointer, rs2, bits(raw, 12, 10) << 3 | bits(raw, 9, 7) << 6);  // C.SDSP
  }
}

}  // namespace

uint32_t expand_compressed(uint16_t raw) {
  switch (raw & 3) {
    case 0:
      return quadrant0(raw);
    case 1:
      return quadrant1(raw);
    case 2:
      return quadrant2(raw);
    default:
      return kIllegal;
  }
}

}  // namespace npuvp::riscv

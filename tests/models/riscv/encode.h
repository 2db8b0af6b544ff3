// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Instruction words for tests, written from the encoding tables of the ISA manual and not from the decoder.
namespace npuvp::riscv::test {

constexpr uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1, int32_t imm) {
  return (static_cast<uint32_t>(imm) & 0xfffu) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t s_type(uint32_t funct3, uint32_t rs2, uint32_t rs1, int32_t imm) {
  const auto bits = static_cast<uint32_t>(imm);
  return ((bits >> 5) & 0x7fu) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (bits & 0x1fu) << 7 | 0x23u;
}
constexpr uint32_t addi(uint32_t rd, uint32_t rs1, int32_t imm) {
  return i_type(0x13, 0, rd, rs1, imm);
}
constexpr uint32_t load(uint32_t funct3, uint32_t rd, uint32_t rs1, int32_t imm = 0) {
  return i_type(0x03, funct3, rd, rs1, imm);
}
constexpr uint32_t lw(uint32_t rd, uint32_t rs1, int32_t imm = 0) {
  return load(2, rd, rs1, imm);
}
constexpr uint32_t ld(uint32_t rd, uint32_t rs1, int32_t imm = 0) {
  return load(3, rd, rs1, imm);
}
constexpr uint32_t sb(uint32_t rs2, uint32_t rs1, int32_t imm = 0) {
  return s_type(0, rs2, rs1, imm);
}
constexpr uint32_t sh(uint32_t rs2, uint32_t rs1, int32_t imm = 0) {
  return s_type(1, rs2, rs1, imm);
}
constexpr uint32_t sw(uint32_t rs2, uint32_t rs1, int32_t imm = 0) {
  return s_type(2, rs2, rs1, imm);
}
constexpr uint32_t sd(uint32_t rs2, uint32_t rs1, int32_t imm = 0) {
  return s_type(3, rs2, rs1, imm);
}
constexpr uint32_t jalr(uint32_t rd, uint32_t rs1, int32_t imm = 0) {
  return i_type(0x67, 0, rd, rs1, imm);
}
constexpr uint32_t csrrw(uint32_t rd, uint32_t csr, uint32_t rs1) {
  return i_type(0x73, 1, rd, rs1, static_cast<int32_t>(csr));
}
constexpr uint32_t csrrs(uint32_t rd, uint32_t csr, uint32_t rs1) {
  return i_type(0x73, 2, rd, rs1, static_cast<int32_t>(csr));
}
constexpr uint32_t csrrc(uint32_t rd, uint32_t csr, uint32_t rs1) {
  return i_type(0x73, 3, rd, rs1, static_cast<int32_t>(csr));
}
constexpr uint32_t amo(uint32_t funct5, uint32_t width, uint32_t rd, uint32_t rs2, uint32_t rs1) {
  return funct5 << 27 | rs2 << 20 | rs1 << 15 | width << 12 | rd << 7 | 0x2fu;
}
constexpr uint32_t lr_d(uint32_t rd, uint32_t rs1) {
  return amo(2, 3, rd, 0, rs1);
}
constexpr uint32_t sc_d(uint32_t rd, uint32_t rs2, uint32_t rs1) {
  return amo(3, 3, rd, rs2, rs1);
}
constexpr uint32_t amoadd_d(uint32_t rd, uint32_t rs2, uint32_t rs1) {
  return amo(0, 3, rd, rs2, rs1);
}
constexpr uint32_t lr_w(uint32_t rd, uint32_t rs1) {
  return amo(2, 2, rd, 0, rs1);
}

inline constexpr uint32_t kNop = 0x00000013;
inline constexpr uint32_t kEcall = 0x00000073;
inline constexpr uint32_t kEbreak = 0x00100073;
inline constexpr uint32_t kMret = 0x30200073;
inline constexpr uint32_t kSret = 0x10200073;
inline constexpr uint32_t kWfi = 0x10500073;
inline constexpr uint32_t kFenceI = 0x0000100f;
inline constexpr uint32_t kJumpToSelf = 0x0000006f;

// Registers by their ABI names.
inline constexpr uint32_t x0 = 0, ra = 1, sp = 2, t0 = 5, t1 = 6, a0 = 10, a1 = 11, a2 = 12, a3 = 13;

}  // namespace npuvp::riscv::test

// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/decoder.h"

#include <array>

namespace npuvp::riscv {
namespace {

constexpr uint32_t bits(uint32_t raw, unsigned high, unsigned low) {
  return (raw >> low) & ((1u << (high - low + 1)) - 1);
}

constexpr int32_t sign_extend(uint32_t value, unsigned width) {
  const uint32_t sign = 1u << (width - 1);
  return static_cast<int32_t>((value ^ sign) - sign);
}

constexpr int32_t imm_i(uint32_t raw) {
  return sign_extend(bits(raw, 31, 20), 12);
}
constexpr int32_t imm_s(uint32_t raw) {
  return sign_extend(bits(raw, 31, 25) << 5 | bits(raw, 11, 7), 12);
}
constexpr int32_t imm_u(uint32_t raw) {
  return static_cast<int32_t>(raw & 0xfffff000u);
}
constexpr int32_t imm_b(uint32_t raw) {
  return sign_extend(bits(raw, 31, 31) << 12 | bits(raw, 7, 7) << 11 | bits(raw, 30, 25) << 5 | bits(raw, 11, 8) << 1,
                     13);
}
constexpr int32_t imm_j(uint32_t raw) {
  return sign_extend(
      bits(raw, 31, 31) << 20 | bits(raw, 19, 12) << 12 | bits(raw, 20, 20) << 11 | bits(raw, 30, 21) << 1, 21);
}

using Row = std::array<Op, 8>;  // indexed by funct3

constexpr Row kBranch = {Op::kBeq, Op::kBne, Op::kIllegal, Op::kIllegal, Op::kBlt, Op::kBge, Op::kBltu, Op::kBgeu};
constexpr Row kLoad = {Op::kLb, Op::kLh, Op::kLw, Op::kLd, Op::kLbu, Op::kLhu, Op::kLwu, Op::kIllegal};
constexpr Row kStore = {Op::kSb, Op::kSh, Op::kSw, Op::kSd, Op::kIllegal, Op::kIllegal, Op::kIllegal, Op::kIllegal};
constexpr Row kOp = {Op::kAdd, Op::kSll, Op::kSlt, Op::kSltu, Op::kXor, Op::kSrl, Op::kOr, Op::kAnd};
constexpr Row kOpMul = {Op::kMul, Op::kMulh, Op::kMulhsu, Op::kMulhu, Op::kDiv, Op::kDivu, Op::kRem, Op::kRemu};
constexpr Row kOp32Mul = {Op::kMulw, Op::kIllegal, Op::kIllegal, Op::kIllegal,
                          Op::kDivw, Op::kDivuw,   Op::kRemw,    Op::kRemuw};
constexpr Row kCsr = {Op::kIllegal, Op::kCsrrw,  Op::kCsrrs,  Op::kCsrrc,
                      Op::kIllegal, Op::kCsrrwi, Op::kCsrrsi, Op::kCsrrci};

Op immediate_op(uint32_t raw, int32_t& imm) {
  const uint32_t funct6 = bits(raw, 31, 26);
  switch (bits(raw, 14, 12)) {
    case 0:
      return Op::kAddi;
    case 2:
      return Op::kSlti;
    case 3:
      return Op::kSltiu;
    case 4:
      return Op::kXori;
    case 6:
      return Op::kOri;
    case 7:
      return Op::kAndi;
    case 1:
      imm = static_cast<int32_t>(bits(raw, 25, 20));
      return funct6 == 0 ? Op::kSlli : Op::kIllegal;
    default:
      imm = static_cast<int32_t>(bits(raw, 25, 20));
      return funct6 == 0 ? Op::kSrli : funct6 == 0x10 ? Op::kSrai : Op::kIllegal;
  }
}

Op immediate32_op(uint32_t raw, int32_t& imm) {
  const uint32_t funct7 = bits(raw, 31, 25);
  switch (bits(raw, 14, 12)) {
    case 0:
      return Op::kAddiw;
    case 1:
      imm = static_cast<int32_t>(bits(raw, 24, 20));
      return funct7 == 0 ? Op::kSlliw : Op::kIllegal;
    case 5:
      imm = static_cast<int32_t>(bits(raw, 24, 20));
      return funct7 == 0 ? Op::kSrliw : funct7 == 0x20 ? Op::kSraiw : Op::kIllegal;
    default:
      return Op::kIllegal;
  }
}

Op register_op(uint32_t raw) {
  const uint32_t funct3 = bits(raw, 14, 12);
  switch (bits(raw, 31, 25)) {
    case 0x00:
      return kOp[funct3];
    case 0x01:
      return kOpMul[funct3];
    case 0x20:
      return funct3 == 0 ? Op::kSub : funct3 == 5 ? Op::kSra : Op::kIllegal;
    default:
      return Op::kIllegal;
  }
}

Op register32_op(uint32_t raw) {
  const uint32_t funct3 = bits(raw, 14, 12);
  switch (bits(raw, 31, 25)) {
    case 0x00:
      return funct3 == 0 ? Op::kAddw : funct3 == 1 ? Op::kSllw : funct3 == 5 ? Op::kSrlw : Op::kIllegal;
    case 0x01:
      return kOp32Mul[funct3];
    case 0x20:
      return funct3 == 0 ? Op::kSubw : funct3 == 5 ? Op::kSraw : Op::kIllegal;
    default:
      return Op::kIllegal;
  }
}

Op atomic_op(uint32_t raw) {
  const uint32_t width = bits(raw, 14, 12);
  if (width != 2 && width != 3) return Op::kIllegal;
  const bool word = width == 2;
  switch (bits(raw, 31, 27)) {
    case 0x00:
      return word ? Op::kAmoaddW : Op::kAmoaddD;
    case 0x01:
      return word ? Op::kAmoswapW : Op::kAmoswapD;
    case 0x02:
      return bits(raw, 24, 20) != 0 ? Op::kIllegal : word ? Op::kLrW : Op::kLrD;
    case 0x03:
      return word ? Op::kScW : Op::kScD;
    case 0x04:
      return word ? Op::kAmoxorW : Op::kAmoxorD;
    case 0x08:
      return word ? Op::kAmoorW : Op::kAmoorD;
    case 0x0c:
      return word ? Op::kAmoandW : Op::kAmoandD;
    case 0x10:
      return word ? Op::kAmominW : Op::kAmominD;
    case 0x14:
      return word ? Op::kAmomaxW : Op::kAmomaxD;
    case 0x18:
      return word ? Op::kAmominuW : Op::kAmominuD;
    case 0x1c:
      return word ? Op::kAmomaxuW : Op::kAmomaxuD;
    default:
      return Op::kIllegal;
  }
}

Op system_op(uint32_t raw) {
  switch (raw) {
    case 0x00000073:
      return Op::kEcall;
    case 0x00100073:
      return Op::kEbreak;
    case 0x30200073:
      return Op::kMret;
    case 0x10500073:
      return Op::kWfi;
    default:
      return kCsr[bits(raw, 14, 12)];
  }
}

}  // namespace

Instruction decode(uint32_t raw) {
  Instruction out;
  const uint32_t rd = bits(raw, 11, 7);
  const uint32_t funct3 = bits(raw, 14, 12);
  out.rd = rd == 0 ? kSinkRegister : static_cast<uint8_t>(rd);
  out.rs1 = static_cast<uint8_t>(bits(raw, 19, 15));
  out.rs2 = static_cast<uint8_t>(bits(raw, 24, 20));
  out.slots = 2;
  out.imm = imm_i(raw);
  out.raw = raw;
  switch (raw & 0x7f) {
    case 0x03:
      out.op = kLoad[funct3];
      break;
    case 0x0f:
      out.op = funct3 == 0 ? Op::kFence : funct3 == 1 ? Op::kFenceI : Op::kIllegal;
      break;
    case 0x13:
      out.op = immediate_op(raw, out.imm);
      break;
    case 0x17:
      out.op = Op::kAuipc, out.imm = imm_u(raw);
      break;
    case 0x1b:
      out.op = immediate32_op(raw, out.imm);
      break;
    case 0x23:
      out.op = kStore[funct3], out.imm = imm_s(raw);
      break;
    case 0x2f:
      out.op = atomic_op(raw);
      break;
    case 0x33:
      out.op = register_op(raw);
      break;
    case 0x37:
      out.op = Op::kLui, out.imm = imm_u(raw);
      break;
    case 0x3b:
      out.op = register32_op(raw);
      break;
    case 0x63:
      out.op = kBranch[funct3], out.imm = imm_b(raw);
      break;
    case 0x67:
      out.op = funct3 == 0 ? Op::kJalr : Op::kIllegal;
      break;
    case 0x6f:
      out.op = Op::kJal, out.imm = imm_j(raw);
      break;
    case 0x73:
      out.op = system_op(raw), out.csr = static_cast<uint16_t>(bits(raw, 31, 20));
      break;
    default:
      out.op = Op::kIllegal;
      break;
  }
  return out;
}

Instruction decode_compressed(uint16_t raw) {
  Instruction out = decode(expand_compressed(raw));
  out.slots = 1;
  out.raw = raw;
  return out;
}

}  // namespace npuvp::riscv

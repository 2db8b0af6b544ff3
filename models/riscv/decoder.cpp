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
constexpr Row kOpInverted = {Op::kSub,  Op::kIllegal, Op::kIllegal, Op::kIllegal,
                             Op::kXnor, Op::kSra,     Op::kOrn,     Op::kAndn};
constexpr Row kOpMinMax = {Op::kIllegal, Op::kIllegal, Op::kIllegal, Op::kIllegal,
                           Op::kMin,     Op::kMinu,    Op::kMax,     Op::kMaxu};
constexpr Row kOpShiftAdd = {Op::kIllegal, Op::kIllegal, Op::kSh1add, Op::kIllegal,
                             Op::kSh2add,  Op::kIllegal, Op::kSh3add, Op::kIllegal};
constexpr Row kOp32ShiftAdd = {Op::kIllegal,  Op::kIllegal, Op::kSh1addUw, Op::kIllegal,
                               Op::kSh2addUw, Op::kIllegal, Op::kSh3addUw, Op::kIllegal};
constexpr Row kCsr = {Op::kIllegal, Op::kCsrrw,  Op::kCsrrs,  Op::kCsrrc,
                      Op::kIllegal, Op::kCsrrwi, Op::kCsrrsi, Op::kCsrrci};

/// Zbb's instructions of one operand in the space of SLLI.
Op unary_op(uint32_t raw) {
  switch (bits(raw, 31, 20)) {
    case 0x600:
      return Op::kClz;
    case 0x601:
      return Op::kCtz;
    case 0x602:
      return Op::kCpop;
    case 0x604:
      return Op::kSextB;
    case 0x605:
      return Op::kSextH;
    default:
      return Op::kIllegal;
  }
}

/// SRLI and its relatives.
Op shift_right_op(uint32_t raw) {
  switch (bits(raw, 31, 26)) {
    case 0x00:
      return Op::kSrli;
    case 0x10:
      return Op::kSrai;
    case 0x18:
      return Op::kRori;
    default:
      return bits(raw, 31, 20) == 0x287 ? Op::kOrcB : bits(raw, 31, 20) == 0x6b8 ? Op::kRev8 : Op::kIllegal;
  }
}

Op immediate_op(uint32_t raw, int32_t& imm) {
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
      return bits(raw, 31, 26) == 0 ? Op::kSlli : unary_op(raw);
    default:
      imm = static_cast<int32_t>(bits(raw, 25, 20));
      return shift_right_op(raw);
  }
}

Op immediate32_op(uint32_t raw, int32_t& imm) {
  const uint32_t funct7 = bits(raw, 31, 25);
  switch (bits(raw, 14, 12)) {
    case 0:
      return Op::kAddiw;
    case 1:
      if (bits(raw, 31, 26) == 0x02) {
        imm = static_cast<int32_t>(bits(raw, 25, 20));
        return Op::kSlliUw;
      }
      imm = static_cast<int32_t>(bits(raw, 24, 20));
      if (funct7 == 0x30) return imm == 0 ? Op::kClzw : imm == 1 ? Op::kCtzw : imm == 2 ? Op::kCpopw : Op::kIllegal;
      return funct7 == 0 ? Op::kSlliw : Op::kIllegal;
    case 5:
      imm = static_cast<int32_t>(bits(raw, 24, 20));
      return funct7 == 0 ? Op::kSrliw : funct7 == 0x20 ? Op::kSraiw : funct7 == 0x30 ? Op::kRoriw : Op::kIllegal;
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
    case 0x05:
      return kOpMinMax[funct3];
    case 0x10:
      return kOpShiftAdd[funct3];
    case 0x20:
      return kOpInverted[funct3];
    case 0x30:
      return funct3 == 1 ? Op::kRol : funct3 == 5 ? Op::kRor : Op::kIllegal;
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
    case 0x04:
      return funct3 == 0 ? Op::kAddUw : funct3 == 4 && bits(raw, 24, 20) == 0 ? Op::kZextH : Op::kIllegal;
    case 0x10:
      return kOp32ShiftAdd[funct3];
    case 0x20:
      return funct3 == 0 ? Op::kSubw : funct3 == 5 ? Op::kSraw : Op::kIllegal;
    case 0x30:
      return funct3 == 1 ? Op::kRolw : funct3 == 5 ? Op::kRorw : Op::kIllegal;
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

/// `single` or `wide` by the format field, which allows nothing else.
Op by_format(uint32_t raw, Op single, Op wide) {
  const uint32_t format = bits(raw, 26, 25);
  return format == 0 ? single : format == 1 ? wide : Op::kIllegal;
}

/// Rounding modes 5 and 6 are reserved; 7 means frm.
bool reserved_rounding(uint32_t raw) {
  return bits(raw, 14, 12) == 5 || bits(raw, 14, 12) == 6;
}

Op multiply_add_op(uint32_t raw) {
  if (reserved_rounding(raw)) return Op::kIllegal;
  switch (bits(raw, 3, 2)) {
    case 0:
      return by_format(raw, Op::kFmaddS, Op::kFmaddD);
    case 1:
      return by_format(raw, Op::kFmsubS, Op::kFmsubD);
    case 2:
      return by_format(raw, Op::kFnmsubS, Op::kFnmsubD);
    default:
      return by_format(raw, Op::kFnmaddS, Op::kFnmaddD);
  }
}

Op pick(uint32_t index, std::array<Op, 4> ops) {
  return index < ops.size() ? ops[index] : Op::kIllegal;
}

/// OP-FP without rounding: the rm field selects the operation.
Op float_selected_op(uint32_t raw) {
  const uint32_t funct3 = bits(raw, 14, 12);
  const uint32_t rs2 = bits(raw, 24, 20);
  const bool single = bits(raw, 26, 25) == 0;
  switch (bits(raw, 31, 27)) {
    case 0x04:
      return single ? pick(funct3, {Op::kFsgnjS, Op::kFsgnjnS, Op::kFsgnjxS, Op::kIllegal})
                    : pick(funct3, {Op::kFsgnjD, Op::kFsgnjnD, Op::kFsgnjxD, Op::kIllegal});
    case 0x05:
      return single ? pick(funct3, {Op::kFminS, Op::kFmaxS, Op::kIllegal, Op::kIllegal})
                    : pick(funct3, {Op::kFminD, Op::kFmaxD, Op::kIllegal, Op::kIllegal});
    case 0x14:
      return single ? pick(funct3, {Op::kFleS, Op::kFltS, Op::kFeqS, Op::kIllegal})
                    : pick(funct3, {Op::kFleD, Op::kFltD, Op::kFeqD, Op::kIllegal});
    case 0x1c:
      if (rs2 != 0) return Op::kIllegal;
      return single ? pick(funct3, {Op::kFmvXW, Op::kFclassS, Op::kIllegal, Op::kIllegal})
                    : pick(funct3, {Op::kFmvXD, Op::kFclassD, Op::kIllegal, Op::kIllegal});
    case 0x1e:
      return rs2 != 0 || funct3 != 0 ? Op::kIllegal : single ? Op::kFmvWX : Op::kFmvDX;
    default:
      return Op::kIllegal;
  }
}

Op float_op(uint32_t raw) {
  const uint32_t rs2 = bits(raw, 24, 20);
  const bool single = bits(raw, 26, 25) == 0;
  if (bits(raw, 26, 25) > 1) return Op::kIllegal;
  if (const Op selected = float_selected_op(raw); selected != Op::kIllegal) return selected;
  if (reserved_rounding(raw)) return Op::kIllegal;
  switch (bits(raw, 31, 27)) {
    case 0x00:
      return by_format(raw, Op::kFaddS, Op::kFaddD);
    case 0x01:
      return by_format(raw, Op::kFsubS, Op::kFsubD);
    case 0x02:
      return by_format(raw, Op::kFmulS, Op::kFmulD);
    case 0x03:
      return by_format(raw, Op::kFdivS, Op::kFdivD);
    case 0x08:
      return single && rs2 == 1 ? Op::kFcvtSD : !single && rs2 == 0 ? Op::kFcvtDS : Op::kIllegal;
    case 0x0b:
      return rs2 != 0 ? Op::kIllegal : by_format(raw, Op::kFsqrtS, Op::kFsqrtD);
    case 0x18:
      return single ? pick(rs2, {Op::kFcvtWS, Op::kFcvtWuS, Op::kFcvtLS, Op::kFcvtLuS})
                    : pick(rs2, {Op::kFcvtWD, Op::kFcvtWuD, Op::kFcvtLD, Op::kFcvtLuD});
    case 0x1a:
      return single ? pick(rs2, {Op::kFcvtSW, Op::kFcvtSWu, Op::kFcvtSL, Op::kFcvtSLu})
                    : pick(rs2, {Op::kFcvtDW, Op::kFcvtDWu, Op::kFcvtDL, Op::kFcvtDLu});
    default:
      return Op::kIllegal;
  }
}

/// Whether OP-FP's destination is an integer register.
bool writes_integer(uint32_t raw) {
  const uint32_t funct5 = bits(raw, 31, 27);
  return funct5 == 0x14 || funct5 == 0x18 || funct5 == 0x1c;
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
    case 0x07:
      out.op = funct3 == 2 ? Op::kFlw : funct3 == 3 ? Op::kFld : Op::kIllegal, out.rd = static_cast<uint8_t>(rd);
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
    case 0x27:
      out.op = funct3 == 2 ? Op::kFsw : funct3 == 3 ? Op::kFsd : Op::kIllegal, out.imm = imm_s(raw);
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
    case 0x43:
    case 0x47:
    case 0x4b:
    case 0x4f:
      out.op = multiply_add_op(raw), out.rd = static_cast<uint8_t>(rd);
      break;
    case 0x53:
      out.op = float_op(raw);
      if (!writes_integer(raw)) out.rd = static_cast<uint8_t>(rd);
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
      out.op = system_op(raw);
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

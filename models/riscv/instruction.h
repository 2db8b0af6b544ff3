// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::riscv {

/// Every operation the interpreter has a handler for, in one list so that the enumeration and the dispatch table cannot
/// differ. The first group is internal: a slot not decoded yet, the slot after a page's last one, and direct jumps
/// inside a decoded page.
// clang-format off
#define NPUVP_RISCV_OPERATIONS(X)                                                                                   \
  X(Undecoded) X(PageEnd) X(BeqNear) X(BneNear) X(BltNear) X(BgeNear) X(BltuNear) X(BgeuNear) X(JalNear)            \
  X(Illegal) X(Lui) X(Auipc) X(Jal) X(Jalr)                                                                         \
  X(Beq) X(Bne) X(Blt) X(Bge) X(Bltu) X(Bgeu)                                                                       \
  X(Lb) X(Lh) X(Lw) X(Ld) X(Lbu) X(Lhu) X(Lwu) X(Sb) X(Sh) X(Sw) X(Sd)                                              \
  X(Addi) X(Slti) X(Sltiu) X(Xori) X(Ori) X(Andi)                                                                   \
  X(Slli) X(Srli) X(Srai)                                                                                           \
  X(Add) X(Sub) X(Sll) X(Slt) X(Sltu) X(Xor) X(Srl) X(Sra) X(Or) X(And)                                             \
  X(Addiw) X(Slliw) X(Srliw) X(Sraiw)                                                                               \
  X(Addw)                                                                                                           \
  X(Subw) X(Sllw) X(Srlw) X(Sraw)                                                                                   \
  X(Mul) X(Mulh) X(Mulhsu) X(Mulhu) X(Div) X(Divu) X(Rem) X(Remu)                                                   \
  X(Mulw) X(Divw) X(Divuw) X(Remw) X(Remuw)                                                                         \
  X(AddUw) X(Sh1add) X(Sh2add) X(Sh3add) X(Sh1addUw) X(Sh2addUw) X(Sh3addUw) X(SlliUw)                              \
  X(Andn) X(Orn) X(Xnor) X(Clz) X(Ctz) X(Cpop) X(Clzw) X(Ctzw) X(Cpopw) X(Max) X(Maxu) X(Min) X(Minu)               \
  X(SextB) X(SextH) X(ZextH) X(Rol) X(Rolw) X(Ror) X(Rori) X(Rorw) X(Roriw) X(OrcB) X(Rev8)                         \
  X(LrW) X(ScW) X(AmoswapW) X(AmoaddW) X(AmoxorW) X(AmoandW) X(AmoorW) X(AmominW) X(AmomaxW) X(AmominuW)            \
  X(AmomaxuW)                                                                                                       \
  X(LrD) X(ScD) X(AmoswapD) X(AmoaddD) X(AmoxorD) X(AmoandD) X(AmoorD) X(AmominD) X(AmomaxD) X(AmominuD)            \
  X(AmomaxuD)                                                                                                       \
  X(Flw) X(Fld) X(Fsw) X(Fsd)                                                                                       \
  X(FmaddS) X(FmsubS) X(FnmsubS) X(FnmaddS) X(FaddS) X(FsubS) X(FmulS) X(FdivS) X(FsqrtS) X(FsgnjS) X(FsgnjnS)      \
  X(FsgnjxS) X(FminS) X(FmaxS) X(FcvtWS) X(FcvtWuS) X(FcvtLS) X(FcvtLuS) X(FcvtSW) X(FcvtSWu) X(FcvtSL) X(FcvtSLu)  \
  X(FmvXW) X(FmvWX) X(FeqS) X(FltS) X(FleS) X(FclassS)                                                              \
  X(FmaddD) X(FmsubD) X(FnmsubD) X(FnmaddD) X(FaddD) X(FsubD) X(FmulD) X(FdivD) X(FsqrtD) X(FsgnjD) X(FsgnjnD)      \
  X(FsgnjxD) X(FminD) X(FmaxD) X(FcvtWD) X(FcvtWuD) X(FcvtLD) X(FcvtLuD) X(FcvtDW) X(FcvtDWu) X(FcvtDL) X(FcvtDLu)  \
  X(FmvXD) X(FmvDX) X(FeqD) X(FltD) X(FleD) X(FclassD) X(FcvtSD) X(FcvtDS)                                          \
  X(Fence) X(FenceI) X(Ecall) X(Ebreak) X(Mret) X(Wfi)                                                              \
  X(Csrrw) X(Csrrs) X(Csrrc) X(Csrrwi) X(Csrrsi) X(Csrrci)
// clang-format on

/// Pairs of neighbours that the interpreter goes through without looking up the second one's handler: what compilers
/// put together most often (loop ends, indexed accesses, address and zero-extension idioms, frames, bit tests).
// clang-format off
#define NPUVP_RISCV_PAIRS(X)                                                                                        \
  X(Addi, Addi) X(Addi, Add) X(Addi, Xor) X(Addi, BneNear) X(Addi, BeqNear) X(Addi, Sd) X(Addi, Lw) X(Addi, Ld)     \
  X(Addiw, BneNear) X(Addiw, Addi) X(Addiw, Andi) X(Andi, Slli) X(Andi, BeqNear) X(Andi, BneNear) X(Andi, BltuNear) \
  X(Slli, Add) X(Slli, Srli) X(Srli, Add) X(Add, Lw) X(Add, Ld) X(Add, Lbu) X(Add, Addi) X(Add, BneNear)            \
  X(Xor, Andi) X(Xor, Addi) X(Xor, Addiw) X(Xor, Slli) X(Addw, Addiw) X(Mulw, Addw) X(Lui, Addi) X(Auipc, Addi)     \
  X(Ld, Ld) X(Ld, Xor) X(Ld, Addi) X(Lw, Addi) X(Lw, Lw) X(Lw, Xor) X(Lbu, Srliw) X(Lbu, Addi) X(Srliw, Addi)       \
  X(Lbu, BltuNear) X(Sd, Sd) X(Sd, Addi) X(Sw, Addi)
// clang-format on

enum class Op : uint16_t {
#define NPUVP_RISCV_ENUMERATOR(name) k##name,
  NPUVP_RISCV_OPERATIONS(NPUVP_RISCV_ENUMERATOR)
#undef NPUVP_RISCV_ENUMERATOR
};

inline constexpr unsigned kOperations = 0
#define NPUVP_RISCV_COUNT(name) +1  // NOLINT(bugprone-macro-parentheses): a term of the sum
    NPUVP_RISCV_OPERATIONS(NPUVP_RISCV_COUNT);
#undef NPUVP_RISCV_COUNT

/// Numbers of the pairs, in the order of their list; kCount is none of them.
enum class Pair : uint16_t {
#define NPUVP_RISCV_ENUMERATOR(first, second) k##first##second,
  NPUVP_RISCV_PAIRS(NPUVP_RISCV_ENUMERATOR)
#undef NPUVP_RISCV_ENUMERATOR
      kCount,
};

/// Destination index used in place of x0: a register nobody reads, so that handlers need no test for x0.
inline constexpr uint8_t kSinkRegister = 32;

/// One decoded instruction, independent of where it stands (the near jumps excepted).
struct Instruction {
  Op op = Op::kUndecoded;
  uint8_t rd = kSinkRegister;  ///< 1..31, or kSinkRegister for x0; 0..31 where it is a floating-point register.
  uint8_t rs1 = 0;             ///< 0..31; the zero-extended immediate of Csrr?i.
  uint8_t rs2 = 0;
  uint8_t slots = 1;     ///< Length in units of 2 bytes: 1 compressed, 2 otherwise.
  uint16_t handler = 0;  ///< The interpreter's, see code_cache.h; the decoder leaves it 0.
  int32_t imm = 0;       ///< Sign-extended immediate; bytes for jumps, slots for near jumps, shift amount for shifts.
  uint32_t raw = 0;      ///< The bits as fetched, 16 significant when compressed.
};
/// CSR number of a Csrr* instruction.
[[nodiscard]] constexpr unsigned csr_of(const Instruction& instruction) {
  return instruction.raw >> 20;
}
static_assert(sizeof(Instruction) == 16, "a decoded page must stay small enough for the host's L1 cache");

}  // namespace npuvp::riscv

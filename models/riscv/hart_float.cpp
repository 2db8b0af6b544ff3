// SPDX-License-Identifier: Apache-2.0
// Floating-point instructions: registers, NaN boxing, rounding modes and flags around fp's arithmetic.
#include "models/riscv/hart.h"
#include "models/riscv/soft_float.h"

namespace npuvp::riscv {
namespace {

constexpr uint64_t kBox = 0xffffffff00000000;

/// A single-precision operand: what is not boxed counts as the canonical NaN (Unprivileged ISA, "NaN Boxing").
uint32_t unbox(uint64_t value) {
  return (value & kBox) == kBox ? static_cast<uint32_t>(value) : fp::kCanonicalNan<fp::Single>;
}

template <typename F>
typename F::Bits operand(uint64_t value) {
  if constexpr (sizeof(typename F::Bits) == 4) {
    return unbox(value);
  } else {
    return value;
  }
}

template <typename F>
uint64_t register_value(typename F::Bits value) {
  if constexpr (sizeof(typename F::Bits) == 4) {
    return kBox | value;
  } else {
    return value;
  }
}

/// Integer results of 32 bits are sign-extended, those of FCVT.WU too.
template <typename Integer>
uint64_t integer_register(Integer value) {
  if constexpr (sizeof(Integer) == 4) {
    return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
  } else {
    return static_cast<uint64_t>(value);
  }
}

/// The operands and results of one instruction.
struct Operation {
  const Instruction& instruction;
  const std::array<uint64_t, 33>& x;
  const std::array<uint64_t, 32>& f;
  fp::Environment environment;
  bool writes_float = true;
  uint64_t result = 0;

  template <typename F>
  [[nodiscard]] typename F::Bits a() const {
    return operand<F>(f[instruction.rs1]);
  }
  template <typename F>
  [[nodiscard]] typename F::Bits b() const {
    return operand<F>(f[instruction.rs2]);
  }
  template <typename F>
  [[nodiscard]] typename F::Bits c() const {
    return operand<F>(f[instruction.raw >> 27]);
  }
  template <typename F>
  void to_float(typename F::Bits value) {
    result = register_value<F>(value);
  }
  void to_integer(uint64_t value) {
    writes_float = false;
    result = value;
  }

  /// -(a * b) and so on: the sign of a product or an addend is turned before anything is rounded.
  template <typename F>
  void fused(bool negative_product, bool negative_addend) {
    const auto turn = [](typename F::Bits value, bool negative) { return negative ? value ^ fp::kSignBit<F> : value; };
    to_float<F>(
        fp::multiply_add<F>(turn(a<F>(), negative_product), b<F>(), turn(c<F>(), negative_addend), environment));
  }
  template <typename F>
  void sign(typename F::Bits sign_source) {
    to_float<F>((a<F>() & ~fp::kSignBit<F>) | (sign_source & fp::kSignBit<F>));
  }
  template <typename F, typename Integer>
  void convert_to() {
    to_integer(integer_register(fp::to_integer<F, Integer>(a<F>(), environment)));
  }
  template <typename F, typename Integer>
  void convert_from() {
    to_float<F>(fp::from_integer<F, Integer>(static_cast<Integer>(x[instruction.rs1]), environment));
  }

  void perform(Op op);
};

#define NPUVP_FLOAT_CASES(S, F)                                                   \
  case Op::kFmadd##S:                                                             \
    return fused<F>(false, false);                                                \
  case Op::kFmsub##S:                                                             \
    return fused<F>(false, true);                                                 \
  case Op::kFnmsub##S:                                                            \
    return fused<F>(true, false);                                                 \
  case Op::kFnmadd##S:                                                            \
    return fused<F>(true, true);                                                  \
  case Op::kFadd##S:                                                              \
    return to_float<F>(fp::add<F>(a<F>(), b<F>(), environment));                  \
  case Op::kFsub##S:                                                              \
    return to_float<F>(fp::subtract<F>(a<F>(), b<F>(), environment));             \
  case Op::kFmul##S:                                                              \
    return to_float<F>(fp::multiply<F>(a<F>(), b<F>(), environment));             \
  case Op::kFdiv##S:                                                              \
    return to_float<F>(fp::divide<F>(a<F>(), b<F>(), environment));               \
  case Op::kFsqrt##S:                                                             \
    return to_float<F>(fp::square_root<F>(a<F>(), environment));                  \
  case Op::kFsgnj##S:                                                             \
    return sign<F>(b<F>());                                                       \
  case Op::kFsgnjn##S:                                                            \
    return sign<F>(static_cast<F::Bits>(~b<F>()));                                \
  case Op::kFsgnjx##S:                                                            \
    return sign<F>(a<F>() ^ b<F>());                                              \
  case Op::kFmin##S:                                                              \
    return to_float<F>(fp::minimum<F>(a<F>(), b<F>(), environment));              \
  case Op::kFmax##S:                                                              \
    return to_float<F>(fp::maximum<F>(a<F>(), b<F>(), environment));              \
  case Op::kFeq##S:                                                               \
    return to_integer(fp::equal<F>(a<F>(), b<F>(), environment) ? 1 : 0);         \
  case Op::kFlt##S:                                                               \
    return to_integer(fp::less<F>(a<F>(), b<F>(), environment) ? 1 : 0);          \
  case Op::kFle##S:                                                               \
    return to_integer(fp::less_or_equal<F>(a<F>(), b<F>(), environment) ? 1 : 0); \
  case Op::kFclass##S:                                                            \
    return to_integer(fp::classify<F>(a<F>()));                                   \
  case Op::kFcvtW##S:                                                             \
    return convert_to<F, int32_t>();                                              \
  case Op::kFcvtWu##S:                                                            \
    return convert_to<F, uint32_t>();                                             \
  case Op::kFcvtL##S:                                                             \
    return convert_to<F, int64_t>();                                              \
  case Op::kFcvtLu##S:                                                            \
    return convert_to<F, uint64_t>();                                             \
  case Op::kFcvt##S##W:                                                           \
    return convert_from<F, int32_t>();                                            \
  case Op::kFcvt##S##Wu:                                                          \
    return convert_from<F, uint32_t>();                                           \
  case Op::kFcvt##S##L:                                                           \
    return convert_from<F, int64_t>();                                            \
  case Op::kFcvt##S##Lu:                                                          \
    return convert_from<F, uint64_t>();

void Operation::perform(Op op) {
  using fp::Double;
  using fp::Single;
  switch (op) {
    NPUVP_FLOAT_CASES(S, Single)
    NPUVP_FLOAT_CASES(D, Double)
    case Op::kFcvtSD:
      return to_float<Single>(fp::narrow(a<Double>(), environment));
    case Op::kFcvtDS:
      return to_float<Double>(fp::widen(a<Single>(), environment));
    // Moves take the bits as they are, boxed or not.
    case Op::kFmvXW:
      return to_integer(integer_register(static_cast<uint32_t>(f[instruction.rs1])));
    case Op::kFmvXD:
      return to_integer(f[instruction.rs1]);
    case Op::kFmvWX:
      return to_float<Single>(static_cast<uint32_t>(x[instruction.rs1]));
    case Op::kFmvDX:
      return to_float<Double>(x[instruction.rs1]);
    default:
      return;
  }
}

/// Whether the rm field is one: for these operations it selects the operation.
bool rounds(Op op) {
  switch (op) {
    case Op::kFsgnjS:
    case Op::kFsgnjnS:
    case Op::kFsgnjxS:
    case Op::kFminS:
    case Op::kFmaxS:
    case Op::kFeqS:
    case Op::kFltS:
    case Op::kFleS:
    case Op::kFclassS:
    case Op::kFmvXW:
    case Op::kFmvWX:
    case Op::kFsgnjD:
    case Op::kFsgnjnD:
    case Op::kFsgnjxD:
    case Op::kFminD:
    case Op::kFmaxD:
    case Op::kFeqD:
    case Op::kFltD:
    case Op::kFleD:
    case Op::kFclassD:
    case Op::kFmvXD:
    case Op::kFmvDX:
      return false;
    default:
      return true;
  }
}

}  // namespace

Hart::Step Hart::float_instruction(const Instruction& instruction, Op op) {
  if (csrs_.float_off()) return raise(Exception::kIllegalInstruction, instruction.raw);
  constexpr unsigned kDynamic = 7;
  constexpr unsigned kLastMode = 4;
  unsigned rounding = rounds(op) ? (instruction.raw >> 12) & 7 : 0;
  if (rounding == kDynamic) rounding = csrs_.frm();
  if (rounding > kLastMode) return raise(Exception::kIllegalInstruction, instruction.raw);

  const uint8_t flags = csrs_.fflags();
  Operation operation{instruction, x_, f_, {static_cast<fp::Rounding>(rounding), flags}};
  operation.perform(op);
  if (operation.environment.flags != flags) {
    csrs_.set_fflags(operation.environment.flags);
    csrs_.mark_float_dirty();
  }
  if (operation.writes_float) {
    f_[instruction.rd] = operation.result;
    csrs_.mark_float_dirty();
  } else {
    x_[instruction.rd] = operation.result;
  }
  return Step::kDone;
}

Hart::Step Hart::float_load(const Instruction& instruction, unsigned size_bytes) {
  if (csrs_.float_off()) return raise(Exception::kIllegalInstruction, instruction.raw);
  uint64_t value = 0;
  const uint64_t address = x_[instruction.rs1] + static_cast<uint64_t>(static_cast<int64_t>(instruction.imm));
  if (const Step step = load(address, size_bytes, value); step != Step::kDone) return step;
  f_[instruction.rd] = size_bytes == 4 ? kBox | value : value;
  csrs_.mark_float_dirty();
  return Step::kDone;
}

Hart::Step Hart::float_store(const Instruction& instruction, unsigned size_bytes) {
  if (csrs_.float_off()) return raise(Exception::kIllegalInstruction, instruction.raw);
  const uint64_t address = x_[instruction.rs1] + static_cast<uint64_t>(static_cast<int64_t>(instruction.imm));
  return store(address, size_bytes, f_[instruction.rs2]);
}

}  // namespace npuvp::riscv

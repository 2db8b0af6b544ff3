// SPDX-License-Identifier: Apache-2.0
// The interpreter: one handler for each Op, each jumping straight to the next one. While it runs, the pc is implied by
// the slot being executed; pc_ and left_ are brought up to date before anything outside this function can look at them.
#include <bit>
#include <cstring>

#include "models/riscv/arithmetic.h"
#include "models/riscv/hart.h"

// Labels as values give each handler its own indirect jump, which the host predicts far better than one shared switch.
#pragma GCC diagnostic ignored "-Wpedantic"

namespace npuvp::riscv {

#define RD x[slot->rd]
#define RS1 x[slot->rs1]
#define RS2 x[slot->rs2]
#define IMM as_unsigned(slot->imm)
#define PC page->address_of(slot)

// Where the members must be right: before calls that may raise, access the bus or look at the hart.
#define SAVE()    \
  do {            \
    pc_ = PC;     \
    left_ = left; \
  } while (false)

// Starts the instruction in `slot`.
#define DISPATCH()                                \
  do {                                            \
    if (left == 0) [[unlikely]]                   \
      goto out_of_budget;                         \
    --left;                                       \
    if constexpr (kInstrumented) goto instrument; \
    goto* kHandlers[slot->handler];               \
  } while (false)

// Ends a handler made by FORMS: the length is a constant there, so that the next instruction's address does not wait
// for a load.
#define NEXT()      \
  do {              \
    slot += kSlots; \
    DISPATCH();     \
  } while (false)

// A handler for the compressed and one for the other form of an instruction.
#define FORMS(name, ...)                       \
  op_##name##_1 : {                            \
    [[maybe_unused]] constexpr int kSlots = 1; \
    __VA_ARGS__                                \
  }                                            \
  op_##name##_2 : {                            \
    [[maybe_unused]] constexpr int kSlots = 2; \
    __VA_ARGS__                                \
  }

// The same for instructions that have no compressed form.
#define WIDE(name, ...)                        \
  op_##name##_1 : op_##name##_2 : {            \
    [[maybe_unused]] constexpr int kSlots = 2; \
    __VA_ARGS__                                \
  }

// One handler for both.
#define EITHER(name) op_##name##_1 : op_##name##_2

// After a step that may have changed what the interpreter must look at before the next instruction.
#define NEXT_AFTER(step)                               \
  do {                                                 \
    const Step outcome = (step);                       \
    if (outcome != Step::kDone) [[unlikely]]           \
      goto* kOutcomes[static_cast<unsigned>(outcome)]; \
    slot += slot->slots;                               \
    if (attention_) [[unlikely]]                       \
      goto leave_page;                                 \
    DISPATCH();                                        \
  } while (false)

#define COMPUTE_BODY(operand, expression) \
  const uint64_t a = RS1;                 \
  const uint64_t b = operand;             \
  RD = (expression);                      \
  NEXT();

// Register and immediate operations, with a compressed form or without.
#define COMPUTE(name, expression) FORMS(name, COMPUTE_BODY(RS2, expression))
#define COMPUTE_WIDE(name, expression) WIDE(name, COMPUTE_BODY(RS2, expression))
#define COMPUTE_IMMEDIATE(name, expression) FORMS(name, COMPUTE_BODY(IMM, expression))
#define COMPUTE_IMMEDIATE_WIDE(name, expression) WIDE(name, COMPUTE_BODY(IMM, expression))
#define UNARY(name, expression) \
  WIDE(name, {                  \
    const uint64_t a = RS1;     \
    RD = (expression);          \
    NEXT();                     \
  })

#define BRANCH(name, condition) \
  FORMS(name##Near, {           \
    const uint64_t a = RS1;     \
    const uint64_t b = RS2;     \
    if (condition) {            \
      slot += slot->imm;        \
      DISPATCH();               \
    }                           \
    NEXT();                     \
  })                            \
  FORMS(name, {                 \
    const uint64_t a = RS1;     \
    const uint64_t b = RS2;     \
    if (condition) {            \
      target = PC + IMM;        \
      goto jump;                \
    }                           \
    NEXT();                     \
  })

// `type` has the width and signedness of the access.
#define LOAD(name, type)                                                                                  \
  FORMS(name, {                                                                                           \
    const uint64_t address = RS1 + IMM;                                                                   \
    type value;                                                                                           \
    if (const uint8_t* host = data_tlbs_->load.find<sizeof(type)>(address)) [[likely]] {                  \
      std::memcpy(&value, host, sizeof value);                                                            \
      RD = static_cast<uint64_t>(static_cast<int64_t>(value));                                            \
      NEXT();                                                                                             \
    }                                                                                                     \
    SAVE();                                                                                               \
    uint64_t loaded;                                                                                      \
    const Step step = load(address, sizeof(type), loaded);                                                \
    if (step == Step::kDone) RD = static_cast<uint64_t>(static_cast<int64_t>(static_cast<type>(loaded))); \
    NEXT_AFTER(step);                                                                                     \
  })

#define STORE(name, type)                                                           \
  FORMS(name, {                                                                     \
    const uint64_t address = RS1 + IMM;                                             \
    const auto value = static_cast<type>(RS2);                                      \
    if (uint8_t* host = data_tlbs_->store.find<sizeof(type)>(address)) [[likely]] { \
      std::memcpy(host, &value, sizeof value);                                      \
      NEXT();                                                                       \
    }                                                                               \
    SAVE();                                                                         \
    NEXT_AFTER(store(address, sizeof(type), value));                                \
  })

// What the first instruction of a pair does when nothing is in the way; otherwise its own handler does it.
#define FIRST_Addi(own) RD = RS1 + IMM;
#define FIRST_Addiw(own) RD = word(RS1 + IMM);
#define FIRST_Andi(own) RD = RS1 & IMM;
#define FIRST_Slli(own) RD = shift_left(RS1, IMM);
#define FIRST_Srli(own) RD = shift_right(RS1, IMM);
#define FIRST_Srliw(own) RD = shift_right_word(RS1, IMM);
#define FIRST_Add(own) RD = RS1 + RS2;
#define FIRST_Addw(own) RD = word(RS1 + RS2);
#define FIRST_Xor(own) RD = RS1 ^ RS2;
#define FIRST_Mulw(own) RD = word(RS1 * RS2);
#define FIRST_Lui(own) RD = IMM;
#define FIRST_Auipc(own) RD = PC + IMM;
#define FIRST_LOAD(own, type)                                               \
  const uint64_t address = RS1 + IMM;                                       \
  type value;                                                               \
  const uint8_t* const host = data_tlbs_->load.find<sizeof(type)>(address); \
  if (host == nullptr) [[unlikely]]                                         \
    goto own;                                                               \
  std::memcpy(&value, host, sizeof value);                                  \
  RD = static_cast<uint64_t>(static_cast<int64_t>(value));
#define FIRST_Ld(own) FIRST_LOAD(own, int64_t)
#define FIRST_Lw(own) FIRST_LOAD(own, int32_t)
#define FIRST_Lbu(own) FIRST_LOAD(own, uint8_t)
#define FIRST_STORE(own, type)                                         \
  const uint64_t address = RS1 + IMM;                                  \
  const auto value = static_cast<type>(RS2);                           \
  uint8_t* const host = data_tlbs_->store.find<sizeof(type)>(address); \
  if (host == nullptr) [[unlikely]]                                    \
    goto own;                                                          \
  std::memcpy(host, &value, sizeof value);
#define FIRST_Sd(own) FIRST_STORE(own, uint64_t)
#define FIRST_Sw(own) FIRST_STORE(own, uint32_t)

// As the first one's handler with DISPATCH(), but for the second one's handler being known.
#define PAIR_FORM(first, second, first_slots, second_slots)          \
  op_##first##second##_##first_slots##_##second_slots : {            \
    FIRST_##first(op_##first##_##first_slots) slot += (first_slots); \
    if (left == 0) [[unlikely]]                                      \
      goto out_of_budget;                                            \
    --left;                                                          \
    goto op_##second##_##second_slots;                               \
  }
#define PAIR(first, second)      \
  PAIR_FORM(first, second, 2, 2) \
  PAIR_FORM(first, second, 2, 1) \
  PAIR_FORM(first, second, 1, 2) \
  PAIR_FORM(first, second, 1, 1)

#define SLOW(name, call) \
  EITHER(name) : {       \
    SAVE();              \
    NEXT_AFTER(call);    \
  }

#define AMO(name)                                 \
  SLOW(name##W, atomic(*slot, Op::k##name##W, 4)) \
  SLOW(name##D, atomic(*slot, Op::k##name##D, 8))

#define FLOAT(name) SLOW(name, float_instruction(*slot, Op::k##name))

#define CSR(name) SLOW(name, csr_instruction(*slot, Op::k##name))

template <bool kInstrumented>
StopReason Hart::execute() {
#define HANDLER_ADDRESS(name) &&op_##name##_2, &&op_##name##_1,
#define PAIR_ADDRESS(first, second) \
  &&op_##first##second##_2_2, &&op_##first##second##_2_1, &&op_##first##second##_1_2, &&op_##first##second##_1_1,
  static const void* const kHandlers[] = {NPUVP_RISCV_OPERATIONS(HANDLER_ADDRESS) NPUVP_RISCV_PAIRS(PAIR_ADDRESS)};
#undef HANDLER_ADDRESS
#undef PAIR_ADDRESS
  static const void* const kOutcomes[] = {nullptr, &&exception, &&synchronise, &&triggered};  // by Step

  uint64_t* const x = x_.data();
  uint64_t left = left_;
  uint64_t target = 0;
  CodePage* page = nullptr;
  Instruction* slot = nullptr;

resume:  // from pc_ and left_
  if (attention_) {
    attention_ = false;
    if (halt_requested_) {
      halt_requested_ = false;
      return StopReason::kHalted;
    }
    if (instrumented() != kInstrumented) {
      attention_ = true;
      switches_interpreter_ = true;
      return StopReason::kBudget;
    }
    take_pending_interrupt();
  }
  left = left_;
  page = &code_page(pc_);
  slot = page->slot_at(pc_);
  DISPATCH();

jump:  // to `target`
  if (page_of(target) != page->base) {
    page = &code_page(target);
  }
  slot = page->slot_at(target);
  DISPATCH();

leave_page:  // after a completed instruction, to `slot`
  SAVE();
  goto resume;

out_of_budget:
  SAVE();
  return StopReason::kBudget;

exception:  // of the instruction at pc_
  left_ = left;
  take_exception();
  goto resume;

synchronise:  // the instruction at pc_ has not started
  left_ = left + 1;
  if constexpr (kInstrumented) restarts_at_ = pc_;
  return StopReason::kSync;

triggered:  // the instruction at pc_ has not started, the debugger wants to look
  left_ = left + 1;
  if constexpr (kInstrumented) restarts_at_ = pc_;
  return StopReason::kTrigger;

instrument:
  __attribute__((unused));
  {
    if (slot->handler == kPageEndHandler) goto op_PageEnd_1;
    SAVE();
    const bool restarted = restarts_at_ == pc_;
    restarts_at_.reset();
    if (!restarted && stops_at_breakpoint()) {
      left_ = left + 1;
      return StopReason::kBreakpoint;
    }
    if (!restarted) {
      const Step step = check_triggers(pc_, 1, AccessType::kFetch);
      if (step == Step::kTrigger) {
        left_ = left + 1;
        return StopReason::kTrigger;
      }
      if (step == Step::kException) goto exception;
    }
    // Not the pair's: each instruction is looked at.
    unsigned handler = slot->handler == kUndecodedHandler ? kUndecodedHandler : handler_of(slot->op, slot->slots);
    if (handler == kUndecodedHandler) {
      const Step step = fetch(*page, *slot, handler);
      if (step != Step::kDone) goto* kOutcomes[static_cast<unsigned>(step)];
    }
    if (!restarted && observer_ != nullptr) observer_->on_instruction(*this, pc_, *slot);
    goto* kHandlers[handler];
  }

  EITHER(Undecoded) : {
    SAVE();
    unsigned handler;
    const Step step = fetch(*page, *slot, handler);
    if (step != Step::kDone) goto* kOutcomes[static_cast<unsigned>(step)];
    goto* kHandlers[handler];
  }

  EITHER(PageEnd)
      :  // no instruction: the cycle goes to the next page's
        ++left;
  target = PC;
  goto jump;

  EITHER(Illegal) : SAVE();
  raise(Exception::kIllegalInstruction, slot->raw);
  goto exception;

  FORMS(Lui, {
    RD = IMM;
    NEXT();
  })
  WIDE(Auipc, {
    RD = PC + IMM;
    NEXT();
  })

  EITHER(JalNear) : RD = PC + 2ull * slot->slots;
  slot += slot->imm;
  DISPATCH();
  EITHER(Jal) : target = PC + IMM;
  RD = PC + 2ull * slot->slots;
  goto jump;
  EITHER(Jalr) : target = (RS1 + IMM) & ~1ull;
  RD = PC + 2ull * slot->slots;
  goto jump;

  BRANCH(Beq, a == b)
  BRANCH(Bne, a != b)
  BRANCH(Blt, as_signed(a) < as_signed(b))
  BRANCH(Bge, as_signed(a) >= as_signed(b))
  BRANCH(Bltu, a < b)
  BRANCH(Bgeu, a >= b)

  LOAD(Lb, int8_t)
  LOAD(Lh, int16_t)
  LOAD(Lw, int32_t)
  LOAD(Ld, int64_t)
  LOAD(Lbu, uint8_t)
  LOAD(Lhu, uint16_t)
  LOAD(Lwu, uint32_t)
  STORE(Sb, uint8_t)
  STORE(Sh, uint16_t)
  STORE(Sw, uint32_t)
  STORE(Sd, uint64_t)

  COMPUTE_IMMEDIATE(Addi, a + b)
  COMPUTE_IMMEDIATE_WIDE(Slti, as_signed(a) < as_signed(b) ? 1 : 0)
  COMPUTE_IMMEDIATE_WIDE(Sltiu, a < b ? 1 : 0)
  COMPUTE_IMMEDIATE_WIDE(Xori, a ^ b)
  COMPUTE_IMMEDIATE_WIDE(Ori, a | b)
  COMPUTE_IMMEDIATE(Andi, a & b)
  COMPUTE_IMMEDIATE(Slli, shift_left(a, b))
  COMPUTE_IMMEDIATE(Srli, shift_right(a, b))
  COMPUTE_IMMEDIATE(Srai, shift_right_signed(a, b))
  COMPUTE_IMMEDIATE(Addiw, word(a + b))
  COMPUTE_IMMEDIATE_WIDE(Slliw, shift_left_word(a, b))
  COMPUTE_IMMEDIATE_WIDE(Srliw, shift_right_word(a, b))
  COMPUTE_IMMEDIATE_WIDE(Sraiw, shift_right_signed_word(a, b))

  COMPUTE(Add, a + b)
  COMPUTE(Sub, a - b)
  COMPUTE_WIDE(Sll, shift_left(a, b))
  COMPUTE_WIDE(Slt, as_signed(a) < as_signed(b) ? 1 : 0)
  COMPUTE_WIDE(Sltu, a < b ? 1 : 0)
  COMPUTE(Xor, a ^ b)
  COMPUTE_WIDE(Srl, shift_right(a, b))
  COMPUTE_WIDE(Sra, shift_right_signed(a, b))
  COMPUTE(Or, a | b)
  COMPUTE(And, a & b)
  COMPUTE(Addw, word(a + b))
  COMPUTE(Subw, word(a - b))
  COMPUTE_WIDE(Sllw, shift_left_word(a, b))
  COMPUTE_WIDE(Srlw, shift_right_word(a, b))
  COMPUTE_WIDE(Sraw, shift_right_signed_word(a, b))

  COMPUTE_WIDE(Mul, a * b)
  COMPUTE_WIDE(Mulh, multiply_high(a, b))
  COMPUTE_WIDE(Mulhsu, multiply_high_mixed(a, b))
  COMPUTE_WIDE(Mulhu, multiply_high_unsigned(a, b))
  COMPUTE_WIDE(Div, divide<int64_t>(a, b))
  COMPUTE_WIDE(Divu, divide_unsigned<uint64_t>(a, b))
  COMPUTE_WIDE(Rem, remainder<int64_t>(a, b))
  COMPUTE_WIDE(Remu, remainder_unsigned<uint64_t>(a, b))
  COMPUTE_WIDE(Mulw, word(a * b))
  COMPUTE_WIDE(Divw, word(divide<int32_t>(a, b)))
  COMPUTE_WIDE(Divuw, word(divide_unsigned<uint32_t>(a, b)))
  COMPUTE_WIDE(Remw, word(remainder<int32_t>(a, b)))
  COMPUTE_WIDE(Remuw, word(remainder_unsigned<uint32_t>(a, b)))

  COMPUTE_WIDE(AddUw, low_word(a) + b)
  COMPUTE_WIDE(Sh1add, (a << 1) + b)
  COMPUTE_WIDE(Sh2add, (a << 2) + b)
  COMPUTE_WIDE(Sh3add, (a << 3) + b)
  COMPUTE_WIDE(Sh1addUw, (low_word(a) << 1) + b)
  COMPUTE_WIDE(Sh2addUw, (low_word(a) << 2) + b)
  COMPUTE_WIDE(Sh3addUw, (low_word(a) << 3) + b)
  COMPUTE_IMMEDIATE_WIDE(SlliUw, shift_left(low_word(a), b))
  COMPUTE_WIDE(Andn, a & ~b)
  COMPUTE_WIDE(Orn, a | ~b)
  COMPUTE_WIDE(Xnor, ~(a ^ b))
  UNARY(Clz, static_cast<uint64_t>(std::countl_zero(a)))
  UNARY(Ctz, static_cast<uint64_t>(std::countr_zero(a)))
  UNARY(Cpop, static_cast<uint64_t>(std::popcount(a)))
  UNARY(Clzw, static_cast<uint64_t>(std::countl_zero(static_cast<uint32_t>(a))))
  UNARY(Ctzw, static_cast<uint64_t>(std::countr_zero(static_cast<uint32_t>(a))))
  UNARY(Cpopw, static_cast<uint64_t>(std::popcount(static_cast<uint32_t>(a))))
  COMPUTE_WIDE(Max, as_signed(a) > as_signed(b) ? a : b)
  COMPUTE_WIDE(Maxu, a > b ? a : b)
  COMPUTE_WIDE(Min, as_signed(a) < as_signed(b) ? a : b)
  COMPUTE_WIDE(Minu, a < b ? a : b)
  UNARY(SextB, as_unsigned(static_cast<int8_t>(a)))
  UNARY(SextH, as_unsigned(static_cast<int16_t>(a)))
  UNARY(ZextH, static_cast<uint16_t>(a))
  COMPUTE_WIDE(Rol, rotate_right(a, 0 - b))
  COMPUTE_WIDE(Rolw, rotate_right_word(a, 0 - b))
  COMPUTE_WIDE(Ror, rotate_right(a, b))
  COMPUTE_IMMEDIATE_WIDE(Rori, rotate_right(a, b))
  COMPUTE_WIDE(Rorw, rotate_right_word(a, b))
  COMPUTE_IMMEDIATE_WIDE(Roriw, rotate_right_word(a, b))
  UNARY(OrcB, or_combine_bytes(a))
  UNARY(Rev8, __builtin_bswap64(a))

  SLOW(LrW, load_reserved(*slot, 4))
  SLOW(LrD, load_reserved(*slot, 8))
  SLOW(ScW, store_conditional(*slot, 4))
  SLOW(ScD, store_conditional(*slot, 8))
  AMO(Amoswap)
  AMO(Amoadd)
  AMO(Amoxor)
  AMO(Amoand)
  AMO(Amoor)
  AMO(Amomin)
  AMO(Amomax)
  AMO(Amominu)
  AMO(Amomaxu)

  SLOW(Flw, float_load(*slot, 4))
  SLOW(Fld, float_load(*slot, 8))
  SLOW(Fsw, float_store(*slot, 4))
  SLOW(Fsd, float_store(*slot, 8))
  FLOAT(FmaddS)
  FLOAT(FmsubS)
  FLOAT(FnmsubS)
  FLOAT(FnmaddS)
  FLOAT(FaddS)
  FLOAT(FsubS)
  FLOAT(FmulS)
  FLOAT(FdivS)
  FLOAT(FsqrtS)
  FLOAT(FsgnjS)
  FLOAT(FsgnjnS)
  FLOAT(FsgnjxS)
  FLOAT(FminS)
  FLOAT(FmaxS)
  FLOAT(FcvtWS)
  FLOAT(FcvtWuS)
  FLOAT(FcvtLS)
  FLOAT(FcvtLuS)
  FLOAT(FcvtSW)
  FLOAT(FcvtSWu)
  FLOAT(FcvtSL)
  FLOAT(FcvtSLu)
  FLOAT(FmvXW)
  FLOAT(FmvWX)
  FLOAT(FeqS)
  FLOAT(FltS)
  FLOAT(FleS)
  FLOAT(FclassS)
  FLOAT(FmaddD)
  FLOAT(FmsubD)
  FLOAT(FnmsubD)
  FLOAT(FnmaddD)
  FLOAT(FaddD)
  FLOAT(FsubD)
  FLOAT(FmulD)
  FLOAT(FdivD)
  FLOAT(FsqrtD)
  FLOAT(FsgnjD)
  FLOAT(FsgnjnD)
  FLOAT(FsgnjxD)
  FLOAT(FminD)
  FLOAT(FmaxD)
  FLOAT(FcvtWD)
  FLOAT(FcvtWuD)
  FLOAT(FcvtLD)
  FLOAT(FcvtLuD)
  FLOAT(FcvtDW)
  FLOAT(FcvtDWu)
  FLOAT(FcvtDL)
  FLOAT(FcvtDLu)
  FLOAT(FmvXD)
  FLOAT(FmvDX)
  FLOAT(FeqD)
  FLOAT(FltD)
  FLOAT(FleD)
  FLOAT(FclassD)
  FLOAT(FcvtSD)
  FLOAT(FcvtDS)

  WIDE(Fence, NEXT();)  // one hart's accesses are performed in order anyway
  EITHER(FenceI) : code_.flush();
  flush_fetch();
  slot += slot->slots;
  goto leave_page;

  EITHER(Ecall) : SAVE();
  raise(privilege_ == Privilege::kMachine ? Exception::kEcallFromMachine : Exception::kEcallFromUser, 0);
  goto exception;
  EITHER(Ebreak) : SAVE();
  if (ebreak_stops_) {
    left_ = left + 1;
    if constexpr (kInstrumented) restarts_at_ = pc_;
    return StopReason::kBreakpoint;
  }
  raise(Exception::kBreakpoint, pc_);
  goto exception;
  EITHER(Mret) : SAVE();
  if (machine_return(*slot) != Step::kDone) goto exception;
  goto resume;
  EITHER(Wfi) : SAVE();
  if (wait_for_interrupt(*slot) != Step::kDone) goto exception;
  slot += slot->slots;
  if (!waiting_) DISPATCH();
  SAVE();
  return StopReason::kWfi;

  CSR(Csrrw)
  CSR(Csrrs)
  CSR(Csrrc)
  CSR(Csrrwi)
  CSR(Csrrsi)
  CSR(Csrrci)

  NPUVP_RISCV_PAIRS(PAIR)
}

template StopReason Hart::execute<false>();
template StopReason Hart::execute<true>();

}  // namespace npuvp::riscv

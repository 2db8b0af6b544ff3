// SPDX-License-Identifier: Apache-2.0
// The interpreter: one handler for each Op, each jumping straight to the next one. While it runs, the pc is implied by
// the slot being executed; pc_ and left_ are brought up to date before anything outside this function can look at them.
#include <cstring>
#include <type_traits>

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
#define DISPATCH()                                                      \
  do {                                                                  \
    if (left == 0) [[unlikely]]                                         \
      goto out_of_budget;                                               \
    --left;                                                             \
    if constexpr (kInstrumented) goto instrument;                       \
    goto* kHandlers[static_cast<std::underlying_type_t<Op>>(slot->op)]; \
  } while (false)

#define NEXT()           \
  do {                   \
    slot += slot->slots; \
    DISPATCH();          \
  } while (false)

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

#define COMPUTE(name, expression) \
  op_##name : {                   \
    const uint64_t a = RS1;       \
    const uint64_t b = RS2;       \
    RD = (expression);            \
    NEXT();                       \
  }

#define COMPUTE_IMMEDIATE(name, expression) \
  op_##name : {                             \
    const uint64_t a = RS1;                 \
    const uint64_t b = IMM;                 \
    RD = (expression);                      \
    NEXT();                                 \
  }

#define BRANCH(name, condition) \
  op_##name##Near : {           \
    const uint64_t a = RS1;     \
    const uint64_t b = RS2;     \
    if (condition) {            \
      slot += slot->imm;        \
      DISPATCH();               \
    }                           \
    NEXT();                     \
  }                             \
  op_##name : {                 \
    const uint64_t a = RS1;     \
    const uint64_t b = RS2;     \
    if (condition) {            \
      target = PC + IMM;        \
      goto jump;                \
    }                           \
    NEXT();                     \
  }

// `type` has the width and signedness of the access.
#define LOAD(name, type)                                                                                  \
  op_##name : {                                                                                           \
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
  }

#define STORE(name, type)                                                           \
  op_##name : {                                                                     \
    const uint64_t address = RS1 + IMM;                                             \
    const auto value = static_cast<type>(RS2);                                      \
    if (uint8_t* host = data_tlbs_->store.find<sizeof(type)>(address)) [[likely]] { \
      std::memcpy(host, &value, sizeof value);                                      \
      NEXT();                                                                       \
    }                                                                               \
    SAVE();                                                                         \
    NEXT_AFTER(store(address, sizeof(type), value));                                \
  }

#define SLOW(name, call) \
  op_##name : {          \
    SAVE();              \
    NEXT_AFTER(call);    \
  }

#define AMO(name)                                 \
  SLOW(name##W, atomic(*slot, Op::k##name##W, 4)) \
  SLOW(name##D, atomic(*slot, Op::k##name##D, 8))

#define CSR(name) SLOW(name, csr_instruction(*slot, Op::k##name))

template <bool kInstrumented>
StopReason Hart::execute() {
#define HANDLER_ADDRESS(name) &&op_##name,
  static const void* const kHandlers[] = {NPUVP_RISCV_OPERATIONS(HANDLER_ADDRESS)};
#undef HANDLER_ADDRESS
  static const void* const kOutcomes[] = {nullptr, &&exception, &&synchronise};  // by Step

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

instrument:
  __attribute__((unused));
  {
    if (slot->op == Op::kPageEnd) goto op_PageEnd;
    SAVE();
    const bool restarted = restarts_at_ == pc_;
    restarts_at_.reset();
    if (!restarted && stops_at_breakpoint()) {
      left_ = left + 1;
      return StopReason::kBreakpoint;
    }
    Op op = slot->op;
    if (op == Op::kUndecoded) {
      const Step step = fetch(*page, *slot, op);
      if (step != Step::kDone) goto* kOutcomes[static_cast<unsigned>(step)];
    }
    if (!restarted && observer_ != nullptr) observer_->on_instruction(*this, pc_, *slot);
    goto* kHandlers[static_cast<std::underlying_type_t<Op>>(op)];
  }

op_Undecoded : {
  SAVE();
  Op op;
  const Step step = fetch(*page, *slot, op);
  if (step != Step::kDone) goto* kOutcomes[static_cast<unsigned>(step)];
  goto* kHandlers[static_cast<std::underlying_type_t<Op>>(op)];
}

op_PageEnd:  // no instruction: the cycle goes to the next page's
  ++left;
  target = PC;
  goto jump;

op_Illegal:
  SAVE();
  raise(Exception::kIllegalInstruction, slot->raw);
  goto exception;

op_Lui:
  RD = IMM;
  NEXT();
op_Auipc:
  RD = PC + IMM;
  NEXT();

op_JalNear:
  RD = PC + 2ull * slot->slots;
  slot += slot->imm;
  DISPATCH();
op_Jal:
  target = PC + IMM;
  RD = PC + 2ull * slot->slots;
  goto jump;
op_Jalr:
  target = (RS1 + IMM) & ~1ull;
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
  COMPUTE_IMMEDIATE(Slti, as_signed(a) < as_signed(b) ? 1 : 0)
  COMPUTE_IMMEDIATE(Sltiu, a < b ? 1 : 0)
  COMPUTE_IMMEDIATE(Xori, a ^ b)
  COMPUTE_IMMEDIATE(Ori, a | b)
  COMPUTE_IMMEDIATE(Andi, a & b)
  COMPUTE_IMMEDIATE(Slli, shift_left(a, b))
  COMPUTE_IMMEDIATE(Srli, shift_right(a, b))
  COMPUTE_IMMEDIATE(Srai, shift_right_signed(a, b))
  COMPUTE_IMMEDIATE(Addiw, word(a + b))
  COMPUTE_IMMEDIATE(Slliw, shift_left_word(a, b))
  COMPUTE_IMMEDIATE(Srliw, shift_right_word(a, b))
  COMPUTE_IMMEDIATE(Sraiw, shift_right_signed_word(a, b))

  COMPUTE(Add, a + b)
  COMPUTE(Sub, a - b)
  COMPUTE(Sll, shift_left(a, b))
  COMPUTE(Slt, as_signed(a) < as_signed(b) ? 1 : 0)
  COMPUTE(Sltu, a < b ? 1 : 0)
  COMPUTE(Xor, a ^ b)
  COMPUTE(Srl, shift_right(a, b))
  COMPUTE(Sra, shift_right_signed(a, b))
  COMPUTE(Or, a | b)
  COMPUTE(And, a & b)
  COMPUTE(Addw, word(a + b))
  COMPUTE(Subw, word(a - b))
  COMPUTE(Sllw, shift_left_word(a, b))
  COMPUTE(Srlw, shift_right_word(a, b))
  COMPUTE(Sraw, shift_right_signed_word(a, b))

  COMPUTE(Mul, a * b)
  COMPUTE(Mulh, multiply_high(a, b))
  COMPUTE(Mulhsu, multiply_high_mixed(a, b))
  COMPUTE(Mulhu, multiply_high_unsigned(a, b))
  COMPUTE(Div, divide<int64_t>(a, b))
  COMPUTE(Divu, divide_unsigned<uint64_t>(a, b))
  COMPUTE(Rem, remainder<int64_t>(a, b))
  COMPUTE(Remu, remainder_unsigned<uint64_t>(a, b))
  COMPUTE(Mulw, word(a * b))
  COMPUTE(Divw, word(divide<int32_t>(a, b)))
  COMPUTE(Divuw, word(divide_unsigned<uint32_t>(a, b)))
  COMPUTE(Remw, word(remainder<int32_t>(a, b)))
  COMPUTE(Remuw, word(remainder_unsigned<uint32_t>(a, b)))

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

op_Fence:  // one hart's accesses are performed in order anyway
  NEXT();
op_FenceI:
  code_.flush();
  flush_fetch();
  slot += slot->slots;
  goto leave_page;

op_Ecall:
  SAVE();
  raise(privilege_ == Privilege::kMachine ? Exception::kEcallFromMachine : Exception::kEcallFromUser, 0);
  goto exception;
op_Ebreak:
  SAVE();
  raise(Exception::kBreakpoint, pc_);
  goto exception;
op_Mret:
  SAVE();
  if (machine_return(*slot) != Step::kDone) goto exception;
  goto resume;
op_Wfi:
  SAVE();
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
}

template StopReason Hart::execute<false>();
template StopReason Hart::execute<true>();

}  // namespace npuvp::riscv

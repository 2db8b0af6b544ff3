// SPDX-License-Identifier: Apache-2.0
#include "tests/models/riscv/lockstep/program.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

namespace npuvp::riscv::test {
namespace {

// Registers with a task; the body writes none of them.
constexpr uint32_t kStack = 2, kRounds = 3, kHandlerA = 4, kData = 8, kHandlerB = 31;

constexpr std::array<std::string_view, 9> kGroups = {"i", "m", "a", "f", "d", "c", "b", "zicsr", "encodings"};

constexpr uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1, int32_t imm) {
  return (static_cast<uint32_t>(imm) & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t s_type(uint32_t opcode, uint32_t funct3, uint32_t rs1, uint32_t rs2, int32_t imm) {
  const auto bits = static_cast<uint32_t>(imm);
  return ((bits >> 5) & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (bits & 0x1f) << 7 | opcode;
}
constexpr uint32_t r_type(uint32_t opcode, uint32_t funct7, uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t rs2) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t csr(uint32_t funct3, uint32_t rd, uint32_t number, uint32_t rs1) {
  return number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73;
}
constexpr uint32_t kMret = 0x30200073;

class Generator {
 public:
  Generator(std::string_view group, uint64_t seed) : group_(group), random_(seed) {}

  RandomProgram make(unsigned length, unsigned rounds);

 private:
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  template <size_t kCount>
  uint32_t one_of(const std::array<uint32_t, kCount>& values) {
    return values[below(kCount)];
  }
  uint32_t any() { return static_cast<uint32_t>(random_()); }
  uint32_t source() { return below(32); }
  uint32_t destination() {
    for (;;) {
      const uint32_t rd = below(32);
      if (rd != kStack && rd != kRounds && rd != kHandlerA && rd != kHandlerB && rd != kData) return rd;
    }
  }
  uint32_t base() { return below(2) != 0 ? kStack : kData; }
  uint32_t small() { return 9 + below(7); }  // x9..x15: what compressed instructions can write

  void emit(uint32_t word) {
    for (unsigned i = 0; i < 4; ++i) code_.push_back(static_cast<uint8_t>(word >> (8 * i)));
  }
  void emit_compressed(uint32_t parcel) {
    code_.push_back(static_cast<uint8_t>(parcel));
    code_.push_back(static_cast<uint8_t>(parcel >> 8));
  }
  void load_constant(uint32_t rd, uint32_t value) {  // sign-extended
    emit((value + 0x800) >> 12 << 12 | rd << 7 | 0x37);
    emit(i_type(0x1b, 0, rd, rd, static_cast<int32_t>(value & 0xfff)));
  }

  void prologue(unsigned rounds);
  void epilogue();
  void instruction();
  void integer();
  void jump();
  void memory();
  void multiply();
  void atomic();
  void floating(uint32_t format);
  void compressed();
  void bits();
  void registers();
  void encodings();
  int32_t offset(uint32_t size_bytes);

  std::string_view group_;
  std::mt19937_64 random_;
  std::vector<uint8_t> code_;
  size_t body_ = 0;
  uint64_t exit_pc_ = 0;
};

int32_t Generator::offset(uint32_t size_bytes) {
  const auto value = static_cast<int32_t>(below(4096)) - 2048;
  return below(8) == 0 ? std::min(value, 2040) : value & -static_cast<int32_t>(size_bytes);
}

void Generator::integer() {
  constexpr std::array<uint32_t, 2> kOpcodes = {0x33, 0x3b};
  switch (below(6)) {
    case 0:
      return emit(i_type(0x13, one_of<6>({0, 2, 3, 4, 6, 7}), destination(), source(), static_cast<int32_t>(any())));
    case 1:
      return emit(i_type(0x1b, 0, destination(), source(), static_cast<int32_t>(any())));
    case 2: {
      const bool word = below(2) != 0;
      const uint32_t right = below(2);
      const uint32_t arithmetic = right * below(2) << 10;
      return emit(i_type(word ? 0x1b : 0x13, right != 0 ? 5 : 1, destination(), source(),
                         static_cast<int32_t>(below(word ? 32 : 64) | arithmetic)));
    }
    case 3:
      return emit((any() & 0xfffff000) | destination() << 7 | one_of<2>({0x37, 0x17}));
    default: {
      const uint32_t opcode = one_of(kOpcodes);
      const uint32_t funct3 = opcode == 0x33 ? below(8) : one_of<3>({0, 1, 5});
      const uint32_t funct7 = (funct3 == 0 || funct3 == 5) && below(2) != 0 ? 0x20 : 0;
      return emit(r_type(opcode, funct7, funct3, destination(), source(), source()));
    }
  }
}

/// Forward over one to three instructions of 4 bytes.
void Generator::jump() {
  const uint32_t skipped = 1 + below(3);
  const uint32_t distance = 4 + 4 * skipped;
  switch (below(4)) {
    case 0:
      emit(distance << 20 | destination() << 7 | 0x6f);  // JAL, up to 16 bytes: only bits 4:1
      break;
    case 1: {
      const uint32_t target = 5;
      emit(target << 7 | 0x17);  // AUIPC
      emit(i_type(0x67, 0, destination(), target, static_cast<int32_t>(distance + 4 + below(2))));
      break;
    }
    default:
      emit(source() << 20 | source() << 15 | one_of<6>({0, 1, 4, 5, 6, 7}) << 12 | distance << 7 | 0x63);
      break;
  }
  for (uint32_t i = 0; i < skipped; ++i) {
    emit(r_type(0x33, 0, below(8), destination(), source(), source()));
  }
}

void Generator::memory() {
  const uint32_t funct3 = below(7);
  if (below(2) != 0) return emit(i_type(0x03, funct3, destination(), base(), offset(1u << (funct3 & 3))));
  return emit(s_type(0x23, funct3 & 3, base(), source(), offset(1u << (funct3 & 3))));
}

void Generator::multiply() {
  const bool word = below(3) == 0;
  emit(r_type(word ? 0x3b : 0x33, 1, word ? one_of<5>({0, 4, 5, 6, 7}) : below(8), destination(), source(), source()));
}

void Generator::atomic() {
  const uint32_t width = 2 + below(2);
  const uint32_t address = base();
  const uint32_t order = below(4) << 25;
  if (below(4) == 0) {
    if (below(8) != 0) emit(r_type(0x2f, 2 << 2, width, destination(), address, 0) | order);
    if (below(2) != 0) below(4) == 0 ? memory() : integer();
    return emit(r_type(0x2f, 3 << 2, width, destination(), below(8) == 0 ? base() : address, source()) | order);
  }
  const uint32_t operation = one_of<9>({0, 1, 4, 8, 12, 16, 20, 24, 28});
  emit(r_type(0x2f, operation << 2, width, destination(), address, source()) | order);
}

void Generator::floating(uint32_t format) {
  const uint32_t rounding = below(16) == 0 ? 5 + below(2) : one_of<6>({0, 1, 2, 3, 4, 7});
  const uint32_t fd = below(32), fs1 = below(32), fs2 = below(32);
  const uint32_t width = format == 0 ? 2 : 3;
  const auto op = [format](uint32_t funct5, uint32_t rm, uint32_t rd, uint32_t rs1, uint32_t rs2) {
    return r_type(0x53, funct5 << 2 | format, rm, rd, rs1, rs2);
  };
  // Flags only ever accumulate: cleared often, each of them is seen to be raised.
  if (below(2) != 0) emit(csr(1, 0, 1, 0));
  switch (below(16)) {
    case 0:
      return emit(i_type(0x07, width, fd, base(), offset(4u << format)));
    case 1:
      return emit(s_type(0x27, width, base(), fs2, offset(4u << format)));
    case 2:
    case 3:
      return emit(below(32) << 27 | format << 25 | fs2 << 20 | fs1 << 15 | rounding << 12 | fd << 7 |
                  one_of<4>({0x43, 0x47, 0x4b, 0x4f}));
    case 4:
      return emit(op(0x0b, rounding, fd, fs1, 0));
    case 5:
      return emit(op(0x04, below(3), fd, fs1, fs2));
    case 6:
      return emit(op(0x05, below(2), fd, fs1, fs2));
    case 7:
      return emit(op(0x14, below(3), destination(), fs1, fs2));
    case 8:
      return emit(op(0x18, rounding, destination(), fs1, below(4)));
    case 9:
      return emit(op(0x1a, rounding, fd, source(), below(4)));
    case 10:
      return emit(below(2) != 0 ? op(0x1c, below(2), destination(), fs1, 0) : op(0x1e, 0, fd, source(), 0));
    case 11:
      if (format == 0) return emit(csr(1 + below(3), destination(), 1 + below(3), source()));
      return emit(below(2) != 0 ? r_type(0x53, 0x20, rounding, fd, fs1, 1) : r_type(0x53, 0x21, 0, fd, fs1, 0));
    default:
      return emit(op(below(4), rounding, fd, fs1, fs2));
  }
}

void Generator::compressed() {
  const uint32_t rd = small(), rs2 = 8 + below(8);
  const auto wide_register = [this] {
    for (;;) {
      if (const uint32_t each = destination(); each != 0) return each;
    }
  };
  const uint32_t imm6 = below(2) << 12 | below(32) << 2;
  switch (below(15)) {
    case 0:
      return emit_compressed(0x0000 | (1 + below(255)) << 5 | (rd - 8) << 2);  // C.ADDI4SPN
    case 1:                                                                    // C.LW, C.LD, C.FLD from x8
      return emit_compressed(one_of<3>({0x4000, 0x6000, 0x2000}) | below(8) << 10 | (rd - 8) << 2);
    case 2:  // C.SW, C.SD, C.FSD
      return emit_compressed(one_of<3>({0xc000, 0xe000, 0xa000}) | below(8) << 10 | below(4) << 5 | (rs2 - 8) << 2);
    case 3:
      return emit_compressed(0x0001 | wide_register() << 7 | imm6);  // C.ADDI
    case 4:
      return emit_compressed(0x2001 | wide_register() << 7 | imm6);  // C.ADDIW
    case 5:
      return emit_compressed(0x4001 | wide_register() << 7 | imm6);  // C.LI
    case 6:
      return emit_compressed(0x6001 | wide_register() << 7 | 1 << 2 | imm6);  // C.LUI, never zero
    case 7:                                                                   // C.SRLI, C.SRAI, C.ANDI
      return emit_compressed(0x8001 | below(3) << 10 | (rd - 8) << 7 | imm6);
    case 8:  // C.SUB to C.AND, C.SUBW, C.ADDW
      return emit_compressed((below(3) != 0 ? 0x8c01 | below(4) << 5 : 0x9c01 | below(2) << 5) | (rd - 8) << 7 |
                             (rs2 - 8) << 2);
    case 9:
      return emit_compressed(0x0002 | wide_register() << 7 | imm6);  // C.SLLI
    case 10:                                                         // C.LDSP, C.LWSP, C.FLDSP
      return emit_compressed(one_of<3>({0x6002, 0x4002, 0x2002}) | wide_register() << 7 | below(2) << 12 |
                             below(4) << 5);
    case 11:  // C.SDSP, C.SWSP, C.FSDSP
      return emit_compressed(one_of<3>({0xe002, 0xc002, 0xa002}) | below(8) << 10 | source() << 2);
    case 12:
      return emit_compressed(0x8002 | wide_register() << 7 | (1 + below(31)) << 2);  // C.MV
    case 13:
      return emit_compressed(0x9002 | wide_register() << 7 | (1 + below(31)) << 2);  // C.ADD
    default:  // C.BEQZ, C.BNEZ or C.J over one compressed instruction
      emit_compressed(below(3) == 0 ? 0xa011 : one_of<2>({0xc011, 0xe011}) | below(8) << 7);
      return emit_compressed(0x0001 | wide_register() << 7 | imm6);
  }
}

void Generator::bits() {
  const uint32_t rd = destination(), rs1 = source(), rs2 = source();
  struct Register {
    uint32_t opcode, funct7, funct3;
  };
  constexpr std::array<Register, 22> kRegister = {
      {{0x33, 0x20, 7}, {0x33, 0x20, 6}, {0x33, 0x20, 4}, {0x33, 0x05, 4}, {0x33, 0x05, 5}, {0x33, 0x05, 6},
       {0x33, 0x05, 7}, {0x33, 0x30, 1}, {0x33, 0x30, 5}, {0x33, 0x10, 2}, {0x33, 0x10, 4}, {0x33, 0x10, 6},
       {0x3b, 0x04, 0}, {0x3b, 0x10, 2}, {0x3b, 0x10, 4}, {0x3b, 0x10, 6}, {0x3b, 0x30, 1}, {0x3b, 0x30, 5},
       {0x33, 0x20, 7}, {0x33, 0x20, 6}, {0x33, 0x20, 4}, {0x33, 0x30, 5}}};
  switch (below(3)) {
    case 0: {  // one operand
      constexpr std::array<uint32_t, 11> kUnary = {0x60001013, 0x60101013, 0x60201013, 0x60401013,
                                                   0x60501013, 0x0800403b, 0x28705013, 0x6b805013,
                                                   0x6000101b, 0x6010101b, 0x6020101b};
      return emit(one_of(kUnary) | rs1 << 15 | rd << 7);
    }
    case 1:  // RORI, RORIW, SLLI.UW
      return emit((below(2) != 0   ? 0x60005013 | below(64) << 20
                   : below(2) != 0 ? 0x6000501b | below(32) << 20
                                   : 0x0800101b | below(64) << 20) |
                  rs1 << 15 | rd << 7);
    default: {
      const Register& chosen = kRegister[below(kRegister.size())];
      return emit(r_type(chosen.opcode, chosen.funct7, chosen.funct3, rd, rs1, rs2));
    }
  }
}

void Generator::registers() {
  // mscratch, mepc, mcause, mtval, fflags, frm, fcsr, mhartid and two that no hart of ours has.
  const uint32_t number = one_of<10>({0x340, 0x341, 0x342, 0x343, 0x001, 0x002, 0x003, 0xf14, 0x7c0, 0x5c0});
  emit(csr(one_of<6>({1, 2, 3, 5, 6, 7}), destination(), number, source()));
}

/// Any bits in the spaces of arithmetic and of unused opcodes; nothing that reaches memory or changes the pc.
void Generator::encodings() {
  if (below(4) == 0) {
    // Compressed: quadrant 1 arithmetic with any funct bits, and the reserved parcels.
    const uint32_t parcel = below(8) == 0 ? one_of<4>({0x0000, 0x8000, 0x8002, 0x2001}) : 0x8001 | (any() & 0x1ffc);
    const bool writes_data = (parcel & 0xe003) == 0x8001 && ((parcel >> 7) & 7) == 0;
    return emit_compressed(writes_data ? parcel | 1 << 7 : parcel);
  }
  constexpr std::array<uint32_t, 18> kOpcodes = {0x13, 0x1b, 0x33, 0x3b, 0x33, 0x3b, 0x53, 0x53, 0x43,
                                                 0x47, 0x4b, 0x4f, 0x57, 0x0b, 0x2b, 0x5b, 0x7b, 0x77};
  uint32_t word = (any() & ~0xfffu) | destination() << 7 | one_of(kOpcodes);
  if ((word & 0x7f) != 0x53 && below(2) != 0) word = (word & 0x01ffffff) | below(64) << 25;
  emit(word);
}

void Generator::instruction() {
  // A third of every stream is the base, so that results flow.
  switch (below(12)) {
    case 0:
      return integer();
    case 1:
      return memory();
    case 2:
      return jump();
    default:
      break;
  }
  if (group_ == "m") return multiply();
  if (group_ == "a") return atomic();
  if (group_ == "f") return floating(0);
  if (group_ == "d") return floating(below(4) == 0 ? 0 : 1);
  if (group_ == "c") return compressed();
  if (group_ == "b") return bits();
  if (group_ == "zicsr") return registers();
  if (group_ == "encodings") return encodings();
  return below(4) == 0 ? memory() : below(4) == 0 ? jump() : integer();
}

void Generator::prologue(unsigned rounds) {
  // Over the trap handler, which skips the instruction at mepc and leaves its cause and value in registers.
  emit(0x0400006f);  // JAL x0, 64
  emit(csr(2, kHandlerA, 0x341, 0));
  emit(i_type(0x03, 5, kHandlerB, kHandlerA, 0));
  emit(i_type(0x13, 0, kHandlerA, kHandlerA, 2));
  emit(i_type(0x13, 7, kHandlerB, kHandlerB, 3));
  emit(i_type(0x13, 0, kHandlerB, kHandlerB, -3));
  emit(kHandlerB << 15 | 1 << 12 | 8 << 7 | 0x63);  // BNE over the next
  emit(i_type(0x13, 0, kHandlerA, kHandlerA, 2));
  emit(csr(1, 0, 0x341, kHandlerA));
  emit(csr(2, kHandlerB, 0x342, 0));
  emit(csr(2, kHandlerA, 0x343, 0));
  emit(kMret);
  while (code_.size() < 64) emit(0x13);
  load_constant(kHandlerA, static_cast<uint32_t>(kProgramBase + 4));
  // The constants are sign-extended: addresses lose their upper half again.
  emit(i_type(0x13, 1, kHandlerA, kHandlerA, 32));
  emit(i_type(0x13, 5, kHandlerA, kHandlerA, 32));
  emit(csr(1, 0, 0x305, kHandlerA));
  load_constant(kHandlerA, 0x2000 | 3 << 11);  // mstatus: FS initial, MPP machine
  emit(csr(1, 0, 0x300, kHandlerA));
  for (const uint32_t pointer : {kStack, kData}) {
    load_constant(pointer, static_cast<uint32_t>(kProgramData));
    emit(i_type(0x13, 1, pointer, pointer, 32));
    emit(i_type(0x13, 5, pointer, pointer, 32));
  }
  for (uint32_t i = 0; i < 32; ++i) {
    emit(i_type(0x07, 3, i, kData, static_cast<int32_t>(8 * i)));
    const bool has_task = i == kStack || i == kRounds || i == kHandlerA || i == kData || i == kHandlerB;
    if (!has_task) emit(i_type(0x03, 3, i, kData, -static_cast<int32_t>(8 * i)));
  }
  load_constant(kRounds, rounds);
}

void Generator::epilogue() {
  if (code_.size() % 4 != 0) emit_compressed(0x0001);
  emit(i_type(0x13, 0, kRounds, kRounds, -1));
  emit(kRounds << 15 | 12 << 7 | 0x63);  // BEQ over the jump back, which reaches further than a JAL
  const auto back = static_cast<uint32_t>(body_ - code_.size());
  emit(((back + 0x800) & 0xfffff000) | 5 << 7 | 0x17);
  emit(i_type(0x67, 0, 0, 5, static_cast<int32_t>(back & 0xfff)));
  load_constant(5, kExitDevice);
  load_constant(6, 0x5555);
  exit_pc_ = kProgramBase + code_.size();
  emit(s_type(0x23, 2, 5, 6, 0));
  emit(0x0000006f);
}

RandomProgram Generator::make(unsigned length, unsigned rounds) {
  prologue(rounds);
  body_ = code_.size();
  for (unsigned i = 0; i < length; ++i) instruction();
  epilogue();
  if (code_.size() > kProgramData - kProgramBase - 4096) throw std::invalid_argument("the random program is too long");

  RandomProgram program;
  program.image = code_;
  program.image.resize(kProgramBytes);
  // Data that makes arithmetic interesting: small numbers, extremes, floating-point specials.
  constexpr std::array<uint64_t, 12> kSpecial = {0,
                                                 1,
                                                 ~0ull,
                                                 1ull << 63,
                                                 0x7fffffffffffffff,
                                                 0xffffffff7f800000,
                                                 0xffffffff3f800000,
                                                 0x7ff0000000000000,
                                                 0x3ff0000000000000,
                                                 0x7ff0000000000001,
                                                 0x0000000000000001,
                                                 0xffffffff00000001};
  for (uint64_t at = kProgramData - kProgramBase - 4096; at < kProgramData - kProgramBase + 4096; at += 8) {
    const uint64_t value = below(3) == 0 ? kSpecial[below(kSpecial.size())]
                           : below(2) == 0
                               ? 0xffffffff00000000 | any()
                               : (random_() & ~(0x7ffull << 52)) | static_cast<uint64_t>(1023 - 8 + below(16)) << 52;
    std::memcpy(program.image.data() + at, &value, sizeof value);
  }
  program.exit_pc = exit_pc_;
  return program;
}

}  // namespace

std::span<const std::string_view> groups() {
  return kGroups;
}

RandomProgram make_program(std::string_view group, uint64_t seed, unsigned length, unsigned rounds) {
  if (std::find(kGroups.begin(), kGroups.end(), group) == kGroups.end()) {
    throw std::invalid_argument("no extension group '" + std::string(group) + "'");
  }
  return Generator(group, seed).make(length, rounds);
}

}  // namespace npuvp::riscv::test

// SPDX-License-Identifier: Apache-2.0
// Floating-point state around the arithmetic (soft_float_test): boxing, rounding modes, flags, mstatus.FS.
#include "tests/models/riscv/hart_fixture.h"

namespace npuvp::riscv::test {
namespace {

constexpr uint64_t kBox = 0xffffffff00000000;
constexpr uint32_t kSingle = 0, kDouble = 1, kDynamic = 7;
constexpr uint64_t kFsInitial = 1ull << 13;
constexpr uint32_t ft0 = 0, ft1 = 1, ft2 = 2;

constexpr uint32_t op_fp(uint32_t funct5, uint32_t format, uint32_t rm, uint32_t rd, uint32_t rs1, uint32_t rs2) {
  return funct5 << 27 | format << 25 | rs2 << 20 | rs1 << 15 | rm << 12 | rd << 7 | 0x53u;
}
constexpr uint32_t fadd_s(uint32_t rm = kDynamic) {
  return op_fp(0, kSingle, rm, ft2, ft0, ft1);
}
constexpr uint32_t fdiv_d(uint32_t rm = kDynamic) {
  return op_fp(3, kDouble, rm, ft2, ft0, ft1);
}
constexpr uint32_t flw(uint32_t rd, uint32_t rs1) {
  return i_type(0x07, 2, rd, rs1, 0);
}
constexpr uint32_t fsw(uint32_t rs2, uint32_t rs1) {
  return (s_type(2, rs2, rs1, 0) & ~0x7fu) | 0x27u;
}

class Float : public HartTest {
 protected:
  Float() { hart.write_csr(csr::kMstatus, kFsInitial); }
  [[nodiscard]] uint64_t fs() const { return (csr_value(csr::kMstatus) >> 13) & 3; }
};

TEST_F(Float, IsIllegalWhileTheUnitIsOff) {
  hart.write_csr(csr::kMstatus, 0);
  for (const uint32_t word : {fadd_s(), fdiv_d(), flw(ft0, a0), fsw(ft0, a0), csrrs(a0, csr::kFcsr, x0),
                              csrrw(x0, csr::kFrm, x0), op_fp(0x1c, kSingle, 0, a0, ft0, 0)}) {
    program({word});
    hart.invalidate_code();
    hart.set_pc(kCode);
    run(1);
    expect_trap(2, word, kCode);
  }
}

TEST_F(Float, ReservedRoundingModesAreIllegal) {
  for (const uint32_t rm : {5u, 6u}) {
    program({fadd_s(rm)});
    hart.invalidate_code();
    hart.set_pc(kCode);
    run(1);
    expect_trap(2, fadd_s(rm), kCode);
  }
  for (const uint64_t frm : {5u, 6u, 7u}) {
    hart.write_csr(csr::kFrm, frm);
    program({fadd_s(), op_fp(4, kSingle, 0, ft2, ft0, ft1)});
    hart.invalidate_code();
    hart.set_pc(kCode);
    run(1);
    expect_trap(2, fadd_s(), kCode);
    hart.set_pc(kCode + 4);  // FSGNJ does not round
    run(1);
    EXPECT_EQ(hart.pc(), kCode + 8);
  }
}

TEST_F(Float, UnboxedSinglesCountAsNan) {
  hart.set_f(ft0, 0x3f800000);  // 1.0 without its box
  hart.set_f(ft1, kBox | 0x3f800000);
  program({fadd_s(), op_fp(0x1c, kSingle, 0, a1, ft0, 0), op_fp(0x04, kSingle, 0, ft2, ft0, ft1)});
  run(2);
  EXPECT_EQ(hart.f(ft2), kBox | 0x7fc00000);
  EXPECT_EQ(hart.x(a1), 0x3f800000u);  // FMV.X.W takes the bits as they are
  run(1);
  EXPECT_EQ(hart.f(ft2), kBox | 0x7fc00000);  // FSGNJ.S of an unboxed value
  EXPECT_EQ(csr_value(csr::kFflags), 0u);
}

TEST_F(Float, LoadsBoxAndStoresTakeTheLowBits) {
  bus.poke<uint32_t>(kData, 0xc0000001);
  hart.set_x(a0, kData);
  hart.set_x(a1, kData + 8);
  hart.set_f(ft1, 0x1234567890abcdef);
  program({flw(ft0, a0), fsw(ft1, a1)});
  run(2);
  EXPECT_EQ(hart.f(ft0), kBox | 0xc0000001);
  EXPECT_EQ(bus.peek<uint64_t>(kData + 8), 0x90abcdefu);
}

TEST_F(Float, FlagsAccumulateAndRoundingFollowsFrm) {
  hart.set_f(ft0, 0x3ff0000000000000);  // 1
  hart.set_f(ft1, 0x4008000000000000);  // 3
  program({fdiv_d(), fdiv_d(3), csrrs(a1, csr::kFcsr, x0), csrrw(x0, csr::kFflags, x0), csrrs(a2, csr::kFcsr, x0)});
  hart.write_csr(csr::kFcsr, 1u << 5 | 16);  // towards zero, invalid set
  run(1);
  EXPECT_EQ(hart.f(ft2), 0x3fd5555555555555u);
  run(1);  // upwards, by the instruction
  EXPECT_EQ(hart.f(ft2), 0x3fd5555555555556u);
  run(3);
  EXPECT_EQ(hart.x(a1), 1u << 5 | 16 | 1);
  EXPECT_EQ(hart.x(a2), 1u << 5);
}

TEST_F(Float, WritesMakeTheStateDirty) {
  hart.set_f(ft0, 0x3ff0000000000000);
  hart.set_f(ft1, 0);
  program({op_fp(0x1c, kDouble, 0, a1, ft0, 0), op_fp(0x14, kDouble, 2, a1, ft0, ft1), fdiv_d()});
  run(2);  // FMV.X.D and FEQ.D change nothing
  EXPECT_EQ(fs(), 1u);
  EXPECT_EQ(csr_value(csr::kMstatus) >> 63, 0u);
  run(1);
  EXPECT_EQ(fs(), 3u);
  EXPECT_EQ(csr_value(csr::kMstatus) >> 63, 1u);
  EXPECT_EQ(csr_value(csr::kFflags), 8u);  // 1 / 0
  EXPECT_EQ(hart.f(ft2), 0x7ff0000000000000u);
}

TEST_F(Float, ConversionsToWordsAreSignExtended) {
  hart.set_f(ft0, kBox | 0x4f000000);              // 2^31
  program({op_fp(0x18, kSingle, 1, a1, ft0, 1)});  // FCVT.WU.S
  run(1);
  EXPECT_EQ(hart.x(a1), 0xffffffff80000000u);
  EXPECT_EQ(csr_value(csr::kFflags), 0u);
}

TEST_F(Float, FusedInvalidEvenWithAQuietAddend) {
  hart.set_f(ft0, 0x7ff0000000000000);
  hart.set_f(ft1, 0);
  hart.set_f(ft2, 0x7ff8000000000000);
  program({2u << 27 | kDouble << 25 | ft1 << 20 | ft0 << 15 | kDynamic << 12 | 3u << 7 | 0x43u});
  run(1);
  EXPECT_EQ(hart.f(3), 0x7ff8000000000000u);
  EXPECT_EQ(csr_value(csr::kFflags), 16u);
}

}  // namespace
}  // namespace npuvp::riscv::test

// SPDX-License-Identifier: Apache-2.0
#include "models/arithmetic/arithmetic.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <array>
#include <random>

#include "models/arithmetic/fp16.h"
#include "tests/models/arithmetic/reference.h"

namespace npuvp {
namespace {

using test::Bytes;

constexpr std::array<npu_type, 4> kTypes{NPU_TYPE_INT8, NPU_TYPE_INT32, NPU_TYPE_FP16, NPU_TYPE_FP32};

// Values at which formats change their behaviour.
constexpr std::array<uint16_t, 20> kHalfEdges{0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x8400,
                                              0x3c00, 0xbc00, 0x3555, 0x7bff, 0xfbff, 0x7c00, 0xfc00,
                                              0x7c01, 0x7e00, 0xfe01, 0x57f8, 0xd808, 0x3801};
constexpr std::array<uint32_t, 44> kFloatEdges{
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x7f800000,
    0xff800000, 0x7f800001, 0x7fc00000, 0xffc12345, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000, 0xc0200000,
    0x42fd0000, 0x42fe0000, 0x42ff0000, 0x43000000, 0xc3000000, 0xc3008000, 0xc3010000, 0x4b000000, 0x4affffff,
    0x4affffff, 0x4b000001, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x477fe000, 0x477fefff, 0x477ff000,
    0x477ff001, 0x38800000, 0x387fe000, 0x387ff000, 0x33000000, 0x33000001, 0x32ffffff, 0x33c00000};
constexpr std::array<uint32_t, 18> kIntEdges{0,          1,          0xffffffff, 0x7fffffff, 0x80000000, 0x80000001,
                                             127,        128,        0xffffff80, 0xffffff7f, 0x01000001, 0x01000003,
                                             0x7fffff40, 0x7fffffbf, 65519,      65520,      0xfeffffff, 2049};

/// Random elements, one in four an edge.
void fill(Bytes& memory, size_t begin, size_t end, npu_type type, std::mt19937& random) {
  for (size_t at = begin; at + test::bytes_of(type) <= end; at += test::bytes_of(type)) {
    const uint32_t word = static_cast<uint32_t>(random());
    const bool edge = random() % 4 == 0;
    switch (type) {
      case NPU_TYPE_INT8:
        test::put(memory, at, static_cast<uint8_t>(edge ? (word % 2 != 0 ? 0x80 : 0x7f) : word));
        break;
      case NPU_TYPE_FP16:
        test::put(memory, at, edge ? kHalfEdges[word % kHalfEdges.size()] : static_cast<uint16_t>(word));
        break;
      case NPU_TYPE_INT32:
        test::put(memory, at, edge ? kIntEdges[word % kIntEdges.size()] : word >> (random() % 32));
        break;
      case NPU_TYPE_FP32:
        test::put(memory, at, edge ? kFloatEdges[word % kFloatEdges.size()] : word);
        break;
      default:
        FAIL() << "no type of VECTOR";
    }
  }
}

/// FP16 numbers of ordinary size, so that sums stay finite and rounding decides.
void fill_moderate(Bytes& memory, size_t begin, size_t end, std::mt19937& random) {
  for (size_t at = begin; at < end; at += 2) {
    test::put(memory, at, static_cast<uint16_t>((random() & 0x83ffu) | ((8 + random() % 14) << 10)));
  }
}

uint32_t up(uint32_t value, uint32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// A, B and C one after the other with up to two spare units of stride.
npu_gemm make_gemm(npu_type type, uint32_t m, uint32_t n, uint32_t k, bool accumulate, std::mt19937& random) {
  const auto element = static_cast<uint32_t>(test::bytes_of(type));
  const auto spare = [&random](uint32_t unit) { return static_cast<uint32_t>(random() % 3) * unit; };
  npu_gemm g{};
  g.m = m;
  g.n = n;
  g.k = k;
  g.type = type;
  g.accumulate = accumulate ? 1 : 0;
  g.a_stride = up(k * element, 16) + spare(16);
  g.b_stride = up(n * element, 16) + spare(16);
  g.c_stride = up(n * 4, 64) + spare(64);
  g.b = up(g.a + m * g.a_stride, 16);
  g.c = up(g.b + k * g.b_stride, 64);
  return g;
}

size_t end_of(const npu_gemm& g) {
  return g.c + size_t{g.m} * g.c_stride;
}

void run_gemm(Bytes& memory, const npu_gemm& g) {
  const arithmetic::GemmOperands operands{.a = memory.data() + g.a,
                                          .b = memory.data() + g.b,
                                          .c = memory.data() + g.c,
                                          .m = g.m,
                                          .n = g.n,
                                          .k = g.k,
                                          .a_stride = g.a_stride,
                                          .b_stride = g.b_stride,
                                          .c_stride = g.c_stride,
                                          .accumulate = g.accumulate != 0};
  g.type == NPU_TYPE_INT8 ? arithmetic::gemm_int8(operands) : arithmetic::gemm_fp16(operands);
}

/// Compares the whole memory, so that a write outside of C fails too.
void expect_gemm_exact(const npu_gemm& g, bool moderate, std::mt19937& random) {
  const auto type = static_cast<npu_type>(g.type);
  Bytes memory(end_of(g));
  fill(memory, 0, memory.size(), type, random);
  if (moderate) fill_moderate(memory, 0, g.c, random);
  if (type == NPU_TYPE_FP16) fill(memory, g.c, memory.size(), moderate ? NPU_TYPE_INT32 : NPU_TYPE_FP32, random);
  Bytes expected = memory;
  test::reference_gemm(expected, g);
  run_gemm(memory, g);
  ASSERT_EQ(memory, expected) << "type " << +g.type << " m " << g.m << " n " << g.n << " k " << g.k << " accumulate "
                              << +g.accumulate;
}

void expect_random_gemms_exact(npu_type type, int count, uint32_t largest, uint32_t seed) {
  std::mt19937 random(seed);
  const auto size = [&] { return static_cast<uint32_t>(1 + random() % largest); };
  for (int i = 0; i < count && !testing::Test::HasFatalFailure(); ++i) {
    const uint32_t m = size();
    const uint32_t n = size();
    const uint32_t k = size();
    expect_gemm_exact(make_gemm(type, m, n, k, random() % 2 != 0, random), type == NPU_TYPE_FP16 && i % 2 == 0, random);
  }
}

TEST(Fp16, EveryHalfWidensExactly) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const auto expected = static_cast<float>(std::bit_cast<_Float16>(half));
    ASSERT_EQ(test::float_bits(arithmetic::fp16_to_fp32(half)), test::float_bits(expected)) << bits;
  }
}

TEST(Fp16, NarrowingRoundsToNearestEvenEverywhere) {
  const auto check = [](uint32_t bits) {
    const auto value = std::bit_cast<float>(bits);
    ASSERT_EQ(arithmetic::fp32_to_fp16(value), test::half_bits(value)) << std::hex << bits;
  };
  for (uint64_t bits = 0; bits <= 0xffffffff; bits += 1021) check(static_cast<uint32_t>(bits));
  // Each half, the middle to the next half, and the floats on both sides of them.
  for (uint32_t half = 0; half <= 0xffff; ++half) {
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<_Float16>(static_cast<uint16_t>(half))));
    for (const uint32_t distance : {0u, 1u, 0xfffu, 0x1000u, 0x1001u}) check(bits + distance);
  }
  for (uint32_t bits = 0x32000000; bits < 0x38900000; bits += 257) check(bits);  // subnormal results
}

TEST(GemmArithmetic, EverySmallShapeOfInt8IsExact) {
  expect_random_gemms_exact(NPU_TYPE_INT8, 3000, 40, 1);
}
TEST(GemmArithmetic, EverySmallShapeOfFp16IsExact) {
  expect_random_gemms_exact(NPU_TYPE_FP16, 3000, 40, 2);
}

TEST(GemmArithmetic, ShapesBeyondTheCacheBlocksAreExact) {
  std::mt19937 random(3);
  for (const npu_type type : {NPU_TYPE_INT8, NPU_TYPE_FP16}) {
    for (const bool accumulate : {false, true}) {
      expect_gemm_exact(make_gemm(type, 3, 5, 1537, accumulate, random), type == NPU_TYPE_FP16, random);
      expect_gemm_exact(make_gemm(type, 521, 35, 300, accumulate, random), type == NPU_TYPE_FP16, random);
      expect_gemm_exact(make_gemm(type, 9, 515, 70, accumulate, random), type == NPU_TYPE_FP16, random);
    }
  }
}

TEST(GemmArithmetic, Int8SumsWrapModulo2To32) {
  npu_gemm g{};
  g.type = NPU_TYPE_INT8;
  g.m = g.n = 1;
  g.k = 1;
  g.b = 16;
  g.c = 64;
  g.accumulate = 1;
  Bytes memory(128);
  test::put<int8_t>(memory, 0, -128);
  test::put<int8_t>(memory, 16, -128);
  test::put<int32_t>(memory, 64, 0x7fffffff);
  run_gemm(memory, g);
  EXPECT_EQ(test::get<uint32_t>(memory, 64), 0x7fffffffu + 16384u);
}

TEST(GemmArithmetic, Fp16AddsInOrderOfKWithOneRoundingEach) {
  // 1 + 2^-24 twice: each addition rounds back to 1; together first they would give 1 + 2^-23.
  npu_gemm g{};
  g.type = NPU_TYPE_FP16;
  g.m = g.n = 1;
  g.k = 3;
  g.b = 16;
  g.b_stride = 16;
  g.c = 64;
  Bytes memory(128);
  for (size_t k = 0; k < 3; ++k) test::put<uint16_t>(memory, 2 * k, k == 0 ? 0x3c00 : 0x0001);
  for (size_t k = 0; k < 3; ++k) test::put<uint16_t>(memory, 16 + 16 * k, 0x3c00);
  run_gemm(memory, g);
  EXPECT_EQ(test::get<uint32_t>(memory, 64), 0x3f800000u);
}

TEST(GemmArithmetic, NanResultsAreCanonical) {
  npu_gemm g{};
  g.type = NPU_TYPE_FP16;
  g.m = g.n = g.k = 1;
  g.b = 16;
  g.c = 64;
  Bytes memory(128);
  test::put<uint16_t>(memory, 0, 0xfc00);   // -infinity
  test::put<uint16_t>(memory, 16, 0x8000);  // -0
  run_gemm(memory, g);
  EXPECT_EQ(test::get<uint32_t>(memory, 64), 0x7fc00000u);
}

TEST(GemmArithmetic, EveryInstructionSetOfThisHostGivesTheSameBits) {
  int sets = 0;
  for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets = targets & (targets - 1)) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    expect_random_gemms_exact(NPU_TYPE_INT8, 300, 70, 4);
    expect_random_gemms_exact(NPU_TYPE_FP16, 300, 70, 5);
    ++sets;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  EXPECT_GE(sets, 1);
}

npu_vector make_vector(npu_type in, npu_type out, uint32_t flags, uint32_t m, uint32_t n, uint32_t spare) {
  npu_vector v{};
  v.in_type = in;
  v.out_type = out;
  v.flags = static_cast<uint8_t>(flags);
  v.m = m;
  v.n = n;
  v.in_stride = static_cast<uint32_t>((n + spare) * test::bytes_of(in));
  v.out_stride = static_cast<uint32_t>((n + spare) * test::bytes_of(out));
  v.bias = up(m * v.in_stride, 4);
  v.scale = v.bias + n * 4;
  v.out = v.scale + n * 4;
  return v;
}

void run_vector(Bytes& memory, const npu_vector& v) {
  arithmetic::vector_operation({.in = memory.data() + v.in,
                                .out = memory.data() + v.out,
                                .bias = memory.data() + v.bias,
                                .scale = memory.data() + v.scale,
                                .m = v.m,
                                .n = v.n,
                                .in_stride = v.in_stride,
                                .out_stride = v.out_stride,
                                .in_type = static_cast<npu_type>(v.in_type),
                                .out_type = static_cast<npu_type>(v.out_type),
                                .flags = v.flags});
}

TEST(VectorArithmetic, EveryPairOfTypesWithEveryFlagsIsExact) {
  std::mt19937 random(6);
  for (const npu_type in : kTypes) {
    for (const npu_type out : kTypes) {
      for (uint32_t flags = 0; flags < 8; ++flags) {
        for (const auto& [m, n, spare] : {std::array<uint32_t, 3>{1, 1, 0}, {7, 33, 3}, {3, 1500, 0}}) {
          const npu_vector v = make_vector(in, out, flags, m, n, spare);
          Bytes memory(v.out + v.m * v.out_stride);
          fill(memory, v.in, v.bias, in, random);
          fill(memory, v.bias, v.scale, in == NPU_TYPE_INT8 || in == NPU_TYPE_INT32 ? NPU_TYPE_INT32 : NPU_TYPE_FP32,
               random);
          fill(memory, v.scale, v.out, NPU_TYPE_FP32, random);
          if (m == 3) {  // scales that bring the result into the range of INT8, where rounding decides
            for (uint32_t i = 0; i < n; ++i)
              test::put(memory, v.scale + 4 * i, 1.0F / static_cast<float>(1u << (i % 31)));
          }
          Bytes expected = memory;
          test::reference_vector(expected, v);
          run_vector(memory, v);
          ASSERT_EQ(memory, expected) << "in " << in << " out " << out << " flags " << flags << " n " << n;
        }
      }
    }
  }
}

TEST(VectorArithmetic, EveryInt8AndTieRoundsToEvenAndSaturates) {
  constexpr uint32_t kCount = 1601;  // -200 to 200 in quarters
  const npu_vector v = make_vector(NPU_TYPE_FP32, NPU_TYPE_INT8, 0, 1, kCount, 0);
  Bytes memory(v.out + kCount);
  for (uint32_t i = 0; i < kCount; ++i) test::put(memory, 4 * i, static_cast<float>(i) / 4 - 200);
  run_vector(memory, v);
  for (uint32_t i = 0; i < kCount; ++i) {
    const auto expected = static_cast<int8_t>(test::reference_round(static_cast<float>(i) / 4 - 200, -128, 127));
    ASSERT_EQ(test::get<int8_t>(memory, v.out + i), expected) << i;
  }
  EXPECT_EQ(test::get<int8_t>(memory, v.out + (2 + 800)), 0);      // 0.5
  EXPECT_EQ(test::get<int8_t>(memory, v.out + (6 + 800)), 2);      // 1.5
  EXPECT_EQ(test::get<int8_t>(memory, v.out + (510 + 800)), 127);  // 127.5
}

TEST(VectorArithmetic, RandomFloatsConvertExactly) {
  std::mt19937 random(7);
  constexpr uint32_t kRows = 64;
  constexpr uint32_t kColumns = 4096;
  for (const npu_type out : kTypes) {
    const npu_vector v = make_vector(NPU_TYPE_FP32, out, out % 2 != 0 ? NPU_VECTOR_RELU : 0u, kRows, kColumns, 0);
    Bytes memory(v.out + v.m * v.out_stride);
    fill(memory, 0, v.bias, NPU_TYPE_FP32, random);
    Bytes expected = memory;
    test::reference_vector(expected, v);
    run_vector(memory, v);
    ASSERT_EQ(memory, expected) << "out " << out;
  }
}

TEST(VectorArithmetic, WorksInPlace) {
  npu_vector v = make_vector(NPU_TYPE_FP32, NPU_TYPE_INT32, NPU_VECTOR_BIAS | NPU_VECTOR_SCALE, 5, 37, 2);
  v.out = v.in;
  std::mt19937 random(8);
  Bytes memory(v.scale + v.n * 4);
  fill(memory, 0, memory.size(), NPU_TYPE_FP32, random);
  Bytes expected = memory;
  test::reference_vector(expected, v);
  run_vector(memory, v);
  EXPECT_EQ(memory, expected);
}

}  // namespace
}  // namespace npuvp

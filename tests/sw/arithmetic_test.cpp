// SPDX-License-Identifier: Apache-2.0
// Expected values are worked out by hand from the written arithmetic.
#include "sw/compiler/arithmetic.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "sw/compiler/half.h"

namespace npuvp::compiler {
namespace {

constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
constexpr int32_t kMax = std::numeric_limits<int32_t>::max();

uint32_t bits(float value) {
  return std::bit_cast<uint32_t>(value);
}
uint32_t bits(int32_t value) {
  return static_cast<uint32_t>(value);
}

TEST(Arithmetic, Int8GemmSumsModulo2To32) {
  EXPECT_EQ(gemm_step_int8(5, -128, -128), 16389);
  EXPECT_EQ(gemm_step_int8(5, -128, 127), -16251);
  EXPECT_EQ(gemm_step_int8(kMax, 1, 1), kMin);
}

TEST(Arithmetic, Fp16GemmStepIsOneRounding) {
  for (uint32_t i = 0; i < 0x7c00; i += 61) {
    for (uint32_t j = 0; j < 0x7c00; j += 67) {
      const float a = half_to_float(static_cast<uint16_t>(i));
      const float b = half_to_float(static_cast<uint16_t>(j | 0x8000));
      const float sum = a * 0.7f + 1e-9f;
      ASSERT_EQ(bits(gemm_step_fp16(sum, a, b)), bits(std::fmaf(a, b, sum)));
    }
  }
}

TEST(Arithmetic, Fp16GemmKeepsSubnormals) {
  const float smallest = half_to_float(1);  // 2^-24
  EXPECT_EQ(gemm_step_fp16(std::ldexp(1.0f, -149), smallest, 0.0f), std::ldexp(1.0f, -149));
  EXPECT_EQ(gemm_step_fp16(0.0f, smallest, smallest), std::ldexp(1.0f, -48));
}

TEST(Arithmetic, FloatToIntegerRoundsToEvenSaturatesAndDropsNan) {
  EXPECT_EQ(float_to_int8(0.5f), 0);
  EXPECT_EQ(float_to_int8(1.5f), 2);
  EXPECT_EQ(float_to_int8(-2.5f), -2);
  EXPECT_EQ(float_to_int8(127.5f), 127);
  EXPECT_EQ(float_to_int8(-128.6f), -128);
  EXPECT_EQ(float_to_int8(1e30f), 127);
  EXPECT_EQ(float_to_int8(NAN), 0);
  EXPECT_EQ(float_to_int32(2147483648.0f), kMax);
  EXPECT_EQ(float_to_int32(-INFINITY), kMin);
  EXPECT_EQ(float_to_int32(NAN), 0);
  EXPECT_EQ(float_to_int32(2147483520.0f), 2147483520);
}

TEST(Arithmetic, IntegerVectorAddsBiasSaturatingThenReluScaleConvert) {
  const auto run = [](int32_t in, int32_t bias, float scale, unsigned flags, uint8_t out) {
    return vector_element(bits(in), NPU_TYPE_INT32, bits(bias), scale, static_cast<uint8_t>(flags), out);
  };
  EXPECT_EQ(run(kMax, 1, 0, NPU_VECTOR_BIAS, NPU_TYPE_INT32), bits(kMax));
  EXPECT_EQ(run(kMin, -1, 0, NPU_VECTOR_BIAS, NPU_TYPE_INT32), bits(kMin));
  EXPECT_EQ(run(-5, 3, 0, NPU_VECTOR_BIAS | NPU_VECTOR_RELU, NPU_TYPE_INT32), 0u);
  EXPECT_EQ(run(-5, 3, 0, 0, NPU_TYPE_INT32), bits(-5)) << "stages without their flag do nothing";
  EXPECT_EQ(run(300, 0, 0, 0, NPU_TYPE_INT8), 127u);
  EXPECT_EQ(run(-300, 0, 0, 0, NPU_TYPE_INT8), 0x80u);
  EXPECT_EQ(run(5, 0, 0.5f, NPU_VECTOR_SCALE, NPU_TYPE_INT8), 2u) << "2.5 rounds to even";
  EXPECT_EQ(run(7, 0, 0.5f, NPU_VECTOR_SCALE, NPU_TYPE_INT8), 4u) << "3.5 rounds to even";
  EXPECT_EQ(run(16777217, 0, 1.0f, NPU_VECTOR_SCALE, NPU_TYPE_FP32), bits(16777216.0f)) << "INT32 to FP32 rounds";
  EXPECT_EQ(run(16777219, 0, 0, 0, NPU_TYPE_FP32), bits(16777220.0f));
  EXPECT_EQ(vector_element(0x80, NPU_TYPE_INT8, 0, 0, 0, NPU_TYPE_INT32), bits(-128)) << "INT8 widens with its sign";
}

TEST(Arithmetic, FloatVectorAddsBiasThenReluScaleConvert) {
  const auto run = [](float in, float bias, float scale, unsigned flags, uint8_t out) {
    return vector_element(bits(in), NPU_TYPE_FP32, bits(bias), scale, static_cast<uint8_t>(flags), out);
  };
  EXPECT_EQ(run(1.0f, 0.5f, 4.0f, NPU_VECTOR_BIAS | NPU_VECTOR_SCALE, NPU_TYPE_FP32), bits(6.0f));
  EXPECT_EQ(run(-0.0f, 0, 0, NPU_VECTOR_RELU, NPU_TYPE_FP32), bits(0.0f)) << "ReLU gives +0";
  EXPECT_EQ(run(-1.0f, 0, 0, NPU_VECTOR_RELU, NPU_TYPE_FP32), bits(0.0f));
  EXPECT_EQ(run(65520.0f, 0, 0, 0, NPU_TYPE_FP16), 0x7c00u);
  EXPECT_EQ(run(65519.0f, 0, 0, 0, NPU_TYPE_FP16), 0x7bffu);
  EXPECT_EQ(run(-3.5f, 0, 0, 0, NPU_TYPE_INT32), bits(-4));
  const float signalling = std::bit_cast<float>(0x7f800001u);
  EXPECT_EQ(run(signalling, 0, 0, NPU_VECTOR_RELU, NPU_TYPE_FP32), 0x7fc00001u) << "ReLU keeps NaN and makes it quiet";
  EXPECT_EQ(vector_element(0x3c00, NPU_TYPE_FP16, bits(0.25f), 0, NPU_VECTOR_BIAS, NPU_TYPE_FP32), bits(1.25f));
}

}  // namespace
}  // namespace npuvp::compiler

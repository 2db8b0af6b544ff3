// SPDX-License-Identifier: Apache-2.0
// Single cases of ELEMENTWISE; tests/models/ne/exact_test.cpp has all operations and types.
#include <gtest/gtest.h>

#include <bit>

#include "models/arithmetic/vector_unit.h"
#include "tests/models/arithmetic/vector_reference.h"

namespace npuvp {
namespace {

/// What hard_cases.cpp finds, and numbers beside it.
TEST(Elementwise, HardCasesOfFunctionsAreCorrectlyRounded) {
  test::ExactFunctions exact;
  const struct {
    uint8_t operation;
    uint32_t input;
  } cases[] = {{NPU_OP_LOG, 0x3c413d3a},  {NPU_OP_LOG, 0x41178feb},       {NPU_OP_LOG, 0x4c5d65a5},
               {NPU_OP_LOG, 0x65d890d3},  {NPU_OP_LOG, 0x6f31a8ec},       {NPU_OP_SIGMOID, 0xba928601},
               {NPU_OP_GELU, 0x37b0a46f}, {NPU_OP_GELU_TANH, 0xb7b0a46f}, {NPU_OP_SILU, 0x00000001},
               {NPU_OP_SILU, 0x00100001}, {NPU_OP_SIGMOID, 0x34c00000},   {NPU_OP_SIGMOID, 0xb7838000},
               {NPU_OP_GELU, 0x80000005}, {NPU_OP_TANH, 0x80000000},      {NPU_OP_RSQRT, 0x80000000}};
  for (const auto& hard : cases) {
    npu_elementwise command{};
    command.planes = command.rows = command.columns = 1;
    command.operation = hard.operation;
    command.a_type = NPU_TYPE_FP32;
    command.result = {NPU_TYPE_FP32, 0, 0, 0};
    uint32_t out = 0;
    arithmetic::elementwise(
        command, {reinterpret_cast<uint8_t*>(&out), reinterpret_cast<const uint8_t*>(&hard.input), nullptr, nullptr});
    EXPECT_EQ(out, exact(hard.operation, std::bit_cast<float>(hard.input))) << +hard.operation << " " << hard.input;
  }
}

TEST(Elementwise, ImmediatesStandForAnOperand) {
  npu_elementwise command{};
  command.planes = command.rows = 1;
  command.columns = 3;
  command.operation = NPU_OP_CLAMP;
  command.flags = NPU_ELEMENTWISE_IMMEDIATE_B | NPU_ELEMENTWISE_IMMEDIATE_C;
  command.a_type = command.b_type = command.c_type = NPU_TYPE_INT32;
  command.immediate_b = static_cast<uint32_t>(-5);
  command.immediate_c = 7;
  command.result = {NPU_TYPE_INT32, 0, 0, 0};
  const int32_t in[] = {-100, 3, 100};
  int32_t out[3] = {};
  arithmetic::elementwise(command,
                          {reinterpret_cast<uint8_t*>(out), reinterpret_cast<const uint8_t*>(in), nullptr, nullptr});
  EXPECT_EQ(out[0], -5);
  EXPECT_EQ(out[1], 3);
  EXPECT_EQ(out[2], 7);
}

}  // namespace
}  // namespace npuvp

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "models/arithmetic/vector_unit.h"
#include "tests/models/arithmetic/vector_reference.h"

namespace npuvp {
namespace {

// FP32 numbers at which formats and operations change their behaviour; others take what they become in their format.
constexpr uint32_t kEdges[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff,
    0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffc12345, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000,
    0x3fc00000, 0x40200000, 0xc0200000, 0x3effffff, 0x42fe0000, 0x42ff0000, 0x43000000, 0xc3000000, 0xc3008000,
    0x43e00000, 0x43e80000, 0x43e80001, 0x43f00000, 0x47600000, 0x47680000, 0x47700000, 0x477fefff, 0x477ff000,
    0x4b000000, 0x4b000001, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x5f000000, 0x3b000000, 0x3a800000,
    0x3a800001, 0x37800000, 0x37000000, 0x33800000, 0x33000000, 0x33000001, 0x42b17218, 0xc2cff1b5, 0xc1580000,
    0x40e00000, 0xc1080000, 0x40f80000, 0x7f7f7fff, 0x7f7f8000, 0x00008000, 0x00004000, 0x00018000, 0x3c413d3a};

uint32_t random_bits(unsigned type, std::mt19937& random) {
  const auto word = static_cast<uint32_t>(random());
  const unsigned choice = random() % 8;
  if (choice < 2) {
    const npu_result nearest{static_cast<uint8_t>(type), NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
    const float edge = std::bit_cast<float>(kEdges[word % std::size(kEdges)]);
    return type == NPU_TYPE_FP32 ? std::bit_cast<uint32_t>(edge) : test::bits_of_float(nearest, edge);
  }
  if (type == NPU_TYPE_FP32 && choice < 6) {  // of ordinary size
    return (word & 0x807fffffu) | static_cast<uint32_t>((112 + random() % 28) << 23);
  }
  if (type == NPU_TYPE_INT32) return word >> (random() % 32);
  return word & static_cast<uint32_t>((uint64_t{1} << test::bits_of(type)) - 1);
}

constexpr size_t kColumns = 1501;  // more than a block, odd

/// A command of one operation with random types; operands in buffers of their own.
class Trial {
 public:
  Trial(unsigned operation, unsigned a_type, std::mt19937& random) : random_(random) {
    command_.planes = 1;
    command_.rows = 4;
    command_.columns = kColumns;
    command_.operation = static_cast<uint8_t>(operation);
    command_.a_type = static_cast<uint8_t>(a_type);
    command_.b_type = type_for_b();
    command_.c_type = type_for_c();
    command_.result = {pick(), static_cast<uint8_t>(random() % 5), static_cast<uint8_t>(random() % 3), 0};
    inputs_ = arithmetic::operand_count(operation);
    fill(a_, command_.a, command_.a_type, NPU_ELEMENTWISE_BROADCAST_A);
    fill(b_, command_.b, command_.b_type, NPU_ELEMENTWISE_BROADCAST_B);
    fill(c_, command_.c, command_.c_type, NPU_ELEMENTWISE_BROADCAST_C);
    command_.out.row_stride = stride(command_.result.type);
    out_.resize(command_.rows * command_.out.row_stride);
    for (auto& byte : out_) byte = static_cast<uint8_t>(random());
  }

  void run() {
    test::Bytes expected = out_;
    for (uint32_t row = 0; row < command_.rows; ++row) {
      for (size_t column = 0; column < kColumns; ++column) {
        test::put_element(
            expected.data() + row * command_.out.row_stride, command_.result.type, column,
            test::reference_element(command_, inputs_,
                                    at(a_, command_.a, command_.a_type, NPU_ELEMENTWISE_BROADCAST_A, row, column),
                                    at(b_, command_.b, command_.b_type, NPU_ELEMENTWISE_BROADCAST_B, row, column),
                                    at(c_, command_.c, command_.c_type, NPU_ELEMENTWISE_BROADCAST_C, row, column)));
      }
    }
    arithmetic::elementwise(command_, {out_.data(), a_.data(), b_.data(), c_.data()});
    for (size_t i = 0; i < out_.size(); ++i) {
      if (out_[i] != expected[i]) return report(expected, i);
    }
  }

 private:
  [[nodiscard]] uint8_t pick() { return static_cast<uint8_t>(test::kAllTypes[random_() % 8]); }
  [[nodiscard]] uint8_t integers() { return random_() % 2 != 0 ? NPU_TYPE_INT8 : NPU_TYPE_INT32; }
  uint8_t type_for_b() {
    const bool bitwise = arithmetic::is_bitwise(command_.operation);
    return bitwise || (random_() % 2 == 0 && test::integer_type(command_.a_type)) ? integers() : pick();
  }
  uint8_t type_for_c() {
    const bool zero_point = command_.operation == NPU_OP_QUANTIZE || command_.operation == NPU_OP_DEQUANTIZE;
    return zero_point || test::integer_type(command_.b_type) ? integers() : pick();
  }
  static uint32_t stride(unsigned type) {
    return static_cast<uint32_t>(arithmetic::row_bytes(type, kColumns) + 3) / 4 * 4 + 4;
  }
  void fill(test::Bytes& data, npu_operand& operand, unsigned type, unsigned broadcast) {
    if (random_() % 4 == 0) command_.flags = static_cast<uint8_t>(command_.flags | broadcast);
    operand.row_stride = random_() % 4 == 0 ? 0 : stride(type);
    data.resize(command_.rows * stride(type));
    for (uint32_t row = 0; row < command_.rows; ++row) {
      for (size_t column = 0; column < kColumns; ++column) {
        test::put_element(data.data() + row * stride(type), type, column, random_bits(type, random_));
      }
    }
  }
  [[nodiscard]] test::Typed at(const test::Bytes& data, const npu_operand& operand, unsigned type, unsigned broadcast,
                               uint32_t row, size_t column) const {
    const size_t index = (command_.flags & broadcast) != 0 ? 0 : column;
    return {type, test::get_element(data.data() + row * operand.row_stride, type, index)};
  }
  void report(const test::Bytes& expected, size_t byte) const {
    const auto row = static_cast<uint32_t>(byte / command_.out.row_stride);
    for (size_t column = 0; column < kColumns; ++column) {
      const size_t begin = row * command_.out.row_stride;
      const uint32_t want = test::get_element(expected.data() + begin, command_.result.type, column);
      const uint32_t have = test::get_element(out_.data() + begin, command_.result.type, column);
      if (want == have) continue;
      const auto a = at(a_, command_.a, command_.a_type, NPU_ELEMENTWISE_BROADCAST_A, row, column);
      const auto b = at(b_, command_.b, command_.b_type, NPU_ELEMENTWISE_BROADCAST_B, row, column);
      const auto c = at(c_, command_.c, command_.c_type, NPU_ELEMENTWISE_BROADCAST_C, row, column);
      FAIL() << "operation " << +command_.operation << " a " << a.type << ":" << std::hex << a.bits << " b " << b.type
             << ":" << b.bits << " c " << c.type << ":" << c.bits << " to type " << +command_.result.type
             << " rounding " << +command_.result.rounding << " saturation " << +command_.result.saturation << ": have "
             << have << " want " << want;
    }
    FAIL() << "a byte outside of the result was changed";
  }

  std::mt19937& random_;
  npu_elementwise command_{};
  unsigned inputs_ = 0;
  test::Bytes a_, b_, c_, out_;
};

/// At least 10^5 elements of each type of a.
void expect_exact(unsigned first, unsigned last, unsigned trials = 17) {
  for (unsigned operation = first; operation <= last; ++operation) {
    for (const unsigned type : test::kAllTypes) {
      if (arithmetic::is_bitwise(operation) && !test::integer_type(type)) continue;
      if (operation == NPU_OP_DEQUANTIZE && !test::integer_type(type)) continue;
      std::mt19937 random(operation * 16 + type);
      for (unsigned trial = 0; trial < trials && !testing::Test::HasFatalFailure(); ++trial) {
        Trial(operation, type, random).run();
      }
    }
  }
}

TEST(Elementwise, OperationsOfOneOperandAreExact) {
  expect_exact(NPU_OP_COPY, NPU_OP_NOT);
}
TEST(Elementwise, OperationsOfTwoOperandsAreExact) {
  expect_exact(NPU_OP_ADD, NPU_OP_XOR);
}
TEST(Elementwise, ComparisonsAreExact) {
  expect_exact(NPU_OP_EQUAL, NPU_OP_GREATER_EQUAL);
}
TEST(Elementwise, OperationsOfThreeOperandsAreExact) {
  expect_exact(NPU_OP_MULTIPLY_ADD, NPU_OP_DEQUANTIZE);
}
TEST(Elementwise, RootsAreCorrectlyRounded) {
  expect_exact(NPU_OP_SQRT, NPU_OP_RECIPROCAL);
}
TEST(Elementwise, ExponentialAndLogarithmAreCorrectlyRounded) {
  expect_exact(NPU_OP_EXP, NPU_OP_LOG);
}
TEST(Elementwise, SigmoidAndTanhAreCorrectlyRounded) {
  expect_exact(NPU_OP_SIGMOID, NPU_OP_TANH);
}
TEST(Elementwise, ErfAndGeluAreCorrectlyRounded) {
  expect_exact(NPU_OP_ERF, NPU_OP_GELU);
}
TEST(Elementwise, GeluTanhAndSiluAreCorrectlyRounded) {
  expect_exact(NPU_OP_GELU_TANH, NPU_OP_SILU);
}

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

// SPDX-License-Identifier: Apache-2.0
// The instructions, operations and types are those that the engine's own checks let pass: what is added there and has
// no proof here fails.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "models/ne/command_plan.h"
#include "tests/models/ne/exact_bench.h"

namespace npuvp {
namespace {

using test::Form;
using test::kScratchpadBytes;
using test::Session;

constexpr base::TensorCoreIdentification kCore{.rows = 128, .columns = 64, .fp16 = true, .extended = true};

/// A command of one element in each operand, all apart. An opcode that is not known here stays all 0.
npu_command smallest(unsigned opcode, unsigned operation, unsigned type) {
  npu_command c = test::command(static_cast<npu_ne_opcode>(opcode));
  const auto chosen = static_cast<uint8_t>(type);
  const auto what = static_cast<uint8_t>(operation);
  const npu_operand second{64, 0, 0};
  const npu_operand third{128, 0, 0};
  const npu_operand fourth{192, 0, 0};
  const npu_result result{NPU_TYPE_INT32, 0, 0, 0};
  // The first operand, the output, is at 0.
  const auto one_input = [&](auto& fields) {
    fields.planes = fields.rows = fields.columns = 1;
    fields.in = second;
  };
  switch (opcode) {
    case NPU_NE_GEMM:
      c.u.gemm.a = 64;
      c.u.gemm.b = 128;
      c.u.gemm.m = c.u.gemm.n = c.u.gemm.k = 1;
      c.u.gemm.type = chosen;
      break;
    case NPU_NE_VECTOR:
      c.u.vector.in = 64;
      c.u.vector.m = c.u.vector.n = 1;
      c.u.vector.in_type = chosen;
      c.u.vector.out_type = what;
      break;
    case NPU_NE_CONVOLUTION: {
      npu_convolution& v = c.u.convolution;
      v.in = 64;
      v.weights = 128;
      v.images = v.in_height = v.in_width = v.in_channels = v.groups = 1;
      v.out_height = v.out_width = v.out_channels = v.kernel_height = v.kernel_width = 1;
      v.stride_y = v.stride_x = v.dilation_y = v.dilation_x = 1;
      v.type = chosen;
      break;
    }
    case NPU_NE_ELEMENTWISE: {
      npu_elementwise& e = c.u.elementwise;
      e.planes = e.rows = e.columns = 1;
      e.a = second;
      e.b = third;
      e.c = fourth;
      e.result = result;
      e.operation = what;
      e.a_type = chosen;
      e.b_type = e.c_type = NPU_TYPE_INT32;
      break;
    }
    case NPU_NE_REDUCE:
      one_input(c.u.reduce);
      c.u.reduce.result = result;
      c.u.reduce.operation = what;
      c.u.reduce.in_type = chosen;
      break;
    case NPU_NE_SOFTMAX:
      one_input(c.u.softmax);
      c.u.softmax.result = result;
      c.u.softmax.in_type = chosen;
      break;
    case NPU_NE_NORMALIZE:
      one_input(c.u.normalize);
      c.u.normalize.result = result;
      c.u.normalize.in_type = chosen;
      break;
    case NPU_NE_ROTARY:
      one_input(c.u.rotary);
      c.u.rotary.columns = 2;
      c.u.rotary.cosine = third;
      c.u.rotary.sine = fourth;
      c.u.rotary.result = result;
      c.u.rotary.in_type = chosen;
      break;
    case NPU_NE_GATHER:
    case NPU_NE_SCATTER:
      c.u.gather.rows = c.u.gather.columns = c.u.gather.table_rows = 1;
      c.u.gather.data = 64;
      c.u.gather.index = 128;
      c.u.gather.type = chosen;
      c.u.gather.mode = what;
      break;
    case NPU_NE_TOP_K:
      c.u.top_k.rows = c.u.top_k.columns = c.u.top_k.k = 1;
      c.u.top_k.in = 64;
      c.u.top_k.indices = 128;
      c.u.top_k.type = chosen;
      break;
    case NPU_NE_TRANSPOSE:
      one_input(c.u.transpose);
      c.u.transpose.type = chosen;
      break;
    default:
      break;
  }
  return c;
}

ne::CommandCheck check(const npu_command& command) {
  if (command.opcode == NPU_NE_GEMM) return ne::check_gemm(command.u.gemm, kScratchpadBytes, kCore);
  if (command.opcode == NPU_NE_VECTOR) return ne::check_vector(command.u.vector, kScratchpadBytes);
  return ne::plan_command(command, kScratchpadBytes, 64).check;
}

bool engine_has(unsigned opcode) {
  return check(smallest(opcode, 0, 0)).reason != std::string_view("unknown opcode");
}

bool has_operations(unsigned opcode) {
  return opcode == NPU_NE_VECTOR || opcode == NPU_NE_ELEMENTWISE || opcode == NPU_NE_REDUCE || opcode == NPU_NE_SCATTER;
}

std::vector<uint8_t> types_of(unsigned opcode, unsigned operation) {
  std::vector<uint8_t> types;
  for (unsigned type = 0; type < 256; ++type) {
    if (check(smallest(opcode, operation, type)).ok()) types.push_back(static_cast<uint8_t>(type));
  }
  return types;
}

struct Instruction {
  uint8_t opcode;
  uint8_t operation;
};

/// Every instruction and operation that passes the engine's checks with some type; an opcode of which no command here
/// passes is in the list too.
std::vector<Instruction> instruction_set() {
  std::vector<Instruction> set;
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    if (!engine_has(opcode)) continue;
    const size_t before = set.size();
    for (unsigned operation = 0; operation < (has_operations(opcode) ? 256u : 1u); ++operation) {
      if (types_of(opcode, operation).empty()) continue;
      set.push_back({static_cast<uint8_t>(opcode), static_cast<uint8_t>(operation)});
    }
    if (set.size() == before) set.push_back({static_cast<uint8_t>(opcode), 0});
  }
  return set;
}

std::string name_of(const testing::TestParamInfo<Instruction>& info) {
  static constexpr std::array<const char*, 13> kNames{"None",    "Gemm",    "Vector",    "Convolution", "Elementwise",
                                                      "Reduce",  "Softmax", "Normalize", "Rotary",      "Gather",
                                                      "Scatter", "TopK",    "Transpose"};
  const auto [opcode, operation] = info.param;
  std::string name = opcode < kNames.size() ? kNames.at(opcode) : "Opcode" + std::to_string(opcode);
  if (has_operations(opcode)) name += std::to_string(operation);
  return name;
}

uint64_t prove(Session& session, const Form& form) {
  switch (form.opcode) {
    case NPU_NE_GEMM:
      return test::prove_gemm(session, form);
    case NPU_NE_VECTOR:
      return test::prove_vector(session, form);
    case NPU_NE_CONVOLUTION:
      return test::prove_convolution(session, form);
    case NPU_NE_ELEMENTWISE:
      return test::prove_elementwise(session, form);
    case NPU_NE_REDUCE:
      return test::prove_reduce(session, form);
    case NPU_NE_SOFTMAX:
      return test::prove_softmax(session, form);
    case NPU_NE_NORMALIZE:
      return test::prove_normalize(session, form);
    case NPU_NE_ROTARY:
      return test::prove_rotary(session, form);
    case NPU_NE_GATHER:
      return test::prove_gather(session, form);
    case NPU_NE_SCATTER:
      return test::prove_scatter(session, form);
    case NPU_NE_TOP_K:
      return test::prove_top_k(session, form);
    case NPU_NE_TRANSPOSE:
      return test::prove_transpose(session, form);
    default:
      return 0;
  }
}

class InstructionSet : public testing::TestWithParam<Instruction> {};

TEST_P(InstructionSet, IsExactForEveryType) {
  const auto [opcode, operation] = GetParam();
  const std::vector<uint8_t> types = types_of(opcode, operation);
  ASSERT_FALSE(types.empty()) << "no command of opcode " << +opcode << " is known here";
  Session session(opcode * 256u + operation);
  session.bench.run([&, opcode = opcode, operation = operation] {
    for (const uint8_t type : types) {
      const uint64_t cases = prove(session, {opcode, operation, type});
      if (HasFatalFailure()) {
        ADD_FAILURE() << "type " << +type;
        return;
      }
      EXPECT_GE(cases, test::kCases) << "opcode " << +opcode << " operation " << +operation << " type " << +type;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Engine, InstructionSet, testing::ValuesIn(instruction_set()), name_of);

/// README.md's table, so that the set above cannot shrink unnoticed.
TEST(InstructionSetTable, IsWhatTheDocumentationSays) {
  std::array<unsigned, 13> operations{};
  std::array<unsigned, 13> types{};
  for (const auto [opcode, operation] : instruction_set()) {
    ASSERT_LT(opcode, operations.size());
    ++operations[opcode];
    types[opcode] += static_cast<unsigned>(types_of(opcode, operation).size());
  }
  EXPECT_EQ(operations, (std::array<unsigned, 13>{0, 1, 4, 1, 39, 4, 1, 1, 1, 1, 4, 1, 1}));
  // 39 operations of 8 types, but NOT, AND, OR, XOR and DEQUANTIZE of the three integers only.
  EXPECT_EQ(types, (std::array<unsigned, 13>{0, 6, 16, 6, 39 * 8 - 5 * 5, 32, 8, 8, 8, 8, 32, 7, 8}));
}

}  // namespace
}  // namespace npuvp

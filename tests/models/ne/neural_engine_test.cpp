// SPDX-License-Identifier: Apache-2.0
#include "models/ne/neural_engine.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "npu/registers/ne.h"
#include "tests/models/arithmetic/reference.h"
#include "tests/models/ne/engine_bench.h"

namespace npuvp {
namespace {

using base::CommandOutcome;
using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

using test::command;
using test::cycles;
using test::kScratchpadBytes;
using Bench = test::EngineBench;

/// m 10, n 20, k 30, A at 0, B at 1024, C at 4096.
npu_command gemm() {
  npu_command c = command(NPU_NE_GEMM);
  npu_gemm& g = c.u.gemm;
  g.type = NPU_TYPE_INT8;
  g.m = 10;
  g.n = 20;
  g.k = 30;
  g.a_stride = g.b_stride = 32;
  g.c_stride = 128;
  g.b = 1024;
  g.c = 4096;
  return c;
}

/// INT32 10 x 100 at 0 to INT8 at 8192, bias at 16384, scale at 20480, all stages.
npu_command vector() {
  npu_command c = command(NPU_NE_VECTOR);
  npu_vector& v = c.u.vector;
  v.in_type = NPU_TYPE_INT32;
  v.out_type = NPU_TYPE_INT8;
  v.flags = NPU_VECTOR_BIAS | NPU_VECTOR_RELU | NPU_VECTOR_SCALE;
  v.m = 10;
  v.n = 100;
  v.in_stride = 400;
  v.out_stride = 100;
  v.out = 8192;
  v.bias = 16384;
  v.scale = 20480;
  return c;
}

void fill(test::Bytes& memory) {
  std::mt19937 random(1);
  for (uint8_t& byte : memory) byte = static_cast<uint8_t>(random());
}

TEST(NeuralEngine, GemmGoesToTheTensorCoreAndIsCounted) {
  Bench bench;
  fill(bench.scratchpad.memory);
  test::Bytes expected = bench.scratchpad.memory;
  test::reference_gemm(expected, gemm().u.gemm);
  bench.run([&] {
    EXPECT_TRUE(bench.execute(gemm()).ok());
    EXPECT_EQ(sc_time_stamp(), cycles(448));  // one tile: tests/models/tensor_core
    EXPECT_EQ(bench.scratchpad.memory, expected);
    EXPECT_EQ(bench.read64(NE_GEMM_COMMANDS), 1u);
    EXPECT_EQ(bench.read64(NE_VECTOR_COMMANDS), 0u);
    EXPECT_EQ(bench.read64(NE_MACS), 10u * 20 * 30);
    EXPECT_EQ(bench.read64(NE_TENSOR_BUSY_NS), 458u);  // 448 x 1.024 ns, rounded down
  });
}

TEST(NeuralEngine, VectorTakesLanesAndPipeline) {
  Bench bench;
  fill(bench.scratchpad.memory);
  test::Bytes expected = bench.scratchpad.memory;
  test::reference_vector(expected, vector().u.vector);
  bench.run([&] {
    EXPECT_TRUE(bench.execute(vector()).ok());
    EXPECT_EQ(sc_time_stamp(), cycles(16 + 10 * 2));  // 100 elements are 2 groups of 64 lanes
    EXPECT_EQ(bench.scratchpad.memory, expected);
    EXPECT_EQ(bench.read64(NE_VECTOR_COMMANDS), 1u);
    EXPECT_EQ(bench.read64(NE_VECTOR_BUSY_NS), 36u);
  });
}

TEST(NeuralEngine, VectorWaitsForASlowScratchpad) {
  Bench bench(true, 1e9);  // 1 ns a byte
  bench.run([&] {
    EXPECT_TRUE(bench.execute(vector()).ok());
    EXPECT_EQ(sc_time_stamp(), sc_time(400 + 400 + 4000 + 1000, SC_NS));  // bias, scale, IN, OUT
  });
}

TEST(NeuralEngine, VectorWorksWithoutDmi) {
  Bench bench(false);
  fill(bench.scratchpad.memory);
  test::Bytes expected = bench.scratchpad.memory;
  test::reference_vector(expected, vector().u.vector);
  bench.run([&] {
    EXPECT_TRUE(bench.execute(vector()).ok());
    EXPECT_EQ(bench.scratchpad.memory, expected);
  });
}

TEST(NeuralEngine, CommandsRunOneAfterTheOther) {
  Bench bench;
  std::vector<sc_time> ends;
  for (int i = 0; i < 3; ++i) {
    sc_core::sc_spawn([&] {
      EXPECT_TRUE(bench.execute(gemm()).ok());
      ends.push_back(sc_time_stamp());
    });
  }
  sc_core::sc_start();
  EXPECT_EQ(ends, (std::vector<sc_time>{cycles(448), cycles(896), cycles(1344)}));
}

TEST(NeuralEngine, IdentifiesItself) {
  Bench bench;
  bench.run([&] {
    EXPECT_EQ(bench.read32(NE_INDEX), 3u);
    EXPECT_EQ(bench.read32(NE_SCRATCHPAD_BYTES), kScratchpadBytes);
    EXPECT_EQ(bench.read32(NE_TENSOR_CORE), 128u | 64u << 12 | 1u << 24);
  });
}

TEST(NeuralEngine, ResetAbandonsTheRunningAndTheWaitingCommand) {
  Bench bench;
  std::vector<CommandOutcome> outcomes;
  for (int i = 0; i < 2; ++i) {
    sc_core::sc_spawn([&] {
      outcomes.push_back(bench.execute(gemm()));
      EXPECT_EQ(sc_time_stamp(), sc_time(100, SC_NS));
    });
  }
  bench.run([&] {
    wait(sc_time(100, SC_NS));
    bench.ne.reset();
    wait(sc_time(1, SC_PS));
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_FALSE(outcomes[0].ok());
    EXPECT_FALSE(outcomes[1].ok());
    EXPECT_EQ(bench.read64(NE_GEMM_COMMANDS), 0u);
    EXPECT_TRUE(bench.execute(gemm()).ok());
    EXPECT_EQ(bench.read64(NE_GEMM_COMMANDS), 1u);
    EXPECT_EQ(bench.read32(NE_INDEX), 3u);
  });
}

TEST(NeuralEngine, ACommandToldToHangEndsByTheResetBitAndTheNextOneWorks) {
  Bench bench;
  bench.ne.hang_next_command();
  sc_core::sc_spawn([&] {
    const npu_command c = gemm();
    EXPECT_EQ(bench.ne.execute({.command = &c, .space = nullptr, .context = 9, .index = 4}).fault, NPU_FAULT_BUS);
    EXPECT_EQ(sc_time_stamp(), sc_time(5, sc_core::SC_MS));
  });
  bench.run([&] {
    wait(sc_time(5, sc_core::SC_MS));
    EXPECT_EQ(bench.read32(NE_STATUS), 9u << 16 | 1u);
    EXPECT_EQ(bench.read32(NE_COMMAND), 4u);
    bench.write32(NE_CONTROL, NE_CONTROL_RESET_MASK);
    wait(sc_time(1, SC_PS));
    EXPECT_EQ(bench.read32(NE_STATUS), 0u);
    EXPECT_TRUE(bench.execute(gemm()).ok());
    EXPECT_EQ(bench.read64(NE_GEMM_COMMANDS), 1u);
  });
}

TEST(NeuralEngineFaults, PoisonAndBusErrorsAreReported) {
  Bench bench;
  bench.run([&] {
    bench.scratchpad.poisoned = true;
    EXPECT_EQ(bench.execute(gemm()).fault, NPU_FAULT_POISON);
    EXPECT_EQ(bench.execute(vector()).fault, NPU_FAULT_POISON);
    bench.scratchpad.poisoned = false;
    bench.scratchpad.broken = true;
    EXPECT_EQ(bench.execute(gemm()).fault, NPU_FAULT_BUS);
    EXPECT_EQ(bench.execute(vector()).fault, NPU_FAULT_BUS);
    EXPECT_EQ(bench.read64(NE_GEMM_COMMANDS), 0u);
    EXPECT_EQ(bench.read64(NE_VECTOR_COMMANDS), 0u);
  });
}

struct Case {
  const char* what;
  std::function<void(npu_command&)> change;
  npu_fault fault;
  uint64_t address = 0;  // offset in the scratchpad for NPU_FAULT_ADDRESS
};

void expect_faults(const npu_command& good, const std::vector<Case>& cases) {
  Bench bench;
  const test::Bytes before = bench.scratchpad.memory;
  bench.run([&] {
    for (const Case& test : cases) {
      npu_command bad = good;
      test.change(bad);
      const CommandOutcome outcome = bench.execute(bad);
      EXPECT_EQ(outcome.fault, test.fault) << test.what;
      const uint64_t address = test.fault == NPU_FAULT_ADDRESS ? NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, test.address) : 0;
      EXPECT_EQ(outcome.fault_address, address) << test.what;
    }
    EXPECT_EQ(sc_time_stamp(), sc_core::SC_ZERO_TIME);
    EXPECT_EQ(bench.scratchpad.memory, before);
    EXPECT_TRUE(bench.execute(good).ok());
  });
}

constexpr npu_fault kIllegal = NPU_FAULT_ILLEGAL_COMMAND;
constexpr npu_fault kAddress = NPU_FAULT_ADDRESS;

TEST(NeuralEngineFaults, EveryFieldOfAGemmIsChecked) {
  expect_faults(gemm(), {
                            {"kind", [](npu_command& c) { c.kind = NPU_COMMAND_NEURAL_DMA; }, kIllegal},
                            {"opcode", [](npu_command& c) { c.opcode = 13; }, kIllegal},
                            {"engine", [](npu_command& c) { c.engine = 2; }, kIllegal},
                            {"flags", [](npu_command& c) { c.flags = 1; }, kIllegal},
                            {"type", [](npu_command& c) { c.u.gemm.type = NPU_TYPE_FP32; }, kIllegal},
                            {"accumulate", [](npu_command& c) { c.u.gemm.accumulate = 2; }, kIllegal},
                            {"unknown flags", [](npu_command& c) { c.u.gemm.flags = 4; }, kIllegal},
                            {"reserved", [](npu_command& c) { c.u.gemm.reserved[9] = 1; }, kIllegal},
                            {"m 0", [](npu_command& c) { c.u.gemm.m = 0; }, kIllegal},
                            {"n 0", [](npu_command& c) { c.u.gemm.n = 0; }, kIllegal},
                            {"k 0", [](npu_command& c) { c.u.gemm.k = 0; }, kIllegal},
                            {"m 65536", [](npu_command& c) { c.u.gemm.m = 65536; }, kIllegal},
                            {"a alignment", [](npu_command& c) { c.u.gemm.a = 8; }, kIllegal},
                            {"b alignment", [](npu_command& c) { c.u.gemm.b += 1; }, kIllegal},
                            {"c alignment", [](npu_command& c) { c.u.gemm.c += 16; }, kIllegal},
                            {"a stride", [](npu_command& c) { c.u.gemm.a_stride = 40; }, kIllegal},
                            {"b stride", [](npu_command& c) { c.u.gemm.b_stride = 33; }, kIllegal},
                            {"c stride", [](npu_command& c) { c.u.gemm.c_stride = 144; }, kIllegal},
                            {"rows of C overlap", [](npu_command& c) { c.u.gemm.c_stride = 64; }, kIllegal},
                            {"C overlaps A", [](npu_command& c) { c.u.gemm.c = 256; }, kIllegal},
                            {"C overlaps B", [](npu_command& c) { c.u.gemm.b = 4096 + 1216; }, kIllegal},
                            {"A outside", [](npu_command& c) { c.u.gemm.a = kScratchpadBytes - 304; }, kAddress,
                             kScratchpadBytes - 304},
                            {"B outside", [](npu_command& c) { c.u.gemm.b = 0xfffffff0; }, kAddress, 0xfffffff0},
                            {"C outside", [](npu_command& c) { c.u.gemm.c_stride = 0xffffffc0; }, kAddress, 4096},
                        });
}

TEST(NeuralEngineFaults, EveryFieldOfAVectorIsChecked) {
  expect_faults(vector(),
                {
                    {"in type", [](npu_command& c) { c.u.vector.in_type = 0; }, kIllegal},
                    {"out type", [](npu_command& c) { c.u.vector.out_type = 5; }, kIllegal},
                    {"flags", [](npu_command& c) { c.u.vector.flags = 8; }, kIllegal},
                    {"reserved0", [](npu_command& c) { c.u.vector.reserved0 = 1; }, kIllegal},
                    {"reserved", [](npu_command& c) { c.u.vector.reserved[14] = 1; }, kIllegal},
                    {"m 0", [](npu_command& c) { c.u.vector.m = 0; }, kIllegal},
                    {"n 65536", [](npu_command& c) { c.u.vector.n = 65536; }, kIllegal},
                    {"in alignment", [](npu_command& c) { c.u.vector.in = 2; }, kIllegal},
                    {"in stride", [](npu_command& c) { c.u.vector.in_stride = 402; }, kIllegal},
                    {"rows of OUT overlap", [](npu_command& c) { c.u.vector.out_stride = 99; }, kIllegal},
                    {"OUT overlaps IN", [](npu_command& c) { c.u.vector.out = 3999; }, kIllegal},
                    {"in place with another size", [](npu_command& c) { c.u.vector.out = 0; }, kIllegal},
                    {"bias alignment", [](npu_command& c) { c.u.vector.bias = 16386; }, kIllegal},
                    {"scale alignment", [](npu_command& c) { c.u.vector.scale = 20481; }, kIllegal},
                    {"OUT overlaps bias", [](npu_command& c) { c.u.vector.bias = 8192 + 996; }, kIllegal},
                    {"OUT overlaps scale", [](npu_command& c) { c.u.vector.scale = 8192 - 396; }, kIllegal},
                    {"IN outside", [](npu_command& c) { c.u.vector.in = kScratchpadBytes - 3996; }, kAddress,
                     kScratchpadBytes - 3996},
                    {"OUT outside", [](npu_command& c) { c.u.vector.out = 0xffffffff; }, kAddress, 0xffffffff},
                    {"bias outside", [](npu_command& c) { c.u.vector.bias = kScratchpadBytes - 396; }, kAddress,
                     kScratchpadBytes - 396},
                    {"scale outside", [](npu_command& c) { c.u.vector.scale = 0xfffffffc; }, kAddress, 0xfffffffc},
                });
}

TEST(NeuralEngine, AcceptsCommandsAtTheLimits) {
  Bench bench;
  bench.run([&] {
    npu_command c = gemm();  // A ends with the scratchpad's last byte
    c.u.gemm.a = kScratchpadBytes - 304;
    c.u.gemm.m = 10;
    c.u.gemm.k = 16;
    EXPECT_TRUE(bench.execute(c).ok());
    npu_command v = vector();  // in place, and the offsets of stages that are off are not looked at
    v.u.vector.out_type = NPU_TYPE_FP32;
    v.u.vector.out = v.u.vector.in;
    v.u.vector.out_stride = v.u.vector.in_stride;
    v.u.vector.flags = 0;
    v.u.vector.bias = v.u.vector.scale = 0xffffffff;
    EXPECT_TRUE(bench.execute(v).ok());
  });
}

}  // namespace
}  // namespace npuvp

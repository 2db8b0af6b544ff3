// SPDX-License-Identifier: Apache-2.0
// The instructions from CONVOLUTION on as the engine sees them: fields checked, times, units side by side, cache,
// energy.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/vector_unit.h"
#include "npu/registers/ne.h"
#include "tests/models/arithmetic/reference.h"
#include "tests/models/ne/engine_bench.h"

namespace npuvp {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using test::command;
using test::cycles;
using test::kScratchpadBytes;
using Bench = test::EngineBench;

constexpr npu_result kFp32{NPU_TYPE_FP32, 0, 0, 0};

/// FP32 2 planes x 4 x 100: a at 0, b at 16384, out at 32768.
npu_command elementwise(uint8_t operation = NPU_OP_ADD) {
  npu_command c = command(NPU_NE_ELEMENTWISE);
  npu_elementwise& e = c.u.elementwise;
  e.planes = 2;
  e.rows = 4;
  e.columns = 100;
  e.a = {0, 400, 1600};
  e.b = {16384, 400, 1600};
  e.out = {32768, 400, 1600};
  e.a_type = e.b_type = NPU_TYPE_FP32;
  e.result = kFp32;
  e.operation = operation;
  return c;
}

npu_command convolution() {
  npu_command c = command(NPU_NE_CONVOLUTION);
  npu_convolution& v = c.u.convolution;
  v.type = NPU_TYPE_INT8;
  v.images = v.groups = 1;
  v.in_height = v.in_width = 8;
  v.in_channels = 4;
  v.out_height = v.out_width = 6;
  v.out_channels = 16;
  v.kernel_height = v.kernel_width = 3;
  v.stride_y = v.stride_x = v.dilation_y = v.dilation_x = 1;
  v.in_pixel_stride = 4;
  v.in_row_stride = 32;
  v.in_image_stride = 256;
  v.weights = 4096;
  v.weight_stride = 16;
  v.out = 8192;
  v.out_pixel_stride = 64;
  v.out_row_stride = 384;
  v.out_image_stride = 2304;
  return c;
}

npu_command reduce() {
  npu_command c = command(NPU_NE_REDUCE);
  npu_reduce& r = c.u.reduce;
  r.planes = 1;
  r.rows = 8;
  r.columns = 64;
  r.in = {0, 256, 0};
  r.out = {8192, 4, 0};
  r.in_type = NPU_TYPE_FP32;
  r.result = kFp32;
  r.operation = NPU_REDUCE_SUM;
  return c;
}

npu_command softmax() {
  npu_command c = command(NPU_NE_SOFTMAX);
  npu_softmax& s = c.u.softmax;
  s.planes = 1;
  s.rows = 8;
  s.columns = 64;
  s.in = {0, 256, 0};
  s.out = {8192, 256, 0};
  s.in_type = NPU_TYPE_FP32;
  s.result = kFp32;
  s.scale = 0x3f800000;
  return c;
}

npu_command normalize() {
  npu_command c = command(NPU_NE_NORMALIZE);
  npu_normalize& n = c.u.normalize;
  n.planes = 1;
  n.rows = 8;
  n.columns = 64;
  n.in = {0, 256, 0};
  n.out = {8192, 256, 0};
  n.gamma = 16384;
  n.beta = 20480;
  n.flags = NPU_NORMALIZE_GAMMA | NPU_NORMALIZE_BETA;
  n.in_type = NPU_TYPE_FP32;
  n.result = kFp32;
  return c;
}

npu_command rotary() {
  npu_command c = command(NPU_NE_ROTARY);
  npu_rotary& r = c.u.rotary;
  r.planes = 1;
  r.rows = 8;
  r.columns = 64;
  r.in = {0, 256, 0};
  r.out = {8192, 256, 0};
  r.cosine = {16384, 128, 0};
  r.sine = {20480, 128, 0};
  r.in_type = NPU_TYPE_FP32;
  r.result = kFp32;
  return c;
}

npu_command gather(npu_ne_opcode opcode = NPU_NE_GATHER) {
  npu_command c = command(opcode);
  npu_gather& g = c.u.gather;
  g.rows = 4;
  g.columns = 10;
  g.table_rows = 16;
  g.data = 0;
  g.data_stride = 64;
  g.table = 4096;
  g.table_stride = 64;
  g.index = 8192;
  g.type = NPU_TYPE_FP32;
  return c;
}

npu_command top_k() {
  npu_command c = command(NPU_NE_TOP_K);
  npu_top_k& t = c.u.top_k;
  t.rows = 4;
  t.columns = 50;
  t.k = 5;
  t.in_stride = 200;
  t.values = 4096;
  t.values_stride = 20;
  t.indices = 8192;
  t.indices_stride = 20;
  t.type = NPU_TYPE_FP32;
  return c;
}

npu_command transpose() {
  npu_command c = command(NPU_NE_TRANSPOSE);
  npu_transpose& t = c.u.transpose;
  t.planes = 1;
  t.rows = 10;
  t.columns = 20;
  t.in = {0, 80, 0};
  t.out = {4096, 40, 0};
  t.type = NPU_TYPE_FP32;
  return c;
}

const std::vector<npu_command>& all_good() {
  static const std::vector<npu_command> commands{elementwise(), convolution(), reduce(), softmax(),
                                                 normalize(),   rotary(),      gather(), gather(NPU_NE_SCATTER),
                                                 top_k(),       transpose()};
  return commands;
}

TEST(Instructions, RunAndTakeTheSameTimeWithoutData) {
  std::vector<sc_time> with;
  Bench bench;
  bench.run([&] {
    for (const npu_command& c : all_good()) {
      EXPECT_TRUE(bench.execute(c).ok()) << +c.opcode;
      with.push_back(sc_time_stamp());
    }
    EXPECT_EQ(bench.read64(NE_TRANSPOSE_COMMANDS), 1u);
    EXPECT_EQ(bench.read64(NE_GEMM_COMMANDS), 1u);
    EXPECT_EQ(bench.read64(NE_VECTOR_COMMANDS), 8u);
    EXPECT_EQ(bench.read64(NE_MACS), 6u * 6 * 16 * 36);
  });
  // The vector unit: 16 cycles and a cycle for each group of 64 lanes; functions 4, softmax 9, layer norm 4, ...
  const uint64_t passes[] = {2 * 4 * 2, 0, 8, 8 * 9, 8 * 4, 8 * 2, 4, 4, 4 * 2, 10};
  for (size_t i = 0; i < with.size(); ++i) {
    const sc_time begin = i == 0 ? sc_core::SC_ZERO_TIME : with[i - 1];
    // One tile: 128 to load, 128 for 36 pixels, 128 + 64 to fill and drain.
    EXPECT_EQ(with[i] - begin, i == 1 ? cycles(448) : cycles(16 + passes[i])) << +all_good()[i].opcode;
  }
}

TEST(Instructions, WithoutDataNothingIsWrittenInTheSameTime) {
  Bench bench(true, 0, false);
  for (uint8_t& byte : bench.scratchpad.memory) byte = 0x7f;
  const test::Bytes before = bench.scratchpad.memory;
  bench.run([&] {
    for (const npu_command& c : all_good()) EXPECT_TRUE(bench.execute(c).ok()) << +c.opcode;
    // The sum of what the test above finds.
    EXPECT_EQ(sc_time_stamp(), cycles(448 + 9 * 16 + 16 + 8 + 72 + 32 + 16 + 4 + 4 + 8 + 10));
    EXPECT_EQ(bench.scratchpad.memory, before);
  });
}

TEST(Instructions, ConvolutionAndBatchesGoToTheTensorCore) {
  Bench bench;
  std::mt19937 random(1);
  for (uint8_t& byte : bench.scratchpad.memory) byte = static_cast<uint8_t>(random());
  test::Bytes expected = bench.scratchpad.memory;
  const npu_convolution& v = convolution().u.convolution;
  arithmetic::convolution(v, expected.data(), expected.data() + v.weights, expected.data() + v.out);
  npu_command batch = command(NPU_NE_GEMM);
  npu_gemm& g = batch.u.gemm;
  g.type = NPU_TYPE_INT4;
  g.m = 10;
  g.n = 20;
  g.k = 30;
  g.batch = 3;
  g.a_stride = g.b_stride = 16;
  g.a_batch_stride = 160;
  g.b = 512;
  g.b_batch_stride = 480;
  g.c = 65536;
  g.c_stride = 128;
  g.c_batch_stride = 1280;
  arithmetic::gemm(g, expected.data(), expected.data() + g.b, expected.data() + g.c);
  bench.run([&] {
    EXPECT_TRUE(bench.execute(convolution()).ok());
    const sc_time begin = sc_time_stamp();
    EXPECT_TRUE(bench.execute(batch).ok());
    // INT4 has 256 rows: each matrix a tile of 256 cycles, loaded while the one before streams.
    EXPECT_EQ(sc_time_stamp() - begin, cycles(256 + 3 * 256 + 256 + 64));
    EXPECT_EQ(bench.scratchpad.memory, expected);
    EXPECT_EQ(bench.read64(NE_MACS), 6u * 6 * 16 * 36 + 3 * 10 * 20 * 30);
  });
}

TEST(Instructions, UnitsWorkSideBySide) {
  Bench bench;
  npu_command vector = elementwise(NPU_OP_EXP);
  vector.engine = test::kIndex | NPU_ENGINE_VECTOR_QUEUE;
  sc_time tensor_end;
  sc_time vector_end;
  sc_core::sc_spawn([&] {
    EXPECT_TRUE(bench.execute(convolution()).ok());
    tensor_end = sc_time_stamp();
  });
  sc_core::sc_spawn([&] {
    EXPECT_TRUE(bench.execute(vector).ok());
    vector_end = sc_time_stamp();
  });
  sc_core::sc_start();
  EXPECT_EQ(tensor_end, cycles(448));
  EXPECT_EQ(vector_end, cycles(16 + 4 * 16));
}

TEST(Instructions, CacheDeliversWhatWasUsedBeforeUntilSomebodyMayHaveWritten) {
  Bench bench;
  bench.run([&] {
    EXPECT_TRUE(bench.execute(elementwise()).ok());
    EXPECT_EQ(bench.read64(NE_CACHE_MISS_BYTES), 2u * 3200);
    EXPECT_EQ(bench.read64(NE_CACHE_HIT_BYTES), 0u);
    EXPECT_TRUE(bench.execute(elementwise()).ok());
    EXPECT_EQ(bench.read64(NE_CACHE_MISS_BYTES), 2u * 3200);
    EXPECT_EQ(bench.read64(NE_CACHE_HIT_BYTES), 2u * 3200);
    EXPECT_EQ(bench.scratchpad.bytes_read, 2u * 3200);

    npu_command repeated = elementwise();  // one row for all
    repeated.u.elementwise.b = {16000, 0, 0};
    EXPECT_TRUE(bench.execute(repeated).ok());
    EXPECT_EQ(bench.read64(NE_CACHE_MISS_BYTES), 2u * 3200 + 400);
    EXPECT_EQ(bench.read64(NE_CACHE_HIT_BYTES), 3u * 3200 + 7 * 400);

    npu_command waits = elementwise();  // a token: the DMA may have written
    waits.wait[0] = {5, 1};
    for (unsigned slot = 1; slot < NPU_TOKEN_WAITS; ++slot) waits.wait[slot].token = NPU_TOKEN_NONE;
    EXPECT_TRUE(bench.execute(waits).ok());
    EXPECT_EQ(bench.read64(NE_CACHE_MISS_BYTES), 4u * 3200 + 400);
  });
}

/// INT32 4 x 100 at 0 with a bias at 4096 to FP32 at 8192.
npu_command vector_with_bias() {
  npu_command c = command(NPU_NE_VECTOR);
  npu_vector& v = c.u.vector;
  v.m = 4;
  v.n = 100;
  v.in_stride = v.out_stride = 400;
  v.bias = 4096;
  v.out = 8192;
  v.in_type = NPU_TYPE_INT32;
  v.out_type = NPU_TYPE_FP32;
  v.flags = NPU_VECTOR_BIAS;
  return c;
}

/// A scratchpad of one byte a cycle, so that a command lasts as many cycles as bytes pass.
TEST(Instructions, VectorTakesItsOperandsThroughTheCache) {
  Bench bench(true, 976'562'500);
  bench.run([&] {
    const auto expect = [&](const npu_command& c, uint64_t bytes, const char* when) {
      const sc_time begin = sc_time_stamp();
      EXPECT_TRUE(bench.execute(c).ok()) << when;
      EXPECT_EQ(sc_time_stamp() - begin, cycles(bytes)) << when;
    };
    expect(vector_with_bias(), 400 + 1600 + 1600, "bias, IN and OUT pass");
    expect(vector_with_bias(), 1600, "OUT alone");
    EXPECT_EQ(bench.read64(NE_CACHE_HIT_BYTES), 2000u);
    EXPECT_EQ(bench.read64(NE_CACHE_MISS_BYTES), 2000u);

    npu_command in_place = vector_with_bias();
    in_place.u.vector.out = 0;
    expect(in_place, 1600, "IN from the cache, OUT over it");
    expect(vector_with_bias(), 1600 + 1600, "IN has changed, the bias has not");

    npu_command repeated = vector_with_bias();  // one row of IN for all
    repeated.u.vector.in = 65536;
    repeated.u.vector.in_stride = 0;
    repeated.u.vector.flags = 0;
    expect(repeated, 400 + 1600, "the row passes once");
  });
}

TEST(Instructions, TheTensorUnitForgetsWhatItHasWrittenInTheCache) {
  Bench bench;
  bench.run([&] {
    npu_command gemm = command(NPU_NE_GEMM);
    gemm.u.gemm.type = NPU_TYPE_INT8;
    gemm.u.gemm.m = gemm.u.gemm.n = gemm.u.gemm.k = 16;
    gemm.u.gemm.a = 32768;
    gemm.u.gemm.b = 36864;
    gemm.u.gemm.c = 40960;
    gemm.u.gemm.a_stride = gemm.u.gemm.b_stride = 16;
    gemm.u.gemm.c_stride = 64;
    const auto missed = [&](const npu_command& c) {
      const uint64_t before = bench.read64(NE_CACHE_MISS_BYTES);
      EXPECT_TRUE(bench.execute(c).ok());
      return bench.read64(NE_CACHE_MISS_BYTES) - before;
    };
    EXPECT_EQ(missed(vector_with_bias()), 2000u);
    EXPECT_EQ(missed(gemm), 0u) << "it streams past the cache";
    EXPECT_EQ(missed(vector_with_bias()), 0u);
    gemm.u.gemm.c = 4096;  // over the bias
    EXPECT_EQ(missed(gemm), 0u);
    EXPECT_EQ(missed(vector_with_bias()), 400u);
    gemm.u.gemm.c = 4096 - 15 * 64;  // its last row over the bias
    EXPECT_EQ(missed(gemm), 0u);
    EXPECT_EQ(missed(vector_with_bias()), 2000u - 1600u);
  });
}

TEST(Instructions, SpendEnergyByWork) {
  Bench bench;
  base::PowerMeter meter;
  bench.ne.power().connect(meter, base::Rail::kNeural);
  bench.core.power.connect(meter, base::Rail::kNeural);
  bench.run([&] {
    EXPECT_TRUE(bench.execute(elementwise()).ok());
    EXPECT_TRUE(bench.execute(convolution()).ok());
    wait(sc_time(1, sc_core::SC_MS));
    EXPECT_NEAR(meter.joules(base::Rail::kNeural), 800 * 1e-11 + 6 * 6 * 16 * 36 * 1e-12, 1e-15);
  });
}

TEST(Instructions, ClockDividerStretchesCycles) {
  Bench bench;
  base::ClockDomain domain("dc1");
  domain.set_divider(2);
  bench.ne.clock().connect(domain);
  bench.core.clock.connect(domain);
  bench.run([&] {
    EXPECT_TRUE(bench.execute(elementwise()).ok());
    EXPECT_EQ(sc_time_stamp(), cycles(2 * 32));
    EXPECT_TRUE(bench.execute(convolution()).ok());
    EXPECT_EQ(sc_time_stamp(), cycles(2 * 32 + 2 * 448));
  });
}

TEST(InstructionFaults, AnIndexOutsideOfTheTableStopsBeforeAnythingIsWritten) {
  Bench bench;
  bench.run([&] {
    for (const npu_ne_opcode opcode : {NPU_NE_GATHER, NPU_NE_SCATTER}) {
      for (const int32_t bad : {16, -17}) {
        test::put(bench.scratchpad.memory, 8192 + 8, bad);
        const test::Bytes before = bench.scratchpad.memory;
        const auto outcome = bench.execute(gather(opcode));
        EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
        EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 8192 + 8));
        EXPECT_EQ(bench.scratchpad.memory, before);
      }
    }
  });
}

TEST(InstructionFaults, PoisonAndBusErrorsAreReported) {
  Bench bench;
  bench.run([&] {
    for (const npu_command& c : all_good()) {
      bench.scratchpad.poisoned = true;
      EXPECT_EQ(bench.execute(c).fault, NPU_FAULT_POISON) << +c.opcode;
      bench.scratchpad.poisoned = false;
      bench.scratchpad.broken = true;
      EXPECT_EQ(bench.execute(c).fault, NPU_FAULT_BUS) << +c.opcode;
      bench.scratchpad.broken = false;
    }
  });
}

struct Case {
  const char* what;
  npu_command good;
  std::function<void(npu_command&)> change;
  npu_fault fault = NPU_FAULT_ILLEGAL_COMMAND;
  uint64_t address = 0;
};

TEST(InstructionFaults, EveryFieldIsChecked) {
  constexpr npu_fault kAddress = NPU_FAULT_ADDRESS;
  const std::vector<Case> cases{
      {"opcode", elementwise(), [](npu_command& c) { c.opcode = 13; }},
      {"tensor work in the vector queue", convolution(), [](npu_command& c) { c.engine |= NPU_ENGINE_VECTOR_QUEUE; }},
      {"operation 0", elementwise(), [](npu_command& c) { c.u.elementwise.operation = 0; }},
      {"operation 9", elementwise(), [](npu_command& c) { c.u.elementwise.operation = 9; }},
      {"operation 69", elementwise(), [](npu_command& c) { c.u.elementwise.operation = 69; }},
      {"flags", elementwise(), [](npu_command& c) { c.u.elementwise.flags = 32; }},
      {"immediate of a missing operand", elementwise(),
       [](npu_command& c) { c.u.elementwise.flags = NPU_ELEMENTWISE_IMMEDIATE_C; }},
      {"immediate of FP16", elementwise(),
       [](npu_command& c) {
         c.u.elementwise.flags = NPU_ELEMENTWISE_IMMEDIATE_B;
         c.u.elementwise.b_type = NPU_TYPE_FP16;
       }},
      {"a type", elementwise(), [](npu_command& c) { c.u.elementwise.a_type = 9; }},
      {"b type", elementwise(), [](npu_command& c) { c.u.elementwise.b_type = 0; }},
      {"c type", elementwise(NPU_OP_CLAMP), [](npu_command& c) { c.u.elementwise.c_type = 0; }},
      {"result type", elementwise(), [](npu_command& c) { c.u.elementwise.result.type = 0; }},
      {"rounding", elementwise(), [](npu_command& c) { c.u.elementwise.result.rounding = 5; }},
      {"saturation", elementwise(), [](npu_command& c) { c.u.elementwise.result.saturation = 3; }},
      {"result reserved", elementwise(), [](npu_command& c) { c.u.elementwise.result.reserved = 1; }},
      {"reserved0", elementwise(), [](npu_command& c) { c.u.elementwise.reserved0[2] = 1; }},
      {"reserved", elementwise(), [](npu_command& c) { c.u.elementwise.reserved[3] = 1; }},
      {"no rows", elementwise(), [](npu_command& c) { c.u.elementwise.rows = 0; }},
      {"many columns", elementwise(), [](npu_command& c) { c.u.elementwise.columns = 65536; }},
      {"bitwise FP32", elementwise(), [](npu_command& c) { c.u.elementwise.operation = NPU_OP_AND; }},
      {"zero point FP32", elementwise(),
       [](npu_command& c) {
         c.u.elementwise.operation = NPU_OP_QUANTIZE;
         c.u.elementwise.c_type = NPU_TYPE_FP32;
       }},
      {"alignment", elementwise(), [](npu_command& c) { c.u.elementwise.a.offset = 2; }},
      {"stride alignment", elementwise(), [](npu_command& c) { c.u.elementwise.b.row_stride = 402; }},
      {"rows of OUT overlap", elementwise(), [](npu_command& c) { c.u.elementwise.out.row_stride = 396; }},
      {"planes of OUT overlap", elementwise(), [](npu_command& c) { c.u.elementwise.out.plane_stride = 1596; }},
      {"OUT overlaps b", elementwise(), [](npu_command& c) { c.u.elementwise.out.offset = 16388; }},
      {"in place, other stride", elementwise(),
       [](npu_command& c) {
         c.u.elementwise.out = c.u.elementwise.a;
         c.u.elementwise.a.row_stride = 0;
       }},
      {"OUT outside", elementwise(), [](npu_command& c) { c.u.elementwise.out.offset = 0xfffffffc; }, kAddress,
       0xfffffffc},
      {"a outside", elementwise(), [](npu_command& c) { c.u.elementwise.a.offset = kScratchpadBytes - 3196; }, kAddress,
       kScratchpadBytes - 3196},
      {"conv type", convolution(), [](npu_command& c) { c.u.convolution.type = NPU_TYPE_FP32; }},
      {"conv accumulate", convolution(), [](npu_command& c) { c.u.convolution.accumulate = 2; }},
      {"conv groups", convolution(), [](npu_command& c) { c.u.convolution.groups = 3; }},
      {"conv no groups", convolution(), [](npu_command& c) { c.u.convolution.groups = 0; }},
      {"conv stride 0", convolution(), [](npu_command& c) { c.u.convolution.stride_x = 0; }},
      {"conv k", convolution(), [](npu_command& c) { c.u.convolution.kernel_height = 6000; }},
      {"conv pad value", convolution(),
       [](npu_command& c) {
         c.u.convolution.type = NPU_TYPE_FP8_E4M3;
         c.u.convolution.pad_value = 1;
       }},
      {"conv reserved", convolution(), [](npu_command& c) { c.u.convolution.reserved[4] = 1; }},
      {"conv pixels overlap", convolution(), [](npu_command& c) { c.u.convolution.out_pixel_stride = 60; }},
      {"conv rows overlap", convolution(), [](npu_command& c) { c.u.convolution.out_row_stride = 380; }},
      {"conv weights alignment", convolution(), [](npu_command& c) { c.u.convolution.weights = 4104; }},
      {"conv OUT overlaps IN", convolution(), [](npu_command& c) { c.u.convolution.out = 252; }},
      {"conv IN outside", convolution(), [](npu_command& c) { c.u.convolution.in = kScratchpadBytes - 252; }, kAddress,
       kScratchpadBytes - 252},
      {"conv OUT outside", convolution(), [](npu_command& c) { c.u.convolution.out_row_stride = 0xfffffffc; }, kAddress,
       8192},
      {"reduction", reduce(), [](npu_command& c) { c.u.reduce.operation = 5; }},
      {"axis", reduce(), [](npu_command& c) { c.u.reduce.axis = 2; }},
      {"single INT4", reduce(), [](npu_command& c) { c.u.reduce.result.type = NPU_TYPE_INT4; }},
      {"reduce too much", reduce(),
       [](npu_command& c) {
         c.u.reduce.axis = NPU_AXIS_ROWS;
         c.u.reduce.rows = 65535;
         c.u.reduce.columns = 1000;
         c.u.reduce.in.row_stride = 0;
       }},
      {"softmax reserved", softmax(), [](npu_command& c) { c.u.softmax.reserved[11] = 1; }},
      {"softmax type", softmax(), [](npu_command& c) { c.u.softmax.in_type = 9; }},
      {"normalize flags", normalize(), [](npu_command& c) { c.u.normalize.flags = 8; }},
      {"gamma alignment", normalize(), [](npu_command& c) { c.u.normalize.gamma = 2; }},
      {"beta outside", normalize(), [](npu_command& c) { c.u.normalize.beta = kScratchpadBytes - 252; }, kAddress,
       kScratchpadBytes - 252},
      {"rotary odd", rotary(), [](npu_command& c) { c.u.rotary.columns = 63; }},
      {"rotary flags", rotary(), [](npu_command& c) { c.u.rotary.flags = 2; }},
      {"sine outside", rotary(), [](npu_command& c) { c.u.rotary.sine.offset = 0xfffffffc; }, kAddress, 0xfffffffc},
      {"gather mode", gather(), [](npu_command& c) { c.u.gather.mode = 1; }},
      {"scatter mode", gather(NPU_NE_SCATTER), [](npu_command& c) { c.u.gather.mode = 4; }},
      {"table rows", gather(), [](npu_command& c) { c.u.gather.table_rows = 0; }},
      {"index alignment", gather(), [](npu_command& c) { c.u.gather.index = 8194; }},
      {"table outside", gather(), [](npu_command& c) { c.u.gather.table_stride = 0xfffffffc; }, kAddress, 4096},
      {"k 0", top_k(), [](npu_command& c) { c.u.top_k.k = 0; }},
      {"k above columns", top_k(), [](npu_command& c) { c.u.top_k.k = 51; }},
      {"top-k INT4", top_k(), [](npu_command& c) { c.u.top_k.type = NPU_TYPE_INT4; }},
      {"values overlap indices", top_k(), [](npu_command& c) { c.u.top_k.indices = 4096; }},
      {"transpose type", transpose(), [](npu_command& c) { c.u.transpose.type = 0; }},
      {"transpose in place", transpose(), [](npu_command& c) { c.u.transpose.out.offset = 0; }},
      {"transpose rows overlap", transpose(), [](npu_command& c) { c.u.transpose.out.row_stride = 36; }},
      {"transpose reserved", transpose(), [](npu_command& c) { c.u.transpose.reserved[13] = 1; }},
  };
  Bench bench;
  const test::Bytes before = bench.scratchpad.memory;
  bench.run([&] {
    for (const Case& test : cases) {
      npu_command bad = test.good;
      test.change(bad);
      const auto outcome = bench.execute(bad);
      EXPECT_EQ(outcome.fault, test.fault) << test.what;
      EXPECT_EQ(outcome.fault_address,
                test.fault == NPU_FAULT_ADDRESS ? NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, test.address) : 0)
          << test.what;
    }
    EXPECT_EQ(sc_time_stamp(), sc_core::SC_ZERO_TIME);
    EXPECT_EQ(bench.scratchpad.memory, before);
  });
}

/// Random bytes after the header: whatever they are, the engine answers, and only inside of the scratchpad.
TEST(InstructionFaults, RandomCommandsAreHarmless) {
  Bench bench;
  std::mt19937 random(3);
  bench.run([&] {
    for (int i = 0; i < 20'000; ++i) {
      npu_command c = all_good()[random() % all_good().size()];
      for (int change = 0; change < 3; ++change) {
        auto* words = reinterpret_cast<uint32_t*>(c.u.bytes);
        uint32_t& word = words[random() % 24];
        word = random() % 2 != 0 ? static_cast<uint32_t>(random()) : word ^ (1u << (random() % 20));
      }
      (void)bench.execute(c);
    }
  });
}

}  // namespace
}  // namespace npuvp

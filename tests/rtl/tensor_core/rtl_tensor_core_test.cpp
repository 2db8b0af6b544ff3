// SPDX-License-Identifier: Apache-2.0
#include "rtl/tensor_core/adapter/rtl_tensor_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "models/ne/neural_engine.h"
#include "tests/models/arithmetic/reference.h"
#include "tests/models/ne/test_scratchpad.h"

namespace npuvp {
namespace {

using sc_core::SC_PS;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

struct Bench {
  explicit Bench(bool offers_dmi = true)
      : scratchpad("scratchpad_memory", 1 << 20, offers_dmi), core("core", environment, rtl_tensor_core::Parameters{}) {
    core.scratchpad.socket.bind(scratchpad.first);
    sc_core::sc_start(SC_ZERO_TIME);
    for (uint8_t& byte : scratchpad.memory) byte = static_cast<uint8_t>(random());
  }

  npu_gemm make(uint32_t m, uint32_t n, uint32_t k, bool accumulate) {
    const auto spare = [this](uint32_t unit) { return static_cast<uint32_t>(random() % 3) * unit; };
    npu_gemm g{};
    g.type = NPU_TYPE_INT8;
    g.m = m;
    g.n = n;
    g.k = k;
    g.accumulate = accumulate ? 1 : 0;
    g.a_stride = (k + 15) / 16 * 16 + spare(16);
    g.b_stride = (n + 15) / 16 * 16 + spare(16);
    g.c_stride = (n * 4 + 63) / 64 * 64 + spare(64);
    g.a = spare(16);
    g.b = g.a + m * g.a_stride + spare(16);
    g.c = (g.b + k * g.b_stride + 63) / 64 * 64 + spare(64);
    return g;
  }

  /// Compares the whole scratchpad: a write outside of C fails too.
  void expect_exact(const npu_gemm& g) {
    test::Bytes expected = scratchpad.memory;
    test::reference_gemm(expected, g);
    sc_time delay = SC_ZERO_TIME;
    ASSERT_TRUE(core.execute(g, delay).ok());
    ASSERT_EQ(scratchpad.memory == expected, true)
        << "m " << g.m << " n " << g.n << " k " << g.k << " accumulate " << +g.accumulate;
    ASSERT_EQ(delay, sc_time(1024.0 * static_cast<double>(core.last_cycles()), SC_PS));
  }

  base::Environment environment;
  std::mt19937 random{1};
  test::TestScratchpad scratchpad;
  rtl_tensor_core::RtlTensorCore core;
};

struct Cpu final : sc_core::sc_module {
  explicit Cpu(sc_core::sc_module_name name) : sc_module(name) {}
  base::InitiatorPort bus{"bus"};
};

/// README.md of rtl/tensor_core, with an accumulator of 256 rows.
uint64_t documented_cycles(const npu_gemm& g) {
  const uint64_t strips = (g.n + 15) / 16;
  const uint64_t tiles = (g.k + 15) / 16;
  uint64_t strip_cycles = 0;
  for (uint64_t row = 0; row < g.m; row += 256) {
    const uint64_t rows = std::min<uint64_t>(256, g.m - row);
    strip_cycles += (g.accumulate != 0 ? rows : 0) + tiles * (16 + rows) + (tiles - 1) * 14 + 33 + rows;
  }
  return 2 + strips * strip_cycles;
}

TEST(RtlTensorCore, RandomShapesAreExactBackToBack) {
  Bench bench;
  for (int i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) {
    const auto size = [&] { return static_cast<uint32_t>(1 + bench.random() % 70); };
    const uint32_t m = size();
    const uint32_t n = size();
    const uint32_t k = size();
    const npu_gemm g = bench.make(m, n, k, i % 2 != 0);
    bench.expect_exact(g);
    ASSERT_EQ(bench.core.last_cycles(), documented_cycles(g));
  }
}

TEST(RtlTensorCore, EdgesOfTheArrayAreExact) {
  Bench bench;
  for (const uint32_t m : {1u, 2u, 16u, 17u}) {
    for (const uint32_t n : {1u, 15u, 16u, 17u, 32u}) {
      for (const uint32_t k : {1u, 15u, 16u, 17u, 33u}) {
        bench.expect_exact(bench.make(m, n, k, false));
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(RtlTensorCore, MoreRowsThanAccumulatorsAreExact) {
  Bench bench;
  for (const bool accumulate : {false, true}) {
    for (const uint32_t m : {255u, 256u, 257u, 600u}) bench.expect_exact(bench.make(m, 20, 40, accumulate));
  }
}

TEST(RtlTensorCore, LargestProductsAddUpAndWrap) {
  Bench bench;
  const npu_gemm g = bench.make(20, 20, 70, true);
  std::fill(bench.scratchpad.memory.begin(), bench.scratchpad.memory.begin() + g.c, uint8_t{0x80});
  for (size_t at = g.c; at < g.c + 20 * g.c_stride; at += 4)
    test::put<int32_t>(bench.scratchpad.memory, at, 0x7fffffff);
  bench.expect_exact(g);
  EXPECT_EQ(test::get<uint32_t>(bench.scratchpad.memory, g.c), 0x7fffffffu + 70 * 16384u);
}

TEST(RtlTensorCore, ReadsExactlyTheOperandBytes) {
  Bench bench;
  const npu_gemm g = bench.make(19, 21, 37, false);
  bench.expect_exact(g);
  EXPECT_EQ(bench.core.last_bytes_read(), 2u * 19 * 37 + 37 * 21);  // A once for each of two strips
}

TEST(RtlTensorCore, WorksWithoutDmi) {
  Bench bench(false);
  bench.expect_exact(bench.make(19, 21, 37, true));
}

TEST(RtlTensorCore, WorksAfterReset) {
  Bench bench;
  bench.expect_exact(bench.make(19, 21, 37, true));
  bench.core.reset();
  bench.expect_exact(bench.make(5, 40, 17, false));
}

TEST(RtlTensorCore, TakesTheTlmCoresPlaceBehindANeuralEngine) {
  base::Environment environment;
  test::TestScratchpad scratchpad("scratchpad_memory", 1 << 20);
  rtl_tensor_core::RtlTensorCore core("core", environment, {});
  ne::NeuralEngine engine("ne0", environment, {.index = 0, .scratchpad_bytes = 1 << 20});
  Cpu cpu("cpu");
  core.scratchpad.socket.bind(scratchpad.first);
  engine.scratchpad.socket.bind(scratchpad.second);
  engine.tensor.bind(core);
  cpu.bus.socket.bind(engine.registers);

  npu_command command{};
  command.kind = NPU_COMMAND_NEURAL_ENGINE;
  command.opcode = NPU_NE_GEMM;
  command.u.gemm = {.a = 0,
                    .b = 4096,
                    .c = 65536,
                    .m = 19,
                    .n = 21,
                    .k = 37,
                    .a_stride = 48,
                    .b_stride = 32,
                    .c_stride = 128,
                    .type = NPU_TYPE_INT8,
                    .accumulate = 0,
                    .flags = 0,
                    .batch = 0,
                    .a_batch_stride = 0,
                    .b_batch_stride = 0,
                    .c_batch_stride = 0,
                    .reserved = {}};
  for (size_t i = 0; i < 65536; ++i) scratchpad.memory[i] = static_cast<uint8_t>(i * 37 + i / 256);
  test::Bytes expected = scratchpad.memory;
  test::reference_gemm(expected, command.u.gemm);
  sc_core::sc_spawn([&] {
    const base::CommandRequest request{.command = &command, .space = nullptr, .context = 1, .index = 0};
    EXPECT_TRUE(engine.execute(request).ok());
    EXPECT_EQ(sc_core::sc_time_stamp(),
              sc_time(1024.0 * static_cast<double>(documented_cycles(command.u.gemm)), SC_PS));
    EXPECT_EQ(scratchpad.memory, expected);
    command.u.gemm.type = NPU_TYPE_FP16;
    EXPECT_EQ(engine.execute(request).fault, NPU_FAULT_ILLEGAL_COMMAND);
  });
  sc_core::sc_start();
}

TEST(RtlTensorCore, RefusesFp16) {
  Bench bench;
  npu_gemm g = bench.make(4, 4, 4, false);
  g.type = NPU_TYPE_FP16;
  sc_time delay = SC_ZERO_TIME;
  EXPECT_EQ(bench.core.execute(g, delay).fault, NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_FALSE(bench.core.identification().fp16);
  EXPECT_EQ(bench.core.identification().rows, 16u);
}

}  // namespace
}  // namespace npuvp

// SPDX-License-Identifier: Apache-2.0
#include "models/tensor_core/tensor_core.h"

#include <gtest/gtest.h>

#include <random>

#include "models/arithmetic/vector_unit.h"
#include "tests/models/arithmetic/reference.h"
#include "tests/models/ne/test_scratchpad.h"

namespace npuvp {
namespace {

using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

constexpr size_t kScratchpadBytes = 4 << 20;
constexpr uint64_t kCyclePs = 1024;  // 1 / 976.5625 MHz

struct Bench {
  explicit Bench(bool offers_dmi = true, double bytes_per_second = 0)
      : scratchpad("scratchpad_memory", kScratchpadBytes, offers_dmi, bytes_per_second),
        core("core", environment, tensor_core::Parameters{}) {
    core.scratchpad.socket.bind(scratchpad.first);
    sc_core::sc_start(SC_ZERO_TIME);
  }

  /// Time of a GEMM on dense operands at the beginning of the scratchpad.
  sc_time time_of(npu_type type, uint32_t m, uint32_t n, uint32_t k) {
    sc_time delay = SC_ZERO_TIME;
    EXPECT_TRUE(core.execute(dense(type, m, n, k), delay).ok());
    return delay;
  }

  static npu_gemm dense(npu_type type, uint32_t m, uint32_t n, uint32_t k) {
    npu_gemm g{};
    g.type = type;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a_stride = (static_cast<uint32_t>(arithmetic::row_bytes(type, k)) + 15) / 16 * 16;
    g.b_stride = (static_cast<uint32_t>(arithmetic::row_bytes(type, n)) + 15) / 16 * 16;
    g.c_stride = (n * 4 + 63) / 64 * 64;
    g.b = m * g.a_stride;
    g.c = (g.b + k * g.b_stride + 63) / 64 * 64;
    return g;
  }

  base::Environment environment;
  test::TestScratchpad scratchpad;
  tensor_core::TensorCore core;
};

sc_time cycles(uint64_t count) {
  return {static_cast<double>(count * kCyclePs), SC_PS};
}

TEST(TensorCoreTiming, OneInt8TileTakesLoadStreamFillAndDrain) {
  Bench bench;
  // 128 to load, 128 although only 3 rows stream, 128 + 64 to fill and drain.
  EXPECT_EQ(bench.time_of(NPU_TYPE_INT8, 3, 5, 7), cycles(448));
}

TEST(TensorCoreTiming, TilesStreamTheirRowsBackToBack) {
  Bench bench;
  // k: 257 = 3 tiles of 128, n: 130 = 3 tiles of 64; 9 tiles x 200 rows + 128 + 192.
  EXPECT_EQ(bench.time_of(NPU_TYPE_INT8, 200, 130, 257), cycles(9 * 200 + 320));
}

TEST(TensorCoreTiming, Fp16HasAnArrayOf64By32) {
  Bench bench;
  // k: 65 = 2 tiles of 64, n: 33 = 2 tiles of 32; 4 tiles x 100 rows + 64 + 96.
  EXPECT_EQ(bench.time_of(NPU_TYPE_FP16, 100, 33, 65), cycles(4 * 100 + 160));
}

TEST(TensorCoreTiming, LargeFp16GemmApproachesThePublishedPeak) {
  Bench bench;
  const double seconds = bench.time_of(NPU_TYPE_FP16, 1024, 512, 512).to_seconds();
  const double flops_of_card = 8 * 2 * 1024.0 * 512 * 512 / seconds;
  EXPECT_LT(flops_of_card, 32e12);
  EXPECT_GT(flops_of_card, 0.99 * 32e12);
}

TEST(TensorCoreTiming, LargeInt8GemmApproachesThePublishedPeak) {
  Bench bench;
  const double seconds = bench.time_of(NPU_TYPE_INT8, 1024, 512, 1024).to_seconds();
  const double ops_of_card = 8 * 2 * 1024.0 * 512 * 1024 / seconds;
  EXPECT_LT(ops_of_card, 128e12);
  EXPECT_GT(ops_of_card, 0.99 * 128e12);
}

/// Cycles beside first load, fill and drain are tiles of m rows: operations a second of the card by their number.
void expect_peak(npu_type type, double operations_per_second) {
  Bench bench;
  const auto marginal = bench.time_of(type, 2048, 128, 512) - bench.time_of(type, 1024, 128, 512);
  const double operations = 8 * 2 * 1024.0 * 128 * 512;
  EXPECT_DOUBLE_EQ(operations / marginal.to_seconds(), operations_per_second);
}
TEST(TensorCorePeak, Fp16IsThePublished32Tflops) {
  expect_peak(NPU_TYPE_FP16, 32e12);
}
TEST(TensorCorePeak, Bf16IsThatOfFp16) {
  expect_peak(NPU_TYPE_BF16, 32e12);
}
TEST(TensorCorePeak, Int8IsThePublished128Tops) {
  expect_peak(NPU_TYPE_INT8, 128e12);
}
TEST(TensorCorePeak, Int4IsThePublished256Tops) {
  expect_peak(NPU_TYPE_INT4, 256e12);
}

TEST(TensorCoreTiming, SlowScratchpadHoldsTheArrayBack) {
  Bench bench(true, 1e9);  // 1 ns a byte: the fetches of each tile last longer than its cycles
  // Weights of the tile 128 x 64 B; then A 256 x 128 B and C 256 x 64 x 4 B; then 192 cycles to drain.
  EXPECT_EQ(bench.time_of(NPU_TYPE_INT8, 256, 64, 128), sc_time(8192 + 32768 + 65536, SC_NS) + cycles(192));
}

TEST(TensorCoreTraffic, FetchesARowsOncePerStripAndWeightsOnce) {
  Bench bench;
  bench.time_of(NPU_TYPE_INT8, 100, 128, 256);  // 2 strips of 64 columns
  EXPECT_EQ(bench.scratchpad.bytes_read, 2u * 100 * 256 + 256 * 128);
  EXPECT_EQ(bench.scratchpad.bytes_written, 100u * 128 * 4);
}

void expect_exact(Bench& bench) {
  std::mt19937 random(1);
  for (const npu_type type : {NPU_TYPE_INT8, NPU_TYPE_FP16}) {
    npu_gemm g = Bench::dense(type, 33, 70, 129);
    g.accumulate = 1;
    for (size_t i = 0; i < 200'000; ++i) bench.scratchpad.memory[i] = static_cast<uint8_t>(random() & 0x3f);
    test::Bytes expected = bench.scratchpad.memory;
    test::reference_gemm(expected, g);
    sc_time delay = SC_ZERO_TIME;
    ASSERT_TRUE(bench.core.execute(g, delay).ok());
    ASSERT_EQ(bench.scratchpad.memory, expected);
  }
}

TEST(TensorCore, ComputesThroughDmi) {
  Bench bench;
  expect_exact(bench);
}

TEST(TensorCore, ComputesWithoutDmiInTheSameTime) {
  Bench bench(false);
  expect_exact(bench);
  EXPECT_EQ(bench.time_of(NPU_TYPE_INT8, 3, 5, 7), cycles(448));
}

TEST(TensorCore, ReportsABrokenScratchpad) {
  Bench bench;
  bench.scratchpad.broken = true;
  sc_time delay = SC_ZERO_TIME;
  const npu_gemm g = Bench::dense(NPU_TYPE_INT8, 3, 5, 7);
  const base::CommandOutcome outcome = bench.core.execute(g, delay);
  EXPECT_EQ(outcome.fault, NPU_FAULT_BUS);
  EXPECT_EQ(outcome.fault_address, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, g.b));
}

TEST(TensorCore, ReportsPoison) {
  Bench bench;
  bench.scratchpad.poisoned = true;
  sc_time delay = SC_ZERO_TIME;
  EXPECT_EQ(bench.core.execute(Bench::dense(NPU_TYPE_INT8, 3, 5, 7), delay).fault, NPU_FAULT_POISON);
}

}  // namespace
}  // namespace npuvp

// SPDX-License-Identifier: Apache-2.0
// npuvp bench gemm: host speed of the engines' GEMM arithmetic beside a plain loop that the compiler vectorises,
// 1024^3, one thread, best of five.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/fp16.h"
#include "tests/bench/bench_report.h"

namespace {

namespace arithmetic = npuvp::arithmetic;
using arithmetic::GemmOperands;
using npuvp::bench::Report;

constexpr size_t kSize = 1024;

double best_gops(const std::function<void()>& work) {
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2e-9 * static_cast<double>(kSize * kSize * kSize) / seconds.count());
  }
  return best;
}

template <class In, class Sum>
void plain_loop(const std::vector<In>& a, const std::vector<In>& b, std::vector<Sum>& c) {
  std::fill(c.begin(), c.end(), Sum{});
  for (size_t m = 0; m < kSize; ++m) {
    for (size_t k = 0; k < kSize; ++k) {
      const Sum factor = a[m * kSize + k];
      for (size_t n = 0; n < kSize; ++n) c[m * kSize + n] += factor * b[k * kSize + n];
    }
  }
}

/// a and b hold `bytes` per element; c is 32-bit.
GemmOperands operands(const void* a, const void* b, void* c, size_t bytes) {
  return {.a = static_cast<const uint8_t*>(a),
          .b = static_cast<const uint8_t*>(b),
          .c = static_cast<uint8_t*>(c),
          .m = kSize,
          .n = kSize,
          .k = kSize,
          .a_stride = kSize * bytes,
          .b_stride = kSize * bytes,
          .c_stride = kSize * 4,
          .accumulate = false};
}

void bench_int8(Report& report, std::mt19937& random) {
  std::vector<int8_t> a(kSize * kSize);
  std::vector<int8_t> b(kSize * kSize);
  std::vector<int32_t> c(kSize * kSize);
  std::uniform_int_distribution<int> value(-128, 127);
  for (auto& element : a) element = static_cast<int8_t>(value(random));
  for (auto& element : b) element = static_cast<int8_t>(value(random));
  const double plain = best_gops([&] { plain_loop(a, b, c); });
  const double ours = best_gops([&] { arithmetic::gemm_int8(operands(a.data(), b.data(), c.data(), 1)); });
  report.add("gemm.int8.1024", ours, "GOP/s", "auto-vectorised loop", plain);
}

void bench_fp16(Report& report, std::mt19937& random) {
  std::vector<float> a(kSize * kSize);
  std::vector<float> b(kSize * kSize);
  std::vector<uint16_t> a_half(kSize * kSize);
  std::vector<uint16_t> b_half(kSize * kSize);
  std::vector<float> c(kSize * kSize);
  std::uniform_real_distribution<float> value(-1, 1);
  for (size_t i = 0; i < a.size(); ++i) {
    a_half[i] = arithmetic::fp32_to_fp16(value(random));
    b_half[i] = arithmetic::fp32_to_fp16(value(random));
    a[i] = arithmetic::fp16_to_fp32(a_half[i]);
    b[i] = arithmetic::fp16_to_fp32(b_half[i]);
  }
  const double plain = best_gops([&] { plain_loop(a, b, c); });
  const double ours = best_gops([&] { arithmetic::gemm_fp16(operands(a_half.data(), b_half.data(), c.data(), 2)); });
  report.add("gemm.fp16.1024", ours, "GFLOP/s", "auto-vectorised FP32 loop", plain);
}

}  // namespace

int main(int argc, char** argv) {
  Report report(argc, argv);
  std::mt19937 random(1);
  bench_int8(report, random);
  bench_fp16(report, random);
  return report.finish();
}

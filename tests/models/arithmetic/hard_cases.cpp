// SPDX-License-Identifier: Apache-2.0
// Finds the inputs that models/arithmetic/hard_cases.h must list: all 2^32 numbers go through functions.h; where the
// binary64 result is so near to the middle of two FP32 numbers that its error bound does not tell the rounding, MPFR
// decides. Prints every input that functions.h alone would round wrong. Minutes of one core; no test.
//   hard_cases [FUNCTION]
#include <cstdio>
#include <cstring>
#include <vector>

#include "models/arithmetic/functions.h"
#include "tests/models/arithmetic/exact_functions.h"

namespace {

using namespace npuvp;
namespace functions = arithmetic::functions;

constexpr double kErrorBound = 0x1p-41;  // eight times what functions.h claims
constexpr uint32_t kBlock = 4096;

template <class Function>
void scan(const char* name, unsigned operation, Function function) {
  test::ExactFunctions exact;
  std::vector<float> low(kBlock);
  std::vector<float> middle(kBlock);
  std::vector<float> high(kBlock);
  uint64_t unsure = 0;
  uint64_t wrong = 0;
  for (uint64_t begin = 0; begin < 1ull << 32; begin += kBlock) {
    for (uint32_t i = 0; i < kBlock; ++i) {
      const double y = function(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(begin) + i)));
      low[i] = static_cast<float>(y * (1 - kErrorBound));
      middle[i] = static_cast<float>(y);
      high[i] = static_cast<float>(y * (1 + kErrorBound));
    }
    if (std::memcmp(low.data(), high.data(), kBlock * 4) == 0) continue;
    for (uint32_t i = 0; i < kBlock; ++i) {
      if (low[i] == high[i] || middle[i] != middle[i]) continue;
      ++unsure;
      const uint32_t input = static_cast<uint32_t>(begin) + i;
      const uint32_t expected = exact(operation, std::bit_cast<float>(input));
      if (expected == std::bit_cast<uint32_t>(middle[i])) continue;
      if (++wrong > 100) continue;
      std::printf("{0x%08xu, 0x%08xu},\n", input, expected);
    }
  }
  std::printf("// %s: %llu undecided, %llu wrong\n", name, static_cast<unsigned long long>(unsure),
              static_cast<unsigned long long>(wrong));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const auto wanted = [&](const char* name) { return argc < 2 || std::strcmp(argv[1], name) == 0; };
#define SCAN(operation, function) \
  if (wanted(#function)) scan(#function, operation, [](double x) { return functions::function(x); })
  SCAN(NPU_OP_RSQRT, rsqrt);
  SCAN(NPU_OP_EXP, exp);
  SCAN(NPU_OP_LOG, log_of_any);
  SCAN(NPU_OP_SIGMOID, sigmoid);
  SCAN(NPU_OP_SILU, silu);
  SCAN(NPU_OP_TANH, tanh);
  SCAN(NPU_OP_ERF, erf);
  SCAN(NPU_OP_GELU, gelu);
  SCAN(NPU_OP_GELU_TANH, gelu_tanh);
#undef SCAN
}

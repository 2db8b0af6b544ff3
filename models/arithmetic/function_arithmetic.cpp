// SPDX-License-Identifier: Apache-2.0
// Compiled once per instruction set by Highway; the compiler vectorises the loops for each.
#include <span>

#include "models/arithmetic/blocks.h"
#include "models/arithmetic/formats.h"
#include "models/arithmetic/functions.h"
#include "models/arithmetic/hard_cases.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/arithmetic/function_arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace npuvp::arithmetic::HWY_NAMESPACE {
namespace {

/// Results of the hard cases in place of those that functions.h gives.
HWY_INLINE void correct(std::span<const HardCase> cases, const uint32_t* inputs, float* out, size_t count) {
  for (const HardCase& hard : cases) {
    for (size_t i = 0; i < count; ++i) {
      out[i] = inputs[i] == hard.input ? std::bit_cast<float>(hard.result) : out[i];
    }
  }
}

template <class Function>
HWY_INLINE void evaluate(std::span<const HardCase> cases, const float* in, float* out, size_t count,
                         Function function) {
  uint32_t inputs[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t part = std::min(kBlock, count - begin);
    for (size_t i = 0; i < part; ++i) inputs[i] = std::bit_cast<uint32_t>(in[begin + i]);
    for (size_t i = 0; i < part; ++i) {
      out[begin + i] = static_cast<float>(function(static_cast<double>(std::bit_cast<float>(inputs[i]))));
    }
    correct(cases, inputs, out + begin, part);
  }
}

void evaluate_function(npu_elementwise_operation operation, const float* in, float* out, size_t count) {
  switch (operation) {
    case NPU_OP_SQRT:
      for (size_t i = 0; i < count; ++i) out[i] = std::sqrt(in[i]);
      return;
    case NPU_OP_RECIPROCAL:
      for (size_t i = 0; i < count; ++i) out[i] = 1.0F / in[i];
      return;
    case NPU_OP_RSQRT:
      return evaluate({}, in, out, count, [](double x) { return functions::rsqrt(x); });
    case NPU_OP_EXP:
      return evaluate(kHardExp, in, out, count, [](double x) { return functions::exp(x); });
    case NPU_OP_LOG:
      return evaluate(kHardLog, in, out, count, [](double x) { return functions::log_of_any(x); });
    case NPU_OP_SIGMOID:
      return evaluate(kHardSigmoid, in, out, count, [](double x) { return functions::sigmoid(x); });
    case NPU_OP_SILU:
      return evaluate(kHardSilu, in, out, count, [](double x) { return functions::silu(x); });
    case NPU_OP_TANH:
      return evaluate(kHardTanh, in, out, count, [](double x) { return functions::tanh(x); });
    case NPU_OP_ERF:
      return evaluate(kHardErf, in, out, count, [](double x) { return functions::erf(x); });
    case NPU_OP_GELU:
      return evaluate(kHardGelu, in, out, count, [](double x) { return functions::gelu(x); });
    case NPU_OP_GELU_TANH:
      return evaluate(kHardGeluTanh, in, out, count, [](double x) { return functions::gelu_tanh(x); });
    default:
      return;
  }
}

void exp_minus_loop(const float* in, float offset, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = in[i] - offset;
  evaluate_function(NPU_OP_EXP, out, out, count);
}

}  // namespace
}  // namespace npuvp::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npuvp::arithmetic {
namespace {
HWY_EXPORT(evaluate_function);
HWY_EXPORT(exp_minus_loop);
}  // namespace

void function_block(npu_elementwise_operation operation, const float* in, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(evaluate_function)(operation, in, out, count);
}
void exp_minus(const float* in, float offset, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(exp_minus_loop)(in, offset, out, count);
}

}  // namespace npuvp::arithmetic
#endif

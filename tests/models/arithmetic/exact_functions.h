// SPDX-License-Identifier: Apache-2.0
// The functions of one number that the vector unit has, correctly rounded to FP32 by MPFR: nothing of the models' code.
#pragma once

#include <mpfr.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "firmware/abi/command.h"

namespace npuvp::test {

/// Numbers of 320 bits: more than what the smallest FP32 number squared adds to 1.
class ExactFunctions {
 public:
  ExactFunctions() {
    for (auto& number : numbers_) mpfr_init2(&number, 320);
  }
  ~ExactFunctions() {
    for (auto& number : numbers_) mpfr_clear(&number);
  }
  ExactFunctions(const ExactFunctions&) = delete;
  ExactFunctions& operator=(const ExactFunctions&) = delete;

  /// Bits of the result, a NaN canonical.
  uint32_t operator()(unsigned operation, float value) {
    mpfr_ptr x = &numbers_[0];
    mpfr_ptr y = &numbers_[1];
    mpfr_set_flt(x, value, MPFR_RNDN);
    evaluate(operation, y, x, &numbers_[2], value);
    if (mpfr_nan_p(y) != 0) return 0x7fc00000u;
    return std::bit_cast<uint32_t>(mpfr_get_flt(y, MPFR_RNDN));
  }

 private:
  static void evaluate(unsigned operation, mpfr_ptr y, mpfr_ptr x, mpfr_ptr t, float value) {
    switch (operation) {
      case NPU_OP_SQRT:
        mpfr_sqrt(y, x, MPFR_RNDN);
        return;
      case NPU_OP_RSQRT:
        mpfr_rec_sqrt(y, x, MPFR_RNDN);
        if (mpfr_zero_p(x) != 0) mpfr_set_inf(y, std::signbit(value) ? -1 : 1);  // MPFR has +infinity for -0 too
        return;
      case NPU_OP_RECIPROCAL:
        mpfr_ui_div(y, 1, x, MPFR_RNDN);
        return;
      case NPU_OP_EXP:
        mpfr_exp(y, x, MPFR_RNDN);
        return;
      case NPU_OP_LOG:
        mpfr_log(y, x, MPFR_RNDN);
        return;
      case NPU_OP_TANH:
        mpfr_tanh(y, x, MPFR_RNDN);
        return;
      case NPU_OP_ERF:
        mpfr_erf(y, x, MPFR_RNDN);
        return;
      case NPU_OP_SIGMOID:
        logistic(y, x);
        return;
      case NPU_OP_SILU:
        if (value == -INFINITY) return mpfr_set_zero(y, -1);
        logistic(y, x);
        mpfr_mul(y, y, x, MPFR_RNDN);
        return;
      case NPU_OP_GELU:  // x / 2 erfc(-x / sqrt 2)
        if (value == -INFINITY) return mpfr_set_zero(y, -1);
        mpfr_set_ui(t, 2, MPFR_RNDN);
        mpfr_sqrt(t, t, MPFR_RNDN);
        mpfr_div(t, x, t, MPFR_RNDN);
        mpfr_neg(t, t, MPFR_RNDN);
        mpfr_erfc(y, t, MPFR_RNDN);
        mpfr_mul(y, y, x, MPFR_RNDN);
        mpfr_div_ui(y, y, 2, MPFR_RNDN);
        return;
      case NPU_OP_GELU_TANH:  // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
        if (value == -INFINITY || value < -1e4F) return mpfr_set_zero(y, -1);
        mpfr_sqr(t, x, MPFR_RNDN);
        mpfr_mul(t, t, x, MPFR_RNDN);
        mpfr_mul_ui(t, t, 44715, MPFR_RNDN);
        mpfr_div_ui(t, t, 1000000, MPFR_RNDN);
        mpfr_add(t, t, x, MPFR_RNDN);
        mpfr_const_pi(y, MPFR_RNDN);
        mpfr_ui_div(y, 2, y, MPFR_RNDN);
        mpfr_sqrt(y, y, MPFR_RNDN);
        mpfr_mul(t, t, y, MPFR_RNDN);
        if (mpfr_cmp_si(t, -100) < 0) return mpfr_set_zero(y, -1);  // below FP32: tanh would need more bits
        mpfr_tanh(t, t, MPFR_RNDN);
        mpfr_add_ui(t, t, 1, MPFR_RNDN);
        mpfr_mul(y, x, t, MPFR_RNDN);
        mpfr_div_ui(y, y, 2, MPFR_RNDN);
        return;
      default:
        mpfr_set_nan(y);
    }
  }

  static void logistic(mpfr_ptr y, mpfr_ptr x) {  // 1 / (1 + exp(-x))
    mpfr_neg(y, x, MPFR_RNDN);
    mpfr_exp(y, y, MPFR_RNDN);
    mpfr_add_ui(y, y, 1, MPFR_RNDN);
    mpfr_ui_div(y, 1, y, MPFR_RNDN);
  }

  std::array<__mpfr_struct, 3> numbers_;
};

}  // namespace npuvp::test

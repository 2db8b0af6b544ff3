// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace npuvp::arithmetic::functions {

// Functions of one FP32 number, evaluated in binary64. Only +, -, * and / in a fixed order, each rounded once (no fused
// operations: the build says so), so that every host and every vector width computes the same bits. Relative errors
// stay below 2^-44; rounding to FP32 then gives the correctly rounded result but for the inputs listed in hard_cases.h.
// No branches: the loops over these functions vectorise.

template <size_t kTerms>
[[nodiscard, gnu::always_inline]] inline double polynomial(const double (&coefficients)[kTerms], double x) {
  double sum = coefficients[0];
  for (size_t i = 1; i < kTerms; ++i) sum = sum * x + coefficients[i];
  return sum;
}

/// 2^n for -1022 <= n <= 1023.
[[nodiscard, gnu::always_inline]] inline double power_of_two(double n) {
  constexpr double kToInteger = 0x1.8p52;  // then the low bits of the significand are the integer
  const auto bits = std::bit_cast<uint64_t>(n + kToInteger);
  return std::bit_cast<double>((bits + 1023) << 52);
}

inline constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 32 bits, so that products with exponents are exact
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
inline constexpr double kLog2E = 0x1.71547652b82fep+0;

/// exp(x) = scale * (1 + rest).
struct Exponential {
  double scale;
  double rest;
};

/// x is brought into [-700, 700], far beyond FP32.
[[nodiscard, gnu::always_inline]] inline Exponential exponential(double x) {
  constexpr double kRound = 0x1.8p52;
  const double bounded = x > 700 ? 700 : x < -700 ? -700 : x;
  const double n = (bounded * kLog2E + kRound) - kRound;
  const double r = (bounded - n * kLn2High) - n * kLn2Low;
  // Taylor series: 1/13!, ..., 1/2!. |r| < 0.35, the first term left out is below 2^-57.
  constexpr double kSeries[] = {0x1.6124613a86d09p-33, 0x1.1eed8eff8d898p-29, 0x1.ae64567f544e4p-26,
                                0x1.27e4fb7789f5cp-22, 0x1.71de3a556c734p-19, 0x1.a01a01a01a01ap-16,
                                0x1.a01a01a01a01ap-13, 0x1.6c16c16c16c17p-10, 0x1.1111111111111p-7,
                                0x1.5555555555555p-5,  0x1.5555555555555p-3,  0x1.0000000000000p-1};
  return {power_of_two(n), r + r * r * polynomial(kSeries, r)};
}

[[nodiscard, gnu::always_inline]] inline double exp(double x) {
  const Exponential e = exponential(x);
  return e.scale + e.scale * e.rest;
}

/// exp(x) - 1 without cancellation.
[[nodiscard, gnu::always_inline]] inline double exp_minus_1(double x) {
  const Exponential e = exponential(x);
  return e.scale * e.rest + (e.scale - 1);
}

/// For x > 0 and finite; x is an FP32 number, so that it is normal as binary64.
[[nodiscard, gnu::always_inline]] inline double log(double x) {
  constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
  const auto bits = std::bit_cast<uint64_t>(x);
  const double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  // The exponent as the low bits of a large number, which a subtraction makes a number.
  const double exponent = std::bit_cast<double>((bits >> 52) | 0x4330000000000000u) - (0x1p52 + 1023);
  const bool upper = mantissa > kSqrt2;
  const double m = upper ? mantissa * 0.5 : mantissa;
  const double k = upper ? exponent + 1 : exponent;
  // log m = 2 atanh f; 2/23, ..., 2/3.
  constexpr double kSeries[] = {0x1.642c8590b2164p-4, 0x1.8618618618618p-4, 0x1.af286bca1af28p-4, 0x1.e1e1e1e1e1e1ep-4,
                                0x1.1111111111111p-3, 0x1.3b13b13b13b14p-3, 0x1.745d1745d1746p-3, 0x1.c71c71c71c71cp-3,
                                0x1.2492492492492p-2, 0x1.999999999999ap-2, 0x1.5555555555555p-1};
  const double f = (m - 1) / (m + 1);
  const double square = f * f;
  return k * kLn2High + (2 * f + (f * square * polynomial(kSeries, square) + k * kLn2Low));
}

/// x / 2 plus something positive and tiny, for results below the normal numbers of FP32: there x / 2 can be the very
/// middle of two of them, and the exact result, which is above, must not round to even.
[[nodiscard, gnu::always_inline]] inline double above_half(double x, double result) {
  const double magnitude = std::abs(x);
  return magnitude > 0 && magnitude < 0x1p-120 ? 0.5 * x + 0x1p-40 * magnitude : result;
}

/// For small x the result 1/2 + x/4 - x^3/48 may be so near to the middle of two FP32 numbers that x^3/48 decides but
/// is lost in binary64. 1/2 + x/4 is exact there, and anything of the sign of -x that is small enough does as well.
[[nodiscard, gnu::always_inline]] inline double sigmoid(double x) {
  const double result = 1 / (1 + exp(-x));
  return std::abs(x) < 0x1p-12 ? (0.5 + 0.25 * x) - 0x1p-28 * x : result;
}

[[nodiscard, gnu::always_inline]] inline double silu(double x) {
  const double bounded = x < -700 ? -700 : x;  // far below FP32, and no infinity by another
  return above_half(x, bounded / (1 + exp(-bounded)));
}

[[nodiscard, gnu::always_inline]] inline double tanh(double x) {
  const double magnitude = std::abs(x);
  const double e = exp_minus_1(2 * (magnitude > 40 ? 40 : magnitude));
  return std::copysign(e / (e + 2), x);
}

/// exp(t^2 / 2) times the probability that a normal variable exceeds t, 0 <= t <= 15: a Chebyshev fit of (1 + t) times
/// that in w = (t - 4) / (t + 4), relative error below 2^-61.
[[nodiscard, gnu::always_inline]] inline double scaled_normal_tail(double t) {
  constexpr double kFit[] = {
      0x1.a3a5af20cf4ecp-30,  0x1.3436dd2fb1ef7p-27,  0x1.deacdfb40ffbbp-27, -0x1.cb4a9cbf7c4a1p-26,
      -0x1.d9898e6972ea1p-24, 0x1.0b632d8576250p-27,  0x1.2902e5f88172ap-21, 0x1.aebc813e31044p-22,
      -0x1.5ed846484da24p-19, -0x1.cc826ba51b3ddp-19, 0x1.c941b4cfb076ep-17, 0x1.6483244a01702p-16,
      -0x1.707bc0194f805p-14, -0x1.8c11ab6154fdap-14, 0x1.6c53833a1f5c3p-11, -0x1.2b7f5e1d13befp-12,
      -0x1.47d5fc74ca29ep-8,  0x1.25dd720605243p-6,   -0x1.07c3c2582b922p-5, 0x1.d4969f10dfecap-6,
      0x1.cabd72a60f89ep-7,   -0x1.8c18f2086e34ap-4,  0x1.e361ea6fba141p-2};
  return polynomial(kFit, (t - 4) / (t + 4)) / (1 + t);
}

/// x times the normal distribution function of x. The square of an FP32 number is exact in binary64.
[[nodiscard, gnu::always_inline]] inline double gelu(double x) {
  const double magnitude = std::abs(x);
  const double t = magnitude > 15 ? 15 : magnitude;
  const double tail = exp(-0.5 * (t * t)) * scaled_normal_tail(t);
  // FP32 knows nothing of the tail beyond 15; 0 keeps the product's sign.
  const double below = magnitude > 15 ? 0 : tail;
  return above_half(x, (x < -20 ? -20 : x) * (x > 0 ? 1 - below : below));
}

/// 0.5 x (1 + tanh(u)) = x / (1 + exp(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3).
[[nodiscard, gnu::always_inline]] inline double gelu_tanh(double x) {
  constexpr double kLinear = 0x1.9884533d43651p+0;  // 2 sqrt(2 / pi)
  constexpr double kCubic = 0x1.2444f2a4d8b4bp-4;   // the same times 0.044715
  const double bounded = x > 30 ? 30 : x < -30 ? -30 : x;
  return above_half(x, (x < -30 ? -30 : x) / (1 + exp(-(bounded * (kLinear + kCubic * (bounded * bounded))))));
}

[[nodiscard, gnu::always_inline]] inline double erf(double x) {
  constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
  const double magnitude = std::abs(x);
  const double t = magnitude > 10 ? 10 : magnitude;
  const double far = 1 - 2 * exp(-(t * t)) * scaled_normal_tail(t * kSqrt2);
  // Taylor series for small x, where 1 - ... would lose digits.
  constexpr double kSeries[] = {0x1.d70b3537f4765p-50,  -0x1.f56f071a885cfp-46, 0x1.f683ae4a97007p-42,
                                -0x1.d8453cb0c46eap-38, 0x1.9e6ad5e55a730p-34,  -0x1.51d7181c5d36dp-30,
                                0x1.fcc5720624c1cp-27,  -0x1.5f742ec43e71ap-23, 0x1.b9e6c9dc651a3p-20,
                                -0x1.f4d25c3e0c2ebp-17, 0x1.f9a326f9b89b7p-14,  -0x1.c02db40040b86p-11,
                                0x1.565bcd0e6a53fp-8,   -0x1.b82ce31288b51p-6,  0x1.ce2f21a042be2p-4,
                                -0x1.812746b0379e7p-2,  0x1.20dd750429b6dp+0};
  const double near = t * polynomial(kSeries, t * t);
  return std::copysign(t < 0.75 ? near : far, x);
}

/// With log(+-0) = -infinity and log of less NaN.
[[nodiscard, gnu::always_inline]] inline double log_of_any(double x) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double finite = log(x);
  const double positive = x == kInfinity ? kInfinity : finite;
  const double special = x == 0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  return x > 0 ? positive : special;
}

[[nodiscard, gnu::always_inline]] inline double rsqrt(double x) {
  return 1 / std::sqrt(x);
}

}  // namespace npuvp::arithmetic::functions

// SPDX-License-Identifier: Apache-2.0
// fp against the host's floating-point unit, which is an independent IEEE 754 implementation that detects tininess
// after rounding too: results and flags, in the four rounding modes both have. The fifth mode and RISC-V's own choices
// are tested by hand-made cases.
#include "models/riscv/soft_float.h"

#include <gtest/gtest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

namespace npuvp::riscv::fp {
namespace {

constexpr unsigned kCases = 400'000;

template <typename F>
class Operands {
 public:
  using Bits = typename F::Bits;

  /// Random bits, with many special values, near exponents and short fractions, where rounding and cancellation happen.
  Bits next() {
    constexpr unsigned kFraction = F::kPrecision - 1;
    const auto bits = static_cast<Bits>(random_());
    const Bits sign = bits & kSignBit<F>;
    const Bits fraction_mask = (Bits{1} << kFraction) - 1;
    constexpr Bits kMiddle = (Bits{1} << (F::kExponentBits - 1)) - 1;
    switch (random_() % 8) {
      case 0:
        return sign | (random_() % 2 != 0 ? kInfinity<F> : 0);
      case 1:
        return sign | (bits & fraction_mask);  // subnormal
      case 2:
        return sign | kInfinity<F> | (bits & fraction_mask);  // mostly NaN
      case 3:
        return sign | (kMiddle + static_cast<Bits>(random_() % 64) - 32) << kFraction | (bits & fraction_mask);
      case 4:
        return sign | (kMiddle + static_cast<Bits>(random_() % 8) - 4) << kFraction |
               (Bits{1} << (random_() % kFraction)) | (bits & 3);
      case 5:
        return sign | (Bits{1} + static_cast<Bits>(random_() % 4)) << kFraction | (bits & fraction_mask);  // near tiny
      case 6:
        return sign | (kInfinity<F> - 1 - (bits & 7));  // near overflow
      default:
        return bits;
    }
  }
  uint64_t integer() { return random_() >> (random_() % 64) ^ (random_() % 2 != 0 ? ~0ull : 0); }

 private:
  std::mt19937_64 random_{1};
};

struct Mode {
  Rounding rounding;
  int host;
};
constexpr Mode kModes[] = {{Rounding::kNearestEven, FE_TONEAREST},
                           {Rounding::kTowardZero, FE_TOWARDZERO},
                           {Rounding::kDown, FE_DOWNWARD},
                           {Rounding::kUp, FE_UPWARD}};

uint8_t host_flags() {
  const int raised = std::fetestexcept(FE_ALL_EXCEPT);
  return static_cast<uint8_t>(
      ((raised & FE_INEXACT) != 0 ? kInexact : 0) | ((raised & FE_UNDERFLOW) != 0 ? kUnderflow : 0) |
      ((raised & FE_OVERFLOW) != 0 ? kOverflow : 0) | ((raised & FE_DIVBYZERO) != 0 ? kDivideByZero : 0) |
      ((raised & FE_INVALID) != 0 ? kInvalid : 0));
}

/// What the host makes of an operation; `volatile` keeps the compiler from computing or moving it.
template <typename F, typename Operation>
typename F::Bits on_host(const Mode& mode, Operation operation, uint8_t& flags) {
  std::fesetround(mode.host);
  std::feclearexcept(FE_ALL_EXCEPT);
  const volatile typename F::Host result = operation();
  flags = host_flags();
  std::fesetround(FE_TONEAREST);
  const typename F::Host value = result;
  return std::isnan(value) ? kCanonicalNan<F> : std::bit_cast<typename F::Bits>(value);
}

template <typename F>
class SoftFloat : public testing::Test {
 protected:
  using Bits = typename F::Bits;
  using Host = typename F::Host;

  /// `ours` and `host` compute from three operands. Flags that were set before must not matter but for staying set.
  template <typename Ours, typename OnHost>
  void compare(Ours ours, OnHost host) {
    Operands<F> operands;
    for (unsigned i = 0; i < kCases; ++i) {
      const Mode& mode = kModes[i % 4];
      const Bits bits[] = {operands.next(), operands.next(), operands.next()};
      volatile Host values[3];
      for (unsigned k = 0; k < 3; ++k) values[k] = std::bit_cast<Host>(bits[k]);
      uint8_t flags = 0;
      const Bits expected = on_host<F>(
          mode, [&] { return host(values[0], values[1], values[2]); }, flags);
      Environment environment{mode.rounding, 0};
      ASSERT_EQ(ours(bits, environment), expected) << describe(bits, mode);
      ASSERT_EQ(environment.flags, flags) << describe(bits, mode);
      Environment sticky{mode.rounding, kInexact};
      ASSERT_EQ(ours(bits, sticky), expected) << describe(bits, mode);
      ASSERT_EQ(sticky.flags, flags | kInexact) << describe(bits, mode);
    }
  }

  static std::string describe(const Bits (&bits)[3], const Mode& mode) {
    char text[128];
    std::snprintf(text, sizeof text, "%llx %llx %llx mode %d", static_cast<unsigned long long>(bits[0]),
                  static_cast<unsigned long long>(bits[1]), static_cast<unsigned long long>(bits[2]),
                  static_cast<int>(mode.rounding));
    return text;
  }
};
using Formats = testing::Types<Single, Double>;
TYPED_TEST_SUITE(SoftFloat, Formats);

TYPED_TEST(SoftFloat, AddsAsTheHost) {
  this->compare([](const auto& v, Environment& e) { return add<TypeParam>(v[0], v[1], e); },
                [](auto a, auto b, auto) { return a + b; });
}
TYPED_TEST(SoftFloat, SubtractsAsTheHost) {
  this->compare([](const auto& v, Environment& e) { return subtract<TypeParam>(v[0], v[1], e); },
                [](auto a, auto b, auto) { return a - b; });
}
TYPED_TEST(SoftFloat, MultipliesAsTheHost) {
  this->compare([](const auto& v, Environment& e) { return multiply<TypeParam>(v[0], v[1], e); },
                [](auto a, auto b, auto) { return a * b; });
}
TYPED_TEST(SoftFloat, DividesAsTheHost) {
  this->compare([](const auto& v, Environment& e) { return divide<TypeParam>(v[0], v[1], e); },
                [](auto a, auto b, auto) { return a / b; });
}
TYPED_TEST(SoftFloat, TakesSquareRootsAsTheHost) {
  this->compare([](const auto& v, Environment& e) { return square_root<TypeParam>(v[0], e); },
                [](auto a, auto, auto) { return std::sqrt(a); });
}

#ifdef __x86_64__
__attribute__((target("fma"))) float host_fma(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
__attribute__((target("fma"))) double host_fma(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}

TYPED_TEST(SoftFloat, FusesAsTheHost) {
  if (!__builtin_cpu_supports("fma")) FAIL() << "needs a host with FMA3";
  using Number = typename TypeParam::Bits;
  // Infinity times zero plus a quiet NaN is invalid here and need not be on the host.
  const auto exempt = [](const Number(&v)[3]) {
    const auto magnitude = [](Number value) { return static_cast<Number>(value & ~kSignBit<TypeParam>); };
    const bool undefined = (magnitude(v[0]) == 0 && magnitude(v[1]) == kInfinity<TypeParam>) ||
                           (magnitude(v[1]) == 0 && magnitude(v[0]) == kInfinity<TypeParam>);
    return undefined && magnitude(v[2]) > kInfinity<TypeParam>;
  };
  this->compare(
      [&](const Number(&v)[3], Environment& e) {
        Environment own = e;
        const Number result = multiply_add<TypeParam>(v[0], v[1], v[2], own);
        if (exempt(v)) {
          EXPECT_EQ(own.flags & kInvalid, kInvalid);
          own.flags = e.flags | ((v[2] & (Number{1} << (TypeParam::kPrecision - 2))) == 0 ? kInvalid : 0);
        }
        e = own;
        return result;
      },
      [](auto a, auto b, auto c) { return host_fma(a, b, c); });
}
#endif

TEST(SoftFloatConversions, BetweenFormatsAsTheHost) {
  Operands<Double> doubles;
  Operands<Single> singles;
  for (unsigned i = 0; i < kCases; ++i) {
    const Mode& mode = kModes[i % 4];
    uint8_t flags = 0;
    const Double::Bits wide = doubles.next();
    const volatile double wide_value = std::bit_cast<double>(wide);
    const Single::Bits narrowed = on_host<Single>(
        mode, [&] { return static_cast<float>(wide_value); }, flags);
    Environment environment{mode.rounding, 0};
    ASSERT_EQ(narrow(wide, environment), narrowed) << std::hex << wide;
    ASSERT_EQ(environment.flags, flags) << std::hex << wide;

    const Single::Bits single = singles.next();
    const volatile float single_value = std::bit_cast<float>(single);
    const Double::Bits widened = on_host<Double>(
        mode, [&] { return static_cast<double>(single_value); }, flags);
    environment = {mode.rounding, 0};
    ASSERT_EQ(widen(single, environment), widened) << std::hex << single;
    ASSERT_EQ(environment.flags, flags) << std::hex << single;
  }
}

TEST(SoftFloatConversions, FromIntegersAsTheHost) {
  Operands<Double> operands;
  for (unsigned i = 0; i < kCases; ++i) {
    const Mode& mode = kModes[i % 4];
    const volatile auto value = static_cast<int64_t>(operands.integer());
    uint8_t flags = 0;
    Environment environment{mode.rounding, 0};
    const Double::Bits wide = on_host<Double>(
        mode, [&] { return static_cast<double>(value); }, flags);
    ASSERT_EQ((from_integer<Double, int64_t>(value, environment)), wide) << value;
    ASSERT_EQ(environment.flags, flags) << value;
    environment = {mode.rounding, 0};
    const Single::Bits narrow_value = on_host<Single>(
        mode, [&] { return static_cast<float>(value); }, flags);
    ASSERT_EQ((from_integer<Single, int64_t>(value, environment)), narrow_value) << value;
    ASSERT_EQ(environment.flags, flags) << value;
  }
}

TEST(SoftFloatConversions, ToIntegersAsTheHost) {
  Operands<Double> operands;
  for (unsigned i = 0; i < kCases; ++i) {
    const Mode& mode = kModes[i % 4];
    const Double::Bits bits = operands.next();
    const double value = std::bit_cast<double>(bits);
    std::fesetround(mode.host);
    std::feclearexcept(FE_ALL_EXCEPT);
    const volatile double in = value;
    const volatile double rounded = std::nearbyint(in);
    std::fesetround(FE_TONEAREST);
    Environment environment{mode.rounding, 0};
    const int32_t got = to_integer<Double, int32_t>(bits, environment);
    if (!(rounded >= -2147483648.0 && rounded <= 2147483647.0)) {
      ASSERT_EQ(got, rounded < 0 ? INT32_MIN : INT32_MAX) << std::hex << bits;
      ASSERT_EQ(environment.flags, kInvalid) << std::hex << bits;
    } else {
      ASSERT_EQ(got, static_cast<int32_t>(rounded)) << std::hex << bits;
      ASSERT_EQ(environment.flags, rounded == value ? 0 : kInexact) << std::hex << bits;
    }
  }
}

// Table "Domains of float-to-integer conversions and behavior for invalid inputs", chapter "F".
TEST(SoftFloatConversions, SaturateAsTheManualsTableSays) {
  constexpr Single::Bits kNan = 0x7fc00000, kPlus = 0x7f800000, kMinus = 0xff800000, kMinusOne = 0xbf800000;
  Environment e{Rounding::kTowardZero, 0};
  EXPECT_EQ((to_integer<Single, int32_t>(kMinus, e)), INT32_MIN);
  EXPECT_EQ((to_integer<Single, int32_t>(kPlus, e)), INT32_MAX);
  EXPECT_EQ((to_integer<Single, int32_t>(kNan, e)), INT32_MAX);
  EXPECT_EQ((to_integer<Single, int32_t>(kNan | 0x80000000, e)), INT32_MAX);
  EXPECT_EQ((to_integer<Single, uint32_t>(kMinus, e)), 0u);
  EXPECT_EQ((to_integer<Single, uint32_t>(kPlus, e)), UINT32_MAX);
  EXPECT_EQ((to_integer<Single, uint32_t>(kNan, e)), UINT32_MAX);
  EXPECT_EQ((to_integer<Single, uint32_t>(kMinusOne, e)), 0u);
  EXPECT_EQ((to_integer<Single, int64_t>(kMinus, e)), INT64_MIN);
  EXPECT_EQ((to_integer<Single, int64_t>(kPlus, e)), INT64_MAX);
  EXPECT_EQ((to_integer<Single, uint64_t>(kPlus, e)), UINT64_MAX);
  EXPECT_EQ((to_integer<Single, uint64_t>(kNan, e)), UINT64_MAX);
  EXPECT_EQ(e.flags, kInvalid);
  e.flags = 0;
  EXPECT_EQ((to_integer<Single, uint32_t>(0xbf000000, e)), 0u);  // -0.5 rounds to zero: in range
  EXPECT_EQ(e.flags, kInexact);
  e.flags = 0;
  EXPECT_EQ((to_integer<Single, int64_t>(0xdf000000, e)), INT64_MIN);  // -2^63 is in range
  EXPECT_EQ(e.flags, 0);
}

TEST(SoftFloatRounding, TiesGoAwayFromZeroInTheFifthMode) {
  Environment e{Rounding::kNearestMaxMagnitude, 0};
  // 1 + 2^-24 lies halfway between 1 and the next single.
  EXPECT_EQ(add<Single>(0x3f800000, 0x33800000, e), 0x3f800001u);
  EXPECT_EQ(add<Single>(0xbf800000, 0xb3800000, e), 0xbf800001u);
  EXPECT_EQ(add<Single>(0x3f800000, 0x33000000, e), 0x3f800000u);  // a quarter goes down
  EXPECT_EQ((to_integer<Single, int32_t>(0x40200000, e)), 3);      // 2.5
  EXPECT_EQ((to_integer<Single, int32_t>(0xc0200000, e)), -3);
  EXPECT_EQ(add<Single>(0x7f7fffff, 0x73000000, e), 0x7f800000u);  // the largest plus half a unit overflows
}

TEST(SoftFloatSelection, OrdersZerosAndPassesOverNans) {
  Environment e;
  constexpr Single::Bits kQuiet = 0x7fc01234, kSignalling = 0x7f800001, kOne = 0x3f800000, kMinusZero = 0x80000000;
  EXPECT_EQ(minimum<Single>(0, kMinusZero, e), kMinusZero);
  EXPECT_EQ(minimum<Single>(kMinusZero, 0, e), kMinusZero);
  EXPECT_EQ(maximum<Single>(kMinusZero, 0, e), 0u);
  EXPECT_EQ(maximum<Single>(0, kMinusZero, e), 0u);
  EXPECT_EQ(minimum<Single>(kQuiet, kOne, e), kOne);
  EXPECT_EQ(maximum<Single>(kOne, kQuiet, e), kOne);
  EXPECT_EQ(minimum<Single>(kQuiet, kQuiet, e), kCanonicalNan<Single>);
  EXPECT_EQ(e.flags, 0);
  EXPECT_EQ(minimum<Single>(kSignalling, kOne, e), kOne);
  EXPECT_EQ(e.flags, kInvalid);
}

TEST(SoftFloatComparison, SignalsAsTheManualSays) {
  constexpr Double::Bits kQuiet = 0x7ff8000000000001, kSignalling = 0x7ff0000000000001, kOne = 0x3ff0000000000000;
  Environment e;
  EXPECT_FALSE(equal<Double>(kQuiet, kQuiet, e));
  EXPECT_EQ(e.flags, 0);
  EXPECT_FALSE(equal<Double>(kSignalling, kOne, e));
  EXPECT_EQ(e.flags, kInvalid);
  e.flags = 0;
  EXPECT_FALSE(less<Double>(kQuiet, kOne, e));
  EXPECT_EQ(e.flags, kInvalid);
  e.flags = 0;
  EXPECT_FALSE(less_or_equal<Double>(kOne, kQuiet, e));
  EXPECT_EQ(e.flags, kInvalid);
  e.flags = 0;
  EXPECT_TRUE(equal<Double>(0, kSignBit<Double>, e));
  EXPECT_TRUE(less_or_equal<Double>(0, kSignBit<Double>, e));
  EXPECT_FALSE(less<Double>(kSignBit<Double>, 0, e));
  EXPECT_TRUE(less<Double>(kOne | kSignBit<Double>, 0, e));
  EXPECT_TRUE(less<Double>(0xc000000000000000, 0xbff0000000000000, e));  // -2 < -1
  EXPECT_EQ(e.flags, 0);
}

// Table "Format of result of FCLASS instruction".
TEST(SoftFloatClass, IsOneHot) {
  EXPECT_EQ(classify<Single>(0xff800000), 1u << 0);
  EXPECT_EQ(classify<Single>(0xbf800000), 1u << 1);
  EXPECT_EQ(classify<Single>(0x80000001), 1u << 2);
  EXPECT_EQ(classify<Single>(0x80000000), 1u << 3);
  EXPECT_EQ(classify<Single>(0x00000000), 1u << 4);
  EXPECT_EQ(classify<Single>(0x007fffff), 1u << 5);
  EXPECT_EQ(classify<Single>(0x00800000), 1u << 6);
  EXPECT_EQ(classify<Single>(0x7f800000), 1u << 7);
  EXPECT_EQ(classify<Single>(0x7fa00000), 1u << 8);
  EXPECT_EQ(classify<Single>(0x7fc00000), 1u << 9);
}

}  // namespace
}  // namespace npuvp::riscv::fp

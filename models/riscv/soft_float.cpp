// SPDX-License-Identifier: Apache-2.0
#include "models/riscv/soft_float.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "models/riscv/arithmetic.h"

namespace npuvp::riscv::fp {
namespace {

enum class Kind : uint8_t { kZero, kFinite, kInfinite, kQuietNan, kSignallingNan };

/// A number taken apart. A finite one is significand / 2^63 * 2^exponent with bit 63 of the significand set.
struct Parts {
  Kind kind = Kind::kZero;
  bool negative = false;
  int exponent = 0;
  uint64_t significand = 0;

  [[nodiscard]] bool is_nan() const { return kind == Kind::kQuietNan || kind == Kind::kSignallingNan; }
};

template <typename F>
constexpr int kBias = (1 << (F::kExponentBits - 1)) - 1;
template <typename F>
constexpr int kMaximumField = (1 << F::kExponentBits) - 1;

template <typename F>
Parts unpack(typename F::Bits bits) {
  constexpr unsigned kFractionBits = F::kPrecision - 1;
  Parts out;
  out.negative = (bits & kSignBit<F>) != 0;
  const uint64_t fraction = bits & ((typename F::Bits{1} << kFractionBits) - 1);
  const int field = static_cast<int>((bits >> kFractionBits) & kMaximumField<F>);
  if (field == kMaximumField<F>) {
    const bool quiet = (fraction >> (kFractionBits - 1)) != 0;
    out.kind = fraction == 0 ? Kind::kInfinite : quiet ? Kind::kQuietNan : Kind::kSignallingNan;
  } else if (field != 0) {
    out.kind = Kind::kFinite;
    out.exponent = field - kBias<F>;
    out.significand = (fraction | 1ull << kFractionBits) << (63 - kFractionBits);
  } else if (fraction != 0) {
    const int shift = std::countl_zero(fraction);
    out.kind = Kind::kFinite;
    out.exponent = 1 - kBias<F> - (shift - static_cast<int>(63 - kFractionBits));
    out.significand = fraction << shift;
  }
  return out;
}

template <typename F>
typename F::Bits signed_bits(bool negative, typename F::Bits magnitude) {
  return magnitude | (negative ? kSignBit<F> : 0);
}

/// Right shift that keeps whether anything was lost in bit 0.
template <typename T>
T shift_right_jam(T value, unsigned count) {
  constexpr unsigned kWidth = 8 * sizeof(T);
  if (count == 0) return value;
  if (count >= kWidth) return value != 0 ? 1 : 0;
  return (value >> count) | ((value << (kWidth - count)) != 0 ? 1 : 0);
}

/// Whether a magnitude with the given discarded part goes up: `odd` is the kept part's lowest bit, `half` compares the
/// discarded part with half of that bit (-1, 0, 1), `exact` is whether nothing is discarded.
bool rounds_up(Rounding rounding, bool negative, bool odd, int half, bool exact) {
  switch (rounding) {
    case Rounding::kNearestEven:
      return half > 0 || (half == 0 && odd);
    case Rounding::kNearestMaxMagnitude:
      return half >= 0;
    case Rounding::kTowardZero:
      return false;
    case Rounding::kDown:
      return negative && !exact;
    case Rounding::kUp:
      return !negative && !exact;
  }
  return false;
}

/// `significand` without its low `drop` bits (1 to 63), rounded; `inexact` tells whether they held anything.
uint64_t round_off(uint64_t significand, unsigned drop, Rounding rounding, bool negative, bool& inexact) {
  const uint64_t discarded = significand & ((1ull << drop) - 1);
  const uint64_t half = 1ull << (drop - 1);
  const uint64_t kept = significand >> drop;
  inexact = discarded != 0;
  const int comparison = discarded > half ? 1 : discarded == half ? 0 : -1;
  return kept + (rounds_up(rounding, negative, (kept & 1) != 0, comparison, !inexact) ? 1 : 0);
}

/// The finite number as F. Bit 63 of `significand` is set; what lies below bit 0 is folded into it.
template <typename F>
typename F::Bits round_and_pack(bool negative, int exponent, uint64_t significand, Environment& environment) {
  constexpr unsigned kDrop = 64 - F::kPrecision;
  int field = exponent + kBias<F>;
  bool inexact = false;
  uint64_t rounded = round_off(significand, kDrop, environment.rounding, negative, inexact);
  if (field <= 0) {
    // Tiny if it would be below the smallest normal number even with an unbounded exponent, that is, after rounding.
    const bool tiny = field < 0 || (rounded >> F::kPrecision) == 0;
    const uint64_t subnormal = shift_right_jam(significand, static_cast<unsigned>(1 - field));
    rounded = round_off(subnormal, kDrop, environment.rounding, negative, inexact);
    if (tiny && inexact) environment.flags |= kUnderflow;
    field = 1;  // added below with the implied bit, which a subnormal number lacks
  }
  // A carry out of the significand goes into the exponent by itself.
  const uint64_t magnitude = (static_cast<uint64_t>(field - 1) << (F::kPrecision - 1)) + rounded;
  if (field >= kMaximumField<F> || magnitude >= kInfinity<F>) {
    environment.flags |= kOverflow | kInexact;
    const Rounding rounding = environment.rounding;
    const bool to_infinity = rounding == Rounding::kNearestEven || rounding == Rounding::kNearestMaxMagnitude ||
                             rounding == (negative ? Rounding::kDown : Rounding::kUp);
    return signed_bits<F>(negative, to_infinity ? kInfinity<F> : kInfinity<F> - 1);
  }
  if (inexact) environment.flags |= kInexact;
  return signed_bits<F>(negative, static_cast<typename F::Bits>(magnitude));
}

/// As round_and_pack(), of significand / 2^126 * 2^exponent with any leading bit.
template <typename F>
typename F::Bits normalize_and_pack(bool negative, int exponent, uint128 significand, Environment& environment) {
  const auto high = static_cast<uint64_t>(significand >> 64);
  const int zeros = high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<uint64_t>(significand));
  significand <<= zeros;
  return round_and_pack<F>(negative, exponent + 1 - zeros,
                           static_cast<uint64_t>(significand >> 64) | (static_cast<uint64_t>(significand) != 0 ? 1 : 0),
                           environment);
}

/// An exact term of a sum: significand / 2^126 * 2^exponent, bit 126 of the significand set and, for formats of up to
/// 53 bits, at least its low 20 bits clear.
struct Term {
  bool negative = false;
  int exponent = 0;
  uint128 significand = 0;
};

Term term_of(const Parts& parts) {
  return {parts.negative, parts.exponent, static_cast<uint128>(parts.significand) << 63};
}

template <typename F>
typename F::Bits add_terms(Term a, Term b, Environment& environment) {
  if (a.exponent < b.exponent) std::swap(a, b);
  // What is jammed lies far below the rounding position unless the exponents are near, and then nothing is lost.
  b.significand = shift_right_jam(b.significand, static_cast<unsigned>(a.exponent - b.exponent));
  if (a.negative == b.negative) {
    return normalize_and_pack<F>(a.negative, a.exponent, a.significand + b.significand, environment);
  }
  if (a.significand == b.significand) return signed_bits<F>(environment.rounding == Rounding::kDown, 0);
  if (a.significand < b.significand) std::swap(a.significand, b.significand), std::swap(a.negative, b.negative);
  return normalize_and_pack<F>(a.negative, a.exponent, a.significand - b.significand, environment);
}

template <typename F>
typename F::Bits nan_of(Environment& environment, bool invalid) {
  if (invalid) environment.flags |= kInvalid;
  return kCanonicalNan<F>;
}

template <typename... P>
bool any_nan(const P&... parts) {
  return (parts.is_nan() || ...);
}
template <typename... P>
bool any_signalling(const P&... parts) {
  return ((parts.kind == Kind::kSignallingNan) || ...);
}

template <typename F>
typename F::Bits add_parts(const Parts& a, const Parts& b, Environment& environment) {
  if (any_nan(a, b)) return nan_of<F>(environment, any_signalling(a, b));
  if (a.kind == Kind::kInfinite || b.kind == Kind::kInfinite) {
    if (a.kind == b.kind && a.negative != b.negative) return nan_of<F>(environment, true);
    return signed_bits<F>(a.kind == Kind::kInfinite ? a.negative : b.negative, kInfinity<F>);
  }
  if (a.kind == Kind::kZero && b.kind == Kind::kZero) {
    const bool negative = a.negative == b.negative ? a.negative : environment.rounding == Rounding::kDown;
    return signed_bits<F>(negative, 0);
  }
  if (a.kind == Kind::kZero) return round_and_pack<F>(b.negative, b.exponent, b.significand, environment);
  if (b.kind == Kind::kZero) return round_and_pack<F>(a.negative, a.exponent, a.significand, environment);
  return add_terms<F>(term_of(a), term_of(b), environment);
}

/// Product of two finite numbers, exact.
Term product(const Parts& a, const Parts& b) {
  uint128 significand = static_cast<uint128>(a.significand) * b.significand;
  int exponent = a.exponent + b.exponent;
  if ((significand >> 127) != 0) {
    significand >>= 1;  // 64 - 53 low bits of either factor are clear: nothing is lost
    ++exponent;
  }
  return {a.negative != b.negative, exponent, significand};
}

/// Floor of the square root, and whether it is exact.
uint64_t integer_square_root(uint128 radicand, bool& exact) {
  uint128 rest = 0;
  uint64_t root = 0;
  for (int i = 63; i >= 0; --i) {
    rest = rest << 2 | static_cast<uint64_t>(radicand >> 126);
    radicand <<= 2;
    const uint128 trial = (static_cast<uint128>(root) << 2) | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1;
    }
  }
  exact = rest == 0;
  return root;
}

/// The host's result may stand for ours when rounding is to nearest even, the inexact flag is set already, and the
/// result is normal: then no other flag can be due, and the host's format and rounding are the same.
template <typename F>
bool host_may(const Environment& environment) {
  static_assert(std::numeric_limits<typename F::Host>::is_iec559);
  return environment.rounding == Rounding::kNearestEven && (environment.flags & kInexact) != 0;
}
template <typename F>
bool is_safe(typename F::Host result) {
  return std::isfinite(result) && std::abs(result) > std::numeric_limits<typename F::Host>::min();
}
template <typename F>
typename F::Host host(typename F::Bits bits) {
  return std::bit_cast<typename F::Host>(bits);
}

}  // namespace

template <typename F>
typename F::Bits add(typename F::Bits a, typename F::Bits b, Environment& environment) {
  if (host_may<F>(environment)) {
    const auto result = host<F>(a) + host<F>(b);
    if (is_safe<F>(result)) return std::bit_cast<typename F::Bits>(result);
  }
  return add_parts<F>(unpack<F>(a), unpack<F>(b), environment);
}

template <typename F>
typename F::Bits subtract(typename F::Bits a, typename F::Bits b, Environment& environment) {
  return add<F>(a, b ^ kSignBit<F>, environment);
}

template <typename F>
typename F::Bits multiply(typename F::Bits a_bits, typename F::Bits b_bits, Environment& environment) {
  if (host_may<F>(environment)) {
    const auto result = host<F>(a_bits) * host<F>(b_bits);
    if (is_safe<F>(result)) return std::bit_cast<typename F::Bits>(result);
  }
  const Parts a = unpack<F>(a_bits);
  const Parts b = unpack<F>(b_bits);
  const bool negative = a.negative != b.negative;
  if (any_nan(a, b)) return nan_of<F>(environment, any_signalling(a, b));
  const bool zero = a.kind == Kind::kZero || b.kind == Kind::kZero;
  if (a.kind == Kind::kInfinite || b.kind == Kind::kInfinite) {
    return zero ? nan_of<F>(environment, true) : signed_bits<F>(negative, kInfinity<F>);
  }
  if (zero) return signed_bits<F>(negative, 0);
  const Term term = product(a, b);
  return normalize_and_pack<F>(negative, term.exponent, term.significand, environment);
}

template <typename F>
typename F::Bits divide(typename F::Bits a_bits, typename F::Bits b_bits, Environment& environment) {
  if (host_may<F>(environment)) {
    const auto result = host<F>(a_bits) / host<F>(b_bits);
    if (is_safe<F>(result)) return std::bit_cast<typename F::Bits>(result);
  }
  const Parts a = unpack<F>(a_bits);
  const Parts b = unpack<F>(b_bits);
  const bool negative = a.negative != b.negative;
  if (any_nan(a, b)) return nan_of<F>(environment, any_signalling(a, b));
  if (a.kind == b.kind && a.kind != Kind::kFinite) return nan_of<F>(environment, true);  // 0 / 0, infinity / infinity
  if (a.kind == Kind::kInfinite) return signed_bits<F>(negative, kInfinity<F>);
  if (a.kind == Kind::kZero || b.kind == Kind::kInfinite) return signed_bits<F>(negative, 0);
  if (b.kind == Kind::kZero) {
    environment.flags |= kDivideByZero;
    return signed_bits<F>(negative, kInfinity<F>);
  }
  const uint128 dividend = static_cast<uint128>(a.significand) << 63;
  const uint128 quotient = dividend / b.significand;
  const bool exact = quotient * b.significand == dividend;
  return normalize_and_pack<F>(negative, a.exponent - b.exponent, quotient << 63 | (exact ? 0 : 1), environment);
}

template <typename F>
typename F::Bits square_root(typename F::Bits bits, Environment& environment) {
  if (host_may<F>(environment)) {
    const auto result = std::sqrt(host<F>(bits));
    if (is_safe<F>(result)) return std::bit_cast<typename F::Bits>(result);
  }
  const Parts a = unpack<F>(bits);
  if (any_nan(a)) return nan_of<F>(environment, any_signalling(a));
  if (a.kind == Kind::kZero) return bits;
  if (a.negative) return nan_of<F>(environment, true);
  if (a.kind == Kind::kInfinite) return bits;
  const bool odd = (a.exponent & 1) != 0;
  bool exact = false;
  const uint64_t root = integer_square_root(static_cast<uint128>(a.significand) << (odd ? 64 : 63), exact);
  // The root's low bits lie below the rounding position, so that bit 0 may say that more follows.
  return round_and_pack<F>(false, (a.exponent - (odd ? 1 : 0)) / 2, root | (exact ? 0 : 1), environment);
}

template <typename F>
typename F::Bits multiply_add(typename F::Bits a_bits, typename F::Bits b_bits, typename F::Bits c_bits,
                              Environment& environment) {
  if (host_may<F>(environment)) {
    const auto result = std::fma(host<F>(a_bits), host<F>(b_bits), host<F>(c_bits));
    if (is_safe<F>(result)) return std::bit_cast<typename F::Bits>(result);
  }
  const Parts a = unpack<F>(a_bits);
  const Parts b = unpack<F>(b_bits);
  const Parts c = unpack<F>(c_bits);
  const bool zero = a.kind == Kind::kZero || b.kind == Kind::kZero;
  const bool infinite = a.kind == Kind::kInfinite || b.kind == Kind::kInfinite;
  const bool negative = a.negative != b.negative;
  if (any_nan(a, b)) return nan_of<F>(environment, any_signalling(a, b, c));
  if (zero && infinite) return nan_of<F>(environment, true);
  if (any_nan(c)) return nan_of<F>(environment, any_signalling(c));
  if (infinite || zero || c.kind == Kind::kInfinite) {
    Parts factor;
    factor.kind = infinite ? Kind::kInfinite : zero ? Kind::kZero : Kind::kFinite;
    factor.negative = negative;
    return add_parts<F>(factor, c, environment);
  }
  const Term term = product(a, b);
  if (c.kind == Kind::kZero) return normalize_and_pack<F>(negative, term.exponent, term.significand, environment);
  return add_terms<F>(term, term_of(c), environment);
}

namespace {

/// Order of two numbers that are no NaNs as the order of integers; the two zeros differ.
template <typename F>
std::make_signed_t<typename F::Bits> ordered(typename F::Bits bits) {
  using Signed = std::make_signed_t<typename F::Bits>;
  const auto value = static_cast<Signed>(bits);
  return value < 0 ? static_cast<Signed>(~bits | kSignBit<F>) : value;
}

/// Whether a comes before b where -0 comes before +0.
template <typename F>
bool before(typename F::Bits a, typename F::Bits b) {
  return ordered<F>(a) < ordered<F>(b);
}

template <typename F>
typename F::Bits pick(typename F::Bits a_bits, typename F::Bits b_bits, bool smaller, Environment& environment) {
  const Parts a = unpack<F>(a_bits);
  const Parts b = unpack<F>(b_bits);
  if (any_signalling(a, b)) environment.flags |= kInvalid;
  if (a.is_nan() && b.is_nan()) return kCanonicalNan<F>;
  if (a.is_nan()) return b_bits;
  if (b.is_nan()) return a_bits;
  return before<F>(a_bits, b_bits) == smaller ? a_bits : b_bits;
}

template <typename F>
bool both_zero(typename F::Bits a, typename F::Bits b) {
  return ((a | b) & ~kSignBit<F>) == 0;
}

/// Whether the operands can be compared; invalid if not.
template <typename F>
bool comparable(typename F::Bits a_bits, typename F::Bits b_bits, Environment& environment) {
  if (!any_nan(unpack<F>(a_bits), unpack<F>(b_bits))) return true;
  environment.flags |= kInvalid;
  return false;
}

}  // namespace

template <typename F>
typename F::Bits minimum(typename F::Bits a, typename F::Bits b, Environment& environment) {
  return pick<F>(a, b, true, environment);
}
template <typename F>
typename F::Bits maximum(typename F::Bits a, typename F::Bits b, Environment& environment) {
  return pick<F>(a, b, false, environment);
}

template <typename F>
bool equal(typename F::Bits a_bits, typename F::Bits b_bits, Environment& environment) {
  const Parts a = unpack<F>(a_bits);
  const Parts b = unpack<F>(b_bits);
  if (any_signalling(a, b)) environment.flags |= kInvalid;
  if (any_nan(a, b)) return false;
  return a_bits == b_bits || both_zero<F>(a_bits, b_bits);
}
template <typename F>
bool less(typename F::Bits a, typename F::Bits b, Environment& environment) {
  return comparable<F>(a, b, environment) && !both_zero<F>(a, b) && before<F>(a, b);
}
template <typename F>
bool less_or_equal(typename F::Bits a, typename F::Bits b, Environment& environment) {
  return comparable<F>(a, b, environment) && (both_zero<F>(a, b) || !before<F>(b, a));
}

template <typename F>
uint64_t classify(typename F::Bits bits) {
  const Parts a = unpack<F>(bits);
  switch (a.kind) {
    case Kind::kInfinite:
      return a.negative ? 1u << 0 : 1u << 7;
    case Kind::kFinite: {
      const bool subnormal = (bits & kInfinity<F>) == 0;
      return a.negative ? (subnormal ? 1u << 2 : 1u << 1) : (subnormal ? 1u << 5 : 1u << 6);
    }
    case Kind::kZero:
      return a.negative ? 1u << 3 : 1u << 4;
    case Kind::kSignallingNan:
      return 1u << 8;
    case Kind::kQuietNan:
      return 1u << 9;
  }
  return 0;
}

template <typename F, typename Integer>
Integer to_integer(typename F::Bits bits, Environment& environment) {
  using Limits = std::numeric_limits<Integer>;
  const Parts a = unpack<F>(bits);
  const auto saturated = [&environment](bool low) {
    environment.flags |= kInvalid;
    return low ? Limits::min() : Limits::max();
  };
  if (a.kind == Kind::kZero) return 0;
  if (a.kind != Kind::kFinite) return saturated(a.negative && a.kind == Kind::kInfinite);
  if (a.exponent > 63) return saturated(a.negative);

  // Fixed point with 64 fraction bits.
  const uint128 fixed =
      shift_right_jam(static_cast<uint128>(a.significand) << 64, static_cast<unsigned>(63 - a.exponent));
  const auto discarded = static_cast<uint64_t>(fixed);
  constexpr uint64_t kHalf = 1ull << 63;
  const int half = discarded > kHalf ? 1 : discarded == kHalf ? 0 : -1;
  uint128 magnitude = fixed >> 64;
  const bool odd = (magnitude & 1) != 0;
  if (rounds_up(environment.rounding, a.negative, odd, half, discarded == 0)) ++magnitude;

  const uint128 lowest = Limits::is_signed ? static_cast<uint128>(Limits::max()) + 1 : 0;
  if (magnitude > (a.negative ? lowest : static_cast<uint128>(Limits::max()))) return saturated(a.negative);
  if (discarded != 0) environment.flags |= kInexact;
  const auto value = static_cast<uint64_t>(magnitude);
  return static_cast<Integer>(a.negative ? 0 - value : value);
}

template <typename F, typename Integer>
typename F::Bits from_integer(Integer value, Environment& environment) {
  if (value == 0) return 0;
  const bool negative = value < 0;
  const auto wide = static_cast<uint64_t>(value);
  const uint64_t magnitude = negative ? 0 - wide : wide;
  const int zeros = std::countl_zero(magnitude);
  return round_and_pack<F>(negative, 63 - zeros, magnitude << zeros, environment);
}

namespace {

template <typename To>
typename To::Bits convert(const Parts& a, Environment& environment) {
  switch (a.kind) {
    case Kind::kZero:
      return signed_bits<To>(a.negative, 0);
    case Kind::kInfinite:
      return signed_bits<To>(a.negative, kInfinity<To>);
    case Kind::kFinite:
      return round_and_pack<To>(a.negative, a.exponent, a.significand, environment);
    default:
      return nan_of<To>(environment, any_signalling(a));
  }
}

}  // namespace

Double::Bits widen(Single::Bits a, Environment& environment) {
  return convert<Double>(unpack<Single>(a), environment);
}
Single::Bits narrow(Double::Bits a, Environment& environment) {
  return convert<Single>(unpack<Double>(a), environment);
}

#define NPUVP_INSTANTIATE_INTEGER(F, Integer)                     \
  template Integer to_integer<F, Integer>(F::Bits, Environment&); \
  template F::Bits from_integer<F, Integer>(Integer, Environment&);
#define NPUVP_INSTANTIATE(F)                                                 \
  template F::Bits add<F>(F::Bits, F::Bits, Environment&);                   \
  template F::Bits subtract<F>(F::Bits, F::Bits, Environment&);              \
  template F::Bits multiply<F>(F::Bits, F::Bits, Environment&);              \
  template F::Bits divide<F>(F::Bits, F::Bits, Environment&);                \
  template F::Bits square_root<F>(F::Bits, Environment&);                    \
  template F::Bits multiply_add<F>(F::Bits, F::Bits, F::Bits, Environment&); \
  template F::Bits minimum<F>(F::Bits, F::Bits, Environment&);               \
  template F::Bits maximum<F>(F::Bits, F::Bits, Environment&);               \
  template bool equal<F>(F::Bits, F::Bits, Environment&);                    \
  template bool less<F>(F::Bits, F::Bits, Environment&);                     \
  template bool less_or_equal<F>(F::Bits, F::Bits, Environment&);            \
  template uint64_t classify<F>(F::Bits);                                    \
  NPUVP_INSTANTIATE_INTEGER(F, int32_t)                                      \
  NPUVP_INSTANTIATE_INTEGER(F, uint32_t)                                     \
  NPUVP_INSTANTIATE_INTEGER(F, int64_t)                                      \
  NPUVP_INSTANTIATE_INTEGER(F, uint64_t)
NPUVP_INSTANTIATE(Single)
NPUVP_INSTANTIATE(Double)

}  // namespace npuvp::riscv::fp

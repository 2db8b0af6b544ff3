// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// IEEE 754-2019 binary arithmetic in integers, with the choices RISC-V makes (Unprivileged ISA, chapters "F" and "D"):
/// every NaN result is the canonical quiet NaN, tininess is detected after rounding, conversions saturate. Nothing
/// depends on the host's floating-point unit, its modes or the compiler's options.
namespace npuvp::riscv::fp {

/// Encodings of the rm field and of frm; 5 and 6 are reserved.
enum class Rounding : uint8_t { kNearestEven = 0, kTowardZero = 1, kDown = 2, kUp = 3, kNearestMaxMagnitude = 4 };

/// Bits of fflags.
enum Flag : uint8_t { kInexact = 1, kUnderflow = 2, kOverflow = 4, kDivideByZero = 8, kInvalid = 16 };

/// What an operation is given besides its operands, and what it leaves: flags are only ever set.
struct Environment {
  Rounding rounding = Rounding::kNearestEven;
  uint8_t flags = 0;
};

/// A binary interchange format; `Bits` is its encoding.
struct Single {
  using Bits = uint32_t;
  using Host = float;
  static constexpr unsigned kPrecision = 24;  ///< Significant bits, the implied one included.
  static constexpr unsigned kExponentBits = 8;
};
struct Double {
  using Bits = uint64_t;
  using Host = double;
  static constexpr unsigned kPrecision = 53;
  static constexpr unsigned kExponentBits = 11;
};

template <typename F>
inline constexpr typename F::Bits kSignBit = typename F::Bits{1} << (8 * sizeof(typename F::Bits) - 1);
template <typename F>
inline constexpr typename F::Bits kInfinity = ((typename F::Bits{1} << F::kExponentBits) - 1) << (F::kPrecision - 1);
template <typename F>
inline constexpr typename F::Bits kCanonicalNan = kInfinity<F> | (typename F::Bits{1} << (F::kPrecision - 2));

// Instantiated for Single and Double.
template <typename F>
[[nodiscard]] typename F::Bits add(typename F::Bits a, typename F::Bits b, Environment& environment);
template <typename F>
[[nodiscard]] typename F::Bits subtract(typename F::Bits a, typename F::Bits b, Environment& environment);
template <typename F>
[[nodiscard]] typename F::Bits multiply(typename F::Bits a, typename F::Bits b, Environment& environment);
template <typename F>
[[nodiscard]] typename F::Bits divide(typename F::Bits a, typename F::Bits b, Environment& environment);
template <typename F>
[[nodiscard]] typename F::Bits square_root(typename F::Bits a, Environment& environment);
/// a * b + c, rounded once. Infinity times zero is invalid whatever `c` is.
template <typename F>
[[nodiscard]] typename F::Bits multiply_add(typename F::Bits a, typename F::Bits b, typename F::Bits c,
                                            Environment& environment);

/// IEEE 754-2019 minimumNumber and maximumNumber: -0 is less than +0, a NaN gives the other operand.
template <typename F>
[[nodiscard]] typename F::Bits minimum(typename F::Bits a, typename F::Bits b, Environment& environment);
template <typename F>
[[nodiscard]] typename F::Bits maximum(typename F::Bits a, typename F::Bits b, Environment& environment);

/// Quiet: invalid only for signalling NaNs.
template <typename F>
[[nodiscard]] bool equal(typename F::Bits a, typename F::Bits b, Environment& environment);
/// Signalling: invalid for every NaN, as for less_or_equal().
template <typename F>
[[nodiscard]] bool less(typename F::Bits a, typename F::Bits b, Environment& environment);
template <typename F>
[[nodiscard]] bool less_or_equal(typename F::Bits a, typename F::Bits b, Environment& environment);

/// The one-hot class of FCLASS (table "Format of result of FCLASS instruction").
template <typename F>
[[nodiscard]] uint64_t classify(typename F::Bits a);

/// To an integer of `Integer`'s range (int32_t, uint32_t, int64_t, uint64_t). What does not fit, NaN as +infinity,
/// saturates and is invalid.
template <typename F, typename Integer>
[[nodiscard]] Integer to_integer(typename F::Bits a, Environment& environment);
/// From an integer (int32_t, uint32_t, int64_t, uint64_t).
template <typename F, typename Integer>
[[nodiscard]] typename F::Bits from_integer(Integer value, Environment& environment);

[[nodiscard]] Double::Bits widen(Single::Bits a, Environment& environment);
[[nodiscard]] Single::Bits narrow(Double::Bits a, Environment& environment);

}  // namespace npuvp::riscv::fp

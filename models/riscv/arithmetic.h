// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

/// Integer arithmetic of RV64IM and Zbb where C++ leaves the result undefined or has no operator (Unprivileged ISA,
/// chapters "RV64I", "M" and "B").
namespace npuvp::riscv {

__extension__ using uint128 = unsigned __int128;
__extension__ using int128 = __int128;

[[nodiscard]] constexpr uint64_t as_unsigned(int64_t value) {
  return static_cast<uint64_t>(value);
}
[[nodiscard]] constexpr int64_t as_signed(uint64_t value) {
  return static_cast<int64_t>(value);
}

/// The low 32 bits, sign-extended: the result of every *W instruction.
[[nodiscard]] constexpr uint64_t word(uint64_t value) {
  return as_unsigned(static_cast<int32_t>(static_cast<uint32_t>(value)));
}

[[nodiscard]] constexpr uint64_t shift_left(uint64_t a, uint64_t b) {
  return a << (b & 63);
}
[[nodiscard]] constexpr uint64_t shift_right(uint64_t a, uint64_t b) {
  return a >> (b & 63);
}
[[nodiscard]] constexpr uint64_t shift_right_signed(uint64_t a, uint64_t b) {
  return as_unsigned(as_signed(a) >> (b & 63));
}
[[nodiscard]] constexpr uint64_t shift_left_word(uint64_t a, uint64_t b) {
  return word(a << (b & 31));
}
[[nodiscard]] constexpr uint64_t shift_right_word(uint64_t a, uint64_t b) {
  return word(static_cast<uint32_t>(a) >> (b & 31));
}
[[nodiscard]] constexpr uint64_t shift_right_signed_word(uint64_t a, uint64_t b) {
  return as_unsigned(static_cast<int32_t>(static_cast<uint32_t>(a)) >> (b & 31));
}

[[nodiscard]] constexpr uint64_t multiply_high(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<int128>(as_signed(a)) * as_signed(b)) >> 64);
}
[[nodiscard]] constexpr uint64_t multiply_high_unsigned(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<uint128>(a) * b) >> 64);
}
/// `a` signed, `b` unsigned.
[[nodiscard]] constexpr uint64_t multiply_high_mixed(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<int128>(as_signed(a)) * static_cast<int128>(b)) >> 64);
}

/// Division by zero gives all ones (remainder: the dividend); the overflow of the most negative number by -1 gives it
/// back (remainder: 0).
template <typename Signed>
[[nodiscard]] constexpr uint64_t divide(uint64_t a, uint64_t b) {
  const auto dividend = static_cast<Signed>(a);
  const auto divisor = static_cast<Signed>(b);
  if (divisor == 0) return ~0ull;
  if (dividend == std::numeric_limits<Signed>::min() && divisor == -1) return as_unsigned(dividend);
  return as_unsigned(dividend / divisor);
}
template <typename Signed>
[[nodiscard]] constexpr uint64_t remainder(uint64_t a, uint64_t b) {
  const auto dividend = static_cast<Signed>(a);
  const auto divisor = static_cast<Signed>(b);
  if (divisor == 0) return as_unsigned(dividend);
  if (dividend == std::numeric_limits<Signed>::min() && divisor == -1) return 0;
  return as_unsigned(dividend % divisor);
}
template <typename Unsigned>
[[nodiscard]] constexpr uint64_t divide_unsigned(uint64_t a, uint64_t b) {
  const auto divisor = static_cast<Unsigned>(b);
  return divisor == 0 ? ~0ull : static_cast<uint64_t>(static_cast<Unsigned>(a) / divisor);
}
template <typename Unsigned>
[[nodiscard]] constexpr uint64_t remainder_unsigned(uint64_t a, uint64_t b) {
  const auto divisor = static_cast<Unsigned>(b);
  return divisor == 0 ? static_cast<uint64_t>(static_cast<Unsigned>(a))
                      : static_cast<uint64_t>(static_cast<Unsigned>(a) % divisor);
}

[[nodiscard]] constexpr uint64_t low_word(uint64_t value) {
  return static_cast<uint32_t>(value);
}
[[nodiscard]] constexpr uint64_t rotate_right(uint64_t a, uint64_t b) {
  return std::rotr(a, static_cast<int>(b & 63));
}
[[nodiscard]] constexpr uint64_t rotate_right_word(uint64_t a, uint64_t b) {
  return word(std::rotr(static_cast<uint32_t>(a), static_cast<int>(b & 31)));
}
/// ORC.B: each byte that is not zero becomes 0xff.
[[nodiscard]] constexpr uint64_t or_combine_bytes(uint64_t value) {
  constexpr uint64_t kLowBits = 0x7f7f7f7f7f7f7f7f;
  const uint64_t high_bits = (((value & kLowBits) + kLowBits) | value) & ~kLowBits;  // bit 7 of each such byte
  return (high_bits >> 7) * 0xff;
}

}  // namespace npuvp::riscv

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Single error correction, double error detection over 64 bits with 8 check bits: Hsiao's odd-weight-column code
/// (M. Y. Hsiao, "A Class of Optimal Minimum Odd-weight-column SEC-DED Codes", IBM J. Res. Dev. 14, 1970).
namespace npuvp::base::secded {

constexpr unsigned kDataBits = 64;
constexpr unsigned kCodeBits = 72;

enum class Outcome : uint8_t { kClean, kCorrected, kUncorrectable };

struct Decoded {
  uint64_t data;  ///< Corrected if that was possible, else as read.
  Outcome outcome;
};

[[nodiscard]] uint8_t check_bits(uint64_t data);
[[nodiscard]] Decoded decode(uint64_t data, uint8_t check);

}  // namespace npuvp::base::secded

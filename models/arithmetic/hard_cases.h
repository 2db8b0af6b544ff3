// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace npuvp::arithmetic {

/// An FP32 input whose result lies so near to the middle of two FP32 numbers that functions.h rounds to the wrong one.
struct HardCase {
  uint32_t input;
  uint32_t result;
};

// All of them: tests/models/arithmetic/hard_cases.cpp tries all 2^32 inputs of each function against MPFR.
inline constexpr std::span<const HardCase> kHardExp{};
inline constexpr HardCase kHardLog[] = {{0x3c413d3au, 0xc08e158fu},
                                        {0x41178febu, 0x400fe5e7u},
                                        {0x4c5d65a5u, 0x418f034bu},
                                        {0x65d890d3u, 0x4254d1f9u},
                                        {0x6f31a8ecu, 0x42845a89u}};
inline constexpr HardCase kHardSigmoid[] = {{0xba928601u, 0x3effdb5fu}};
inline constexpr std::span<const HardCase> kHardSilu{};
inline constexpr std::span<const HardCase> kHardTanh{};
inline constexpr std::span<const HardCase> kHardErf{};
inline constexpr HardCase kHardGelu[] = {{0x37b0a46fu, 0x3730a531u}};
inline constexpr HardCase kHardGeluTanh[] = {{0xb7b0a46fu, 0xb730a3adu}};

}  // namespace npuvp::arithmetic

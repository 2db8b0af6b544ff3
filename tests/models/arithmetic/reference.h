// SPDX-License-Identifier: Apache-2.0
// models/arithmetic/README.md once more, element by element, without speed and without a line of the models' code: the
// compiler's _Float16 converts, std::fma multiplies, long double and 64-bit integers round and saturate.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "firmware/abi/command.h"

namespace npuvp::test {

using Bytes = std::vector<uint8_t>;

template <class T>
T get(const Bytes& memory, size_t offset) {
  T value;
  std::memcpy(&value, memory.data() + offset, sizeof(T));
  return value;
}

template <class T>
void put(Bytes& memory, size_t offset, T value) {
  std::memcpy(memory.data() + offset, &value, sizeof(T));
}

inline size_t bytes_of(unsigned type) {
  return type == NPU_TYPE_INT8 ? 1 : type == NPU_TYPE_FP16 ? 2 : 4;
}

/// Bit pattern of a float result with NaN made canonical.
inline uint32_t float_bits(float value) {
  return std::isnan(value) ? 0x7fc00000u : std::bit_cast<uint32_t>(value);
}
inline uint16_t half_bits(float value) {
  return std::isnan(value) ? uint16_t{0x7e00} : std::bit_cast<uint16_t>(static_cast<_Float16>(value));
}

inline void reference_gemm(Bytes& memory, const npu_gemm& g) {
  for (size_t m = 0; m < g.m; ++m) {
    for (size_t n = 0; n < g.n; ++n) {
      const size_t c = g.c + m * g.c_stride + n * 4;
      if (g.type == NPU_TYPE_INT8) {
        int64_t sum = g.accumulate != 0 ? get<int32_t>(memory, c) : 0;
        for (size_t k = 0; k < g.k; ++k) {
          sum += int64_t{get<int8_t>(memory, g.a + m * g.a_stride + k)} * get<int8_t>(memory, g.b + k * g.b_stride + n);
        }
        put(memory, c, static_cast<uint32_t>(sum & 0xffffffff));
      } else {
        float sum = g.accumulate != 0 ? get<float>(memory, c) : 0.0F;
        for (size_t k = 0; k < g.k; ++k) {
          sum = std::fma(static_cast<float>(get<_Float16>(memory, g.a + m * g.a_stride + 2 * k)),
                         static_cast<float>(get<_Float16>(memory, g.b + k * g.b_stride + 2 * n)), sum);
        }
        put(memory, c, float_bits(sum));
      }
    }
  }
}

/// Round to nearest even and saturate to [low, high].
inline int64_t reference_round(float value, int64_t low, int64_t high) {
  if (std::isnan(value)) return 0;
  if (std::isinf(value)) return value > 0 ? high : low;
  const long double nearest = std::nearbyint(static_cast<long double>(value));
  if (nearest > static_cast<long double>(high)) return high;
  if (nearest < static_cast<long double>(low)) return low;
  return static_cast<int64_t>(nearest);
}

inline void reference_store(Bytes& memory, size_t at, unsigned type, float value) {
  switch (type) {
    case NPU_TYPE_INT8:
      return put(memory, at, static_cast<int8_t>(reference_round(value, -128, 127)));
    case NPU_TYPE_INT32:
      return put(memory, at, static_cast<int32_t>(reference_round(value, INT32_MIN, INT32_MAX)));
    case NPU_TYPE_FP16:
      return put(memory, at, half_bits(value));
    default:
      return put(memory, at, float_bits(value));
  }
}

inline void reference_vector(Bytes& memory, const npu_vector& v) {
  for (size_t m = 0; m < v.m; ++m) {
    for (size_t n = 0; n < v.n; ++n) {
      const size_t in = v.in + m * v.in_stride + n * bytes_of(v.in_type);
      const size_t out = v.out + m * v.out_stride + n * bytes_of(v.out_type);
      const float scale = (v.flags & NPU_VECTOR_SCALE) != 0 ? get<float>(memory, v.scale + 4 * n) : 1.0F;
      if (v.in_type == NPU_TYPE_INT8 || v.in_type == NPU_TYPE_INT32) {
        int64_t x = v.in_type == NPU_TYPE_INT8 ? int64_t{get<int8_t>(memory, in)} : get<int32_t>(memory, in);
        if ((v.flags & NPU_VECTOR_BIAS) != 0) {
          x = std::clamp<int64_t>(x + get<int32_t>(memory, v.bias + 4 * n), INT32_MIN, INT32_MAX);
        }
        if ((v.flags & NPU_VECTOR_RELU) != 0 && x < 0) x = 0;
        if ((v.flags & NPU_VECTOR_SCALE) != 0) {
          const auto rounded = static_cast<float>(x);
          reference_store(memory, out, v.out_type, rounded * scale);
        } else if (v.out_type == NPU_TYPE_INT8) {
          put(memory, out, static_cast<int8_t>(std::clamp<int64_t>(x, -128, 127)));
        } else if (v.out_type == NPU_TYPE_INT32) {
          put(memory, out, static_cast<int32_t>(x));
        } else {
          reference_store(memory, out, v.out_type, static_cast<float>(x));
        }
      } else {
        float x = v.in_type == NPU_TYPE_FP16 ? static_cast<float>(get<_Float16>(memory, in)) : get<float>(memory, in);
        if ((v.flags & NPU_VECTOR_BIAS) != 0) x = x + get<float>(memory, v.bias + 4 * n);
        if ((v.flags & NPU_VECTOR_RELU) != 0 && !std::isnan(x)) x = x > 0 ? x : 0.0F;
        if ((v.flags & NPU_VECTOR_SCALE) != 0) x = x * scale;
        reference_store(memory, out, v.out_type, x);
      }
    }
  }
}

}  // namespace npuvp::test

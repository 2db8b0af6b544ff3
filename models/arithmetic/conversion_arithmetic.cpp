// SPDX-License-Identifier: Apache-2.0
// Compiled once per instruction set by Highway; the compiler vectorises the loops for each.
#include <cstring>

#include "models/arithmetic/blocks.h"
#include "models/arithmetic/formats.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/arithmetic/conversion_arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace npuvp::arithmetic::HWY_NAMESPACE {
namespace {

template <class T>
HWY_INLINE T element(const uint8_t* row, size_t index) {
  T value;
  std::memcpy(&value, row + index * sizeof(T), sizeof(T));
  return value;
}

template <class Stored, class Out, class Widen>
HWY_INLINE void widen(const uint8_t* row, size_t first, size_t count, Out* out, Widen widened) {
  const uint8_t* begin = row + first * sizeof(Stored);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<Out>(widened(element<Stored>(begin, i)));
}

template <class Out>
HWY_INLINE void widen_int4(const uint8_t* row, size_t first, size_t count, Out* out) {
  const uint8_t* begin = row + first / 2;
  for (size_t i = 0; i < count / 2; ++i) {
    out[2 * i] = static_cast<Out>(int4_to_int32(begin[i], false));
    out[2 * i + 1] = static_cast<Out>(int4_to_int32(begin[i], true));
  }
  if (count % 2 != 0) out[count - 1] = static_cast<Out>(int4_to_int32(begin[count / 2], false));
}

template <class Out>
HWY_INLINE bool load_integers(npu_type type, const uint8_t* row, size_t first, size_t count, Out* out) {
  switch (type) {
    case NPU_TYPE_INT8:
      widen<int8_t>(row, first, count, out, [](int8_t value) { return value; });
      return true;
    case NPU_TYPE_INT32:
      widen<int32_t>(row, first, count, out, [](int32_t value) { return value; });
      return true;
    case NPU_TYPE_INT4:
      widen_int4(row, first, count, out);
      return true;
    default:
      return false;
  }
}

void load_int32(npu_type type, const uint8_t* row, size_t first, size_t count, int32_t* out) {
  load_integers(type, row, first, count, out);
}

void load_fp32(npu_type type, const uint8_t* row, size_t first, size_t count, float* out) {
  if (load_integers(type, row, first, count, out)) return;
  switch (type) {
    case NPU_TYPE_FP16:
      return widen<uint16_t>(row, first, count, out, [](uint16_t bits) { return fp16_to_fp32(bits); });
    case NPU_TYPE_BF16:
      return widen<uint16_t>(row, first, count, out, [](uint16_t bits) { return bf16_to_fp32(bits); });
    case NPU_TYPE_FP8_E4M3:
      return widen<uint8_t>(row, first, count, out, [](uint8_t bits) { return fp8_e4m3_to_fp32(bits); });
    case NPU_TYPE_FP8_E5M2:
      return widen<uint8_t>(row, first, count, out, [](uint8_t bits) { return fp16_to_fp32(fp8_e5m2_to_fp16(bits)); });
    default:
      return widen<float>(row, first, count, out, [](float value) { return value; });
  }
}

template <class Stored, class In, class Convert>
HWY_INLINE void store_each(const In* in, size_t first, size_t count, uint8_t* row, Convert convert) {
  uint8_t* begin = row + first * sizeof(Stored);
  for (size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Stored>(convert(in[i]));
    std::memcpy(begin + i * sizeof(Stored), &value, sizeof(Stored));
  }
}

template <class In, class Convert>
HWY_INLINE void store_int4(const In* in, size_t first, size_t count, uint8_t* row, Convert convert) {
  uint8_t* begin = row + first / 2;
  const auto bits = [&](size_t i) { return static_cast<uint32_t>(convert(in[i])) & 15u; };
  for (size_t i = 0; i < count / 2; ++i) begin[i] = static_cast<uint8_t>(bits(2 * i) | (bits(2 * i + 1) << 4));
  if (count % 2 != 0) {
    uint8_t& last = begin[count / 2];
    last = static_cast<uint8_t>((last & 0xf0u) | bits(count - 1));
  }
}

// The usual rounding has loops of its own; the others share one that chooses per element.
template <FloatFormat kFormat, class Stored>
HWY_INLINE void store_narrow(const npu_result& result, const float* in, size_t first, size_t count, uint8_t* row) {
  const auto rounding = static_cast<npu_rounding>(result.rounding);
  const auto saturation = static_cast<npu_saturation>(result.saturation);
  if (rounding == NPU_ROUND_NEAREST_EVEN) {
    const bool finite = saturation == NPU_SATURATE_ALL;
    store_each<Stored>(in, first, count, row, [finite](float value) {
      return narrow(kFormat, value, NPU_ROUND_NEAREST_EVEN, finite ? NPU_SATURATE_ALL : NPU_SATURATE_INTEGERS);
    });
  } else {
    store_each<Stored>(in, first, count, row,
                       [=](float value) { return narrow(kFormat, value, rounding, saturation); });
  }
}

template <class Convert>
HWY_INLINE void store_integers(npu_type type, const float* in, size_t first, size_t count, uint8_t* row,
                               Convert convert) {
  if (type == NPU_TYPE_INT8) {
    store_each<int8_t>(in, first, count, row, [=](float value) { return convert(value, 8); });
  } else if (type == NPU_TYPE_INT4) {
    store_int4(in, first, count, row, [=](float value) { return convert(value, 4); });
  } else {
    store_each<int32_t>(in, first, count, row, [=](float value) { return convert(value, 32); });
  }
}

void store_fp32(const npu_result& result, const float* in, size_t first, size_t count, uint8_t* row) {
  const auto type = static_cast<npu_type>(result.type);
  const auto rounding = static_cast<npu_rounding>(result.rounding);
  const auto saturation = static_cast<npu_saturation>(result.saturation);
  switch (type) {
    case NPU_TYPE_FP16:
      return store_narrow<kFp16, uint16_t>(result, in, first, count, row);
    case NPU_TYPE_BF16:
      return store_narrow<kBf16, uint16_t>(result, in, first, count, row);
    case NPU_TYPE_FP8_E4M3:
      return store_narrow<kFp8E4m3, uint8_t>(result, in, first, count, row);
    case NPU_TYPE_FP8_E5M2:
      return store_narrow<kFp8E5m2, uint8_t>(result, in, first, count, row);
    case NPU_TYPE_FP32:
      if (saturation == NPU_SATURATE_ALL) {
        return store_each<float>(in, first, count, row, [](float value) {
          constexpr float kLargest = std::numeric_limits<float>::max();
          return canonical(value > kLargest ? kLargest : value < -kLargest ? -kLargest : value);
        });
      }
      return store_each<float>(in, first, count, row, [](float value) { return canonical(value); });
    default:
      break;
  }
  if (rounding == NPU_ROUND_NEAREST_EVEN && saturation != NPU_SATURATE_NONE) {
    store_integers(type, in, first, count, row, [](float value, int bits) {
      return to_integer(value, bits, NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS);
    });
  } else {
    store_integers(type, in, first, count, row,
                   [=](float value, int bits) { return to_integer(value, bits, rounding, saturation); });
  }
}

/// Integer types only: others go through FP32.
void store_int32(const npu_result& result, const int32_t* in, size_t first, size_t count, uint8_t* row) {
  const auto saturation = static_cast<npu_saturation>(result.saturation);
  if (result.type == NPU_TYPE_INT8) {
    store_each<int8_t>(in, first, count, row, [=](int32_t value) { return to_integer(value, 8, saturation); });
  } else if (result.type == NPU_TYPE_INT4) {
    store_int4(in, first, count, row, [=](int32_t value) { return to_integer(value, 4, saturation); });
  } else {
    std::memcpy(row + first * 4, in, count * 4);
  }
}

}  // namespace
}  // namespace npuvp::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npuvp::arithmetic {
namespace {
HWY_EXPORT(load_fp32);
HWY_EXPORT(load_int32);
HWY_EXPORT(store_fp32);
HWY_EXPORT(store_int32);
}  // namespace

void load_block(npu_type type, const uint8_t* row, size_t first, size_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(load_fp32)(type, row, first, count, out);
}
void load_block(npu_type type, const uint8_t* row, size_t first, size_t count, int32_t* out) {
  HWY_DYNAMIC_DISPATCH(load_int32)(type, row, first, count, out);
}
void store_block(const npu_result& result, const float* in, size_t first, size_t count, uint8_t* row) {
  HWY_DYNAMIC_DISPATCH(store_fp32)(result, in, first, count, row);
}
void store_block(const npu_result& result, const int32_t* in, size_t first, size_t count, uint8_t* row) {
  if (is_integer(result.type)) return HWY_DYNAMIC_DISPATCH(store_int32)(result, in, first, count, row);
  float widened[kBlock];
  for (size_t done = 0; done < count; done += kBlock) {
    const size_t part = std::min(kBlock, count - done);
    for (size_t i = 0; i < part; ++i) widened[i] = static_cast<float>(in[done + i]);
    HWY_DYNAMIC_DISPATCH(store_fp32)(result, widened, first + done, part, row);
  }
}

}  // namespace npuvp::arithmetic
#endif

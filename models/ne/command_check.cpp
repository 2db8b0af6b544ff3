// SPDX-License-Identifier: Apache-2.0
#include "models/ne/command_check.h"

#include <algorithm>
#include <span>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::ne {
namespace {

constexpr uint32_t kLargestDimension = 65535;

CommandCheck illegal(const char* reason) {
  return {{NPU_FAULT_ILLEGAL_COMMAND, 0}, reason};
}

bool is_dimension(uint32_t value) {
  return value >= 1 && value <= kLargestDimension;
}

bool all_zero(std::span<const uint32_t> words) {
  return std::all_of(words.begin(), words.end(), [](uint32_t word) { return word == 0; });
}

/// Bytes from the first to the last of an operand. At most 2^32 + 2 * 2^16 * 2^32 + 2^18: no overflow in 64 bits.
struct Extent {
  uint64_t begin;
  uint64_t bytes;

  Extent(uint32_t offset, uint32_t rows, uint32_t stride, uint64_t row_bytes)
      : begin(offset), bytes(uint64_t{rows - 1} * stride + row_bytes) {}

  [[nodiscard]] bool inside(uint64_t size) const { return begin + bytes <= size; }
  [[nodiscard]] bool overlaps(const Extent& other) const {
    return begin < other.begin + other.bytes && other.begin < begin + bytes;
  }
  [[nodiscard]] CommandCheck outside(const char* reason) const {
    return {{NPU_FAULT_ADDRESS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, begin)}, reason};
  }
};

}  // namespace

CommandCheck check_gemm(const npu_gemm& gemm, uint64_t scratchpad_bytes, const base::TensorCoreIdentification& core) {
  constexpr unsigned kFlags = NPU_GEMM_TRANSPOSE_A | NPU_GEMM_TRANSPOSE_B;
  const bool plain_type = gemm.type == NPU_TYPE_INT8 || (gemm.type == NPU_TYPE_FP16 && core.fp16);
  if (arithmetic::row_bytes(gemm.type, 1) == 0 || gemm.type == NPU_TYPE_INT32 || gemm.type == NPU_TYPE_FP32) {
    return illegal("the tensor unit has no such type");
  }
  if (!plain_type && !core.extended) return illegal("the tensor core does not support the type");
  if (gemm.accumulate > 1) return illegal("accumulate is neither 0 nor 1");
  if ((gemm.flags & ~kFlags) != 0) return illegal("unknown flags");
  if (!all_zero(gemm.reserved)) return illegal("reserved fields of GEMM are not 0");
  const uint64_t batch = std::max(gemm.batch, 1u);
  if (!core.extended && (gemm.flags != 0 || batch > 1)) return illegal("the tensor core does plain GEMM only");
  if (batch > kLargestDimension) return illegal("batch more than 65535");
  if (!is_dimension(gemm.m) || !is_dimension(gemm.n) || !is_dimension(gemm.k)) return illegal("m, n or k not 1..65535");
  if (((gemm.a | gemm.a_stride | gemm.a_batch_stride) & 15u) != 0) return illegal("A is not aligned to 16 bytes");
  if (((gemm.b | gemm.b_stride | gemm.b_batch_stride) & 15u) != 0) return illegal("B is not aligned to 16 bytes");
  if (((gemm.c | gemm.c_stride | gemm.c_batch_stride) & 63u) != 0) return illegal("C is not aligned to 64 bytes");

  const bool a_transposed = (gemm.flags & NPU_GEMM_TRANSPOSE_A) != 0;
  const bool b_transposed = (gemm.flags & NPU_GEMM_TRANSPOSE_B) != 0;
  const uint64_t c_row_bytes = uint64_t{gemm.n} * 4;
  const auto extent = [&](uint32_t offset, uint32_t rows, uint32_t stride, uint64_t row_bytes, uint32_t batch_stride) {
    return Extent(offset, rows, stride, row_bytes + (batch - 1) * batch_stride);
  };
  const Extent a = extent(gemm.a, a_transposed ? gemm.k : gemm.m, gemm.a_stride,
                          arithmetic::row_bytes(gemm.type, a_transposed ? gemm.m : gemm.k), gemm.a_batch_stride);
  const Extent b = extent(gemm.b, b_transposed ? gemm.n : gemm.k, gemm.b_stride,
                          arithmetic::row_bytes(gemm.type, b_transposed ? gemm.k : gemm.n), gemm.b_batch_stride);
  const Extent c = extent(gemm.c, gemm.m, gemm.c_stride, c_row_bytes, gemm.c_batch_stride);
  if (!a.inside(scratchpad_bytes)) return a.outside("A exceeds the scratchpad");
  if (!b.inside(scratchpad_bytes)) return b.outside("B exceeds the scratchpad");
  if (!c.inside(scratchpad_bytes)) return c.outside("C exceeds the scratchpad");
  if (gemm.m > 1 && gemm.c_stride < c_row_bytes) return illegal("rows of C overlap");
  if (batch > 1 && gemm.c_batch_stride < Extent(gemm.c, gemm.m, gemm.c_stride, c_row_bytes).bytes) {
    return illegal("matrices of C overlap");
  }
  if (c.overlaps(a)) return illegal("C overlaps A");
  if (c.overlaps(b)) return illegal("C overlaps B");
  return {};
}

CommandCheck check_vector(const npu_vector& vector, uint64_t scratchpad_bytes) {
  constexpr unsigned kFlags = NPU_VECTOR_BIAS | NPU_VECTOR_RELU | NPU_VECTOR_SCALE;
  constexpr uint32_t kParameterBytes = 4;  // of an element of bias or scale
  const uint32_t in_element = arithmetic::element_bytes(vector.in_type);
  const uint32_t out_element = arithmetic::element_bytes(vector.out_type);
  if (in_element == 0 || out_element == 0) return illegal("unknown element type");
  if ((vector.flags & ~kFlags) != 0) return illegal("unknown flags");
  if (vector.reserved0 != 0 || !all_zero(vector.reserved)) return illegal("reserved fields of VECTOR are not 0");
  if (!is_dimension(vector.m) || !is_dimension(vector.n)) return illegal("m or n not 1..65535");
  if (((vector.in | vector.in_stride) & (in_element - 1)) != 0) return illegal("IN is not aligned to its elements");
  if (((vector.out | vector.out_stride) & (out_element - 1)) != 0) return illegal("OUT is not aligned to its elements");

  const uint64_t out_row_bytes = uint64_t{vector.n} * out_element;
  const Extent in(vector.in, vector.m, vector.in_stride, uint64_t{vector.n} * in_element);
  const Extent out(vector.out, vector.m, vector.out_stride, out_row_bytes);
  if (!in.inside(scratchpad_bytes)) return in.outside("IN exceeds the scratchpad");
  if (!out.inside(scratchpad_bytes)) return out.outside("OUT exceeds the scratchpad");
  if (vector.m > 1 && vector.out_stride < out_row_bytes) return illegal("rows of OUT overlap");
  const bool in_place =
      vector.in == vector.out && in_element == out_element && (vector.m == 1 || vector.in_stride == vector.out_stride);
  if (out.overlaps(in) && !in_place) return illegal("OUT overlaps IN without being the same matrix");

  const auto check_parameter = [&](uint32_t offset, const char* misaligned, const char* outside,
                                   const char* overlap) -> CommandCheck {
    const Extent parameter(offset, 1, 0, uint64_t{vector.n} * kParameterBytes);
    if (offset % kParameterBytes != 0) return illegal(misaligned);
    if (!parameter.inside(scratchpad_bytes)) return parameter.outside(outside);
    if (out.overlaps(parameter)) return illegal(overlap);
    return {};
  };
  if ((vector.flags & NPU_VECTOR_BIAS) != 0) {
    const CommandCheck check = check_parameter(vector.bias, "bias is not aligned to 4 bytes",
                                               "bias exceeds the scratchpad", "OUT overlaps bias");
    if (!check.ok()) return check;
  }
  if ((vector.flags & NPU_VECTOR_SCALE) != 0) {
    return check_parameter(vector.scale, "scale is not aligned to 4 bytes", "scale exceeds the scratchpad",
                           "OUT overlaps scale");
  }
  return {};
}

}  // namespace npuvp::ne

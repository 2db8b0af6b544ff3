// SPDX-License-Identifier: Apache-2.0
// GEMM of all types with transposed operands and batches, and convolutions, against plain loops.
#include <gtest/gtest.h>

#include <random>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/vector_unit.h"
#include "tests/models/arithmetic/vector_reference.h"

namespace npuvp {
namespace {

using test::Bytes;

constexpr unsigned kTypes[] = {NPU_TYPE_INT8, NPU_TYPE_INT4,     NPU_TYPE_FP16,
                               NPU_TYPE_BF16, NPU_TYPE_FP8_E4M3, NPU_TYPE_FP8_E5M2};

uint32_t up(uint64_t value, uint32_t multiple) {
  return static_cast<uint32_t>((value + multiple - 1) / multiple * multiple);
}

/// Bytes; for floating-point types half the time numbers of ordinary size, so that sums stay finite.
void fill(Bytes& memory, unsigned type, std::mt19937& random) {
  const bool any = test::integer_type(type) || random() % 2 == 0;
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint8_t>(random());
  if (any) return;
  const npu_result nearest{static_cast<uint8_t>(type), 0, 0, 0};
  for (size_t i = 0; (i + 1) * test::bits_of(type) / 8 <= memory.size(); ++i) {
    const auto bits =
        static_cast<uint32_t>((random() & 0x807fffffu) | static_cast<uint32_t>((120 + random() % 10) << 23));
    test::put_element(memory.data(), type, i, test::bits_of_float(nearest, std::bit_cast<float>(bits)));
  }
}

/// One sum of products in order of k.
class Sum {
 public:
  Sum(unsigned type, bool accumulate, uint32_t before) : type_(type) {
    if (!accumulate) return;
    integer_ = static_cast<int32_t>(before);
    float_ = std::bit_cast<float>(before);
  }
  void add(uint32_t a, uint32_t b) {
    if (test::integer_type(type_)) {
      integer_ += test::integer_of(type_, a) * test::integer_of(type_, b);
    } else {
      float_ = std::fma(test::float_of(type_, a), test::float_of(type_, b), float_);
    }
  }
  [[nodiscard]] uint32_t bits() const {
    return test::integer_type(type_) ? static_cast<uint32_t>(integer_) : test::float_bits(float_);
  }

 private:
  unsigned type_;
  int64_t integer_ = 0;
  float float_ = 0;
};

void expect_gemm(npu_gemm g, std::mt19937& random) {
  const bool at = (g.flags & NPU_GEMM_TRANSPOSE_A) != 0;
  const bool bt = (g.flags & NPU_GEMM_TRANSPOSE_B) != 0;
  g.a_stride = up(arithmetic::row_bytes(g.type, at ? g.m : g.k), 16);
  g.b_stride = up(arithmetic::row_bytes(g.type, bt ? g.k : g.n), 16);
  g.c_stride = up(g.n * 4, 64);
  const uint32_t batch = std::max(g.batch, 1u);
  g.a_batch_stride = random() % 3 == 0 ? 0 : (at ? g.k : g.m) * g.a_stride;
  g.b_batch_stride = random() % 3 == 0 ? 0 : (bt ? g.n : g.k) * g.b_stride;
  g.c_batch_stride = g.m * g.c_stride;
  Bytes a(size_t{batch} * (at ? g.k : g.m) * g.a_stride);
  Bytes b(size_t{batch} * (bt ? g.n : g.k) * g.b_stride);
  Bytes c(size_t{batch} * g.c_batch_stride);
  fill(a, g.type, random);
  fill(b, g.type, random);
  fill(c, NPU_TYPE_INT32, random);
  Bytes expected = c;
  for (uint32_t matrix = 0; matrix < batch; ++matrix) {
    const uint8_t* am = a.data() + size_t{matrix} * g.a_batch_stride;
    const uint8_t* bm = b.data() + size_t{matrix} * g.b_batch_stride;
    for (uint32_t m = 0; m < g.m; ++m) {
      for (uint32_t n = 0; n < g.n; ++n) {
        uint8_t* place = expected.data() + size_t{matrix} * g.c_batch_stride + size_t{m} * g.c_stride;
        Sum sum(g.type, g.accumulate != 0, test::get_element(place, NPU_TYPE_FP32, n));
        for (uint32_t k = 0; k < g.k; ++k) {
          sum.add(at ? test::get_element(am + size_t{k} * g.a_stride, g.type, m)
                     : test::get_element(am + size_t{m} * g.a_stride, g.type, k),
                  bt ? test::get_element(bm + size_t{n} * g.b_stride, g.type, k)
                     : test::get_element(bm + size_t{k} * g.b_stride, g.type, n));
        }
        test::put_element(place, NPU_TYPE_FP32, n, sum.bits());
      }
    }
  }
  arithmetic::gemm(g, a.data(), b.data(), c.data());
  ASSERT_EQ(c, expected) << "type " << +g.type << " m " << g.m << " n " << g.n << " k " << g.k << " flags " << g.flags
                         << " batch " << g.batch;
}

npu_gemm shape(unsigned type, uint32_t m, uint32_t n, uint32_t k) {
  npu_gemm g{};
  g.type = static_cast<uint8_t>(type);
  g.m = m;
  g.n = n;
  g.k = k;
  return g;
}

TEST(Gemm, EveryTypeIsExactTransposedBatchedAndAccumulated) {
  std::mt19937 random(1);
  const auto size = [&](uint32_t most) { return static_cast<uint32_t>(1 + random() % most); };
  for (const unsigned type : kTypes) {
    for (unsigned trial = 0; trial < 60 && !HasFatalFailure(); ++trial) {
      npu_gemm g = shape(type, size(50), size(70), size(90));
      g.flags = trial % 4;
      g.accumulate = trial / 4 % 2;
      g.batch = size(3) - 1;
      expect_gemm(g, random);
    }
  }
}

/// Each dimension takes all of 1..129 while the others are drawn.
TEST(Gemm, IntegersAreExactAtAllSizes) {
  std::mt19937 random(2);
  const auto any = [&] { return static_cast<uint32_t>(1 + random() % 129); };
  for (const unsigned type : {NPU_TYPE_INT8, NPU_TYPE_INT4}) {
    for (uint32_t size = 1; size <= 129 && !HasFatalFailure(); ++size) {
      expect_gemm(shape(type, size, any(), any()), random);
      expect_gemm(shape(type, any(), size, any()), random);
      expect_gemm(shape(type, any(), any(), size), random);
    }
  }
}

TEST(Gemm, Int8ExtremesDoNotSaturate) {
  for (const auto& [x, y] : {std::pair{0x80, 0x80}, {0x80, 0x7f}, {0x7f, 0x7f}}) {
    const npu_gemm g = [] {
      npu_gemm made = shape(NPU_TYPE_INT8, 5, 33, 1000);
      made.a_stride = 1008;
      made.b_stride = 48;
      made.c_stride = 192;
      return made;
    }();
    const Bytes a(5 * 1008, static_cast<uint8_t>(x));
    const Bytes b(1000 * 48, static_cast<uint8_t>(y));
    Bytes c(5 * 192);
    arithmetic::gemm(g, a.data(), b.data(), c.data());
    EXPECT_EQ(test::get<int32_t>(c, 4 * 192 + 32 * 4), 1000 * static_cast<int8_t>(x) * static_cast<int8_t>(y));
  }
}

TEST(Convolution, IsExactWithStrideDilationPaddingAndGroups) {
  std::mt19937 random(3);
  const auto draw = [&](uint32_t most) { return static_cast<uint16_t>(1 + random() % most); };
  for (const unsigned type : kTypes) {
    for (unsigned trial = 0; trial < 60; ++trial) {
      npu_convolution c{};
      c.type = static_cast<uint8_t>(type);
      c.accumulate = trial % 2;
      c.images = draw(2);
      c.in_height = draw(9);
      c.in_width = draw(9);
      c.groups = trial % 3 == 0 ? static_cast<uint16_t>(1) : draw(4);
      c.in_channels = static_cast<uint16_t>(c.groups * 2 * draw(3));
      c.out_channels = static_cast<uint16_t>(c.groups * 2 * draw(5));
      c.kernel_height = draw(3);
      c.kernel_width = draw(3);
      c.stride_y = draw(2);
      c.stride_x = draw(3);
      c.dilation_y = draw(2);
      c.dilation_x = draw(2);
      c.pad_top = static_cast<uint16_t>(random() % 3);
      c.pad_left = static_cast<uint16_t>(random() % 3);
      c.out_height = draw(7);
      c.out_width = draw(7);
      const bool integers = test::integer_type(type);
      c.pad_value = integers ? static_cast<int8_t>(random() % 16) - 8 : 0;
      c.in_pixel_stride = up(arithmetic::row_bytes(type, c.in_channels), 2) + 2;
      c.in_row_stride = c.in_width * c.in_pixel_stride + 4;
      c.in_image_stride = c.in_height * c.in_row_stride + 2;
      c.weight_stride = up(arithmetic::row_bytes(type, c.out_channels), 16);
      c.out_pixel_stride = static_cast<uint32_t>(c.out_channels * 4 + 4);
      c.out_row_stride = c.out_width * c.out_pixel_stride + 8;
      c.out_image_stride = c.out_height * c.out_row_stride + 4;
      const auto inputs = static_cast<uint32_t>(c.in_channels / c.groups);
      const auto outputs = static_cast<uint32_t>(c.out_channels / c.groups);
      Bytes in(size_t{c.images} * c.in_image_stride);
      Bytes weights(size_t{c.kernel_height} * c.kernel_width * inputs * c.weight_stride);
      Bytes out(size_t{c.images} * c.out_image_stride);
      fill(in, type, random);
      fill(weights, type, random);
      fill(out, NPU_TYPE_INT32, random);
      Bytes expected = out;
      for (uint32_t image = 0; image < c.images; ++image) {
        for (uint32_t y = 0; y < c.out_height; ++y) {
          for (uint32_t x = 0; x < c.out_width; ++x) {
            for (uint32_t o = 0; o < c.out_channels; ++o) {
              uint8_t* place =
                  expected.data() + image * c.out_image_stride + y * c.out_row_stride + x * c.out_pixel_stride;
              Sum sum(type, c.accumulate != 0, test::get_element(place, NPU_TYPE_FP32, o));
              uint32_t weight = 0;
              for (uint32_t ky = 0; ky < c.kernel_height; ++ky) {
                for (uint32_t kx = 0; kx < c.kernel_width; ++kx) {
                  for (uint32_t i = 0; i < inputs; ++i, ++weight) {
                    const int in_y = static_cast<int>(y * c.stride_y + ky * c.dilation_y) - c.pad_top;
                    const int in_x = static_cast<int>(x * c.stride_x + kx * c.dilation_x) - c.pad_left;
                    uint32_t bits = static_cast<uint32_t>(c.pad_value) & (type == NPU_TYPE_INT4 ? 15u : 255u);
                    if (in_y >= 0 && in_y < c.in_height && in_x >= 0 && in_x < c.in_width) {
                      const uint8_t* pixel = in.data() + image * c.in_image_stride +
                                             static_cast<uint32_t>(in_y) * c.in_row_stride +
                                             static_cast<uint32_t>(in_x) * c.in_pixel_stride;
                      bits = test::get_element(pixel, type, o / outputs * inputs + i);
                    }
                    sum.add(bits, test::get_element(weights.data() + weight * c.weight_stride, type, o));
                  }
                }
              }
              test::put_element(place, NPU_TYPE_FP32, o, sum.bits());
            }
          }
        }
      }
      arithmetic::convolution(c, in.data(), weights.data(), out.data());
      ASSERT_EQ(out, expected) << "type " << type << " trial " << trial;
    }
  }
}

}  // namespace
}  // namespace npuvp

// SPDX-License-Identifier: Apache-2.0
// Where ONNX has the same operator (models/arithmetic/README.md): results against loops in binary64 or 64-bit integers
// that say what the operator's text says (ONNX operators, opset 23), layouts included.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <class T>
constexpr uint8_t kTypeOf = 0;
template <>
constexpr uint8_t kTypeOf<float> = NPU_TYPE_FP32;
template <>
constexpr uint8_t kTypeOf<int32_t> = NPU_TYPE_INT32;
template <>
constexpr uint8_t kTypeOf<int8_t> = NPU_TYPE_INT8;

template <class T>
const uint8_t* bytes(const std::vector<T>& values) {
  return reinterpret_cast<const uint8_t*>(values.data());
}
template <class T>
uint8_t* bytes(std::vector<T>& values) {
  return reinterpret_cast<uint8_t*>(values.data());
}
template <class T>
npu_result result_of(npu_saturation saturation = NPU_SATURATE_INTEGERS) {
  return {kTypeOf<T>, NPU_ROUND_NEAREST_EVEN, static_cast<uint8_t>(saturation), 0};
}

/// Rows x columns without gaps.
struct Matrix {
  uint32_t rows;
  uint32_t columns;

  template <class T>
  [[nodiscard]] npu_operand dense() const {
    const auto row = static_cast<uint32_t>(columns * sizeof(T));
    return {0, row, rows * row};
  }
  [[nodiscard]] size_t size() const { return size_t{rows} * columns; }
};

std::vector<float> random_numbers(size_t count, uint32_t seed, float scale = 4) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(-scale, scale);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = value(random);
  return numbers;
}
template <class T = int8_t>
std::vector<T> random_integers(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<T> numbers(count);
  for (T& number : numbers) number = static_cast<T>(random());
  return numbers;
}

void expect_near(const std::vector<float>& have, const std::vector<double>& want, double relative) {
  ASSERT_EQ(have.size(), want.size());
  for (size_t i = 0; i < have.size(); ++i) {
    if (std::isnan(want[i])) {
      EXPECT_TRUE(std::isnan(have[i])) << i;
    } else if (std::isinf(want[i])) {
      EXPECT_EQ(double{have[i]}, want[i]) << i;
    } else {
      EXPECT_NEAR(double{have[i]}, want[i], relative * std::max(std::fabs(want[i]), 1e-3)) << i;
    }
  }
}

/// One row.
template <class Out, class A, class B = float, class C = float>
std::vector<Out> elementwise(npu_elementwise_operation operation, const std::vector<A>& a, const std::vector<B>& b = {},
                             const std::vector<C>& c = {}) {
  npu_elementwise command{};
  command.planes = command.rows = 1;
  command.columns = static_cast<uint32_t>(a.size());
  command.operation = static_cast<uint8_t>(operation);
  command.a_type = kTypeOf<A>;
  command.b_type = kTypeOf<B>;
  command.c_type = kTypeOf<C>;
  command.result = result_of<Out>();
  std::vector<Out> out(a.size());
  arithmetic::elementwise(command, {bytes(out), bytes(a), bytes(b), bytes(c)});
  return out;
}

TEST(Onnx, MatMulIntegerMultipliesStacksAndBroadcastsOneMatrix) {
  constexpr uint32_t kM = 5, kN = 7, kK = 11, kStack = 3;
  const auto a = random_integers(size_t{kStack} * kM * kK, 1);
  const auto b = random_integers(size_t{kK} * kN, 2);
  std::vector<int32_t> y(size_t{kStack} * kM * kN);
  npu_gemm gemm{};
  gemm.type = NPU_TYPE_INT8;
  gemm.m = kM;
  gemm.n = kN;
  gemm.k = kK;
  gemm.a_stride = kK;
  gemm.b_stride = kN;
  gemm.c_stride = kN * 4;
  gemm.batch = kStack;
  gemm.a_batch_stride = kM * kK;
  gemm.c_batch_stride = kM * kN * 4;
  arithmetic::gemm(gemm, bytes(a), bytes(b), bytes(y));
  for (uint32_t i = 0; i < y.size(); ++i) {
    int64_t sum = 0;
    for (uint32_t k = 0; k < kK; ++k) sum += int64_t{a[i / kN * kK + k]} * b[k * kN + i % kN];
    EXPECT_EQ(y[i], sum) << i;
  }
}

/// Gemm: Y = A' B' + C with transA and transB, C given to every row.
TEST(Onnx, GemmAddsAMatrixToTheProductOfTransposedOnes) {
  constexpr uint32_t kM = 6, kN = 10, kK = 17;
  const auto a = random_numbers(size_t{kK} * kM, 3);
  const auto b = random_numbers(size_t{kN} * kK, 4);
  const auto c = random_numbers(kN, 5);
  const auto halves = [](const std::vector<float>& in) {
    npu_elementwise command{};
    command.planes = command.rows = 1;
    command.columns = static_cast<uint32_t>(in.size());
    command.operation = NPU_OP_COPY;
    command.a_type = NPU_TYPE_FP32;
    command.result = {NPU_TYPE_FP16, 0, 0, 0};
    std::vector<_Float16> out(in.size());
    arithmetic::elementwise(command, {bytes(out), bytes(in), nullptr, nullptr});
    return out;
  };
  const auto a16 = halves(a);
  const auto b16 = halves(b);
  std::vector<float> y;
  for (uint32_t m = 0; m < kM; ++m) y.insert(y.end(), c.begin(), c.end());
  npu_gemm gemm{};
  gemm.type = NPU_TYPE_FP16;
  gemm.flags = NPU_GEMM_TRANSPOSE_A | NPU_GEMM_TRANSPOSE_B;
  gemm.m = kM;
  gemm.n = kN;
  gemm.k = kK;
  gemm.a_stride = kM * 2;
  gemm.b_stride = kK * 2;
  gemm.c_stride = kN * 4;
  gemm.accumulate = 1;
  arithmetic::gemm(gemm, bytes(a16), bytes(b16), bytes(y));
  std::vector<double> want;
  for (uint32_t m = 0; m < kM; ++m) {
    for (uint32_t n = 0; n < kN; ++n) {
      double sum = c[n];
      for (uint32_t k = 0; k < kK; ++k) {
        sum += static_cast<double>(a16[k * kM + m]) * static_cast<double>(b16[n * kK + k]);
      }
      want.push_back(sum);
    }
  }
  expect_near(y, want, 1e-4);
}

/// ConvInteger: the sum of (x - x_zero_point) w, padded with zeros, [N, C, H, W] and weights [M, C / group, kH, kW].
TEST(Onnx, ConvIntegerWithPadsStridesDilationsAndGroups) {
  constexpr int kImages = 2, kChannels = 4, kHeight = 9, kWidth = 8, kOut = 6, kGroups = 2, kKernelY = 3, kKernelX = 2;
  constexpr int kStrideY = 2, kStrideX = 1, kDilationY = 1, kDilationX = 3, kPadTop = 1, kPadLeft = 2, kPadBottom = 0,
                kPadRight = 1;
  constexpr int kZeroPoint = -7;
  constexpr int kOutHeight = (kHeight + kPadTop + kPadBottom - (kDilationY * (kKernelY - 1) + 1)) / kStrideY + 1;
  constexpr int kOutWidth = (kWidth + kPadLeft + kPadRight - (kDilationX * (kKernelX - 1) + 1)) / kStrideX + 1;
  constexpr int kGroupIn = kChannels / kGroups;
  const auto x = random_integers(size_t{kImages} * kChannels * kHeight * kWidth, 6);
  const auto w = random_integers(size_t{kOut} * kGroupIn * kKernelY * kKernelX, 7);
  const auto x_at = [&](int n, int c, int h, int v) {
    return x[static_cast<size_t>(((n * kChannels + c) * kHeight + h) * kWidth + v)];
  };
  const auto w_at = [&](int m, int c, int h, int v) {
    return w[static_cast<size_t>(((m * kGroupIn + c) * kKernelY + h) * kKernelX + v)];
  };

  // Channels last for the card.
  std::vector<int8_t> in;
  for (int n = 0; n < kImages; ++n) {
    for (int at = 0; at < kHeight * kWidth; ++at) {
      for (int c = 0; c < kChannels; ++c) in.push_back(x_at(n, c, at / kWidth, at % kWidth));
    }
  }
  std::vector<int8_t> weights;
  std::vector<int32_t> weight_sums(kOut);
  for (int at = 0; at < kKernelY * kKernelX * kGroupIn; ++at) {
    for (int m = 0; m < kOut; ++m) {
      weights.push_back(w_at(m, at % kGroupIn, at / kGroupIn / kKernelX, at / kGroupIn % kKernelX));
      weight_sums[static_cast<size_t>(m)] += weights.back();
    }
  }
  npu_convolution c{};
  c.type = NPU_TYPE_INT8;
  c.images = kImages;
  c.in_height = kHeight;
  c.in_width = kWidth;
  c.in_channels = kChannels;
  c.out_height = kOutHeight;
  c.out_width = kOutWidth;
  c.out_channels = kOut;
  c.groups = kGroups;
  c.in_pixel_stride = kChannels;
  c.in_row_stride = kWidth * kChannels;
  c.in_image_stride = kHeight * kWidth * kChannels;
  c.out_pixel_stride = kOut * 4;
  c.out_row_stride = kOutWidth * kOut * 4;
  c.out_image_stride = kOutHeight * kOutWidth * kOut * 4;
  c.weight_stride = kOut;
  c.kernel_height = kKernelY;
  c.kernel_width = kKernelX;
  c.stride_y = kStrideY;
  c.stride_x = kStrideX;
  c.dilation_y = kDilationY;
  c.dilation_x = kDilationX;
  c.pad_top = kPadTop;
  c.pad_left = kPadLeft;
  c.pad_value = kZeroPoint;
  std::vector<int32_t> out(size_t{kImages} * kOutHeight * kOutWidth * kOut);
  arithmetic::convolution(c, bytes(in), bytes(weights), bytes(out));

  for (int i = 0; i < static_cast<int>(out.size()); ++i) {
    const int m = i % kOut;
    const int at_x = i / kOut % kOutWidth;
    const int at_y = i / kOut / kOutWidth % kOutHeight;
    const int n = i / kOut / kOutWidth / kOutHeight;
    int64_t sum = 0;
    for (int ch = 0; ch < kGroupIn; ++ch) {
      for (int ky = 0; ky < kKernelY; ++ky) {
        for (int kx = 0; kx < kKernelX; ++kx) {
          const int h = at_y * kStrideY - kPadTop + ky * kDilationY;
          const int v = at_x * kStrideX - kPadLeft + kx * kDilationX;
          if (h < 0 || h >= kHeight || v < 0 || v >= kWidth) continue;
          sum += int64_t{x_at(n, m / (kOut / kGroups) * kGroupIn + ch, h, v) - kZeroPoint} * w_at(m, ch, ky, kx);
        }
      }
    }
    // The zero point's part is a bias for each output channel.
    EXPECT_EQ(out[static_cast<size_t>(i)] - kZeroPoint * weight_sums[static_cast<size_t>(m)], sum) << i;
  }
}

TEST(Onnx, SoftmaxOverTheLastAxis) {
  const Matrix shape{7, 33};
  auto x = random_numbers(shape.size(), 8, 20);
  x[5] = -kInfinity;  // masked
  npu_softmax command{};
  command.planes = 1;
  command.rows = shape.rows;
  command.columns = shape.columns;
  command.out = command.in = shape.dense<float>();
  command.result = result_of<float>();
  command.scale = std::bit_cast<uint32_t>(1.0F);
  command.in_type = NPU_TYPE_FP32;
  std::vector<float> y(x.size());
  arithmetic::softmax(command, bytes(y), bytes(x));
  std::vector<double> want;
  for (uint32_t row = 0; row < shape.rows; ++row) {
    double sum = 0;
    for (uint32_t n = 0; n < shape.columns; ++n) sum += std::exp(double{x[row * shape.columns + n]});
    for (uint32_t n = 0; n < shape.columns; ++n) want.push_back(std::exp(double{x[row * shape.columns + n]}) / sum);
  }
  expect_near(y, want, 2e-6);
}

std::vector<float> normalize(const Matrix& shape, const std::vector<float>& x, const std::vector<float>& scale,
                             const std::vector<float>& bias, uint8_t flags) {
  npu_normalize command{};
  command.planes = 1;
  command.rows = shape.rows;
  command.columns = shape.columns;
  command.out = command.in = shape.dense<float>();
  command.result = result_of<float>();
  command.epsilon = std::bit_cast<uint32_t>(1e-5F);
  command.in_type = NPU_TYPE_FP32;
  command.flags = flags;
  std::vector<float> y(x.size());
  arithmetic::normalize(command, bytes(y), bytes(x), bytes(scale), bytes(bias));
  return y;
}

TEST(Onnx, LayerNormalizationAndRmsNormalizationOverTheLastAxis) {
  const Matrix shape{9, 64};
  const auto x = random_numbers(shape.size(), 9);
  const auto scale = random_numbers(shape.columns, 10);
  const auto bias = random_numbers(shape.columns, 11);
  std::vector<double> layer;
  std::vector<double> rms;
  for (uint32_t row = 0; row < shape.rows; ++row) {
    const auto at = [&](uint32_t n) { return double{x[row * shape.columns + n]}; };
    double mean = 0;
    for (uint32_t n = 0; n < shape.columns; ++n) mean += at(n) / shape.columns;
    double variance = 0;
    double square = 0;
    for (uint32_t n = 0; n < shape.columns; ++n) {
      variance += (at(n) - mean) * (at(n) - mean) / shape.columns;
      square += at(n) * at(n) / shape.columns;
    }
    for (uint32_t n = 0; n < shape.columns; ++n) {
      layer.push_back((at(n) - mean) / std::sqrt(variance + 1e-5) * scale[n] + bias[n]);
      rms.push_back(at(n) / std::sqrt(square + 1e-5) * scale[n]);
    }
  }
  expect_near(normalize(shape, x, scale, bias, NPU_NORMALIZE_GAMMA | NPU_NORMALIZE_BETA), layer, 5e-5);
  expect_near(normalize(shape, x, scale, {}, NPU_NORMALIZE_RMS | NPU_NORMALIZE_GAMMA), rms, 2e-6);
}

TEST(Onnx, RotaryEmbeddingOfBothLayouts) {
  const Matrix shape{5, 16};
  const Matrix angles{5, 8};
  const auto x = random_numbers(shape.size(), 12);
  const auto angle = random_numbers(angles.size(), 13);
  std::vector<float> cosine;
  std::vector<float> sine;
  for (const float each : angle) {
    cosine.push_back(std::cos(each));
    sine.push_back(std::sin(each));
  }
  for (const bool interleaved : {false, true}) {
    npu_rotary command{};
    command.planes = 1;
    command.rows = shape.rows;
    command.columns = shape.columns;
    command.out = command.in = shape.dense<float>();
    command.cosine = command.sine = angles.dense<float>();
    command.result = result_of<float>();
    command.in_type = NPU_TYPE_FP32;
    command.flags = interleaved ? NPU_ROTARY_INTERLEAVED : 0;
    std::vector<float> y(x.size());
    arithmetic::rotary(command, bytes(y), bytes(x), bytes(cosine), bytes(sine));
    std::vector<double> want(x.size());
    for (uint32_t i = 0; i < angles.size(); ++i) {
      const uint32_t row = i / angles.columns * shape.columns;
      const uint32_t pair = i % angles.columns;
      const uint32_t real = row + (interleaved ? 2 * pair : pair);
      const uint32_t imaginary = row + (interleaved ? 2 * pair + 1 : pair + angles.columns);
      want[real] = double{cosine[i]} * x[real] - double{sine[i]} * x[imaginary];
      want[imaginary] = double{sine[i]} * x[real] + double{cosine[i]} * x[imaginary];
    }
    expect_near(y, want, 1e-3);  // products cancel
  }
}

/// Gather along axis 0 and ScatterND with one index a row: negative ones count from the end.
TEST(Onnx, GatherAndScatterNd) {
  const Matrix table_shape{6, 10};
  const auto table = random_numbers(table_shape.size(), 14);
  const std::vector<int32_t> index{4, -1, 0, -6, 4};
  const Matrix shape{static_cast<uint32_t>(index.size()), table_shape.columns};
  const auto row_of = [&](size_t i) { return static_cast<size_t>(index[i] < 0 ? index[i] + 6 : index[i]); };
  npu_gather command{};
  command.rows = shape.rows;
  command.columns = shape.columns;
  command.table_rows = table_shape.rows;
  command.data_stride = command.table_stride = shape.columns * 4;
  command.type = NPU_TYPE_FP32;
  std::vector<float> gathered(shape.size());
  arithmetic::gather(command, bytes(gathered), bytes(table), bytes(index));
  for (size_t i = 0; i < gathered.size(); ++i) {
    EXPECT_EQ(gathered[i], table[row_of(i / shape.columns) * shape.columns + i % shape.columns]) << i;
  }

  const auto updates = random_numbers(shape.size(), 15);
  const std::vector<std::function<float(float, float)>> reductions{
      [](float, float update) { return update; }, [](float was, float update) { return was + update; },
      [](float was, float update) { return std::max(was, update); },
      [](float was, float update) { return std::min(was, update); }};
  for (uint8_t mode = NPU_SCATTER_STORE; mode <= NPU_SCATTER_MINIMUM; ++mode) {
    auto data = table;
    auto want = table;
    command.mode = mode;
    arithmetic::scatter(command, bytes(updates), bytes(data), bytes(index));
    for (size_t i = 0; i < updates.size(); ++i) {
      float& place = want[row_of(i / shape.columns) * shape.columns + i % shape.columns];
      place = reductions[mode](place, updates[i]);
    }
    EXPECT_EQ(data, want) << "mode " << +mode;
  }
}

/// Sorted, both directions; of equal values the one with the lower index comes first.
TEST(Onnx, TopK) {
  const std::vector<float> x{3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  constexpr uint32_t kTaken = 6;
  for (const bool largest : {true, false}) {
    npu_top_k command{};
    command.rows = 1;
    command.columns = static_cast<uint32_t>(x.size());
    command.k = kTaken;
    command.type = NPU_TYPE_FP32;
    command.flags = largest ? 0 : NPU_TOP_K_SMALLEST;
    std::vector<float> values(kTaken);
    std::vector<int32_t> indices(kTaken);
    arithmetic::top_k(command, bytes(x), bytes(values), bytes(indices));
    EXPECT_EQ(values, largest ? (std::vector<float>{9, 6, 5, 5, 4, 3}) : (std::vector<float>{1, 1, 2, 3, 3, 4}));
    EXPECT_EQ(indices, largest ? (std::vector<int32_t>{5, 7, 4, 8, 2, 0}) : (std::vector<int32_t>{1, 3, 6, 0, 9, 2}));
  }
}

/// perm = [0, 2, 1].
TEST(Onnx, TransposeOfTheLastTwoAxes) {
  constexpr uint32_t kPlanes = 3, kRows = 5, kColumns = 7;
  std::vector<int8_t> x(size_t{kPlanes} * kRows * kColumns);
  std::iota(x.begin(), x.end(), int8_t{0});
  npu_transpose command{};
  command.planes = kPlanes;
  command.rows = kRows;
  command.columns = kColumns;
  command.in = {0, kColumns, kRows * kColumns};
  command.out = {0, kRows, kRows * kColumns};
  command.type = NPU_TYPE_INT8;
  std::vector<int8_t> y(x.size());
  arithmetic::transpose(command, bytes(y), bytes(x));
  for (uint32_t i = 0; i < x.size(); ++i) {
    const uint32_t plane = i / (kRows * kColumns);
    const uint32_t row = i / kColumns % kRows;
    EXPECT_EQ(y[(plane * kColumns + i % kColumns) * kRows + row], x[i]) << i;
  }
}

/// y = saturate(round half to even(x / y_scale) + y_zero_point), a scale and zero point for each row (axis 0).
TEST(Onnx, QuantizeLinearAndDequantizeLinearPerAxis) {
  const Matrix shape{4, 9};
  const std::vector<float> scale{2, 0.5F, 0.1F, 3};
  const std::vector<int8_t> zero_point{0, 1, -3, 127};
  const std::vector<float> line{0, 1, 3, 5, -1, -3, 1000, -1000, 12.6F};
  std::vector<float> x;
  for (uint32_t row = 0; row < shape.rows; ++row) x.insert(x.end(), line.begin(), line.end());
  npu_elementwise command{};
  command.planes = 1;
  command.rows = shape.rows;
  command.columns = shape.columns;
  command.operation = NPU_OP_QUANTIZE;
  command.flags = NPU_ELEMENTWISE_BROADCAST_B | NPU_ELEMENTWISE_BROADCAST_C;
  command.a = shape.dense<float>();
  command.b = {0, 4, 0};
  command.c = {0, 1, 0};
  command.out = shape.dense<int8_t>();
  command.a_type = command.b_type = NPU_TYPE_FP32;
  command.c_type = NPU_TYPE_INT8;
  command.result = result_of<int8_t>();
  std::vector<int8_t> y(x.size());
  arithmetic::elementwise(command, {bytes(y), bytes(x), bytes(scale), bytes(zero_point)});
  for (uint32_t i = 0; i < x.size(); ++i) {
    const uint32_t row = i / shape.columns;
    const double whole = std::nearbyint(double{x[i] / scale[row]}) + zero_point[row];
    EXPECT_EQ(y[i], std::clamp(whole, -128.0, 127.0)) << i;
  }
  EXPECT_EQ(y[1], 0) << "1 / 2: half to even";
  EXPECT_EQ(y[2], 2) << "3 / 2";
  EXPECT_EQ(y[3], 2) << "5 / 2";

  command.operation = NPU_OP_DEQUANTIZE;
  command.a = shape.dense<int8_t>();
  command.out = shape.dense<float>();
  command.a_type = NPU_TYPE_INT8;
  command.result = result_of<float>();
  std::vector<float> back(x.size());
  arithmetic::elementwise(command, {bytes(back), bytes(y), bytes(scale), bytes(zero_point)});
  for (uint32_t i = 0; i < x.size(); ++i) {
    const uint32_t row = i / shape.columns;
    EXPECT_EQ(back[i], static_cast<float>(y[i] - zero_point[row]) * scale[row]) << i;
  }
}

/// The table of Cast to the 8-bit formats.
TEST(Onnx, CastToFloat8WithAndWithoutSaturation) {
  const std::vector<float> x{0, -0.0F, kNan, kInfinity, -kInfinity, 1e10F, -1e10F, 448, 464, 57344, 1.0625F, 1.1875F};
  const auto cast = [&](npu_type type, bool saturate) {
    npu_elementwise command{};
    command.planes = command.rows = 1;
    command.columns = static_cast<uint32_t>(x.size());
    command.operation = NPU_OP_COPY;
    command.a_type = NPU_TYPE_FP32;
    command.result = {static_cast<uint8_t>(type), NPU_ROUND_NEAREST_EVEN,
                      static_cast<uint8_t>(saturate ? NPU_SATURATE_ALL : NPU_SATURATE_INTEGERS), 0};
    std::vector<uint8_t> out(x.size());
    arithmetic::elementwise(command, {out.data(), bytes(x), nullptr, nullptr});
    return out;
  };
  using Codes = std::vector<uint8_t>;
  EXPECT_EQ(cast(NPU_TYPE_FP8_E4M3, true),
            (Codes{0x00, 0x80, 0x7f, 0x7e, 0xfe, 0x7e, 0xfe, 0x7e, 0x7e, 0x7e, 0x38, 0x3a}));
  EXPECT_EQ(cast(NPU_TYPE_FP8_E4M3, false),
            (Codes{0x00, 0x80, 0x7f, 0x7f, 0xff, 0x7f, 0xff, 0x7e, 0x7e, 0x7f, 0x38, 0x3a}));
  EXPECT_EQ(cast(NPU_TYPE_FP8_E5M2, true),
            (Codes{0x00, 0x80, 0x7e, 0x7b, 0xfb, 0x7b, 0xfb, 0x5f, 0x5f, 0x7b, 0x3c, 0x3d}));
  EXPECT_EQ(cast(NPU_TYPE_FP8_E5M2, false),
            (Codes{0x00, 0x80, 0x7e, 0x7c, 0xfc, 0x7c, 0xfc, 0x5f, 0x5f, 0x7b, 0x3c, 0x3d}));
}

TEST(Onnx, ReductionsOfBothAxes) {
  const Matrix shape{13, 21};
  const auto x = random_numbers(shape.size(), 16);
  for (uint8_t operation = NPU_REDUCE_SUM; operation <= NPU_REDUCE_MINIMUM; ++operation) {
    for (const npu_axis axis : {NPU_AXIS_COLUMNS, NPU_AXIS_ROWS}) {
      const bool columns = axis == NPU_AXIS_COLUMNS;
      npu_reduce command{};
      command.planes = 1;
      command.rows = shape.rows;
      command.columns = shape.columns;
      command.in = shape.dense<float>();
      command.out = columns ? npu_operand{0, 4, 0} : npu_operand{};
      command.result = result_of<float>();
      command.operation = operation;
      command.axis = static_cast<uint8_t>(axis);
      command.in_type = NPU_TYPE_FP32;
      std::vector<float> y(columns ? shape.rows : shape.columns);
      arithmetic::reduce(command, bytes(y), bytes(x));
      std::vector<double> want;
      for (uint32_t i = 0; i < y.size(); ++i) {
        double value = operation == NPU_REDUCE_MAXIMUM   ? -std::numeric_limits<double>::infinity()
                       : operation == NPU_REDUCE_MINIMUM ? std::numeric_limits<double>::infinity()
                                                         : 0;
        for (uint32_t j = 0; j < (columns ? shape.columns : shape.rows); ++j) {
          const double each = x[columns ? i * shape.columns + j : j * shape.columns + i];
          if (operation == NPU_REDUCE_SUM) value += each;
          if (operation == NPU_REDUCE_SUM_OF_SQUARES) value += each * each;
          if (operation == NPU_REDUCE_MAXIMUM) value = std::max(value, each);
          if (operation == NPU_REDUCE_MINIMUM) value = std::min(value, each);
        }
        want.push_back(value);
      }
      expect_near(y, want, 1e-4);
    }
  }
}

TEST(Onnx, OperatorsOfOneInput) {
  auto x = random_numbers(500, 17);
  for (const float special : {0.0F, 0.5F, 1.5F, 2.5F, -0.5F, -2.5F, kInfinity, -kInfinity, kNan}) x.push_back(special);
  const std::pair<npu_elementwise_operation, std::function<double(double)>> operators[] = {
      {NPU_OP_NEGATE, [](double v) { return -v; }},
      {NPU_OP_ABSOLUTE, [](double v) { return std::fabs(v); }},
      {NPU_OP_SIGN, [](double v) { return std::isnan(v) ? v : (v > 0) - (v < 0); }},
      {NPU_OP_FLOOR, [](double v) { return std::floor(v); }},
      {NPU_OP_CEILING, [](double v) { return std::ceil(v); }},
      {NPU_OP_ROUND, [](double v) { return std::nearbyint(v); }},
      {NPU_OP_SQRT, [](double v) { return std::sqrt(v); }},
      {NPU_OP_RECIPROCAL, [](double v) { return 1 / v; }},
      {NPU_OP_EXP, [](double v) { return std::exp(v); }},
      {NPU_OP_LOG, [](double v) { return std::log(v); }},
      {NPU_OP_SIGMOID, [](double v) { return 1 / (1 + std::exp(-v)); }},
      {NPU_OP_TANH, [](double v) { return std::tanh(v); }},
      {NPU_OP_ERF, [](double v) { return std::erf(v); }},
      {NPU_OP_GELU, [](double v) { return std::isinf(v) && v < 0 ? 0 : v / 2 * (1 + std::erf(v / std::sqrt(2.0))); }},
      {NPU_OP_GELU_TANH, [](double v) {
         if (std::isinf(v) && v < 0) return 0.0;
         return v / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)));
       }}};
  for (const auto& [operation, text] : operators) {
    std::vector<double> want;
    for (const float each : x) want.push_back(text(each));
    SCOPED_TRACE(static_cast<int>(operation));
    expect_near(elementwise<float>(operation, x), want, 2e-7);
  }
}

TEST(Onnx, OperatorsOfTwoInputs) {
  const std::vector<float> a{1, -2, 3.5F, kInfinity, -kInfinity, kNan, 0, 2};
  const std::vector<float> b{2, -2, -1.5F, 1, kInfinity, 1, 0, kNan};
  const auto expect = [&](npu_elementwise_operation operation, const std::function<double(double, double)>& text) {
    std::vector<double> want;
    for (size_t i = 0; i < a.size(); ++i) want.push_back(text(a[i], b[i]));
    SCOPED_TRACE(static_cast<int>(operation));
    expect_near(elementwise<float>(operation, a, b), want, 1e-7);
  };
  const auto either_nan = [](double x, double y, double value) { return std::isnan(x) || std::isnan(y) ? NAN : value; };
  expect(NPU_OP_ADD, [](double x, double y) { return x + y; });
  expect(NPU_OP_SUBTRACT, [](double x, double y) { return x - y; });
  expect(NPU_OP_MULTIPLY, [](double x, double y) { return x * y; });
  expect(NPU_OP_DIVIDE, [](double x, double y) { return x / y; });
  expect(NPU_OP_MINIMUM, [&](double x, double y) { return either_nan(x, y, std::min(x, y)); });
  expect(NPU_OP_MAXIMUM, [&](double x, double y) { return either_nan(x, y, std::max(x, y)); });
  expect(NPU_OP_EQUAL, [](double x, double y) { return x == y; });
  expect(NPU_OP_LESS, [](double x, double y) { return x < y; });
  expect(NPU_OP_LESS_EQUAL, [](double x, double y) { return x <= y; });
  expect(NPU_OP_GREATER, [](double x, double y) { return x > y; });
  expect(NPU_OP_GREATER_EQUAL, [](double x, double y) { return x >= y; });

  const std::vector<int32_t> p{7, -7, 7, -7};
  const std::vector<int32_t> q{2, 2, -2, -2};
  EXPECT_EQ((elementwise<int32_t, int32_t, int32_t>(NPU_OP_DIVIDE, p, q)), (std::vector<int32_t>{3, -3, -3, 3}));
  // BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot; of 0 and 1 the first three are And, Or, Xor.
  const std::vector<int8_t> x{0, 1, 0, 1};
  const std::vector<int8_t> y{0, 0, 1, 1};
  EXPECT_EQ((elementwise<int8_t, int8_t, int8_t>(NPU_OP_AND, x, y)), (std::vector<int8_t>{0, 0, 0, 1}));
  EXPECT_EQ((elementwise<int8_t, int8_t, int8_t>(NPU_OP_OR, x, y)), (std::vector<int8_t>{0, 1, 1, 1}));
  EXPECT_EQ((elementwise<int8_t, int8_t, int8_t>(NPU_OP_XOR, x, y)), (std::vector<int8_t>{0, 1, 1, 0}));
  EXPECT_EQ((elementwise<int8_t, int8_t>(NPU_OP_NOT, x)), (std::vector<int8_t>{-1, -2, -1, -2}));
}

TEST(Onnx, WhereAndClip) {
  const std::vector<float> x{-5, 0, 0.5F, 3, kNan};
  const std::vector<float> low{-1, -1, -1, 2, 0};
  const std::vector<float> high{1, 1, 1, 1, 1};
  EXPECT_EQ((elementwise<float, int32_t, float, float>(NPU_OP_SELECT, {1, 0, -3, 0, 1}, low, high)),
            (std::vector<float>{-1, 1, -1, 1, 0}));
  // When min is greater than max, all become max.
  expect_near(elementwise<float, float, float, float>(NPU_OP_CLAMP, x, low, high), {-1, 0, 0.5, 1, NAN}, 0);
}

}  // namespace
}  // namespace npuvp

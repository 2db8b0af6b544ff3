// SPDX-License-Identifier: Apache-2.0
// The tensor unit's instructions and VECTOR, by plain loops.
#include "tests/models/ne/exact_bench.h"

namespace npuvp::test {
namespace {

bool stop() {
  return testing::Test::HasFatalFailure();
}

/// The elements as numbers, row after row. Integers and numbers of 16 bits and less are exact in FP32.
std::vector<float> numbers_of(const Bytes& memory, const Tensor& tensor) {
  std::vector<float> numbers;
  numbers.reserve(size_t{tensor.planes} * tensor.rows * tensor.columns);
  for (uint32_t plane = 0; plane < tensor.planes; ++plane) {
    for (uint32_t row = 0; row < tensor.rows; ++row) {
      for (uint32_t column = 0; column < tensor.columns; ++column) {
        numbers.push_back(tensor.number(memory, plane, row, column));
      }
    }
  }
  return numbers;
}

/// One sum of products in order of k.
class Sum {
 public:
  Sum(unsigned type, bool accumulate, uint32_t before) : integers_(integer_type(type)) {
    if (!accumulate) return;
    integer_ = static_cast<int32_t>(before);
    float_ = std::bit_cast<float>(before);
  }
  void add(float a, float b) {
    if (integers_) {
      integer_ += int64_t{static_cast<int32_t>(a)} * static_cast<int32_t>(b);
    } else {
      float_ = std::fma(a, b, float_);
    }
  }
  [[nodiscard]] uint32_t bits() const { return integers_ ? static_cast<uint32_t>(integer_) : float_bits(float_); }

 private:
  bool integers_;
  int64_t integer_ = 0;
  float float_ = 0;
};

/// One GEMM with its operands in the scratchpad, A and B stored as the flags say.
struct Gemm {
  Gemm(Session& session, npu_gemm wanted) : g(command.u.gemm) {
    g = wanted;
    const uint32_t batch = std::max(g.batch, 1u);
    session.start();
    a = session.place_aligned(g.type, batch, at() ? g.k : g.m, at() ? g.m : g.k, 16);
    b = session.place_aligned(g.type, batch, bt() ? g.n : g.k, bt() ? g.k : g.n, 16);
    c = session.place_aligned(NPU_TYPE_INT32, batch, g.m, g.n, 64);
    if (session.random() % 4 == 0) a.place.plane_stride = 0;  // the same one for all of the batch
    if (session.random() % 4 == 0) b.place.plane_stride = 0;
    g.a = a.place.offset;
    g.b = b.place.offset;
    g.c = c.place.offset;
    g.a_stride = a.place.row_stride;
    g.b_stride = b.place.row_stride;
    g.c_stride = c.place.row_stride;
    g.a_batch_stride = a.place.plane_stride;
    g.b_batch_stride = b.place.plane_stride;
    g.c_batch_stride = c.place.plane_stride;
  }
  [[nodiscard]] bool at() const { return (g.flags & NPU_GEMM_TRANSPOSE_A) != 0; }
  [[nodiscard]] bool bt() const { return (g.flags & NPU_GEMM_TRANSPOSE_B) != 0; }

  void fill(Session& session, Mix mix) const {
    session.fill(a, mix);
    session.fill(b, mix);
    session.fill(c, integer_type(g.type) ? Mix::kBits : mix);
  }

  uint64_t run(Session& session) const {
    const std::vector<float> av = numbers_of(session.memory(), a);
    const std::vector<float> bv = numbers_of(session.memory(), b);
    Bytes& expected = session.expect();
    for (uint32_t plane = 0; plane < c.planes; ++plane) {
      const float* am = av.data() + size_t{plane} * g.m * g.k;
      const float* bm = bv.data() + size_t{plane} * g.k * g.n;
      for (uint32_t m = 0; m < g.m; ++m) {
        for (uint32_t n = 0; n < g.n; ++n) {
          Sum sum(g.type, g.accumulate != 0, c.get(session.memory(), plane, m, n));
          for (uint32_t k = 0; k < g.k; ++k) {
            sum.add(am[at() ? size_t{k} * g.m + m : size_t{m} * g.k + k],
                    bm[bt() ? size_t{n} * g.k + k : size_t{k} * g.n + n]);
          }
          c.set(expected, plane, m, n, sum.bits());
        }
      }
    }
    session.run(command);
    return uint64_t{c.planes} * g.m * g.n;
  }

  npu_command command = test::command(NPU_NE_GEMM);
  npu_gemm& g;
  Tensor a{}, b{}, c{};
};

npu_gemm drawn(Session& session, unsigned type, uint32_t m, uint32_t n, uint32_t k) {
  npu_gemm g{};
  g.type = static_cast<uint8_t>(type);
  g.m = m;
  g.n = n;
  g.k = k;
  g.flags = static_cast<uint16_t>(session.random() % 4);
  g.accumulate = static_cast<uint8_t>(session.random() % 2);
  g.batch = session.size(3) - 1;
  return g;
}

Mix tensor_mix(Session& session) {
  return session.random() % 4 == 0 ? Mix::kBits : Mix::kOrdinary;
}

/// Every product of two edges, added to edges.
void gemm_edges(Session& session, const Form& form) {
  const auto& all = edges(form.type);
  const auto count = static_cast<uint32_t>(all.size());
  for (const uint8_t accumulate : {uint8_t{0}, uint8_t{1}}) {
    npu_gemm wanted{};
    wanted.type = form.type;
    wanted.m = wanted.n = count;
    wanted.k = 1;
    wanted.accumulate = accumulate;
    const Gemm gemm(session, wanted);
    for (uint32_t i = 0; i < count; ++i) {
      gemm.a.set(session.memory(), 0, i, 0, all[i]);
      gemm.b.set(session.memory(), 0, 0, i, all[i]);
    }
    const Tensor before{integer_type(form.type) ? NPU_TYPE_INT32 : NPU_TYPE_FP32, 1, count, count, gemm.c.place};
    session.fill(before, Mix::kEdges);
    (void)gemm.run(session);
    if (stop()) return;
  }
}

npu_convolution drawn_convolution(Session& session, const Form& form) {
  npu_convolution c{};
  const auto draw = [&](uint32_t most) { return static_cast<uint16_t>(session.size(most)); };
  c.type = form.type;
  c.accumulate = static_cast<uint8_t>(session.random() % 2);
  c.images = draw(2);
  c.in_height = draw(11);
  c.in_width = draw(11);
  c.groups = session.random() % 3 == 0 ? uint16_t{1} : draw(5);
  const uint32_t unit = form.type == NPU_TYPE_INT4 ? 2 : 1;  // a group begins with a byte
  c.in_channels = static_cast<uint16_t>(c.groups * unit * draw(6));
  c.out_channels = static_cast<uint16_t>(c.groups * unit * draw(9));
  c.kernel_height = draw(4);
  c.kernel_width = draw(4);
  c.stride_y = draw(3);
  c.stride_x = draw(3);
  c.dilation_y = draw(3);
  c.dilation_x = draw(3);
  c.pad_top = static_cast<uint16_t>(session.random() % 4);
  c.pad_left = static_cast<uint16_t>(session.random() % 4);
  c.out_height = draw(9);
  c.out_width = draw(9);
  if (!integer_type(form.type)) return c;
  c.pad_value = static_cast<int8_t>(form.type == NPU_TYPE_INT4 ? static_cast<int>(session.random() % 16) - 8
                                                               : static_cast<int>(session.random() % 256) - 128);
  return c;
}

}  // namespace

uint64_t prove_gemm(Session& session, const Form& form) {
  gemm_edges(session, form);
  uint64_t cases = 0;
  // Each dimension takes all of 1..129 (with floating point every fourth) while the others, storage, batch and
  // accumulation are drawn.
  const uint32_t step = integer_type(form.type) ? 1 : 4;
  for (uint32_t size = 1; size <= 129; size += step) {
    for (unsigned dimension = 0; dimension < 3 && !stop(); ++dimension) {
      uint32_t shape[] = {session.size(129), session.size(129), session.size(129)};
      shape[dimension] = size;
      const Gemm gemm(session, drawn(session, form.type, shape[0], shape[1], shape[2]));
      gemm.fill(session, tensor_mix(session));
      cases += gemm.run(session);
    }
  }
  return cases;
}

uint64_t prove_convolution(Session& session, const Form& form) {
  uint64_t cases = 0;
  while (cases < kCases && !stop()) {
    npu_command command = test::command(NPU_NE_CONVOLUTION);
    npu_convolution& c = command.u.convolution;
    c = drawn_convolution(session, form);
    const auto inputs = static_cast<uint32_t>(c.in_channels / c.groups);
    const auto outputs = static_cast<uint32_t>(c.out_channels / c.groups);
    session.start();
    // Planes are the images' rows: an image's height times row strides apart.
    const Tensor in =
        session.place(form.type, uint32_t{c.images} * c.in_height, c.in_width, c.in_channels, tensor_mix(session));
    const Tensor weights =
        session.place_aligned(form.type, 1, c.kernel_height * c.kernel_width * inputs, c.out_channels, 16);
    session.fill(weights, tensor_mix(session));
    const Tensor out = session.place(integer_type(form.type) ? NPU_TYPE_INT32 : NPU_TYPE_FP32,
                                     uint32_t{c.images} * c.out_height, c.out_width, c.out_channels, Mix::kOrdinary);
    c.in = in.place.offset;
    c.in_pixel_stride = in.place.row_stride;
    c.in_row_stride = in.place.plane_stride;
    c.in_image_stride = c.in_height * c.in_row_stride;
    c.weights = weights.place.offset;
    c.weight_stride = weights.place.row_stride;
    c.out = out.place.offset;
    c.out_pixel_stride = out.place.row_stride;
    c.out_row_stride = out.place.plane_stride;
    c.out_image_stride = c.out_height * c.out_row_stride;
    const std::vector<float> pixels = numbers_of(session.memory(), in);
    const std::vector<float> factors = numbers_of(session.memory(), weights);
    Bytes& expected = session.expect();
    const auto pixel = [&](uint32_t image, int y, int x, uint32_t channel) {
      if (y < 0 || y >= c.in_height || x < 0 || x >= c.in_width) return static_cast<float>(c.pad_value);
      const size_t row = size_t{image} * c.in_height + static_cast<uint32_t>(y);
      return pixels[(row * c.in_width + static_cast<uint32_t>(x)) * c.in_channels + channel];
    };
    const auto value = [&](uint32_t image, uint32_t y, uint32_t x, uint32_t o) {
      Sum sum(form.type, c.accumulate != 0, out.get(session.memory(), image * c.out_height + y, x, o));
      size_t weight = 0;
      for (uint32_t ky = 0; ky < c.kernel_height; ++ky) {
        for (uint32_t kx = 0; kx < c.kernel_width; ++kx) {
          for (uint32_t i = 0; i < inputs; ++i, ++weight) {
            sum.add(pixel(image, static_cast<int>(y * c.stride_y + ky * c.dilation_y) - c.pad_top,
                          static_cast<int>(x * c.stride_x + kx * c.dilation_x) - c.pad_left, o / outputs * inputs + i),
                    factors[weight * c.out_channels + o]);
          }
        }
      }
      return sum.bits();
    };
    for (uint32_t image = 0; image < c.images; ++image) {
      for (uint32_t y = 0; y < c.out_height; ++y) {
        for (uint32_t x = 0; x < c.out_width; ++x) {
          for (uint32_t o = 0; o < c.out_channels; ++o) {
            out.set(expected, image * c.out_height + y, x, o, value(image, y, x, o));
          }
        }
      }
    }
    session.run(command);
    cases += uint64_t{c.images} * c.out_height * c.out_width * c.out_channels;
  }
  return cases;
}

uint64_t prove_vector(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (unsigned trial = 0; cases < kCases && !stop(); ++trial) {
    npu_command command = test::command(NPU_NE_VECTOR);
    npu_vector& v = command.u.vector;
    const bool long_rows = trial % 3 == 0;
    v.m = session.size(long_rows ? 3 : 40);
    v.n = session.size(long_rows ? 3000 : 200);
    v.in_type = form.type;
    v.out_type = form.operation;
    v.flags = static_cast<uint8_t>(trial % 8);
    session.start();
    const Tensor in = session.place(v.in_type, 1, v.m, v.n, trial % 5 == 0 ? Mix::kEdges : Mix::kBits);
    const Tensor out = session.place(v.out_type, 1, v.m, v.n, Mix::kBits);
    const Tensor bias = session.place(integer_type(v.in_type) ? NPU_TYPE_INT32 : NPU_TYPE_FP32, 1, 1, v.n, Mix::kBits);
    const Tensor scale = session.place(NPU_TYPE_FP32, 1, 1, v.n, Mix::kBits);
    for (uint32_t i = 0; i < v.n && trial % 2 == 0; ++i) {  // into the range of INT8, where rounding decides
      scale.set(session.memory(), 0, 0, i, std::bit_cast<uint32_t>(1.0F / static_cast<float>(1u << (i % 31))));
    }
    v.in = in.place.offset;
    v.in_stride = in.place.row_stride;
    v.out = out.place.offset;
    v.out_stride = out.place.row_stride;
    v.bias = bias.place.offset;
    v.scale = scale.place.offset;
    reference_vector(session.expect(), v);
    session.run(command);
    cases += uint64_t{v.m} * v.n;
  }
  return cases;
}

}  // namespace npuvp::test

// SPDX-License-Identifier: Apache-2.0
#include "models/tensor_core/tensor_core.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/arithmetic/arithmetic.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::tensor_core {

using base::CommandOutcome;
using base::ScratchpadPort;
using sc_core::sc_time;

namespace {

constexpr uint64_t kSumBytes = 4;  // INT32 or FP32

uint64_t extent(uint64_t rows, uint64_t stride, uint64_t row_bytes) {
  return (rows - 1) * stride + row_bytes;
}

/// Bytes from the first to the last of each operand, of one matrix of a batch.
struct GemmExtents {
  explicit GemmExtents(const npu_gemm& gemm)
      : batch(std::max(gemm.batch, 1u)), c(extent(gemm.m, gemm.c_stride, gemm.n * kSumBytes)) {
    const bool a_transposed = (gemm.flags & NPU_GEMM_TRANSPOSE_A) != 0;
    const bool b_transposed = (gemm.flags & NPU_GEMM_TRANSPOSE_B) != 0;
    a = a_transposed ? extent(gemm.k, gemm.a_stride, arithmetic::row_bytes(gemm.type, gemm.m))
                     : extent(gemm.m, gemm.a_stride, arithmetic::row_bytes(gemm.type, gemm.k));
    b = b_transposed ? extent(gemm.n, gemm.b_stride, arithmetic::row_bytes(gemm.type, gemm.k))
                     : extent(gemm.k, gemm.b_stride, arithmetic::row_bytes(gemm.type, gemm.n));
  }
  uint64_t batch;
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c;
};

struct ConvolutionExtents {
  explicit ConvolutionExtents(const npu_convolution& c)
      : k(uint64_t{c.kernel_height} * c.kernel_width * (c.in_channels / c.groups)),
        in(extent(c.images, c.in_image_stride,
                  extent(c.in_height, c.in_row_stride,
                         extent(c.in_width, c.in_pixel_stride, arithmetic::row_bytes(c.type, c.in_channels))))),
        weights(extent(k, c.weight_stride, arithmetic::row_bytes(c.type, c.out_channels))),
        out(extent(c.images, c.out_image_stride,
                   extent(c.out_height, c.out_row_stride,
                          extent(c.out_width, c.out_pixel_stride, c.out_channels * kSumBytes)))) {}
  uint64_t k;
  uint64_t in;
  uint64_t weights;
  uint64_t out;
};

CommandOutcome bus_fault(uint64_t offset) {
  return {NPU_FAULT_BUS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset)};
}

/// A product cut into tiles of the array, k innermost: the sums of one strip of columns stay in the accumulators.
struct Tiling {
  Tiling(uint64_t columns, uint64_t steps, const ArrayShape& shape) : n(columns), k(steps), array(shape) {}

  [[nodiscard]] uint64_t strips() const { return (n + array.columns - 1) / array.columns; }
  [[nodiscard]] uint64_t tiles_per_strip() const { return (k + array.rows - 1) / array.rows; }
  [[nodiscard]] uint64_t tiles() const { return strips() * tiles_per_strip(); }
  [[nodiscard]] uint64_t tile_columns(uint64_t tile) const {
    return std::min<uint64_t>(array.columns, n - tile / tiles_per_strip() * array.columns);
  }
  [[nodiscard]] uint64_t tile_rows(uint64_t tile) const {
    return std::min<uint64_t>(array.rows, k - tile % tiles_per_strip() * array.rows);
  }
  [[nodiscard]] bool starts_strip(uint64_t tile) const { return tile % tiles_per_strip() == 0; }
  [[nodiscard]] bool ends_strip(uint64_t tile) const { return (tile + 1) % tiles_per_strip() == 0; }

  uint64_t n;
  uint64_t k;
  const ArrayShape& array;
};

/// Bytes of `elements` of a tile; INT4 packs two a byte.
uint64_t bytes_of(uint8_t type, uint64_t elements) {
  return arithmetic::row_bytes(type, elements);
}

}  // namespace

TensorCore::TensorCore(sc_core::sc_module_name name, base::Environment& /*environment*/, Parameters parameters)
    : sc_module(name),
      scratchpad("scratchpad"),
      parameters_(parameters),
      ticks_per_cycle_(1.0 / (parameters.clock_hz * sc_core::sc_get_time_resolution().to_seconds())) {
  sc_assert(parameters.clock_hz > 0 && parameters.int8.rows > 0 && parameters.int8.columns > 0 &&
            parameters.fp16.rows > 0 && parameters.fp16.columns > 0 && parameters.int4.rows > 0 &&
            parameters.int4.columns > 0);
}

base::TensorCoreIdentification TensorCore::identification() const {
  return {.rows = parameters_.int8.rows, .columns = parameters_.int8.columns, .fp16 = true, .extended = true};
}

const ArrayShape& TensorCore::array(uint8_t type) const {
  switch (type) {
    case NPU_TYPE_INT4:
      return parameters_.int4;
    case NPU_TYPE_FP16:
    case NPU_TYPE_BF16:
      return parameters_.fp16;
    default:
      return parameters_.int8;
  }
}

CommandOutcome TensorCore::execute(const npu_gemm& gemm, sc_time& delay) {
  if (parameters_.compute) {
    const CommandOutcome computed = compute(gemm);
    if (!computed.ok()) return computed;
  }
  const GemmExtents extents(gemm);
  std::vector<Product> products;
  for (uint64_t matrix = 0; matrix < extents.batch; ++matrix) {
    products.push_back({.type = gemm.type,
                        .accumulate = gemm.accumulate != 0,
                        .m = gemm.m,
                        .n = gemm.n,
                        .k = gemm.k,
                        .a = {gemm.a + matrix * gemm.a_batch_stride, extents.a},
                        .b = {gemm.b + matrix * gemm.b_batch_stride, extents.b},
                        .c = {gemm.c + matrix * gemm.c_batch_stride, extents.c}});
  }
  return pass_time(products, delay);
}

CommandOutcome TensorCore::convolve(const npu_convolution& convolution, sc_time& delay) {
  if (parameters_.compute) {
    const CommandOutcome computed = compute(convolution);
    if (!computed.ok()) return computed;
  }
  const ConvolutionExtents extents(convolution);
  const Product group{.type = convolution.type,
                      .accumulate = convolution.accumulate != 0,
                      .m = uint64_t{convolution.images} * convolution.out_height * convolution.out_width,
                      .n = static_cast<uint64_t>(convolution.out_channels / convolution.groups),
                      .k = extents.k,
                      .a = {convolution.in, extents.in},
                      .b = {convolution.weights, extents.weights},
                      .c = {convolution.out, extents.out}};
  return pass_time(std::vector<Product>(convolution.groups, group), delay);
}

CommandOutcome TensorCore::compute(const npu_gemm& gemm) {
  const GemmExtents extents(gemm);
  const auto whole = [&](uint64_t matrix_bytes, uint32_t stride) {
    return (extents.batch - 1) * stride + matrix_bytes;
  };
  using Window = ScratchpadPort::Window;
  Window a(scratchpad, gemm.a, whole(extents.a, gemm.a_batch_stride));
  if (!a.valid()) return bus_fault(gemm.a);
  Window b(scratchpad, gemm.b, whole(extents.b, gemm.b_batch_stride));
  if (!b.valid()) return bus_fault(gemm.b);
  Window c(scratchpad, gemm.c, whole(extents.c, gemm.c_batch_stride));
  if (!c.valid()) return bus_fault(gemm.c);
  arithmetic::gemm(gemm, a.data(), b.data(), c.data());
  return c.write_back() ? CommandOutcome{} : bus_fault(gemm.c);
}

CommandOutcome TensorCore::compute(const npu_convolution& convolution) {
  const ConvolutionExtents extents(convolution);
  using Window = ScratchpadPort::Window;
  Window in(scratchpad, convolution.in, extents.in);
  if (!in.valid()) return bus_fault(convolution.in);
  Window weights(scratchpad, convolution.weights, extents.weights);
  if (!weights.valid()) return bus_fault(convolution.weights);
  Window out(scratchpad, convolution.out, extents.out);
  if (!out.valid()) return bus_fault(convolution.out);
  arithmetic::convolution(convolution, in.data(), weights.data(), out.data());
  return out.write_back() ? CommandOutcome{} : bus_fault(convolution.out);
}

CommandOutcome TensorCore::load_first(Product product, sc_time begin, sc_time& end) {
  const Tiling tiling(product.n, product.k, array(product.type));
  return scratchpad.charge_read(product.b, bytes_of(product.type, tiling.tile_rows(0) * tiling.tile_columns(0)), begin,
                                end);
}

CommandOutcome TensorCore::stream(const Product& product, const Product* next, sc_time& end) {
  const ArrayShape& shape = array(product.type);
  const Tiling tiling(product.n, product.k, shape);
  ScratchpadPort::Stream a = product.a;
  ScratchpadPort::Stream b = product.b;
  ScratchpadPort::Stream c_in = product.c;
  ScratchpadPort::Stream c_out = product.c;
  const auto weight_bytes = [&](uint64_t tile) {
    return bytes_of(product.type, tiling.tile_rows(tile) * tiling.tile_columns(tile));
  };
  b.cursor = weight_bytes(0) % b.bytes;  // the first tile's have come before
  CommandOutcome outcome;
  for (uint64_t tile = 0; tile < tiling.tiles() && outcome.ok(); ++tile) {
    const sc_time begin = end;
    const uint64_t sum_bytes = product.m * tiling.tile_columns(tile) * kSumBytes;
    end = begin + cycles(std::max<uint64_t>(product.m, shape.rows));
    outcome = scratchpad.charge_read(a, bytes_of(product.type, product.m * tiling.tile_rows(tile)), begin, end);
    if (outcome.ok() && tile + 1 < tiling.tiles()) {
      outcome = scratchpad.charge_read(b, weight_bytes(tile + 1), begin, end);
    } else if (outcome.ok() && next != nullptr) {
      outcome = load_first(*next, begin, end);
    }
    if (outcome.ok() && product.accumulate && tiling.starts_strip(tile)) {
      outcome = scratchpad.charge_read(c_in, sum_bytes, begin, end);
    }
    if (outcome.ok() && tiling.ends_strip(tile)) outcome = scratchpad.charge_write(c_out, sum_bytes, begin, end);
  }
  return outcome;
}

CommandOutcome TensorCore::pass_time(std::span<const Product> products, sc_time& delay) {
  const ArrayShape& shape = array(products.front().type);
  sc_time end = delay + cycles(shape.rows);
  CommandOutcome outcome = load_first(products.front(), delay, end);
  for (size_t i = 0; i < products.size() && outcome.ok(); ++i) {
    outcome = stream(products[i], i + 1 < products.size() ? &products[i + 1] : nullptr, end);
  }
  const sc_time begin = delay;
  delay = end + cycles(uint64_t{shape.rows} + shape.columns);
  if (outcome.ok()) spend(products, begin, delay);
  return outcome;
}

void TensorCore::spend(std::span<const Product> products, sc_time begin, sc_time end) const {
  double joules = 0;
  for (const Product& product : products) {
    joules += static_cast<double>(product.m * product.n * product.k) * joules_per_mac(product.type);
  }
  const sc_time now = sc_core::sc_time_stamp();
  power.spend(joules, now + begin, now + end);
}

double TensorCore::joules_per_mac(uint8_t type) const {
  switch (type) {
    case NPU_TYPE_INT4:
      return parameters_.joules_per_mac_int8 / 2;
    case NPU_TYPE_FP16:
    case NPU_TYPE_BF16:
      return parameters_.joules_per_mac_fp16;
    default:
      return parameters_.joules_per_mac_int8;
  }
}

sc_time TensorCore::cycles(uint64_t count) const {
  return sc_time::from_value(
      static_cast<uint64_t>(std::llround(static_cast<double>(count) * ticks_per_cycle_ * clock.stretch())));
}

}  // namespace npuvp::tensor_core

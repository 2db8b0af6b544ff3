// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <vector>

#include "models/arithmetic/kernel_operand.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::arithmetic {
namespace {

/// A convolution as matrix products, one a group: rows are output pixels, k runs over (ky, kx, i). The rows are put
/// together for a few hundred pixels at a time, as the hardware's address generator does for one.
class Convolution {
 public:
  Convolution(const npu_convolution& command, const uint8_t* in, uint8_t* out)
      : command_(command),
        in_(in),
        out_(out),
        channels_(command.in_channels / command.groups),
        element_(row_bytes(kernel_type(command.type), 1)),
        k_(size_t{command.kernel_height} * command.kernel_width * channels_),
        rows_(kPixels * k_ * element_) {}

  void run(const uint8_t* weights) {
    const size_t outputs = command_.out_channels / command_.groups;
    KernelOperand b(command_.type, k_, outputs, false);
    for (size_t group = 0; group < command_.groups; ++group) {
      b.take(weights + row_bytes(command_.type, group * outputs), command_.weight_stride);
      for (size_t image = 0; image < command_.images; ++image) {
        for (size_t y = 0; y < command_.out_height; ++y) {
          for (size_t x = 0; x < command_.out_width; x += kPixels) {
            const size_t pixels = std::min<size_t>(kPixels, command_.out_width - x);
            for (size_t i = 0; i < pixels; ++i) gather(image, y, x + i, group, rows_.data() + i * k_ * element_);
            multiply(b, image, y, x, pixels, group * outputs, outputs);
          }
        }
      }
    }
  }

 private:
  static constexpr size_t kPixels = 256;

  void multiply(const KernelOperand& b, size_t image, size_t y, size_t x, size_t pixels, size_t first,
                size_t outputs) const {
    multiply_rows(command_.type, {.a = rows_.data(),
                                  .b = b.data(),
                                  .c = out_ + image * command_.out_image_stride + y * command_.out_row_stride +
                                       x * command_.out_pixel_stride + first * 4,
                                  .m = pixels,
                                  .n = outputs,
                                  .k = k_,
                                  .a_stride = k_ * element_,
                                  .b_stride = b.stride(),
                                  .c_stride = command_.out_pixel_stride,
                                  .accumulate = command_.accumulate != 0});
  }

  /// The inputs of one output pixel.
  void gather(size_t image, size_t y, size_t x, size_t group, uint8_t* row) const {
    const size_t bytes = channels_ * element_;
    for (size_t ky = 0; ky < command_.kernel_height; ++ky) {
      const int64_t in_y = static_cast<int64_t>(y * command_.stride_y + ky * command_.dilation_y) - command_.pad_top;
      for (size_t kx = 0; kx < command_.kernel_width; ++kx, row += bytes) {
        const int64_t in_x = static_cast<int64_t>(x * command_.stride_x + kx * command_.dilation_x) - command_.pad_left;
        if (in_y < 0 || in_y >= command_.in_height || in_x < 0 || in_x >= command_.in_width) {
          std::memset(row, static_cast<uint8_t>(command_.pad_value), bytes);  // an INT8, or zeros
          continue;
        }
        const uint8_t* pixel = in_ + image * command_.in_image_stride +
                               static_cast<size_t>(in_y) * command_.in_row_stride +
                               static_cast<size_t>(in_x) * command_.in_pixel_stride;
        widen_row(command_.type, pixel + row_bytes(command_.type, group * channels_), channels_, row);
      }
    }
  }

  const npu_convolution& command_;
  const uint8_t* in_;
  uint8_t* out_;
  size_t channels_;
  size_t element_;
  size_t k_;
  std::vector<uint8_t> rows_;
};

}  // namespace

void convolution(const npu_convolution& command, const uint8_t* in, const uint8_t* weights, uint8_t* out) {
  Convolution(command, in, out).run(weights);
}

}  // namespace npuvp::arithmetic

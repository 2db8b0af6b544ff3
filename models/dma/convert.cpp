// SPDX-License-Identifier: Apache-2.0
#include "models/dma/convert.h"

#include <cstring>

#include "models/arithmetic/vector_unit.h"

namespace npuvp::dma {
namespace {

template <size_t kBytes>
void transpose_elements(const uint8_t* in, uint8_t* out, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      std::memcpy(out + (column * rows + row) * kBytes, in + (row * columns + column) * kBytes, kBytes);
    }
  }
}

}  // namespace

void convert(const Transfer::End& from, const Transfer::End& to, const uint8_t* in, uint8_t* out, size_t count) {
  npu_elementwise command{};
  command.operation = NPU_OP_COPY;
  command.planes = command.rows = 1;
  command.columns = static_cast<uint32_t>(count);
  command.a_type = static_cast<uint8_t>(from.type);
  command.result = {static_cast<uint8_t>(to.type), NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
  arithmetic::elementwise(command, {.out = out, .a = in, .b = nullptr, .c = nullptr});
}

void transpose(uint32_t element_bytes, const uint8_t* in, uint8_t* out, size_t rows, size_t columns) {
  switch (element_bytes) {
    case 1:
      return transpose_elements<1>(in, out, rows, columns);
    case 2:
      return transpose_elements<2>(in, out, rows, columns);
    default:
      return transpose_elements<4>(in, out, rows, columns);
  }
}

void fill(uint32_t element_bytes, uint32_t element, uint8_t* out, size_t count) {
  for (size_t i = 0; i < count; ++i) std::memcpy(out + i * element_bytes, &element, element_bytes);
}

}  // namespace npuvp::dma

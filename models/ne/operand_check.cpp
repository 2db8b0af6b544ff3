// SPDX-License-Identifier: Apache-2.0
#include "models/ne/operand_check.h"

#include "models/arithmetic/vector_unit.h"

namespace npuvp::ne {

void OperandCheck::add(const Words& words, const npu_operand& operand, const Shape& shape, uint32_t type, bool output) {
  if (!ok()) return;
  const uint64_t element = arithmetic::row_bytes(type, 1);
  require(((operand.offset | operand.row_stride | operand.plane_stride) & (element - 1)) == 0, words.misaligned);
  if (!ok()) return;

  // At most 2^16 * 2^32 * 2 + 2^18: no overflow.
  const uint64_t row_bytes = arithmetic::row_bytes(type, shape.columns);
  const uint64_t extent = (shape.planes - 1) * operand.plane_stride + (shape.rows - 1) * operand.row_stride + row_bytes;
  if (operand.offset + extent > scratchpad_bytes_) {
    return fail({NPU_FAULT_ADDRESS, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, operand.offset)}, words.outside);
  }
  const uint64_t unique_rows = operand.row_stride == 0 ? 1 : shape.rows;
  const uint64_t unique_planes = operand.plane_stride == 0 ? 1 : shape.planes;
  const unsigned index = plan_.operand_count++;
  layouts_[index] = {operand, row_bytes, type};
  shapes_[index] = shape;
  plan_.operands[index] = {.name = words.name,
                           .offset = operand.offset,
                           .extent = extent,
                           .unique = std::min(unique_planes * unique_rows * row_bytes, extent),
                           .traffic = shape.planes * shape.rows * row_bytes,
                           .output = output};
}

void OperandCheck::output(const Words& words, const npu_operand& operand, const Shape& shape, uint32_t type) {
  add(words, operand, shape, type, true);
  if (!ok()) return;
  const uint64_t row_bytes = arithmetic::row_bytes(type, shape.columns);
  require(shape.rows == 1 || operand.row_stride >= row_bytes, "rows of the output overlap");
  require(shape.planes == 1 || operand.plane_stride >= (shape.rows - 1) * operand.row_stride + row_bytes,
          "planes of the output overlap");
}

void OperandCheck::apart(bool in_place) {
  if (!ok()) return;
  for (unsigned out = 0; out < plan_.operand_count; ++out) {
    if (!plan_.operands[out].output) continue;
    for (unsigned other = 0; other < plan_.operand_count; ++other) {
      const Operand& a = plan_.operands[out];
      const Operand& b = plan_.operands[other];
      if (other == out || a.offset >= b.offset + b.extent || b.offset >= a.offset + a.extent) continue;
      const npu_operand& x = layouts_[out].operand;
      const npu_operand& y = layouts_[other].operand;
      const Shape& shape = shapes_[out];
      const bool same =
          x.offset == y.offset && layouts_[out].row_bytes == layouts_[other].row_bytes &&
          shape.columns == shapes_[other].columns &&
          arithmetic::row_bytes(layouts_[out].type, 2) == arithmetic::row_bytes(layouts_[other].type, 2) &&
          (shape.rows == 1 || x.row_stride == y.row_stride) && (shape.planes == 1 || x.plane_stride == y.plane_stride);
      require(in_place && same && !b.output, "the output overlaps another operand");
    }
  }
}

}  // namespace npuvp::ne

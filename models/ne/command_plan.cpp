// SPDX-License-Identifier: Apache-2.0
#include "models/ne/command_plan.h"

#include <algorithm>

#include "models/arithmetic/blocks.h"
#include "models/arithmetic/vector_unit.h"
#include "models/ne/operand_check.h"

namespace npuvp::ne {
namespace {

constexpr uint32_t kLargestDimension = 65535;
/// Elements that one vector command may pass, repeated rows included: a scratchpad full of INT4, twice.
constexpr uint64_t kMostElements = 1 << 24;
/// Cycles of a group of lanes. Divisions, roots and functions take several (u).
constexpr unsigned kFunctionPasses = 4;

constexpr OperandCheck::Words kOut{"OUT", "OUT is not aligned to its elements", "OUT exceeds the scratchpad"};
constexpr OperandCheck::Words kIn{"IN", "IN is not aligned to its elements", "IN exceeds the scratchpad"};
constexpr OperandCheck::Words kA{"A", "A is not aligned to its elements", "A exceeds the scratchpad"};
constexpr OperandCheck::Words kB{"B", "B is not aligned to its elements", "B exceeds the scratchpad"};
constexpr OperandCheck::Words kC{"C", "C is not aligned to its elements", "C exceeds the scratchpad"};
constexpr OperandCheck::Words kWeights{"weights", "the weights are not aligned to 16 bytes",
                                       "the weights exceed the scratchpad"};
constexpr OperandCheck::Words kGamma{"gamma", "gamma is not aligned to 4 bytes", "gamma exceeds the scratchpad"};
constexpr OperandCheck::Words kBeta{"beta", "beta is not aligned to 4 bytes", "beta exceeds the scratchpad"};
constexpr OperandCheck::Words kCosine{"cosine", "the cosines are not aligned to 4 bytes",
                                      "the cosines exceed the scratchpad"};
constexpr OperandCheck::Words kSine{"sine", "the sines are not aligned to 4 bytes", "the sines exceed the scratchpad"};
constexpr OperandCheck::Words kTable{"table", "the table is not aligned to its elements",
                                     "the table exceeds the scratchpad"};
constexpr OperandCheck::Words kIndex{"index", "the indices are not aligned to 4 bytes",
                                     "the indices exceed the scratchpad"};
constexpr OperandCheck::Words kValues{"values", "the values are not aligned to their elements",
                                      "the values exceed the scratchpad"};

bool is_dimension(uint64_t value) {
  return value >= 1 && value <= kLargestDimension;
}

bool is_type(uint32_t type) {
  return arithmetic::row_bytes(type, 1) != 0;
}

bool all_zero(std::span<const uint32_t> words) {
  return std::all_of(words.begin(), words.end(), [](uint32_t word) { return word == 0; });
}

/// Plans one command: the functions differ by what their command's layout has.
class Planner {
 public:
  Planner(CommandPlan& plan, uint64_t scratchpad_bytes, unsigned lanes)
      : plan_(plan), check_(plan, scratchpad_bytes), lanes_(lanes) {}

  void convolution(const npu_convolution& c);
  void elementwise(const npu_elementwise& c);
  void reduce(const npu_reduce& c);
  void softmax(const npu_softmax& c);
  void normalize(const npu_normalize& c);
  void rotary(const npu_rotary& c);
  void gather(const npu_gather& c, bool scatter);
  void top_k(const npu_top_k& c);
  void transpose(const npu_transpose& c);

 private:
  Shape shape(uint64_t planes, uint64_t rows, uint64_t columns) {
    check_.require(is_dimension(planes) && is_dimension(rows) && is_dimension(columns),
                   "planes, rows or columns not 1..65535");
    check_.require(planes * rows * columns <= kMostElements, "more than 2^24 elements");
    return {planes, rows, columns};
  }
  void work(const Shape& shape, unsigned passes) {
    plan_.groups = shape.planes * shape.rows * ((shape.columns + lanes_ - 1) / lanes_);
    plan_.passes = passes;
    plan_.operations = shape.planes * shape.rows * shape.columns * passes;
  }
  void result(const npu_result& result) {
    check_.require(is_type(result.type), "unknown type of the result");
    check_.require(result.rounding <= NPU_ROUND_NEAREST_AWAY, "unknown rounding");
    check_.require(result.saturation <= NPU_SATURATE_NONE, "unknown saturation");
    check_.require(result.reserved == 0, "reserved fields are not 0");
  }
  void type(uint32_t type) { check_.require(is_type(type), "unknown element type"); }

  CommandPlan& plan_;
  OperandCheck check_;
  unsigned lanes_;
};

void Planner::convolution(const npu_convolution& c) {
  plan_.unit = Unit::kTensor;
  const bool integers = c.type == NPU_TYPE_INT8 || c.type == NPU_TYPE_INT4;
  type(c.type);
  check_.require(c.type != NPU_TYPE_INT32 && c.type != NPU_TYPE_FP32, "the tensor unit takes no 32-bit operands");
  check_.require(c.accumulate <= 1, "accumulate is neither 0 nor 1");
  check_.require(c.reserved0 == 0 && all_zero(c.reserved), "reserved fields of CONVOLUTION are not 0");
  check_.require(c.images != 0 && c.in_height != 0 && c.in_width != 0 && c.in_channels != 0 && c.out_height != 0 &&
                     c.out_width != 0 && c.out_channels != 0 && c.groups != 0 && c.kernel_height != 0 &&
                     c.kernel_width != 0 && c.stride_y != 0 && c.stride_x != 0 && c.dilation_y != 0 &&
                     c.dilation_x != 0,
                 "a dimension, stride or dilation is 0");
  if (!check_.ok()) return;
  check_.require(c.in_channels % c.groups == 0 && c.out_channels % c.groups == 0, "groups do not divide the channels");
  if (!check_.ok()) return;
  const uint64_t inputs = c.in_channels / c.groups;
  const uint64_t outputs = c.out_channels / c.groups;
  const uint64_t k = uint64_t{c.kernel_height} * c.kernel_width * inputs;
  check_.require(k <= kLargestDimension, "kernel height x width x input channels of a group is more than 65535");
  check_.require(integers || c.pad_value == 0, "a floating-point image is padded with 0 only");
  check_.require(c.type != NPU_TYPE_INT4 || (c.pad_value >= -8 && c.pad_value <= 7), "pad_value is no INT4");
  check_.require(c.type != NPU_TYPE_INT4 || c.groups == 1 || (inputs % 2 == 0 && outputs % 2 == 0),
                 "a group of INT4 channels does not begin with a byte");
  check_.require(((c.weights | c.weight_stride) & 15u) == 0, kWeights.misaligned);
  // Pixels are rows; images and their rows, which step alike, are put together as planes for the check.
  const auto image_extent = [](uint64_t height, uint64_t width, uint32_t row_stride, uint32_t pixel_stride,
                               uint64_t pixel_bytes) {
    return (height - 1) * row_stride + (width - 1) * pixel_stride + pixel_bytes;
  };
  const uint64_t out_bytes = uint64_t{c.out_channels} * 4;
  const uint64_t out_image = image_extent(c.out_height, c.out_width, c.out_row_stride, c.out_pixel_stride, out_bytes);
  check_.require(((c.out | c.out_pixel_stride | c.out_row_stride | c.out_image_stride) & 3u) == 0, kOut.misaligned);
  check_.require(c.out_width == 1 || c.out_pixel_stride >= out_bytes, "pixels of the output overlap");
  check_.require(
      c.out_height == 1 || c.out_row_stride >= image_extent(1, c.out_width, 0, c.out_pixel_stride, out_bytes),
      "rows of the output overlap");
  check_.require(c.images == 1 || c.out_image_stride >= out_image, "images of the output overlap");
  if (!check_.ok()) return;
  // Extents as one row of bytes each.
  const auto bytes_at = [](uint32_t offset) { return npu_operand{offset, 0, 0}; };
  const uint64_t in_image = image_extent(c.in_height, c.in_width, c.in_row_stride, c.in_pixel_stride,
                                         arithmetic::row_bytes(c.type, c.in_channels));
  const auto element = arithmetic::row_bytes(c.type, 1);
  check_.require(((c.in | c.in_pixel_stride | c.in_row_stride | c.in_image_stride) & (element - 1)) == 0,
                 kIn.misaligned);
  check_.output(kOut, bytes_at(c.out), {1, 1, (c.images - 1) * uint64_t{c.out_image_stride} + out_image},
                NPU_TYPE_INT8);
  check_.input(kIn, bytes_at(c.in), {1, 1, (c.images - 1) * uint64_t{c.in_image_stride} + in_image}, NPU_TYPE_INT8);
  check_.input(kWeights, bytes_at(c.weights),
               {1, 1, (k - 1) * c.weight_stride + arithmetic::row_bytes(c.type, c.out_channels)}, NPU_TYPE_INT8);
  check_.apart(false);
  plan_.operations = uint64_t{c.images} * c.out_height * c.out_width * c.out_channels * k;
}

void Planner::elementwise(const npu_elementwise& c) {
  constexpr unsigned kFlags = NPU_ELEMENTWISE_BROADCAST_A | NPU_ELEMENTWISE_BROADCAST_B | NPU_ELEMENTWISE_BROADCAST_C |
                              NPU_ELEMENTWISE_IMMEDIATE_B | NPU_ELEMENTWISE_IMMEDIATE_C;
  const unsigned inputs = arithmetic::operand_count(c.operation);
  const auto flag = [&](unsigned bit) { return (c.flags & bit) != 0; };
  check_.require(inputs != 0, "unknown operation");
  check_.require((c.flags & ~kFlags) == 0, "unknown flags");
  check_.require(all_zero(c.reserved) && (c.reserved0[0] | c.reserved0[1] | c.reserved0[2]) == 0,
                 "reserved fields of ELEMENTWISE are not 0");
  result(c.result);
  const Shape whole = shape(c.planes, c.rows, c.columns);
  const auto immediate = [](uint32_t value) { return value == NPU_TYPE_INT32 || value == NPU_TYPE_FP32; };
  type(c.a_type);
  if (inputs >= 2) type(c.b_type);
  if (inputs >= 3) type(c.c_type);
  check_.require(!flag(NPU_ELEMENTWISE_IMMEDIATE_B) || (inputs >= 2 && immediate(c.b_type)),
                 "an immediate is INT32 or FP32 and belongs to an operand");
  check_.require(!flag(NPU_ELEMENTWISE_IMMEDIATE_C) || (inputs >= 3 && immediate(c.c_type)),
                 "an immediate is INT32 or FP32 and belongs to an operand");
  const bool integers = arithmetic::is_integer(c.a_type) && (inputs < 2 || arithmetic::is_integer(c.b_type)) &&
                        (inputs < 3 || arithmetic::is_integer(c.c_type));
  check_.require(!arithmetic::is_bitwise(c.operation) || integers, "a bitwise operation of floating-point numbers");
  check_.require(c.operation != NPU_OP_QUANTIZE || arithmetic::is_integer(c.c_type), "the zero point is no integer");
  check_.require(
      c.operation != NPU_OP_DEQUANTIZE || (arithmetic::is_integer(c.a_type) && arithmetic::is_integer(c.c_type)),
      "DEQUANTIZE of a floating-point number");
  if (!check_.ok()) return;
  const auto input = [&](const OperandCheck::Words& words, const npu_operand& operand, uint32_t of_type,
                         unsigned broadcast) {
    check_.input(words, operand, {whole.planes, whole.rows, flag(broadcast) ? 1 : whole.columns}, of_type);
  };
  check_.output(kOut, c.out, whole, c.result.type);
  input(kA, c.a, c.a_type, NPU_ELEMENTWISE_BROADCAST_A);
  if (inputs >= 2 && !flag(NPU_ELEMENTWISE_IMMEDIATE_B)) input(kB, c.b, c.b_type, NPU_ELEMENTWISE_BROADCAST_B);
  if (inputs >= 3 && !flag(NPU_ELEMENTWISE_IMMEDIATE_C)) input(kC, c.c, c.c_type, NPU_ELEMENTWISE_BROADCAST_C);
  check_.apart(true);
  const bool slow = (c.operation >= NPU_OP_SQRT && c.operation <= NPU_OP_SILU) || c.operation == NPU_OP_DIVIDE ||
                    c.operation == NPU_OP_QUANTIZE;
  work(whole, slow ? kFunctionPasses : 1);
}

void Planner::reduce(const npu_reduce& c) {
  check_.require(c.operation >= NPU_REDUCE_SUM && c.operation <= NPU_REDUCE_MINIMUM, "unknown reduction");
  check_.require(c.axis <= NPU_AXIS_ROWS, "unknown axis");
  check_.require(c.reserved0 == 0 && all_zero(c.reserved), "reserved fields of REDUCE are not 0");
  type(c.in_type);
  result(c.result);
  const bool columns = c.axis == NPU_AXIS_COLUMNS;
  check_.require(!columns || c.result.type != NPU_TYPE_INT4, "single results cannot be INT4");
  const Shape whole = shape(c.planes, c.rows, c.columns);
  if (!check_.ok()) return;
  check_.output(kOut, c.out, columns ? Shape{whole.planes, whole.rows, 1} : Shape{whole.planes, 1, whole.columns},
                c.result.type);
  check_.input(kIn, c.in, whole, c.in_type);
  check_.apart(false);
  work(whole, 1);
}

void Planner::softmax(const npu_softmax& c) {
  check_.require((c.reserved0[0] | c.reserved0[1] | c.reserved0[2]) == 0 && all_zero(c.reserved),
                 "reserved fields of SOFTMAX are not 0");
  type(c.in_type);
  result(c.result);
  const Shape whole = shape(c.planes, c.rows, c.columns);
  if (!check_.ok()) return;
  check_.output(kOut, c.out, whole, c.result.type);
  check_.input(kIn, c.in, whole, c.in_type);
  check_.apart(true);
  work(whole, 1 + 2 * kFunctionPasses);  // maximum, exponential with sum, division
}

void Planner::normalize(const npu_normalize& c) {
  constexpr unsigned kFlags = NPU_NORMALIZE_RMS | NPU_NORMALIZE_GAMMA | NPU_NORMALIZE_BETA;
  check_.require((c.flags & ~kFlags) == 0, "unknown flags");
  check_.require(c.reserved0 == 0 && all_zero(c.reserved), "reserved fields of NORMALIZE are not 0");
  type(c.in_type);
  result(c.result);
  const Shape whole = shape(c.planes, c.rows, c.columns);
  if (!check_.ok()) return;
  check_.output(kOut, c.out, whole, c.result.type);
  check_.input(kIn, c.in, whole, c.in_type);
  const Shape row{1, 1, whole.columns};
  if ((c.flags & NPU_NORMALIZE_GAMMA) != 0) check_.input(kGamma, {c.gamma, 0, 0}, row, NPU_TYPE_FP32);
  if ((c.flags & NPU_NORMALIZE_BETA) != 0) check_.input(kBeta, {c.beta, 0, 0}, row, NPU_TYPE_FP32);
  check_.apart(true);
  work(whole, (c.flags & NPU_NORMALIZE_RMS) != 0 ? 2 : 4);  // mean, offset; squares; scale
}

void Planner::rotary(const npu_rotary& c) {
  check_.require((c.flags & ~NPU_ROTARY_INTERLEAVED) == 0, "unknown flags");
  check_.require(c.reserved0 == 0 && all_zero(c.reserved), "reserved fields of ROTARY are not 0");
  check_.require(c.columns % 2 == 0, "an odd number of columns has no pairs");
  type(c.in_type);
  result(c.result);
  const Shape whole = shape(c.planes, c.rows, c.columns);
  if (!check_.ok()) return;
  const Shape angles{whole.planes, whole.rows, whole.columns / 2};
  check_.output(kOut, c.out, whole, c.result.type);
  check_.input(kIn, c.in, whole, c.in_type);
  check_.input(kCosine, c.cosine, angles, NPU_TYPE_FP32);
  check_.input(kSine, c.sine, angles, NPU_TYPE_FP32);
  check_.apart(true);
  work(whole, 2);
}

void Planner::gather(const npu_gather& c, bool scatter) {
  check_.require(scatter ? c.mode <= NPU_SCATTER_MINIMUM : c.mode == 0, "unknown mode");
  check_.require(c.reserved0 == 0 && all_zero(c.reserved), "reserved fields of GATHER or SCATTER are not 0");
  type(c.type);
  const Shape data = shape(1, c.rows, c.columns);
  check_.require(is_dimension(c.table_rows), "table_rows not 1..65535");
  if (!check_.ok()) return;
  const Shape table{1, c.table_rows, c.columns};
  const Shape index{1, 1, c.rows};
  if (scatter) {
    check_.output(kTable, {c.table, c.table_stride, 0}, table, c.type);
    check_.input(kIn, {c.data, c.data_stride, 0}, data, c.type);
  } else {
    check_.output(kOut, {c.data, c.data_stride, 0}, data, c.type);
    check_.input(kTable, {c.table, c.table_stride, 0}, table, c.type);
  }
  check_.input(kIndex, {c.index, 0, 0}, index, NPU_TYPE_INT32);
  check_.apart(false);
  if (!check_.ok()) return;
  // Of the table only the rows that are named.
  Operand& operand = plan_.operands[scatter ? 0 : 1];
  const uint64_t named = c.rows * arithmetic::row_bytes(c.type, c.columns);
  operand.traffic = c.mode == NPU_SCATTER_STORE ? named : 2 * named;
  operand.unique = std::min(operand.unique, operand.traffic);
  work(data, 1);
}

void Planner::top_k(const npu_top_k& c) {
  check_.require((c.flags & ~NPU_TOP_K_SMALLEST) == 0, "unknown flags");
  check_.require(c.reserved0 == 0 && all_zero(c.reserved), "reserved fields of TOP_K are not 0");
  type(c.type);
  check_.require(c.type != NPU_TYPE_INT4, "TOP_K of INT4");
  const Shape whole = shape(1, c.rows, c.columns);
  check_.require(c.k >= 1 && c.k <= c.columns, "k not 1..columns");
  if (!check_.ok()) return;
  const Shape chosen{1, c.rows, c.k};
  check_.output(kValues, {c.values, c.values_stride, 0}, chosen, c.type);
  check_.output(kIndex, {c.indices, c.indices_stride, 0}, chosen, NPU_TYPE_INT32);
  check_.input(kIn, {c.in, c.in_stride, 0}, whole, c.type);
  check_.apart(false);
  work(whole, 2);
}

void Planner::transpose(const npu_transpose& c) {
  plan_.unit = Unit::kTranspose;
  check_.require((c.reserved0[0] | c.reserved0[1] | c.reserved0[2]) == 0 && all_zero(c.reserved),
                 "reserved fields of TRANSPOSE are not 0");
  type(c.type);
  const Shape whole = shape(c.planes, c.rows, c.columns);
  if (!check_.ok()) return;
  check_.output(kOut, c.out, {whole.planes, whole.columns, whole.rows}, c.type);
  check_.input(kIn, c.in, whole, c.type);
  check_.apart(false);
  work(whole, 1);
}

}  // namespace

CommandPlan plan_command(const npu_command& command, uint64_t scratchpad_bytes, unsigned lanes) {
  CommandPlan plan;
  Planner planner(plan, scratchpad_bytes, lanes);
  switch (command.opcode) {
    case NPU_NE_CONVOLUTION:
      planner.convolution(command.u.convolution);
      break;
    case NPU_NE_ELEMENTWISE:
      planner.elementwise(command.u.elementwise);
      break;
    case NPU_NE_REDUCE:
      planner.reduce(command.u.reduce);
      break;
    case NPU_NE_SOFTMAX:
      planner.softmax(command.u.softmax);
      break;
    case NPU_NE_NORMALIZE:
      planner.normalize(command.u.normalize);
      break;
    case NPU_NE_ROTARY:
      planner.rotary(command.u.rotary);
      break;
    case NPU_NE_GATHER:
    case NPU_NE_SCATTER:
      planner.gather(command.u.gather, command.opcode == NPU_NE_SCATTER);
      break;
    case NPU_NE_TOP_K:
      planner.top_k(command.u.top_k);
      break;
    case NPU_NE_TRANSPOSE:
      planner.transpose(command.u.transpose);
      break;
    default:
      plan.check = {{NPU_FAULT_ILLEGAL_COMMAND, 0}, "unknown opcode"};
  }
  return plan;
}

}  // namespace npuvp::ne

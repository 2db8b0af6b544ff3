// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>

#include "models/arithmetic/blocks.h"
#include "models/arithmetic/vector_unit.h"

namespace npuvp::arithmetic {
namespace {

/// One input of an element-wise command as a source of blocks of FP32 or INT32.
class Input {
 public:
  Input(const uint8_t* data, const npu_operand& operand, uint8_t type, bool broadcast)
      : data_(data), operand_(operand), type_(static_cast<npu_type>(type)), broadcast_(broadcast) {}
  Input(uint32_t immediate, uint8_t type)
      : type_(static_cast<npu_type>(type)), broadcast_(true), immediate_(immediate), is_immediate_(true) {}
  Input() = default;  // an operand that the operation does not have: zeros, never looked at

  void begin_row(size_t plane, size_t row) {
    if (data_ != nullptr) row_ = data_ + plane * operand_.plane_stride + row * operand_.row_stride;
  }

  template <class T>
  void load(size_t first, size_t count, T* out) const {
    if (is_immediate_) return std::fill(out, out + count, constant<T>());
    if (row_ == nullptr) return std::fill(out, out + count, T{});
    if (!broadcast_) return load_block(type_, row_, first, count, out);
    load_block(type_, row_, 0, 1, out);
    std::fill(out + 1, out + count, out[0]);
  }

 private:
  template <class T>
  [[nodiscard]] T constant() const {
    return type_ == NPU_TYPE_FP32 ? static_cast<T>(std::bit_cast<float>(immediate_))
                                  : static_cast<T>(static_cast<int32_t>(immediate_));
  }

  const uint8_t* data_ = nullptr;
  const uint8_t* row_ = nullptr;
  npu_operand operand_{};
  npu_type type_ = NPU_TYPE_INT32;
  bool broadcast_ = false;
  uint32_t immediate_ = 0;
  bool is_immediate_ = false;
};

template <class T>
struct Values {
  T a[kBlock];
  T b[kBlock];
  T c[kBlock];
};

bool is_function(npu_elementwise_operation operation) {
  return operation >= NPU_OP_SQRT && operation <= NPU_OP_SILU;
}
bool is_comparison(npu_elementwise_operation operation) {
  return operation >= NPU_OP_EQUAL && operation <= NPU_OP_GREATER_EQUAL;
}

class Elementwise {
 public:
  Elementwise(const npu_elementwise& command, const ElementwiseOperands& operands)
      : command_(command),
        out_(operands.out),
        operation_(static_cast<npu_elementwise_operation>(command.operation)),
        inputs_(operand_count(operation_)) {
    const auto flag = [&](uint32_t bit) { return (command.flags & bit) != 0; };
    a_ = Input(operands.a, command.a, command.a_type, flag(NPU_ELEMENTWISE_BROADCAST_A));
    integers_ = is_integer(command.a_type);
    if (inputs_ >= 2) {
      b_ = flag(NPU_ELEMENTWISE_IMMEDIATE_B)
               ? Input(command.immediate_b, command.b_type)
               : Input(operands.b, command.b, command.b_type, flag(NPU_ELEMENTWISE_BROADCAST_B));
      integers_ = integers_ && is_integer(command.b_type);
    }
    if (inputs_ >= 3) {
      c_ = flag(NPU_ELEMENTWISE_IMMEDIATE_C)
               ? Input(command.immediate_c, command.c_type)
               : Input(operands.c, command.c, command.c_type, flag(NPU_ELEMENTWISE_BROADCAST_C));
      integers_ = integers_ && is_integer(command.c_type);
    }
    integers_ = integers_ && has_integer_form(operation_);
  }

  void run() {
    for (size_t plane = 0; plane < command_.planes; ++plane) {
      for (size_t row = 0; row < command_.rows; ++row) {
        a_.begin_row(plane, row);
        b_.begin_row(plane, row);
        c_.begin_row(plane, row);
        uint8_t* out = out_ + plane * command_.out.plane_stride + row * command_.out.row_stride;
        for (size_t first = 0; first < command_.columns; first += kBlock) {
          compute(first, std::min<size_t>(kBlock, command_.columns - first), out);
        }
      }
    }
  }

 private:
  template <class T>
  void load(size_t first, size_t count, Values<T>& values) const {
    a_.load(first, count, values.a);
    if (inputs_ >= 2) b_.load(first, count, values.b);
    if (inputs_ >= 3) c_.load(first, count, values.c);
  }

  void compute(size_t first, size_t count, uint8_t* out) {
    if (operation_ == NPU_OP_QUANTIZE) {
      a_.load(first, count, floats_.a);
      b_.load(first, count, floats_.b);
      c_.load(first, count, ints_.c);
      quantize_block(floats_.a, floats_.b, ints_.c, static_cast<npu_rounding>(command_.result.rounding), ints_.a,
                     count);
      return store_block(command_.result, ints_.a, first, count, out);
    }
    if (operation_ == NPU_OP_DEQUANTIZE) {
      a_.load(first, count, ints_.a);
      b_.load(first, count, floats_.b);
      c_.load(first, count, ints_.c);
      dequantize_block(ints_.a, floats_.b, ints_.c, floats_.a, count);
      return store_block(command_.result, floats_.a, first, count, out);
    }
    if (integers_) {
      load(first, count, ints_);
      if (is_comparison(operation_)) {
        comparison_block(operation_, ints_.a, ints_.b, ints_.a, count);
      } else {
        operation_block(operation_, ints_.a, ints_.b, ints_.c, ints_.a, count);
      }
      return store_block(command_.result, ints_.a, first, count, out);
    }
    load(first, count, floats_);
    if (is_comparison(operation_)) {
      comparison_block(operation_, floats_.a, floats_.b, ints_.a, count);
      return store_block(command_.result, ints_.a, first, count, out);
    }
    if (is_function(operation_)) {
      function_block(operation_, floats_.a, floats_.a, count);
    } else {
      operation_block(operation_, floats_.a, floats_.b, floats_.c, floats_.a, count);
    }
    store_block(command_.result, floats_.a, first, count, out);
  }

  const npu_elementwise& command_;
  uint8_t* out_;
  npu_elementwise_operation operation_;
  unsigned inputs_;
  bool integers_;
  Input a_, b_, c_;
  Values<float> floats_{};
  Values<int32_t> ints_{};
};

}  // namespace

unsigned operand_count(uint32_t operation) {
  if ((operation >= NPU_OP_COPY && operation <= NPU_OP_NOT) || (operation >= NPU_OP_SQRT && operation <= NPU_OP_SILU)) {
    return 1;
  }
  if (operation >= NPU_OP_ADD && operation <= NPU_OP_GREATER_EQUAL) return 2;
  return operation >= NPU_OP_MULTIPLY_ADD && operation <= NPU_OP_DEQUANTIZE ? 3 : 0;
}

bool has_integer_form(uint32_t operation) {
  return !(operation >= NPU_OP_SQRT && operation <= NPU_OP_SILU);
}

bool is_bitwise(uint32_t operation) {
  return operation == NPU_OP_NOT || operation == NPU_OP_AND || operation == NPU_OP_OR || operation == NPU_OP_XOR;
}

void elementwise(const npu_elementwise& command, const ElementwiseOperands& operands) {
  Elementwise(command, operands).run();
}

}  // namespace npuvp::arithmetic

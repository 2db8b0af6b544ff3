// SPDX-License-Identifier: Apache-2.0
#include "models/arithmetic/vector_unit.h"
#include "tests/models/ne/exact_bench.h"

namespace npuvp::test {
namespace {

constexpr uint32_t kRows = 4;
constexpr uint32_t kColumns = 1501;  // more than a block of the models', odd
constexpr unsigned kFlags[] = {NPU_ELEMENTWISE_BROADCAST_A, NPU_ELEMENTWISE_BROADCAST_B, NPU_ELEMENTWISE_BROADCAST_C};

/// The operation with any types for the other operands that it takes and for its result.
class Trial {
 public:
  Trial(Session& session, const Form& form)
      : session_(session), inputs_(arithmetic::operand_count(form.operation)), e_(command_.u.elementwise) {
    e_.operation = form.operation;
    e_.a_type = form.type;
    e_.b_type = any_b();
    e_.c_type = any_c();
    e_.result = session.any_result();
  }

  npu_elementwise& fields() { return e_; }

  /// Places the operands; strides of 0 and broadcasts at random.
  void draw() {
    shape(kRows, kColumns);
    for (unsigned i = 0; i < inputs_; ++i) {
      if (session_.random() % 4 == 0) e_.flags = static_cast<uint8_t>(e_.flags | kFlags[i]);
    }
    place(Mix::kBits);
    for (unsigned i = 0; i < inputs_; ++i) {
      if (session_.random() % 4 == 0) operand(i).row_stride = 0;
    }
  }

  /// Every pair of edges of a and b with edges of c in turn, or every edge of a.
  void enumerate_edges() {
    const auto& a = edges(e_.a_type);
    const auto& b = edges(e_.b_type);
    const auto& c = edges(e_.c_type);
    shape(inputs_ == 1 ? 1 : static_cast<uint32_t>(a.size()),
          static_cast<uint32_t>(inputs_ == 1 ? a.size() : b.size()));
    place(Mix::kEdges);
    for (uint32_t row = 0; row < e_.rows; ++row) {
      for (uint32_t column = 0; column < e_.columns; ++column) {
        in_[0].set(session_.memory(), 0, row, column, a[inputs_ == 1 ? column : row]);
        if (inputs_ >= 2) in_[1].set(session_.memory(), 0, row, column, b[column]);
        if (inputs_ >= 3) in_[2].set(session_.memory(), 0, row, column, c[(7 * row + 3 * column) % c.size()]);
      }
    }
  }

  /// Every element that the type has, of one operand with up to 16 bits.
  void enumerate_all() {
    const uint32_t count = 1u << bits_of(e_.a_type);
    const uint32_t columns = std::min(count, 4096u);
    shape(count / columns, columns);
    place(Mix::kEdges);
    for (uint32_t i = 0; i < count; ++i) in_[0].set(session_.memory(), 0, i / columns, i % columns, i);
  }

  /// Returns the results compared.
  uint64_t run() {
    const Tensor out{e_.result.type, 1, e_.rows, e_.columns, e_.out};
    Bytes& expected = session_.expect();
    for (uint32_t row = 0; row < e_.rows; ++row) {
      for (uint32_t column = 0; column < e_.columns; ++column) {
        out.set(expected, 0, row, column,
                reference_element(e_, inputs_, at(0, row, column), at(1, row, column), at(2, row, column)));
      }
    }
    session_.run(command_);
    return uint64_t{e_.rows} * e_.columns;
  }

 private:
  void shape(uint32_t rows, uint32_t columns) {
    e_.planes = 1;
    e_.rows = rows;
    e_.columns = columns;
  }
  npu_operand& operand(unsigned index) { return index == 0 ? e_.a : index == 1 ? e_.b : e_.c; }
  [[nodiscard]] unsigned type(unsigned index) const {
    return index == 0 ? e_.a_type : index == 1 ? e_.b_type : e_.c_type;
  }
  void place(Mix mix) {
    session_.start();
    e_.out = session_.place(e_.result.type, 1, e_.rows, e_.columns, Mix::kBits).place;
    for (unsigned i = 0; i < inputs_; ++i) {
      in_[i] = session_.place(type(i), 1, e_.rows, (e_.flags & kFlags[i]) != 0 ? 1 : e_.columns, mix);
      operand(i) = in_[i].place;
    }
  }
  [[nodiscard]] Typed at(unsigned index, uint32_t row, uint32_t column) {
    if (index >= inputs_) return {NPU_TYPE_INT32, 0};
    const Tensor tensor{type(index), 1, e_.rows, e_.columns, operand(index)};
    return {type(index), tensor.get(session_.memory(), 0, row, (e_.flags & kFlags[index]) != 0 ? 0 : column)};
  }

  uint8_t any() { return static_cast<uint8_t>(kAllTypes[session_.random() % 8]); }
  uint8_t any_integer() {
    constexpr uint8_t kIntegers[] = {NPU_TYPE_INT4, NPU_TYPE_INT8, NPU_TYPE_INT32};
    return kIntegers[session_.random() % 3];
  }
  uint8_t any_b() {
    const bool integers =
        arithmetic::is_bitwise(e_.operation) || (session_.random() % 2 == 0 && integer_type(e_.a_type));
    return integers ? any_integer() : any();
  }
  uint8_t any_c() {
    const bool zero_point = e_.operation == NPU_OP_QUANTIZE || e_.operation == NPU_OP_DEQUANTIZE;
    return zero_point || integer_type(e_.b_type) ? any_integer() : any();
  }

  Session& session_;
  unsigned inputs_;
  npu_command command_ = command(NPU_NE_ELEMENTWISE);
  npu_elementwise& e_;
  Tensor in_[3]{};
};

bool stop() {
  return testing::Test::HasFatalFailure();
}

/// COPY is the conversion: to each type with each rounding and saturation.
uint64_t prove_conversions(Session& session, const Form& form) {
  uint64_t cases = 0;
  for (const unsigned to : kAllTypes) {
    for (uint8_t rounding = 0; rounding <= NPU_ROUND_NEAREST_AWAY; ++rounding) {
      for (uint8_t saturation = 0; saturation <= NPU_SATURATE_NONE && !stop(); ++saturation) {
        Trial trial(session, form);
        trial.fields().result = {static_cast<uint8_t>(to), rounding, saturation, 0};
        trial.enumerate_edges();
        cases += trial.run();
      }
      if (bits_of(form.type) != 16 || stop()) continue;
      Trial trial(session, form);
      trial.fields().result = {static_cast<uint8_t>(to), rounding, static_cast<uint8_t>(rounding % 3), 0};
      trial.enumerate_all();
      cases += trial.run();
    }
    for (uint64_t drawn = 0; drawn < kCases && bits_of(form.type) == 32 && !stop();) {
      Trial trial(session, form);
      trial.fields().result.type = static_cast<uint8_t>(to);
      trial.draw();
      drawn += trial.run();
      cases += drawn;
    }
  }
  return cases;
}

}  // namespace

uint64_t prove_elementwise(Session& session, const Form& form) {
  if (form.operation == NPU_OP_COPY) (void)prove_conversions(session, form);
  for (const uint8_t to : {form.type, uint8_t{NPU_TYPE_FP32}, uint8_t{NPU_TYPE_INT32}}) {
    if (stop()) return 0;
    Trial trial(session, form);
    npu_elementwise& e = trial.fields();
    const bool zero_point = form.operation == NPU_OP_QUANTIZE || form.operation == NPU_OP_DEQUANTIZE;
    e.b_type = zero_point ? uint8_t{NPU_TYPE_FP32} : form.type;
    e.c_type = zero_point ? uint8_t{NPU_TYPE_INT32} : form.type;
    e.result = {to, NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
    trial.enumerate_edges();
    (void)trial.run();
  }
  uint64_t cases = 0;
  while (cases < kCases && !stop()) {
    Trial trial(session, form);
    trial.draw();
    cases += trial.run();
  }
  return cases;
}

}  // namespace npuvp::test

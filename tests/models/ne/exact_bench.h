// SPDX-License-Identifier: Apache-2.0
// Every instruction of a Neural Engine against scalar code that is written from models/arithmetic/README.md once more.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tests/models/arithmetic/vector_reference.h"
#include "tests/models/ne/engine_bench.h"

namespace npuvp::test {

/// One instruction with one operation and one type of its (first) input, as the engine takes it.
struct Form {
  uint8_t opcode;
  uint8_t operation;  ///< Of ELEMENTWISE, REDUCE and SCATTER; type of the output of VECTOR; else 0.
  uint8_t type;
};

/// Results that each form is compared in.
inline constexpr uint64_t kCases = 100'000;

/// What a random element is like.
enum class Mix : uint8_t {
  kBits,      ///< Any bits; one in four an edge.
  kOrdinary,  ///< Numbers between 2^-9 and 2^3, so that sums stay finite; one in 512 any bits.
  kEdges,     ///< Edges only: edges().
};

/// Elements at which formats, conversions and operations change their behaviour: zeros, subnormals, the largest
/// numbers, infinities, NaN, ties of every narrower format, ends of the integers' ranges. All elements of types up to 8
/// bits.
const std::vector<uint32_t>& edges(unsigned type);

uint32_t random_element(unsigned type, Mix mix, std::mt19937& random);

/// Planes x rows x columns in the scratchpad.
struct Tensor {
  unsigned type;
  uint32_t planes, rows, columns;
  npu_operand place;

  [[nodiscard]] size_t row_at(uint32_t plane, uint32_t row) const {
    return place.offset + size_t{plane} * place.plane_stride + size_t{row} * place.row_stride;
  }
  [[nodiscard]] uint32_t get(const Bytes& memory, uint32_t plane, uint32_t row, size_t column) const {
    return get_element(memory.data() + row_at(plane, row), type, column);
  }
  void set(Bytes& memory, uint32_t plane, uint32_t row, size_t column, uint32_t bits) const {
    put_element(memory.data() + row_at(plane, row), type, column, bits);
  }
  [[nodiscard]] float number(const Bytes& memory, uint32_t plane, uint32_t row, size_t column) const {
    return float_of(type, get(memory, plane, row, column));
  }
};

/// An engine and the command under test: operands are laid out one after the other with spare bytes between their rows
/// and planes, `expected` starts as the scratchpad's contents and takes what the command should do to them.
class Session {
 public:
  explicit Session(uint32_t seed) : random(seed) {}

  /// The next command's operands begin at 0 again.
  void start() { used_ = 0; }
  /// Throws std::length_error when the scratchpad is full.
  Tensor place(unsigned type, uint32_t planes, uint32_t rows, uint32_t columns, Mix mix);
  /// `alignment` is a power of two; offset and strides are multiples of it.
  Tensor place_aligned(unsigned type, uint32_t planes, uint32_t rows, uint32_t columns, uint32_t alignment);
  void fill(const Tensor& tensor, Mix mix);
  /// Any type, rounding and saturation.
  npu_result any_result(bool int4 = true);
  /// 1..most.
  uint32_t size(uint32_t most) { return static_cast<uint32_t>(1 + random() % most); }

  /// To be called once all operands have been placed and filled.
  Bytes& expect();
  /// Runs the command in the engine; every byte of the scratchpad that was ever used must be as expected.
  void run(const npu_command& command);

  [[nodiscard]] Bytes& memory() { return bench.scratchpad.memory; }

  std::mt19937 random;
  EngineBench bench;
  Bytes expected;

 private:
  uint32_t used_ = 0;
};

/// Each compares one form in at least kCases results and all edges, and returns how many there were.
uint64_t prove_gemm(Session& session, const Form& form);
uint64_t prove_convolution(Session& session, const Form& form);
uint64_t prove_vector(Session& session, const Form& form);
uint64_t prove_elementwise(Session& session, const Form& form);
uint64_t prove_reduce(Session& session, const Form& form);
uint64_t prove_softmax(Session& session, const Form& form);
uint64_t prove_normalize(Session& session, const Form& form);
uint64_t prove_rotary(Session& session, const Form& form);
uint64_t prove_gather(Session& session, const Form& form);
uint64_t prove_scatter(Session& session, const Form& form);
uint64_t prove_top_k(Session& session, const Form& form);
uint64_t prove_transpose(Session& session, const Form& form);

}  // namespace npuvp::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/models/ne/exact_bench.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace npuvp::test {
namespace {

// FP32 numbers at which formats and operations change their behaviour; others take what they become in their format.
constexpr uint32_t kFloats[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff,
    0xff7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffc12345, 0x3f800000, 0xbf800000, 0x3f000000,
    0xbf000000, 0x3fc00000, 0xbfc00000, 0x40200000, 0xc0200000, 0x3effffff, 0x3f000001, 0x40e00000, 0xc1080000,
    0x40f00000, 0x40f80000, 0xc1000000, 0x42fd0000, 0x42fe0000, 0x42ff0000, 0x43000000, 0xc3000000, 0xc3008000,
    0xc3010000, 0x43e00000, 0x43e80000, 0x43e80001, 0x43f00000, 0xc3e80000, 0x47600000, 0x47680000, 0x47700000,
    0xc7700000, 0x477fe000, 0x477fefff, 0x477ff000, 0xc77ff000, 0x38800000, 0x387fe000, 0x387ff000, 0x4affffff,
    0x4b000000, 0x4b000001, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x5f000000, 0x3b000000, 0x3a800000,
    0x3a800001, 0x37800000, 0x37000000, 0x37000001, 0x33c00000, 0x33800000, 0x33000000, 0x33000001, 0x42b17218,
    0xc2cff1b5, 0xc2aeac50, 0xc1580000, 0x7f7f7fff, 0x7f7f8000, 0xff7f8000, 0x00008000, 0x00004000, 0x00018000,
    0x3f808000, 0x3f818000, 0x3f801000, 0x3f803000, 0x3c413d3a, 0x41178feb};
constexpr uint32_t kInts[] = {0,          1,          0xffffffff, 2,          7,          8,          0xfffffff8,
                              0xfffffff7, 127,        128,        0xffffff80, 0xffffff7f, 255,        256,
                              2047,       2049,       2051,       65504,      65519,      65520,      0x00ffffff,
                              0x01000001, 0x01000003, 0xfeffffff, 0x7fffff40, 0x7fffffbf, 0x7fffffff, 0x7ffffffe,
                              0x80000000, 0x80000001, 0x40000000, 0xc0000000};
// The bounds of the formats themselves: subnormals, largest numbers, infinities, quiet and signalling NaN.
constexpr uint32_t kHalves[] = {0x0001, 0x0002, 0x03ff, 0x0400, 0x0401, 0x7bff, 0x7c00, 0x7c01, 0x7dff, 0x7e00, 0x7fff};
constexpr uint32_t kBrains[] = {0x0001, 0x0002, 0x007f, 0x0080, 0x0081, 0x7f7f, 0x7f80, 0x7f81, 0x7fbf, 0x7fc0, 0x7fff};

std::vector<uint32_t> find_edges(unsigned type) {
  std::vector<uint32_t> found;
  if (bits_of(type) <= 8) {
    for (uint32_t bits = 0; bits < 1u << bits_of(type); ++bits) found.push_back(bits);
    return found;
  }
  if (type == NPU_TYPE_INT32) return {std::begin(kInts), std::end(kInts)};
  if (type == NPU_TYPE_FP32) return {std::begin(kFloats), std::end(kFloats)};
  const npu_result nearest{static_cast<uint8_t>(type), NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
  for (const uint32_t bits : kFloats) found.push_back(bits_of_float(nearest, std::bit_cast<float>(bits)));
  for (const uint32_t bits : type == NPU_TYPE_FP16 ? kHalves : kBrains) {
    found.push_back(bits);
    found.push_back(bits | 0x8000);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

uint32_t up(uint64_t value, uint32_t multiple) {
  return static_cast<uint32_t>((value + multiple - 1) / multiple * multiple);
}

}  // namespace

const std::vector<uint32_t>& edges(unsigned type) {
  static const std::array<std::vector<uint32_t>, 9> kEdges = [] {
    std::array<std::vector<uint32_t>, 9> made;
    for (const unsigned each : kAllTypes) made.at(each) = find_edges(each);
    return made;
  }();
  return kEdges.at(type);
}

uint32_t random_element(unsigned type, Mix mix, std::mt19937& random) {
  const auto mask = static_cast<uint32_t>((uint64_t{1} << bits_of(type)) - 1);
  const auto word = static_cast<uint32_t>(random());
  if (mix == Mix::kEdges || (mix == Mix::kBits && random() % 4 == 0)) return edges(type)[word % edges(type).size()];
  if (type == NPU_TYPE_INT32) return word >> (random() % 32);
  if (mix == Mix::kBits || integer_type(type) || random() % 512 == 0) return word & mask;
  const npu_result nearest{static_cast<uint8_t>(type), NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
  const uint32_t bits = (word & 0x807fffffu) | static_cast<uint32_t>((118 + random() % 12) << 23);
  return type == NPU_TYPE_FP32 ? bits : bits_of_float(nearest, std::bit_cast<float>(bits));
}

Tensor Session::place(unsigned type, uint32_t planes, uint32_t rows, uint32_t columns, Mix mix) {
  const Tensor tensor = place_aligned(type, planes, rows, columns, 4);
  fill(tensor, mix);
  return tensor;
}

Tensor Session::place_aligned(unsigned type, uint32_t planes, uint32_t rows, uint32_t columns, uint32_t alignment) {
  Tensor tensor{type, planes, rows, columns, {}};
  const uint64_t row_bytes = (uint64_t{columns} * bits_of(type) + 7) / 8;
  tensor.place.offset = up(used_, alignment);
  tensor.place.row_stride = up(row_bytes, alignment) + static_cast<uint32_t>(random() % 2) * alignment;
  tensor.place.plane_stride = rows * tensor.place.row_stride + static_cast<uint32_t>(random() % 2) * alignment;
  used_ = tensor.place.offset + planes * tensor.place.plane_stride + alignment;
  if (used_ > kScratchpadBytes) throw std::length_error("operands exceed the test's scratchpad");
  return tensor;
}

void Session::fill(const Tensor& tensor, Mix mix) {
  for (uint32_t plane = 0; plane < tensor.planes; ++plane) {
    for (uint32_t row = 0; row < tensor.rows; ++row) {
      for (uint32_t column = 0; column < tensor.columns; ++column) {
        tensor.set(memory(), plane, row, column, random_element(tensor.type, mix, random));
      }
    }
  }
}

npu_result Session::any_result(bool int4) {
  unsigned type = kAllTypes[random() % 8];
  if (!int4 && type == NPU_TYPE_INT4) type = NPU_TYPE_INT8;
  return {static_cast<uint8_t>(type), static_cast<uint8_t>(random() % 5), static_cast<uint8_t>(random() % 3), 0};
}

Bytes& Session::expect() {
  expected = memory();
  return expected;
}

void Session::run(const npu_command& command) {
  const auto outcome = bench.execute(command);
  ASSERT_EQ(outcome.fault, 0u) << "opcode " << +command.opcode;
  const auto place = std::mismatch(memory().begin(), memory().end(), expected.begin());
  ASSERT_EQ(place.first, memory().end()) << "opcode " << +command.opcode << ": byte " << place.first - memory().begin()
                                         << " is " << +*place.first << ", not " << +*place.second;
}

}  // namespace npuvp::test

// SPDX-License-Identifier: Apache-2.0
// Tensor transfers, lists and chains against a reference that moves one element at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>

#include "models/dma/command_check.h"
#include "tests/models/arithmetic/format_reference.h"
#include "tests/models/dma/dma_bench.h"

namespace npuvp::dma {
namespace {

using test::below;
using test::ns;

constexpr uint64_t kPages = 16;
constexpr uint64_t kBytes = kPages * kPage;
constexpr uint64_t kList = kBytes;  // of segment 0: one more page
constexpr uint32_t kSegment = 0;

uint32_t bytes_of(unsigned type) {
  return test::bits_of(type) / 8;
}

/// One element, bits of type `from` to bits of type `to`; between equal types nothing changes.
uint32_t reference_convert(uint32_t bits, unsigned from, unsigned to) {
  if (from == to) return bits;
  const npu_result result{static_cast<uint8_t>(to), NPU_ROUND_NEAREST_EVEN, NPU_SATURATE_INTEGERS, 0};
  return test::integer_type(from) ? test::bits_of_integer(result, test::integer_of(from, bits))
                                  : test::bits_of_float(result, test::float_of(from, bits));
}

struct TensorBench : DmaBench {
  explicit TensorBench(const Parameters& parameters = task_dma()) : DmaBench(parameters) {
    space.merges_pages = true;
    space.map(kSegment, NPU_MAP_DRAM, kPages + 1);
    space.map(NPU_SPACE_SHARED, NPU_MAP_SHARED, kPages);
  }
  uint8_t* at(uint64_t address) {
    const uint64_t base = NPU_ADDRESS_SPACE(address) == kSegment ? NPU_MAP_DRAM : NPU_MAP_SHARED;
    return target.data.data() + test::card_index(base) + NPU_ADDRESS_OFFSET(address);
  }
  void randomize(std::mt19937& random) {
    for (uint64_t space_base : {NPU_MAP_DRAM, NPU_MAP_SHARED}) {
      auto* words = reinterpret_cast<uint32_t*>(target.data.data() + test::card_index(space_base));
      for (uint64_t i = 0; i < kBytes / 4; ++i) words[i] = static_cast<uint32_t>(random());
    }
  }
  /// Contents of segment and shared memory.
  std::vector<uint8_t> contents() {
    std::vector<uint8_t> both(2 * kBytes);
    std::memcpy(both.data(), at(0), kBytes);
    std::memcpy(both.data() + kBytes, at(NPU_ADDRESS(NPU_SPACE_SHARED, 0)), kBytes);
    return both;
  }
  /// Without a thread of its own: for callers in one.
  base::CommandOutcome run(const npu_command& command) {
    target.log.clear();
    return channel_interface(0).execute({&command, &space, 0, 0});
  }
};

npu_command tensor_command(uint64_t source, uint64_t destination, unsigned from = NPU_TYPE_INT8,
                           unsigned to = NPU_TYPE_INT8) {
  npu_command command{};
  command.kind = NPU_COMMAND_TASK_DMA;
  command.opcode = NPU_DMA_TENSOR;
  command.signal = NPU_TOKEN_NONE;
  auto& tensor = command.u.tensor;
  tensor.source = source;
  tensor.destination = destination;
  std::fill(std::begin(tensor.size), std::end(tensor.size), 1);
  tensor.source_type = static_cast<uint8_t>(from);
  tensor.destination_type = static_cast<uint8_t>(to);
  return command;
}

/// Calls `visit(source offset, destination offset)` for each element in order, as firmware/abi/command.h defines it.
/// `list` is the index list, if any.
template <typename Visit>
void for_each_element(const npu_dma_tensor& tensor, const std::vector<uint32_t>& list, Visit visit) {
  std::array<uint32_t, 5> i{};
  for (i[4] = 0; i[4] < tensor.size[4]; ++i[4]) {
    for (i[3] = 0; i[3] < tensor.size[3]; ++i[3]) {
      for (i[2] = 0; i[2] < tensor.size[2]; ++i[2]) {
        for (i[1] = 0; i[1] < tensor.size[1]; ++i[1]) {
          for (i[0] = 0; i[0] < tensor.size[0]; ++i[0]) {
            int64_t from = 0;
            int64_t to = 0;
            for (unsigned d = 0; d < 5; ++d) {
              const bool listed = !list.empty() && d == tensor.index_dimension;
              const int64_t source = listed && (tensor.flags & NPU_DMA_GATHER) != 0 ? list[i[d]] : i[d];
              const int64_t destination = listed && (tensor.flags & NPU_DMA_SCATTER) != 0 ? list[i[d]] : i[d];
              from += source * tensor.source_stride[d];
              to += destination * tensor.destination_stride[d];
            }
            visit(from, to);
          }
        }
      }
    }
  }
}

/// Index in TensorBench::contents().
uint64_t place(uint64_t address, int64_t offset) {
  const uint64_t base = NPU_ADDRESS_SPACE(address) == kSegment ? 0 : kBytes;
  return base + NPU_ADDRESS_OFFSET(address) + static_cast<uint64_t>(offset);
}

/// One element of a transfer in the order in which they move.
struct Element {
  int64_t from;
  int64_t to;
};

std::vector<Element> elements_of(const npu_dma_tensor& tensor, const std::vector<uint32_t>& list) {
  std::vector<Element> elements;
  for_each_element(tensor, list, [&](int64_t from, int64_t to) { elements.push_back({from, to}); });
  return elements;
}

/// What the memories hold when the first `count` elements have moved.
std::vector<uint8_t> after(const std::vector<uint8_t>& before, const npu_dma_tensor& tensor,
                           const std::vector<Element>& elements, uint64_t count) {
  auto expected = before;
  for (uint64_t i = 0; i < count; ++i) {
    auto bits = static_cast<uint32_t>(tensor.source);
    if ((tensor.flags & NPU_DMA_FILL) == 0) {
      bits = 0;
      std::memcpy(&bits, before.data() + place(tensor.source, elements[i].from), bytes_of(tensor.source_type));
    }
    const uint32_t result = reference_convert(bits, tensor.source_type, tensor.destination_type);
    std::memcpy(expected.data() + place(tensor.destination, elements[i].to), &result,
                bytes_of(tensor.destination_type));
  }
  return expected;
}

constexpr std::array<uint8_t, 7> kTypes{NPU_TYPE_INT8, NPU_TYPE_INT32, NPU_TYPE_FP8_E4M3, NPU_TYPE_FP8_E5M2,
                                        NPU_TYPE_FP16, NPU_TYPE_BF16,  NPU_TYPE_FP32};

/// Sizes with at most about a thousand elements.
void choose_sizes(npu_dma_tensor& tensor, std::mt19937& random) {
  uint32_t elements = 1;
  std::array<unsigned, 5> order{0, 1, 2, 3, 4};
  std::shuffle(order.begin(), order.end(), random);
  for (const unsigned d : order) {
    const uint32_t most = std::max(1U, std::min(below(random, 3) == 0 ? 200U : 9U, 1000 / elements));
    tensor.size[d] = below(random, 3) == 0 ? 1 : 1 + below(random, most);
    elements *= tensor.size[d];
  }
}

/// Strides of one end such that no two elements overlap, and an address that keeps all inside the space. Returns false
/// if that takes more than the space.
bool choose_end(npu_dma_tensor& tensor, int32_t* stride, uint64_t& address, uint32_t space, uint32_t element,
                bool indexed, std::mt19937& random) {
  std::array<unsigned, 5> order{0, 1, 2, 3, 4};
  if (below(random, 2) == 0) std::shuffle(order.begin(), order.end(), random);
  if (below(random, 4) == 0) std::swap(order[0], order[1]);
  uint64_t extent = element * (below(random, 4) == 0 ? 1 + below(random, 3) : 1);
  int64_t lowest = 0;
  int64_t highest = element;
  for (const unsigned d : order) {
    const uint64_t count = indexed && d == tensor.index_dimension ? tensor.index_limit : tensor.size[d];
    const bool back = below(random, 8) == 0;
    stride[d] = static_cast<int32_t>(back ? -static_cast<int64_t>(extent) : static_cast<int64_t>(extent));
    const int64_t reach = static_cast<int64_t>(count - 1) * stride[d];
    (reach < 0 ? lowest : highest) += reach;
    extent = extent * count + (below(random, 3) == 0 ? element * below(random, 20) : 0);
  }
  if (highest - lowest > static_cast<int64_t>(kBytes)) return false;
  const uint64_t room = (kBytes - static_cast<uint64_t>(highest - lowest)) / element;
  address = NPU_ADDRESS(space, static_cast<uint64_t>(-lowest) + below(random, room + 1) * element);
  return true;
}

/// A random legal transfer with its list.
npu_command random_transfer(std::mt19937& random, std::vector<uint32_t>& list) {
  for (;;) {
    const bool down = below(random, 2) == 0;
    const uint8_t from = kTypes[below(random, kTypes.size())];
    const uint8_t to = below(random, 3) == 0 ? kTypes[below(random, kTypes.size())] : from;
    auto command = tensor_command(0, 0, from, to);
    auto& tensor = command.u.tensor;
    choose_sizes(tensor, random);
    list.clear();
    const uint32_t kind = below(random, 6);
    if (kind == 0) tensor.flags = NPU_DMA_GATHER;
    if (kind == 1) tensor.flags = NPU_DMA_SCATTER;
    if (kind == 2) {
      tensor.flags = NPU_DMA_FILL;
      tensor.source_type = to;
    }
    if (kind < 2) {
      tensor.index_dimension = static_cast<uint8_t>(below(random, 5));
      tensor.index_limit = tensor.size[tensor.index_dimension] + below(random, 20);
      tensor.indices = NPU_ADDRESS(kSegment, kList + 4 * below(random, 100));
      std::vector<uint32_t> all(tensor.index_limit);
      for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
      std::shuffle(all.begin(), all.end(), random);
      list.assign(all.begin(), all.begin() + tensor.size[tensor.index_dimension]);
    }
    const uint32_t source = down ? kSegment : NPU_SPACE_SHARED;
    const uint32_t destination = down ? NPU_SPACE_SHARED : kSegment;
    if (!choose_end(tensor, tensor.destination_stride, tensor.destination, destination, bytes_of(to), kind == 1,
                    random)) {
      continue;
    }
    if (kind == 2) {
      tensor.source = random() & (0xffffffffU >> (32 - 8 * bytes_of(to)));
    } else if (!choose_end(tensor, tensor.source_stride, tensor.source, source, bytes_of(from), kind == 0, random)) {
      continue;
    } else if (below(random, 8) == 0) {
      const unsigned repeated = below(random, 5);  // still inside: it was from 0 upwards or downwards to the address
      if (tensor.source_stride[repeated] > 0) tensor.source_stride[repeated] = 0;
    }
    return command;
  }
}

TEST(DmaTensor, MovesWhatTheDefinitionSaysForRandomTransfers) {
  TensorBench bench;
  bench.environment.set_log_level("all", spdlog::level::off);
  std::mt19937 random(31);
  bench.randomize(random);
  std::map<unsigned, int> kinds;
  test::run_thread([&] {
    for (int round = 0; round < 10000; ++round) {
      std::vector<uint32_t> list;
      const auto command = random_transfer(random, list);
      const auto& tensor = command.u.tensor;
      if (!list.empty()) std::memcpy(bench.at(tensor.indices), list.data(), list.size() * 4);
      const auto elements = elements_of(tensor, list);
      const auto expected = after(bench.contents(), tensor, elements, elements.size());
      const auto outcome = bench.run(command);
      ASSERT_EQ(outcome.fault, NPU_FAULT_NONE) << "round " << round;
      ASSERT_TRUE(bench.contents() == expected) << "round " << round << " flags " << int{tensor.flags};
      for (const auto& access : bench.target.log) ASSERT_LE(access.bytes, 4096U);
      ++kinds[tensor.flags];
    }
  });
  EXPECT_GT(kinds[NPU_DMA_GATHER], 1000);
  EXPECT_GT(kinds[NPU_DMA_SCATTER], 1000);
  EXPECT_GT(kinds[NPU_DMA_FILL], 1000);
}

TEST(DmaTensor, ConvertsEveryNarrowNumberAndTheEdgesOfTheOthersAsTheArithmeticIsDefined) {
  TensorBench bench;
  std::vector<uint32_t> singles{0,          0x80000000, 1,          0x80000001, 0x7f800000,
                                0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff};
  for (const float value : {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 127.5F, 126.5F, -128.5F, -129.F, 65519.F, 65520.F, 0x1p-24F,
                            0x1p-25F, 0x1.8p-25F, 2147483520.F, 2147483648.F, -2147483904.F, 3e38F}) {
    singles.push_back(std::bit_cast<uint32_t>(value));
  }
  std::mt19937 random(37);
  while (singles.size() < 4096) singles.push_back(static_cast<uint32_t>(random()));
  test::run_thread([&] {
    for (const unsigned from : kTypes) {
      for (const unsigned to : kTypes) {
        if (from == to) continue;
        const uint32_t from_bytes = bytes_of(from);
        for (uint32_t part = 0; part < (from_bytes == 2 ? 16U : 1U); ++part) {
          auto command = tensor_command(0, NPU_ADDRESS(NPU_SPACE_SHARED, 0), from, to);
          command.u.tensor.size[0] = 4096;
          command.u.tensor.source_stride[0] = static_cast<int32_t>(from_bytes);
          command.u.tensor.destination_stride[0] = static_cast<int32_t>(bytes_of(to));
          for (uint32_t i = 0; i < 4096; ++i) {
            const uint32_t bits = from_bytes == 4 ? singles[i] : part * 4096 + i;
            std::memcpy(bench.at(0) + i * from_bytes, &bits, from_bytes);
          }
          ASSERT_TRUE(bench.run(command).ok());
          for (uint32_t i = 0; i < 4096; ++i) {
            uint32_t bits = 0;
            uint32_t result = 0;
            std::memcpy(&bits, bench.at(0) + i * from_bytes, from_bytes);
            std::memcpy(&result, bench.at(NPU_ADDRESS(NPU_SPACE_SHARED, 0)) + i * bytes_of(to), bytes_of(to));
            ASSERT_EQ(result, reference_convert(bits, from, to)) << from << " to " << to << ": " << std::hex << bits;
          }
        }
      }
    }
  });
}

/// Order of README.md: that of the transfer, but squares of 64 bytes where it transposes.
std::vector<Element> order_of(const npu_dma_tensor& tensor, const std::vector<uint32_t>& list) {
  const auto from = static_cast<int32_t>(bytes_of(tensor.source_type));
  const auto to = static_cast<int32_t>(bytes_of(tensor.destination_type));
  const auto* in = tensor.source_stride;
  const auto* out = tensor.destination_stride;
  const bool down = in[0] == from && out[0] != to && out[1] == to;
  const bool up = out[0] == to && in[0] != from && in[1] == from;
  const bool indexed = !list.empty() && tensor.index_dimension < 2;
  auto plain = elements_of(tensor, list);
  if ((tensor.flags & NPU_DMA_FILL) != 0 || indexed || tensor.size[0] == 1 || tensor.size[1] == 1 || (!down && !up)) {
    return plain;
  }
  const uint32_t edge = 64 / static_cast<uint32_t>(std::max(from, to));
  std::vector<Element> ordered;
  const size_t plane = size_t{tensor.size[0]} * tensor.size[1];
  for (size_t base = 0; base < plain.size(); base += plane) {
    for (uint32_t y = 0; y < tensor.size[1]; y += edge) {
      for (uint32_t x = 0; x < tensor.size[0]; x += edge) {
        const uint32_t width = std::min(edge, tensor.size[0] - x);
        const uint32_t height = std::min(edge, tensor.size[1] - y);
        for (uint32_t i = 0; i < width * height; ++i) {
          const uint32_t column = down ? i / height : i % width;
          const uint32_t row = down ? i % height : i / width;
          ordered.push_back(plain[base + size_t{y + row} * tensor.size[0] + x + column]);
        }
      }
    }
  }
  return ordered;
}

TEST(DmaTensor, StopsAtAnErrorWithAllBeforeItMovedAndNothingAfter) {
  std::mt19937 random(41);
  TensorBench bench;
  bench.randomize(random);
  int faults = 0;
  int transposed = 0;
  test::run_thread([&] {
    for (int round = 0; round < 10000; ++round) {
      std::vector<uint32_t> list;
      const auto command = random_transfer(random, list);
      const auto& tensor = command.u.tensor;
      if (!list.empty()) std::memcpy(bench.at(tensor.indices), list.data(), list.size() * 4);
      const auto elements = order_of(tensor, list);
      const auto before = bench.contents();
      const auto& victim = elements[below(random, elements.size())];
      const bool fill = (tensor.flags & NPU_DMA_FILL) != 0;
      const bool at_source = !fill && below(random, 2) == 0;
      const uint64_t address = at_source ? tensor.source : tensor.destination;
      const uint64_t bad = address + static_cast<uint64_t>(at_source ? victim.from : victim.to);
      const uint64_t physical =
          (NPU_ADDRESS_SPACE(address) == kSegment ? NPU_MAP_DRAM : NPU_MAP_SHARED) + NPU_ADDRESS_OFFSET(bad);
      const bool poison = at_source && below(random, 2) == 0;
      (poison ? bench.target.poisoned : bench.target.failing) = physical;
      const auto outcome = bench.run(command);
      bench.target.failing.reset();
      bench.target.poisoned.reset();
      ASSERT_EQ(outcome.fault, poison ? NPU_FAULT_POISON : NPU_FAULT_BUS) << "round " << round;
      ASSERT_LT(outcome.position, elements.size());
      ASSERT_LE(outcome.fault_address, bad);
      ASSERT_LT(bad - outcome.fault_address, 4096U);
      // Nothing before the position touches what is bad.
      for (uint64_t i = 0; i < outcome.position; ++i) {
        ASSERT_FALSE(!at_source && elements[i].to == victim.to) << "round " << round;
      }
      ASSERT_TRUE(bench.contents() == after(before, tensor, elements, outcome.position))
          << "round " << round << " position " << outcome.position << " of " << elements.size();
      ++faults;
      if (elements.size() > 1 && elements[1].to != elements_of(tensor, list)[1].to) ++transposed;
    }
  });
  EXPECT_EQ(faults, 10000);
  EXPECT_GT(transposed, 20);
}

TEST(DmaTensor, ReadsALongContiguousSourceInLargeBurstsHoweverShortTheRows) {
  TensorBench bench;
  auto command = tensor_command(0, NPU_ADDRESS(NPU_SPACE_SHARED, 0));
  auto& tensor = command.u.tensor;
  tensor.size[0] = 16;
  tensor.size[1] = 512;
  tensor.source_stride[0] = tensor.destination_stride[0] = 1;
  tensor.source_stride[1] = 16;
  tensor.destination_stride[1] = 64;
  test::run_thread([&] { EXPECT_TRUE(bench.run(command).ok()); });
  const auto reads =
      std::count_if(bench.target.log.begin(), bench.target.log.end(), [](const auto& a) { return !a.write; });
  EXPECT_EQ(reads, 32);  // 16 rows, as many as bursts may be outstanding
  EXPECT_EQ(bench.target.log.size(), 32U + 512U);
}

TEST(DmaTensor, TransposesInSquares) {
  TensorBench bench;
  auto command = tensor_command(0, NPU_ADDRESS(NPU_SPACE_SHARED, 0), NPU_TYPE_FP16, NPU_TYPE_FP16);
  auto& tensor = command.u.tensor;
  tensor.size[0] = 64;
  tensor.size[1] = 32;
  tensor.source_stride[0] = 2;
  tensor.source_stride[1] = 256;
  tensor.destination_stride[0] = 128;
  tensor.destination_stride[1] = 2;
  test::run_thread([&] { EXPECT_TRUE(bench.run(command).ok()); });
  EXPECT_EQ(bench.target.log.size(), 2U * (32 + 32));
  for (const auto& access : bench.target.log) EXPECT_EQ(access.bytes, 64U);
}

TEST(DmaTensor, AnAccessAcrossABeatMoreThanItNeedsDelaysTheNextOne) {
  auto parameters = task_dma();
  parameters.misaligned_penalty = ns(3);
  TensorBench bench(parameters);
  const auto arrivals = [&](uint64_t offset) {
    test::run_thread([&, offset] {
      EXPECT_TRUE(
          bench.run(copy_command(NPU_COMMAND_TASK_DMA, offset, NPU_ADDRESS(NPU_SPACE_SHARED, 0), 2, 128, 512, 512))
              .ok());
    });
    return bench.target.log[1].arrival - bench.target.log[0].arrival;  // of the two reads
  };
  EXPECT_EQ(arrivals(0), ns(0));
  EXPECT_EQ(arrivals(8), ns(3));
  EXPECT_EQ(arrivals(64), ns(0));
}

TEST(DmaTensor, AListEntryBeyondItsLimitIsNamed) {
  TensorBench bench;
  auto command = tensor_command(0, NPU_ADDRESS(NPU_SPACE_SHARED, 0));
  auto& tensor = command.u.tensor;
  tensor.size[0] = 8;
  tensor.size[1] = 6;
  tensor.source_stride[0] = tensor.destination_stride[0] = 1;
  tensor.source_stride[1] = tensor.destination_stride[1] = 8;
  tensor.flags = NPU_DMA_GATHER;
  tensor.index_dimension = 1;
  tensor.index_limit = 10;
  tensor.indices = NPU_ADDRESS(kSegment, kList);
  const std::array<uint32_t, 6> list{9, 3, 0, 10, 1, 2};
  std::memcpy(bench.at(tensor.indices), list.data(), sizeof list);
  base::CommandOutcome outcome;
  test::run_thread([&] {
    outcome = bench.run(command);
    EXPECT_EQ(outcome.fault, NPU_FAULT_ADDRESS);
    EXPECT_EQ(outcome.fault_address, tensor.indices + 12);
    EXPECT_EQ(outcome.position, 24U);
    bench.target.failing = NPU_MAP_DRAM + kList;
    outcome = bench.run(command);
    EXPECT_EQ(outcome.fault, NPU_FAULT_BUS);
    EXPECT_EQ(outcome.fault_address, tensor.indices);
    EXPECT_EQ(outcome.position, 0U);
  });
}

TEST(DmaTensor, RefusesEveryWrongField) {
  auto good = tensor_command(0, NPU_ADDRESS(NPU_SPACE_SHARED, 0), NPU_TYPE_FP16, NPU_TYPE_FP32);
  good.u.tensor.size[0] = 4;
  good.u.tensor.source_stride[0] = 2;
  good.u.tensor.destination_stride[0] = 4;
  const auto fault = [&](auto change) {
    auto command = good;
    change(command.u.tensor);
    return check_command(command, NPU_COMMAND_TASK_DMA, 0).fault;
  };
  EXPECT_EQ(fault([](auto&) {}), NPU_FAULT_NONE);
  EXPECT_EQ(fault([](auto& t) { t.size[3] = 0; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.size[1] = t.size[2] = t.size[3] = 0x10000; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.source += 1; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.destination_stride[2] = 2; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.source_type = 0; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.destination_type = 255; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.flags = 8; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.reserved = 1; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.index_limit = 1; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.indices = 4; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(fault([](auto& t) { t.flags = NPU_DMA_FILL; }), NPU_FAULT_ILLEGAL_COMMAND);  // types differ
  EXPECT_EQ(fault([](auto& t) { t.source_stride[0] = -2; }), NPU_FAULT_ADDRESS);
  EXPECT_EQ(fault([](auto& t) { t.destination = NPU_ADDRESS(0x82, 0); }), NPU_FAULT_ADDRESS);
  const auto list = [&](auto change) {
    return fault([&](auto& t) {
      t.flags = NPU_DMA_GATHER;
      t.indices = NPU_ADDRESS(0, 64);
      t.index_limit = 9;
      change(t);
    });
  };
  EXPECT_EQ(list([](auto&) {}), NPU_FAULT_NONE);
  EXPECT_EQ(list([](auto& t) { t.flags |= NPU_DMA_SCATTER; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(list([](auto& t) { t.index_dimension = 5; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(list([](auto& t) { t.indices += 2; }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(list([](auto& t) { t.indices = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0); }), NPU_FAULT_ILLEGAL_COMMAND);
  EXPECT_EQ(list([](auto& t) { t.index_limit = 0; }), NPU_FAULT_ILLEGAL_COMMAND);
}

}  // namespace
}  // namespace npuvp::dma

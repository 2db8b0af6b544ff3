// SPDX-License-Identifier: Apache-2.0
// What a command stream needs of the card, and where it gets it. Expected values by hand from firmware/abi/command.h.
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "firmware/cp/demand.h"
#include "firmware/cp/placement.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kShared = NPU_ADDRESS(NPU_SPACE_SHARED, 0);
constexpr uint64_t kSegment = NPU_ADDRESS(3, 0);
constexpr uint32_t kMiB = 1 << 20;

npu_command command(uint8_t kind, uint8_t opcode, uint8_t engine = 0) {
  npu_command made{};
  made.kind = kind;
  made.opcode = opcode;
  made.engine = engine;
  return made;
}

npu_command copy(uint64_t source, uint64_t destination, uint32_t rows = 1, uint32_t row_bytes = 0x100,
                 uint64_t stride = 0) {
  npu_command made = command(NPU_COMMAND_TASK_DMA, NPU_DMA_COPY);
  made.u.dma.source = source;
  made.u.dma.destination = destination;
  made.u.dma.rows = rows;
  made.u.dma.row_bytes = row_bytes;
  made.u.dma.source_stride = made.u.dma.destination_stride = stride;
  return made;
}

npu_command step_by(int64_t bytes) {
  npu_command made = command(NPU_COMMAND_CONTROL, NPU_CONTROL_STEP);
  made.u.step.field[0].step = bytes;
  made.u.step.field[0].bytes = 8;
  return made;
}

demand of(const std::vector<npu_command>& stream, uint32_t neural_engines = 8) {
  demand needs{};
  for (const npu_command& each : stream) demand_add(&needs, &each, neural_engines);
  return needs;
}

TEST(Demand, IsTheEnginesThatCommandsAndTheirDmaName) {
  EXPECT_EQ(of({}).engines, 0u);
  EXPECT_EQ(of({command(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 2),
                command(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_VECTOR, NPU_ENGINE_VECTOR_QUEUE | 5),
                command(NPU_COMMAND_NEURAL_DMA, NPU_DMA_COPY, 3)})
                .engines,
            0b101100u);
}

TEST(Demand, LeavesOutWhatTheTaskManagerRefuses) {
  EXPECT_EQ(of({command(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 8), command(77, 1, 1),
                command(NPU_COMMAND_NEURAL_DMA, NPU_DMA_COPY, 0x81), command(NPU_COMMAND_TASK_DMA, NPU_DMA_COPY, 4)})
                .engines,
            0u);
  EXPECT_EQ(of({command(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, 2)}, 2).engines, 0u);
}

TEST(Demand, SharedMemoryReachesToTheLastByteOfACopy) {
  EXPECT_EQ(of({copy(kSegment, kSegment + 64)}).shared_bytes, 0u);
  EXPECT_EQ(of({copy(kSegment, kShared + 0x1000)}).shared_bytes, 0x1100u);
  EXPECT_EQ(of({copy(kShared + 0x1000, kSegment, 3, 0x100, 0x4000)}).shared_bytes, 0x1000u + 2 * 0x4000 + 0x100);
  EXPECT_EQ(of({copy(kShared + 0x9000, kSegment), copy(kSegment, kShared)}).shared_bytes, 0x9100u);
}

TEST(Demand, OfACopyWhoseRowsWrapAroundIsEverything) {
  EXPECT_EQ(of({copy(kShared, kSegment, 3, 16, UINT64_MAX - 15)}).shared_bytes, DEMAND_ALL_SHARED);
}

TEST(Demand, SharedMemoryReachesToTheLastElementOfATensor) {
  npu_command made = command(NPU_COMMAND_NEURAL_DMA, NPU_DMA_TENSOR, 1);
  npu_dma_tensor& tensor = made.u.tensor;
  tensor.source = kShared + 0x8000;
  tensor.destination = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0);
  const std::vector<uint32_t> sizes{16, 4, 2, 1, 1};
  const std::vector<int32_t> strides{4, 0x1000, -0x4000, 0x7fffffff, 0};
  std::copy(sizes.begin(), sizes.end(), tensor.size);
  std::copy(strides.begin(), strides.end(), tensor.source_stride);
  EXPECT_EQ(of({made}).shared_bytes, 0x8000u + 15 * 4 + 3 * 0x1000 + 4);
  tensor.flags = NPU_DMA_FILL;  // the source is bits
  EXPECT_EQ(of({made}).shared_bytes, 0u);
  tensor.flags = NPU_DMA_GATHER;
  EXPECT_EQ(of({made}).shared_bytes, DEMAND_ALL_SHARED);
  tensor.source = kSegment;
  EXPECT_EQ(of({made}).shared_bytes, 0u);
  tensor.indices = kShared;
  EXPECT_EQ(of({made}).shared_bytes, DEMAND_ALL_SHARED);
}

TEST(Demand, OfATensorBeyondAllMemoryIsEverything) {
  npu_command made = command(NPU_COMMAND_TASK_DMA, NPU_DMA_TENSOR);
  made.u.tensor.destination = kShared;
  for (uint32_t i = 0; i < NPU_DMA_DIMENSIONS; ++i) {
    made.u.tensor.size[i] = UINT32_MAX;
    made.u.tensor.destination_stride[i] = INT32_MAX;
  }
  EXPECT_EQ(of({made}).shared_bytes, DEMAND_ALL_SHARED);
}

TEST(Demand, OfWhatTheStreamDoesNotTellIsEverything) {
  EXPECT_EQ(of({command(NPU_COMMAND_TASK_DMA, NPU_DMA_CHAIN)}).shared_bytes, DEMAND_ALL_SHARED);
  EXPECT_EQ(of({step_by(64), copy(kShared, kSegment)}).shared_bytes, DEMAND_ALL_SHARED);
  EXPECT_EQ(of({step_by(1ll << 40), copy(kSegment, kSegment)}).shared_bytes, DEMAND_ALL_SHARED);
  EXPECT_EQ(of({step_by(INT64_MIN), copy(kSegment, kSegment)}).shared_bytes, DEMAND_ALL_SHARED);
  EXPECT_EQ(of({step_by(64), copy(kSegment, kSegment)}).shared_bytes, 0u);
  // A step is the next command's only.
  EXPECT_EQ(of({step_by(64), copy(kSegment, kSegment), copy(kSegment, kShared)}).shared_bytes, 0x100u);
}

constexpr placement_card kCard{8, 32 * kMiB};

demand need(uint32_t engines, uint64_t shared_bytes) {
  demand made{};
  made.engines = engines;
  made.shared_bytes = shared_bytes;
  return made;
}

part taken_at(uint32_t engines, uint32_t shared_base, uint32_t shared_bytes) {
  return {engines, 0, shared_base, shared_bytes};
}

TEST(Placement, GivesAJobItsOwnNumbersWhenTheyAreFree) {
  const demand needs = need(0b110000, 1);
  part place{};
  ASSERT_TRUE(placement_find(&kCard, &needs, nullptr, 0, &place));
  EXPECT_EQ(place.engines, 0b110000u);
  EXPECT_EQ(place.first_engine, 4u);
  EXPECT_EQ(place.shared_base, 0u);
  EXPECT_EQ(place.shared_bytes, PLACEMENT_SHARED_BLOCK);
}

TEST(Placement, GivesOtherEnginesWhenTheyAreNot) {
  const part taken = taken_at(0b00100101, 0, 2 * kMiB);
  const demand needs = need(0b1010, kMiB);  // engine 2 between them counts as well
  part place{};
  ASSERT_TRUE(placement_find(&kCard, &needs, &taken, 1, &place));
  EXPECT_EQ(place.engines, 0b11010u);
  EXPECT_EQ(place.first_engine, 1u);
  EXPECT_EQ(part_engine(&place, 1), 1u);
  EXPECT_EQ(part_engine(&place, 2), 3u);
  EXPECT_EQ(part_engine(&place, 3), 4u);
  EXPECT_EQ(place.shared_base, 2 * kMiB);
}

TEST(Placement, FindsTheGapInTheSharedMemory) {
  const part taken[] = {taken_at(0, 0, 4 * kMiB), taken_at(0, 20 * kMiB, 12 * kMiB), taken_at(0, 6 * kMiB, 4 * kMiB)};
  demand needs = need(0, 3 * kMiB);
  part place{};
  ASSERT_TRUE(placement_find(&kCard, &needs, taken, 3, &place));
  EXPECT_EQ(place.shared_base, 10 * kMiB);
  needs.shared_bytes = 11 * kMiB;
  EXPECT_FALSE(placement_find(&kCard, &needs, taken, 3, &place));
  needs.shared_bytes = 0;
  ASSERT_TRUE(placement_find(&kCard, &needs, taken, 3, &place));
  EXPECT_EQ(place.shared_base, 32 * kMiB);  // where there is none: 0 bytes from there on are none
  EXPECT_EQ(place.shared_bytes, 0u);
}

TEST(Placement, MoreThanThereIsIsEverything) {
  const demand needs = need(UINT32_MAX, DEMAND_ALL_SHARED);
  part place{};
  ASSERT_TRUE(placement_find(&kCard, &needs, nullptr, 0, &place));
  EXPECT_EQ(place.engines, 0xffu);
  EXPECT_EQ(place.shared_bytes, 32 * kMiB);
  EXPECT_EQ(part_weight(&kCard, &place), PLACEMENT_WHOLE_CARD);
}

TEST(Placement, ReservesWhatJobsThatRunWillLeave) {
  const part taken = taken_at(0x3c, 0, 4 * kMiB);
  const demand needs = need(0x3f, 30 * kMiB);
  const part place = placement_reserve(&kCard, &needs, &taken, 1);
  EXPECT_EQ(place.engines, 0x3fu);
  EXPECT_EQ(place.shared_base, 0u);
}

TEST(Placement, WeightIsTheLargerShare) {
  part place = taken_at(0x0f, 0, 8 * kMiB);
  EXPECT_EQ(part_weight(&kCard, &place), PLACEMENT_WHOLE_CARD / 2);
  place.shared_bytes = 24 * kMiB;
  EXPECT_EQ(part_weight(&kCard, &place), PLACEMENT_WHOLE_CARD * 3 / 4);
  place = part{};
  EXPECT_EQ(part_weight(&kCard, &place), PLACEMENT_WHOLE_CARD / 8);
}

}  // namespace
}  // namespace npuvp::firmware_test

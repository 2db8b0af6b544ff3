// SPDX-License-Identifier: Apache-2.0
// Each rule of firmware/abi/queue.h and mailbox.h: one field wrong at a time must be refused, its limits accepted.
#include <gtest/gtest.h>

#include <functional>

#include "firmware/abi/memory_map.h"

extern "C" {
#include "firmware/cp/validate.h"
}

namespace {

constexpr uint64_t kMask = NPU_MAP_HOST_ADDRESS_MASK;

queue_arguments good_queue() {
  return {.queue = 15,
          .log2_entries = 10,
          .vector = 31,
          .context = 5,
          .submission_ring = 0x1000,
          .completion_ring = kMask + 1 - 65536};
}

const char* queue_with(const std::function<void(queue_arguments&)>& change) {
  queue_arguments arguments = good_queue();
  change(arguments);
  return validate_queue(&arguments, NPU_QUEUES, NPU_MSIX_VECTORS);
}

TEST(ValidateQueue, AcceptsTheLimits) {
  EXPECT_EQ(queue_with([](auto&) {}), nullptr);
  EXPECT_EQ(queue_with([](auto& q) { q.queue = q.vector = 0, q.log2_entries = 2; }), nullptr);
}

TEST(ValidateQueue, RefusesEachWrongArgument) {
  EXPECT_NE(queue_with([](auto& q) { q.queue = 16; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.log2_entries = 1; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.log2_entries = 11; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.vector = 32; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.submission_ring = 0x1800; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.completion_ring = 0x40; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.completion_ring += 4096; }), nullptr);
  EXPECT_NE(queue_with([](auto& q) { q.submission_ring = UINT64_MAX - 4095; }), nullptr);
}

TEST(ValidateQueue, AVirtualFunctionHasFewerQueuesAndVectors) {
  auto check = [](uint32_t queue, uint32_t vector) {
    queue_arguments arguments = good_queue();
    arguments.queue = queue;
    arguments.vector = vector;
    return validate_queue(&arguments, NPU_VF_QUEUES, NPU_VF_MSIX_VECTORS) == nullptr;
  };
  EXPECT_TRUE(check(1, 3));
  EXPECT_FALSE(check(2, 3));
  EXPECT_FALSE(check(1, 4));
}

TEST(ValidateQueue, UnpacksTheMessage) {
  mailbox_message message{{3, 0x001f'0a'0f, 0x1000, 0x2, 0x3000, 0x4, 99, 0}};
  queue_arguments q = queue_arguments_from(&message);
  EXPECT_EQ(q.queue, 15u);
  EXPECT_EQ(q.log2_entries, 10u);
  EXPECT_EQ(q.vector, 31u);
  EXPECT_EQ(q.submission_ring, 0x2'0000'1000u);
  EXPECT_EQ(q.completion_ring, 0x4'0000'3000u);
  EXPECT_EQ(q.context, 99u);
}

const char* submission_with(const std::function<void(npu_submission&)>& change) {
  npu_submission submission{};
  submission.opcode = NPU_SUBMIT_EXECUTE;
  submission.context = 7;
  submission.segment_table = 0x1020;
  submission.segment_count = 16;
  submission.command_segment = 15;
  submission.command_bytes = NPU_MAX_COMMAND_BYTES;
  change(submission);
  return validate_submission(&submission, 7);
}

TEST(ValidateSubmission, AcceptsTheLimits) {
  EXPECT_EQ(submission_with([](auto&) {}), nullptr);
  EXPECT_EQ(submission_with([](auto& s) { s.command_bytes = 128, s.segment_count = 1, s.command_segment = 0; }),
            nullptr);
  EXPECT_EQ(submission_with([](auto& s) { s.segment_table = kMask + 1 - 512; }), nullptr);
}

TEST(ValidateSubmission, RefusesEachWrongField) {
  EXPECT_NE(submission_with([](auto& s) { s.opcode = 2; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.context = 8; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.reserved[0] = 1; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.reserved[1] = 1ull << 63; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.segment_count = 0; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.segment_count = 17; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.command_segment = 16; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.segment_table = 0x1010; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.segment_table = kMask + 1 - 480; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.command_bytes = 0; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.command_bytes = 64; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.command_bytes = NPU_MAX_COMMAND_BYTES + 128; }), nullptr);
  EXPECT_NE(submission_with([](auto& s) { s.command_offset = 64; }), nullptr);
}

TEST(ValidateSubmission, ChecksOnlyTheCommonFieldsOfANop) {
  auto nop = [](auto change) {
    return submission_with([&](npu_submission& s) {
      s = npu_submission{};
      s.context = 7;
      change(s);
    });
  };
  EXPECT_EQ(nop([](auto&) {}), nullptr);
  EXPECT_NE(nop([](auto& s) { s.context = 0; }), nullptr);
  EXPECT_NE(nop([](auto& s) { s.reserved[0] = 1; }), nullptr);
}

constexpr uint64_t kJobBase = NPU_MAP_DRAM + NPU_DRAM_RESERVED_BYTES;

const char* segment_with(npu_segment segment) {
  const share share{kJobBase, 0x10000};
  return validate_segment(&segment, &share);
}

TEST(ValidateSegment, AcceptsDeviceMemoryUpToItsLastByte) {
  EXPECT_EQ(segment_with({kJobBase, 0x10000, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_EQ(segment_with({kJobBase + 0xffff, 1, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0}), nullptr);
}

TEST(ValidateSegment, RefusesDeviceMemoryOutsideTheJobsDram) {
  EXPECT_NE(segment_with({kJobBase - 1, 2, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({NPU_MAP_DRAM, 0x1000, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase, 0x10001, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase + 1, 0x10000, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase + 0x10000, 1, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({NPU_MAP_TCM, 0x100, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase + 8, UINT64_MAX - 7, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
  EXPECT_NE(segment_with({UINT64_MAX - 7, 16, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
}

TEST(ValidateSegment, AcceptsPageListsUpToTheLastAddressableByte) {
  EXPECT_EQ(segment_with({8, 1, NPU_SEGMENT_HOST_PAGES, NPU_SEGMENT_WRITABLE, 0}), nullptr);
  EXPECT_EQ(segment_with({kMask + 1 - 16, 4097, NPU_SEGMENT_HOST_PAGES, 0, 0}), nullptr);
}

TEST(ValidateSegment, RefusesPageListsThatCannotBeReached) {
  EXPECT_NE(segment_with({12, 1, NPU_SEGMENT_HOST_PAGES, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kMask + 1 - 16, 8193, NPU_SEGMENT_HOST_PAGES, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kMask + 1, 1, NPU_SEGMENT_HOST_PAGES, 0, 0}), nullptr);
  EXPECT_NE(segment_with({8, UINT64_MAX, NPU_SEGMENT_HOST_PAGES, 0, 0}), nullptr);
}

TEST(ValidateSegment, RefusesUnknownKindsFlagsReservedBitsAndEmptySegments) {
  EXPECT_NE(segment_with({kJobBase, 8, 0, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase, 8, 3, 0, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase, 8, NPU_SEGMENT_DEVICE, 2, 0}), nullptr);
  EXPECT_NE(segment_with({kJobBase, 8, NPU_SEGMENT_DEVICE, 0, 1}), nullptr);
  EXPECT_NE(segment_with({kJobBase, 0, NPU_SEGMENT_DEVICE, 0, 0}), nullptr);
}

TEST(ValidateCommands, KeepsTheRangeInsideTheSegment) {
  auto check = [](uint64_t offset, uint32_t bytes, uint64_t size) {
    npu_submission submission{};
    submission.command_offset = offset;
    submission.command_bytes = bytes;
    npu_segment segment{kJobBase, size, NPU_SEGMENT_DEVICE, 0, 0};
    return validate_commands(&submission, &segment) == nullptr;
  };
  EXPECT_TRUE(check(0, 256, 256));
  EXPECT_TRUE(check(128, 128, 256));
  EXPECT_FALSE(check(128, 256, 256));
  EXPECT_FALSE(check(256, 128, 256));
  EXPECT_FALSE(check(0, 256, 255));
  EXPECT_FALSE(check(UINT64_MAX - 127, 128, 256));
}

}  // namespace

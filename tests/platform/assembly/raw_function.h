// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <vector>

#include "firmware/abi/command.h"
#include "firmware/abi/context.h"
#include "firmware/abi/mailbox.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "npu/registers/mailbox.h"
#include "platform/host/inproc/inproc_host.h"

namespace npuvp::tests {

/// Host memory of a function with its page list, which a test may forge.
class PagedBlock {
 public:
  PagedBlock(host::HostMemory& memory, uint64_t bytes)
      : block_(memory, (bytes + NPU_HOST_PAGE_BYTES - 1) / NPU_HOST_PAGE_BYTES * NPU_HOST_PAGE_BYTES),
        list_(memory, block_.bytes().size() / NPU_HOST_PAGE_BYTES * sizeof(uint64_t)) {
    for (uint64_t page = 0; page < block_.bytes().size() / NPU_HOST_PAGE_BYTES; ++page) {
      set_page(page, block_.bus_address() + page * NPU_HOST_PAGE_BYTES);
    }
  }

  void set_page(uint64_t page, uint64_t bus_address) {
    std::memcpy(list_.bytes().data() + page * sizeof bus_address, &bus_address, sizeof bus_address);
  }
  [[nodiscard]] std::span<uint8_t> bytes() const { return block_.bytes(); }
  [[nodiscard]] uint64_t bus_address() const { return block_.bus_address(); }
  [[nodiscard]] npu_segment segment() const {
    return {list_.bus_address(), block_.bytes().size(), NPU_SEGMENT_HOST_PAGES, NPU_SEGMENT_WRITABLE, 0};
  }

 private:
  host::HostBlock block_;
  host::HostBlock list_;
};

/// A copy by one of the DMA engines, without tokens.
inline npu_command copy_command(npu_command_kind kind, unsigned engine, uint64_t source, uint64_t destination,
                                uint32_t bytes) {
  npu_command command{};
  command.kind = static_cast<uint8_t>(kind);
  command.opcode = NPU_DMA_COPY;
  command.engine = static_cast<uint8_t>(engine);
  command.signal = NPU_TOKEN_NONE;
  for (auto& wait : command.wait) wait = {NPU_TOKEN_NONE, 0};
  command.u.dma.source = source;
  command.u.dma.destination = destination;
  command.u.dma.rows = 1;
  command.u.dma.row_bytes = bytes;
  return command;
}

/// A PCIe function of a card whose firmware runs, driven by a program that owns the function and nothing else, and that
/// checks nothing it sends. It polls: a function whose interrupts do not come is no reason to stop.
class RawFunction {
 public:
  using Message = std::array<uint32_t, NPU_MAILBOX_WORDS>;

  static constexpr uint32_t kNoReply = ~0U;

  RawFunction(host::InprocHost& host, const host::PciFunction& function)
      : host_(host),
        function_(function),
        submissions_(host.ram(), kEntries * sizeof(npu_submission)),
        completions_(host.ram(), kEntries * sizeof(npu_completion)),
        commands_(host.ram(), kMostCommandBytes),
        segment_table_(host.ram(), NPU_HOST_PAGE_BYTES) {}

  [[nodiscard]] const host::PciFunction& function() const { return function_; }
  [[nodiscard]] uint64_t bar(unsigned index) const { return function_.bars.at(index); }
  [[nodiscard]] uint32_t read(uint64_t offset) { return host_.mmio_read32(bar(0) + offset); }
  void write(uint64_t offset, uint32_t value) { host_.mmio_write32(bar(0) + offset, value); }

  void send(uint32_t opcode, Message message = {}) {
    message[0] = NPU_MAILBOX_WORD0(opcode, ++sequence_, 0);
    for (uint32_t word = 0; word < NPU_MAILBOX_WORDS; ++word) write(MAILBOX_HOST_H2C_DATA(word), message.at(word));
    write(MAILBOX_HOST_H2C_DOORBELL, MAILBOX_HOST_H2C_DOORBELL_RING_MASK);
  }
  /// The reply, or kNoReply in word 0 when none comes within a second.
  Message call(uint32_t opcode, const Message& message = {}) {
    send(opcode, message);
    Message reply{kNoReply};
    if (!poll([&] { return (read(MAILBOX_HOST_STATUS) & MAILBOX_HOST_STATUS_C2H_PENDING_MASK) != 0; })) return reply;
    for (uint32_t word = 0; word < NPU_MAILBOX_WORDS; ++word) reply.at(word) = read(MAILBOX_HOST_C2H_DATA(word));
    write(MAILBOX_HOST_STATUS, MAILBOX_HOST_STATUS_C2H_PENDING_MASK);
    return reply;
  }
  uint32_t status_of(uint32_t opcode, Message message = {}) { return NPU_MAILBOX_STATUS(call(opcode, message)[0]); }

  /// Card physical address and size of the DRAM that is the function's.
  npu_segment share() {
    const auto hello = call(NPU_MESSAGE_HELLO, {0, NPU_ABI_VERSION});
    return {uint64_t{hello[7]} << 20, uint64_t{hello[5]} << 20, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE, 0};
  }

  /// Arguments of QUEUE_CREATE, with the rings of this object.
  [[nodiscard]] Message queue_arguments(uint32_t queue, uint32_t vector) const {
    const uint64_t sq = submissions_.bus_address();
    const uint64_t cq = completions_.bus_address();
    return {0,
            queue | kLog2Entries << 8 | vector << 16,
            static_cast<uint32_t>(sq),
            static_cast<uint32_t>(sq >> 32),
            static_cast<uint32_t>(cq),
            static_cast<uint32_t>(cq >> 32),
            kContext};
  }

  /// Queue 0 with vector 1.
  uint32_t create_queue() {
    std::fill(completions_.bytes().begin(), completions_.bytes().end(), uint8_t{0});
    tail_ = head_ = 0;
    phase_ = 1;
    write(MAILBOX_HOST_SQ_TAIL(0), 0);
    write(MAILBOX_HOST_CQ_HEAD(0), 0);
    return status_of(NPU_MESSAGE_QUEUE_CREATE, queue_arguments(0, 1));
  }
  /// The queue anew, of a context with an address space of its own, in which nothing is mapped. Returns its ASID.
  uint32_t enter_address_space() {
    destroy_queue();
    const auto reply = call(NPU_MESSAGE_CONTEXT_CREATE,
                            {0, kContext, NPU_CONTEXT_WORD(NPU_PRIORITY_NORMAL, 0, NPU_CONTEXT_ADDRESS_SPACE)});
    create_queue();
    return reply[1];
  }
  /// As it was before.
  uint32_t leave_address_space() {
    call(NPU_MESSAGE_CONTEXT_DESTROY, {0, kContext});
    return create_queue();
  }
  uint32_t destroy_queue() { return status_of(NPU_MESSAGE_QUEUE_DESTROY, {0, 0}); }

  /// Runs a job on queue 0 whose segment 0 holds the commands, the others `segments`. Status NPU_JOB_ABORTED and job 0
  /// when no completion comes.
  npu_completion run(std::span<const npu_command> commands, std::initializer_list<npu_segment> segments) {
    std::memcpy(commands_.bytes().data(), commands.data(), commands.size_bytes());
    std::vector<npu_segment> table{commands_.segment()};
    table.insert(table.end(), segments);
    return submit(table, static_cast<uint32_t>(commands.size_bytes()));
  }
  npu_completion run(const npu_command& command, std::initializer_list<npu_segment> segments) {
    return run(std::span(&command, 1), segments);
  }
  /// The same with any segment table; the commands are at the start of segment 0.
  npu_completion submit(std::span<const npu_segment> table, uint32_t command_bytes) {
    std::memcpy(segment_table_.bytes().data(), table.data(), table.size_bytes());
    npu_submission submission{};
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.context = kContext;
    submission.job = ++job_;
    submission.segment_table = segment_table_.bus_address();
    submission.segment_count = static_cast<uint32_t>(table.size());
    submission.command_bytes = command_bytes;
    std::memcpy(submissions_.bytes().data() + tail_ * sizeof submission, &submission, sizeof submission);
    tail_ = (tail_ + 1) % kEntries;
    write(MAILBOX_HOST_SQ_TAIL(0), tail_);
    return completion();
  }

  /// Bytes of a segment of the function's, by a job; throws when that fails.
  void write_memory(const npu_segment& segment, std::span<const uint8_t> data) {
    PagedBlock staging(host_.ram(), data.size());
    std::copy(data.begin(), data.end(), staging.bytes().begin());
    const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(1, 0), NPU_ADDRESS(2, 0),
                                      static_cast<uint32_t>(data.size()));
    expect_ok(run(command, {staging.segment(), segment}), "write");
  }
  std::vector<uint8_t> read_memory(const npu_segment& segment) {
    PagedBlock staging(host_.ram(), segment.size);
    const auto command = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(2, 0), NPU_ADDRESS(1, 0),
                                      static_cast<uint32_t>(segment.size));
    expect_ok(run(command, {staging.segment(), segment}), "read");
    return {staging.bytes().begin(), staging.bytes().begin() + static_cast<int64_t>(segment.size)};
  }

 private:
  static constexpr uint32_t kLog2Entries = 4;
  static constexpr uint32_t kEntries = 1U << kLog2Entries;
  static constexpr uint32_t kContext = 1;
  static constexpr uint64_t kMostCommandBytes = 16 * NPU_HOST_PAGE_BYTES;

  template <typename Condition>
  bool poll(Condition condition) {
    const sc_core::sc_time limit = sc_core::sc_time_stamp() + sc_core::sc_time(2, sc_core::SC_SEC);
    while (!condition()) {
      if (sc_core::sc_time_stamp() >= limit) return false;
      sc_core::wait(20, sc_core::SC_US);
    }
    return true;
  }

  npu_completion completion() {
    npu_completion entry{};
    const auto arrived = [&] {
      std::memcpy(&entry, completions_.bytes().data() + head_ * sizeof entry, sizeof entry);
      return entry.phase == phase_;
    };
    if (!poll(arrived)) {
      entry = {};
      entry.status = NPU_JOB_ABORTED;
      return entry;
    }
    head_ = (head_ + 1) % kEntries;
    if (head_ == 0) phase_ ^= 1U;
    write(MAILBOX_HOST_CQ_HEAD(0), head_);
    return entry;
  }

  static void expect_ok(const npu_completion& done, const char* what) {
    if (done.status == NPU_JOB_OK) return;
    throw std::runtime_error(fmt::format("{} of memory by a job: status {}, fault {}", what, done.status, done.fault));
  }

  host::InprocHost& host_;
  host::PciFunction function_;
  host::HostBlock submissions_;
  host::HostBlock completions_;
  PagedBlock commands_;
  host::HostBlock segment_table_;
  uint32_t sequence_ = 0;
  uint32_t tail_ = 0;
  uint32_t head_ = 0;
  uint32_t phase_ = 1;
  uint64_t job_ = 0;
};

}  // namespace npuvp::tests

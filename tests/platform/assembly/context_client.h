// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "firmware/abi/context.h"
#include "firmware/abi/fault.h"
#include "tests/platform/assembly/raw_function.h"

namespace npuvp::tests {

/// What a job is to meet.
enum class Trouble : uint8_t {
  kNone,
  kDeadlock,        ///< Waits for a token that nobody signals.
  kIllegalCommand,  ///< Of a kind that there is not.
  kBadAddress,      ///< Reads behind the end of a segment.
  kReadOnly,        ///< Writes a segment that is not writable.
  kDoubleError,     ///< Reads the DRAM word that the test has made uncorrectable.
  kRefused,         ///< A submission with a reserved bit set.
  kHang,            ///< An engine that the test has told to hang.
};

/// How such a job ends, from firmware/abi/status.h, and in which of its commands.
struct Ending {
  uint32_t status = NPU_JOB_OK;
  uint32_t fault = NPU_FAULT_NONE;
  uint32_t command = 0;
};
inline Ending ending_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::kNone:
      return {};
    case Trouble::kDeadlock:
      return {NPU_JOB_FAULT, NPU_FAULT_DEADLOCK, 1};
    case Trouble::kIllegalCommand:
      return {NPU_JOB_FAULT, NPU_FAULT_ILLEGAL_COMMAND, 1};
    case Trouble::kBadAddress:
      return {NPU_JOB_FAULT, NPU_FAULT_ADDRESS, 1};
    case Trouble::kReadOnly:
      return {NPU_JOB_FAULT, NPU_FAULT_PERMISSION, 0};
    case Trouble::kDoubleError:
      return {NPU_JOB_FAULT, NPU_FAULT_POISON, 1};
    case Trouble::kRefused:
      return {NPU_JOB_BAD_SUBMISSION, NPU_FAULT_NONE, 0};
    case Trouble::kHang:
      return {NPU_JOB_TIMEOUT, NPU_FAULT_ENGINE_STUCK, 1};
  }
  return {};
}

/// A program with a context and one queue of a function, which has many jobs under way. A job copies a pattern from the
/// host into the context's DRAM and back. Every completion is compared with what the job was to meet.
class ContextClient {
 public:
  static constexpr uint32_t kEntries = 16;
  static constexpr uint32_t kBytes = 256;
  /// Where the uncorrectable word has to be in the client's DRAM.
  static constexpr uint64_t kBadOffset = 2 * NPU_HOST_PAGE_BYTES;

  struct Rights {
    uint32_t priority = NPU_PRIORITY_NORMAL;
    uint32_t flags = 0;
    uint32_t job_limit_us = 0;
    uint32_t hang_limit_us = 0;
  };
  struct Done {
    Trouble trouble;
    npu_completion completion;
  };

  /// `dram`: four pages of the function's share that are the client's.
  ContextClient(host::InprocHost& host, RawFunction& function, uint32_t context, uint32_t queue, npu_segment dram)
      : host_(host),
        function_(function),
        context_(context),
        queue_(queue),
        dram_(dram),
        submissions_(host.ram(), kEntries * sizeof(npu_submission)),
        completions_(host.ram(), kEntries * sizeof(npu_completion)),
        tables_(host.ram(), kEntries * kTableBytes) {
    for (uint32_t slot = 0; slot < kEntries; ++slot) {
      slots_.push_back(std::make_unique<Slot>(host.ram()));
    }
  }

  uint32_t create(const Rights& rights) {
    const auto reply = function_.call(
        NPU_MESSAGE_CONTEXT_CREATE,
        {0, context_, NPU_CONTEXT_WORD(rights.priority, 0, rights.flags), rights.job_limit_us, rights.hang_limit_us});
    asid = reply[1];
    const uint32_t status = NPU_MAILBOX_STATUS(reply[0]);
    return status != NPU_MAILBOX_OK ? status : create_queue();
  }
  uint32_t create_queue() {
    std::fill(completions_.bytes().begin(), completions_.bytes().end(), uint8_t{0});
    tail_ = head_ = 0;
    phase_ = 1;
    function_.write(MAILBOX_HOST_SQ_TAIL(queue_), 0);
    function_.write(MAILBOX_HOST_CQ_HEAD(queue_), 0);
    const uint64_t sq = submissions_.bus_address();
    const uint64_t cq = completions_.bus_address();
    return function_.status_of(
        NPU_MESSAGE_QUEUE_CREATE,
        {0, queue_ | kLog2Entries << 8 | (1 + queue_) << 16, static_cast<uint32_t>(sq), static_cast<uint32_t>(sq >> 32),
         static_cast<uint32_t>(cq), static_cast<uint32_t>(cq >> 32), context_});
  }
  /// Reply of CONTEXT_DESTROY, without completions that came meanwhile: reap() finds them.
  RawFunction::Message destroy() { return function_.call(NPU_MESSAGE_CONTEXT_DESTROY, {0, context_}); }
  RawFunction::Message status() { return function_.call(NPU_MESSAGE_CONTEXT_STATUS, {0, context_}); }

  [[nodiscard]] bool has_room() const { return outstanding_.size() + 1 < kEntries; }
  [[nodiscard]] size_t outstanding() const { return outstanding_.size(); }
  [[nodiscard]] uint64_t submitted() const { return job_; }

  /// Number of the job. There is room.
  uint64_t submit(Trouble trouble, uint32_t timeout_us = 0) {
    auto& slot = *slots_[tail_];
    const auto commands = commands_for(trouble);
    for (uint32_t i = 0; i < kBytes; ++i) slot.data.bytes()[i] = static_cast<uint8_t>(job_ * 7 + i);
    std::fill_n(slot.data.bytes().begin() + kOutput, kBytes, uint8_t{0});
    return submit_commands(commands, trouble, timeout_us);
  }
  /// A job of the caller's commands, at most 32: segment 1 is the client's DRAM, 2 a page of the host. Its data are not
  /// looked at.
  uint64_t submit_stream(std::span<const npu_command> commands) {
    const uint64_t job = submit_commands(commands, Trouble::kNone, 0);
    outstanding_[job].own_commands = true;
    return job;
  }

  /// Takes the completions that have come. A job that completes twice, or that there is not, fails the test.
  std::vector<Done> reap() {
    std::vector<Done> done;
    for (;;) {
      npu_completion entry{};
      std::memcpy(&entry, completions_.bytes().data() + head_ * sizeof entry, sizeof entry);
      if (entry.phase != phase_) break;
      head_ = (head_ + 1) % kEntries;
      if (head_ == 0) phase_ ^= 1U;
      const auto found = outstanding_.find(entry.job);
      if (found == outstanding_.end()) {
        ADD_FAILURE() << "context " << context_ << ": completion of job " << entry.job << ", which is not under way";
        continue;
      }
      if (entry.status == NPU_JOB_OK && !found->second.own_commands) check_data(*slots_[found->second.slot]);
      done.push_back({found->second.trouble, entry});
      outstanding_.erase(found);
    }
    if (!done.empty()) function_.write(MAILBOX_HOST_CQ_HEAD(queue_), head_);
    return done;
  }

  /// Waits for all jobs under way; false if that takes longer than `limit`.
  bool drain(std::vector<Done>& done, sc_core::sc_time limit = {2, sc_core::SC_SEC}) {
    const auto deadline = sc_core::sc_time_stamp() + limit;
    while (!outstanding_.empty()) {
      const auto more = reap();
      done.insert(done.end(), more.begin(), more.end());
      if (sc_core::sc_time_stamp() >= deadline) return outstanding_.empty();
      if (more.empty()) sc_core::wait(20, sc_core::SC_US);
    }
    return true;
  }
  /// Submits one job and waits for it.
  std::optional<npu_completion> run(Trouble trouble, uint32_t timeout_us = 0) {
    std::vector<Done> done;
    submit(trouble, timeout_us);
    if (!drain(done) || done.size() != 1) return std::nullopt;
    return done.front().completion;
  }

  uint32_t asid = 0;

 private:
  static constexpr uint32_t kLog2Entries = 4;
  static constexpr uint64_t kTableBytes = 128;
  static constexpr uint64_t kOutput = 2048;

  struct Slot {
    explicit Slot(host::HostMemory& memory)
        : commands(memory, NPU_HOST_PAGE_BYTES), data(memory, NPU_HOST_PAGE_BYTES) {}
    PagedBlock commands;
    PagedBlock data;
  };
  struct Job {
    Trouble trouble;
    uint32_t slot;
    bool own_commands;
  };

  static std::array<npu_command, 2> commands_for(Trouble trouble) {
    auto in = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(2, 0), NPU_ADDRESS(1, 0), kBytes);
    auto out = copy_command(NPU_COMMAND_EXTERNAL_HDMA, 1, NPU_ADDRESS(1, 0), NPU_ADDRESS(2, kOutput), kBytes);
    in.signal = 0;
    out.wait[0] = {0, 1};
    if (trouble == Trouble::kDeadlock) out.wait[0].count = 2;
    if (trouble == Trouble::kIllegalCommand) out.kind = 77;
    if (trouble == Trouble::kBadAddress) out.u.dma.source = NPU_ADDRESS(1, 4 * NPU_HOST_PAGE_BYTES - kBytes / 2);
    if (trouble == Trouble::kDoubleError) out.u.dma.source = NPU_ADDRESS(1, kBadOffset);
    return {in, out};
  }
  uint64_t submit_commands(std::span<const npu_command> commands, Trouble trouble, uint32_t timeout_us) {
    auto& slot = *slots_[tail_];
    std::memcpy(slot.commands.bytes().data(), commands.data(), commands.size_bytes());
    auto writable = dram_;
    if (trouble == Trouble::kReadOnly) writable.flags = 0;
    const std::array<npu_segment, 3> table{slot.commands.segment(), writable, slot.data.segment()};
    std::memcpy(tables_.bytes().data() + tail_ * kTableBytes, table.data(), sizeof table);

    npu_submission submission{};
    submission.opcode = NPU_SUBMIT_EXECUTE;
    submission.context = context_;
    submission.job = ++job_;
    submission.segment_table = tables_.bus_address() + tail_ * kTableBytes;
    submission.segment_count = table.size();
    submission.command_bytes = static_cast<uint32_t>(commands.size_bytes());
    submission.timeout_us = timeout_us;
    submission.reserved[1] = trouble == Trouble::kRefused ? 1 : 0;
    std::memcpy(submissions_.bytes().data() + tail_ * sizeof submission, &submission, sizeof submission);
    outstanding_[job_] = {trouble, tail_, false};
    tail_ = (tail_ + 1) % kEntries;
    function_.write(MAILBOX_HOST_SQ_TAIL(queue_), tail_);
    return job_;
  }
  static void check_data(const Slot& slot) {
    const auto bytes = slot.data.bytes();
    EXPECT_EQ(std::memcmp(bytes.data(), bytes.data() + kOutput, kBytes), 0);
  }

  host::InprocHost& host_;
  RawFunction& function_;
  const uint32_t context_;
  const uint32_t queue_;
  const npu_segment dram_;
  host::HostBlock submissions_;
  host::HostBlock completions_;
  host::HostBlock tables_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<uint64_t, Job> outstanding_;
  uint32_t tail_ = 0;
  uint32_t head_ = 0;
  uint32_t phase_ = 1;
  uint64_t job_ = 0;
};

/// Reads fault records of a function, each once.
class FaultReader {
 public:
  FaultReader(host::InprocHost& host, RawFunction& function)
      : function_(function), block_(host.ram(), NPU_FAULT_RECORDS * sizeof(npu_fault_record)) {}

  /// Those that came since the last call; `of`: 0 the function's own, n virtual function n.
  std::vector<npu_fault_record> read(uint32_t of = 0) {
    const uint64_t bus = block_.bus_address();
    const auto reply =
        function_.call(NPU_MESSAGE_FAULT_READ,
                       {0, last_, static_cast<uint32_t>(bus), static_cast<uint32_t>(bus >> 32), NPU_FAULT_RECORDS, of});
    EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), uint32_t{NPU_MAILBOX_OK});
    std::vector<npu_fault_record> records(std::min(reply[1], NPU_FAULT_RECORDS));
    if (!records.empty()) {
      std::memcpy(records.data(), block_.bytes().data(), records.size() * sizeof(npu_fault_record));
    }
    last_ = reply[2];
    lost += reply[4];
    return records;
  }

  uint32_t lost = 0;

 private:
  RawFunction& function_;
  host::HostBlock block_;
  uint32_t last_ = 0;
};

}  // namespace npuvp::tests

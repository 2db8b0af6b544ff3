// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "firmware/abi/command.h"
#include "models/task_manager/segment_table.h"

namespace npuvp::task_manager {

/// The first thing that went wrong in a job.
struct Fault {
  npu_fault code = NPU_FAULT_NONE;
  uint32_t command = 0;
  uint64_t address = 0;
};

/// Places of the queues of a board: one a Neural Engine, one a Neural DMA channel, Task DMA, two External HDMA, and the
/// second one of each Neural Engine, for its vector unit.
class QueueLayout {
 public:
  explicit QueueLayout(unsigned neural_engines) : neural_engines_(neural_engines) {}

  [[nodiscard]] unsigned count() const { return 3 * neural_engines_ + 3; }
  /// Index of the queue for (kind, engine); none if this card has no such engine.
  [[nodiscard]] std::optional<unsigned> find(unsigned kind, unsigned engine) const;

 private:
  unsigned neural_engines_;
};

/// One run of a command stream: commands, tokens, and which commands are where. Pure bookkeeping, takes no time.
class Job {
 public:
  Job(const QueueLayout& layout, const Memories& memories, base::InitiatorPort& port, uint16_t job_context,
      uint16_t job_function, uint16_t job_asid)
      : segments(memories, port, job_context, job_function, job_asid),
        context(job_context),
        function(job_function),
        asid(job_asid),
        layout_(layout),
        queues_(layout.count()) {}

  /// Checks every command's header and sorts the stream into queues. False: fault() names the first bad command.
  [[nodiscard]] bool accept(std::vector<npu_command> commands);

  /// The next command of `queue` if the queue is idle, its head has all its tokens and the job still dispatches.
  [[nodiscard]] std::optional<uint32_t> ready(unsigned queue) const;
  /// Takes the head of `queue`, which becomes busy until retire().
  void dispatch(unsigned queue);
  /// The command of `queue` has ended; counts its token if it has succeeded.
  void retire(unsigned queue, const Fault& fault);

  /// Dispatches nothing more; the job has failed.
  void stop() { stopped_ = true; }
  /// Stops for `fault` unless an earlier one is known.
  void fail(const Fault& fault);

  /// Nothing runs, and nothing more will.
  [[nodiscard]] bool ended() const { return running_ == 0 && (stopped_ || retired_ == commands_.size()); }
  [[nodiscard]] bool failed() const { return stopped_; }
  [[nodiscard]] bool idle() const { return running_ == 0; }
  /// The lowest command, in stream order, that has not been dispatched. Only while there is one.
  [[nodiscard]] uint32_t first_blocked() const;

  [[nodiscard]] const Fault& fault() const { return fault_; }
  [[nodiscard]] uint32_t retired() const { return retired_; }
  [[nodiscard]] const npu_command& command(uint32_t index) const { return commands_[index]; }

  SegmentTable segments;
  const uint16_t context;
  const uint16_t function;
  const uint16_t asid;

 private:
  struct Queue {
    std::vector<uint32_t> commands;  // indices in the stream
    size_t next = 0;
    bool busy = false;
  };

  const QueueLayout layout_;
  std::vector<npu_command> commands_;
  std::vector<Queue> queues_;
  std::array<uint32_t, NPU_TOKENS> tokens_{};
  Fault fault_;
  bool stopped_ = false;
  uint32_t running_ = 0;
  uint32_t retired_ = 0;
};

}  // namespace npuvp::task_manager

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "firmware/abi/command.h"
#include "models/base/command_port.h"
#include "models/task_manager/command_stream.h"
#include "models/task_manager/segment_table.h"

namespace npuvp::task_manager {

/// The first thing that went wrong in a job.
struct Fault {
  npu_fault code = NPU_FAULT_NONE;
  uint32_t command = 0;
  uint64_t address = 0;
  uint64_t position = 0;
};

/// What the firmware says of a job besides its commands and segments.
struct JobSettings {
  uint16_t context = 0;
  uint16_t function = 0;
  uint16_t address_space = 0;         ///< Of the device MMU; 0: card physical addresses.
  uint32_t group = 0;                 ///< Jobs of a group other than 0 may use the same on-chip memory at once.
  bool continue_after_fault = false;  ///< Only what depends on a failed command is cancelled.
  std::vector<uint8_t> engines;       ///< Of the card, in the order in which the job counts them.
  uint32_t first_engine = 0;          ///< What it calls the first one.
  uint64_t shared_base = 0;           ///< Its part of the shared memory.
  uint64_t shared_bytes = 0;
};

/// One run of a command stream: commands, tokens, and which commands are where. Pure bookkeeping, takes no time.
class Job {
 public:
  /// A command about to run.
  struct Dispatch {
    npu_command command{};
    uint32_t index = 0;
    bool cancelled = false;  ///< It depends on a failed one and is not to run.
  };

  Job(const QueueLayout& layout, const Memories& memories, base::InitiatorPort& port, JobSettings settings);

  /// Takes the next commands of the stream. False: fault() names the first bad one, and the job has stopped.
  [[nodiscard]] bool append(std::span<const npu_command> commands);
  /// All have been taken. False: as above.
  [[nodiscard]] bool complete();

  /// Lets every idle queue go as far as it can without a command.
  void advance();
  /// The next command of `queue` can start: the queue is idle, its head has all its tokens or never will because of a
  /// failed command, and the job still dispatches. A barrier is a command of the control queue, ready when every queue
  /// has come to it. Holds after advance().
  [[nodiscard]] bool ready(unsigned queue) const;
  /// Takes the head of `queue`, which is ready and becomes busy until retire().
  Dispatch dispatch(unsigned queue);
  /// The command of `queue` has ended; adds to its tokens.
  void retire(unsigned queue, const Dispatch& dispatch, const Fault& fault);

  /// Dispatches nothing more; the job has failed.
  void stop() { stopped_ = true; }
  /// The same by the firmware's wish: running commands that look at cancel() give up.
  void abort();
  /// Stops for `fault` unless an earlier one is known.
  void fail(const Fault& fault);

  /// Nothing runs, and nothing more will.
  [[nodiscard]] bool ended() const;
  [[nodiscard]] bool failed() const { return stopped_ || fault_.code != NPU_FAULT_NONE; }
  [[nodiscard]] bool idle() const { return running_ == 0; }
  /// Nothing runs and nothing can, though the whole stream is there. Holds after advance().
  [[nodiscard]] bool deadlocked() const;
  /// The lowest command, in stream order, that has not been dispatched. Only while there is one.
  [[nodiscard]] uint32_t first_blocked() const;

  [[nodiscard]] const Fault& fault() const { return fault_; }
  [[nodiscard]] uint32_t retired() const { return retired_; }
  [[nodiscard]] uint32_t cancelled() const { return cancelled_; }
  [[nodiscard]] const base::CancelSignal& cancel() const { return cancel_; }

  const JobSettings settings;
  SegmentTable segments;

 private:
  struct Queue {
    QueueCursor cursor;
    const CommandStream::Item* head = nullptr;  // valid until the stream grows
    bool busy = false;
  };
  struct Token {
    uint64_t count = 0;
    uint64_t good = ~0ULL;  // counts up to this one are reached without a failed command
  };

  void pass_barrier();
  [[nodiscard]] bool all_at_barrier() const;
  [[nodiscard]] bool reached(uint32_t index, const Iterations& iterations) const;
  [[nodiscard]] bool poisoned(uint32_t index, const Iterations& iterations) const;
  [[nodiscard]] static bool at_barrier(const Queue& queue) {
    return queue.head != nullptr && queue.head->kind == CommandStream::Item::Kind::kBarrier;
  }

  const unsigned control_;
  CommandStream stream_;
  std::vector<Queue> queues_;
  std::array<Token, NPU_TOKENS> tokens_{};
  base::CancelSignal cancel_;
  Fault fault_;
  bool complete_ = false;
  bool stopped_ = false;
  bool poisoned_barrier_ = false;  // what a barrier waited for has failed
  uint32_t running_ = 0;
  uint32_t retired_ = 0;
  uint32_t cancelled_ = 0;
};

}  // namespace npuvp::task_manager

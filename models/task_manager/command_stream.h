// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "firmware/abi/command.h"

namespace npuvp::task_manager {

/// Where a card has its queues: one a Neural Engine, one a Neural DMA channel, Task DMA, two External HDMA, two Device
/// HDMA, the Device Sync channels, the second one of each Neural Engine (its vector unit's), and the Task Manager's
/// own.
class QueueLayout {
 public:
  explicit QueueLayout(unsigned neural_engines) : neural_engines_(neural_engines) {}

  [[nodiscard]] unsigned count() const { return control() + 1; }
  /// Index of the queue for (kind, engine); none if this card has no such engine.
  [[nodiscard]] std::optional<unsigned> find(unsigned kind, unsigned engine) const;
  /// Of the commands that no engine executes.
  [[nodiscard]] unsigned control() const { return neural_vector() + neural_engines_; }

 private:
  [[nodiscard]] unsigned task_dma() const { return 2 * neural_engines_; }
  [[nodiscard]] unsigned external_hdma() const { return task_dma() + 1; }
  [[nodiscard]] unsigned device_hdma() const { return external_hdma() + 2; }
  [[nodiscard]] unsigned device_sync() const { return device_hdma() + 2; }
  [[nodiscard]] unsigned neural_vector() const { return device_sync() + NPU_SYNC_CHANNELS; }

  unsigned neural_engines_;
};

/// Iterations of the loops around a command, outermost first.
using Iterations = std::array<uint32_t, NPU_LOOP_DEPTH>;

/// The commands of a job, sorted into queues while they arrive. Loops are kept as loops: each queue walks through its
/// own part of them (QueueCursor), so that a stream of any length of run needs no more than its commands.
class CommandStream {
 public:
  static constexpr uint32_t kNone = ~0U;

  /// An entry of a queue.
  struct Item {
    enum class Kind : uint8_t { kCommand, kLoop, kLoopEnd, kBarrier };
    Kind kind;
    uint32_t index;       ///< In the stream.
    uint32_t loop;        ///< kLoop, kLoopEnd: which one.
    uint32_t first_item;  ///< kLoopEnd: the first of the loop's body in this queue.
  };
  struct Loop {
    uint32_t index = 0;  ///< Of its LOOP.
    uint32_t count = 0;
    uint32_t parent = kNone;
    uint32_t depth = 0;                          ///< 0: not inside another one.
    uint64_t executed = 0;                       ///< Commands of one iteration.
    std::array<uint64_t, NPU_TOKENS> signals{};  ///< Of one iteration, to each token.
  };

  /// `engines[i]` is the Neural Engine, and the Neural DMA channel, that the stream calls `first_engine` + i.
  CommandStream(const QueueLayout& layout, std::vector<uint8_t> engines, uint32_t first_engine)
      : layout_(layout),
        engines_(std::move(engines)),
        first_engine_(first_engine),
        queues_(layout.count()),
        recorded_(layout.count()) {}

  /// Takes the next commands. False: the last of size() commands is not allowed, and nothing behind it was taken.
  [[nodiscard]] bool append(std::span<const npu_command> commands);
  /// All have come. False: unclosed() is the first loop without an end, or the STEP without a command.
  [[nodiscard]] bool close();

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(commands_.size()); }
  [[nodiscard]] uint32_t unclosed() const { return open_.empty() ? size() - 1 : loops_[open_.front()].index; }
  [[nodiscard]] unsigned queues() const { return static_cast<unsigned>(queues_.size()); }
  [[nodiscard]] const std::vector<Item>& items(unsigned queue) const { return queues_[queue]; }
  [[nodiscard]] const Loop& loop(uint32_t number) const { return loops_[number]; }
  [[nodiscard]] const npu_command& command(uint32_t index) const { return commands_[index].command; }

  /// The command as it is in this iteration: engine of the card, steps applied.
  [[nodiscard]] npu_command instance(uint32_t index, const Iterations& iterations) const;
  /// The count that `wait` of command `index` needs in this iteration.
  [[nodiscard]] uint64_t threshold(uint32_t index, const npu_token_wait& wait, const Iterations& iterations) const;

 private:
  struct Command {
    npu_command command;
    uint32_t loop;   // innermost, or kNone
    uint32_t steps;  // index of the STEP before it, or kNone
    uint8_t engine;  // of the card
  };

  bool take(uint32_t index);
  bool take_control(uint32_t index);
  bool take_engine_command(uint32_t index);
  [[nodiscard]] bool steps_legal() const;
  bool count_execution(uint64_t commands);
  void count_signals(const npu_command& command);
  bool open_loop(uint32_t index);
  bool end_loop(uint32_t index);
  void put(unsigned queue, Item::Kind kind, uint32_t index);
  [[nodiscard]] uint32_t innermost() const { return open_.empty() ? kNone : open_.back(); }

  const QueueLayout layout_;
  const std::vector<uint8_t> engines_;
  const uint32_t first_engine_;
  std::vector<Command> commands_;
  std::vector<std::vector<Item>> queues_;
  std::vector<Loop> loops_;
  std::vector<uint32_t> open_;  // loops around the next command, outermost first
  std::vector<std::vector<uint32_t>>
      recorded_;  // of each queue: where the body of the open loops it takes part in begins
  uint32_t pending_step_ = kNone;
  uint64_t executed_ = 0;  // outside of loops, ended loops included
};

/// How far a queue has come in a stream.
class QueueCursor {
 public:
  /// Steps over beginnings and ends of loops. The entry that it stands at then, or null where the stream ends so far.
  const CommandStream::Item* settle(const CommandStream& stream, unsigned queue);
  /// Goes behind that entry.
  void step() { ++next_; }
  [[nodiscard]] const Iterations& iterations() const { return iterations_; }

 private:
  size_t next_ = 0;
  Iterations iterations_{};
};

/// Tokens that command `index` adds to, the one of its header and those of a TOKENS command.
template <typename Visit>
void for_each_signal(const npu_command& command, Visit visit) {
  if (command.signal != NPU_TOKEN_NONE) visit(command.signal);
  if (command.kind != NPU_COMMAND_CONTROL || command.opcode != NPU_CONTROL_TOKENS) return;
  for (const uint16_t token : command.u.fan.signal) {
    if (token != NPU_TOKEN_NONE) visit(token);
  }
}

/// The same for what it waits for.
template <typename Visit>
void for_each_wait(const npu_command& command, Visit visit) {
  for (const auto& wait : command.wait) {
    if (wait.token != NPU_TOKEN_NONE) visit(wait);
  }
  if (command.kind != NPU_COMMAND_CONTROL || command.opcode != NPU_CONTROL_TOKENS) return;
  for (const auto& wait : command.u.fan.wait) {
    if (wait.token != NPU_TOKEN_NONE) visit(wait);
  }
}

}  // namespace npuvp::task_manager

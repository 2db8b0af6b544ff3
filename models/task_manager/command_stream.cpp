// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/command_stream.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace npuvp::task_manager {
namespace {

bool valid_token(uint16_t token) {
  return token < NPU_TOKENS || token == NPU_TOKEN_NONE;
}

bool valid_wait(const npu_token_wait& wait) {
  return valid_token(wait.token);
}

bool all_zero(const auto& values) {
  return std::all_of(std::begin(values), std::end(values), [](auto value) { return value == 0; });
}

bool valid_header(const npu_command& command) {
  return command.flags == 0 && valid_token(command.signal) && all_zero(command.reserved) &&
         std::all_of(std::begin(command.wait), std::end(command.wait), valid_wait);
}

bool without_tokens(const npu_command& command) {
  return command.signal == NPU_TOKEN_NONE &&
         std::all_of(std::begin(command.wait), std::end(command.wait),
                     [](const npu_token_wait& wait) { return wait.token == NPU_TOKEN_NONE; });
}

bool valid_fan(const npu_fan& fan) {
  return std::all_of(std::begin(fan.wait), std::end(fan.wait), valid_wait) &&
         std::all_of(std::begin(fan.signal), std::end(fan.signal), valid_token);
}

bool uses(const npu_field_step& field) {
  return field.bytes != 0;
}

bool valid_field(const npu_field_step& field, size_t depth) {
  if (!all_zero(field.reserved)) return false;
  if (!uses(field)) return field.step == 0 && field.offset == 0 && field.level == 0;
  return (field.bytes == 4 || field.bytes == 8) && field.offset % field.bytes == 0 &&
         field.offset + field.bytes <= sizeof(npu_command::u) && field.level < depth;
}

}  // namespace

std::optional<unsigned> QueueLayout::find(unsigned kind, unsigned engine) const {
  switch (kind) {
    case NPU_COMMAND_NEURAL_ENGINE:
      if (engine < neural_engines_) return engine;
      if (engine >= NPU_ENGINE_VECTOR_QUEUE && engine - NPU_ENGINE_VECTOR_QUEUE < neural_engines_) {
        return neural_vector() + (engine - NPU_ENGINE_VECTOR_QUEUE);
      }
      break;
    case NPU_COMMAND_NEURAL_DMA:
      if (engine < neural_engines_) return neural_engines_ + engine;
      break;
    case NPU_COMMAND_TASK_DMA:
      if (engine == 0) return task_dma();
      break;
    case NPU_COMMAND_EXTERNAL_HDMA:
      if (engine < 2) return external_hdma() + engine;
      break;
    case NPU_COMMAND_DEVICE_HDMA:
      if (engine < 2) return device_hdma() + engine;
      break;
    case NPU_COMMAND_DEVICE_SYNC:
      if (engine < NPU_SYNC_CHANNELS) return device_sync() + engine;
      break;
    case NPU_COMMAND_CONTROL:
      if (engine == 0) return control();
      break;
    default:
      break;
  }
  return std::nullopt;
}

bool CommandStream::append(std::span<const npu_command> commands) {
  for (const auto& command : commands) {
    commands_.push_back({command, innermost(), kNone, command.engine});
    if (!take(size() - 1)) return false;
  }
  return true;
}

bool CommandStream::close() {
  return open_.empty() && pending_step_ == kNone;
}

bool CommandStream::take(uint32_t index) {
  const auto& command = commands_[index].command;
  if (!valid_header(command)) return false;
  return command.kind == NPU_COMMAND_CONTROL ? take_control(index) : take_engine_command(index);
}

bool CommandStream::take_control(uint32_t index) {
  const auto& command = commands_[index].command;
  if (command.engine != 0 || pending_step_ != kNone) return false;
  if (command.opcode == NPU_CONTROL_TOKENS) {
    if (!valid_fan(command.u.fan) || !count_execution(1)) return false;
    put(layout_.control(), Item::Kind::kCommand, index);
    count_signals(command);
    return true;
  }
  if (!without_tokens(command)) return false;
  switch (command.opcode) {
    case NPU_CONTROL_LOOP:
      return open_loop(index);
    case NPU_CONTROL_LOOP_END:
      return all_zero(command.u.bytes) && end_loop(index);
    case NPU_CONTROL_STEP:
      pending_step_ = index;
      return true;
    case NPU_CONTROL_BARRIER:
      if (!all_zero(command.u.bytes) || !count_execution(1)) return false;
      for (unsigned queue = 0; queue < queues_.size(); ++queue) put(queue, Item::Kind::kBarrier, index);
      return true;
    default:
      return false;
  }
}

bool CommandStream::take_engine_command(uint32_t index) {
  auto& taken = commands_[index];
  const bool mapped = taken.command.kind == NPU_COMMAND_NEURAL_ENGINE || taken.command.kind == NPU_COMMAND_NEURAL_DMA;
  if (mapped) {
    const bool neural = taken.command.kind == NPU_COMMAND_NEURAL_ENGINE;
    const unsigned vector_queue = neural ? taken.command.engine & NPU_ENGINE_VECTOR_QUEUE : 0;
    const unsigned engine = taken.command.engine & ~vector_queue;
    if (engine < first_engine_ || engine - first_engine_ >= engines_.size()) return false;
    taken.engine = static_cast<uint8_t>(engines_[engine - first_engine_] | vector_queue);
  }
  const auto queue = layout_.find(taken.command.kind, taken.engine);
  if (!queue || !steps_legal() || !count_execution(1)) return false;
  taken.steps = std::exchange(pending_step_, kNone);
  put(*queue, Item::Kind::kCommand, index);
  count_signals(taken.command);
  return true;
}

bool CommandStream::steps_legal() const {
  if (pending_step_ == kNone) return true;
  const auto& fields = commands_[pending_step_].command.u.step.field;
  return std::all_of(std::begin(fields), std::end(fields),
                     [this](const npu_field_step& field) { return valid_field(field, open_.size()); });
}

/// Adds commands to what one iteration of the innermost loop, or the job, executes.
bool CommandStream::count_execution(uint64_t commands) {
  uint64_t& executed = open_.empty() ? executed_ : loops_[open_.back()].executed;
  executed += commands;
  return executed <= NPU_MAX_EXECUTED_COMMANDS;
}

void CommandStream::count_signals(const npu_command& command) {
  if (open_.empty()) return;
  auto& signals = loops_[open_.back()].signals;
  for_each_signal(command, [&](uint16_t token) { ++signals[token]; });
}

bool CommandStream::open_loop(uint32_t index) {
  const auto& loop = commands_[index].command.u.loop;
  if (loop.count == 0 || !all_zero(loop.reserved) || open_.size() == NPU_LOOP_DEPTH || loops_.size() == NPU_LOOPS) {
    return false;
  }
  Loop opened;
  opened.index = index;
  opened.count = loop.count;
  opened.parent = innermost();
  opened.depth = static_cast<uint32_t>(open_.size());
  loops_.push_back(opened);
  open_.push_back(static_cast<uint32_t>(loops_.size() - 1));
  return true;
}

bool CommandStream::end_loop(uint32_t index) {
  if (open_.empty()) return false;
  const uint32_t ended = open_.back();
  for (unsigned queue = 0; queue < queues_.size(); ++queue) {
    if (recorded_[queue].size() < open_.size()) continue;
    queues_[queue].push_back({Item::Kind::kLoopEnd, index, ended, recorded_[queue].back()});
    recorded_[queue].pop_back();
  }
  open_.pop_back();
  const auto& loop = loops_[ended];
  if (!open_.empty()) {
    auto& signals = loops_[open_.back()].signals;
    for (size_t token = 0; token < signals.size(); ++token) signals[token] += loop.count * loop.signals[token];
  }
  return count_execution(loop.count * loop.executed);  // each factor below 2^32
}

/// Adds an entry to a queue, and before it the beginnings of the loops around it that the queue does not know yet.
void CommandStream::put(unsigned queue, Item::Kind kind, uint32_t index) {
  auto& items = queues_[queue];
  auto& recorded = recorded_[queue];
  while (recorded.size() < open_.size()) {
    const uint32_t loop = open_[recorded.size()];
    items.push_back({Item::Kind::kLoop, loops_[loop].index, loop, 0});
    recorded.push_back(static_cast<uint32_t>(items.size()));
  }
  items.push_back({kind, index, kNone, 0});
}

npu_command CommandStream::instance(uint32_t index, const Iterations& iterations) const {
  const auto& taken = commands_[index];
  npu_command made = taken.command;
  made.engine = taken.engine;
  if (taken.steps == kNone) return made;
  for (const auto& field : commands_[taken.steps].command.u.step.field) {
    if (!uses(field)) continue;
    const uint64_t iteration = iterations[loops_[taken.loop].depth - field.level];
    uint64_t value = 0;
    std::memcpy(&value, made.u.bytes + field.offset, field.bytes);
    value += iteration * static_cast<uint64_t>(field.step);
    std::memcpy(made.u.bytes + field.offset, &value, field.bytes);
  }
  return made;
}

uint64_t CommandStream::threshold(uint32_t index, const npu_token_wait& wait, const Iterations& iterations) const {
  uint32_t number = commands_[index].loop;
  if (number == kNone) return wait.count;
  int64_t needed = static_cast<int16_t>(wait.count);
  for (; number != kNone; number = loops_[number].parent) {
    const auto& loop = loops_[number];
    needed += static_cast<int64_t>(iterations[loop.depth] * loop.signals[wait.token]);
  }
  return static_cast<uint64_t>(std::max<int64_t>(needed, 0));
}

const CommandStream::Item* QueueCursor::settle(const CommandStream& stream, unsigned queue) {
  const auto& items = stream.items(queue);
  while (next_ < items.size()) {
    const auto& item = items[next_];
    if (item.kind == CommandStream::Item::Kind::kLoop) {
      iterations_[stream.loop(item.loop).depth] = 0;
      ++next_;
    } else if (item.kind == CommandStream::Item::Kind::kLoopEnd) {
      const auto& loop = stream.loop(item.loop);
      next_ = ++iterations_[loop.depth] < loop.count ? item.first_item : next_ + 1;
    } else {
      return &item;
    }
  }
  return nullptr;
}

}  // namespace npuvp::task_manager

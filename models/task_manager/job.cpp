// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/job.h"

#include <algorithm>
#include <iterator>

namespace npuvp::task_manager {
namespace {

bool valid_token(uint16_t token) {
  return token < NPU_TOKENS || token == NPU_TOKEN_NONE;
}

bool valid_header(const npu_command& command) {
  return command.flags == 0 && valid_token(command.signal) &&
         std::all_of(std::begin(command.reserved), std::end(command.reserved),
                     [](uint16_t word) { return word == 0; }) &&
         std::all_of(std::begin(command.wait), std::end(command.wait),
                     [](const npu_token_wait& wait) { return valid_token(wait.token); });
}

}  // namespace

std::optional<unsigned> QueueLayout::find(unsigned kind, unsigned engine) const {
  switch (kind) {
    case NPU_COMMAND_NEURAL_ENGINE:
      if (engine < neural_engines_) return engine;
      if (engine >= NPU_ENGINE_VECTOR_QUEUE && engine - NPU_ENGINE_VECTOR_QUEUE < neural_engines_) {
        return 2 * neural_engines_ + 3 + (engine - NPU_ENGINE_VECTOR_QUEUE);
      }
      break;
    case NPU_COMMAND_NEURAL_DMA:
      if (engine < neural_engines_) return neural_engines_ + engine;
      break;
    case NPU_COMMAND_TASK_DMA:
      if (engine == 0) return 2 * neural_engines_;
      break;
    case NPU_COMMAND_EXTERNAL_HDMA:
      if (engine < 2) return 2 * neural_engines_ + 1 + engine;
      break;
    default:
      break;
  }
  return std::nullopt;
}

bool Job::accept(std::vector<npu_command> commands) {
  commands_ = std::move(commands);
  for (uint32_t index = 0; index < commands_.size(); ++index) {
    const auto& command = commands_[index];
    const auto queue = layout_.find(command.kind, command.engine);
    if (!queue || !valid_header(command)) {
      fail({NPU_FAULT_ILLEGAL_COMMAND, index, 0});
      return false;
    }
    queues_[*queue].commands.push_back(index);
  }
  return true;
}

std::optional<uint32_t> Job::ready(unsigned queue) const {
  const auto& state = queues_[queue];
  if (stopped_ || state.busy || state.next == state.commands.size()) return std::nullopt;
  const uint32_t index = state.commands[state.next];
  const auto& waits = commands_[index].wait;
  const bool released = std::all_of(std::begin(waits), std::end(waits), [this](const npu_token_wait& wait) {
    return wait.token == NPU_TOKEN_NONE || tokens_[wait.token] >= wait.count;
  });
  return released ? std::optional(index) : std::nullopt;
}

void Job::dispatch(unsigned queue) {
  queues_[queue].busy = true;
  ++queues_[queue].next;
  ++running_;
}

void Job::retire(unsigned queue, const Fault& fault) {
  queues_[queue].busy = false;
  --running_;
  if (fault.code != NPU_FAULT_NONE) {
    fail(fault);
    return;
  }
  ++retired_;
  const auto& state = queues_[queue];
  const uint16_t signal = commands_[state.commands[state.next - 1]].signal;
  if (signal != NPU_TOKEN_NONE) ++tokens_[signal];
}

void Job::fail(const Fault& fault) {
  stopped_ = true;
  if (fault_.code == NPU_FAULT_NONE) fault_ = fault;
}

uint32_t Job::first_blocked() const {
  auto first = static_cast<uint32_t>(commands_.size());
  for (const auto& queue : queues_) {
    if (queue.next < queue.commands.size()) first = std::min(first, queue.commands[queue.next]);
  }
  return first;
}

}  // namespace npuvp::task_manager

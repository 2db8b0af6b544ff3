// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/job.h"

#include <algorithm>
#include <utility>

namespace npuvp::task_manager {
namespace {

Memories part_of(Memories memories, const JobSettings& settings) {
  memories.shared_base += settings.shared_base;
  memories.shared_bytes = settings.shared_bytes;
  return memories;
}

}  // namespace

Job::Job(const QueueLayout& layout, const Memories& memories, base::InitiatorPort& port, JobSettings given)
    : settings(std::move(given)),
      segments(part_of(memories, settings), port, settings.context, settings.function, settings.address_space),
      control_(layout.control()),
      stream_(layout, settings.engines, settings.first_engine),
      queues_(layout.count()) {}

bool Job::append(std::span<const npu_command> commands) {
  const bool taken = stream_.append(commands);
  for (auto& queue : queues_) queue.head = nullptr;
  if (!taken) fail({NPU_FAULT_ILLEGAL_COMMAND, stream_.size() - 1, 0, 0});
  return taken;
}

bool Job::complete() {
  complete_ = true;
  if (stream_.close()) return true;
  fail({NPU_FAULT_ILLEGAL_COMMAND, stream_.unclosed(), 0, 0});
  return false;
}

void Job::advance() {
  if (stopped_) return;
  for (unsigned i = 0; i < queues_.size(); ++i) {
    auto& queue = queues_[i];
    if (!queue.busy && queue.head == nullptr) queue.head = queue.cursor.settle(stream_, i);
  }
}

bool Job::all_at_barrier() const {
  return std::all_of(queues_.begin(), queues_.end(), [](const Queue& queue) { return at_barrier(queue); });
}

/// Every queue has come to the barrier, so that all that precedes it has ended.
void Job::pass_barrier() {
  for (auto& queue : queues_) {
    queue.cursor.step();
    queue.head = nullptr;
  }
  poisoned_barrier_ = fault_.code != NPU_FAULT_NONE;
}

bool Job::reached(uint32_t index, const Iterations& iterations) const {
  bool all = true;
  for_each_wait(stream_.command(index), [&](const npu_token_wait& wait) {
    all = all && tokens_[wait.token].count >= stream_.threshold(index, wait, iterations);
  });
  return all;
}

bool Job::poisoned(uint32_t index, const Iterations& iterations) const {
  if (fault_.code == NPU_FAULT_NONE) return false;
  bool any = poisoned_barrier_;
  for_each_wait(stream_.command(index), [&](const npu_token_wait& wait) {
    any = any || stream_.threshold(index, wait, iterations) > tokens_[wait.token].good;
  });
  return any;
}

bool Job::ready(unsigned number) const {
  const auto& queue = queues_[number];
  if (stopped_ || queue.busy || queue.head == nullptr) return false;
  if (at_barrier(queue)) return number == control_ && all_at_barrier();
  const auto& iterations = queue.cursor.iterations();
  return reached(queue.head->index, iterations) || poisoned(queue.head->index, iterations);
}

Job::Dispatch Job::dispatch(unsigned number) {
  auto& queue = queues_[number];
  const auto& iterations = queue.cursor.iterations();
  const uint32_t index = queue.head->index;
  const bool cancelled = !at_barrier(queue) && poisoned(index, iterations);
  const Dispatch taken{stream_.instance(index, iterations), index, cancelled};
  queue.busy = true;
  ++running_;
  if (at_barrier(queue)) return taken;
  queue.cursor.step();
  queue.head = nullptr;
  return taken;
}

void Job::retire(unsigned queue, const Dispatch& dispatch, const Fault& fault) {
  queues_[queue].busy = false;
  --running_;
  if (at_barrier(queues_[queue])) pass_barrier();
  const bool good = fault.code == NPU_FAULT_NONE && !dispatch.cancelled;
  if (dispatch.cancelled) ++cancelled_;
  if (fault.code == NPU_FAULT_CANCELLED && cancel_.requested) {
    ++cancelled_;
    return;
  }
  if (fault.code != NPU_FAULT_NONE) {
    if (settings.continue_after_fault) {
      if (fault_.code == NPU_FAULT_NONE) fault_ = fault;
    } else {
      fail(fault);
      return;
    }
  }
  if (good) ++retired_;
  for_each_signal(dispatch.command, [&](uint16_t number) {
    auto& token = tokens_[number];
    if (!good) token.good = std::min(token.good, token.count);
    ++token.count;
  });
}

void Job::abort() {
  stop();
  cancel_.request();
}

void Job::fail(const Fault& fault) {
  stopped_ = true;
  if (fault_.code == NPU_FAULT_NONE) fault_ = fault;
}

bool Job::ended() const {
  if (running_ != 0) return false;
  if (stopped_) return true;
  return complete_ && std::all_of(queues_.begin(), queues_.end(),
                                  [](const Queue& queue) { return !queue.busy && queue.head == nullptr; });
}

bool Job::deadlocked() const {
  if (running_ != 0 || stopped_ || !complete_ || ended()) return false;
  for (unsigned queue = 0; queue < queues_.size(); ++queue) {
    if (ready(queue)) return false;
  }
  return true;
}

uint32_t Job::first_blocked() const {
  uint32_t first = stream_.size();
  for (const auto& queue : queues_) {
    if (queue.head != nullptr && !at_barrier(queue)) first = std::min(first, queue.head->index);
  }
  return first;
}

}  // namespace npuvp::task_manager

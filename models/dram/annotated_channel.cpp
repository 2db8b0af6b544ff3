// SPDX-License-Identifier: Apache-2.0
#include "models/dram/annotated_channel.h"

#include <algorithm>
#include <utility>

namespace npuvp::dram {

AnnotatedChannel::AnnotatedChannel(const Part& part, const Policy& policy) : settled_(part, policy) {}

Tick AnnotatedChannel::access(Tick present, Tick arrival, std::vector<Request>&& requests) {
  settle(present);
  const uint32_t tag = next_tag_++;
  for (auto& request : requests) request.tag = tag;
  const bool write = requests.front().write;
  const auto later = [&](const Burst& burst) { return burst.arrival > arrival; };
  const auto place = std::find_if(bursts_.begin(), bursts_.end(), later);
  const auto index = static_cast<size_t>(place - bursts_.begin());
  restore_checkpoints(index);
  ChannelController controller = index == 0 ? settled_ : *bursts_[index - 1].entered;
  Watch watch{.tag = tag, .left = requests.size(), .last = 0};
  Burst& burst = *bursts_.insert(place, {arrival, tag, std::move(requests), std::nullopt});
  enter(controller, burst, &watch);
  burst.entered = controller;
  size_t next = index + 1;
  for (size_t i = next; i < bursts_.size(); ++i) bursts_[i].entered.reset();
  if (write) return controller.now();

  while (watch.left > 0) {
    const Tick event = controller.next_event();
    if (next < bursts_.size() && bursts_[next].arrival < event) {
      enter(controller, bursts_[next], &watch);
      bursts_[next++].entered = controller;
    } else {
      controller.run_until(event);
      collect(controller, &watch);
    }
  }
  return watch.last;
}

void AnnotatedChannel::settle(Tick present) {
  while (!bursts_.empty() && bursts_.front().arrival <= present) {
    Burst& oldest = bursts_.front();
    if (oldest.entered) {
      settled_ = std::move(*oldest.entered);
    } else {
      enter(settled_, oldest, nullptr);
    }
    if (traced_) enter(*traced_, oldest, nullptr);
    bursts_.pop_front();
  }
}

void AnnotatedChannel::restore_checkpoints(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (bursts_[i].entered) continue;
    ChannelController controller = i == 0 ? settled_ : *bursts_[i - 1].entered;
    enter(controller, bursts_[i], nullptr);
    bursts_[i].entered = std::move(controller);
  }
}

void AnnotatedChannel::enter(ChannelController& controller, const Burst& burst, Watch* watch) {
  Tick now = std::max(burst.arrival, controller.now());
  controller.run_until(now);
  for (const auto& request : burst.requests) {
    while (!controller.accept(request, now)) {
      now = controller.next_event();
      controller.run_until(now);
      collect(controller, watch);
    }
    controller.run_until(++now);
    collect(controller, watch);
  }
}

void AnnotatedChannel::collect(ChannelController& controller, Watch* watch) {
  for (const auto& done : controller.completions()) {
    if (watch == nullptr || done.tag != watch->tag) continue;
    --watch->left;
    watch->last = std::max(watch->last, done.time);
  }
  controller.completions().clear();
}

void AnnotatedChannel::drain(ChannelController& controller) {
  while (controller.waiting() > 0) controller.run_until(controller.next_event());
  controller.completions().clear();
}

Counters AnnotatedChannel::counters() {
  restore_checkpoints(bursts_.size());
  ChannelController controller = bursts_.empty() ? settled_ : *bursts_.back().entered;
  drain(controller);
  return controller.counters();
}

void AnnotatedChannel::set_sink(CommandSink* sink) {
  traced_ = std::make_unique<ChannelController>(settled_);
  traced_->set_sink(sink);
}

void AnnotatedChannel::finish() {
  settle(kNever);
  if (traced_) drain(*traced_);
}

}  // namespace npuvp::dram

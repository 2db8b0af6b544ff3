// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/link.h"

#include <algorithm>

namespace npuvp::pcie {
namespace {

using Flow = LinkDirection::Flow;

/// Transmissions of a TLP before the replay counter, of two bits, rolls over.
constexpr unsigned kTransmissionsBeforeRollover = 4;

/// Rate of one lane after line coding: 8b/10b up to 5 GT/s, then 128b/130b.
double lane_bytes_per_second(unsigned generation) {
  constexpr double kTransfersPerSecond[] = {2.5e9, 5e9, 8e9, 16e9, 32e9};
  const double coding = generation <= 2 ? 8.0 / 10.0 : 128.0 / 130.0;
  return kTransfersPerSecond[generation - 1] * coding / 8;
}

Flow flow_of(const Request& request) {
  if (request.is_posted()) return Flow::kPosted;
  return request.kind == RequestKind::kCompletion ? Flow::kCompletion : Flow::kNonPosted;
}

}  // namespace

Link::Link(sc_core::sc_module_name module_name, base::Environment& environment, const Parameters& parameters)
    : sc_module(module_name), log_(environment.logger(name())), parameters_(parameters) {
  sc_assert(parameters.generation >= 1 && parameters.generation <= 5);
  sc_assert(parameters.lanes >= 1 && parameters.lanes <= 16);
  sc_assert(parameters.read_completion_boundary_bytes == 64 || parameters.read_completion_boundary_bytes == 128);
  SC_HAS_PROCESS(Link);
  SC_METHOD(finish_training);
  sensitive << trained_;
  dont_initialize();
}

void Link::connect(Port& upper, Port& lower) {
  sc_assert(upper.link_ == nullptr && lower.link_ == nullptr);
  down_.transmitter = up_.receiver = &upper;
  down_.receiver = up_.transmitter = &lower;
  down_.opposite = &up_;
  up_.opposite = &down_;
  down_.timing.configure(lower.buffers(), parameters_.latency);
  up_.timing.configure(upper.buffers(), parameters_.latency);
  upper.link_ = lower.link_ = this;
  upper.transmit_ = &down_;
  lower.transmit_ = &up_;
  upper.express().set_presence(true);
  upper.express().on_link_control([this] {
    auto& port = *down_.transmitter;
    const bool is_disabled = port.express().registers.LINK_CONTROL.LINK_DISABLE.get() != 0;
    const bool was_disabled = (port.holds_ & static_cast<unsigned>(Port::Hold::kDisabled)) != 0;
    port.hold_down(Port::Hold::kDisabled, is_disabled);
    if (!is_disabled && !was_disabled) retrain();
  });
  state_ = State::kUp;  // as it was before anybody could look
  finish_training();
  upper.express().forget_changes();
}

void Link::update() {
  const bool wanted = is_present_ && down_.transmitter->holds_ == 0;
  if (!wanted && state_ != State::kDown) {
    go_down(ResetKind::kHot, false);
  } else if (wanted && state_ == State::kDown) {
    start_training();
  }
}

void Link::set_present(bool present) {
  if (present == is_present_) return;
  is_present_ = present;
  auto& upper = *down_.transmitter;
  upper.express().set_presence(present);
  if (!present && state_ != State::kDown) go_down(ResetKind::kFundamental, true);
  if (upper.presence_) upper.presence_(present);
  update();
}

void Link::drop() {
  if (state_ != State::kUp) return;
  go_down(ResetKind::kHot, true);
  update();
}

void Link::reset_below(ResetKind kind) {
  auto& lower = *down_.receiver;
  if (lower.link_down_) lower.link_down_(kind);
}

void Link::go_down(ResetKind kind, bool surprise) {
  log_->info("link is down");
  const bool was_up = state_ == State::kUp;
  state_ = State::kDown;
  trained_.cancel();
  bytes_per_second_ = 0;
  for (auto* way : {&down_, &up_}) {
    way->timing.set_rate(0);
    way->timing.reset();
  }
  auto& upper = *down_.transmitter;
  auto& lower = *down_.receiver;
  upper.express().set_training(false);
  upper.express().set_link(1, 0);
  upper.link_capabilities_.set_link(0, nullptr);
  if (lower.link_down_) lower.link_down_(kind);
  if (was_up && upper.link_change_) upper.link_change_(false, surprise);
}

void Link::start_training() {
  state_ = State::kTraining;
  down_.transmitter->express().set_training(true);
  trained_.notify(parameters_.training_time);
}

/// Recovery: the link stays up, nothing passes until it is over.
void Link::retrain() {
  if (state_ != State::kUp) return;
  down_.transmitter->express().set_training(true);
  down_.timing.block(parameters_.recovery_time);
  up_.timing.block(parameters_.recovery_time);
  trained_.notify(parameters_.recovery_time);
}

unsigned Link::wanted_generation() const {
  const auto& lower = *down_.receiver;
  return std::min({parameters_.generation, down_.transmitter->express_.target_generation(), lower.express_.generation(),
                   lower.generation_limit_});
}

void Link::change_speed() {
  if (state_ == State::kUp && wanted_generation() != generation_) retrain();
}

void Link::finish_training() {
  auto& upper = *down_.transmitter;
  auto& lower = *down_.receiver;
  const bool was_up = state_ == State::kUp;
  state_ = State::kUp;
  const unsigned generation = wanted_generation();
  generation_ = generation;
  const unsigned lanes = std::min({parameters_.lanes, upper.express().lanes(), lower.express().lanes()});
  bytes_per_second_ = lane_bytes_per_second(generation) * lanes;
  down_.timing.set_rate(bytes_per_second_);
  up_.timing.set_rate(bytes_per_second_);
  upper.express().set_training(false);
  upper.express().set_link(generation, lanes);
  lower.express().set_link(generation, lanes);
  upper.link_capabilities_.set_link(generation, &lower.link_capabilities_);
  lower.link_capabilities_.set_link(generation, &upper.link_capabilities_);
  log_->debug("link is up: Gen{} x{}", generation, lanes);
  if (!was_up && upper.link_change_) upper.link_change_(true, false);
}

void Link::transmit(Way& way, const LinkDirection::Burst& burst, Passage& passage) {
  auto sent = burst;
  auto& faults = way.receiver->faults_;
  while (faults.any() && (faults.take(Fault::kLcrc) || faults.take(Fault::kBadTlp))) {
    way.receiver->errors().report(Error::kBadTlp);
    if (++sent.transmissions > kTransmissionsBeforeRollover) {
      way.transmitter->errors().report(Error::kReplayRollover);
      retrain();
      break;
    }
  }
  way.timing.carry(sent, way.opposite->timing, passage);
  const sc_core::sc_time at = sc_core::sc_time_stamp() + passage.begin;
  for (auto* port : {way.transmitter, way.receiver})
    port->energy_.count(sent.shape.wire_bytes * sent.transmissions, at);
}

Completion Link::carry(Way& way, Request& request, Passage& passage) {
  if (!is_up()) return Completion::kTimeout;
  const uint32_t max_payload = way.transmitter->express().max_payload_bytes();
  const LinkDirection::Burst burst{.flow = flow_of(request),
                                   .shape = request_shape(request, max_payload),
                                   .may_pass_posted = request.relaxed_ordering,
                                   .id_based_ordering = request.id_based_ordering,
                                   .requester = request.requester};
  transmit(way, burst, passage);
  const auto sent = passage.drained;
  const bool is_posted = !request.is_non_posted();
  // Nobody answers before the whole of the first request is there.
  if (!is_posted) passage.begin = std::min(passage.end, passage.begin + way.timing.first_request_time(burst.shape));

  passage.drained = passage.end;
  Completion status = Completion::kSuccess;
  if (way.receiver->faults_.any()) status = strike_request(*way.receiver, request);
  if (status == Completion::kSuccess) status = way.receiver->receiver_.receive(request, passage);
  way.timing.release(burst, passage.drained);

  // A request that switched its own link off is still answered.
  if (!is_posted && status != Completion::kTimeout && is_up()) {
    const bool has_data = request.is_read() && status == Completion::kSuccess;
    const LinkDirection::Burst answer{
        .flow = Flow::kCompletion,
        .shape = has_data ? completion_shape(request.address, request.data.size(), request.max_read_bytes,
                                             way.receiver->express().max_payload_bytes(),
                                             parameters_.read_completion_boundary_bytes)
                          : empty_completion_shape(),
        .may_pass_posted = request.relaxed_ordering,
        .id_based_ordering = request.id_based_ordering,
        .requester = request.requester};
    transmit(*way.opposite, answer, passage);
    way.opposite->timing.release(answer, passage.end);
    if (way.transmitter->faults_.any()) status = strike_completion(*way.transmitter, request, status);
  }
  passage.drained = sent;
  return status;
}

Completion Link::strike_request(Port& receiver, Request& request) {
  auto& faults = receiver.faults_;
  const auto lost = Completion::kTimeout;
  const auto header = [&] { return header_of(request, receiver.express().max_payload_bytes()); };
  if (faults.take(Fault::kMalformedTlp)) {
    receiver.errors().report(Error::kMalformedTlp, header(), false);
    return lost;
  }
  if (faults.take(Fault::kEcrc) && receiver.errors().checks_ecrc()) {
    receiver.errors().report(Error::kEcrc, header(), false);
    return lost;
  }
  if (faults.take(Fault::kUnsupportedRequest)) {
    receiver.errors().report(Error::kUnsupportedRequest, header(), request.is_non_posted());
    return Completion::kUnsupportedRequest;
  }
  if (request.is_non_posted() && faults.take(Fault::kCompleterAbort)) {
    receiver.errors().report(Error::kCompleterAbort, header(), true);
    return Completion::kCompleterAbort;
  }
  if (request.is_write() && faults.take(Fault::kPoisonedTlp)) request.poison = true;
  return Completion::kSuccess;
}

Completion Link::strike_completion(Port& requester, Request& request, Completion status) {
  auto& faults = requester.faults_;
  if (faults.take(Fault::kCompletionTimeout)) return Completion::kTimeout;
  if (faults.take(Fault::kEcrc) && requester.errors().checks_ecrc()) {
    const bool has_data = request.is_read() && status == Completion::kSuccess;
    const auto header = has_data ? data_completion_header(request, requester.express().max_payload_bytes())
                                 : completion_header(request.completer, request.requester, 0, status);
    requester.errors().report(Error::kEcrc, header, false);
    return Completion::kTimeout;
  }
  if (status == Completion::kSuccess && request.is_read() && faults.take(Fault::kPoisonedTlp)) request.poison = true;
  return status;
}

}  // namespace npuvp::pcie

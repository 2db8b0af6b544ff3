// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/switch.h"

#include <fmt/format.h>

#include <utility>

namespace npuvp::pcie {
namespace {

constexpr unsigned kDeviceShift = 3;
[[maybe_unused]] constexpr unsigned kMaxPorts = 32;  // device numbers of the internal bus

BridgeParameters upstream_parameters(const Switch::Parameters& parameters) {
  BridgeParameters bridge;
  bridge.vendor_id = parameters.vendor_id;
  bridge.device_id = parameters.device_id;
  bridge.express.type = ExpressRegisters::ExpressCapabilitiesRegister::kTypeUpstreamPort;
  bridge.express.generation = parameters.generation;
  bridge.express.lanes = parameters.lanes;
  bridge.express.max_payload_bytes = parameters.max_payload_bytes;
  bridge.express.ltr = true;
  return bridge;
}

}  // namespace

UpstreamPort::UpstreamPort(std::string bridge_name, base::Environment& environment, const BridgeParameters& parameters,
                           const ReceiveBuffers& buffers, uint64_t serial_number, Switch& owner)
    : Bridge(std::move(bridge_name), environment, parameters),
      switch_(owner),
      serial_number_(environment, name() + ".serial_number", serial_number),
      latency_tolerance_(environment, name() + ".ltr"),
      port_(express(), link_capabilities(), errors(), *this, buffers) {
  config().add(serial_number_, kOwnExtendedOffset);
  config().add(latency_tolerance_, kOwnExtendedOffset + 0x10);
  bind_primary(link_);
  port_.on_link_down([this](ResetKind kind) { reset(kind); });
}

Completion UpstreamPort::send_below(Request& request, Passage& passage) {
  return switch_.route_down(request, passage);
}

void UpstreamPort::reset_below(ResetKind kind) {
  switch_.bus_.reset(kind);
}

void UpstreamPort::hold_below_in_reset(bool held) {
  if (held) reset_below(ResetKind::kHot);
}

void SwitchPort::pass_error(MessageCode code, RoutingId source) {
  Request message{RequestKind::kMessage};
  message.requester = source;
  message.message = code;
  Passage passage;
  send_above(message, passage);
}

Switch::Switch(const std::string& name, base::Environment& environment, const Parameters& parameters)
    : latency_(parameters.latency) {
  sc_assert(parameters.ports.size() <= kMaxPorts);
  upstream_ = std::make_unique<UpstreamPort>(name + ".upstream", environment, upstream_parameters(parameters),
                                             parameters.buffers, parameters.serial_number, *this);
  for (unsigned number = 0; number < parameters.ports.size(); ++number) {
    auto port = parameters.ports[number];
    port.vendor_id = parameters.vendor_id;
    port.device_id = parameters.device_id;
    port.number = number;
    port.ports = static_cast<unsigned>(parameters.ports.size());
    port.buffers = parameters.buffers;
    ports_.push_back(std::make_unique<SwitchPort>(fmt::format("{}.port{}", name, number), environment, port));
    from_ports_.push_back(std::make_unique<FromPort>(*this, *ports_.back()));
    ports_.back()->bind_primary(*from_ports_.back());
    bus_.attach(*ports_.back(), static_cast<uint8_t>(number << kDeviceShift));
  }
}

Completion Switch::route_down(Request& request, Passage& passage) {
  passage.shift(latency_);
  auto* device = bus_.find(request);
  if (device == nullptr) return upstream_->refuse(request);
  // From here on it is the answer that the requester's own call carries.
  if (request.kind == RequestKind::kCompletion && device == completion_goal_) return Completion::kSuccess;
  const auto status = device->receive(request, passage);
  if (request.is_non_posted()) passage.shift(latency_);
  return status;
}

Completion Switch::route_from(SwitchPort& source, Request& request, Passage& passage) {
  passage.shift(latency_);
  if (request.kind == RequestKind::kMessage) {
    return upstream_->forwards_error(request.message) ? upstream_->forward(request, passage) : Completion::kSuccess;
  }
  if (!request.is_memory()) return to_root(request, passage);
  // Its own address: access control of the port let it pass, towards the root.
  if (source.owns(request)) return redirect(request, passage);
  auto* peer = static_cast<SwitchPort*>(bus_.find(request));
  if (peer == nullptr) {
    // Below this switch by the upstream port's windows, but nobody's.
    return upstream_->owns(request) ? source.refuse(request) : to_root(request, passage);
  }
  switch (source.peer_action(request, *peer)) {
    case DownstreamPort::PeerAction::kForward:
      return to_peer(source, *peer, request, passage);
    case DownstreamPort::PeerAction::kRedirect:
      return redirect(request, passage);
    case DownstreamPort::PeerAction::kBlock:
      break;
  }
  ++counters_.blocked_requests;
  return source.violate(request);
}

Completion Switch::to_peer(const SwitchPort& source, SwitchPort& peer, Request& request, Passage& passage) {
  ++counters_.direct_requests;
  counters_.direct_bytes += request.data.size();
  const auto status = peer.receive(request, passage);
  if (!request.is_non_posted()) return status;
  if (peer.redirects_completion(request)) {
    redirect_completion(source, request, passage);
  } else {
    passage.shift(latency_);
  }
  return status;
}

Completion Switch::redirect(Request& request, Passage& passage) {
  ++counters_.redirected_requests;
  counters_.redirected_bytes += request.data.size();
  return to_root(request, passage);
}

Completion Switch::to_root(Request& request, Passage& passage) {
  const auto status = upstream_->forward(request, passage);
  if (request.is_non_posted()) passage.shift(latency_);
  return status;
}

/// Sends the data of a peer's read up to the root, which sends it back down to the requester.
void Switch::redirect_completion(const SwitchPort& source, const Request& request, Passage& passage) {
  ++counters_.redirected_completions;
  Request completion{RequestKind::kCompletion};
  completion.address = request.address;
  completion.data = request.data;
  completion.completer = request.requester;
  passage.shift(latency_);
  completion_goal_ = &source;
  upstream_->forward(completion, passage);
  completion_goal_ = nullptr;
}

}  // namespace npuvp::pcie

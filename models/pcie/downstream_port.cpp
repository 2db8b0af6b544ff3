// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/downstream_port.h"

#include <utility>

namespace npuvp::pcie {
namespace {

constexpr unsigned kAcsOffset = 0x200;
constexpr unsigned kDpcOffset = 0x240;

using Dpc = DpcRegisters::ControlRegister;
using DpcStatus = DpcRegisters::StatusRegister;

constexpr unsigned kDeviceShift = 3;
constexpr unsigned kDeviceMask = 0x1f;

BridgeParameters bridge_parameters(const DownstreamPort::Parameters& parameters, uint64_t type) {
  BridgeParameters bridge;
  bridge.vendor_id = parameters.vendor_id;
  bridge.device_id = parameters.device_id;
  bridge.express.type = type;
  bridge.express.generation = parameters.generation;
  bridge.express.lanes = parameters.lanes;
  bridge.express.max_payload_bytes = parameters.max_payload_bytes;
  bridge.express.port_number = parameters.number;
  bridge.express.ari_forwarding = true;
  if (parameters.hot_plug) {
    bridge.express.slot = SlotParameters{.number = parameters.slot, .hot_plug = true, .surprise = true};
  }
  return bridge;
}

AcsParameters acs_parameters(const DownstreamPort::Parameters& parameters) {
  AcsParameters acs;
  acs.source_validation = acs.translation_blocking = acs.upstream_forwarding = true;
  acs.request_redirect = acs.completion_redirect = acs.direct_translated = true;
  acs.ports = parameters.ports;
  return acs;
}

}  // namespace

DownstreamPort::DownstreamPort(std::string bridge_name, base::Environment& environment, const Parameters& parameters,
                               uint64_t type)
    : Bridge(std::move(bridge_name), environment, bridge_parameters(parameters, type)),
      number_(parameters.number),
      has_slot_(parameters.hot_plug),
      acs_(environment, name() + ".acs", acs_parameters(parameters)),
      dpc_(environment, name() + ".dpc"),
      port_(express(), link_capabilities(), errors(), secondary(), parameters.buffers) {
  config().add(acs_, kAcsOffset);
  config().add(dpc_, kDpcOffset);
  port_.on_link_change([this](bool up, bool surprise) { link_changed(up, surprise); });
  port_.on_presence([this](bool) { update_hot_plug(); });
  express().on_slot_control([this] { update_hot_plug(); });
  wire_containment();
}

Completion DownstreamPort::send_below(Request& request, Passage& passage) {
  const bool is_other_device =
      request.is_config() && !request.is_type1 && (devfn_of(request.completer) >> kDeviceShift & kDeviceMask) != 0;
  if (is_other_device && !express().ari_forwarding()) return refuse(request);
  if (!port_.is_link_up()) {
    header().SECONDARY_STATUS.RECEIVED_MASTER_ABORT.set(1);
    return Completion::kUnsupportedRequest;
  }
  return port_.transmit(request, passage);
}

Completion DownstreamPort::from_below(Request& request, Passage& passage) {
  if (request.kind == RequestKind::kMessage) return take_message(request);
  if (request.kind == RequestKind::kCompletion) return send_above(request, passage);
  if (!request.is_memory()) return refuse(request);
  const auto& control = acs_.registers.CONTROL;
  const bool is_from_outside = !is_below(bus_of(request.requester));
  if (control.SOURCE_VALIDATION.get() != 0 && is_from_outside) return violate(request);
  if (control.TRANSLATION_BLOCKING.get() != 0 && request.translated) return violate(request);
  if (request.poison && request.is_write()) errors().report(Error::kPoisonedTlp, header_of(request), true);
  if (owns(request) && !forwards_own()) return refuse(request);
  return send_above(request, passage);
}

bool DownstreamPort::forwards_own() const {
  return acs_.registers.CONTROL.UPSTREAM_FORWARDING.get() != 0;
}

Completion DownstreamPort::violate(const Request& request) {
  errors().report(Error::kAcsViolation, header_of(request), request.is_non_posted());
  return Completion::kCompleterAbort;
}

DownstreamPort::PeerAction DownstreamPort::peer_action(const Request& request, const DownstreamPort& peer) const {
  const auto& control = acs_.registers.CONTROL;
  if (control.DIRECT_TRANSLATED.get() != 0 && request.translated) return PeerAction::kForward;
  const bool redirects = control.REQUEST_REDIRECT.get() != 0;
  // Both together: the vector says which peers are redirected (table 6-10).
  if (control.EGRESS_CONTROL.get() != 0) {
    if (!acs_.blocks_egress_to(peer.number())) return PeerAction::kForward;
    return redirects ? PeerAction::kRedirect : PeerAction::kBlock;
  }
  return redirects ? PeerAction::kRedirect : PeerAction::kForward;
}

bool DownstreamPort::redirects_completion(const Request& request) const {
  return acs_.registers.CONTROL.COMPLETION_REDIRECT.get() != 0 && !request.relaxed_ordering;
}

void DownstreamPort::reset_below(ResetKind kind) {
  hot_plug_pending_ = false;
  // Configuration space was reset: what kept the link down is gone, except secondary bus reset, which clears itself.
  port_.hold_down(Port::Hold::kDisabled, false);
  port_.hold_down(Port::Hold::kContainment, dpc_.is_triggered());
  port_.reset_below(kind);
}

Completion DownstreamPort::take_message(const Request& request) {
  const bool contained = contains(request.message, request.requester, true);
  if (!contained && forwards(request.message)) pass_error(request.message, request.requester);
  return Completion::kSuccess;
}

void DownstreamPort::send_error(MessageCode code) {
  if (!contains(code, routing_id(), false)) pass_error(code, routing_id());
}

bool DownstreamPort::contains(MessageCode code, RoutingId source, bool from_below) {
  const uint64_t enable = dpc_.registers.CONTROL.TRIGGER_ENABLE.get();
  const bool is_fatal = code == MessageCode::kErrorFatal;
  const bool is_uncorrectable = code != MessageCode::kErrorCorrectable;
  const bool is_wanted =
      enable == Dpc::kTriggerEnableFatal ? is_fatal : enable == Dpc::kTriggerEnableNonFatal && is_uncorrectable;
  if (!is_wanted) return false;
  const uint64_t by_message = is_fatal ? DpcStatus::kReasonErrFatal : DpcStatus::kReasonErrNonfatal;
  contain(from_below ? by_message : DpcStatus::kReasonUncorrectable, 0, source);
  return true;
}

void DownstreamPort::contain(uint64_t reason, uint64_t extension, RoutingId source) {
  auto& registers = dpc_.registers;
  if (dpc_.is_triggered()) return;
  registers.STATUS.TRIGGER.set(1);
  registers.STATUS.REASON.set(reason);
  registers.STATUS.REASON_EXTENSION.set(extension);
  if (reason == DpcStatus::kReasonErrNonfatal || reason == DpcStatus::kReasonErrFatal) {
    registers.ERROR_SOURCE_ID.set(source);
  }
  port_.hold_down(Port::Hold::kContainment, true);
  if (registers.CONTROL.INTERRUPT_ENABLE.get() == 0) return;
  registers.STATUS.INTERRUPT.set(1);
  interrupt();
}

void DownstreamPort::wire_containment() {
  dpc_.on_software_trigger([this] {
    if (dpc_.registers.CONTROL.TRIGGER_ENABLE.get() != Dpc::kTriggerEnableNone) {
      contain(DpcStatus::kReasonExtension, DpcStatus::kReasonExtensionSoftware, 0);
    }
  });
  dpc_.on_release([this] { port_.hold_down(Port::Hold::kContainment, false); });
}

void DownstreamPort::link_changed(bool up, bool surprise) {
  update_hot_plug();
  // A slot for surprise removal expects it (7.5.3.6, Surprise Down Error Reporting).
  if (!up && surprise && !has_slot_) errors().report(Error::kSurpriseDown);
}

void DownstreamPort::update_hot_plug() {
  if (!has_slot_) return;
  const auto& control = express().registers.SLOT_CONTROL;
  const auto& status = express().registers.SLOT_STATUS;
  const bool presence = control.PRESENCE_ENABLE.get() != 0 && status.PRESENCE_CHANGED.get() != 0;
  const bool link = control.LINK_STATE_ENABLE.get() != 0 && status.LINK_STATE_CHANGED.get() != 0;
  const bool pending = control.HOT_PLUG_INTERRUPT_ENABLE.get() != 0 && (presence || link);
  if (pending && !hot_plug_pending_) interrupt();
  hot_plug_pending_ = pending;
}

}  // namespace npuvp::pcie

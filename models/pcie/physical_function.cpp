// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/physical_function.h"

#include <algorithm>

namespace npuvp::pcie {
namespace {

constexpr unsigned kExpressOffset = 0x40;
constexpr unsigned kPowerManagementOffset = 0x80;
constexpr unsigned kMsixOffset = 0x90;
constexpr unsigned kAerOffset = 0x100;
constexpr unsigned kSerialNumberOffset = 0x150;
constexpr unsigned kLinkCapabilitiesOffset = 0x160;
constexpr unsigned kLtrOffset = kLinkCapabilitiesOffset + LinkCapabilities::kBytes;
constexpr unsigned kAriOffset = 0x210;
constexpr unsigned kSriovOffset = 0x220;
constexpr unsigned kResizableBarOffset = 0x260;
constexpr unsigned kVendorSpecificOffset = 0x280;

ExpressParameters express_parameters(const PhysicalFunction::Parameters& parameters) {
  ExpressParameters express;
  express.type = ExpressRegisters::ExpressCapabilitiesRegister::kTypeEndpoint;
  express.generation = parameters.generation;
  express.lanes = parameters.lanes;
  express.max_payload_bytes = parameters.max_payload_bytes;
  express.function_level_reset = true;
  express.ltr = true;
  return express;
}

}  // namespace

PhysicalFunction::PhysicalFunction(const std::string& function_name, base::Environment& environment,
                                   const Parameters& parameters, const Outlet& outlet)
    : Function(function_name, 0, header_),
      header_(environment, name() + ".type0", base::RegisterBank::Rules::kBytewise),
      bars_(header_),
      express_(environment, name() + ".express", express_parameters(parameters)),
      power_(environment, name() + ".power_management"),
      aer_(environment, name() + ".aer", {.kind = AerParameters::Kind::kEndpoint}),
      link_capabilities_(environment, name(), express_parameters(parameters)),
      serial_number_(environment, name() + ".serial_number", parameters.serial_number),
      latency_tolerance_(environment, name() + ".ltr"),
      vendor_specific_(environment, name() + ".vendor_specific", {.id = 1, .revision = 0, .bytes = 0x10}) {
  header_.VENDOR_ID.set_reset(parameters.vendor_id);
  header_.DEVICE_ID.set_reset(parameters.device_id);
  header_.REVISION_ID.set_reset(parameters.revision_id);
  header_.PROGRAMMING_INTERFACE.set_reset(parameters.class_code & 0xff);
  header_.SUB_CLASS.set_reset(parameters.class_code >> 8 & 0xff);
  header_.BASE_CLASS.set_reset(parameters.class_code >> 16 & 0xff);
  header_.SUBSYSTEM_VENDOR_ID.set_reset(parameters.subsystem_vendor_id);
  header_.SUBSYSTEM_ID.set_reset(parameters.subsystem_id);
  bars_.add({.index = 0, .bytes = parameters.bar0_bytes, .is_64bit = true, .prefetchable = false});
  if (parameters.bar2_bytes > 0) {
    bars_.add({.index = 2, .bytes = parameters.bar2_bytes, .is_64bit = true, .prefetchable = true});
  }
  config().add(express_, kExpressOffset);
  config().add(power_, kPowerManagementOffset);
  add_msix(environment, parameters.msix, kMsixOffset, outlet);
  config().add(aer_, kAerOffset);
  config().add(serial_number_, kSerialNumberOffset);
  link_capabilities_.add_to(config(), kLinkCapabilitiesOffset);
  config().add(latency_tolerance_, kLtrOffset);
  add_virtual_functions(environment, parameters);
  if (parameters.bar2_most_bytes > parameters.bar2_bytes) {
    // All powers of two from the one to the other.
    const uint64_t sizes = 2 * parameters.bar2_most_bytes - parameters.bar2_bytes;
    resizable_bar_ = std::make_unique<ResizableBarCapability>(environment, name() + ".resizable_bar", bars_,
                                                              std::vector<ResizableBar>{{.index = 2, .sizes = sizes}});
    config().add(*resizable_bar_, kResizableBarOffset);
  }
  config().add(vendor_specific_, kVendorSpecificOffset);

  const auto update = [this](const base::RegisterWrite&) { update_interrupts(); };
  header_.COMMAND.on_write(update);
  power_.on_power_state([this] { update_interrupts(); });
  set_errors(std::make_unique<ErrorReporter>(
      ErrorReporter::Enables{header_.COMMAND.SERR_ENABLE, header_.STATUS.SIGNALED_SYSTEM_ERROR, express_.registers},
      express_, aer_, aer_, [this, send = outlet.error](MessageCode code) { send(*this, code); }));
}

void PhysicalFunction::add_virtual_functions(base::Environment& environment, const Parameters& parameters) {
  if (parameters.virtual_functions == 0) return;
  ari_ = std::make_unique<AriCapability>(environment, name() + ".ari");
  SriovParameters sriov;
  sriov.total_vfs = static_cast<uint16_t>(parameters.virtual_functions);
  sriov.vf_device_id = parameters.virtual_device_id;
  sriov.bars = {{.index = 0, .bytes = parameters.bar0_bytes, .is_64bit = true, .prefetchable = false},
                {.index = 2, .bytes = parameters.virtual_bar2_bytes, .is_64bit = true, .prefetchable = true}};
  sriov_ = std::make_unique<SriovCapability>(environment, name() + ".sriov", sriov);
  config().add(*ari_, kAriOffset);
  config().add(*sriov_, kSriovOffset);
}

bool PhysicalFunction::answers_memory() const {
  return header_.COMMAND.MEMORY_SPACE.get() != 0 && power_.in_d0();
}

bool PhysicalFunction::may_master() const {
  return header_.COMMAND.BUS_MASTER.get() != 0 && power_.in_d0();
}

std::optional<Function::Hit> PhysicalFunction::decode(const Request& request) const {
  const auto hit = bars_.decode(request.address, request.data.size());
  return hit ? std::optional(Hit{hit->index, hit->offset}) : std::nullopt;
}

void PhysicalFunction::note_received(Completion status) {
  if (status == Completion::kUnsupportedRequest) header_.STATUS.RECEIVED_MASTER_ABORT.set(1);
  if (status == Completion::kCompleterAbort) header_.STATUS.RECEIVED_TARGET_ABORT.set(1);
}

void PhysicalFunction::note_poison(bool as_requester) {
  header_.STATUS.DETECTED_PARITY_ERROR.set(1);
  if (as_requester && header_.COMMAND.PARITY_ERROR_RESPONSE.get() != 0) {
    header_.STATUS.MASTER_DATA_PARITY_ERROR.set(1);
  }
}

}  // namespace npuvp::pcie

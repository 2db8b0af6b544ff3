// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/virtual_function.h"

namespace npuvp::pcie {
namespace {

constexpr unsigned kExpressOffset = 0x40;
constexpr unsigned kMsixOffset = 0x90;
constexpr unsigned kAerOffset = 0x100;
constexpr unsigned kAriOffset = 0x150;

ExpressParameters express_parameters(const PhysicalFunction::Parameters& parameters) {
  ExpressParameters express;
  express.type = ExpressRegisters::ExpressCapabilitiesRegister::kTypeEndpoint;
  express.generation = parameters.generation;
  express.lanes = parameters.lanes;
  express.max_payload_bytes = parameters.max_payload_bytes;
  express.function_level_reset = true;
  express.virtual_function = true;
  return express;
}

}  // namespace

VirtualFunction::VirtualFunction(const std::string& function_name, base::Environment& environment, unsigned number,
                                 const PhysicalFunction::Parameters& parameters, PhysicalFunction& physical,
                                 const Outlet& outlet)
    : Function(function_name, number, header_),
      physical_(physical),
      header_(environment, name() + ".type0", base::RegisterBank::Rules::kBytewise),
      express_(environment, name() + ".express", express_parameters(parameters)),
      aer_(environment, name() + ".aer", {.kind = AerParameters::Kind::kVirtualFunction}),
      ari_(environment, name() + ".ari") {
  header_.REVISION_ID.set_reset(parameters.revision_id);
  header_.PROGRAMMING_INTERFACE.set_reset(parameters.class_code & 0xff);
  header_.SUB_CLASS.set_reset(parameters.class_code >> 8 & 0xff);
  header_.BASE_CLASS.set_reset(parameters.class_code >> 16 & 0xff);
  header_.SUBSYSTEM_VENDOR_ID.set_reset(parameters.subsystem_vendor_id);
  header_.SUBSYSTEM_ID.set_reset(parameters.subsystem_id);
  config().add(express_, kExpressOffset);
  add_msix(environment, parameters.virtual_msix, kMsixOffset, outlet);
  config().add(aer_, kAerOffset);
  config().add(ari_, kAriOffset);
  header_.COMMAND.on_write([this](const base::RegisterWrite&) { update_interrupts(); });
  set_errors(std::make_unique<ErrorReporter>(
      ErrorReporter::Enables{physical.header().COMMAND.SERR_ENABLE, header_.STATUS.SIGNALED_SYSTEM_ERROR,
                             physical.express().registers},
      express_, aer_, physical.aer(), [this, send = outlet.error](MessageCode code) { send(*this, code); }));
}

bool VirtualFunction::is_enabled() const {
  return index() <= physical_.sriov()->vf_count();
}

bool VirtualFunction::answers_memory() const {
  return is_enabled() && physical_.sriov()->memory_space();
}

bool VirtualFunction::may_master() const {
  return is_enabled() && header_.COMMAND.BUS_MASTER.get() != 0;
}

void VirtualFunction::note_received(Completion status) {
  if (status == Completion::kUnsupportedRequest) header_.STATUS.RECEIVED_MASTER_ABORT.set(1);
  if (status == Completion::kCompleterAbort) header_.STATUS.RECEIVED_TARGET_ABORT.set(1);
}

void VirtualFunction::note_poison(bool as_requester) {
  header_.STATUS.DETECTED_PARITY_ERROR.set(1);
  if (as_requester && physical_.header().COMMAND.PARITY_ERROR_RESPONSE.get() != 0) {
    header_.STATUS.MASTER_DATA_PARITY_ERROR.set(1);
  }
}

}  // namespace npuvp::pcie

// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/root_port.h"

#include <bit>
#include <utility>

namespace npuvp::pcie {
namespace {

BridgeParameters bridge_parameters(const RootPort::Parameters& parameters) {
  BridgeParameters bridge;
  bridge.vendor_id = parameters.vendor_id;
  bridge.device_id = parameters.device_id;
  bridge.express.type = ExpressRegisters::ExpressCapabilitiesRegister::kTypeRootPort;
  bridge.express.generation = parameters.generation;
  bridge.express.lanes = parameters.lanes;
  bridge.express.max_payload_bytes = parameters.max_payload_bytes;
  bridge.express.port_number = parameters.port_number;
  return bridge;
}

}  // namespace

RootPort::RootPort(std::string name, base::Environment& environment, const Parameters& parameters)
    : Bridge(std::move(name), environment, bridge_parameters(parameters)), port_(express(), secondary()) {
  sc_assert(std::has_single_bit(parameters.programmed_payload_bytes) && parameters.programmed_payload_bytes >= 128 &&
            parameters.programmed_payload_bytes <= parameters.max_payload_bytes);
  auto& control = express().registers.DEVICE_CONTROL;
  control.MAX_PAYLOAD.set(static_cast<uint64_t>(std::countr_zero(parameters.programmed_payload_bytes / 128)));
  control.set_reset(control.get());
}

}  // namespace npuvp::pcie

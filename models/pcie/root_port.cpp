// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/root_port.h"

#include <bit>
#include <utility>

namespace npuvp::pcie {
namespace {

DownstreamPort::Parameters port_parameters(const RootPort::Parameters& parameters) {
  DownstreamPort::Parameters port;
  port.vendor_id = parameters.vendor_id;
  port.device_id = parameters.device_id;
  port.generation = parameters.generation;
  port.lanes = parameters.lanes;
  port.max_payload_bytes = parameters.max_payload_bytes;
  port.number = parameters.port_number;
  port.ports = parameters.ports;
  port.hot_plug = parameters.hot_plug;
  port.slot = parameters.slot;
  return port;
}

}  // namespace

RootPort::RootPort(std::string name, base::Environment& environment, const Parameters& parameters)
    : DownstreamPort(std::move(name), environment, port_parameters(parameters),
                     ExpressRegisters::ExpressCapabilitiesRegister::kTypeRootPort) {
  sc_assert(std::has_single_bit(parameters.programmed_payload_bytes) && parameters.programmed_payload_bytes >= 128 &&
            parameters.programmed_payload_bytes <= parameters.max_payload_bytes);
  auto& control = express().registers.DEVICE_CONTROL;
  control.MAX_PAYLOAD.set(static_cast<uint64_t>(std::countr_zero(parameters.programmed_payload_bytes / 128)));
  control.set_reset(control.get());
}

void RootPort::pass_error(MessageCode code, RoutingId source) {
  auto& registers = aer().registers;
  auto& status = registers.ROOT_ERROR_STATUS;
  const auto& command = registers.ROOT_ERROR_COMMAND;
  if (code == MessageCode::kErrorCorrectable) {
    if (status.CORRECTABLE.get() != 0) {
      status.MULTIPLE_CORRECTABLE.set(1);
      return;
    }
    status.CORRECTABLE.set(1);
    registers.ERROR_SOURCE.CORRECTABLE.set(source);
    if (command.CORRECTABLE_ENABLE.get() != 0) interrupt();
    return;
  }
  const bool is_fatal = code == MessageCode::kErrorFatal;
  const bool is_first = status.UNCORRECTABLE.get() == 0;
  (is_fatal ? status.FATAL : status.NON_FATAL).set(1);
  if (is_first) {
    status.UNCORRECTABLE.set(1);
    status.FIRST_FATAL.set(is_fatal ? 1 : 0);
    registers.ERROR_SOURCE.UNCORRECTABLE.set(source);
  } else {
    status.MULTIPLE_UNCORRECTABLE.set(1);
  }
  const bool enabled = (is_fatal ? command.FATAL_ENABLE : command.NON_FATAL_ENABLE).get() != 0;
  if (is_first && enabled) interrupt();
}

}  // namespace npuvp::pcie

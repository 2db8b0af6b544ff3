// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/capabilities/aer_capability.h"

namespace npuvp::pcie {
namespace {

using Kind = AerParameters::Kind;

uint64_t uncorrectable_errors(const AerRegisters& registers, const AerParameters& parameters) {
  const auto& status = registers.UNCORRECTABLE_STATUS;
  const bool is_switch_port = parameters.kind == Kind::kUpstreamPort || parameters.kind == Kind::kDownstreamPort;
  const bool is_downstream = parameters.kind == Kind::kDownstreamPort || parameters.kind == Kind::kRootPort;
  uint64_t errors = status.POISONED_TLP.mask() | status.COMPLETER_ABORT.mask() | status.UNEXPECTED_COMPLETION.mask() |
                    status.UNSUPPORTED_REQUEST.mask();
  if (!is_switch_port) errors |= status.COMPLETION_TIMEOUT.mask();  // a switch requests nothing of its own
  if (parameters.acs) errors |= status.ACS_VIOLATION.mask();
  if (parameters.kind == Kind::kVirtualFunction) return errors;
  errors |= status.DATA_LINK_PROTOCOL.mask() | status.FLOW_CONTROL.mask() | status.RECEIVER_OVERFLOW.mask() |
            status.MALFORMED_TLP.mask() | status.UNCORRECTABLE_INTERNAL.mask();
  if (parameters.ecrc) errors |= status.ECRC.mask();
  if (is_downstream) errors |= status.SURPRISE_DOWN.mask();
  if (is_downstream && parameters.poisoned_tlp_egress_blocking) errors |= status.POISONED_TLP_EGRESS_BLOCKED.mask();
  return errors;
}

}  // namespace

AerCapability::AerCapability(base::Environment& environment, const std::string& instance,
                             const AerParameters& parameters)
    : registers(environment, instance, base::RegisterBank::Rules::kBytewise) {
  auto& r = registers;
  const bool is_virtual = parameters.kind == Kind::kVirtualFunction;
  const uint64_t uncorrectable = uncorrectable_errors(r, parameters);
  r.UNCORRECTABLE_STATUS.implement_only(uncorrectable);
  r.UNCORRECTABLE_MASK.implement_only(is_virtual ? 0 : uncorrectable);
  r.UNCORRECTABLE_SEVERITY.implement_only(is_virtual ? 0 : uncorrectable);
  if (is_virtual) {
    r.CORRECTABLE_STATUS.implement_only(r.CORRECTABLE_STATUS.ADVISORY_NON_FATAL.mask());
    r.CORRECTABLE_MASK.implement_only(0);
  }

  r.CONTROL.ECRC_GENERATION_CAPABLE.set(parameters.ecrc);
  r.CONTROL.ECRC_CHECK_CAPABLE.set(parameters.ecrc);
  const bool is_endpoint = is_virtual || parameters.kind == Kind::kEndpoint;
  r.CONTROL.COMPLETION_TIMEOUT_LOG_CAPABLE.set(is_endpoint);
  r.CONTROL.set_reset(r.CONTROL.get());
  if (is_virtual || !parameters.ecrc) {
    r.CONTROL.implement_only(~(r.CONTROL.ECRC_GENERATION_ENABLE.mask() | r.CONTROL.ECRC_CHECK_ENABLE.mask()));
  }

  if (parameters.kind == Kind::kRootPort) return;
  r.ROOT_ERROR_COMMAND.implement_only(0);
  r.ROOT_ERROR_STATUS.implement_only(0);
  r.ERROR_SOURCE.implement_only(0);
}

}  // namespace npuvp::pcie

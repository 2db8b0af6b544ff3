// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/capability.h"
#include "npuvp/registers/pcie.h"

namespace npuvp::pcie {

/// Which errors a function can have.
struct AerParameters {
  enum class Kind : uint8_t { kEndpoint, kVirtualFunction, kUpstreamPort, kDownstreamPort, kRootPort };

  Kind kind = Kind::kEndpoint;
  bool ecrc = true;                           ///< Can send and check end-to-end CRCs.
  bool acs = false;                           ///< Has access controls, so that they can be violated.
  bool poisoned_tlp_egress_blocking = false;  ///< As in the port's DpcCapability.
};

/// Advanced Error Reporting extended capability (PCI Express Base Specification 7.8.4). Registers only: who detects an
/// error records it (6.2). Errors that the kind of function cannot have read 0 and cannot be masked. Root ports alone
/// have the registers from ROOT_ERROR_COMMAND on.
///
/// A virtual function records only errors that are its own; masks, severities and ECRC enables are those of its
/// physical function (9.4.2).
class AerCapability final : public Capability {
 public:
  AerCapability(base::Environment& environment, const std::string& instance, const AerParameters& parameters);

  [[nodiscard]] base::RegisterBank& bank() override { return registers; }

  AerRegisters registers;
};

}  // namespace npuvp::pcie

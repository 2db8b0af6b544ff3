// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "models/pcie/capabilities/aer_capability.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/errors.h"
#include "models/pcie/request.h"
#include "models/pcie/tlp.h"

namespace npuvp::pcie {

/// Error handling of a function or port: what it detects goes into its status registers and, where software enabled it,
/// on as an error message (PCI Express Base Specification 6.2.4 to 6.2.6, figure 6-2).
class ErrorReporter {
 public:
  /// Where the enables are. Those of a virtual function are the physical function's.
  struct Enables {
    base::Field& system_error;  ///< COMMAND.SERR_ENABLE.
    base::Field& signaled;      ///< STATUS.SIGNALED_SYSTEM_ERROR.
    ExpressRegisters& express;  ///< DEVICE_CONTROL.
  };

  /// What becomes of a message: sent towards the root, or dealt with by a root port.
  using Send = std::function<void(MessageCode)>;

  /// `status` and `aer` are the function's own; masks and severities are `masks`, its own but for a virtual function.
  ErrorReporter(Enables enables, ExpressCapability& status, AerCapability& aer, AerCapability& masks, Send send)
      : enables_(enables), express_(status.registers), aer_(aer), masks_(masks), send_(std::move(send)) {}

  /// An error without a TLP to log: of the link, a time-out, inside the component.
  void report(Error error) { report(error, nullptr, false); }

  /// The error of a TLP with this header. `advisory`: somebody else will be told, for example by an error completion;
  /// if its severity is non-fatal it counts as correctable (6.2.3.2.4).
  void report(Error error, const TlpHeader& header, bool advisory) { report(error, &header, advisory); }

  /// True if software enabled the check of end-to-end CRCs.
  [[nodiscard]] bool checks_ecrc() const { return aer_.registers.CONTROL.ECRC_CHECK_ENABLE.get() != 0; }

 private:
  void report(Error error, const TlpHeader* header, bool advisory);
  void report_correctable(uint32_t bit);
  void report_advisory(Error error, const TlpHeader* header);
  void log_uncorrectable(Error error, const TlpHeader* header);

  Enables enables_;
  ExpressRegisters& express_;
  AerCapability& aer_;
  AerCapability& masks_;
  Send send_;
};

}  // namespace npuvp::pcie

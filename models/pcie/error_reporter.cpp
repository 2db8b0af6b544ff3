// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/error_reporter.h"

namespace npuvp::pcie {

void ErrorReporter::report(Error error, const TlpHeader* header, bool advisory) {
  if (is_correctable(error)) {
    report_correctable(status_bit(error));
    return;
  }
  const uint32_t bit = status_bit(error);
  const bool is_fatal = (masks_.registers.UNCORRECTABLE_SEVERITY.get() & bit) != 0;
  const bool is_unsupported = error == Error::kUnsupportedRequest;
  if (is_unsupported) express_.DEVICE_STATUS.UNSUPPORTED_REQUEST.set(1);
  if (advisory && !is_fatal) {
    report_advisory(error, header);
    return;
  }
  (is_fatal ? express_.DEVICE_STATUS.FATAL_ERROR : express_.DEVICE_STATUS.NON_FATAL_ERROR).set(1);
  log_uncorrectable(error, header);
  if ((masks_.registers.UNCORRECTABLE_MASK.get() & bit) != 0) return;

  auto& control = enables_.express.DEVICE_CONTROL;
  const bool by_system_error = enables_.system_error.get() != 0;
  const bool by_class = (is_fatal ? control.FATAL_ERROR_ENABLE : control.NON_FATAL_ERROR_ENABLE).get() != 0;
  const bool by_control = by_class && (!is_unsupported || control.UNSUPPORTED_REQUEST_ENABLE.get() != 0);
  if (!by_system_error && !by_control) return;
  if (by_system_error) enables_.signaled.set(1);
  send_(is_fatal ? MessageCode::kErrorFatal : MessageCode::kErrorNonFatal);
}

void ErrorReporter::report_correctable(uint32_t bit) {
  express_.DEVICE_STATUS.CORRECTABLE_ERROR.set(1);
  aer_.registers.CORRECTABLE_STATUS.set_bits(bit);
  const bool is_masked = (masks_.registers.CORRECTABLE_MASK.get() & bit) != 0;
  if (!is_masked && enables_.express.DEVICE_CONTROL.CORRECTABLE_ERROR_ENABLE.get() != 0) {
    send_(MessageCode::kErrorCorrectable);
  }
}

void ErrorReporter::report_advisory(Error error, const TlpHeader* header) {
  const auto& control = enables_.express.DEVICE_CONTROL;
  const auto advisory = static_cast<uint32_t>(aer_.registers.CORRECTABLE_STATUS.ADVISORY_NON_FATAL.mask());
  express_.DEVICE_STATUS.CORRECTABLE_ERROR.set(1);
  aer_.registers.CORRECTABLE_STATUS.set_bits(advisory);
  if ((masks_.registers.CORRECTABLE_MASK.get() & advisory) != 0) return;
  log_uncorrectable(error, header);
  const bool is_silent = error == Error::kUnsupportedRequest && control.UNSUPPORTED_REQUEST_ENABLE.get() == 0;
  if (!is_silent && control.CORRECTABLE_ERROR_ENABLE.get() != 0) send_(MessageCode::kErrorCorrectable);
}

void ErrorReporter::log_uncorrectable(Error error, const TlpHeader* header) {
  auto& registers = aer_.registers;
  const uint32_t bit = status_bit(error);
  const bool is_masked = (masks_.registers.UNCORRECTABLE_MASK.get() & bit) != 0;
  // The first error pointer is valid while the bit that it names is set (7.8.4.7).
  const uint64_t first = registers.CONTROL.FIRST_ERROR_POINTER.get();
  const bool is_logged = (registers.UNCORRECTABLE_STATUS.get() >> first & 1) != 0;
  registers.UNCORRECTABLE_STATUS.set_bits(bit);
  if (is_masked || is_logged) return;
  registers.CONTROL.FIRST_ERROR_POINTER.set(static_cast<uint64_t>(error));
  for (size_t word = 0; word < registers.HEADER_LOG.size(); ++word) {
    registers.HEADER_LOG[word].set(header != nullptr ? (*header)[word] : 0);
  }
}

}  // namespace npuvp::pcie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::pcie {

/// Errors that a function or port detects, PCI Express Base Specification table 6-2 to 6-5. The value is the bit in
/// AER's uncorrectable status register; kCorrectable is added for those of the correctable one.
enum class Error : uint8_t {
  kDataLinkProtocol = 4,
  kSurpriseDown = 5,
  kPoisonedTlp = 12,
  kFlowControlProtocol = 13,
  kCompletionTimeout = 14,
  kCompleterAbort = 15,
  kUnexpectedCompletion = 16,
  kReceiverOverflow = 17,
  kMalformedTlp = 18,
  kEcrc = 19,
  kUnsupportedRequest = 20,
  kAcsViolation = 21,
  kUncorrectableInternal = 22,

  kReceiverError = 32 + 0,
  kBadTlp = 32 + 6,
  kBadDllp = 32 + 7,
  kReplayRollover = 32 + 8,
  kReplayTimeout = 32 + 12,
  kCorrectableInternal = 32 + 14,
};

inline constexpr unsigned kCorrectableBase = 32;

[[nodiscard]] constexpr bool is_correctable(Error error) {
  return static_cast<unsigned>(error) >= kCorrectableBase;
}

/// The error's bit in its AER status register.
[[nodiscard]] constexpr uint32_t status_bit(Error error) {
  return 1u << (static_cast<unsigned>(error) % kCorrectableBase);
}

}  // namespace npuvp::pcie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace npuvp::pcie {

/// Faults that can be injected at the receiving side of a port. Each strikes the next TLP that it can, as often as
/// asked for; those of the last group happen at once.
enum class Fault : uint8_t {
  kLcrc,                  ///< Any TLP: LCRC error, Bad TLP, replayed.
  kBadTlp,                ///< Any TLP: wrong sequence number, Bad TLP, replayed.
  kEcrc,                  ///< Any TLP: ECRC error; found and dropped if checking is enabled, else without effect.
  kMalformedTlp,          ///< Any request: dropped as malformed.
  kPoisonedTlp,           ///< A TLP with data: arrives poisoned.
  kUnsupportedRequest,    ///< A request: answered Unsupported Request.
  kCompleterAbort,        ///< A non-posted request: answered Completer Abort.
  kCompletionTimeout,     ///< A completion: lost.
  kUnexpectedCompletion,  ///< At once: a completion that nobody waits for arrives.
  kReceiverError,         ///< At once: a symbol error, correctable.
  kInternal,              ///< At once: uncorrectable internal error.
  kSurpriseDown,          ///< At once: the link goes down and trains again.
};

inline constexpr size_t kFaultKinds = static_cast<size_t>(Fault::kSurpriseDown) + 1;

/// Names for people: "lcrc", "bad-tlp", ... in order of the enumeration.
inline constexpr std::array<std::string_view, kFaultKinds> kFaultNames{"lcrc",
                                                                       "bad-tlp",
                                                                       "ecrc",
                                                                       "malformed-tlp",
                                                                       "poisoned-tlp",
                                                                       "unsupported-request",
                                                                       "completer-abort",
                                                                       "completion-timeout",
                                                                       "unexpected-completion",
                                                                       "receiver-error",
                                                                       "internal",
                                                                       "surprise-down"};

[[nodiscard]] constexpr std::optional<Fault> fault_named(std::string_view name) {
  for (size_t index = 0; index < kFaultKinds; ++index) {
    if (kFaultNames[index] == name) return static_cast<Fault>(index);
  }
  return std::nullopt;
}

/// Faults that wait for their TLP.
class PendingFaults {
 public:
  void add(Fault fault, unsigned count) {
    counts_.at(static_cast<size_t>(fault)) += count;
    total_ += count;
  }
  [[nodiscard]] bool any() const { return total_ != 0; }
  /// True, and one less, if `fault` is due.
  bool take(Fault fault) {
    unsigned& count = counts_.at(static_cast<size_t>(fault));
    if (count == 0) return false;
    --count;
    --total_;
    return true;
  }

 private:
  std::array<unsigned, kFaultKinds> counts_{};
  unsigned total_ = 0;
};

}  // namespace npuvp::pcie

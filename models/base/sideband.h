// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tlm>

namespace npuvp::base {

/// Who caused an access; printed by diagnostics and traces.
struct Origin {
  enum class Kind : uint8_t { kUnknown, kHart, kHost, kEngine };
  Kind kind = Kind::kUnknown;
  uint16_t id = 0;  ///< Hart number, requester id (bus << 8 | devfn) or engine number.
  uint64_t pc = 0;  ///< Of the instruction, for a hart.

  [[nodiscard]] std::string to_string() const;
};

/// What travels beside a TLM-2.0 generic payload on every bus of the card and the fabric.
/// Owned by the initiator (base::InitiatorPort), valid for the length of the transaction.
class Sideband final : public tlm::tlm_extension<Sideband> {
 public:
  Origin origin;
  uint16_t requester_id = 0;  ///< PCIe requester id once the access is on the fabric.
  uint16_t context = 0;       ///< Context (isolation domain) of the job, 0 for firmware and host.
  uint16_t asid = 0;          ///< Address space of the device MMU that the address is in; 0: card physical.
  /// PCIe function of the card that the access belongs to: 0 the physical function, n virtual function n. For an access
  /// by the host, whose BAR it hit; for one by the card, in whose name it goes to the host.
  uint16_t function = 0;
  bool zeros = false;  ///< Hint with a write: all of its data are 0, so that a sparse memory need not touch its pages.
  /// The access takes its time and meets the errors of its address, but a memory leaves the payload's data and its own
  /// contents alone: the initiator has the contents by other ways, or nobody wants them.
  bool traffic_only = false;
  /// Of a read: a memory may show this many bytes in its own storage by `lent` instead of copying them. 0: it must
  /// copy. Who splits an access asks for fewer bytes at a time and gets copies. Valid until the memory is written.
  uint64_t lend_bytes = 0;
  const uint8_t* lent = nullptr;
  bool poison = false;             ///< Data is known to be bad: set by the target of a read, the initiator of a write.
  bool translation_fault = false;  ///< Set by the device MMU with the error response of an access that it refused.

  [[nodiscard]] tlm::tlm_extension_base* clone() const override { return new Sideband(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Sideband&>(other); }
};

/// The payload's sideband, or an empty one when the initiator sent none.
[[nodiscard]] const Sideband& sideband_of(const tlm::tlm_generic_payload& payload);

}  // namespace npuvp::base

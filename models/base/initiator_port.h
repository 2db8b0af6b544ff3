// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <systemc>
#include <vector>

#include "models/base/sideband.h"

namespace npuvp::base {

/// An initiator socket with its payload and sideband: what every block uses to read and write a bus.
/// Memory paths are annotated, nobody waits inside: a block with several accesses outstanding issues them one after the
/// other, each with its own `delay`.
class InitiatorPort {
 public:
  explicit InitiatorPort(const char* name);
  ~InitiatorPort();
  InitiatorPort(const InitiatorPort&) = delete;
  InitiatorPort& operator=(const InitiatorPort&) = delete;

  tlm_utils::simple_initiator_socket<InitiatorPort> socket;

  /// Blocking access. `delay` is the access's start relative to sc_time_stamp() and grows to its completion.
  /// Returns the target's response; TLM_OK_RESPONSE means that all bytes moved.
  tlm::tlm_response_status read(uint64_t address, std::span<uint8_t> data, sc_core::sc_time& delay);
  /// read(), but a memory may show the bytes where it keeps them instead of copying them to `buffer`: `data` tells
  /// where they are, until that memory is written.
  tlm::tlm_response_status borrow(uint64_t address, std::span<uint8_t> buffer, const uint8_t*& data,
                                  sc_core::sc_time& delay);
  tlm::tlm_response_status write(uint64_t address, std::span<const uint8_t> data, sc_core::sc_time& delay);

  /// Untimed access without side effects, for debuggers. Returns the bytes moved.
  unsigned debug_read(uint64_t address, std::span<uint8_t> data);
  unsigned debug_write(uint64_t address, std::span<const uint8_t> data);

  /// Direct memory pointer for `address`, if the target offers one.
  bool dmi(uint64_t address, tlm::tlm_dmi& dmi);

  /// Goes with every following access; the target may set `poison` on a read.
  [[nodiscard]] Sideband& sideband() { return sideband_; }

 private:
  class Loan;

  Sideband sideband_;
  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> idle_;  ///< Payloads that no access uses now.
};

}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <tlm>
#include <vector>

#include "models/base/fault_map.h"
#include "models/base/sparse_memory.h"

namespace npuvp::base {

/// The contents of a memory with SECDED ECC over each aligned 64-bit word: what DRAM and SRAM blocks have in common.
///
/// A read of an uncorrectable word is poisoned (Sideband; TLM_GENERIC_ERROR_RESPONSE where there is none), a poisoned
/// write makes its words uncorrectable. Direct access is refused for the 4 KiB around a word with an error: it would
/// not see it. Takes no time.
class EccStorage {
 public:
  /// Called with a range whose direct access has changed.
  using Withdraw = std::function<void(uint64_t first, uint64_t last)>;

  /// `bytes` > 0.
  explicit EccStorage(uint64_t bytes) : memory_(bytes), faults_(memory_) {}

  /// Moves the payload's bytes, corrects or poisons, and returns the response. A debugger's access sees sound data and
  /// heals nothing: memory_access.h.
  [[nodiscard]] tlm::tlm_response_status access(tlm::tlm_generic_payload& payload, bool writable);

  /// Switches the code on, as it is after construction, or off. Off: nothing is corrected, reported or poisoned, and no
  /// code is made for what is written. Switched on again, no word has a valid code until it is written in full or
  /// wiped: until then it is uncorrectable.
  void set_coding(bool on);
  [[nodiscard]] bool coding() const { return coding_; }

  /// Offers what lies around the payload's address without errors. False: nothing there.
  bool offer(const tlm::tlm_generic_payload& payload, bool writable, sc_core::sc_time latency, tlm::tlm_dmi& dmi);

  /// Flips bit 0 to 63 (data) or 64 to 71 (check) of the word at `address`. Throws std::invalid_argument for what does
  /// not exist.
  void inject(uint64_t address, unsigned bit);

  /// Reads [address, address + bytes), which lie in the memory, and writes corrected words back. Returns the bytes
  /// written.
  uint64_t scrub(uint64_t address, uint64_t bytes);

  /// All zeros, no errors, counters 0.
  void clear();
  /// All zeros, no errors: written by the hardware.
  void wipe() { wipe(0, size()); }
  void wipe(uint64_t address, uint64_t bytes);

  [[nodiscard]] const EccCounters& counters() const { return faults_.counters(); }
  [[nodiscard]] const FaultMap& faults() const { return faults_; }
  void on_error(FaultMap::Report report) { faults_.on_error(std::move(report)); }
  void on_withdraw(Withdraw withdraw) { withdraw_ = std::move(withdraw); }

  [[nodiscard]] SparseMemory& memory() { return memory_; }
  [[nodiscard]] uint64_t size() const { return memory_.size(); }

 private:
  void withdraw(uint64_t address, uint64_t bytes);
  tlm::tlm_response_status access_uncoded(tlm::tlm_generic_payload& payload, bool writable);
  /// [address, address + bytes) is about to be accessed: words without a code that are written in full get one, others
  /// become errors like any other.
  void meet_unwritten(uint64_t address, uint64_t bytes, bool write);

  SparseMemory memory_;
  FaultMap faults_;
  Withdraw withdraw_;
  bool coding_ = true;
  std::vector<bool> unwritten_;  ///< By word; empty: all words have a code.
  uint64_t unwritten_words_ = 0;
};

}  // namespace npuvp::base

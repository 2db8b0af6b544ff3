// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <tlm>

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

  SparseMemory memory_;
  FaultMap faults_;
  Withdraw withdraw_;
};

}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <span>
#include <systemc>
#include <utility>

#include "models/base/clock.h"
#include "models/base/ecc_storage.h"
#include "models/base/environment.h"
#include "models/base/interleaved_timeline.h"
#include "models/base/power_meter.h"

namespace npuvp::memory {

/// On-chip memory: scratchpad, shared memory, TCM, boot ROM.
///
/// Sockets: `ports[i]`, targets, addresses 0 to bytes - 1; DMI and debug access. All ports reach all banks; each bank
/// serves one access at a time (base::InterleavedTimeline). Timing: a burst occupies its banks and has completed
/// `latency` after the last of them. Contents have SECDED ECC: a read of an uncorrectable word is poisoned. A read-only
/// memory answers writes with TLM_COMMAND_ERROR_RESPONSE and reports them.
class Memory final : public sc_core::sc_module {
 public:
  struct Parameters {
    uint64_t bytes = 4ULL << 20;
    double bytes_per_second = 512e9;              ///< (u) Of all banks: README.md.
    sc_core::sc_time latency{4, sc_core::SC_NS};  ///< (u) Pipeline of the array, added to each access.
    bool read_only = false;
    unsigned ports = 1;
    bool dmi = true;
    bool ecc_at_reset = true;      ///< False: switched on by set_ecc(), and the contents are to be written first.
    unsigned banks = 1;            ///< Words lie in them in turn.
    uint64_t bank_word_bytes = 1;  ///< 1: charged by the byte.
  };

  /// Accesses since construction or reset().
  struct Counters {
    uint64_t accesses = 0;
    uint64_t bytes = 0;
    uint64_t conflicts = 0;   ///< Accesses that found a bank occupied.
    sc_core::sc_time waited;  ///< How much later they ended for it, summed.
  };

  Memory(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  sc_core::sc_vector<tlm_utils::simple_target_socket<Memory>> ports;
  base::ClockInput clock;      ///< Stretches the banks' cycles and the latency.
  base::EnergyCounter energy;  ///< Of each byte that the array reads or writes.

  /// Copies an image to `offset`, past the read-only rule. False: it does not fit, nothing is written.
  [[nodiscard]] bool load(uint64_t offset, std::span<const uint8_t> image);

  /// Forgets reserved time and counters; contents and their errors stay, as SRAM contents do over a card reset.
  void reset();
  /// Power-on: all zeros, no errors.
  void clear() { storage_.clear(); }
  /// All zeros at once by the memory's own hardware, the array is busy for the time that writing them takes. Returns
  /// how long it takes from now on.
  sc_core::sc_time wipe() { return wipe(0, parameters_.bytes); }
  /// The same for `bytes` bytes from `offset` on. Throws std::invalid_argument for what lies outside.
  sc_core::sc_time wipe(uint64_t offset, uint64_t bytes);

  /// Switches the ECC on or off (base::EccStorage::set_coding).
  void set_ecc(bool on) { storage_.set_coding(on); }

  /// Flips bit 0 to 63 (data) or 64 to 71 (check) of the 64-bit word at `address`. Throws std::invalid_argument for
  /// what does not exist.
  void inject_error(uint64_t address, unsigned bit) { storage_.inject(address, bit); }
  /// Reads [address, address + bytes) from `begin` (absolute) on, and writes corrected words back. Returns the end.
  /// Throws std::invalid_argument for what lies outside.
  sc_core::sc_time scrub(uint64_t address, uint64_t bytes, sc_core::sc_time begin);
  [[nodiscard]] const base::EccCounters& ecc() const { return storage_.counters(); }
  /// `report` is called with each word with an error that is met.
  void on_error(base::FaultMap::Report report) { storage_.on_error(std::move(report)); }

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] base::SparseMemory& storage() { return storage_.memory(); }

 private:
  [[nodiscard]] sc_core::sc_time latency() const { return base::stretched(parameters_.latency, clock.stretch()); }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  base::Environment& environment_;
  const Parameters parameters_;
  base::EccStorage storage_;
  base::InterleavedTimeline array_;
  Counters counters_;
};

}  // namespace npuvp::memory

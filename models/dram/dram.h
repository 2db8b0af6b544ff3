// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <systemc>
#include <utility>

#include "models/base/ecc_storage.h"
#include "models/base/environment.h"
#include "models/base/power_meter.h"
#include "models/dram/fast_timing.h"
#include "models/dram/jedec_timing.h"
#include "models/dram/patrol.h"
#include "models/dram/timing.h"

namespace npuvp::dram {

/// The card's DRAM with its controller: sparse contents with SECDED ECC, behind a choice of timing.
///
/// Socket: `memory`, target, addresses 0 to bytes - 1; DMI (untimed, for firmware; not for the pages around injected
/// errors) and debug access, which sees sound data. A read of an uncorrectable word is poisoned (base::Sideband; an
/// error response where there is none), and a poisoned write makes its words uncorrectable. Timing: FastTiming, or
/// JedecTiming where `jedec` is given; with `patrol`, scrubbing beside the traffic. Sources of the figures: README.md.
class Dram final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Dram);
  struct Parameters {
    uint64_t bytes = 16ULL << 30;
    bool dmi = true;
    FastTiming::Parameters fast;
    std::optional<JedecTiming::Parameters> jedec;
    sc_core::sc_time patrol_period;  ///< In which all of the memory is scrubbed once; 0: never.
  };

  /// Throws std::invalid_argument for parameters that make no sense.
  Dram(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Dram> memory;
  base::EnergyCounter energy;  ///< Of each byte that the devices read or write, scrubbing included.

  /// Forgets scheduled accesses; contents stay over a card reset.
  void reset() { timing_->reset(); }
  /// Power-on: all zeros, no errors.
  void clear();

  /// Flips bit 0 to 63 (data) or 64 to 71 (check) of the 64-bit word at `address`. Throws std::invalid_argument for
  /// what does not exist.
  void inject_error(uint64_t address, unsigned bit);
  /// Reads [address, address + bytes) from `begin` (absolute) on, and writes corrected words back. Returns the end.
  sc_core::sc_time scrub(uint64_t address, uint64_t bytes, sc_core::sc_time begin);
  [[nodiscard]] const base::EccCounters& ecc() const { return storage_.counters(); }
  [[nodiscard]] uint64_t last_uncorrectable() const { return storage_.faults().last_uncorrectable(); }
  /// `report` is called with each word with an error that is met.
  void on_error(base::FaultMap::Report report) { storage_.on_error(std::move(report)); }
  /// Bytes that the patrol has read until now.
  [[nodiscard]] uint64_t patrolled_bytes() const;

  [[nodiscard]] base::SparseMemory& storage() { return storage_.memory(); }
  /// The JEDEC timing for counters and traces; null in the fast mode.
  [[nodiscard]] JedecTiming* jedec() { return dynamic_cast<JedecTiming*>(timing_.get()); }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  sc_core::sc_time access(sc_core::sc_time begin, uint64_t address, uint64_t bytes, bool write);
  void await_patrol();
  void patrol_error();

  const Parameters parameters_;
  base::EccStorage storage_;
  std::unique_ptr<Timing> timing_;
  std::optional<Patrol> patrol_;
  sc_core::sc_event patrol_event_;  // the patrol comes to an error
  std::set<uint64_t> met_;          // words that the patrol has found uncorrectable: it does not come for them again
};

}  // namespace npuvp::dram

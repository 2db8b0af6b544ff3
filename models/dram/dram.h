// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/sparse_memory.h"
#include "models/dram/fast_timing.h"
#include "models/dram/timing.h"

namespace npuvp::dram {

/// The card's DRAM with its controller: sparse contents behind a choice of timing.
///
/// Socket: `memory`, target, addresses 0 to bytes - 1; DMI (untimed, for firmware) and debug access.
/// Timing: dram::Timing. The JEDEC mode with bank state will be another Timing behind the same socket.
/// Sources of the figures: README.md.
class Dram final : public sc_core::sc_module {
 public:
  struct Parameters {
    uint64_t bytes = 16ULL << 30;
    bool dmi = true;
    FastTiming::Parameters fast;
  };

  Dram(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Dram> memory;

  /// Forgets scheduled accesses; contents stay over a card reset.
  void reset() { timing_->reset(); }
  /// Power-on: all zeros.
  void clear() { storage_.clear(); }

  [[nodiscard]] base::SparseMemory& storage() { return storage_; }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  const Parameters parameters_;
  base::SparseMemory storage_;
  std::unique_ptr<Timing> timing_;
};

}  // namespace npuvp::dram

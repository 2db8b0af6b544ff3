// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <span>
#include <systemc>

#include "models/base/environment.h"
#include "models/base/sparse_memory.h"
#include "models/base/timeline.h"

namespace npuvp::memory {

/// On-chip memory: scratchpad, shared memory, TCM, boot ROM.
///
/// Sockets: `ports[i]`, targets, addresses 0 to bytes - 1; DMI and debug access. All ports share one Timeline: the
/// array's total rate. Timing: a burst occupies the array for bytes / rate and has completed `latency` after that.
/// A read-only memory answers writes with TLM_COMMAND_ERROR_RESPONSE and reports them.
class Memory final : public sc_core::sc_module {
 public:
  struct Parameters {
    uint64_t bytes = 4ULL << 20;
    double bytes_per_second = 512e9;              ///< (u) 512 B a cycle at 1 GHz: README.md.
    sc_core::sc_time latency{4, sc_core::SC_NS};  ///< (u) Pipeline of the array, added to each access.
    bool read_only = false;
    unsigned ports = 1;
    bool dmi = true;
  };

  Memory(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  sc_core::sc_vector<tlm_utils::simple_target_socket<Memory>> ports;

  /// Copies an image to `offset`, past the read-only rule. False: it does not fit, nothing is written.
  [[nodiscard]] bool load(uint64_t offset, std::span<const uint8_t> image);

  /// Forgets reserved time; contents stay, as SRAM contents do over a card reset.
  void reset() { array_.reset(); }
  /// Power-on: all zeros.
  void clear() { storage_.clear(); }
  /// The same by the memory's own hardware: all zeros at once, the array is busy for the time that writing them takes.
  /// Returns how long it takes from now on.
  sc_core::sc_time scrub() { return scrub(0, parameters_.bytes); }
  /// The same for `bytes` bytes from `offset` on, which lie inside.
  sc_core::sc_time scrub(uint64_t offset, uint64_t bytes);

  [[nodiscard]] base::SparseMemory& storage() { return storage_; }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  base::Environment& environment_;
  const Parameters parameters_;
  base::SparseMemory storage_;
  base::Timeline array_;
};

}  // namespace npuvp::memory

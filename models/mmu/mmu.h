// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <systemc>
#include <vector>

#include "firmware/abi/page_table.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "models/mmu/tlb.h"
#include "npuvp/registers/mmu.h"

namespace npuvp::mmu {

/// Device MMU: translates what the engines access in the DRAM window, one address space (ASID) a context.
///
/// Sockets: `initiators[i]` (targets, from the engines), `noc[i]` (initiators, the same ports of the NoC), `walker`
/// (initiator: page tables in DRAM), `registers` (target), `irq`. The sideband's `asid` says which address space an
/// access is in; 0, and addresses outside of the window, pass untouched and take no time. A refused access is answered
/// TLM_GENERIC_ERROR_RESPONSE with the sideband's `translation_fault` set, moves nothing and is recorded for the
/// firmware. Timing: `lookup_latency` a page, on a miss up to three reads through `walker`: README.md.
class Mmu final : public sc_core::sc_module {
 public:
  struct Parameters {
    unsigned initiators = NPU_MMU_INITIATORS;
    uint64_t dram_bytes = 16ULL << 30;
    unsigned tlb_entries = 512;                          ///< (u) 1 GiB of large pages.
    unsigned tlb_ways = 8;                               ///< (u)
    sc_core::sc_time lookup_latency{2, sc_core::SC_NS};  ///< (u) 2 cycles at 1 GHz.
  };

  Mmu(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<Mmu>> initiators;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<Mmu>> noc;
  tlm_utils::simple_target_socket<Mmu> registers;
  base::InitiatorPort walker;
  base::IrqLine irq;

  /// Card reset: no address spaces, empty TLB and FIFO, counters 0.
  void reset();

 private:
  /// An access that is being translated.
  struct Access {
    unsigned port;
    uint16_t asid;
    bool write;
    const base::Sideband& sideband;
  };
  /// A part of an access that lies in one page.
  struct Piece {
    uint64_t physical;
    uint64_t bytes;
    sc_core::sc_time ready;  // when its translation is known, absolute
  };
  struct Fault {
    uint64_t info;
    uint64_t address;
    uint64_t owner;
  };
  struct Found {
    npu_mmu_fault fault = NPU_MMU_FAULT_NONE;
    Page page;
  };

  void b_transport(int port, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(int port, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(int port, tlm::tlm_generic_payload& payload);
  void invalidate_direct_mem_ptr(int port, sc_dt::uint64 start, sc_dt::uint64 end);
  void registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_transport_dbg(tlm::tlm_generic_payload& payload);

  void wire_registers();
  bool translate(const Access& access, uint64_t address, uint64_t bytes, sc_core::sc_time& ready);
  Found look_up(const Access& access, uint64_t address, sc_core::sc_time& ready);
  Found look_up_debug(uint16_t asid, uint64_t address);
  template <class Read>
  Found walk(uint16_t asid, uint64_t address, Read read) const;
  [[nodiscard]] uint64_t root_of(uint16_t asid) const;
  void record(const Access& access, uint64_t address, npu_mmu_fault reason);
  void invalidate(const base::RegisterWrite& write);
  void update_irq();

  base::Environment& environment_;
  const Parameters parameters_;
  MmuRegisters registers_;
  Tlb tlb_;
  std::vector<Piece> pieces_;  // of the access in hand
  std::deque<Fault> faults_;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  uint64_t walk_reads_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace npuvp::mmu

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <systemc>

#include "firmware/abi/cp_dma.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "npuvp/registers/cp_dma.h"

namespace npuvp::cp_dma {

struct Parameters {
  unsigned burst_bytes = 512;                               ///< (u) Moderate: it shares the interconnect with jobs.
  unsigned outstanding_bursts = 4;                          ///< (u)
  sc_core::sc_time descriptor_latency{50, sc_core::SC_NS};  ///< (u) From a descriptor's arrival to its first burst.
};

/// The command processor's own DMA channel: follows a list of descriptors (firmware/abi/cp_dma.h) in card memory and
/// copies or fills card memory. It never reaches the host: that is the External HDMA's, which knows PCIe functions.
///
/// Sockets: `registers` (target), `memory` (initiator). `interrupt`: level-sensitive.
/// Timing: up to `outstanding_bursts` bursts, a write starts when its data have been read; the next descriptor is
/// fetched when the last write of this one is visible. The vendor's block is not public; this one is ours.
class CpDma final : public sc_core::sc_module {
 public:
  CpDma(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<CpDma> registers;
  base::InitiatorPort memory;
  base::IrqLine interrupt;

  void reset();

 private:
  /// Why a list ends before its end, and where.
  struct Failure {
    uint64_t code;
    uint64_t address;
  };
  using Result = std::optional<Failure>;

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void control(const base::RegisterWrite& write);
  void run();
  Result follow(uint64_t first);
  Result carry_out(const npu_cp_dma_descriptor& descriptor);
  Result burst(const npu_cp_dma_descriptor& descriptor, uint64_t offset, uint64_t bytes, sc_core::sc_time& end);
  [[nodiscard]] Result check(const npu_cp_dma_descriptor& descriptor, uint64_t address) const;
  /// Waits; true if the list shall not go on.
  bool wait_until(sc_core::sc_time at);
  void update_interrupt();

  static constexpr unsigned kMostBurstBytes = 4096;

  base::Environment& environment_;
  const Parameters parameters_;
  CpDmaRegisters registers_;
  std::array<uint8_t, kMostBurstBytes> buffer_;
  uint64_t epoch_ = 0;  // counts resets
  bool abort_ = false;
  sc_core::sc_time access_delay_;
  sc_core::sc_event start_;
  sc_core::sc_event stop_;
};

}  // namespace npuvp::cp_dma

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <systemc>
#include <utility>

#include "models/base/clock.h"
#include "models/base/environment.h"
#include "npuvp/registers/system_controller.h"

namespace npuvp::system_controller {

/// Why the card restarts: values of RESET_CAUSE.
enum class ResetCause : uint8_t { kPowerOn = 0, kHost = 1, kFirmware = 2, kPcie = 3, kWatchdog = 4, kThermal = 5 };

/// Clock domains, in the order of CLOCK_KHZ.
enum class Domain : uint8_t { kCp, kDc1, kDc2, kBus, kShm };
inline constexpr size_t kDomains = 5;

/// Performance states, by the vendor's numbers.
enum class PState : uint8_t { kP2 = 2, kP4 = 4, kP6 = 6, kP10 = 10, kP12 = 12, kP14 = 14 };

/// What a P-state is: the divider of all clocks but the command processor's, whether bus and shm rise from it on
/// demand, and the PCIe generation that the link is limited to (0: it stays as it is).
struct PStateSettings {
  unsigned divider;
  bool on_demand;
  unsigned pcie_generation;
};
[[nodiscard]] PStateSettings settings_of(PState state);

/// Board straps for the firmware, resets, clock domains and P-states, scratch registers.
///
/// Socket: `registers`, target; accesses take no time of their own. A new P-state counts from the next operation of
/// each block on.
class SystemController final : public sc_core::sc_module {
 public:
  /// What the straps say; no defaults that could disagree with the board's other blocks.
  struct Parameters {
    uint32_t neural_engines;
    uint32_t dram_mib;
    uint32_t shared_bytes;
    uint32_t scratchpad_bytes;
    uint32_t cp_mhz;
    uint32_t card;
    std::array<uint32_t, kDomains> clock_khz;  ///< Nominal, by Domain.
  };

  SystemController(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<SystemController> registers;

  /// Handlers are called from inside the register write. Reset by ResetCause::kFirmware; it may call reset().
  void on_card_reset(std::function<void(ResetCause)> handler) { card_reset_ = std::move(handler); }
  /// Rails off, until the next reset.
  void on_power_off(std::function<void()> handler) { power_off_ = std::move(handler); }
  /// `blocks`: bits of BLOCK_RESET.
  void on_block_reset(std::function<void(uint32_t blocks)> handler) { block_reset_ = std::move(handler); }
  /// The P-state has changed; clock domains run at their new frequencies already. Also at reset().
  void on_pstate(std::function<void(PState now, PState before)> handler) { pstate_ = std::move(handler); }

  [[nodiscard]] const base::ClockDomain& clock(Domain domain) const { return clocks_[static_cast<size_t>(domain)]; }
  [[nodiscard]] PState pstate() const { return static_cast<PState>(registers_.PSTATE.STATE.get()); }

  /// Records the cause. SCRATCH survives all but kPowerOn. P2.
  void reset(ResetCause cause);

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void wire_registers();
  void write_pstate(const base::RegisterWrite& write);
  void enter(PState now, PState before);

  base::Environment& environment_;
  const std::array<uint32_t, kDomains> clock_khz_;
  std::array<base::ClockDomain, kDomains> clocks_;
  SystemControllerRegisters registers_;
  std::function<void(ResetCause)> card_reset_;
  std::function<void()> power_off_;
  std::function<void(uint32_t)> block_reset_;
  std::function<void(PState, PState)> pstate_;
};

}  // namespace npuvp::system_controller

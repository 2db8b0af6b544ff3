// SPDX-License-Identifier: Apache-2.0
#include "models/system_controller/system_controller.h"

#include <fmt/format.h>

namespace npuvp::system_controller {
namespace {

/// Clocks in P12 and P14. Not published (u): slow enough to save nearly all of the clocks' power, and not stopped, so
/// that what is under way still ends. Bus and shm rise from there by themselves: host and peers may use an idle card's
/// memory at any time, and the firmware does not see it.
constexpr unsigned kIdleDivider = 16;

}  // namespace

PStateSettings settings_of(PState state) {
  switch (state) {
    case PState::kP4:
      return {.divider = 1, .on_demand = false, .pcie_generation = 4};
    case PState::kP6:
      return {.divider = 2, .on_demand = false, .pcie_generation = 4};
    case PState::kP10:
      return {.divider = 2, .on_demand = false, .pcie_generation = 0};
    case PState::kP12:
    case PState::kP14:
      return {.divider = kIdleDivider, .on_demand = true, .pcie_generation = 0};
    case PState::kP2:
    default:
      return {.divider = 1, .on_demand = false, .pcie_generation = 5};
  }
}

SystemController::SystemController(sc_core::sc_module_name name, base::Environment& environment,
                                   const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      environment_(environment),
      clock_khz_(parameters.clock_khz),
      clocks_{base::ClockDomain("cp"), base::ClockDomain("dc1"), base::ClockDomain("dc2"), base::ClockDomain("bus"),
              base::ClockDomain("shm")},
      registers_(environment, sc_module::name()) {
  registers.register_b_transport(this, &SystemController::b_transport);
  registers.register_transport_dbg(this, &SystemController::transport_dbg);
  registers_.NEURAL_ENGINES.set_reset(parameters.neural_engines);
  registers_.DRAM_MIB.set_reset(parameters.dram_mib);
  registers_.SHARED_BYTES.set_reset(parameters.shared_bytes);
  registers_.SCRATCHPAD_BYTES.set_reset(parameters.scratchpad_bytes);
  registers_.CP_MHZ.set_reset(parameters.cp_mhz);
  registers_.CARD.set_reset(parameters.card);
  wire_registers();
}

void SystemController::wire_registers() {
  registers_.RESET.on_write([this](const base::RegisterWrite& write) {
    if (registers_.RESET.POWER_OFF.in(write) != 0 && power_off_) power_off_();
    if (registers_.RESET.CARD.in(write) != 0 && card_reset_) card_reset_(ResetCause::kFirmware);
  });
  registers_.BLOCK_RESET.on_write([this](const base::RegisterWrite& write) {
    const auto blocks = static_cast<uint32_t>(write.written & write.mask);
    if (blocks != 0 && block_reset_) block_reset_(blocks);
  });
  registers_.PSTATE.on_write([this](const base::RegisterWrite& write) { write_pstate(write); });
  for (size_t domain = 0; domain < kDomains; ++domain) {
    registers_.CLOCK_KHZ[domain].on_read(
        [this, domain](uint64_t) -> uint64_t { return clock_khz_[domain] / clocks_[domain].divider(); });
  }
}

void SystemController::write_pstate(const base::RegisterWrite& write) {
  const PState now = pstate();
  const auto before = static_cast<PState>(write.before);
  switch (now) {
    case PState::kP2:
    case PState::kP4:
    case PState::kP6:
    case PState::kP10:
    case PState::kP12:
    case PState::kP14:
      enter(now, before);
      return;
  }
  registers_.PSTATE.set(write.before);
  environment_.diagnostics().misuse(registers_.name() + ".PSTATE",
                                    fmt::format("there is no P-state {}", static_cast<unsigned>(now)), write.origin);
}

void SystemController::enter(PState now, PState before) {
  if (now == before) return;
  const auto settings = settings_of(now);
  const auto clock = [this](Domain domain) -> base::ClockDomain& { return clocks_[static_cast<size_t>(domain)]; };
  for (auto domain : {Domain::kDc1, Domain::kDc2}) clock(domain).set_divider(settings.divider);
  for (auto domain : {Domain::kBus, Domain::kShm}) clock(domain).set_divider(settings.divider, settings.on_demand);
  if (pstate_) pstate_(now, before);
}

void SystemController::reset(ResetCause cause) {
  if (cause == ResetCause::kPowerOn) {
    for (auto& word : registers_.SCRATCH) word.reset();
  }
  registers_.RESET_CAUSE.CAUSE.set(static_cast<uint64_t>(cause));
  const PState before = pstate();
  registers_.PSTATE.reset();
  enter(pstate(), before);
}

void SystemController::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  registers_.transport(payload);
}

unsigned SystemController::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::system_controller

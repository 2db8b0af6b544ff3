// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/card_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/otp/default_fuses.h"
#include "npu/registers/gpio.h"
#include "platform/assembly/serial_number.h"
#include "platform/config/noc_reader.h"

namespace npuvp::assembly {
namespace {

using sc_core::SC_NS;
using sc_core::SC_SEC;
using sc_core::sc_time;
using sc_core::SC_US;

constexpr uint64_t kMib = 1 << 20;
constexpr double kGiga = 1e9;
constexpr double kMega = 1e6;

/// With `data: none`: of what one DMA command moves, so that lists and descriptors are real
/// (platform/boards/README.md).
constexpr uint64_t kKeptBytes = 64 << 10;

/// Rates of the command processor's own memories and bus are not public (u): 8 bytes a cycle of its clock.
constexpr double kBusBytesPerCycle = 8;

double bus_rate(const config::CardConfig& config) {
  return kBusBytesPerCycle * config.command_processor.clock_mhz * kMega;
}

uint32_t khz(double mhz) {
  return static_cast<uint32_t>(std::lround(mhz * 1000));
}

noc::Topology noc_topology(const config::NocConfig& config) {
  using Kind = noc::Topology::Kind;
  switch (config.topology) {
    case config::NocConfig::Topology::kRing:
      return {Kind::kRing, config.columns, 1};
    case config::NocConfig::Topology::kMesh:
      return {Kind::kMesh, config.columns, config.rows};
    default:
      return {Kind::kCrossbar, 1, 1};
  }
}

void add_noc_ports(noc::Network::Parameters& parameters, const config::CardConfig& config) {
  const auto& noc = config.noc;
  const double clock_hz = noc.clock_mhz * kMega;
  const double port_rate = noc.port_bytes_per_cycle * clock_hz;
  const double memory_rate = noc.memory_port_bytes_per_cycle * clock_hz;
  static_assert(config::kNocInitiatorNames.size() == kNocInitiators &&
                config::kNocTargetNames.size() == kNocScratchpad0);
  for (const char* name : config::kNocInitiatorNames) {
    parameters.initiators.push_back({name, port_rate, noc.node_of(name), noc.weight_of(name)});
  }
  // One Neural DMA port serves the channels of all engines.
  parameters.initiators[kNocNeuralDma].bytes_per_second = port_rate * config.neural_engines.count;
  for (const char* name : config::kNocTargetNames)
    parameters.targets.push_back({name, port_rate, noc.node_of(name), 0});
  for (unsigned engine = 0; engine < config.neural_engines.count; ++engine) {
    const auto name = fmt::format("scratchpad{}", engine);
    parameters.targets.push_back({name, port_rate, noc.node_of(name), 0});
  }
  parameters.targets[kNocDram].bytes_per_second = memory_rate;
  parameters.targets[kNocDram].service_bytes_per_second =
      config.dram.channels * config.dram.channel_gb_per_s * kGiga * config.dram.efficiency;
  parameters.targets[kNocShared].bytes_per_second = memory_rate;
  parameters.targets[kNocShared].service_bytes_per_second = config.shared_memory.gb_per_s * kGiga;
}

}  // namespace

riscv::HartClusterParameters hart_parameters(const config::CardConfig& config) {
  return {.harts = config.command_processor.harts,
          .clock_period = sc_time(1000 / config.command_processor.clock_mhz, SC_NS),
          .quantum = sc_time(config.command_processor.quantum_us, SC_US),
          .reset_pc = NPU_MAP_ROM};
}

memory::Memory::Parameters rom_parameters(const config::CardConfig& config) {
  return {.bytes = NPU_MAP_ROM_BYTES, .bytes_per_second = bus_rate(config), .read_only = true};
}

memory::Memory::Parameters tcm_parameters(const config::CardConfig& config) {
  return {.bytes = NPU_MAP_TCM_BYTES, .bytes_per_second = bus_rate(config), .ports = kTcmPorts, .ecc_at_reset = false};
}

memory::Memory::Parameters shared_parameters(const config::CardConfig& config) {
  return {.bytes = config.shared_memory.mib * kMib,
          .bytes_per_second = config.shared_memory.gb_per_s * kGiga,
          .latency = sc_time(config.shared_memory.latency_ns, SC_NS),
          .banks = config.shared_memory.banks.count,
          .bank_word_bytes = config.shared_memory.banks.word_bytes};
}

memory::Memory::Parameters scratchpad_parameters(const config::CardConfig& config) {
  return {.bytes = config.neural_engines.scratchpad_mib * kMib,
          .bytes_per_second = config.neural_engines.scratchpad_gb_per_s * kGiga,
          .ports = kScratchpadPorts,
          .banks = config.neural_engines.scratchpad_banks.count,
          .bank_word_bytes = config.neural_engines.scratchpad_banks.word_bytes};
}

dram::Dram::Parameters dram_parameters(const config::CardConfig& config) {
  dram::Dram::Parameters parameters;
  parameters.bytes = config.dram.mib * kMib;
  parameters.fast.channels = config.dram.channels;
  parameters.fast.channel_bytes_per_second = config.dram.channel_gb_per_s * kGiga;
  parameters.fast.efficiency = config.dram.efficiency;
  parameters.fast.latency = sc_time(config.dram.latency_ns, SC_NS);
  parameters.patrol_period = sc_time(config.dram.patrol_s, SC_SEC);
  if (config.dram.jedec_timing) {
    const auto& jedec = *config.dram.jedec;
    parameters.jedec = {jedec.part, jedec.policy, jedec.map, config.dram.channels};
  }
  return parameters;
}

dma::Parameters dma_parameters(const config::CardConfig& config, npu_command_kind kind, unsigned channels) {
  dma::Parameters parameters;
  parameters.kind = kind;
  parameters.channels = channels;
  parameters.outstanding_bursts = config.dma.outstanding_bursts;
  parameters.start_latency = sc_time(config.dma.startup_ns, SC_NS);
  if (config.data == config::DataMode::kNone) {
    // Nobody on the card reads lists from a scratchpad.
    parameters.kept_bytes = kind == NPU_COMMAND_NEURAL_DMA ? 0 : kKeptBytes;
  }
  return parameters;
}

system_controller::SystemController::Parameters straps(const config::CardConfig& config, unsigned index) {
  return {.neural_engines = config.neural_engines.count,
          .dram_mib = config.dram.mib,
          .shared_bytes = static_cast<uint32_t>(config.shared_memory.mib * kMib),
          .scratchpad_bytes = static_cast<uint32_t>(config.neural_engines.scratchpad_mib * kMib),
          .cp_mhz = static_cast<uint32_t>(config.command_processor.clock_mhz),
          .card = index,
          .clock_khz = {khz(config.command_processor.clock_mhz), khz(config.neural_engines.clock_mhz),
                        khz(config.neural_engines.clock_mhz), khz(config.noc.clock_mhz), khz(config.noc.clock_mhz)}};
}

gpio::Gpio::Parameters gpio_parameters(const config::CardConfig& config) {
  return {.boot = static_cast<uint8_t>(config.security.recovery_strap ? GPIO_STRAPS_BOOT_RECOVERY
                                                                      : GPIO_STRAPS_BOOT_FLASH)};
}

otp::Otp::Parameters otp_parameters(const config::CardConfig& config) {
  return {.fuses = otp::default_fuses(config.security.lifecycle, config.security.debug_disable),
          .file = config.security.otp_file};
}

flash::FlashController::Parameters flash_parameters(const config::CardConfig& config, uint64_t seed) {
  return {.flash = {.bytes = config.security.flash_mib * kMib, .file = config.security.flash_file, .seed = seed}};
}

/// Cards of one platform give different numbers, the same ones in each run.
trng::Trng::Parameters trng_parameters(const base::Environment& environment, unsigned index) {
  constexpr uint64_t kCards = 1 << 16;
  return {.seed = environment.seed() * kCards + index};
}

task_manager::TaskManager::Parameters task_manager_parameters(const config::CardConfig& config, base::TrackId track) {
  task_manager::TaskManager::Parameters parameters;
  parameters.memories = {.neural_engines = config.neural_engines.count,
                         .scratchpad_bytes = config.neural_engines.scratchpad_mib * kMib,
                         .shared_bytes = config.shared_memory.mib * kMib,
                         .dram_bytes = config.dram.mib * kMib};
  parameters.dispatch_latency = sc_time(config.task_manager.dispatch_ns, SC_NS);
  parameters.trace_parent = track;
  return parameters;
}

noc::Crossbar::Parameters bus_parameters(const config::CardConfig& config) {
  const uint64_t dram_bytes = config.dram.mib * kMib;
  noc::Crossbar::Parameters parameters;
  parameters.hop_latency = sc_time(1000 / config.command_processor.clock_mhz, SC_NS);
  parameters.map = {
      {"ROM", NPU_MAP_ROM, NPU_MAP_ROM_BYTES, kBusRom},
      {"TCM", NPU_MAP_TCM, NPU_MAP_TCM_BYTES, kBusTcm},
      {"ACLINT", NPU_MAP_ACLINT, NPU_MAP_ACLINT_BYTES, kBusAclint},
      {"PLIC", NPU_MAP_PLIC, NPU_MAP_PLIC_BYTES, kBusPlic},
      {"UART", NPU_MAP_UART, NPU_MAP_BLOCK_BYTES, kBusUart},
      {"mailbox", NPU_MAP_MAILBOX, kFunctions * NPU_MAP_BLOCK_BYTES, kBusMailbox},
      {"system controller", NPU_MAP_SYSTEM_CONTROLLER, NPU_MAP_BLOCK_BYTES, kBusSystemController},
      {"Task Manager", NPU_MAP_TASK_MANAGER, NPU_MAP_BLOCK_BYTES, kBusTaskManager},
      {"External HDMA", NPU_MAP_EXTERNAL_HDMA, NPU_MAP_BLOCK_BYTES, kBusExternalHdma},
      {"Neural DMA", NPU_MAP_NEURAL_DMA, NPU_MAP_BLOCK_BYTES, kBusNeuralDma},
      {"Task DMA", NPU_MAP_TASK_DMA, NPU_MAP_BLOCK_BYTES, kBusTaskDma},
      {"aperture", NPU_MAP_APERTURE, NPU_MAP_BLOCK_BYTES, kBusAperture},
      {"Device HDMA", NPU_MAP_DEVICE_HDMA, NPU_MAP_BLOCK_BYTES, kBusDeviceHdma},
      {"Device Sync", NPU_MAP_DEVICE_SYNC, NPU_MAP_BLOCK_BYTES, kBusDeviceSync},
      {"watchdog", NPU_MAP_WATCHDOG, NPU_MAP_BLOCK_BYTES, kBusWatchdog},
      {"timers", NPU_MAP_TIMER, NPU_MAP_BLOCK_BYTES, kBusTimer},
      {"sensors", NPU_MAP_SENSORS, NPU_MAP_BLOCK_BYTES, kBusSensors},
      {"log manager", NPU_MAP_LOG_MANAGER, NPU_MAP_BLOCK_BYTES, kBusLogManager},
      {"CP DMA", NPU_MAP_CP_DMA, NPU_MAP_BLOCK_BYTES, kBusCpDma},
      {"GPIO", NPU_MAP_GPIO, NPU_MAP_BLOCK_BYTES, kBusGpio},
      {"OTP", NPU_MAP_OTP, NPU_MAP_BLOCK_BYTES, kBusOtp},
      {"flash", NPU_MAP_FLASH, NPU_MAP_BLOCK_BYTES, kBusFlash},
      {"crypto", NPU_MAP_CRYPTO, NPU_MAP_BLOCK_BYTES, kBusCryptoRegisters},
      {"TRNG", NPU_MAP_TRNG, NPU_MAP_BLOCK_BYTES, kBusTrng},
      {"MMU", NPU_MAP_MMU, NPU_MAP_BLOCK_BYTES, kBusMmu},
      {"ECC", NPU_MAP_ECC, NPU_MAP_BLOCK_BYTES, kBusEcc},
      {"NoC registers", NPU_MAP_NOC, NPU_MAP_BLOCK_BYTES, kBusNocRegisters},
      // What lies behind the NoC keeps its address there.
      {"shared memory", NPU_MAP_SHARED, config.shared_memory.mib * kMib, kBusNoc, NPU_MAP_SHARED},
      {"scratchpads", NPU_MAP_SCRATCHPAD, config.neural_engines.count * NPU_MAP_SCRATCHPAD_STRIDE, kBusNoc,
       NPU_MAP_SCRATCHPAD},
      {"DRAM", NPU_MAP_DRAM, dram_bytes, kBusNoc, NPU_MAP_DRAM},
      {"host", NPU_MAP_HOST, NPU_MAP_HOST_ADDRESS_MASK + 1, kBusNoc, NPU_MAP_HOST},
  };
  for (unsigned engine = 0; engine < config.neural_engines.count; ++engine) {
    parameters.map.push_back({fmt::format("ne{}", engine),
                              NPU_MAP_NEURAL_ENGINE + engine * NPU_MAP_NEURAL_ENGINE_STRIDE, NPU_MAP_BLOCK_BYTES,
                              kBusEngine0 + engine});
  }
  parameters.initiators.assign(kBusInitiators, {bus_rate(config)});
  parameters.targets.assign(kBusEngine0 + config.neural_engines.count, {bus_rate(config)});
  return parameters;
}

noc::Network::Parameters noc_parameters(const config::CardConfig& config) {
  noc::Network::Parameters parameters;
  parameters.topology = noc_topology(config.noc);
  parameters.hop_latency = sc_time(config.noc.hop_latency_ns, SC_NS);
  parameters.link_bytes_per_second = config.noc.link_bytes_per_second;
  for (const auto& link : config.noc.links) {
    parameters.link_rates.push_back({link.from, link.to, link.bytes_per_second});
  }
  parameters.quality_of_service = config.noc.quality_of_service;
  parameters.competition_window = sc_time(config.noc.qos_window_ns, SC_NS);
  add_noc_ports(parameters, config);
  parameters.map = {
      {"DRAM", NPU_MAP_DRAM, config.dram.mib * kMib, kNocDram},
      {"shared memory", NPU_MAP_SHARED, config.shared_memory.mib * kMib, kNocShared},
      {"TCM", NPU_MAP_TCM, NPU_MAP_TCM_BYTES, kNocTcm},
      {"host", NPU_MAP_HOST, NPU_MAP_HOST_ADDRESS_MASK + 1, kNocHost},
  };
  for (unsigned engine = 0; engine < config.neural_engines.count; ++engine) {
    parameters.map.push_back({fmt::format("scratchpad {}", engine),
                              NPU_MAP_SCRATCHPAD + engine * NPU_MAP_SCRATCHPAD_STRIDE,
                              config.neural_engines.scratchpad_mib * kMib, kNocScratchpad0 + engine});
  }
  return parameters;
}

mmu::Mmu::Parameters mmu_parameters(const config::CardConfig& config) {
  mmu::Mmu::Parameters parameters;
  parameters.dram_bytes = config.dram.mib * kMib;
  parameters.tlb_entries = config.mmu.tlb_entries;
  parameters.tlb_ways = config.mmu.tlb_ways;
  parameters.lookup_latency = sc_time(config.mmu.lookup_ns, SC_NS);
  return parameters;
}

pcie::Endpoint::Parameters endpoint_parameters(const config::CardConfig& config, unsigned index) {
  pcie::Endpoint::Parameters parameters;
  parameters.vendor_id = parameters.subsystem_vendor_id = config.pcie.vendor_id;
  parameters.device_id = parameters.subsystem_id = config.pcie.device_id;
  parameters.class_code = config.pcie.class_code;
  parameters.serial_number = card_serial_number(index);
  parameters.bar0_bytes = NPU_BAR0_BYTES;
  parameters.bar2_bytes = config.pcie.aperture_mib * kMib;
  if (config.pcie.aperture_most_mib > config.pcie.aperture_mib) {
    parameters.bar2_most_bytes = config.pcie.aperture_most_mib * kMib;
  }
  parameters.msix.vectors = NPU_MSIX_VECTORS;
  parameters.msix.table_offset = NPU_BAR0_MSIX_TABLE;
  parameters.msix.pending_offset = NPU_BAR0_MSIX_PBA;
  parameters.virtual_functions = config.pcie.virtual_functions;
  parameters.virtual_bar2_bytes = config.pcie.virtual_aperture_mib * kMib;
  parameters.virtual_msix = parameters.msix;
  parameters.virtual_msix.vectors = NPU_VF_MSIX_VECTORS;
  parameters.generation = config.pcie.generation;
  parameters.lanes = config.pcie.lanes;
  parameters.max_payload_bytes = config.pcie.max_payload_bytes;
  parameters.relaxed_ordering = config.pcie.relaxed_ordering;
  parameters.id_based_ordering = config.pcie.id_based_ordering;
  return parameters;
}

}  // namespace npuvp::assembly

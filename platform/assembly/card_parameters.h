// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "firmware/abi/memory_map.h"
#include "models/base/environment.h"
#include "models/dma/parameters.h"
#include "models/dram/dram.h"
#include "models/flash/controller.h"
#include "models/gpio/gpio.h"
#include "models/memory/memory.h"
#include "models/mmu/mmu.h"
#include "models/noc/crossbar.h"
#include "models/noc/network.h"
#include "models/otp/otp.h"
#include "models/pcie/endpoint.h"
#include "models/riscv/hart_cluster.h"
#include "models/system_controller/system_controller.h"
#include "models/task_manager/task_manager.h"
#include "models/trng/trng.h"
#include "platform/config/board.h"

namespace npuvp::assembly {

// Ports of the two interconnects. Windows are looked up by address, so the order is free; that of the NoC is the one of
// its names (platform/config/noc_reader.h).
enum BusInitiator : unsigned { kBusHarts, kBusCrypto, kBusInitiators };
enum NocInitiator : unsigned {
  kNocBus,
  kNocTaskManager,
  kNocExternalHdma,
  kNocNeuralDma,
  kNocTaskDma,
  kNocDeviceHdma,
  kNocDeviceSync,
  kNocAperture,
  kNocLogManager,
  kNocCpDma,
  kNocMmu,
  kNocInitiators
};
enum BusTarget : unsigned {
  kBusRom,
  kBusTcm,
  kBusAclint,
  kBusPlic,
  kBusUart,
  kBusMailbox,
  kBusSystemController,
  kBusTaskManager,
  kBusExternalHdma,
  kBusNeuralDma,
  kBusTaskDma,
  kBusDeviceHdma,
  kBusDeviceSync,
  kBusAperture,
  kBusWatchdog,
  kBusTimer,
  kBusSensors,
  kBusLogManager,
  kBusCpDma,
  kBusGpio,
  kBusOtp,
  kBusFlash,
  kBusCryptoRegisters,
  kBusTrng,
  kBusMmu,
  kBusEcc,
  kBusNocRegisters,
  kBusNoc,
  kBusEngine0
};
enum NocTarget : unsigned { kNocDram, kNocShared, kNocTcm, kNocHost, kNocScratchpad0 };

// Ports of memories with several masters.
enum TcmPort : unsigned { kTcmBus, kTcmNoc, kTcmPorts };
enum ScratchpadPort : unsigned { kScratchpadNoc, kScratchpadEngine, kScratchpadTensorCore, kScratchpadPorts };

inline constexpr unsigned kHdmaChannels = 2;
/// Physical and virtual functions that mailbox and aperture serve.
inline constexpr unsigned kFunctions = 1 + NPU_MAX_VFS;

// What a card's blocks are told: the figures of its board file in the blocks' own terms. `index`: of the card.
[[nodiscard]] riscv::HartClusterParameters hart_parameters(const config::CardConfig& config);
[[nodiscard]] memory::Memory::Parameters rom_parameters(const config::CardConfig& config);
[[nodiscard]] memory::Memory::Parameters tcm_parameters(const config::CardConfig& config);
[[nodiscard]] memory::Memory::Parameters shared_parameters(const config::CardConfig& config);
[[nodiscard]] memory::Memory::Parameters scratchpad_parameters(const config::CardConfig& config);
[[nodiscard]] dram::Dram::Parameters dram_parameters(const config::CardConfig& config);
[[nodiscard]] dma::Parameters dma_parameters(const config::CardConfig& config, npu_command_kind kind,
                                             unsigned channels);
[[nodiscard]] system_controller::SystemController::Parameters straps(const config::CardConfig& config, unsigned index);
[[nodiscard]] gpio::Gpio::Parameters gpio_parameters(const config::CardConfig& config);
[[nodiscard]] otp::Otp::Parameters otp_parameters(const config::CardConfig& config);
[[nodiscard]] flash::FlashController::Parameters flash_parameters(const config::CardConfig& config, uint64_t seed);
[[nodiscard]] trng::Trng::Parameters trng_parameters(const base::Environment& environment, unsigned index);
[[nodiscard]] task_manager::TaskManager::Parameters task_manager_parameters(const config::CardConfig& config,
                                                                            base::TrackId track);
[[nodiscard]] noc::Crossbar::Parameters bus_parameters(const config::CardConfig& config);
[[nodiscard]] noc::Network::Parameters noc_parameters(const config::CardConfig& config);
[[nodiscard]] mmu::Mmu::Parameters mmu_parameters(const config::CardConfig& config);
[[nodiscard]] pcie::Endpoint::Parameters endpoint_parameters(const config::CardConfig& config, unsigned index);

}  // namespace npuvp::assembly

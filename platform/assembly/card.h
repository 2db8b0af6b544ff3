// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "models/aclint/aclint.h"
#include "models/aperture/aperture.h"
#include "models/base/environment.h"
#include "models/base/tensor_core_port.h"
#include "models/crypto/crypto.h"
#include "models/device_sync/device_sync.h"
#include "models/dma/dma_engine.h"
#include "models/dram/dram.h"
#include "models/ecc/ecc_collector.h"
#include "models/flash/controller.h"
#include "models/gpio/gpio.h"
#include "models/mailbox/mailbox.h"
#include "models/memory/memory.h"
#include "models/mmu/mmu.h"
#include "models/ne/neural_engine.h"
#include "models/noc/crossbar.h"
#include "models/noc/network.h"
#include "models/otp/otp.h"
#include "models/pcie/endpoint.h"
#include "models/plic/plic.h"
#include "models/riscv/hart_cluster.h"
#include "models/system_controller/system_controller.h"
#include "models/task_manager/task_manager.h"
#include "models/trng/trng.h"
#include "models/uart/uart.h"
#include "platform/assembly/management.h"
#include "platform/assembly/rtl_selection.h"
#include "platform/config/board.h"

namespace npuvp::assembly {

/// One card: its blocks, built from the board file and bound. Nothing else.
///
///   harts -- bus -- ROM, TCM, ACLINT, PLIC, UART, register blocks
///             |
///            noc -- DRAM, shared memory, scratchpads, TCM, PCIe (host memory)
///             |
///            MMU, PCIe (aperture), Device Sync, log manager, CP DMA
///             |
///   Task Manager, DMA engines
class Card final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Card);

  /// `rom` is the boot ROM's image. Throws config::ConfigError if it does not fit, base::FileError if a file that
  /// keeps fuses or flash cannot be used.
  Card(sc_core::sc_module_name name, base::Environment& environment, const config::CardConfig& config, unsigned index,
       const std::string& rom, const RtlSelection& rtl);
  ~Card() override;

  [[nodiscard]] pcie::Endpoint& endpoint() { return endpoint_; }
  [[nodiscard]] uart::Uart& uart() { return uart_; }
  [[nodiscard]] mailbox::Mailbox& mailbox() { return mailbox_; }
  [[nodiscard]] const task_manager::TaskManager& task_manager() const { return task_manager_; }
  [[nodiscard]] riscv::HartCluster& harts() { return harts_; }
  [[nodiscard]] Management& management() { return management_; }
  [[nodiscard]] const system_controller::SystemController& system_controller() const { return system_controller_; }
  [[nodiscard]] const noc::Network& noc() const { return noc_; }
  [[nodiscard]] dram::Dram& dram() { return dram_; }
  [[nodiscard]] gpio::Gpio& gpio() { return gpio_; }
  /// False: `data: none`, results are not computed.
  [[nodiscard]] bool computes() const { return config_.data == config::DataMode::kExact; }

  /// Fault injection: the next command in the engine named (ne0, neural_dma0, task_dma0, external_hdma0, ...) never
  /// ends until the engine is reset. False if the card has no such engine.
  bool hang_next_command(std::string_view engine);
  /// Whether a debugger may attach to the harts: by the card's life cycle and fuses.
  [[nodiscard]] bool debug_allowed() const { return otp_.debug_allowed(); }

  /// The whole card restarts in the next delta cycle, as by a reset of the host's; for debuggers.
  void restart(system_controller::ResetCause cause) { request_reset(cause); }

 private:
  void build_engines(const RtlSelection& rtl);
  void bind_bus();
  void bind_noc();
  void bind_commands();
  void bind_interrupts();
  void bind_security();
  void bind_error_collector();
  void bind_power();
  void bind_clocks();
  [[nodiscard]] system_controller::Domain clock_of(unsigned engine) const {
    return engine < engine_count_ / 2 ? system_controller::Domain::kDc1 : system_controller::Domain::kDc2;
  }
  /// Physical function (0): the whole card restarts. Virtual function: the firmware is told, its window closes.
  void reset_function(unsigned function);
  void request_reset(system_controller::ResetCause cause);
  void request_power_off();
  void reset_blocks(uint32_t blocks);
  void set_pstate(system_controller::PState now, system_controller::PState before);
  void reset();

  base::Environment& environment_;
  const config::CardConfig config_;
  const unsigned engine_count_;
  base::TrackId track_;

  riscv::HartCluster harts_;
  memory::Memory rom_;
  memory::Memory tcm_;
  aclint::Aclint aclint_;
  plic::Plic plic_;
  uart::Uart uart_;
  mailbox::Mailbox mailbox_;
  system_controller::SystemController system_controller_;
  Management management_;
  gpio::Gpio gpio_;
  otp::Otp otp_;
  flash::FlashController flash_;
  crypto::Crypto crypto_;
  trng::Trng trng_;
  task_manager::TaskManager task_manager_;
  dma::DmaEngine external_hdma_;
  dma::DmaEngine neural_dma_;
  dma::DmaEngine task_dma_;
  dma::DmaEngine device_hdma_;
  device_sync::DeviceSync device_sync_;
  memory::Memory shared_;
  dram::Dram dram_;
  sc_core::sc_vector<memory::Memory> scratchpads_;
  sc_core::sc_vector<ne::NeuralEngine> engines_;
  std::vector<std::unique_ptr<sc_core::sc_module>> tensor_core_modules_;  // TLM or RTL
  std::vector<base::TensorCoreTarget*> tensor_cores_;                     // the same, in order of engine
  noc::Crossbar bus_;
  noc::Network noc_;
  ecc::EccCollector ecc_;
  mmu::Mmu mmu_;                 // in front of the NoC ports of the Task Manager and the DMA engines
  aperture::Aperture aperture_;  // BAR2 of each function -> DRAM
  pcie::Endpoint endpoint_;

  sc_core::sc_event reset_event_;
  bool off_ = false;                       // switched off: the harts stay in reset
  bool early_ = false, software_ = false;  // watchdog and ACLINT on hart 0's software interrupt
  system_controller::ResetCause reset_cause_ = system_controller::ResetCause::kPowerOn;
};

}  // namespace npuvp::assembly

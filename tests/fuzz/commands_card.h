// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <systemc>
#include <vector>

#include "firmware/abi/command.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/device_sync/device_sync.h"
#include "models/dma/dma_engine.h"
#include "models/task_manager/task_manager.h"

namespace npuvp::fuzz {

/// All memory of the card and the host, with who may do what where. Anything else is a finding.
class GuardedMemory final : public sc_core::sc_module {
 public:
  explicit GuardedMemory(sc_core::sc_module_name name);

  std::vector<std::unique_ptr<tlm_utils::simple_target_socket<GuardedMemory>>> sockets;
  tlm_utils::simple_target_socket<GuardedMemory>& add_socket();

  /// `bytes` bytes from `base` on for context `context`, which may write them or not.
  void allow(uint16_t context, uint64_t base, uint64_t bytes, bool writable);
  /// Past the rules.
  void put(uint64_t address, std::span<const uint8_t> data);

 private:
  struct Region {
    uint16_t context;
    uint64_t base;
    bool writable;
    std::vector<uint8_t> data;
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  Region* find(uint64_t address, uint64_t bytes, int context);

  std::vector<Region> regions_;
};

/// A Task Manager with real DMA engines and Device Sync, and Neural Engines that only take time. Elaborated once in a
/// process.
class CommandsCard final : public sc_core::sc_module {
 public:
  static constexpr unsigned kJobs = 2;
  static CommandsCard& instance();

  explicit CommandsCard(sc_core::sc_module_name name);

  /// Runs the jobs beside each other, each with half of the card, and aborts them after a while. A finding unless they
  /// end, and touch nothing but what is theirs.
  void run(std::span<const std::vector<npu_command>> jobs, bool continue_after_fault);

 private:
  class IdleEngine;

  void serve();
  void prepare(unsigned job, const std::vector<npu_command>& commands, bool continue_after_fault);
  bool wait_for_all(unsigned jobs);
  uint32_t read(uint64_t offset);
  template <typename Value>
  void write(uint64_t offset, Value value);

  base::Environment environment_;
  task_manager::TaskManager manager_;
  dma::DmaEngine neural_dma_;
  dma::DmaEngine task_dma_;
  dma::DmaEngine external_hdma_;
  dma::DmaEngine device_hdma_;
  device_sync::DeviceSync device_sync_;
  GuardedMemory memory_;
  base::InitiatorPort hart_{"hart"};
  std::vector<std::unique_ptr<base::InitiatorPort>> unused_;
  std::unique_ptr<IdleEngine> engine_;
  sc_core::sc_event start_;
  std::span<const std::vector<npu_command>> jobs_;
  bool continue_after_fault_ = false;
  bool running_ = false;
};

}  // namespace npuvp::fuzz

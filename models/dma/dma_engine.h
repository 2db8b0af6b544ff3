// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <systemc>

#include "models/base/command_port.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "models/base/timeline.h"
#include "models/dma/mover.h"
#include "models/dma/parameters.h"
#include "npuvp/registers/dma.h"

namespace npuvp::dma {

/// External HDMA, Device HDMA, Neural DMA or Task DMA, by parameter.
///
/// Sockets: `registers` (target), `memory` (initiator, one data path for all channels), `commands[channel]` (from the
/// Task Manager), `irq` (firmware channel). Timing: README.md; a command takes `start_latency`, then its bursts, each
/// read and written through `memory`. The firmware channel copies between physical addresses on the same data path.
class DmaEngine final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DmaEngine);
  DmaEngine(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<DmaEngine> registers;
  base::InitiatorPort memory;
  sc_core::sc_vector<base::CommandExport> commands;
  base::IrqLine irq;
  /// Of each byte moved.
  [[nodiscard]] base::EnergyCounter& energy() { return mover_.energy; }

  /// Abandons running commands at once: their execute() returns NPU_FAULT_BUS to a caller that is reset as well.
  void reset();

  /// Fault injection: the next command in `channel` never ends, until a reset abandons it.
  void hang_next_command(unsigned channel) { channels_.at(channel).hang_next_command(); }

 private:
  /// A command input.
  class Channel final : public base::CommandTarget {
   public:
    Channel(DmaEngine& engine, unsigned number);
    base::CommandOutcome execute(const base::CommandRequest& request) override;
    void reset();
    /// Ends the commands inside; time already reserved stays so.
    void abandon() { reset_.request(); }
    void hang_next_command() { hang_next_ = true; }

   private:
    std::optional<base::CommandOutcome> move(const base::CommandRequest& request);
    void show_work(const base::CommandRequest* request);

    DmaEngine& engine_;
    unsigned number_;
    std::optional<base::Timeline> rate_;
    base::CancelSignal reset_;  // of the command inside
    bool hang_next_ = false;
  };

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  void wire_registers();
  void start_channel(bool fill, const base::Origin& origin);
  void run_firmware_channel();
  std::optional<base::CommandOutcome> run_command(const npu_command& command, const RunContext& context);
  base::CommandOutcome run_for_firmware(uint64_t epoch);
  void update_irq();
  void begin_command();
  void end_command(bool finished);
  [[nodiscard]] sc_core::sc_time busy_time() const;

  base::Environment& environment_;
  const Parameters parameters_;
  DmaRegisters registers_;
  Mover mover_;
  std::deque<Channel> channels_;  // a deque: exports hold their addresses
  Transfer copy_{};               // the firmware channel's, latched at its start
  bool clear_ = false;            // zeros instead of a copy
  uint16_t function_ = 0;
  sc_core::sc_event start_event_;
  sc_core::sc_time access_delay_;
  uint64_t epoch_ = 0;
  unsigned running_ = 0;  // commands in progress
  uint64_t finished_ = 0;
  sc_core::sc_time busy_;
  sc_core::sc_time busy_since_;
};

}  // namespace npuvp::dma

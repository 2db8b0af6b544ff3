// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <systemc>

#include "firmware/abi/memory_map.h"
#include "models/base/command_port.h"
#include "models/base/environment.h"
#include "models/base/initiator_port.h"
#include "models/base/irq.h"
#include "models/device_sync/flag_store.h"
#include "npuvp/registers/device_sync.h"

namespace npuvp::device_sync {

/// Flags and counters between cards: a page of BAR0 of each PCIe function that other cards write by posted writes, and
/// the commands that wait for them and write those of others.
///
/// Sockets: `host` (target, BAR0 of every function; the window is that of the sideband's `function`), `others`
/// (initiator: accesses to BAR0 outside the window go on there unchanged), `registers` (target, firmware), `memory`
/// (initiator: SIGNAL), `commands[channel]`, `irq`. Timing: a write changes its flag when it arrives, in order; a
/// command looks at it `latency` after it was dispatched, and goes on at the time of the write that releases it.
class DeviceSync final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DeviceSync);
  struct Parameters {
    unsigned functions = 1 + NPU_MAX_VFS;
    sc_core::sc_time latency{20, sc_core::SC_NS};  ///< (u) 20 cycles at 1 GHz: decode, compare.
  };

  DeviceSync(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<DeviceSync> host;
  tlm_utils::simple_initiator_socket<DeviceSync> others;
  tlm_utils::simple_target_socket<DeviceSync> registers;
  base::InitiatorPort memory;
  sc_core::sc_vector<base::CommandExport> commands;
  base::IrqLine irq;

  /// Card reset: all flags 0, waiting commands end with NPU_FAULT_BUS to a caller that is reset as well.
  void reset();
  /// Virtual function `function` was reset or disabled: its flags are 0.
  void function_reset(unsigned function);

 private:
  /// A command input; all work alike.
  class Channel final : public base::CommandTarget {
   public:
    explicit Channel(DeviceSync& block, unsigned number) : block_(block), number_(number) {}
    base::CommandOutcome execute(const base::CommandRequest& request) override;

   private:
    DeviceSync& block_;
    unsigned number_;
  };

  void host_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned host_transport_dbg(tlm::tlm_generic_payload& payload);
  void registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_transport_dbg(tlm::tlm_generic_payload& payload);
  void wire_registers();

  bool access_window(tlm::tlm_generic_payload& payload, unsigned function, sc_core::sc_time time);
  void arrive();
  void change(const FlagStore::Write& write);
  void update_irq();

  [[nodiscard]] base::CommandOutcome check(const base::CommandRequest& request, unsigned channel) const;
  base::CommandOutcome run(const base::CommandRequest& request);
  base::CommandOutcome wait_for_flag(const base::CommandRequest& request);
  base::CommandOutcome signal(const base::CommandRequest& request);

  base::Environment& environment_;
  const Parameters parameters_;
  DeviceSyncRegisters registers_;
  FlagStore flags_;
  std::deque<Channel> channels_;  // a deque: exports hold their addresses
  sc_core::sc_event arrival_event_;
  sc_core::sc_event changed_event_;
  uint64_t epoch_ = 0;
  uint64_t arrivals_ = 0;
  uint64_t finished_ = 0;
};

}  // namespace npuvp::device_sync

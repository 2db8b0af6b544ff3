// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <map>
#include <memory>
#include <systemc>

#include "models/base/environment.h"
#include "models/pcie/host_port.h"
#include "models/pcie/root_port.h"

namespace npuvp::pcie {

/// The host's end of the fabric: bus 0 with its root ports, host memory for the cards, interrupts for the host.
///
/// Sockets, for the host attachment: `config`, address bus << 20 | devfn << 12 | register as in ECAM; `memory`, address
/// on the PCI bus. Nobody answering is not a bus error there: reads give all ones, writes vanish, as on a real host.
/// Timing: `latency` each way, host memory adds `host_memory_latency` to a read. Data of a burst comes at link rate.
/// Host memory changes at the call, interrupts reach the host at their simulated time, behind the posted writes that
/// the card issued before.
class RootComplex final : public sc_core::sc_module, private RequestSink {
 public:
  struct Parameters {
    /// Between a root port and the host's CPUs or memory controller. Not public; with Link's latency the default gives
    /// the round trip of about 1 us that is usual for a DMA read.
    sc_core::sc_time latency{200, sc_core::SC_NS};
    sc_core::sc_time host_memory_latency{100, sc_core::SC_NS};
    /// A CPU's reads are split at this size.
    uint32_t host_read_bytes = 64;
  };

  RootComplex(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<RootComplex> config;
  tlm_utils::simple_target_socket<RootComplex> memory;

  /// Host memory and interrupts; without one the cards' requests are unsupported. `host` must outlive the simulation.
  void attach(HostPort& host) { host_ = &host; }

  /// Puts a root port on bus 0. It must outlive the root complex's use.
  void add(RootPort& port, uint8_t devfn);

  /// Reset of the host: everything below is as after power on, interrupts on their way are lost.
  void fundamental_reset();

  /// x86: memory writes to this range are interrupts.
  static constexpr uint64_t kInterruptBase = 0xfee0'0000;
  static constexpr uint64_t kInterruptBytes = 0x10'0000;

 private:
  struct Interrupt {
    uint64_t address;
    uint32_t data;
  };

  void config_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void memory_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// Sends one burst downstream and waits for the completion of a read.
  void access(Request& request, sc_core::sc_time& delay);
  /// From a root port.
  Completion receive(Request& request, Passage& passage) override;
  void schedule_interrupt(const Request& request, const Passage& passage);
  void deliver_interrupts();

  std::shared_ptr<spdlog::logger> log_;
  Parameters parameters_;
  Bus bus_;
  HostPort* host_ = nullptr;
  std::multimap<sc_core::sc_time, Interrupt> interrupts_;  // by absolute time, then in order of arrival
  sc_core::sc_event interrupt_due_;
};

}  // namespace npuvp::pcie

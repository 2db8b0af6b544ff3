// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <map>
#include <memory>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "models/pcie/host_port.h"
#include "models/pcie/root_port.h"

namespace npuvp::pcie {

/// The host's end of the fabric: bus 0 with its root ports, host memory for the cards, interrupts for the host.
///
/// Sockets, for the host attachment: `config`, address bus << 20 | devfn << 12 | register as in ECAM; `memory`, address
/// on the PCI bus. Nobody answering is not a bus error there: reads give all ones, writes vanish, as on a real host.
/// A request from below for an address below some root port goes there if the policy allows it.
/// Timing: `latency` each way, host memory adds `host_memory_latency` to a read. Data of a burst comes at link rate.
/// Host memory changes at the call, interrupts reach the host at their simulated time, behind the posted writes that
/// the card issued before.
class RootComplex final : public sc_core::sc_module {
 public:
  struct Parameters {
    /// Between a root port and the host's CPUs or memory controller. Not public; with Link's latency the default gives
    /// the round trip of about 1 us that is usual for a DMA read.
    sc_core::sc_time latency{200, sc_core::SC_NS};
    sc_core::sc_time host_memory_latency{100, sc_core::SC_NS};
    /// A CPU's reads are split at this size.
    uint32_t host_read_bytes = 64;
    /// Requests from below one root port reach what is below a root port, the same one included.
    bool peer_to_peer = true;
    /// How long a CPU's read waits for its completion before it gets all ones.
    sc_core::sc_time completion_timeout{50, sc_core::SC_MS};
  };

  /// Memory requests from below to below.
  struct PeerCounters {
    uint64_t requests = 0;
    uint64_t bytes = 0;
    uint64_t completions = 0;  ///< That ACS sent through the root.
    uint64_t refused = 0;      ///< By policy.
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

  [[nodiscard]] const PeerCounters& peer_counters() const { return counters_; }

  /// x86: memory writes to this range are interrupts.
  static constexpr uint64_t kInterruptBase = 0xfee0'0000;
  static constexpr uint64_t kInterruptBytes = 0x10'0000;

 private:
  /// Where a root port sends what comes from below it.
  class FromPort final : public RequestSink {
   public:
    FromPort(RootComplex& owner, RootPort& port) : root_complex_(owner), port_(port) {}
    Completion receive(Request& request, Passage& passage) override {
      return root_complex_.route_from(port_, request, passage);
    }

   private:
    RootComplex& root_complex_;
    RootPort& port_;
  };
  struct Interrupt {
    uint64_t address;
    uint32_t data;
  };

  void config_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void memory_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// Sends one burst downstream and waits for the completion of a read.
  void access(Request& request, sc_core::sc_time& delay);

  Completion route_from(RootPort& source, Request& request, Passage& passage);
  Completion to_peer(RootPort& source, RootPort& peer, Request& request, Passage& passage);
  Completion to_host(Request& request, Passage& passage);
  void schedule_interrupt(const Request& request, const Passage& passage);
  void deliver_interrupts();
  void warn_of_missed_memory(const Request& request);

  std::shared_ptr<spdlog::logger> log_;
  Parameters parameters_;
  Bus bus_;
  std::vector<std::unique_ptr<FromPort>> from_ports_;
  HostPort* host_ = nullptr;
  std::multimap<sc_core::sc_time, Interrupt> interrupts_;  // by absolute time, then in order of arrival
  sc_core::sc_event interrupt_due_;
  PeerCounters counters_;
  unsigned warnings_ = 0;
};

}  // namespace npuvp::pcie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/power_meter.h"
#include "models/base/timeline.h"
#include "models/noc/interconnect.h"
#include "models/noc/regulator.h"
#include "models/noc/topology.h"
#include "npuvp/registers/noc.h"

namespace npuvp::noc {

/// What one initiator has moved to and from one target.
struct FlowCounters {
  uint64_t bursts = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  sc_core::sc_time waited;  ///< In the NoC, for links and for its share of them.
};

/// The card's NoC: crossbar, ring or 2D mesh, with quality of service and counters.
///
/// Sockets: those of Interconnect and `registers` (target). Timing: every port and every link between nodes has a
/// Timeline for requests (write data) and one for responses (read data) in its direction; a burst reserves those on its
/// way cut-through, `hop_latency` from one to the next. With quality of service a Regulator stands before each of them
/// and before each target. README.md has the details.
class Network final : public Interconnect {
 public:
  static constexpr size_t kMostInitiators = 16;
  static constexpr size_t kMostTargets = 64;

  struct Initiator {
    std::string name;
    double bytes_per_second = 64e9;  ///< (u) Of the port, each direction: 64 B a cycle at 1 GHz.
    unsigned node = 0;
    uint32_t weight = 1;  ///< 1 to 255.
  };
  struct Target {
    std::string name;
    double bytes_per_second = 64e9;
    unsigned node = 0;
    /// What the block behind the port sustains, if less than the port: quality of service shares that.
    double service_bytes_per_second = 0;
  };
  /// A link that is not like the others.
  struct LinkRate {
    unsigned from;
    unsigned to;
    double bytes_per_second;
  };
  struct Parameters {
    Topology topology{Topology::Kind::kCrossbar, 1, 1};
    std::vector<Initiator> initiators;
    std::vector<Target> targets;
    std::vector<Range> map;
    sc_core::sc_time hop_latency{10, sc_core::SC_NS};  ///< (u) From a link to the next one.
    double link_bytes_per_second = 64e9;               ///< (u)
    std::vector<LinkRate> link_rates;
    bool quality_of_service = false;
    sc_core::sc_time competition_window{1, sc_core::SC_US};  ///< (u) Regulator.
  };

  /// Throws std::invalid_argument for a wrong map, node, link or weight, or too many ports.
  Network(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  tlm_utils::simple_target_socket<Network> registers;
  base::EnergyCounter energy;  ///< Of each byte over one hop: from port to port of a crossbar, else links + 1.

  /// Of what the block behind a target's port sustains, where that is less than the port.
  [[nodiscard]] base::ClockInput& service_clock(size_t target) { return service_clocks_.at(target); }

  /// Card reset: registers, counters and reserved time.
  void reset();

  [[nodiscard]] const FlowCounters& flow(size_t initiator, size_t target) const {
    return flows_.at(initiator * target_ports_.size() + target);
  }
  [[nodiscard]] const std::vector<Initiator>& initiator_ports() const { return initiator_ports_; }
  [[nodiscard]] const std::vector<Target>& target_ports() const { return target_ports_; }
  /// Time for which a link between nodes was occupied, requests and responses.
  [[nodiscard]] sc_core::sc_time busy(const Topology::Link& link) const;

 private:
  /// One direction of a port or link in the request or the response network.
  struct Channel {
    Channel(double bytes_per_second, size_t initiators, sc_core::sc_time window)
        : timeline(bytes_per_second), regulator(initiators, window) {}
    base::Timeline timeline;
    Regulator regulator;
  };
  struct Link {
    Link(double bytes_per_second, size_t initiators, sc_core::sc_time window)
        : request(bytes_per_second, initiators, window), response(bytes_per_second, initiators, window) {}
    Channel request;
    Channel response;
  };
  /// Places of a flow's way in links_: of requests, and of responses.
  struct Way {
    std::vector<size_t> there;
    std::vector<size_t> back;
  };
  /// A burst's passage through several links.
  struct Passage {
    sc_core::sc_time begin;  // on the last link
    sc_core::sc_time end;    // its last byte has passed the last link, and all before
    sc_core::sc_time waited;
  };

  sc_core::sc_time move(unsigned initiator, const Range& range, tlm::tlm_generic_payload& payload,
                        sc_core::sc_time arrival) override;
  [[nodiscard]] unsigned hops(unsigned initiator, unsigned target) const override;
  Passage pass(const std::vector<size_t>& way, Channel Link::*network, unsigned initiator, sc_core::sc_time arrival,
               uint64_t bytes);
  /// At the present clock.
  [[nodiscard]] sc_core::sc_time duration_on(const Channel& channel, uint64_t bytes) const {
    return base::stretched(channel.timeline.duration_of(bytes), clock.stretch());
  }
  sc_core::sc_time admit(unsigned initiator, unsigned target, sc_core::sc_time arrival, uint64_t bytes);
  [[nodiscard]] const Way& way(unsigned initiator, unsigned target) const {
    return ways_[initiator * target_ports_.size() + target];
  }

  void check(const Parameters& parameters) const;
  void make_links(const Parameters& parameters);
  void make_ways();
  void wire_registers(const Parameters& parameters);
  void update_weights();
  const FlowCounters& selected();
  void registers_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned registers_transport_dbg(tlm::tlm_generic_payload& payload);

  const Topology topology_;
  const std::vector<Initiator> initiator_ports_;
  const std::vector<Target> target_ports_;
  NocRegisters registers_;
  std::vector<Link> links_;  // of initiators, of targets, between nodes in the topology's order
  std::vector<Way> ways_;    // initiator * targets + target
  std::vector<FlowCounters> flows_;
  std::vector<Regulator> services_;  // one a target
  std::vector<double> service_rates_;
  std::vector<base::ClockInput> service_clocks_;
  std::vector<uint32_t> weights_;
  bool regulated_ = false;
};

}  // namespace npuvp::noc

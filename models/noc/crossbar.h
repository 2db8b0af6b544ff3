// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "models/base/timeline.h"
#include "models/noc/address_map.h"

namespace npuvp::noc {

/// Full crossbar with an address decoder: the card's NoC and, with other parameters, the command processor's bus.
///
/// Sockets: `initiators[i]`, targets that initiators bind to; `targets[t]`, initiators that blocks are bound to. The
/// target sees addresses relative to its window. Timing: every port is a link with a Timeline in each direction; write
/// data occupies the request links, read data the response links of both ports it crosses, cut-through; each way costs
/// `hop_latency` (README.md). An access must lie inside one window, otherwise TLM_ADDRESS_ERROR_RESPONSE.
class Crossbar final : public sc_core::sc_module {
 public:
  /// Rate of one port in each direction.
  struct Port {
    double bytes_per_second = 64e9;  ///< (u) 64 B a cycle at 1 GHz.
  };

  struct Parameters {
    std::vector<Port> initiators;
    std::vector<Port> targets;
    std::vector<Range> map;
    sc_core::sc_time hop_latency{10, sc_core::SC_NS};  ///< (u) Port to port, each way.
  };

  /// Throws std::invalid_argument for a wrong map (AddressMap).
  Crossbar(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<Crossbar>> initiators;
  sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<Crossbar>> targets;

  /// Forgets reserved time.
  void reset();

  [[nodiscard]] const AddressMap& map() const { return map_; }

 private:
  struct Link {
    explicit Link(const Port& port) : request(port.bytes_per_second), response(port.bytes_per_second) {}
    base::Timeline request;
    base::Timeline response;
  };

  void b_transport(int initiator, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(int initiator, tlm::tlm_generic_payload& payload);
  void invalidate_direct_mem_ptr(int target, sc_dt::uint64 start, sc_dt::uint64 end);

  const Range* decode(const tlm::tlm_generic_payload& payload);
  sc_core::sc_time write(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload,
                         sc_core::sc_time arrival);
  sc_core::sc_time read(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload,
                        sc_core::sc_time arrival);
  sc_core::sc_time forward(const Range& range, tlm::tlm_generic_payload& payload, sc_core::sc_time arrival);

  base::Environment& environment_;
  const AddressMap map_;
  const sc_core::sc_time hop_latency_;
  std::vector<Link> initiator_links_;
  std::vector<Link> target_links_;
};

}  // namespace npuvp::noc

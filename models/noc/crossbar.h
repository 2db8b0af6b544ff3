// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "models/base/timeline.h"
#include "models/noc/interconnect.h"

namespace npuvp::noc {

/// Full crossbar: the command processor's bus.
///
/// Timing: every port is a link with a Timeline in each direction; write data occupies the request links, read data the
/// response links of both ports it crosses, cut-through; each way costs `hop_latency` (README.md).
class Crossbar final : public Interconnect {
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

  /// Forgets reserved time.
  void reset();

 private:
  struct Link {
    explicit Link(const Port& port) : request(port.bytes_per_second), response(port.bytes_per_second) {}
    base::Timeline request;
    base::Timeline response;
  };

  sc_core::sc_time move(unsigned initiator, const Range& range, tlm::tlm_generic_payload& payload,
                        sc_core::sc_time arrival) override;
  [[nodiscard]] unsigned hops(unsigned, unsigned) const override { return 1; }
  sc_core::sc_time write(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload,
                         sc_core::sc_time arrival);
  sc_core::sc_time read(Link& from, Link& to, const Range& range, tlm::tlm_generic_payload& payload,
                        sc_core::sc_time arrival);

  std::vector<Link> initiator_links_;
  std::vector<Link> target_links_;
};

}  // namespace npuvp::noc

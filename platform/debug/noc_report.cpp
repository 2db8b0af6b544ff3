// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/noc_report.h"

namespace npuvp::debug {

nlohmann::ordered_json describe_flows(const noc::Network& noc) {
  auto flows = nlohmann::ordered_json::array();
  for (size_t i = 0; i < noc.initiator_ports().size(); ++i) {
    for (size_t t = 0; t < noc.target_ports().size(); ++t) {
      const auto& flow = noc.flow(i, t);
      if (flow.bursts == 0) continue;
      flows.push_back({{"initiator", noc.initiator_ports()[i].name},
                       {"target", noc.target_ports()[t].name},
                       {"bursts", flow.bursts},
                       {"bytes_read", flow.bytes_read},
                       {"bytes_written", flow.bytes_written},
                       {"wait_seconds", flow.waited.to_seconds()}});
    }
  }
  return flows;
}

}  // namespace npuvp::debug

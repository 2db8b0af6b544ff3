// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/pcie/link.h"
#include "models/pcie/root_complex.h"
#include "tests/platform/host/test_card.h"

namespace npuvp::tests {

/// The smallest fabric that a host can be attached to: root complex, one root port (00:00.0), one endpoint (01:00.0)
/// with a tiny card.
struct TestFabric {
  static constexpr unsigned kVectors = 8;
  static constexpr uint32_t kMsixTable = 0x8000;  // in BAR0

  /// `suffix` keeps the names of several in one simulation apart.
  explicit TestFabric(base::Environment& environment, const std::string& suffix = "",
                      const pcie::RootComplex::Parameters& parameters = {})
      : root_complex(("root_complex" + suffix).c_str(), environment, parameters),
        root_port("root_port" + suffix, environment, {}),
        endpoint(("endpoint" + suffix).c_str(), environment, endpoint_parameters()),
        card(("card" + suffix).c_str(), endpoint),
        link(("link" + suffix).c_str(), environment, {}) {
    root_complex.add(root_port, 0);
    link.connect(root_port.port(), endpoint.port());
  }

  static pcie::Endpoint::Parameters endpoint_parameters() {
    pcie::Endpoint::Parameters parameters;
    parameters.msix = {
        .vectors = kVectors, .table_bar = 0, .table_offset = kMsixTable, .pending_bar = 0, .pending_offset = 0x9000};
    return parameters;
  }

  pcie::RootComplex root_complex;
  pcie::RootPort root_port;
  pcie::Endpoint endpoint;
  TestCard card;
  pcie::Link link;
};

}  // namespace npuvp::tests

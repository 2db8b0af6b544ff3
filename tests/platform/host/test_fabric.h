// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/pcie/link.h"
#include "models/pcie/root_complex.h"
#include "tests/platform/host/test_card.h"

namespace npuvp::tests {

/// The smallest fabric that a host can be attached to: root complex, one root port (00:00.0), one endpoint (01:00.0)
/// with a tiny card.
struct TestFabric {
  static constexpr unsigned kVectors = 8;
  static constexpr uint32_t kMsixTable = 0x8000;  // in BAR0

  explicit TestFabric(base::Environment& environment)
      : root_complex("root_complex", environment, {}),
        root_port("root_port", environment, {}),
        endpoint("endpoint", environment, endpoint_parameters()),
        card("card", endpoint),
        link("link", environment, {}) {
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

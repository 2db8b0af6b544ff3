// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <systemc>

#include "models/base/environment.h"
#include "models/pcie/switch.h"
#include "platform/host/vfio_user/server.h"
#include "platform/host/vfio_user/vmd_domain.h"
#include "tests/platform/host/test_fabric.h"

namespace npuvp::fuzz {

/// A second root port (00:01.0) with a switch (02:00.0, ports 03:00.0 and 03:01.0) and two tiny cards: 04:00.0 has two
/// virtual functions, 05:00.0 none.
struct SwitchBranch {
  static constexpr unsigned kCards = 2;
  static constexpr unsigned kVirtualFunctions = 2;

  SwitchBranch(base::Environment& environment, pcie::RootComplex& root_complex);

  pcie::RootPort root_port;
  pcie::Switch packet_switch;
  pcie::Link upper_link;
  std::array<pcie::Endpoint, kCards> endpoints;
  std::array<tests::TestCard, kCards> cards;
  std::array<pcie::Link, kCards> links;
};

/// What a fuzzed session reaches: the real VMD in front of a real root complex; at one root port the tests' tiny card,
/// at the other a SwitchBranch. Elaborated once in a process; brought back to its first state after each session.
class FuzzFabric final : public sc_core::sc_module {
 public:
  static FuzzFabric& instance();

  explicit FuzzFabric(sc_core::sc_module_name name);

  /// Runs `session` in a thread of the simulation, until it has ended.
  void run(std::function<void()> session);

  /// A server of this fabric at the end of a connection.
  std::unique_ptr<host::vfio_user::Server> make_server(host::UniqueFd socket);

  /// A fundamental reset, then everything as the guest's kernel would program it; a finding unless the card answers as
  /// a fresh one.
  void reset();

 private:
  struct Write {
    uint64_t offset;
    uint64_t value;
  };
  void serve();
  void program(uint32_t region, std::initializer_list<Write> writes);
  void expect_card(uint64_t offset);
  uint32_t read(uint32_t region, uint64_t offset);

  base::Environment environment_;
  tests::TestFabric fabric_;
  SwitchBranch branch_;
  host::VmdDomain domain_;
  std::function<void()> session_;
  sc_core::sc_event start_;
};

}  // namespace npuvp::fuzz

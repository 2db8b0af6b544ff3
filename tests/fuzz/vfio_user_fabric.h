// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <systemc>

#include "models/base/environment.h"
#include "platform/host/vfio_user/server.h"
#include "platform/host/vfio_user/vmd_domain.h"
#include "tests/platform/host/test_fabric.h"

namespace npuvp::fuzz {

/// What a fuzzed session reaches: the real VMD in front of a real root complex, root port, link and function, with the
/// tests' tiny card. Elaborated once in a process; brought back to its first state after each session.
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
  void serve();
  void write_config(uint32_t region, uint64_t offset, uint32_t value);
  uint32_t read(uint32_t region, uint64_t offset);

  base::Environment environment_;
  tests::TestFabric fabric_;
  host::VmdDomain domain_;
  std::function<void()> session_;
  sc_core::sc_event start_;
};

}  // namespace npuvp::fuzz

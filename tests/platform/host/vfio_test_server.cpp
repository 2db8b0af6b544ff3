// SPDX-License-Identifier: Apache-2.0
// A server for the tests of the vfio-user attachment: root complex, one root port, one endpoint with a tiny card.
// Usage: vfio_test_server SOCKET. Prints "listening" and ends with the client, or when its standard input is readable
// or closed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <systemc>

#include "models/pcie/link.h"
#include "platform/host/vfio_user/vfio_user_host.h"
#include "tests/platform/host/test_card.h"

namespace {

int run(const char* socket_path) {
  using namespace npuvp;
  base::Environment environment;
  environment.set_log_level("all",
                            std::getenv("NPUVP_VERBOSE") != nullptr ? spdlog::level::debug : spdlog::level::warn);

  pcie::RootComplex root_complex("root_complex", environment, {});
  pcie::RootPort root_port("root_port", environment, {});
  root_complex.add(root_port, 0);
  pcie::Endpoint::Parameters parameters;
  parameters.msix = {.vectors = 8, .table_bar = 0, .table_offset = 0x8000, .pending_bar = 0, .pending_offset = 0x9000};
  pcie::Endpoint endpoint("endpoint", environment, parameters);
  tests::TestCard card("card", endpoint);
  pcie::Link link("link", environment, {});
  link.connect(root_port.port(), endpoint.port());

  host::VfioUserHost host("host", environment, {.socket_path = socket_path});
  host.connect(root_complex);
  host.watch(STDIN_FILENO, [&host] { host.stop(); });
  std::puts("listening");
  std::fflush(stdout);
  sc_core::sc_start();
  std::printf("card resets %d, simulated %s\n", card.resets, sc_core::sc_time_stamp().to_string().c_str());
  return 0;
}

}  // namespace

int sc_main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: vfio_test_server SOCKET\n");
    return 2;
  }
  try {
    return run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vfio_test_server: %s\n", error.what());
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
// A server for the tests of the vfio-user attachment: the fabric of test_fabric.h.
// Usage: vfio_test_server SOCKET. Prints "listening" and ends with the client, or when its standard input is readable
// or closed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <systemc>

#include "platform/host/vfio_user/vfio_user_host.h"
#include "tests/platform/host/test_fabric.h"

namespace {

int run(const char* socket_path) {
  using namespace npuvp;
  base::Environment environment;
  environment.set_log_level("all",
                            std::getenv("NPUVP_VERBOSE") != nullptr ? spdlog::level::debug : spdlog::level::warn);

  tests::TestFabric fabric(environment);
  host::VfioUserHost host("host", environment, {.socket_path = socket_path});
  host.connect(fabric.root_complex);
  host.watch(STDIN_FILENO, [&host] { host.stop(); });
  std::puts("listening");
  std::fflush(stdout);
  sc_core::sc_start();
  std::printf("card resets %d, simulated %s\n", fabric.card.resets, sc_core::sc_time_stamp().to_string().c_str());
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

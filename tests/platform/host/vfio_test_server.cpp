// SPDX-License-Identifier: Apache-2.0
// A server for the tests of the vfio-user attachments: the fabric of test_fabric.h as a domain at SOCKET, or
// (endpoints) two such fabrics whose endpoints are at SOCKET and SOCKET.1.
// Usage: vfio_test_server SOCKET domain|endpoints [forever]. Prints "listening" and ends with the client (not:
// forever), or when its standard input is readable or closed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <systemc>

#include "platform/host/vfio_user/endpoint_device.h"
#include "platform/host/vfio_user/vfio_user_host.h"
#include "platform/host/vfio_user/vmd_domain.h"
#include "tests/platform/host/test_fabric.h"

namespace {

using namespace npuvp;

void attach_endpoint(host::VfioUserHost& host, base::Environment& environment, tests::TestFabric& fabric,
                     const std::string& path) {
  host.attach(std::make_unique<host::EndpointDevice>(sc_core::sc_gen_unique_name("device"), environment,
                                                     fabric.root_complex, fabric.root_port, fabric.endpoint),
              path);
}

int run(const std::string& path, bool endpoints, bool forever) {
  base::Environment environment;
  environment.set_log_level("all",
                            std::getenv("NPUVP_VERBOSE") != nullptr ? spdlog::level::debug : spdlog::level::warn);

  // As assembly::Fabric does for endpoints: nothing else is in their fabric, not even by peer-to-peer.
  pcie::RootComplex::Parameters parameters;
  parameters.peer_to_peer = !endpoints;
  tests::TestFabric fabric(environment, "", parameters);
  std::optional<tests::TestFabric> second;
  host::VfioUserHost host("host", environment, {.serves_forever = forever});
  if (endpoints) {
    second.emplace(environment, "_1", parameters);
    attach_endpoint(host, environment, fabric, path);
    attach_endpoint(host, environment, *second, path + ".1");
  } else {
    host.attach(
        std::make_unique<host::VmdDomain>("domain", environment, fabric.root_complex, host::VmdDomain::Parameters{}),
        path);
  }
  host.watch(STDIN_FILENO, [&host] { host.stop(); });
  std::puts("listening");
  std::fflush(stdout);
  sc_core::sc_start();
  std::printf("card resets %d, simulated %s\n", fabric.card.resets, sc_core::sc_time_stamp().to_string().c_str());
  return 0;
}

}  // namespace

int sc_main(int argc, char** argv) {
  const std::string attach = argc > 2 ? argv[2] : "";
  const std::string duration = argc > 3 ? argv[3] : "";
  if ((attach != "domain" && attach != "endpoints") || (!duration.empty() && duration != "forever")) {
    std::fprintf(stderr, "usage: vfio_test_server SOCKET domain|endpoints [forever]\n");
    return 2;
  }
  try {
    return run(argv[1], attach == "endpoints", duration == "forever");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vfio_test_server: %s\n", error.what());
    return 1;
  }
}

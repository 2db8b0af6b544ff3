// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "platform/assembly/server.h"
#include "platform/config/board_loader.h"
#include "platform/host/inproc/inproc_host.h"

namespace npuvp::tests {

[[nodiscard]] inline std::string file_contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A whole server on an in-process host, and what a test does with it there. Everything happens in the constructor.
struct TestServer {
  using Body = std::function<void(TestServer&)>;

  /// `board`: a name or a file.
  TestServer(const std::string& board, const Body& body)
      : TestServer(config::load_server(board, NPUVP_BOARDS_DIR), body) {}
  /// A board that the test has changed.
  TestServer(const config::ServerConfig& config, const Body& body)
      : server("server", environment, config,
               assembly::Options{.rom = file_contents(NPUVP_FIRMWARE_DIR "/rom.bin"), .rtl = {}}),
        host("host", [this, body](host::InprocHost& self) {
          functions = self.enumerate();
          body(*this);
        }) {
    environment.set_log_level("all", spdlog::level::off);
    host.connect(server.root_complex());
    sc_core::sc_start();
    host.rethrow_failure();
    EXPECT_TRUE(host.finished());
  }

  /// The firmware image that a driver loads.
  [[nodiscard]] static std::string firmware() { return file_contents(NPUVP_FIRMWARE_DIR "/atom-ca22.bin"); }

  base::Environment environment;
  assembly::Server server;
  std::vector<host::PciFunction> functions;
  host::InprocHost host;
};

}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the loader of board files. Input: a server's file if it begins with "server:", else the card's file of a
// good server.
#include <cstring>
#include <string>
#include <string_view>

#include "platform/config/board_loader.h"
#include "platform/config/config_error.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace npuvp;
  static fuzz::MemoryFile file;
  static fuzz::MemoryFile good_server;
  static const std::string kGoodServer = "server: fuzz\ncards:\n  - card: " + file.path() + "\n";
  file.assign(data, size);
  good_server.assign(kGoodServer.data(), kGoodServer.size());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto server =
        config::load_server(text.starts_with("server:") ? file.path() : good_server.path(), NPUVP_BOARDS_DIR);
    if (server.cards.empty()) fuzz::report_finding("a server without a card was accepted");
  } catch (const config::ConfigError& error) {
    if (std::strchr(error.what(), '\n') != nullptr) fuzz::report_finding("a message of several lines");
  }
  return 0;
}

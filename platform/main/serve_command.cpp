// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <system_error>

#include "platform/config/config_error.h"
#include "platform/host/qemu/qemu_arguments.h"
#include "platform/main/attached_platform.h"
#include "platform/main/commands.h"

namespace npuvp::main {
namespace {

constexpr unsigned kExampleMemoryMib = 1024;

/// A word as a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=,./:";
  if (word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string result = "'";
  for (const char each : word) result += each == '\'' ? std::string("'\\''") : std::string(1, each);
  return result + "'";
}

/// One option a line with its value, for a shell or a script to take as they are.
void print_options(const std::vector<std::string>& words) {
  for (size_t word = 0; word + 1 < words.size(); word += 2) {
    fmt::print("{} {}\n", quoted(words[word]), quoted(words[word + 1]));
  }
}

int serve(const ServeOptions& options) {
  AttachedPlatform platform(options, options.sockets);
  platform.watch_signals();
  fmt::print(stderr,
             "npuvp: listening; QEMU (10.1 or later) needs the options below. Memory may have another size, and the\n"
             "processor may be another with 39 physical address bits. SIGINT or SIGTERM ends.\n");
  print_options(host::machine_arguments(kExampleMemoryMib));
  print_options({"-cpu", host::kEmulatedProcessor});
  print_options(platform.card_arguments());
  std::fflush(stdout);
  sc_core::sc_start();

  platform.session().finish_trace();
  if (!options.platform.json.empty()) {
    nlohmann::ordered_json json;
    platform.session().add_figures(json);
    write_json(options.platform.json, json);
  }
  return kExitDone;
}

}  // namespace

int serve_command(const ServeOptions& options) {
  try {
    return serve(options);
  } catch (const std::system_error& error) {
    throw config::ConfigError(error.what());  // a socket that cannot be made
  }
}

}  // namespace npuvp::main

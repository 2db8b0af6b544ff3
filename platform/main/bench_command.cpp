// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/main/commands.h"
#include "platform/main/resources.h"

namespace npuvp::main {

int bench_command(const BenchOptions& options) {
  std::string program = resources().build_dir + "/tests/bench/bench_" + options.name;
  std::string flag = "--json";
  std::string file = options.json;
  char* const argv[] = {program.data(), file.empty() ? nullptr : flag.data(), file.data(), nullptr};
  execv(argv[0], argv);
  fmt::print(stderr, "npuvp: {} cannot be started ({}); ./npuvp bench builds it\n", program, std::strerror(errno));
  return kExitFailed;
}

}  // namespace npuvp::main

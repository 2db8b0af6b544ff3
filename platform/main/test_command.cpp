// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/main/commands.h"
#include "platform/main/resources.h"

namespace npuvp::main {

int test_command(const std::vector<std::string>& ctest_arguments) {
  const std::string build = resources().build_dir;
  std::vector<std::string> arguments{"ctest", "--test-dir", build, "--output-on-failure", "--parallel", "2"};
  arguments.insert(arguments.end(), ctest_arguments.begin(), ctest_arguments.end());
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  fmt::print(stderr, "npuvp: ctest cannot be started ({}); install the package cmake\n", std::strerror(errno));
  return kExitFailed;
}

}  // namespace npuvp::main

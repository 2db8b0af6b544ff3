// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace npuvp::main {

/// Parses the command line and runs the command. Returns the exit status.
int run_command_line(int argc, char** argv);

}  // namespace npuvp::main

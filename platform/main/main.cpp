// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <exception>
#include <systemc>

#include "models/base/file_error.h"
#include "platform/config/config_error.h"
#include "platform/main/command_line.h"
#include "platform/main/commands.h"

// libsystemc refers to it; the platform elaborates and starts by itself.
int sc_main(int /*argc*/, char** /*argv*/) {
  return npuvp::main::kExitBug;
}

int main(int argc, char** argv) {
  // The kernel's remark on sc_stop() is not for users; its warnings and errors stay.
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  try {
    return npuvp::main::run_command_line(argc, argv);
  } catch (const npuvp::config::ConfigError& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return npuvp::main::kExitUsage;
  } catch (const npuvp::base::FileError& error) {
    fmt::print(stderr, "npuvp: {}\n", error.what());
    return npuvp::main::kExitUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "npuvp: internal error, please report it: {}\n", error.what());
    return npuvp::main::kExitBug;
  }
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/debug/firmware/call_tracker.h"
#include "platform/debug/firmware/coverage.h"
#include "platform/debug/firmware/function_table.h"
#include "platform/debug/firmware/function_trace.h"
#include "platform/debug/firmware/instruction_trace.h"
#include "platform/debug/firmware/observer_list.h"
#include "platform/debug/firmware/profile.h"
#include "platform/main/options.h"
#include "platform/main/session.h"

namespace npuvp::main {

/// What the command line asked to see of a card's firmware while it runs: traces, profile, coverage. Harts that nobody
/// looks at keep their full speed.
class FirmwareView {
 public:
  /// `programs`: ELF files of what runs, for names and lines. Before the simulation starts. Errors:
  /// config::ConfigError.
  FirmwareView(Session& session, size_t card, const FirmwareViewOptions& options,
               const std::vector<std::string>& programs);

  /// After the simulation: writes the files and says on stderr where they are. Errors: config::ConfigError.
  void finish();

 private:
  struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void add_calls(Session& session, size_t card);
  [[nodiscard]] std::FILE* output(const std::string& file);

  const FirmwareViewOptions options_;
  std::vector<std::unique_ptr<std::FILE, FileCloser>> files_;
  riscv::HartCluster& harts_;
  debug::firmware::FunctionTable functions_;
  debug::firmware::ObserverList observers_;
  std::optional<debug::firmware::CallTracker> calls_;
  std::optional<debug::firmware::Profile> profile_;
  std::optional<debug::firmware::FunctionText> text_;
  std::optional<debug::firmware::FunctionSpans> spans_;
  std::optional<debug::firmware::InstructionTrace> instructions_;
  std::optional<debug::firmware::Coverage> coverage_;
};

/// ELF files of what a card runs: the boot ROM, and the firmware that was built here, `fw` in its place, or, with
/// another image, none.
[[nodiscard]] std::vector<std::string> firmware_programs(const PlatformOptions& platform, const std::string& fw,
                                                         const FirmwareViewOptions& options);

}  // namespace npuvp::main

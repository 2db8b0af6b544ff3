// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace npuvp::main {

/// Live progress on stderr: a line a stage with the host's time; on a terminal the last line is also rewritten with
/// details while the stage runs.
class Progress {
 public:
  Progress();
  void stage(const std::string& text);
  void detail(const std::string& text);
  /// Ends the last line.
  void finish();

 private:
  void print(const std::string& text);

  bool terminal_;
  bool open_ = false;  // the last line has no newline yet
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace npuvp::main

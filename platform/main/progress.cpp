// SPDX-License-Identifier: Apache-2.0
#include "platform/main/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace npuvp::main {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void Progress::print(const std::string& text) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  fmt::print(stderr, "[{:5.1f} s] {}", seconds, text);
}

void Progress::stage(const std::string& text) {
  finish();
  print(text + (terminal_ ? "" : "\n"));
  open_ = terminal_;
  std::fflush(stderr);
}

void Progress::detail(const std::string& text) {
  if (!terminal_) return stage(text);
  fmt::print(stderr, "\r\033[K");
  print(text);
  open_ = true;
  std::fflush(stderr);
}

void Progress::finish() {
  if (open_) fmt::print(stderr, "\n");
  open_ = false;
}

}  // namespace npuvp::main

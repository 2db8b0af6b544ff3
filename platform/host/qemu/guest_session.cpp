// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/guest_session.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace npuvp::host {
namespace {

constexpr size_t kKeptBytes = 8192;
constexpr std::string_view kStage = "stage ";
constexpr std::string_view kExit = "exit ";

}  // namespace

GuestSession::GuestSession(QemuProcess& qemu, const std::string& command, Callbacks callbacks)
    : qemu_(qemu), callbacks_(std::move(callbacks)) {
  const std::string line = command + "\n";
  // A socket's buffer takes far more than a command line at once; a longer one is refused rather than cut.
  if (::write(qemu_.command_fd(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::system_error(E2BIG, std::generic_category(), "command for the guest");
  }
}

void GuestSession::pass_on(int fd, const std::function<void(std::string_view)>& sink) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t bytes = ::read(fd, buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return;
    if (sink) sink({buffer.data(), static_cast<size_t>(bytes)});
  }
}

void GuestSession::keep(int fd, std::string& text) {
  pass_on(fd, [&text](std::string_view bytes) {
    text += bytes;
    if (text.size() > kKeptBytes) text.erase(0, text.size() - kKeptBytes);
  });
}

void GuestSession::read_status() {
  pass_on(qemu_.status_fd(), [this](std::string_view bytes) {
    status_ += bytes;
    for (size_t end = status_.find('\n'); end != std::string::npos; end = status_.find('\n')) {
      take_status_line(std::string_view(status_).substr(0, end));
      status_.erase(0, end + 1);
    }
    if (status_.size() > kKeptBytes) status_.clear();  // no line of ours is that long
  });
}

void GuestSession::take_status_line(std::string_view line) {
  if (line.starts_with(kStage) && callbacks_.on_stage) callbacks_.on_stage(line.substr(kStage.size()));
  if (!line.starts_with(kExit)) return;
  const auto number = line.substr(kExit.size());
  int status = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), status).ec == std::errc()) exit_status_ = status;
}

void GuestSession::drain() {
  read_status();
  read_stdout();
  read_stderr();
  read_messages();
  read_console();
}

std::string GuestSession::last_words() const {
  std::string words;
  for (const auto* text : {&messages_, &console_}) {
    words += *text;
    if (!words.empty() && words.back() != '\n') words += '\n';
  }
  return words;
}

std::string shell_line(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();  // one word may be a whole script, as with ssh
  std::string line;
  for (const auto& word : words) {
    std::string quoted = "'";
    for (const char each : word) quoted += each == '\'' ? std::string("'\\''") : std::string(1, each);
    line += (line.empty() ? "" : " ") + quoted + "'";
  }
  return line;
}

}  // namespace npuvp::host

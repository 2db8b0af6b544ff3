// SPDX-License-Identifier: Apache-2.0
#include "platform/main/terminal.h"

#include <unistd.h>

#include <array>
#include <utility>

namespace npuvp::main {
namespace {

constexpr char kEscape = 0x01;  // Ctrl-A

}  // namespace

Terminal::Terminal(uart::Uart& uart, host::EventLoop descriptors, std::function<void(bool)> on_end)
    : uart_(uart), descriptors_(std::move(descriptors)), on_end_(std::move(on_end)) {
  termios settings{};
  if (tcgetattr(STDIN_FILENO, &settings) == 0) {
    before_ = settings;
    cfmakeraw(&settings);
    settings.c_oflag = before_->c_oflag;  // our own lines end with LF only
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
  }
  uart_.on_receive_room([this] { feed(); });
  descriptors_.watch(STDIN_FILENO, [this] { read_input(); });
}

Terminal::~Terminal() {
  uart_.on_receive_room({});
  if (!stopped_) descriptors_.unwatch(STDIN_FILENO);
  if (before_) tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

void Terminal::read_input() {
  std::array<char, 4096> keys;
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (count <= 0) return stop(true);
  for (ssize_t i = 0; i < count && !stopped_; ++i) take(keys[static_cast<size_t>(i)]);
  feed();
}

void Terminal::take(char key) {
  if (!before_) {  // not a person's
    waiting_.push_back(key);
  } else if (!std::exchange(after_escape_, false)) {
    if (key == kEscape) {
      after_escape_ = true;
    } else {
      waiting_.push_back(key);
    }
  } else if (key == 'x') {
    stop(false);
  } else if (key == kEscape) {
    waiting_.push_back(key);
  }
}

void Terminal::feed() {
  while (!waiting_.empty() && uart_.receive_room() > 0) {
    uart_.receive(waiting_.front());
    waiting_.pop_front();
  }
}

void Terminal::stop(bool at_end_of_input) {
  stopped_ = true;
  descriptors_.unwatch(STDIN_FILENO);
  on_end_(at_end_of_input);
}

}  // namespace npuvp::main

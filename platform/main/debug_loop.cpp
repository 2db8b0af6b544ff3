// SPDX-License-Identifier: Apache-2.0
#include "platform/main/debug_loop.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "platform/main/resources.h"

namespace npuvp::main {
namespace {

/// Simulated time between two looks at the descriptors while the platform is busy.
const sc_core::sc_time kPollInterval(10, sc_core::SC_US);

}  // namespace

DebugLoop::DebugLoop(sc_core::sc_module_name name) : sc_module(name) {
  SC_HAS_PROCESS(DebugLoop);
  SC_THREAD(serve);
  watch_signals();
}

host::EventLoop DebugLoop::descriptors() {
  return {[this](int fd, std::function<void()> callback) {
            watches_.push_back({fd, std::move(callback)});
          },
          [this](int fd) { std::erase_if(watches_, [fd](const Watch& each) { return each.fd == fd; }); }};
}

void DebugLoop::watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = host::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  descriptors().watch(signals_.get(), [this] {
    interrupted_ = true;
    end();
  });
}

void DebugLoop::end_at(sc_core::sc_time limit) {
  limit_ = limit;
}

void DebugLoop::end() {
  ending_ = true;
}

void DebugLoop::serve() {
  sc_core::sc_event limit;
  if (limit_) limit.notify(*limit_);
  while (!ending_) {
    const bool is_held = holds_ && holds_();
    const bool is_idle = !is_held && !sc_core::sc_pending_activity();
    if (is_idle && ends_when_idle_) break;
    poll(is_held || is_idle);
    if (ending_ || (holds_ && holds_())) continue;
    // While nothing is going to happen sooner there is nothing to look at either.
    const auto next = sc_core::sc_time_to_pending_activity(sc_core::sc_get_curr_simcontext());
    wait(sc_core::sc_pending_activity() ? std::max(kPollInterval, next) : kPollInterval, wake_);
    if (limit_ && sc_core::sc_time_stamp() >= *limit_) time_is_over_ = ending_ = true;
  }
  sc_core::sc_stop();
}

void DebugLoop::poll(bool may_block) {
  std::vector<pollfd> fds;
  for (const auto& each : watches_) fds.push_back({each.fd, POLLIN, 0});
  if (::poll(fds.data(), fds.size(), may_block ? -1 : 0) <= 0) return;
  for (const auto& ready : fds) {
    if (ready.revents == 0) continue;
    const auto found =
        std::find_if(watches_.begin(), watches_.end(), [&](const Watch& each) { return each.fd == ready.fd; });
    if (found == watches_.end()) continue;
    const auto callback = found->callback;  // a copy: it may change the list
    callback();
  }
}

void announce_debugger(const debug::gdb::CardDebugger& debugger) {
  fmt::print(stderr, "gdb: gdb-multiarch {}/firmware/cp.elf -ex 'target remote {}'\n", resources().build_dir,
             debugger.address());
  std::fflush(stderr);
}

}  // namespace npuvp::main

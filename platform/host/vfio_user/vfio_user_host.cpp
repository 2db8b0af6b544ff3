// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/vfio_user_host.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace npuvp::host {
namespace {

/// A client that never stops writing must not keep the platform from running.
constexpr int kMessagesInARow = 64;

}  // namespace

VfioUserHost::VfioUserHost(sc_core::sc_module_name module_name, base::Environment& environment,
                           const Parameters& parameters)
    : sc_module(module_name),
      environment_(environment),
      log_(environment.logger(name())),
      parameters_(parameters),
      listening_(parameters.socket_path) {
  SC_HAS_PROCESS(VfioUserHost);
  SC_THREAD(serve);
}

VfioUserHost::~VfioUserHost() = default;

void VfioUserHost::connect(pcie::RootComplex& root_complex) {
  sc_assert(domain_ == nullptr);
  domain_ = std::make_unique<VmdDomain>(sc_core::sc_gen_unique_name("domain"), environment_, root_complex,
                                        parameters_.domain);
}

void VfioUserHost::watch(int fd, std::function<void()> callback) {
  watches_.push_back({fd, std::move(callback)});
}

void VfioUserHost::unwatch(int fd) {
  std::erase_if(watches_, [fd](const Watch& each) { return each.fd == fd; });
}

void VfioUserHost::serve() {
  while (!stopping_) {
    poll(!has_backlog_ && !sc_core::sc_pending_activity());
    if (!stopping_) wait(parameters_.poll_interval);
  }
  sc_core::sc_stop();
}

void VfioUserHost::poll(bool may_block) {
  std::vector<pollfd> fds{{server_ ? server_->fd() : listening_.fd(), POLLIN, 0}};
  for (const auto& each : watches_) fds.push_back({each.fd, POLLIN, 0});
  // A failure can only be a signal: whoever sent it makes one of the watched descriptors readable.
  if (::poll(fds.data(), fds.size(), may_block ? -1 : 0) < 0) return;

  std::vector<int> ready;
  for (auto each = fds.begin() + 1; each != fds.end(); ++each) {
    if (each->revents != 0) ready.push_back(each->fd);
  }
  call_watches(ready);
  if (stopping_ || (fds.front().revents == 0 && !has_backlog_)) return;
  if (server_) {
    handle_messages();
  } else {
    accept_client();
  }
}

void VfioUserHost::call_watches(const std::vector<int>& ready) {
  for (const int fd : ready) {
    const auto found =
        std::find_if(watches_.begin(), watches_.end(), [fd](const Watch& each) { return each.fd == fd; });
    if (found == watches_.end()) continue;
    const auto callback = found->callback;  // a copy: it may change the list
    callback();
  }
}

void VfioUserHost::accept_client() {
  auto socket = listening_.accept();
  if (!socket) return;
  log_->info("QEMU has connected");
  server_ = std::make_unique<vfio_user::Server>(std::move(socket), *domain_, domain_->dma_map(),
                                                domain_->irq_eventfds(), log_);
  if (on_connect_) on_connect_();
}

void VfioUserHost::handle_messages() {
  has_backlog_ = false;
  for (int count = 0; count < kMessagesInARow; ++count) {
    switch (server_->handle_next()) {
      case vfio_user::Server::Status::kHandled:
        continue;
      case vfio_user::Server::Status::kNothing:
        return;
      case vfio_user::Server::Status::kClosed:
        log_->info("QEMU has disconnected");
        server_.reset();
        stopping_ = true;
        return;
    }
  }
  has_backlog_ = true;
}

}  // namespace npuvp::host

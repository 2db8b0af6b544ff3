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
    : sc_module(module_name), log_(environment.logger(name())), parameters_(parameters) {
  SC_HAS_PROCESS(VfioUserHost);
  SC_THREAD(serve);
}

VfioUserHost::~VfioUserHost() = default;

void VfioUserHost::attach(std::unique_ptr<FabricDevice> device, const std::string& socket_path) {
  attachments_.push_back(std::make_unique<Attachment>(std::move(device), socket_path));
}

void VfioUserHost::watch(int fd, std::function<void()> callback) {
  watches_.push_back({fd, std::move(callback)});
}

void VfioUserHost::unwatch(int fd) {
  std::erase_if(watches_, [fd](const Watch& each) { return each.fd == fd; });
}

bool VfioUserHost::has_backlog() const {
  return std::any_of(attachments_.begin(), attachments_.end(), [](const auto& each) { return each->has_backlog; });
}

void VfioUserHost::serve() {
  while (!stopping_) {
    poll(!has_backlog() && !sc_core::sc_pending_activity());
    if (!stopping_) wait(parameters_.poll_interval);
  }
  sc_core::sc_stop();
}

void VfioUserHost::poll(bool may_block) {
  std::vector<pollfd> fds;
  for (const auto& each : attachments_) fds.push_back({each->fd(), POLLIN, 0});
  for (const auto& each : watches_) fds.push_back({each.fd, POLLIN, 0});
  // A failure can only be a signal: whoever sent it makes one of the watched descriptors readable.
  if (::poll(fds.data(), fds.size(), may_block ? -1 : 0) < 0) return;

  std::vector<int> ready;
  for (size_t each = attachments_.size(); each < fds.size(); ++each) {
    if (fds[each].revents != 0) ready.push_back(fds[each].fd);
  }
  call_watches(ready);
  for (size_t each = 0; each < attachments_.size() && !stopping_; ++each) {
    auto& attachment = *attachments_[each];
    if (fds[each].revents == 0 && !attachment.has_backlog) continue;
    if (attachment.server) {
      handle_messages(attachment);
    } else {
      accept_client(attachment);
    }
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

void VfioUserHost::accept_client(Attachment& attachment) {
  auto socket = attachment.listening.accept();
  if (!socket) return;
  log_->info("client at {}", attachment.listening.path());
  auto& device = *attachment.device;
  attachment.server =
      std::make_unique<vfio_user::Server>(std::move(socket), device, device.dma_map(), device.irq_eventfds(), log_);
  const bool complete =
      std::all_of(attachments_.begin(), attachments_.end(), [](const auto& each) { return each->server != nullptr; });
  if (complete && on_connect_) on_connect_();
}

void VfioUserHost::handle_messages(Attachment& attachment) {
  attachment.has_backlog = false;
  for (int count = 0; count < kMessagesInARow; ++count) {
    switch (attachment.server->handle_next()) {
      case vfio_user::Server::Status::kHandled:
        continue;
      case vfio_user::Server::Status::kNothing:
        return;
      case vfio_user::Server::Status::kClosed:
        disconnect(attachment);
        return;
    }
  }
  attachment.has_backlog = true;
}

void VfioUserHost::disconnect(Attachment& attachment) {
  log_->info("client at {} has gone", attachment.listening.path());
  attachment.server.reset();
  if (parameters_.serves_forever) {
    attachment.device->power_cycle();
  } else {
    stopping_ = true;
  }
}

}  // namespace npuvp::host

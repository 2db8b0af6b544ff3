// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "platform/host/vfio_user/fabric_device.h"
#include "platform/host/vfio_user/listening_socket.h"
#include "platform/host/vfio_user/server.h"

namespace npuvp::host {

/// A host in QEMU or another hypervisor, and the main loop of a platform under it: the simulation's own thread serves
/// the sockets (docs/architecture.md section 3). Between two looks at them the platform runs for `poll_interval` of
/// simulated time; while nothing in the platform is going to happen the process sleeps until the host speaks. The
/// simulation ends when a client disconnects, unless clients may come and go, or stop() is called.
class VfioUserHost final : public sc_core::sc_module {
 public:
  struct Parameters {
    /// How long the host's request may lie in the socket, in simulated time, while the platform is busy.
    sc_core::sc_time poll_interval{5, sc_core::SC_US};
    /// When a client has gone its device loses power, and waits for the next one.
    bool serves_forever = false;
  };

  VfioUserHost(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);
  ~VfioUserHost() override;

  /// Offers `device` at `socket_path`, which must not exist and whose folder should admit this user only. Listens from
  /// now on; throws std::system_error if it cannot. During elaboration. The host keeps the device.
  void attach(std::unique_ptr<FabricDevice> device, const std::string& socket_path);

  /// Calls `callback` in the simulation's thread when `fd` is readable or its other end is gone (a signalfd, a pidfd,
  /// a console). The callback must make it unreadable, or close it and unwatch() it.
  void watch(int fd, std::function<void()> callback);
  void unwatch(int fd);

  /// Called when each device has a client: the sockets' names are not needed any more, unless clients come and go.
  void on_connect(std::function<void()> handler) { on_connect_ = std::move(handler); }

  /// Ends the simulation after the current round; for callbacks.
  void stop() { stopping_ = true; }

 private:
  struct Attachment {
    Attachment(std::unique_ptr<FabricDevice> attached, const std::string& path)
        : device(std::move(attached)), listening(path) {}

    /// What to poll: the client, or, while there is none, who wants to be it.
    [[nodiscard]] int fd() const { return server ? server->fd() : listening.fd(); }

    std::unique_ptr<FabricDevice> device;
    vfio_user::ListeningSocket listening;
    std::unique_ptr<vfio_user::Server> server;
    bool has_backlog = false;  // messages that were already read from the socket
  };
  struct Watch {
    int fd;
    std::function<void()> callback;
  };

  void serve();
  /// Handles what has come, after waiting for it if `may_block`.
  void poll(bool may_block);
  void call_watches(const std::vector<int>& ready);
  void accept_client(Attachment& attachment);
  void handle_messages(Attachment& attachment);
  void disconnect(Attachment& attachment);
  [[nodiscard]] bool has_backlog() const;

  std::shared_ptr<spdlog::logger> log_;
  Parameters parameters_;
  std::vector<std::unique_ptr<Attachment>> attachments_;
  std::vector<Watch> watches_;
  std::function<void()> on_connect_;
  bool stopping_ = false;
};

}  // namespace npuvp::host

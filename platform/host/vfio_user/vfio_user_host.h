// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "platform/host/vfio_user/listening_socket.h"
#include "platform/host/vfio_user/server.h"
#include "platform/host/vfio_user/vmd_domain.h"

namespace npuvp::host {

/// A host in QEMU, and the main loop of a platform under it: the simulation's own thread serves the socket
/// (docs/architecture.md section 3). Between two looks at the socket the platform runs for `poll_interval` of simulated
/// time; while nothing in the platform is going to happen the process sleeps until the host speaks. The simulation ends
/// when QEMU disconnects or stop() is called.
class VfioUserHost final : public sc_core::sc_module {
 public:
  struct Parameters {
    /// Where to listen; must not exist. The folder should admit this user only.
    std::string socket_path;
    /// How long the host's request may lie in the socket, in simulated time, while the platform is busy.
    sc_core::sc_time poll_interval{5, sc_core::SC_US};
    VmdDomain::Parameters domain{};
  };

  /// Listens from now on; throws std::system_error if it cannot.
  VfioUserHost(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters);
  ~VfioUserHost() override;

  /// Presents the hierarchy below `root_complex` to QEMU as one PCI domain. Once, during elaboration.
  void connect(pcie::RootComplex& root_complex);

  /// Calls `callback` in the simulation's thread when `fd` is readable or its other end is gone (a signalfd, a pidfd,
  /// a console). The callback must make it unreadable, or close it and unwatch() it.
  void watch(int fd, std::function<void()> callback);
  void unwatch(int fd);

  /// Called once QEMU has connected: the socket's name is not needed any more.
  void on_connect(std::function<void()> handler) { on_connect_ = std::move(handler); }

  /// Ends the simulation after the current round; for callbacks.
  void stop() { stopping_ = true; }

 private:
  struct Watch {
    int fd;
    std::function<void()> callback;
  };

  void serve();
  /// Handles what has come, after waiting for it if `may_block`.
  void poll(bool may_block);
  void call_watches(const std::vector<int>& ready);
  void accept_client();
  void handle_messages();

  base::Environment& environment_;
  std::shared_ptr<spdlog::logger> log_;
  Parameters parameters_;
  vfio_user::ListeningSocket listening_;
  std::unique_ptr<VmdDomain> domain_;
  std::unique_ptr<vfio_user::Server> server_;
  std::vector<Watch> watches_;
  std::function<void()> on_connect_;
  bool has_backlog_ = false;  // messages that were already read from the socket
  bool stopping_ = false;
};

}  // namespace npuvp::host

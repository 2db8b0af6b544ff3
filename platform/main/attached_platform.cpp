// SPDX-License-Identifier: Apache-2.0
#include "platform/main/attached_platform.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <memory>
#include <utility>

#include "platform/host/qemu/qemu_arguments.h"
#include "platform/host/vfio_user/endpoint_device.h"
#include "platform/host/vfio_user/vmd_domain.h"

namespace npuvp::main {
namespace {

bool has_endpoints(const AttachOptions& options) {
  return options.attach == "endpoints";
}

assembly::Fabric::Layout layout(const AttachOptions& options) {
  using Layout = assembly::Fabric::Layout;
  return has_endpoints(options) ? Layout::kSeparateCards : Layout::kTree;
}

std::vector<std::string> socket_names(const AttachOptions& options, size_t cards) {
  if (!has_endpoints(options)) return {"domain.sock"};
  std::vector<std::string> names;
  for (size_t card = 0; card < cards; ++card) names.push_back(fmt::format("card{}.sock", card));
  return names;
}

std::unique_ptr<host::FabricDevice> make_domain(Session& session) {
  const auto& space = session.server().address_space();
  host::VmdDomain::Parameters parameters;
  parameters.config_bytes = uint64_t{space.buses} << 20;
  parameters.memory_bytes = space.memory_bytes;
  parameters.prefetchable_bytes = space.prefetchable_bytes;
  return std::make_unique<host::VmdDomain>("domain", session.environment(), session.server().root_complex(),
                                           parameters);
}

std::unique_ptr<host::FabricDevice> make_endpoint(Session& session, size_t card) {
  auto& fabric = session.server().fabric();
  return std::make_unique<host::EndpointDevice>(fmt::format("endpoint{}", card).c_str(), session.environment(),
                                                fabric.root_complex(card), fabric.above_card(card).above,
                                                fabric.endpoint(card));
}

}  // namespace

AttachedPlatform::AttachedPlatform(const AttachOptions& options)
    : session_(options.platform, layout(options)),
      sockets_(socket_names(options, session_.server().card_count())),
      host_("host", session_.environment(), {}) {
  attach(options);
  host_.on_connect([this] { sockets_.remove(); });
}

AttachedPlatform::AttachedPlatform(const AttachOptions& options, const std::string& folder)
    : session_(options.platform, layout(options)),
      sockets_(socket_names(options, session_.server().card_count()), folder),
      host_("host", session_.environment(), {.serves_forever = true}) {
  attach(options);
}

void AttachedPlatform::attach(const AttachOptions& options) {
  const auto paths = sockets_.paths();
  if (has_endpoints(options)) {
    for (size_t card = 0; card < paths.size(); ++card) host_.attach(make_endpoint(session_, card), paths[card]);
    card_arguments_ = host::endpoint_arguments(paths);
  } else {
    host_.attach(make_domain(session_), paths.front());
    card_arguments_ = host::domain_arguments(paths.front());
  }
  if (!options.monitor.empty()) open_monitor(options.monitor);
}

void AttachedPlatform::open_monitor(const std::string& path) {
  monitor_.emplace(session_.server().fabric(), &session_.server());
  const debug::MonitorSocket::Loop loop{
      [this](int fd, std::function<void()> callback) { host_.watch(fd, std::move(callback)); },
      [this](int fd) { host_.unwatch(fd); }};
  monitor_socket_.emplace(path, loop, [this](std::string_view line) {
    return monitor_->execute(line).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  });
}

void AttachedPlatform::watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = host::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  host_.watch(signals_.get(), [this] {
    interrupted_ = true;
    host_.stop();
  });
}

}  // namespace npuvp::main

// SPDX-License-Identifier: Apache-2.0
// monitor: asks a running platform, and shows its answer to people.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "platform/base/unique_fd.h"
#include "platform/config/config_error.h"
#include "platform/main/commands.h"

namespace npuvp::main {
namespace {

using Json = nlohmann::ordered_json;

constexpr time_t kTimeoutSeconds = 30;
constexpr size_t kMostAnswerBytes = 16 << 20;

host::UniqueFd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw config::ConfigError(path + ": too long for a socket's path");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  host::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw config::ConfigError(
        fmt::format("{}: {}; start a guest with --monitor {} first", path, std::strerror(errno), path));
  }
  const timeval timeout{kTimeoutSeconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  return socket;
}

/// Sends a line; returns the one that comes back, or what came of it.
std::string ask(const std::string& path, const std::string& line) {
  const auto socket = connect_to(path);
  const std::string request = line + "\n";
  std::string answer;
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return answer;
  }
  std::array<char, 65536> buffer;
  while (!answer.ends_with('\n') && answer.size() < kMostAnswerBytes) {
    const auto count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    answer.append(buffer.data(), static_cast<size_t>(count));
  }
  return answer;
}

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// One line a port and what is below it, indented by depth.
void print_ports(const Json& ports, size_t depth) {
  for (const auto& port : ports) {
    const auto& link = port.at("link");
    const auto& below = port.at("below");
    std::string state = text(link.at("state"));
    if (state == "up") state = fmt::format("Gen{} x{}", text(link.at("generation")), text(link.at("lanes")));
    if (!port.at("present").get<bool>()) state = "empty";
    const std::string slot = port.contains("slot") ? fmt::format("slot {}", text(port.at("slot"))) : "";
    const std::string name = fmt::format("{:{}}{}", "", depth * 2, text(port.at("name")));
    fmt::print("{:<28} {}  {:<9} {:<8} {} {}\n", name, text(port.at("bdf")), state, slot, text(below.at("name")),
               text(below.at("bdf")));
    if (below.contains("ports")) print_ports(below.at("ports"), depth + 1);
  }
}

void print_counters(const Json& json) {
  if (json.contains("links")) {
    fmt::print("{:<16} {:<17} {:<4} {:>12} {:>16} {:>8} {:>14}\n", "link", "below", "way", "TLPs", "bytes", "replays",
               "busy (us)");
    for (const auto& link : json.at("links")) {
      for (const char* way : {"downstream", "upstream"}) {
        const auto& counters = link.at(way);
        fmt::print("{:<16} {:<17} {:<4} {:>12} {:>16} {:>8} {:>14.3f}\n", text(link.at("name")), text(link.at("below")),
                   way == std::string("downstream") ? "down" : "up", text(counters.at("tlps")),
                   text(counters.at("wire_bytes")), text(counters.at("replays")),
                   counters.at("busy_seconds").get<double>() * 1e6);
      }
    }
  }
  const auto print_object = [](const std::string& name, const Json& object) {
    for (const auto& [key, value] : object.items()) {
      if (key != "name") fmt::print("{:<16} {:<22} {:>16}\n", name, key, text(value));
    }
  };
  if (json.contains("switches")) {
    for (const auto& each : json.at("switches")) print_object(text(each.at("name")), each);
  }
  if (json.contains("root_complex")) print_object("root_complex", json.at("root_complex"));
}

void print_help(const Json& json) {
  for (const auto& each : json.at("commands")) {
    fmt::print("{:<30} {}\n", text(each.at("usage")), text(each.at("description")));
  }
  std::string faults;
  for (const auto& each : json.at("faults")) faults += fmt::format(" {}", text(each));
  fmt::print("faults:{}\n", faults);
}

void print(const Json& json) {
  if (json.contains("root_ports")) return print_ports(json.at("root_ports"), 0);
  if (json.contains("commands")) return print_help(json);
  if (json.contains("links") || json.contains("switches") || json.contains("root_complex")) return print_counters(json);
  for (const auto& [key, value] : json.items()) fmt::print("{}: {}\n", key, text(value));
}

}  // namespace

int monitor_command(const MonitorOptions& options) {
  const std::string line = fmt::format("{}", fmt::join(options.command, " "));
  if (line.find('\n') != std::string::npos) throw config::ConfigError("monitor: COMMAND must be one line");
  const std::string answer = ask(options.path, line.empty() ? "help" : line);
  const auto json = Json::parse(answer, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    fmt::print(stderr, "npuvp: {}: no answer within {} s; has the platform ended?\n", options.path, kTimeoutSeconds);
    return kExitFailed;
  }
  const bool failed = json.contains("error");
  if (options.raw) {
    fmt::print("{}", answer);
  } else if (failed) {
    fmt::print(stderr, "npuvp: {}\n", text(json.at("error")));
  } else {
    print(json);
  }
  return failed ? kExitFailed : kExitDone;
}

}  // namespace npuvp::main

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "platform/assembly/fabric.h"
#include "platform/assembly/server.h"

namespace npuvp::debug {

/// The commands by which people and tests look into a running fabric and disturb it: `help` lists them. Names are those
/// of assembly::Fabric. Knows nothing of how a command came.
class Monitor {
 public:
  /// Of a fabric alone: what happens on the cards is out of reach.
  explicit Monitor(assembly::Fabric& fabric) : fabric_(fabric) {}
  explicit Monitor(assembly::Server& server) : fabric_(server.fabric()), server_(&server) {}

  /// Carries out one command line, words separated by blanks, and returns the answer, a JSON object; {"error": "..."}
  /// names the thing, the value and what would be right. Any bytes are allowed. To be called in the simulation's
  /// thread, between its steps: what is disturbed happens at the time of the call.
  [[nodiscard]] nlohmann::ordered_json execute(std::string_view line);

 private:
  using Json = nlohmann::ordered_json;
  using Words = std::vector<std::string>;
  using Segment = assembly::Fabric::Segment;

  struct Command {
    const char* name;
    const char* arguments;
    size_t least;  ///< Number of arguments.
    size_t most;
    const char* description;
    Json (Monitor::*action)(const Words& arguments);
  };
  static const std::vector<Command>& commands();

  Json help(const Words& arguments);
  Json time(const Words& arguments);
  Json topology(const Words& arguments);
  Json counters(const Words& arguments);
  Json noc(const Words& arguments);
  Json inject(const Words& arguments);
  Json unplug(const Words& arguments);
  Json plug(const Words& arguments);
  Json sensors(const Words& arguments);
  Json ambient(const Words& arguments);
  Json hang(const Words& arguments);
  Json spoil(const Words& arguments);

  [[nodiscard]] Json no_card(const std::string& command, const std::string& name) const;
  [[nodiscard]] assembly::Card& card_named(const char* command, const std::string& name) const;
  Json set_present(const std::string& name, bool present);
  [[nodiscard]] Json describe(const Segment& segment) const;
  [[nodiscard]] Json describe_below(const Segment& segment) const;
  [[nodiscard]] Json describe_children(size_t parent) const;
  [[nodiscard]] std::string port_names() const;

  assembly::Fabric& fabric_;
  assembly::Server* server_ = nullptr;
};

}  // namespace npuvp::debug

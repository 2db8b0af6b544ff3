// SPDX-License-Identifier: Apache-2.0
// The commands of the monitor that look into cards.
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "platform/assembly/server.h"
#include "platform/debug/monitor.h"

namespace npuvp::debug {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kColdest = -55;
constexpr double kHottest = 150;
constexpr size_t kMostQuoted = 40;

/// Number of "card3".
std::optional<size_t> card_number(const std::string& name) {
  constexpr std::string_view kPrefix = "card";
  size_t number = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto [parsed, error] = std::from_chars(name.data() + kPrefix.size(), end, number);
  if (error != std::errc{} || parsed != end) return std::nullopt;
  return number;
}

Json sensors_of(assembly::Card& card) {
  static constexpr const char* kRailNames[base::kRails] = {"neural", "system", "dram", "pcie"};
  auto& management = card.management();
  Json json;
  json["celsius"] = management.sensors.celsius();
  json["watts"] = management.sensors.watts();
  for (size_t rail = 0; rail < base::kRails; ++rail) {
    json["joules"][kRailNames[rail]] = management.power.joules(static_cast<base::Rail>(rail));
  }
  json["pstate"] = static_cast<unsigned>(card.system_controller().pstate());
  return json;
}

}  // namespace

Monitor::Json Monitor::no_card(const std::string& command, const std::string& name) const {
  if (server_ == nullptr) return {{"error", fmt::format("{}: this monitor sees the fabric only", command)}};
  return {{"error", fmt::format("{}: there is no card '{}'; there are card0 to card{}", command,
                                name.substr(0, kMostQuoted), server_->card_count() - 1)}};
}

Monitor::Json Monitor::sensors(const Words& arguments) {
  if (server_ == nullptr) return no_card("sensors", "");
  Json json;
  for (size_t index = 0; index < server_->card_count(); ++index) {
    const std::string name = fmt::format("card{}", index);
    if (arguments.empty() || arguments[0] == name) json[name] = sensors_of(server_->card(index));
  }
  return json.empty() ? no_card("sensors", arguments[0]) : json;
}

Monitor::Json Monitor::ambient(const Words& arguments) {
  const auto number = card_number(arguments[0]);
  if (server_ == nullptr || !number || *number >= server_->card_count()) return no_card("ambient", arguments[0]);
  double celsius = 0;
  const auto& word = arguments[1];
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), celsius);
  const bool is_number = error == std::errc{} && end == word.data() + word.size();
  if (!is_number || !(celsius >= kColdest && celsius <= kHottest)) {
    return {{"error", fmt::format("ambient: CELSIUS '{}' is not a number from {} to {}", word.substr(0, kMostQuoted),
                                  kColdest, kHottest)}};
  }
  server_->card(*number).management().sensors.set_ambient(celsius);
  return {{"name", arguments[0]}, {"ambient_celsius", celsius}};
}

}  // namespace npuvp::debug

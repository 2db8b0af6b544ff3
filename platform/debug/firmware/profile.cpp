// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/profile.h"

#include <fmt/format.h>

#include "platform/debug/firmware/flame_graph.h"

namespace npuvp::debug::firmware {
namespace {

constexpr const char* kUnknown = "[unknown]";

Profile::Node& child_of(Profile::Node& node, const std::string& name) {
  auto& child = node.children[name];
  if (!child) {
    child = std::make_unique<Profile::Node>();
    child->name = name;
    child->parent = &node;
  }
  return *child;
}

uint64_t nanoseconds(sc_core::sc_time time) {
  return static_cast<uint64_t>(time.to_seconds() * 1e9 + 0.5);
}

void append_folded(const Profile::Node& node, const std::string& stack, std::string& out) {
  if (node.self != sc_core::SC_ZERO_TIME) out += fmt::format("{} {}\n", stack, nanoseconds(node.self));
  for (const auto& [name, child] : node.children) append_folded(*child, stack + ";" + name, out);
}

}  // namespace

sc_core::sc_time Profile::Node::total() const {
  sc_core::sc_time sum = self;
  for (const auto& each : children) sum += each.second->total();
  return sum;
}

Profile::Profile(unsigned harts) {
  root_.name = "all";
  for (unsigned hart = 0; hart < harts; ++hart) current_.push_back(&child_of(root_, fmt::format("hart {}", hart)));
}

void Profile::on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time /*at*/) {
  Node& node = child_of(*current_.at(hart), function != nullptr ? function->name : kUnknown);
  ++node.calls;
  current_[hart] = &node;
}

void Profile::on_leave(unsigned hart, sc_core::sc_time /*at*/) {
  current_.at(hart) = current_[hart]->parent;
}

void Profile::on_run(unsigned hart, sc_core::sc_time spent) {
  current_.at(hart)->self += spent;
}

void Profile::on_sleep(unsigned /*hart*/, sc_core::sc_time spent) {
  asleep_ += spent;
}

std::string Profile::folded() const {
  std::string out;
  for (const auto& [name, child] : root_.children) append_folded(*child, name, out);
  return out;
}

std::string Profile::flame_graph(const std::string& title) const {
  const auto in_ms = [](sc_core::sc_time time) { return time.to_seconds() * 1e3; };
  return draw_flame_graph(root_, fmt::format("{}: {:.3f} ms running, {:.3f} ms asleep (simulated time)", title,
                                             in_ms(root_.total()), in_ms(asleep_)));
}

}  // namespace npuvp::debug::firmware

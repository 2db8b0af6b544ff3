// SPDX-License-Identifier: Apache-2.0
// Where requests go: section 2.2.4 (routing), 7.3 (configuration), 7.5.1.3 (bridges), 6.12 (ACS).
#include <algorithm>

#include "tests/models/pcie/checker/shadow_fabric.h"

namespace npuvp::tests::checker {
namespace {

using Fate = Verdict::Fate;

Verdict refused(Bridge* by, bool certain, const char* reason) {
  return {.fate = Fate::kRefused, .refuser = {.bridge = by}, .certain = certain, .reason = reason};
}
Verdict refused(Card& by, unsigned index, const char* reason) {
  return {.fate = Fate::kRefused, .refuser = {.card = &by, .index = index}, .certain = true, .reason = reason};
}
Verdict undefined(const char* reason) {
  return {.reason = reason};
}

bool is_in_d0(const ShadowFunction& function) {
  const unsigned power = function.capability(0x01);
  return power == 0 || (function.get(power + 4, 1) & 3) == 0;
}
bool takes_memory(const Bridge& bridge) {
  return (bridge.function.get(0x04, 2) & 2) != 0 && is_in_d0(bridge.function);
}
bool is_master(const ShadowFunction& function) {
  return (function.get(0x04, 2) & 4) != 0;
}
bool has_bus(const Bridge& bridge, uint8_t bus) {
  return bus >= bridge.secondary() && bus <= bridge.subordinate();
}
/// Secondary bus 0 is the root's own and means "not programmed"; with a subordinate bus above it all is undefined.
bool has_silly_buses(const Bridge& bridge) {
  return bridge.secondary() == 0 && bridge.subordinate() != 0;
}
bool forwards_ari(const Bridge& port) {
  return (port.function.get(port.function.express() + 0x28, 2) & 0x20) != 0;
}
uint32_t acs_control(const Bridge& port) {
  const unsigned acs = port.function.extended(0x000d);
  return acs == 0 ? 0 : port.function.get(acs + 6, 2);
}
/// std::nullopt: not known whether the bit is implemented.
std::optional<bool> egress_blocked(const Bridge& from, const Bridge& to) {
  const unsigned number = to.function.get(to.function.express() + 0xc, 4) >> 24;  // 7.7.8.4: by Port Number
  const unsigned at = from.function.extended(0x000d) + 8 + number / 32 * 4;
  if (!from.function.is_known(at, 4, 1U << number % 32)) return std::nullopt;
  return (from.function.get(at, 4) >> number % 32 & 1) != 0;
}

}  // namespace

bool ShadowFabric::in_window(const Bridge& bridge, uint64_t address) {
  const auto inside = [&](unsigned base_at, uint64_t base_upper, uint64_t limit_upper) {
    const uint64_t base = base_upper << 32 | uint64_t{bridge.function.get(base_at, 2) & 0xfff0} << 16;
    const uint64_t limit = limit_upper << 32 | uint64_t{bridge.function.get(base_at + 2, 2) & 0xfff0} << 16 | 0xf'ffff;
    return address >= base && address <= limit;
  };
  return inside(0x20, 0, 0) || inside(0x24, bridge.function.get(0x28, 4), bridge.function.get(0x2c, 4));
}

Verdict ShadowFabric::route_config(uint16_t id) const {
  const auto bus = static_cast<uint8_t>(id >> 8);
  const auto devfn = static_cast<uint8_t>(id & 0xff);
  Bridge* owner = nullptr;
  for (Bridge* port : root_ports_) {
    if (bus == 0) {
      if (port->devfn == devfn) return {.fate = Fate::kReaches, .place = {.bridge = port}, .reason = "root port"};
    } else if (has_bus(*port, bus)) {
      if (has_silly_buses(*port)) return undefined("secondary bus 0");
      if (owner != nullptr) return undefined("two root ports claim the bus");
      owner = port;
    }
  }
  if (owner == nullptr) return refused(nullptr, false, "no root port has this bus or function, 7.3.2");
  return config_below(*owner, bus, devfn);
}

Verdict ShadowFabric::config_below(Bridge& port, uint8_t bus, uint8_t devfn) const {
  if (port.may_be_contained) return undefined("perhaps contained");
  if (!link_is_up(port)) return refused(&port, false, "link down, 2.9.1");
  if (bus == port.secondary()) return config_on_link(port, devfn);
  if (port.card != nullptr) return refused(*port.card, 0, "Type 1 request at an endpoint, 7.3.3");
  if (port.below.empty()) return refused(&port, false, "nothing below");
  return config_in_switch(*port.below[0], bus, devfn);
}

Verdict ShadowFabric::config_on_link(Bridge& port, uint8_t devfn) const {
  if (devfn > 7 && !forwards_ari(port)) return refused(&port, false, "device other than 0 without ARI, 7.3.1");
  if (port.card == nullptr) {
    if (port.below.empty()) return refused(&port, false, "nothing below");
    if (devfn > 7) return undefined("device number at an upstream port that is not ARI, 7.3.1");
    Bridge& upstream = *port.below[0];
    if (devfn != 0) return refused(&upstream, true, "no such function, 7.3.1");
    return {.fate = Fate::kReaches, .place = {.bridge = &upstream}, .reason = "upstream port"};
  }
  Card& card = *port.card;
  if (devfn == 0) return {.fate = Fate::kReaches, .place = {.card = &card}, .reason = "physical function"};
  const bool is_ari = card.physical().extended(0x000e) != 0;
  if (devfn > 7 && !is_ari) return undefined("device number at an endpoint that is not ARI, 7.3.1");
  if (const unsigned sriov = card.physical().extended(0x0010); sriov != 0) {
    if (card.undefined_functions) return undefined("virtual functions in an undefined state, 9.3.3");
    if (card.enabled > 0 && card.captured_bus[0] != port.secondary()) return undefined("bus not captured, 9.2.1.2");
    const uint32_t first = card.physical().get(sriov + 0x14, 2);
    const uint32_t stride = card.physical().get(sriov + 0x16, 2);
    for (unsigned index = 1; index <= card.enabled; ++index) {
      if (first + (index - 1) * stride == devfn) {
        return {
            .fate = Fate::kReaches, .place = {.card = &card, .index = index}, .reason = "virtual function, 9.2.1.2"};
      }
    }
  }
  return refused(card, 0, "no such function, 7.3.1");
}

Verdict ShadowFabric::config_in_switch(Bridge& upstream, uint8_t bus, uint8_t devfn) const {
  if (has_silly_buses(upstream)) return undefined("secondary bus 0");
  if (!has_bus(upstream, bus)) return refused(&upstream, true, "Type 1 request outside the bus range, 7.3.3");
  if ((upstream.function.get(0x3e, 2) & 0x40) != 0) return undefined("internal bus in reset");
  Bridge* owner = nullptr;
  for (Bridge* port : upstream.below) {
    if (bus == upstream.secondary()) {
      if (port->devfn == devfn) return {.fate = Fate::kReaches, .place = {.bridge = port}, .reason = "downstream port"};
    } else if (has_bus(*port, bus)) {
      if (has_silly_buses(*port)) return undefined("secondary bus 0");
      if (owner != nullptr) return undefined("two downstream ports claim the bus");
      owner = port;
    }
  }
  if (owner == nullptr) return refused(&upstream, true, "no downstream port has this bus or function, 7.3.3");
  return config_below(*owner, bus, devfn);
}

Verdict ShadowFabric::route_memory(uint64_t address) const {
  Bridge* owner = nullptr;
  for (Bridge* port : root_ports_) {
    if (!takes_memory(*port) || !in_window(*port, address)) continue;
    if (owner != nullptr) return undefined("two root ports claim the address");
    owner = port;
  }
  if (owner != nullptr) return memory_below(*owner, address);
  // A root port that is off may log the request for its window, or never see it.
  for (Bridge* port : root_ports_) {
    if (in_window(*port, address)) return refused(port, false, "window's root port is off, 7.5.1.1.3");
  }
  return refused(nullptr, false, "no root port's window, 7.5.1.3.8");
}

Verdict ShadowFabric::memory_below(Bridge& port, uint64_t address) const {
  if (port.may_be_contained) return undefined("perhaps contained");
  if (!link_is_up(port)) return refused(&port, false, "link down, 2.9.1");
  if (port.card != nullptr) return memory_in_card(*port.card, address);
  if (port.below.empty()) return refused(&port, false, "nothing below");
  Bridge& upstream = *port.below[0];
  if (!takes_memory(upstream)) return refused(&upstream, true, "upstream port is off, 7.5.1.1.3");
  if ((upstream.function.get(0x3e, 2) & 0x40) != 0) return refused(&upstream, false, "internal bus in reset");
  if (!in_window(upstream, address)) return refused(&upstream, true, "outside the upstream port's windows, 7.5.1.3.8");
  Bridge* owner = nullptr;
  for (Bridge* downstream : upstream.below) {
    if (!takes_memory(*downstream) || !in_window(*downstream, address)) continue;
    if (owner != nullptr) return undefined("two downstream ports claim the address");
    owner = downstream;
  }
  if (owner == nullptr) return refused(&upstream, true, "no downstream port's window, 2.2.4.1");
  return memory_below(*owner, address);
}

Verdict ShadowFabric::memory_in_card(Card& card, uint64_t address) const {
  Verdict hit = refused(card, 0, "no enabled BAR, 2.3.1");
  unsigned hits = 0;
  const auto try_bar = [&](unsigned index, unsigned bar, uint64_t base, uint64_t bytes) {
    if (address < base || address - base >= bytes) return;
    ++hits;
    if (!is_in_d0(*card.functions[index])) {
      hit = refused(card, index, "function in D3hot, 5.3.1.4.1");
      hit.certain = index == 0;
    } else {
      hit = {.fate = Fate::kReaches,
             .place = {.card = &card, .index = index},
             .bar = bar,
             .offset = address - base,
             .reason = "BAR, 7.5.1.2.1"};
    }
  };
  const ShadowFunction& physical = card.physical();
  const auto base_at = [&](unsigned at) {
    return uint64_t{physical.get(at + 4, 4)} << 32 | (physical.get(at, 4) & physical.writable(at, 4));
  };
  const auto size_at = [&](unsigned at) {
    return ~(uint64_t{physical.writable(at + 4, 4)} << 32 | physical.writable(at, 4)) + 1;
  };
  if ((physical.get(0x04, 2) & 2) != 0) {
    try_bar(0, 0, base_at(0x10), size_at(0x10));
    try_bar(0, 2, base_at(0x18), size_at(0x18));
  }
  const unsigned sriov = physical.extended(0x0010);
  const bool virtual_memory = sriov != 0 && (physical.get(sriov + 8, 2) & 9) == 9;
  if (virtual_memory && card.undefined_functions) return undefined("virtual functions in an undefined state, 9.3.3");
  if (virtual_memory && !is_in_d0(physical)) return undefined("virtual functions of a function in D3hot, 9.6.2");
  if (virtual_memory) {
    for (const unsigned bar : {0U, 2U}) {
      const unsigned at = sriov + 0x24 + 4 * bar;
      const uint64_t bytes = size_at(at);
      for (unsigned index = 1; index <= card.enabled; ++index) {
        try_bar(index, bar, base_at(at) + (index - 1) * bytes, bytes);
      }
    }
  }
  if (hits == 1 && hit.fate == Fate::kReaches && hit.place.index > 0) {
    const uint64_t own = hit.bar == 0 ? card.layout.virtual_bar0_bytes : card.layout.virtual_bar2_bytes;
    if (hit.offset >= own) return undefined("padding of a virtual function's BAR to the page size, 9.2.1.1.1");
  }
  return hits > 1 ? undefined("two BARs of a card overlap") : hit;
}

bool ShadowFabric::matches(const Card& card, unsigned index, unsigned bar, uint64_t offset, uint64_t address) const {
  const ShadowFunction& physical = card.physical();
  const unsigned sriov = physical.extended(0x0010);
  if (index > 0 && sriov == 0) return false;
  const unsigned at = (index == 0 ? 0x10 : sriov + 0x24) + 4 * bar;
  const uint64_t mask = uint64_t{physical.writable(at + 4, 4)} << 32 | physical.writable(at, 4);
  const uint64_t base = uint64_t{physical.get(at + 4, 4)} << 32 | (physical.get(at, 4) & physical.writable(at, 4));
  const uint64_t first = index == 0 ? base : base + (index - 1) * (~mask + 1);
  return first + offset == address;
}

bool ShadowFabric::completions_return(const Card& card, uint8_t requester_bus) const {
  if (card.above->secondary() != requester_bus) return false;
  for (const Bridge* bridge = card.above; bridge != nullptr; bridge = bridge->above) {
    if (!has_bus(*bridge, requester_bus)) return false;
    const auto& siblings = bridge->above == nullptr ? root_ports_ : bridge->above->below;
    const auto claims = std::ranges::count_if(siblings, [&](Bridge* other) { return has_bus(*other, requester_bus); });
    if (claims != 1) return false;
    if (bridge->function.kind() == FunctionKind::kUpstreamPort && bridge->secondary() == requester_bus) return false;
  }
  return true;
}

Verdict ShadowFabric::route_dma(const Card& card, unsigned index, uint64_t address, bool is_read) const {
  if (card.undefined_functions && index > 0) return undefined("virtual functions in an undefined state, 9.3.3");
  const bool exists = index == 0 || index <= card.enabled;
  if (!exists || !is_master(*card.functions[index]) || !is_in_d0(*card.functions[index])) {
    return {.fate = Fate::kLost, .reason = "function absent, not bus master or not in D0, 7.5.1.1.3, 5.3.1.4.1"};
  }
  if (index > 0 && !is_in_d0(card.physical())) return undefined("virtual function of a function in D3hot, 9.6.2");
  const uint8_t requester_bus = card.captured_bus[index];
  if (requester_bus != card.captured_bus[0]) return undefined("bus numbers changed, 2.2.6.2");
  if (card.above->may_be_contained || !link_is_up(*card.above)) return undefined("link down");
  Verdict verdict = from_below(*card.above, address, requester_bus, is_read, false);
  if (is_read && verdict.fate != Fate::kRefused && !completions_return(card, requester_bus)) {
    return undefined("completions do not find back, 2.2.4.2");
  }
  return verdict;
}

Verdict ShadowFabric::from_below(Bridge& port, uint64_t address, uint8_t requester_bus, bool is_read,
                                 bool redirected) const {
  const uint32_t acs = acs_control(port);
  if ((acs & 1) != 0 && has_silly_buses(port)) return undefined("secondary bus 0");
  if ((acs & 1) != 0 && !has_bus(port, requester_bus)) {  // 6.12.1.1 source validation
    Verdict verdict = refused(&port, false, "ACS source validation, 6.12.1.1");
    return verdict;
  }
  if (!is_master(port.function)) return refused(&port, true, "bus master enable of the port, 7.5.1.1.3");
  if (!is_in_d0(port.function)) return undefined("port in D3hot");
  if (port.above == nullptr) return at_root(port, address, redirected);
  Bridge& upstream = *port.above;
  Bridge* peer = nullptr;
  for (Bridge* other : upstream.below) {
    if (!in_window(*other, address)) continue;
    if (!takes_memory(*other)) return undefined("peer's window, which is off");
    if (peer != nullptr) return undefined("two downstream ports claim the address");
    peer = other;
  }
  if (peer == nullptr) {
    if (in_window(upstream, address)) return refused(&port, true, "in the switch, but no port's, 2.2.4.1");
    return from_switch(upstream, address, requester_bus, is_read, redirected);
  }
  if (peer == &port) {
    if ((acs & 0x10) == 0) return refused(&port, true, "the port's own window without upstream forwarding, 6.12.1.1");
    return from_switch(upstream, address, requester_bus, is_read, true);
  }
  const bool checks_egress = (acs & 0x20) != 0;
  const std::optional<bool> vector = checks_egress ? egress_blocked(port, *peer) : false;
  if (!vector) return undefined("egress control vector not known yet");
  const bool blocked = *vector;
  const bool redirects = (acs & 0x04) != 0;
  // 6.12.3: with both, the vector says which requests are redirected.
  if (blocked && !redirects) return refused(&port, false, "ACS egress control, 6.12.1.1");
  if (redirects && (!checks_egress || blocked)) {
    return from_switch(upstream, address, requester_bus, is_read, true);
  }
  Verdict verdict = memory_below(*peer, address);
  if (is_read && verdict.fate == Fate::kReaches && (acs_control(*peer) & 0x08) != 0) {
    return undefined("ACS completion redirect, 6.12.1.1");
  }
  return verdict;
}

Verdict ShadowFabric::from_switch(Bridge& upstream, uint64_t address, uint8_t requester_bus, bool is_read,
                                  bool redirected) const {
  if (!is_master(upstream.function)) return refused(&upstream, false, "bus master enable, 7.5.1.1.3");
  if (!is_in_d0(upstream.function)) return undefined("upstream port in D3hot");
  if (upstream.above->may_be_contained || !link_is_up(*upstream.above)) return undefined("link down");
  return from_below(*upstream.above, address, requester_bus, is_read, redirected);
}

Verdict ShadowFabric::at_root(Bridge& port, uint64_t address, bool redirected) const {
  const bool is_host = address >= host_base_ && address - host_base_ < host_bytes_;
  if (address >= 0xfee0'0000 && address <= 0xfeef'ffff) return undefined("interrupts");
  Bridge* peer = nullptr;
  for (Bridge* other : root_ports_) {
    if (!in_window(*other, address)) continue;
    if (!takes_memory(*other) || peer != nullptr || is_host) return undefined("windows of root ports");
    peer = other;
  }
  if (peer == nullptr) {
    if (is_host) return {.fate = Fate::kHost, .offset = address - host_base_, .reason = "host memory"};
    return refused(&port, true, "nobody's address at the root, 2.3.1");
  }
  // Whether and how a root complex routes between ports is its own affair (1.3.1), told by ACS (6.12.1.1).
  if (peer == &port || redirected || acs_control(port) != 0 || acs_control(*peer) != 0) {
    return undefined("peer-to-peer through the root");
  }
  return memory_below(*peer, address);
}

}  // namespace npuvp::tests::checker

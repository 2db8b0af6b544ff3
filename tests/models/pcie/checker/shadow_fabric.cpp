// SPDX-License-Identifier: Apache-2.0
// What configuration writes, resets and errors do to the fabric's state.
#include "tests/models/pcie/checker/shadow_fabric.h"

#include <algorithm>
#include <bit>

namespace npuvp::tests::checker {
namespace {

using Reset = ShadowFunction::Reset;

bool overlaps(unsigned offset, unsigned bytes, unsigned at, unsigned size) {
  return offset < at + size && at < offset + bytes;
}

bool is_containment_enabled(const Bridge& bridge) {
  const unsigned dpc = bridge.function.extended(0x001d);
  return dpc != 0 && (bridge.function.get(dpc + 6, 2) & 3) != 0;
}

/// The nearest bridge at or above.
Bridge* bridge_of(const Place& place) {
  return place.bridge != nullptr ? place.bridge : place.card == nullptr ? nullptr : place.card->above;
}

void note_along(const Place& place) {
  if (place.card != nullptr) {
    place.card->physical().note_event();
    if (place.index > 0) place.function().note_event();
  }
  for (Bridge* bridge = bridge_of(place); bridge != nullptr; bridge = bridge->above) bridge->function.note_event();
}

/// Fields whose other values the specification leaves undefined.
void forget_undefined_values(ShadowFunction& function, unsigned offset, unsigned bytes) {
  const unsigned device_control = function.express() + 8;
  if (overlaps(offset, bytes, device_control, 2)) {
    const uint32_t control = function.get(device_control, 2);
    if ((control >> 5 & 7) > (function.get(function.express() + 4, 4) & 7)) function.forget(device_control, 2, 0xe0);
    if ((control >> 12 & 7) > 5) function.forget(device_control, 2, 0x7000);
  }
  if (const unsigned msi = function.capability(0x05); msi != 0 && overlaps(offset, bytes, msi + 2, 2)) {
    const uint32_t control = function.get(msi + 2, 2);
    if ((control >> 4 & 7) > (control >> 1 & 7)) function.forget(msi + 2, 2, 0x70);
  }
  if (const unsigned ltr = function.extended(0x0018); ltr != 0) {
    for (const unsigned at : {ltr + 4, ltr + 6}) {
      if (overlaps(offset, bytes, at, 2) && (function.get(at, 2) >> 10 & 7) > 5) function.forget(at, 2, 0x1c00);
    }
  }
}

/// PMCSR: a state that is not supported is discarded (7.5.2.2).
void discard_power_state(ShadowFunction& function, uint32_t old_state) {
  const unsigned power = function.capability(0x01);
  const uint32_t state = function.get(power + 4, 1) & 3;
  const uint32_t capabilities = function.get(power + 2, 2);
  const bool is_supported = state == 0 || state == 3 || (capabilities >> (8 + state) & 1) != 0;
  if (!is_supported) function.set_bits(power + 4, 1, 3, old_state);
}

}  // namespace

Bridge& ShadowFabric::add_root_port(const std::string& name, uint8_t devfn) {
  auto& port = bridges_.emplace_back(std::make_unique<Bridge>(name, FunctionKind::kRootPort, devfn, nullptr));
  root_ports_.push_back(port.get());
  return *port;
}

Bridge& ShadowFabric::add_switch(const std::string& name, Bridge& port, unsigned ports) {
  auto& upstream = bridges_.emplace_back(
      std::make_unique<Bridge>(name + ".upstream", FunctionKind::kUpstreamPort, uint8_t{0}, &port));
  Bridge& result = *upstream;
  port.below.push_back(&result);
  for (unsigned index = 0; index < ports; ++index) {
    auto& downstream = bridges_.emplace_back(std::make_unique<Bridge>(name + ".port" + std::to_string(index),
                                                                      FunctionKind::kDownstreamPort,
                                                                      static_cast<uint8_t>(index << 3), &result));
    result.below.push_back(downstream.get());
  }
  return result;
}

Card& ShadowFabric::add_card(Bridge& port, const CardLayout& layout) {
  auto& card = cards_.emplace_back(std::make_unique<Card>(Card{.layout = layout, .above = &port}));
  for (unsigned index = 0; index <= layout.virtual_functions; ++index) {
    card->functions.push_back(
        std::make_unique<ShadowFunction>(layout.name + (index == 0 ? ".pf" : ".vf" + std::to_string(index)),
                                         index == 0 ? FunctionKind::kPhysical : FunctionKind::kVirtual));
  }
  card->captured_bus.assign(card->functions.size(), 0);
  card->resets.assign(card->functions.size(), 0);
  port.card = card.get();
  return *card;
}

bool ShadowFabric::link_is_up(const Bridge& port) const {
  const bool in_reset = (port.function.get(0x3e, 2) & 0x40) != 0;
  const bool is_disabled = (port.function.get(port.function.express() + 0x10, 2) & 0x10) != 0;
  // Reset on the switch's internal bus goes out at all its downstream ports (7.5.1.3.13).
  const bool bus_in_reset = port.above != nullptr && (port.above->function.get(0x3e, 2) & 0x40) != 0;
  return !in_reset && !bus_in_reset && !is_disabled && !port.contained;
}

bool ShadowFabric::is_containment_armed() const {
  return std::ranges::any_of(bridges_, [](const auto& bridge) { return is_containment_enabled(*bridge); });
}

std::optional<uint16_t> ShadowFabric::id_of(const Place& place) const {
  uint16_t id = 0;
  if (place.bridge != nullptr) {
    const uint8_t bus = place.bridge->above == nullptr ? uint8_t{0} : place.bridge->above->secondary();
    id = static_cast<uint16_t>(bus << 8 | place.bridge->devfn);
  } else {
    id = static_cast<uint16_t>(place.card->above->secondary() << 8);
    if (place.index > 0) {
      const ShadowFunction& physical = place.card->physical();
      const unsigned sriov = physical.extended(0x0010);
      id =
          static_cast<uint16_t>(id + physical.get(sriov + 0x14, 2) + (place.index - 1) * physical.get(sriov + 0x16, 2));
    }
  }
  const Verdict verdict = route_config(id);
  const bool found = verdict.fate == Verdict::Fate::kReaches && &verdict.place.function() == &place.function();
  return found ? std::optional(id) : std::nullopt;
}

Consequences ShadowFabric::write_config(const Place& place, unsigned offset, unsigned bytes, uint32_t value,
                                        uint8_t bus) {
  ShadowFunction& function = place.function();
  Consequences consequences;
  if (place.card != nullptr) place.card->captured_bus[place.index] = bus;
  const unsigned power = function.capability(0x01);
  const uint32_t old_power = power == 0 ? 0 : function.get(power + 4, 1) & 3;
  const uint32_t old_bridge_control = function.get(0x3e, 2);
  const uint32_t old_link = function.get(function.express() + 0x10, 2);
  const unsigned sriov = function.extended(0x0010);
  const uint32_t old_sriov = sriov == 0 ? 0 : function.get(sriov + 8, 2);

  function.write(offset, bytes, value);
  forget_undefined_values(function, offset, bytes);
  if (power != 0 && overlaps(offset, bytes, power + 4, 1)) {
    discard_power_state(function, old_power);
    const bool resets = (function.get(power + 4, 1) & 8) == 0;  // No_Soft_Reset
    if (old_power == 3 && (function.get(power + 4, 1) & 3) == 0 && resets) {
      if (place.bridge != nullptr) function.reset(Reset::kHot);
      if (place.card != nullptr && place.index == 0) reset_card(*place.card, Reset::kFunctionLevel);
      if (place.card != nullptr && place.index > 0) function.reset(Reset::kFunctionLevel);
    }
  }
  if (place.bridge != nullptr) {
    after_bridge_write(*place.bridge, old_bridge_control, old_link, consequences);
    const unsigned express = function.express();
    const bool retrains = overlaps(offset, bytes, express + 0x10, 1) && offset <= express + 0x10 &&
                          (value >> 8 * (express + 0x10 - offset) & 0x20) != 0;
    if (leads_down(function.kind()) && retrains) {
      consequences.wait = true;
      function.note_event();
    }
    const unsigned acs = function.extended(0x000d);
    if (acs != 0 && (function.get(acs + 4, 2) & 0x20) != 0 && overlaps(offset, bytes, acs + 8, 4)) {
      consequences.looks.push_back({place, acs + 8, 4});
    }
    const unsigned dpc = function.extended(0x001d);
    const bool control = dpc != 0 && overlaps(offset, bytes, dpc + 6, 2);
    const bool status = dpc != 0 && overlaps(offset, bytes, dpc + 8, 2);
    if (control && is_containment_enabled(*place.bridge)) {  // the software trigger, 7.9.15.3
      function.note_event();
      place.bridge->may_be_contained = !place.bridge->contained;
      consequences.wait = true;
      consequences.looks.push_back({place, dpc + 8, 2});
    }
    if (status && place.bridge->contained && (function.get(dpc + 8, 1) & 1) == 0) {
      place.bridge->contained = false;
      consequences.wait = true;
      function.note_event();
    }
    return consequences;
  }
  Card& card = *place.card;
  const unsigned control_high = function.express() + 9;
  const bool has_reset = (function.get(function.express() + 4, 4) & 1 << 28) != 0;
  if (has_reset && overlaps(offset, bytes, control_high, 1) && (value >> 8 * (control_high - offset) & 0x80) != 0) {
    if (place.index == 0) {
      reset_card(card, Reset::kFunctionLevel);
    } else {
      function.reset(Reset::kFunctionLevel);
      ++card.resets[place.index];
    }
    consequences.wait = true;
    return consequences;
  }
  if (place.index == 0) after_card_write(card, offset, bytes, old_sriov, consequences);
  return consequences;
}

void ShadowFabric::after_bridge_write(Bridge& bridge, uint32_t old_control, uint32_t old_link,
                                      Consequences& consequences) {
  ShadowFunction& function = bridge.function;
  const bool held = (old_control & 0x40) != 0;
  const bool holds = (function.get(0x3e, 2) & 0x40) != 0;
  const uint32_t disable = leads_down(function.kind()) ? 0x10 : 0;
  const bool was_disabled = (old_link & disable) != 0;
  const bool is_disabled = (function.get(function.express() + 0x10, 2) & disable) != 0;
  if (held == holds && was_disabled == is_disabled) return;
  consequences.wait = true;
  function.note_event();
  for (Bridge* above = bridge.above; above != nullptr; above = above->above) above->function.note_event();
  if ((holds && !held) || (is_disabled && !was_disabled)) {
    if (function.kind() == FunctionKind::kUpstreamPort) {  // the internal bus: every downstream port and what is below
      for (Bridge* port : bridge.below) {
        port->function.reset(Reset::kHot);
        reset_below(*port, Reset::kHot);
      }
    } else {
      reset_below(bridge, Reset::kHot);
    }
  }
}

void ShadowFabric::reset_below(Bridge& port, Reset kind) {
  if (port.card != nullptr) reset_card(*port.card, kind);
  for (Bridge* below : port.below) {
    below->function.reset(kind);  // DPC Trigger Status is sticky
    reset_below(*below, kind);
  }
}

void ShadowFabric::reset_card(Card& card, Reset kind) {
  ShadowFunction& physical = card.physical();
  physical.reset(kind);
  ++card.resets[0];
  set_virtual_functions(card, 0);
  update_bar_sizes(card);
  const unsigned sriov = physical.extended(0x0010);
  if (sriov != 0) physical.forget(sriov + 0x10, 2, 0xffff);  // NumVFs: initial value undefined, 9.3.3.7
  if (kind != Reset::kFunctionLevel) card.captured_bus.assign(card.captured_bus.size(), 0);
}

void ShadowFabric::set_virtual_functions(Card& card, unsigned count) {
  card.enabled = count;
  card.undefined_functions = false;
  for (unsigned index = 1; index < card.functions.size(); ++index) {
    if (card.functions[index]->is_learned()) card.functions[index]->reset(Reset::kPower);
    card.captured_bus[index] = card.captured_bus[0];
    ++card.resets[index];
  }
}

void ShadowFabric::after_card_write(Card& card, unsigned offset, unsigned bytes, uint32_t old_control,
                                    Consequences& consequences) {
  ShadowFunction& physical = card.physical();
  const unsigned sriov = physical.extended(0x0010);
  const Place place{.card = &card};
  if (sriov != 0) {
    const uint32_t control = physical.get(sriov + 8, 2);
    const bool was_enabled = (old_control & 1) != 0;
    const bool is_enabled = (control & 1) != 0;
    const uint32_t total = physical.get(sriov + 0xe, 2);
    const uint32_t supported = physical.get(sriov + 0x1c, 4);
    const auto page_is_legal = [&] {
      const uint32_t page = physical.get(sriov + 0x20, 4);
      return std::has_single_bit(page) && (page & supported) != 0;
    };
    if (overlaps(offset, bytes, sriov + 0x10, 2)) {
      if (was_enabled) card.undefined_functions = true;
      if (was_enabled || physical.get(sriov + 0x10, 2) > total) {
        physical.forget(sriov + 0x10, 2, 0xffff);
        consequences.looks.push_back({place, sriov + 0x10, 2});
      }
    }
    if (overlaps(offset, bytes, sriov + 0x20, 4)) {
      if (was_enabled) card.undefined_functions = true;
      if (was_enabled || !page_is_legal()) physical.forget(sriov + 0x20, 4, ~0U);
      consequences.looks.push_back({place, sriov + 0x20, 4});
    }
    if (was_enabled && is_enabled && ((control ^ old_control) & 0x10) != 0) card.undefined_functions = true;
    if (is_enabled && !was_enabled) {
      const uint32_t count = physical.get(sriov + 0x10, 2);
      const bool is_legal = count <= total && page_is_legal();
      set_virtual_functions(card, is_legal ? count : 0);
      card.undefined_functions = !is_legal;
      consequences.wait = true;
    }
    if (!is_enabled && was_enabled) {
      set_virtual_functions(card, 0);
      consequences.wait = true;
    }
    if (overlaps(offset, bytes, sriov + 8, 2) || overlaps(offset, bytes, sriov + 0x10, 2)) {
      consequences.looks.push_back({place, sriov + 0x14, 4});
    }
  }
  const unsigned resizable = physical.extended(0x0015);
  if (resizable != 0 && overlaps(offset, bytes, resizable + 8, 4)) {
    physical.forget(resizable + 8, 4, 0x3f00);
    consequences.looks.push_back({place, resizable + 8, 4});
    physical.forget(0x18, 4, 0xffff'fff0);  // 7.8.6.3: software programs the BAR anew
    physical.forget(0x1c, 4, ~0U);
    consequences.looks.push_back({place, 0x18, 4});
    consequences.looks.push_back({place, 0x1c, 4});
  }
}

void ShadowFabric::update_bar_sizes(Card& card) {
  ShadowFunction& physical = card.physical();
  const CardLayout& layout = card.layout;
  uint64_t bytes = layout.bar2_bytes;
  if (const unsigned resizable = physical.extended(0x0015); resizable != 0) {
    bytes = uint64_t{1} << (20 + (physical.get(resizable + 8, 4) >> 8 & 0x3f));
  }
  physical.set_writable(0x18, 4, static_cast<uint32_t>(~(bytes - 1)));
  physical.set_writable(0x1c, 4, static_cast<uint32_t>(~(bytes - 1) >> 32));
  const unsigned sriov = physical.extended(0x0010);
  if (sriov == 0) return;
  const uint32_t pages = physical.get(sriov + 0x20, 4);
  const uint64_t page = pages == 0 ? 4096 : uint64_t{4096} << std::countr_zero(pages);
  for (const unsigned bar : {0U, 2U}) {  // 9.3.3.13: an aperture is a multiple of the page size
    const unsigned at = sriov + 0x24 + 4 * bar;
    const uint64_t aperture = std::max(bar == 0 ? layout.virtual_bar0_bytes : layout.virtual_bar2_bytes, page);
    physical.set_writable(at, 4, static_cast<uint32_t>(~(aperture - 1)));
    physical.set_writable(at + 4, 4, static_cast<uint32_t>(~(aperture - 1) >> 32));
    physical.set_bits(at, 4, static_cast<uint32_t>(aperture - 1) & ~0xfU, 0);
  }
}

Consequences ShadowFabric::after_read(const Place& place) {
  Consequences consequences;
  if (place.bridge != nullptr) {
    Bridge& bridge = *place.bridge;
    const unsigned dpc = bridge.function.extended(0x001d);
    if (dpc != 0 && bridge.function.is_known(dpc + 8, 1, 1)) bridge.may_be_contained = false;
    if (dpc != 0 && !bridge.contained && (bridge.function.get(dpc + 8, 1) & 1) != 0) {
      bridge.contained = true;
      reset_below(bridge, Reset::kHot);
      consequences.wait = true;
    }
  } else if (place.index == 0) {
    update_bar_sizes(*place.card);
  }
  return consequences;
}

void ShadowFabric::look_for_containment(const Place& place, Consequences& consequences) {
  for (Bridge* bridge = bridge_of(place); bridge != nullptr; bridge = bridge->above) {
    if (is_containment_enabled(*bridge)) {
      bridge->may_be_contained = !bridge->contained;
      consequences.looks.push_back({{.bridge = bridge}, bridge->function.extended(0x001d) + 8, 2});
    }
  }
}

Consequences ShadowFabric::note_refusal(const Verdict& verdict) {
  Consequences consequences;
  if (!verdict.refuser.exists()) return consequences;
  note_along(verdict.refuser);
  if (verdict.certain) {
    verdict.refuser.function().note_unsupported_request(verdict.reason);
  } else {
    verdict.refuser.function().maybe_unsupported_request();
  }
  look_for_containment(verdict.refuser, consequences);
  return consequences;
}

Consequences ShadowFabric::note_error(const Place& place) {
  Consequences consequences;
  note_along(place);
  look_for_containment(place, consequences);
  return consequences;
}

void ShadowFabric::note_events() {
  for (const auto& bridge : bridges_) {
    if (bridge->function.is_learned()) bridge->function.note_event();
  }
  for (const auto& card : cards_) {
    for (const auto& function : card->functions) {
      if (function->is_learned()) function->note_event();
    }
  }
}

Consequences ShadowFabric::note_anywhere() {
  Consequences consequences;
  note_events();
  for (const auto& bridge : bridges_) {
    if (!bridge->function.is_learned()) continue;
    bridge->function.maybe_unsupported_request();
    if (is_containment_enabled(*bridge)) {
      bridge->may_be_contained = !bridge->contained;
      consequences.looks.push_back({{.bridge = bridge.get()}, bridge->function.extended(0x001d) + 8, 2});
    }
  }
  for (const auto& card : cards_) {
    for (const auto& function : card->functions) {
      if (function->is_learned()) function->maybe_unsupported_request();
    }
  }
  return consequences;
}

namespace {

std::optional<uint64_t> stray_interrupt(const ShadowFunction& function) {
  const unsigned msi = function.capability(0x05);
  if (msi == 0 || (function.get(msi + 2, 2) & 1) == 0) return std::nullopt;
  const bool is_64bit = (function.get(msi + 2, 2) & 0x80) != 0;
  const uint64_t address = (is_64bit ? uint64_t{function.get(msi + 8, 4)} << 32 : 0) | function.get(msi + 4, 4);
  if (address >= 0xfee0'0000 && address <= 0xfeef'ffff) return std::nullopt;
  return address;
}

}  // namespace

std::vector<uint64_t> ShadowFabric::stray_interrupts() const {
  std::vector<uint64_t> addresses;
  for (const auto& bridge : bridges_) {
    if (const auto address = stray_interrupt(bridge->function)) addresses.push_back(*address);
  }
  return addresses;
}

void ShadowFabric::note_stray_interrupts() {
  for (const auto& source : bridges_) {
    if (!stray_interrupt(source->function)) continue;
    for (Bridge* bridge = source.get(); bridge != nullptr; bridge = bridge->above) {
      bridge->function.note_event();
      bridge->function.maybe_unsupported_request();
      if (is_containment_enabled(*bridge)) bridge->may_be_contained = !bridge->contained;
    }
  }
}

void ShadowFabric::fundamental_reset() {
  for (const auto& bridge : bridges_) {
    if (bridge->function.is_learned()) bridge->function.reset(Reset::kPower);
    bridge->contained = false;
    bridge->may_be_contained = false;
  }
  for (const auto& card : cards_) {
    if (card->physical().is_learned()) reset_card(*card, Reset::kPower);
  }
}

}  // namespace npuvp::tests::checker

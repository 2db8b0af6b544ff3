// SPDX-License-Identifier: Apache-2.0
#include "tests/models/pcie/checker/random_driver.h"

#include <algorithm>

namespace npuvp::tests::checker {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;
constexpr uint64_t kStepsAnEpisode = 1500;

constexpr uint64_t align(uint64_t value, uint64_t to) {
  return (value + to - 1) & ~(to - 1);
}

uint64_t bar_bytes(const ShadowFunction& function, unsigned at) {
  return ~(uint64_t{function.writable(at + 4, 4)} << 32 | function.writable(at, 4)) + 1;
}

/// Registers that decide about reaching anything; random_writes() mostly leaves them to make_mistake().
bool is_structural(const ShadowFunction& function, unsigned offset) {
  const unsigned sriov = function.extended(0x0010);
  const unsigned dpc = function.extended(0x001d);
  const unsigned power = function.capability(0x01);
  const bool is_header = offset == 0x04 || (offset >= 0x10 && offset < 0x30) || offset == 0x3e;
  return is_header || offset == function.express() + 8 || offset == function.express() + 0x10 ||
         (power != 0 && offset == power + 4) || (sriov != 0 && offset >= sriov && offset < sriov + 0x40) ||
         (dpc != 0 && offset == dpc + 6);
}

}  // namespace

void RandomDriver::plan(const Place& place, unsigned offset, unsigned bytes, uint64_t value) {
  const uint64_t mask = (uint64_t{1} << 8 * bytes) - 1;
  plan_.push_back({place, offset, bytes, static_cast<uint32_t>(value & mask)});
}

void RandomDriver::plan_card(Card& card, Cursors& cursors, bool all_functions) {
  const Place place{.card = &card};
  const ShadowFunction& function = card.physical();
  const CardLayout& layout = card.layout;
  const unsigned sriov = function.extended(0x0010);
  if (sriov != 0) plan(place, sriov + 8, 2, 0);
  const auto bar = [&](unsigned at, uint64_t bytes, uint64_t count, uint64_t& cursor) {
    cursor = align(cursor, std::max<uint64_t>(bytes, 4096));
    plan(place, at, 4, cursor);
    plan(place, at + 4, 4, cursor >> 32);
    cursor += bytes * count;
  };
  bar(0x10, layout.bar0_bytes, 1, cursors.memory);
  bar(0x18, function.is_learned() ? bar_bytes(function, 0x18) : layout.bar2_bytes, 1, cursors.prefetchable);
  if (sriov != 0) {
    bar(sriov + 0x24, layout.virtual_bar0_bytes, layout.virtual_functions, cursors.memory);
    bar(sriov + 0x2c, layout.virtual_bar2_bytes, layout.virtual_functions, cursors.prefetchable);
    const uint64_t count = all_functions ? layout.virtual_functions : random_.below(layout.virtual_functions + 1);
    plan(place, sriov + 0x10, 2, count);
    plan(place, sriov + 8, 2, 0x10);
    plan(place, sriov + 8, 2, 0x19);
    for (unsigned index = 1; index <= count; ++index) plan({.card = &card, .index = index}, 4, 2, 4);
  }
  plan(place, 4, 2, 6);
}

void RandomDriver::plan_bridge(Bridge& bridge, Cursors& cursors, bool all_functions) {
  const Place place{.bridge = &bridge};
  cursors.memory = align(cursors.memory, kMebibyte);
  cursors.prefetchable = align(cursors.prefetchable, kMebibyte);
  const uint64_t memory = cursors.memory;
  const uint64_t prefetchable = cursors.prefetchable;
  plan(place, 0x18, 1, bridge.above == nullptr ? 0 : cursors.bus);
  const uint8_t secondary = ++cursors.bus;
  plan(place, 0x19, 1, secondary);
  plan(place, 0x1a, 1, 0xff);
  if (leads_down(bridge.function.kind())) {
    // ARI Forwarding Enable, or the functions from 8 on are out of reach.
    plan(place, (bridge.function.is_learned() ? bridge.function.express() : 0) + 0x28, 2,
         all_functions || !random_.one_in(8) ? 0x20 : 0);
  }
  for (Bridge* below : bridge.below) plan_bridge(*below, cursors, all_functions);
  if (bridge.card != nullptr) plan_card(*bridge.card, cursors, all_functions);
  if (!all_functions && random_.one_in(4)) cursors.bus = static_cast<uint8_t>(cursors.bus + random_.below(3));
  plan(place, 0x1a, 1, cursors.bus);
  cursors.memory = align(std::max(cursors.memory, memory + 1), kMebibyte);
  cursors.prefetchable = align(std::max(cursors.prefetchable, prefetchable + 1), kMebibyte);
  plan(place, 0x20, 2, memory >> 16);
  plan(place, 0x22, 2, (cursors.memory - 1) >> 16);
  plan(place, 0x24, 2, prefetchable >> 16);
  plan(place, 0x26, 2, (cursors.prefetchable - 1) >> 16);
  plan(place, 0x28, 4, prefetchable >> 32);
  plan(place, 0x2c, 4, (cursors.prefetchable - 1) >> 32);
  plan(place, 4, 2, 6);
}

void RandomDriver::make_plan(bool all_functions) {
  plan_.clear();
  Cursors cursors{.memory = 0xc000'0000, .prefetchable = 0x20'0000'0000, .bus = 0};
  // No window reaches to where another begins, so that there is something outside.
  for (Bridge* port : bench_.shadow().root_ports()) {
    plan_bridge(*port, cursors, all_functions);
    cursors.memory += kMebibyte;
  }
}

bool RandomDriver::may_write(uint16_t id) {
  if (bench_.has_given_up()) return true;
  return bench_.shadow().route_config(id).fate != Verdict::Fate::kUndefined || random_.one_in(40);
}

void RandomDriver::write(const Write& item) {
  const auto id = bench_.shadow().id_of(item.place);
  if (!id) return;
  if (random_.one_in(4) && item.bytes > 1) {  // in halves, or bytes
    const unsigned half = item.bytes / 2;
    bench_.write_config(*id, item.offset, half, item.value & ((1U << 8 * half) - 1));
    if (const auto still = bench_.shadow().id_of(item.place)) {
      bench_.write_config(*still, item.offset + half, half, item.value >> 8 * half);
    }
    return;
  }
  bench_.write_config(*id, item.offset, item.bytes, item.value);
}

void RandomDriver::carry_out_plan() {
  for (const Write& item : plan_) {
    if (bench_.failed()) return;
    write(item);
  }
}

void RandomDriver::learn() {
  for (Bridge* port : bench_.shadow().root_ports()) bench_.learn({.bridge = port});
  // Each function is taken over before anything is written to it.
  const auto visit = [&](auto& self, Bridge& bridge, uint8_t& bus) -> void {
    const auto id = bench_.shadow().id_of({.bridge = &bridge});
    if (!id || bench_.failed()) return;
    bench_.write_config(*id, 0x19, 1, ++bus);
    bench_.write_config(*id, 0x1a, 1, 0xff);
    for (Bridge* below : bridge.below) bench_.learn({.bridge = below});
    if (bridge.card != nullptr) bench_.learn({.card = bridge.card});
    for (Bridge* below : bridge.below) self(self, *below, bus);
    bench_.write_config(*id, 0x1a, 1, bus);
  };
  uint8_t bus = 0;
  for (Bridge* port : bench_.shadow().root_ports()) visit(visit, *port, bus);
  make_plan(true);
  for (const Write& item : plan_) {
    if (bench_.failed()) return;
    if (!item.place.function().is_learned()) bench_.learn(item.place);
    write(item);
  }
}

void RandomDriver::begin_episode(bool all_functions) {
  bench_.fundamental_reset();
  repairs_.clear();
  make_plan(all_functions);
  carry_out_plan();
}

void RandomDriver::look_around(uint64_t accesses) {
  const uint64_t end = bench_.accesses() + accesses;
  while (bench_.accesses() < end && !bench_.failed()) {
    switch (random_.below(3)) {
      case 0:
        read_config();
        break;
      case 1:
        access_memory();
        break;
      default:
        access_dma();
        break;
    }
  }
}

void RandomDriver::run(uint64_t accesses) {
  const uint64_t end = bench_.accesses() + accesses;
  while (bench_.accesses() < end && !bench_.failed()) {
    begin_episode(random_.one_in(2));
    uint64_t left = bench_.has_given_up() ? 100 : kStepsAnEpisode;
    while (left-- > 0 && bench_.accesses() < end && !bench_.failed()) {
      step();
      if (bench_.has_given_up()) left = std::min<uint64_t>(left, 60);
    }
  }
}

void RandomDriver::step() {
  ++step_;
  while (!repairs_.empty() && repairs_.front().due <= step_) {
    const Write item = repairs_.front().write;
    repairs_.pop_front();
    if (!bench_.has_given_up()) write(item);
  }
  const uint64_t choice = random_.below(1000);
  if (choice < 300) return read_config();
  if (choice < 370) return read_any_config();
  if (choice < 480) return write_register();
  if (choice < 500) return write_anywhere();
  if (choice < 850) return access_memory();
  if (choice < 960) return access_dma();
  if (choice < 990) return make_mistake();
  if (choice < 994 && !bench_.has_given_up()) return carry_out_plan();
  sc_core::sc_start(sc_core::sc_time(static_cast<double>(1 + random_.below(2000)), sc_core::SC_NS));
}

Place RandomDriver::any_function() {
  const auto& cards = bench_.shadow().cards();
  Card& card = *cards[random_.below(cards.size())];
  const unsigned index = random_.one_in(2) ? 0 : static_cast<unsigned>(random_.below(card.functions.size()));
  return {.card = &card, .index = index};
}

Place RandomDriver::any_place() {
  const auto& bridges = bench_.shadow().bridges();
  if (random_.one_in(2)) return {.bridge = bridges[random_.below(bridges.size())].get()};
  return any_function();
}

uint32_t RandomDriver::any_value() {
  switch (random_.below(6)) {
    case 0:
      return 0;
    case 1:
      return ~0U;
    case 2:
      return 1U << random_.below(32);
    case 3:
      return ~(1U << random_.below(32));
    default:
      return static_cast<uint32_t>(random_.next());
  }
}

std::vector<uint8_t> RandomDriver::any_data(uint64_t most) {
  std::vector<uint8_t> data(1 + random_.below(most));
  std::ranges::generate(data, [&] { return static_cast<uint8_t>(random_.next() >> 20); });
  return data;
}

void RandomDriver::read_config() {
  const Place place = any_place();
  const auto id = bench_.shadow().id_of(place);
  if (!id) return read_any_config();
  const ShadowFunction& function = place.function();
  unsigned offset = static_cast<unsigned>(random_.below(ShadowFunction::kBytes));
  if (!random_.one_in(4) && !function.interesting().empty()) offset = random_.of(function.interesting());
  if (random_.one_in(6)) offset = function.express() + 0xa;
  const unsigned bytes = 1U << random_.below(3);
  if (offset % 4 + bytes > 4) {
    if (random_.one_in(20) && offset + bytes <= ShadowFunction::kBytes) {
      return bench_.read_config_across(*id, offset, bytes);
    }
    offset &= ~(bytes - 1);
  }
  bench_.read_config(*id, offset, bytes);
}

void RandomDriver::read_any_config() {
  const unsigned bytes = 1U << random_.below(3);
  const auto offset = static_cast<unsigned>(random_.below(ShadowFunction::kBytes)) & ~(bytes - 1);
  const uint64_t bus = random_.one_in(2) ? random_.below(12) : random_.below(256);
  const uint64_t devfn = random_.one_in(2) ? random_.below(24) : random_.below(256);
  const auto id = static_cast<uint16_t>(bus << 8 | devfn);
  if (random_.one_in(8) && bench_.shadow().route_config(id).fate == Verdict::Fate::kRefused) {
    bench_.write_config(id, offset, bytes, any_value() & (bytes == 4 ? ~0U : (1U << 8 * bytes) - 1));
  } else {
    bench_.read_config(id, offset, bytes);
  }
}

void RandomDriver::write_register() {
  const Place place = any_place();
  const auto id = bench_.shadow().id_of(place);
  if (!id || place.function().interesting().empty()) return;
  unsigned offset = random_.of(place.function().interesting());
  const bool is_structural_one = is_structural(place.function(), offset);
  if (is_structural_one && !random_.one_in(50)) return;
  const unsigned bytes = std::min(4 - offset % 4, 1U << random_.below(3));
  const unsigned size = bytes == 3 ? 2 : bytes;
  for (unsigned at = offset; at < offset + size; ++at) {
    if (!is_structural_one && is_structural(place.function(), at & ~1U)) return;
  }
  const uint32_t mask = size == 4 ? ~0U : (1U << 8 * size) - 1;
  bench_.write_config(*id, offset, size, any_value() & mask);
  if (random_.one_in(2)) {
    if (const auto still = bench_.shadow().id_of(place)) bench_.read_config(*still, offset, size);
  }
}

void RandomDriver::write_anywhere() {
  const Place place = any_place();
  const auto id = bench_.shadow().id_of(place);
  if (!id) return;
  const unsigned bytes = 1U << random_.below(3);
  const auto offset = static_cast<unsigned>(random_.below(random_.one_in(2) ? 0x140 : 0x1000)) & ~(bytes - 1);
  for (unsigned at = offset; at < offset + bytes; ++at) {
    if (is_structural(place.function(), at & ~1U) && !random_.one_in(50)) return;
  }
  bench_.write_config(*id, offset, bytes, any_value() & (bytes == 4 ? ~0U : (1U << 8 * bytes) - 1));
}

uint64_t RandomDriver::any_address() {
  switch (random_.below(16)) {
    case 0:
      return random_.next() >> random_.below(40);
    case 1:
      return RecordingHost::kBase - 64 + random_.below(128);
    case 2:
      return RecordingHost::kBase + RecordingHost::kSize - 64 + random_.below(128);
    case 3:
    case 4: {  // at the ends of a window
      const auto& bridges = bench_.shadow().bridges();
      const ShadowFunction& function = bridges[random_.below(bridges.size())]->function;
      const uint64_t limit = uint64_t{function.get(0x22, 2) | 0xfU} << 16 | 0xffff;
      const uint64_t base = uint64_t{function.get(0x20, 2) & 0xfff0} << 16;
      return (random_.one_in(2) ? limit + 1 : base) - 32 + random_.below(64);
    }
    default:
      break;
  }
  const Place place = any_function();
  const ShadowFunction& physical = place.card->physical();
  const unsigned sriov = physical.extended(0x0010);
  const unsigned bar = random_.one_in(2) ? 0 : 2;
  const unsigned at = (place.index == 0 ? 0x10 : sriov + 0x24) + 4 * bar;
  const uint64_t bytes = bar_bytes(physical, at);
  uint64_t address = (uint64_t{physical.get(at + 4, 4)} << 32 | (physical.get(at, 4) & ~0xfU));
  if (place.index > 0) address += (place.index - 1) * bytes;
  const MsixLayout& msix = ShadowFabric::msix_of(*place.card, place.index);
  switch (random_.below(8)) {
    case 0:
      return address + bytes - 32 + random_.below(64);
    case 1:
      return address - 32 + random_.below(64);
    case 2:
      return address + (random_.below(bytes / 4096 + 1) << 12) - 32 + random_.below(64);
    case 3:
      if (bar == 0 && msix.vectors > 0) {
        return address + msix.table_offset + (random_.below(4 * msix.vectors + 8) << 2) - 8 +
               (random_.one_in(8) ? 1 : 0);
      }
      [[fallthrough]];
    default:
      return address + random_.below(bytes);
  }
}

void RandomDriver::access_memory() {
  const uint64_t address = any_address();
  const bool is_word = random_.one_in(2);
  const unsigned bytes = is_word ? 4U << random_.below(2) : static_cast<unsigned>(1 + random_.below(64));
  if (address > ~uint64_t{0} - 64) return;
  if (random_.one_in(2)) return bench_.read_memory(address, bytes);
  std::vector<uint8_t> data = any_data(1);
  data.resize(bytes);
  std::ranges::generate(data, [&] { return static_cast<uint8_t>(random_.next() >> 20); });
  bench_.write_memory(address, data);
}

void RandomDriver::access_dma() {
  const auto& cards = bench_.shadow().cards();
  const size_t card = random_.below(cards.size());
  auto function = static_cast<unsigned>(random_.below(cards[card]->functions.size()));
  if (random_.one_in(10)) function = static_cast<unsigned>(random_.below(40));
  const uint64_t address =
      random_.one_in(2) ? RecordingHost::kBase + random_.below(RecordingHost::kSize - 400) : any_address();
  if (address > ~uint64_t{0} - 400) return;
  if (random_.one_in(2)) {
    bench_.dma_read(card, function, address, static_cast<unsigned>(1 + random_.below(300)));
  } else {
    bench_.dma_write(card, function, address, any_data(300));
  }
}

void RandomDriver::disturb(const Place& place, unsigned offset, unsigned bytes, uint32_t value) {
  const auto id = bench_.shadow().id_of(place);
  if (!id || bench_.has_given_up()) return;
  const Write undo{place, offset, bytes, place.function().get(offset, bytes)};
  bench_.write_config(*id, offset, bytes, value);
  repairs_.push_back({step_ + 10 + random_.below(30), undo});
}

void RandomDriver::make_mistake() {
  const Place place = any_place();
  if (place.bridge != nullptr) return mistake_of_bridge(*place.bridge);
  if (place.index == 0) return mistake_of_card(*place.card);
  const ShadowFunction& function = place.function();
  if (!function.is_learned()) return;
  const unsigned power = function.capability(0x01);
  switch (random_.below(4)) {
    case 0:
      return disturb(place, 4, 2, static_cast<uint32_t>(random_.below(8)));
    case 1:
      if (power != 0) disturb(place, power + 4, 2, 3);
      return;
    case 2:
      return disturb(place, function.express() + 8, 2, 0x8000);
    default:
      return disturb(place, 4, 2, 4);
  }
}

void RandomDriver::mistake_of_bridge(Bridge& bridge) {
  const Place place{.bridge = &bridge};
  const ShadowFunction& function = bridge.function;
  const unsigned acs = function.extended(0x000d);
  const unsigned dpc = function.extended(0x001d);
  const unsigned express = function.express();
  const auto value = static_cast<uint32_t>(random_.next());
  switch (random_.below(14)) {
    case 0:
      return disturb(place, 0x04, 2, value & 7);
    case 1:
      return disturb(place, 0x18, 4, (value & 0x0f0f0f) | (function.get(0x18, 4) & 0xff00'0000));
    case 2:
      return disturb(place, 0x19, 1, value & 0xf);
    case 3:
      return disturb(place, 0x20, 4, 0xc000'c000 | (value & 0x01f0'01f0));
    case 4:
      return disturb(place, 0x20, 4, value);
    case 5:
      return disturb(place, 0x24, 4, value);
    case 6:
      return disturb(place, random_.one_in(2) ? 0x28 : 0x2c, 4, value & 0x3f);
    case 7:
      return disturb(place, function.capability(0x01) + 4, 2, value & 3);
    case 8:
      return disturb(place, 0x3e, 2, 0x40);
    case 9:
      if (leads_down(function.kind())) disturb(place, express + 0x10, 2, random_.one_in(2) ? 0x10 : 0x20);
      return;
    case 10:
      if (leads_down(function.kind())) disturb(place, express + 0x28, 2, value & 0x20);
      return;
    case 11:
    case 12:
      if (acs != 0) {
        disturb(place, acs + 6, 2, value & 0x7f);
        if ((function.get(acs + 4, 2) & 0x20) != 0) disturb(place, acs + 8, 4, value >> 8);
      }
      return;
    default:
      if (dpc != 0 && random_.one_in(2)) {
        disturb(place, dpc + 6, 2, value & 0x7f);
        repairs_.push_back({step_ + 15 + random_.below(20), {place, dpc + 8, 2, 0xffff}});
        disturb(place, express + 8, 2, function.get(express + 8, 2) | 0xf);
      }
  }
}

void RandomDriver::mistake_of_card(Card& card) {
  const Place place{.card = &card};
  const ShadowFunction& function = card.physical();
  const unsigned sriov = function.extended(0x0010);
  const unsigned resizable = function.extended(0x0015);
  const auto value = static_cast<uint32_t>(random_.next());
  switch (random_.below(14)) {
    case 0:
      return disturb(place, 0x04, 2, value & 7);
    case 1:
      return disturb(place, 0x10, 4, value & 0xc1ff'ffff);
    case 2:
      return disturb(place, 0x10 + 4 * static_cast<unsigned>(random_.below(4)), 4, any_value());
    case 3:
      return disturb(place, function.capability(0x01) + 4, 2, value & 3);
    case 4:
      return disturb(place, function.express() + 8, 2, 0x8000 | (value & 0x7fff));
    case 5:
      if (resizable == 0) return;
      disturb(place, 4, 2, 4);
      return disturb(place, resizable + 8, 4, value & 0x700);
    case 6:
      return disturb(place, function.express() + 8, 2, value & 0x7fff);
    default:
      break;
  }
  if (sriov == 0) return;
  switch (random_.below(8)) {
    case 0:
      return disturb(place, sriov + 8, 2, value & 0x19);
    case 1:
      return disturb(place, sriov + 0x10, 2, value & 0x1f);
    case 2:
      disturb(place, sriov + 8, 2, 0x10);
      disturb(place, sriov + 0x10, 2, random_.one_in(3) ? value & 0xffff : value & 0xf);
      return disturb(place, sriov + 8, 2, 0x19);
    case 3:
      return disturb(place, sriov + 8, 2, 0x11);
    case 4:
      return disturb(place, sriov + 0x24, 4, function.get(0x10, 4) + (value & 0x3) * 0x10000);
    case 5:
      disturb(place, sriov + 8, 2, 0x10);
      return disturb(place, sriov + 0x20, 4, random_.one_in(4) ? value : 1U << random_.below(12));
    case 6:
      return disturb(place, sriov + 0x24 + 4 * static_cast<unsigned>(random_.below(4)), 4, any_value());
    default:
      return disturb(place, sriov + 8, 2, 0x18);
  }
}

}  // namespace npuvp::tests::checker

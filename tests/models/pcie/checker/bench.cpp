// SPDX-License-Identifier: Apache-2.0
#include "tests/models/pcie/checker/bench.h"

#include <fmt/format.h>

#include <algorithm>

namespace npuvp::tests::checker {
namespace {

using Fate = Verdict::Fate;
constexpr size_t kRecent = 60;

/// Lets simulated time pass, as it does for a host that waits for its answers.
void pass(const sc_core::sc_time& time) {
  if (time > sc_core::SC_ZERO_TIME) sc_core::sc_start(time);
}

/// Reads a function's space through the bench while its shadow is being made.
class RawReader final : public Reader {
 public:
  RawReader(base::InitiatorPort& config, uint16_t id) : config_(config), id_(id) {}
  uint32_t read(unsigned offset, unsigned bytes) override {
    uint32_t value = 0;
    sc_core::sc_time delay;
    config_.read(uint64_t{id_} << 12 | offset, {reinterpret_cast<uint8_t*>(&value), bytes}, delay);
    pass(delay);
    return value;
  }

 private:
  base::InitiatorPort& config_;
  const uint16_t id_;
};

pcie::MsixParameters msix_parameters(const MsixLayout& layout) {
  return {.vectors = layout.vectors,
          .table_bar = 0,
          .table_offset = layout.table_offset,
          .pending_bar = 0,
          .pending_offset = layout.pending_offset};
}

}  // namespace

Bench::Bench() : root_complex_("root_complex", environment_, {}) {
  environment_.set_log_level("all", spdlog::level::off);
  shadow_.set_host_memory(RecordingHost::kBase, RecordingHost::kSize);
  root_complex_.attach(host_);
  initiators_.config.socket.bind(root_complex_.config);
  initiators_.memory.socket.bind(root_complex_.memory);
}

Bench::Socket Bench::add_root_port(uint8_t devfn) {
  const std::string name = fmt::format("root_port{}", root_ports_.size());
  const pcie::RootPort::Parameters parameters{.port_number = static_cast<unsigned>(root_ports_.size()), .ports = 2};
  root_ports_.push_back(std::make_unique<pcie::RootPort>(name, environment_, parameters));
  root_complex_.add(*root_ports_.back(), devfn);
  return {&root_ports_.back()->port(), &shadow_.add_root_port(name, devfn)};
}

std::vector<Bench::Socket> Bench::add_switch(const std::string& name, const Socket& above, unsigned ports) {
  pcie::Switch::Parameters parameters;
  parameters.ports.resize(ports);
  switches_.push_back(std::make_unique<pcie::Switch>(name, environment_, parameters));
  pcie::Switch& made = *switches_.back();
  links_.push_back(
      std::make_unique<pcie::Link>(sc_core::sc_gen_unique_name("link"), environment_, pcie::Link::Parameters{}));
  links_.back()->connect(*above.port, made.upstream().port());
  Bridge& upstream = shadow_.add_switch(name, *above.bridge, ports);
  std::vector<Socket> sockets;
  for (unsigned index = 0; index < ports; ++index) {
    sockets.push_back({&made.downstream(index).port(), upstream.below[index]});
  }
  return sockets;
}

void Bench::add_card(const CardLayout& layout, const Socket& above) {
  pcie::Endpoint::Parameters parameters;
  parameters.serial_number = 0x1000 + endpoints_.size();
  parameters.bar0_bytes = layout.bar0_bytes;
  parameters.bar2_bytes = layout.bar2_bytes;
  parameters.bar2_most_bytes = layout.bar2_most_bytes;
  parameters.msix = msix_parameters(layout.msix);
  parameters.virtual_functions = layout.virtual_functions;
  parameters.virtual_bar2_bytes = layout.virtual_bar2_bytes;
  parameters.virtual_msix = msix_parameters(layout.virtual_msix);
  Card& card = shadow_.add_card(*above.bridge, layout);
  endpoints_.push_back(std::make_unique<pcie::Endpoint>(layout.name.c_str(), environment_, parameters));
  pcie::Endpoint& endpoint = *endpoints_.back();
  links_.push_back(
      std::make_unique<pcie::Link>(sc_core::sc_gen_unique_name("link"), environment_, pcie::Link::Parameters{}));
  links_.back()->connect(*above.port, endpoint.port());
  memories_.push_back(
      std::make_unique<CardMemory>((layout.name + "_memory").c_str(), card, memories_.size() + 1, touches_));
  endpoint.bar0.socket.bind(memories_.back()->bar0);
  endpoint.bar2.socket.bind(memories_.back()->bar2);
  memories_.back()->dma.socket.bind(endpoint.dma);
}

void Bench::start() {
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

void Bench::note(const char* what, uint64_t address, unsigned bytes, uint64_t value, const char* reason) {
  ++accesses_;
  if (recent_.size() == kRecent) recent_.pop_front();
  recent_.push_back({what, address, bytes, value, reason});
}

/// Interrupts of ports whose MSI address software has put anywhere are no business of the access that is judged.
void Bench::ignore_stray_interrupts(uint64_t own, uint64_t own_bytes) {
  const std::vector<uint64_t> addresses = shadow_.stray_interrupts();
  if (addresses.empty()) return;
  shadow_.note_stray_interrupts();
  std::erase_if(touches_, [&](const Touch& touch) {
    if (!touch.is_write || touch.bytes != 4) return false;
    return std::ranges::any_of(addresses, [&](uint64_t address) {
      if (address >= own && address - own < own_bytes) return false;
      return touch.card == nullptr ? RecordingHost::kBase + touch.offset == address
                                   : shadow_.matches(*touch.card, touch.function, touch.bar, touch.offset, address);
    });
  });
}

void Bench::count(const Verdict& verdict, uint64_t address, uint64_t bytes) {
  ignore_stray_interrupts(address, bytes);
  if (is_lax_ || verdict.fate == Fate::kUndefined) {
    ++counts_.undefined;
  } else if (verdict.fate == Fate::kRefused || verdict.fate == Fate::kLost) {
    ++counts_.refused;
  } else {
    ++counts_.reached;
  }
}

std::string Bench::recent() const {
  std::string text;
  for (const Recent& item : recent_) {
    text += fmt::format("  {} {:#x} bytes {} value {:#x} ({})\n", item.what, item.address, item.bytes, item.value,
                        item.reason);
  }
  return text;
}

std::string Bench::state() const {
  std::string text;
  for (const auto& bridge : shadow_.bridges()) {
    const ShadowFunction& function = bridge->function;
    const unsigned acs = function.extended(0x000d);
    const unsigned dpc = function.extended(0x001d);
    const unsigned msi = function.capability(0x05);
    text += fmt::format(
        "  {}: command {:#x} buses {:06x} windows {:08x} {:08x} upper {:#x} {:#x} power {} control {:#x} link {:#x} "
        "device {:#x} {:#x} acs {:#x} dpc {:#x} {:#x} msi {:#x} {:x}{:08x}{}\n",
        function.name(), function.get(4, 2), function.get(0x18, 4) & 0xff'ffff, function.get(0x20, 4),
        function.get(0x24, 4), function.get(0x28, 4), function.get(0x2c, 4),
        function.get(function.capability(1) + 4, 1) & 3, function.get(0x3e, 2),
        function.get(function.express() + 0x10, 2), function.get(function.express() + 8, 2),
        function.get(function.express() + 0x28, 2), acs == 0 ? 0 : function.get(acs + 6, 2),
        dpc == 0 ? 0 : function.get(dpc + 6, 2), dpc == 0 ? 0 : function.get(dpc + 8, 2),
        msi == 0 ? 0 : function.get(msi + 2, 2), msi == 0 ? 0 : function.get(msi + 8, 4),
        msi == 0 ? 0 : function.get(msi + 4, 4), bridge->contained ? " contained" : "");
  }
  for (const auto& card : shadow_.cards()) {
    const ShadowFunction& function = card->physical();
    const unsigned sriov = function.extended(0x0010);
    text += fmt::format("  {}: command {:#x} bars {:08x} {:08x} {:08x} {:08x} power {} device {:#x} captured {:#x}",
                        function.name(), function.get(4, 2), function.get(0x10, 4), function.get(0x14, 4),
                        function.get(0x18, 4), function.get(0x1c, 4), function.get(function.capability(1) + 4, 1) & 3,
                        function.get(function.express() + 8, 2), card->captured_bus[0]);
    if (sriov != 0) {
      text += fmt::format(" sriov {:#x} functions {} of {} from {} by {} bars {:08x} {:08x}{}",
                          function.get(sriov + 8, 2), card->enabled, function.get(sriov + 0x10, 2),
                          function.get(sriov + 0x14, 2), function.get(sriov + 0x16, 2), function.get(sriov + 0x24, 4),
                          function.get(sriov + 0x2c, 4), card->undefined_functions ? " undefined" : "");
    }
    text += '\n';
  }
  return text;
}

void Bench::fail(const std::string& text) {
  if (failure_.empty()) failure_ = text;
}

void Bench::wait() {
  sc_core::sc_start(sc_core::sc_time(100, sc_core::SC_MS));  // 6.6.1: what software has to wait for
}

/// Compares Unsupported Request Detected of every function that can be reached, at once.
void Bench::check_statuses() {
  if (is_lax_ || depth_ > 0) return;
  const auto check = [&](const Place& place) {
    const ShadowFunction& function = place.function();
    const auto id = function.is_learned() ? shadow_.id_of(place) : std::nullopt;
    if (!id || failed()) return;
    RawReader reader(initiators_.config, *id);
    const unsigned at = function.express() + 0xa;
    const uint32_t value = reader.read(at, 2);
    if (function.is_known(at, 2, 8) && ((value ^ function.get(at, 2)) & 8) != 0) {
      fail(fmt::format("{}: Unsupported Request Detected is {:#x}, last refusal: {}", function.name(), value & 8,
                       function.refusal()));
    }
  };
  for (const auto& bridge : shadow_.bridges()) check({.bridge = bridge.get()});
  for (const auto& card : shadow_.cards()) {
    for (unsigned index = 0; index <= card->enabled; ++index) check({.card = card.get(), .index = index});
  }
}

void Bench::follow(const Consequences& consequences) {
  if (consequences.wait) wait();
  if (is_lax_ || depth_ > 3) return;
  ++depth_;
  for (const Consequences::Look& look : consequences.looks) {
    if (const auto id = shadow_.id_of(look.place)) read_config(*id, look.offset, look.bytes);
  }
  for (const auto& bridge : shadow_.bridges()) {  // those that were out of reach then
    if (!bridge->may_be_contained) continue;
    if (const auto id = shadow_.id_of({.bridge = bridge.get()})) {
      read_config(*id, bridge->function.extended(0x001d) + 8, 2);
    }
  }
  --depth_;
}

void Bench::learn(const Place& place) {
  const auto id = shadow_.id_of(place);
  if (!id) return fail(place.function().name() + " cannot be reached to learn it");
  RawReader reader(initiators_.config, *id);
  std::vector<BarLayout> bars;
  std::vector<BarLayout> virtual_bars;
  if (place.card != nullptr && place.index == 0) {
    const CardLayout& layout = place.card->layout;
    bars = {{.index = 0, .bytes = layout.bar0_bytes}, {.index = 2, .bytes = layout.bar2_bytes, .prefetchable = true}};
    virtual_bars = {{.index = 0, .bytes = layout.virtual_bar0_bytes},
                    {.index = 2, .bytes = layout.virtual_bar2_bytes, .prefetchable = true}};
  }
  for (const std::string& fault : place.function().learn(reader, bars, virtual_bars)) {
    fail("after power on: " + fault);
  }
  for (const std::string& item : place.function().unchecked()) fail("no table for " + item);
}

uint32_t Bench::read_config(uint16_t id, unsigned offset, unsigned bytes) {
  const Verdict verdict = shadow_.route_config(id);
  uint32_t value = 0;
  sc_core::sc_time delay;
  touches_.clear();
  const auto status =
      initiators_.config.read(uint64_t{id} << 12 | offset, {reinterpret_cast<uint8_t*>(&value), bytes}, delay);
  pass(delay);
  note("config read", uint64_t{id} << 12 | offset, bytes, value, verdict.reason);
  count(verdict);
  if (status != tlm::TLM_OK_RESPONSE) fail("configuration read has no answer");
  if (!touches_.empty()) fail("configuration read touched memory");
  if (is_lax_) return value;
  const uint32_t ones = bytes == 4 ? ~0U : (1U << 8 * bytes) - 1;
  switch (verdict.fate) {
    case Fate::kReaches: {
      const std::string wrong = verdict.place.function().check_read(offset, bytes, value);
      if (!wrong.empty()) fail(fmt::format("configuration read of {:04x}: {}", id, wrong));
      follow(shadow_.after_read(verdict.place));
      break;
    }
    case Fate::kRefused:
      if (value != ones) {
        fail(fmt::format("configuration read of {:04x} offset {:#x}: {:#x} instead of all ones: {}", id, offset, value,
                         verdict.reason));
      }
      follow(shadow_.note_refusal(verdict));
      break;
    default:
      follow(shadow_.note_anywhere());
      break;
  }
  if (is_paranoid_) check_statuses();
  return value;
}

void Bench::read_config_across(uint16_t id, unsigned offset, unsigned bytes) {
  uint64_t value = 0;
  sc_core::sc_time delay;
  initiators_.config.read(uint64_t{id} << 12 | offset, {reinterpret_cast<uint8_t*>(&value), bytes}, delay);
  pass(delay);
  note("config read across", uint64_t{id} << 12 | offset, bytes, value, "7.2.2: undefined");
  if (!is_lax_) follow(shadow_.note_anywhere());
}

void Bench::write_config(uint16_t id, unsigned offset, unsigned bytes, uint32_t value) {
  const Verdict verdict = shadow_.route_config(id);
  sc_core::sc_time delay;
  touches_.clear();
  const auto status =
      initiators_.config.write(uint64_t{id} << 12 | offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay);
  pass(delay);
  note("config write", uint64_t{id} << 12 | offset, bytes, value, verdict.reason);
  count(verdict);
  if (status != tlm::TLM_OK_RESPONSE) fail("configuration write has no answer");
  if (!touches_.empty()) fail("configuration write touched memory");
  if (is_lax_) return;
  switch (verdict.fate) {
    case Fate::kReaches:
      follow(shadow_.write_config(verdict.place, offset, bytes, value, static_cast<uint8_t>(id >> 8)));
      break;
    case Fate::kRefused:
      follow(shadow_.note_refusal(verdict));
      break;
    default:
      give_up_state();
      break;
  }
  if (is_paranoid_) check_statuses();
}

void Bench::tamper(uint16_t id, unsigned offset, unsigned bytes, uint32_t value) {
  sc_core::sc_time delay;
  initiators_.config.write(uint64_t{id} << 12 | offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay);
  pass(delay);
}

void Bench::fundamental_reset() {
  root_complex_.fundamental_reset();
  wait();
  shadow_.fundamental_reset();
  is_lax_ = false;
}

CardMemory& Bench::memory_of(const Card& card) {
  for (size_t index = 0; index < memories_.size(); ++index) {
    if (shadow_.cards()[index].get() == &card) return *memories_[index];
  }
  std::abort();
}

}  // namespace npuvp::tests::checker

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "models/pcie/switch.h"
#include "tests/models/pcie/platform.h"

namespace npuvp::tests {

/// Root port 00:00.0, a switch (upstream port 01:00.0, internal bus 2, downstream ports 02:00.0 and following), an
/// endpoint on bus 3 + n below port n. Windows and BARs by hand: endpoint n has BAR0 at 0xe0000000 + n x 2 MiB and BAR2
/// at 0x2000000000 + n x 256 MiB.
class SwitchedPlatform {
 public:
  static constexpr uint16_t kRootPort = 0x0000;
  static constexpr uint16_t kUpstream = 0x0100;
  static constexpr uint64_t kBar2Bytes = 256 << 20;

  static constexpr uint16_t port(unsigned index) { return static_cast<uint16_t>(0x0200 | index << 3); }
  static constexpr uint16_t endpoint_id(unsigned index) { return static_cast<uint16_t>((3 + index) << 8); }
  static constexpr uint64_t bar0(unsigned index) { return 0xe000'0000 + (uint64_t{index} << 21); }
  static constexpr uint64_t bar2(unsigned index) { return 0x20'0000'0000 + index * kBar2Bytes; }

  struct Options {
    unsigned endpoints = 3;
    unsigned virtual_functions = 0;
    bool hot_plug = false;
    bool root_peer_to_peer = true;
    pcie::ReceiveBuffers buffers{.completion_headers = 256, .completion_data = 4096};
  };

  explicit SwitchedPlatform(const Options& wanted)
      : options(wanted),
        root_complex("root_complex", environment, {.peer_to_peer = wanted.root_peer_to_peer}),
        root_port("root_port", environment, {}),
        packet_switch("switch", environment, switch_parameters(wanted)),
        upper_link("upper_link", environment, {}) {
    root_complex.add(root_port, 0);
    root_complex.attach(host);
    upper_link.connect(root_port.port(), packet_switch.upstream().port());
    config_.port.socket.bind(root_complex.config);
    memory_.port.socket.bind(root_complex.memory);
    for (unsigned index = 0; index < options.endpoints; ++index) add_endpoint(index);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  void enumerate() {
    const unsigned last = 2 + options.endpoints;
    write_config(kRootPort, 0x18, 3, last << 16 | 0x0100);
    write_config(kUpstream, 0x18, 3, last << 16 | 0x0201);
    for (unsigned index = 0; index < options.endpoints; ++index) {
      const unsigned bus = 3 + index;
      write_config(port(index), 0x18, 3, bus << 16 | bus << 8 | 2);
      set_windows(port(index), index, index);
      write_config(endpoint_id(index), 0x10, 4, bar0(index));
      write_config(endpoint_id(index), 0x18, 4, bar2(index));
      write_config(endpoint_id(index), 0x1c, 4, bar2(index) >> 32);
      enable(port(index));
      enable(endpoint_id(index));
    }
    for (const auto id : {kRootPort, kUpstream}) {
      set_windows(id, 0, options.endpoints - 1);
      enable(id);
    }
  }

  /// Lets errors of everything reach the root, as Linux does.
  void enable_errors() {
    std::vector<uint16_t> ids{kRootPort, kUpstream};
    for (unsigned index = 0; index < options.endpoints; ++index) {
      ids.push_back(port(index));
      ids.push_back(endpoint_id(index));
    }
    for (const auto id : ids) {
      write_config(id, 0x48, 2, read_config(id, 0x48, 2) | 0xf);
      if (read_config(id, 0x0e, 1) == 1) write_config(id, 0x3e, 2, 0x2);
    }
    write_config(kRootPort, aer(kRootPort) + 0x2c, 4, 0x7);
    write_config(kRootPort, 0x94, 4, 0xfee0'0000);
    write_config(kRootPort, 0x9c, 2, 0x77);
    write_config(kRootPort, 0x92, 2, 0x1);
  }

  /// Offset of an extended capability, 0: none.
  uint32_t extended(uint16_t id, uint16_t capability) {
    for (uint32_t at = 0x100, guard = 0; at != 0 && guard < 64; ++guard) {
      const uint32_t header = read_config(id, at, 4);
      if ((header & 0xffff) == capability) return at;
      at = header >> 20;
    }
    return 0;
  }
  uint32_t aer(uint16_t id) { return extended(id, 0x0001); }

  uint32_t read_config(uint16_t id, uint32_t offset, unsigned bytes) {
    uint32_t value = 0;
    sc_core::sc_time delay;
    config_.port.read(uint64_t{id} << 12 | offset, {reinterpret_cast<uint8_t*>(&value), bytes}, delay);
    return value;
  }
  void write_config(uint16_t id, uint32_t offset, unsigned bytes, uint64_t value) {
    sc_core::sc_time delay;
    config_.port.write(uint64_t{id} << 12 | offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay);
  }
  uint32_t read_memory(uint64_t address) {
    uint32_t value = 0;
    sc_core::sc_time delay;
    memory_.port.read(address, {reinterpret_cast<uint8_t*>(&value), sizeof value}, delay);
    return value;
  }
  void write_memory(uint64_t address, uint32_t value) {
    sc_core::sc_time delay;
    memory_.port.write(address, {reinterpret_cast<const uint8_t*>(&value), sizeof value}, delay);
  }

  base::InitiatorPort& dma(unsigned index) { return dma_.at(index)->port; }

  const Options options;
  base::Environment environment;
  FakeHost host;
  pcie::RootComplex root_complex;
  pcie::RootPort root_port;
  pcie::Switch packet_switch;
  pcie::Link upper_link;
  std::vector<std::unique_ptr<pcie::Endpoint>> endpoints;
  std::vector<std::unique_ptr<pcie::Link>> links;
  std::vector<std::unique_ptr<BarMemory>> memories;  // BAR0 and BAR2 of endpoint n at 2 n and 2 n + 1
  std::vector<std::vector<unsigned>> resets;         // by endpoint: functions that were reset

 private:
  struct Initiator final : sc_core::sc_module {
    explicit Initiator(sc_core::sc_module_name name) : sc_module(name) {}
    base::InitiatorPort port{"port"};
  };

  static pcie::Switch::Parameters switch_parameters(const Options& wanted) {
    pcie::Switch::Parameters parameters;
    parameters.buffers = wanted.buffers;
    for (unsigned index = 0; index < wanted.endpoints; ++index) {
      pcie::DownstreamPort::Parameters port;
      port.hot_plug = wanted.hot_plug;
      port.slot = index + 1;
      parameters.ports.push_back(port);
    }
    return parameters;
  }

  void add_endpoint(unsigned index) {
    pcie::Endpoint::Parameters parameters;
    parameters.serial_number = index;
    parameters.virtual_functions = options.virtual_functions;
    parameters.msix = {.vectors = 8, .table_offset = 0x8000, .pending_offset = 0x9000};
    parameters.virtual_msix = {.vectors = 4, .table_offset = 0x8000, .pending_offset = 0x9000};
    endpoints.push_back(
        std::make_unique<pcie::Endpoint>(fmt::format("endpoint{}", index).c_str(), environment, parameters));
    auto& endpoint = *endpoints.back();
    links.push_back(
        std::make_unique<pcie::Link>(fmt::format("link{}", index).c_str(), environment, pcie::Link::Parameters{}));
    links.back()->connect(packet_switch.downstream(index).port(), endpoint.port());
    for (const auto* bar : {"bar0", "bar2"}) {
      memories.push_back(std::make_unique<BarMemory>(fmt::format("{}_{}", bar, index).c_str()));
      (bar[3] == '0' ? endpoint.bar0 : endpoint.bar2).socket.bind(memories.back()->socket);
    }
    dma_.push_back(std::make_unique<Initiator>(fmt::format("dma{}", index).c_str()));
    dma_.back()->port.socket.bind(endpoint.dma);
    resets.emplace_back();
    endpoint.on_reset([this, index](unsigned function) { resets[index].push_back(function); });
  }

  void set_windows(uint16_t id, unsigned first, unsigned last) {
    const uint64_t base = bar2(first);
    const uint64_t limit = bar2(last) + kBar2Bytes - 1;
    write_config(id, 0x20, 4, ((bar0(last) + 0x10'0000) & 0xfff0'0000) | (bar0(first) >> 16 & 0xfff0));
    write_config(id, 0x24, 4, (limit & 0xfff0'0000) | (base >> 16 & 0xfff0));
    write_config(id, 0x28, 4, base >> 32);
    write_config(id, 0x2c, 4, limit >> 32);
  }
  void enable(uint16_t id) { write_config(id, 0x04, 2, 0x6); }

  Initiator config_{"config"};
  Initiator memory_{"memory"};
  std::vector<std::unique_ptr<Initiator>> dma_;
};

}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstring>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/pcie/endpoint.h"
#include "models/pcie/link.h"
#include "models/pcie/root_complex.h"

namespace npuvp::tests {

/// Host with memory at kBase and a record of interrupts.
class FakeHost final : public pcie::HostPort {
 public:
  static constexpr uint64_t kBase = 0x1'0000'0000;
  struct Interrupt {
    uint64_t address;
    uint32_t data;
    sc_core::sc_time at;
  };

  bool dma_read(uint64_t address, std::span<uint8_t> data) override {
    if (!holds(address, data.size())) return false;
    std::memcpy(data.data(), &memory[address - kBase], data.size());
    return true;
  }
  bool dma_write(uint64_t address, std::span<const uint8_t> data) override {
    if (!holds(address, data.size())) return false;
    std::memcpy(&memory[address - kBase], data.data(), data.size());
    return true;
  }
  void interrupt(uint64_t address, uint32_t data) override {
    interrupts.push_back({address, data, sc_core::sc_time_stamp()});
  }

  std::vector<uint8_t> memory = std::vector<uint8_t>(8 << 20);
  std::vector<Interrupt> interrupts;

 private:
  [[nodiscard]] bool holds(uint64_t address, uint64_t bytes) const {
    return address >= kBase && address - kBase <= memory.size() && bytes <= memory.size() - (address - kBase);
  }
};

/// Memory behind a BAR; accesses from `fail_from` on end with an address error.
class BarMemory final : public sc_core::sc_module {
 public:
  explicit BarMemory(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_b_transport(this, &BarMemory::transport);
  }

  tlm_utils::simple_target_socket<BarMemory> socket;
  std::vector<uint8_t> bytes = std::vector<uint8_t>(0x10000);
  uint64_t fail_from = 0x10000;
  sc_core::sc_time latency;

 private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    delay += latency;
    const uint64_t address = payload.get_address();
    if (address + payload.get_data_length() > fail_from) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (payload.is_write()) {
      std::memcpy(&bytes[address], payload.get_data_ptr(), payload.get_data_length());
    } else {
      std::memcpy(payload.get_data_ptr(), &bytes[address], payload.get_data_length());
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

/// The initiators of a test; ports must be in a module.
struct Initiators final : sc_core::sc_module {
  explicit Initiators(sc_core::sc_module_name name) : sc_module(name) {}

  base::InitiatorPort config{"config"};
  base::InitiatorPort memory{"memory"};
  base::InitiatorPort dma{"dma"};
};

/// Root complex, root port 00:00.0, link and endpoint 01:00.0, with a host and a card; registers of the specification
/// by their numbers, independent of the model's own description.
class Platform {
 public:
  static constexpr uint16_t kPort = 0x0000;
  static constexpr uint16_t kEndpoint = 0x0100;
  static constexpr uint64_t kBar0 = 0xe000'0000;
  static constexpr uint64_t kBar2 = 0x20'0000'0000;
  static constexpr unsigned kVectors = 8;

  explicit Platform(pcie::Link::Parameters link_parameters = {}, pcie::RootPort::Parameters port_parameters = {})
      : root_complex("root_complex", environment, {}),
        root_port("root_port", environment, port_parameters),
        endpoint("endpoint", environment, endpoint_parameters()),
        link("link", environment, link_parameters),
        bar0("bar0"),
        bar2("bar2") {
    root_complex.add(root_port, 0);
    root_complex.attach(host);
    link.connect(root_port.port(), endpoint.port());
    initiators_.config.socket.bind(root_complex.config);
    initiators_.memory.socket.bind(root_complex.memory);
    initiators_.dma.socket.bind(endpoint.dma);
    endpoint.bar0.socket.bind(bar0.socket);
    endpoint.bar2.socket.bind(bar2.socket);
    endpoint.on_reset([this](unsigned) { ++resets; });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  static pcie::Endpoint::Parameters endpoint_parameters() {
    pcie::Endpoint::Parameters parameters;
    parameters.serial_number = 0x1122'3344'5566'7788;
    parameters.msix = {
        .vectors = kVectors, .table_bar = 0, .table_offset = 0x8000, .pending_bar = 0, .pending_offset = 0x9000};
    return parameters;
  }

  /// What a host's firmware and operating system do: bus numbers, windows, BARs, memory and bus master enable.
  void enumerate() {
    write_config(kPort, 0x18, 3, 0x01'01'00);
    write_config(kEndpoint, 0x10, 4, kBar0);
    write_config(kEndpoint, 0x14, 4, 0);
    write_config(kEndpoint, 0x18, 4, 0);
    write_config(kEndpoint, 0x1c, 4, kBar2 >> 32);
    write_config(kPort, 0x20, 4, 0xe000'e000);  // 0xe0000000 to 0xe00fffff
    write_config(kPort, 0x24, 4, 0x0ff0'0000);  // 0x20'00000000 to 0x20'0fffffff
    write_config(kPort, 0x28, 4, kBar2 >> 32);
    write_config(kPort, 0x2c, 4, kBar2 >> 32);
    write_config(kPort, 0x04, 2, 0x6);
    write_config(kEndpoint, 0x04, 2, 0x6);
  }

  uint32_t read_config(uint16_t id, uint32_t offset, unsigned bytes) {
    uint32_t value = 0;
    sc_core::sc_time delay;
    initiators_.config.read(uint64_t{id} << 12 | offset, {reinterpret_cast<uint8_t*>(&value), bytes}, delay);
    return value;
  }
  void write_config(uint16_t id, uint32_t offset, unsigned bytes, uint64_t value) {
    sc_core::sc_time delay;
    initiators_.config.write(uint64_t{id} << 12 | offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay);
  }
  uint64_t read_memory(uint64_t address, unsigned bytes, sc_core::sc_time* taken = nullptr) {
    uint64_t value = 0;
    sc_core::sc_time delay;
    EXPECT_EQ(initiators_.memory.read(address, {reinterpret_cast<uint8_t*>(&value), bytes}, delay),
              tlm::TLM_OK_RESPONSE);
    if (taken != nullptr) *taken = delay;
    return value;
  }
  void write_memory(uint64_t address, unsigned bytes, uint64_t value) {
    sc_core::sc_time delay;
    EXPECT_EQ(initiators_.memory.write(address, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay),
              tlm::TLM_OK_RESPONSE);
  }
  /// A posted write of the host of any size, issued `delay` from now.
  void host_write(uint64_t address, std::span<const uint8_t> data, sc_core::sc_time& delay) {
    EXPECT_EQ(initiators_.memory.write(address, data, delay), tlm::TLM_OK_RESPONSE);
  }
  base::InitiatorPort& dma() { return initiators_.dma; }

  base::Environment environment;
  FakeHost host;
  pcie::RootComplex root_complex;
  pcie::RootPort root_port;
  pcie::Endpoint endpoint;
  pcie::Link link;
  BarMemory bar0;
  BarMemory bar2;
  int resets = 0;

 private:
  Initiators initiators_{"initiators"};
};

}  // namespace npuvp::tests

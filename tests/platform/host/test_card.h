// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <cstring>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/pcie/endpoint.h"

namespace npuvp::tests {

/// The smallest card behind a PCIe function: BAR0 is memory with an identity at 0, BAR2 is memory. Writing 1 to 0x100
/// copies the number of bytes at 0x118 (up to 4 KiB) from the host address at 0x108 to that at 0x110 with all bits
/// inverted, and raises vector 0 when done; writing n + 2 there raises vector n.
class TestCard final : public sc_core::sc_module {
 public:
  static constexpr uint32_t kIdentity = 0x4e505531;

  TestCard(sc_core::sc_module_name name, pcie::Endpoint& endpoint)
      : sc_module(name), bar0("bar0"), bar2("bar2"), dma_("dma"), endpoint_(endpoint) {
    bar0.register_b_transport(this, &TestCard::bar0_transport);
    bar2.register_b_transport(this, &TestCard::bar2_transport);
    endpoint.bar0.socket.bind(bar0);
    endpoint.bar2.socket.bind(bar2);
    dma_.socket.bind(endpoint.dma);
    endpoint.on_reset([this](unsigned) { reset(); });
    reset();
    SC_HAS_PROCESS(TestCard);
    SC_METHOD(finish);
    sensitive << done_;
    dont_initialize();
  }

  tlm_utils::simple_target_socket<TestCard> bar0;
  tlm_utils::simple_target_socket<TestCard> bar2;
  int resets = 0;

 private:
  static constexpr uint64_t kStart = 0x100;

  void reset() {
    registers_.assign(0x10000, 0);
    memory_.assign(1 << 20, 0);
    std::memcpy(registers_.data(), &kIdentity, sizeof kIdentity);
    done_.cancel();
    ++resets;
  }

  static void access(std::vector<uint8_t>& bytes, tlm::tlm_generic_payload& payload) {
    const uint64_t length = payload.get_data_length();
    if (payload.get_address() > bytes.size() || length > bytes.size() - payload.get_address()) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    auto* at = bytes.data() + payload.get_address();
    if (payload.is_write()) {
      std::memcpy(at, payload.get_data_ptr(), length);
    } else {
      std::memcpy(payload.get_data_ptr(), at, length);
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  void bar0_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    access(registers_, payload);
    if (payload.is_write() && payload.get_address() == kStart) start(word(kStart), delay);
  }
  void bar2_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) { access(memory_, payload); }

  [[nodiscard]] uint64_t word(uint64_t offset) const {
    uint64_t value = 0;
    std::memcpy(&value, registers_.data() + offset, sizeof value);
    return value;
  }

  void start(uint64_t command, sc_core::sc_time delay) {
    command &= 0xffff'ffff;
    if (command >= 2) {
      endpoint_.raise_vector(0, static_cast<unsigned>(command - 2) % 8);
      return;
    }
    std::vector<uint8_t> data(word(0x118) % 4097);
    if (command != 1 || data.empty()) return;
    if (dma_.read(word(0x108), data, delay) != tlm::TLM_OK_RESPONSE) return;
    for (auto& byte : data) byte = static_cast<uint8_t>(~byte);
    if (dma_.write(word(0x110), data, delay) == tlm::TLM_OK_RESPONSE) done_.notify(delay);
  }

  void finish() { endpoint_.raise_vector(0, 0); }

  base::InitiatorPort dma_;
  pcie::Endpoint& endpoint_;
  std::vector<uint8_t> registers_;
  std::vector<uint8_t> memory_;
  sc_core::sc_event done_;
};

}  // namespace npuvp::tests

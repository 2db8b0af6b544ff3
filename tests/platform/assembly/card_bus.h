// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <systemc>

#include "models/base/sideband.h"
#include "models/noc/crossbar.h"

namespace npuvp::tests {

/// The command processor's bus of a card, for what a test does in the firmware's place: card physical addresses.
class CardBus {
 public:
  explicit CardBus(const std::string& card = "server.card0")
      : bus_(dynamic_cast<noc::Crossbar*>(sc_core::sc_find_object((card + ".bus").c_str()))) {
    if (bus_ == nullptr) throw std::runtime_error("no bus in " + card);
  }

  template <typename Value>
  Value read(uint64_t address) {
    Value value{};
    access(tlm::TLM_READ_COMMAND, address, &value, sizeof value);
    return value;
  }
  template <typename Value>
  void write(uint64_t address, Value value) {
    access(tlm::TLM_WRITE_COMMAND, address, &value, sizeof value);
  }

 private:
  void access(tlm::tlm_command command, uint64_t address, void* data, unsigned bytes) {
    tlm::tlm_generic_payload payload;
    base::Sideband sideband;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<uint8_t*>(data));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    payload.set_extension(&sideband);
    sc_core::sc_time delay;
    bus_->initiators[0].get_base_export()->b_transport(payload, delay);
    const bool ok = payload.is_response_ok();
    payload.clear_extension<base::Sideband>();
    if (!ok) throw std::runtime_error("bus error");
    sc_core::wait(delay);
  }

  noc::Crossbar* bus_;
};

}  // namespace npuvp::tests

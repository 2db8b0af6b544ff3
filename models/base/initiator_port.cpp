// SPDX-License-Identifier: Apache-2.0
#include "models/base/initiator_port.h"

namespace npuvp::base {
namespace {

/// A generic payload for one access, with a sideband that the payload does not own.
class Payload {
 public:
  Payload(tlm::tlm_command command, uint64_t address, uint8_t* data, size_t bytes, Sideband& sideband) {
    payload_.set_command(command);
    payload_.set_address(address);
    payload_.set_data_ptr(data);
    payload_.set_data_length(static_cast<unsigned>(bytes));
    payload_.set_streaming_width(static_cast<unsigned>(bytes));
    payload_.set_extension(&sideband);
  }
  ~Payload() { payload_.clear_extension<Sideband>(); }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;

  tlm::tlm_generic_payload& operator*() { return payload_; }
  tlm::tlm_generic_payload* operator->() { return &payload_; }

 private:
  tlm::tlm_generic_payload payload_;
};

/// TLM has one data pointer for both directions; a write's target must not write through it.
uint8_t* mutable_data(std::span<const uint8_t> data) {
  return const_cast<uint8_t*>(data.data());
}

}  // namespace

InitiatorPort::InitiatorPort(const char* name) : socket(name) {}

tlm::tlm_response_status InitiatorPort::read(uint64_t address, std::span<uint8_t> data, sc_core::sc_time& delay) {
  sideband_.poison = false;
  sideband_.translation_fault = false;
  Payload payload(tlm::TLM_READ_COMMAND, address, data.data(), data.size(), sideband_);
  socket->b_transport(*payload, delay);
  return payload->get_response_status();
}

tlm::tlm_response_status InitiatorPort::write(uint64_t address, std::span<const uint8_t> data,
                                              sc_core::sc_time& delay) {
  sideband_.translation_fault = false;
  Payload payload(tlm::TLM_WRITE_COMMAND, address, mutable_data(data), data.size(), sideband_);
  socket->b_transport(*payload, delay);
  return payload->get_response_status();
}

unsigned InitiatorPort::debug_read(uint64_t address, std::span<uint8_t> data) {
  Payload payload(tlm::TLM_READ_COMMAND, address, data.data(), data.size(), sideband_);
  return socket->transport_dbg(*payload);
}

unsigned InitiatorPort::debug_write(uint64_t address, std::span<const uint8_t> data) {
  Payload payload(tlm::TLM_WRITE_COMMAND, address, mutable_data(data), data.size(), sideband_);
  return socket->transport_dbg(*payload);
}

bool InitiatorPort::dmi(uint64_t address, tlm::tlm_dmi& dmi) {
  Payload payload(tlm::TLM_READ_COMMAND, address, nullptr, 0, sideband_);
  return socket->get_direct_mem_ptr(*payload, dmi);
}

}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#include "models/base/initiator_port.h"

#include <utility>

namespace npuvp::base {

/// A generic payload for one access, lent by the port: making one allocates memory, which costs more than many a
/// target.
class InitiatorPort::Loan {
 public:
  Loan(InitiatorPort& port, tlm::tlm_command command, uint64_t address, uint8_t* data, size_t bytes) : port_(port) {
    if (port_.idle_.empty()) {
      payload_ = std::make_unique<tlm::tlm_generic_payload>();
      payload_->set_extension(&port.sideband_);
    } else {
      payload_ = std::move(port_.idle_.back());
      port_.idle_.pop_back();
    }
    payload_->set_command(command);
    payload_->set_address(address);
    payload_->set_data_ptr(data);
    payload_->set_data_length(static_cast<unsigned>(bytes));
    payload_->set_streaming_width(static_cast<unsigned>(bytes));
    payload_->set_byte_enable_ptr(nullptr);
    payload_->set_dmi_allowed(false);
    payload_->set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }
  ~Loan() { port_.idle_.push_back(std::move(payload_)); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  tlm::tlm_generic_payload& operator*() { return *payload_; }
  tlm::tlm_generic_payload* operator->() { return payload_.get(); }

 private:
  InitiatorPort& port_;
  std::unique_ptr<tlm::tlm_generic_payload> payload_;
};

namespace {

/// TLM has one data pointer for both directions; a write's target must not write through it.
uint8_t* mutable_data(std::span<const uint8_t> data) {
  return const_cast<uint8_t*>(data.data());
}

}  // namespace

InitiatorPort::InitiatorPort(const char* name) : socket(name) {}

InitiatorPort::~InitiatorPort() {
  for (auto& payload : idle_) payload->clear_extension<Sideband>();  // the payload would delete it
}

tlm::tlm_response_status InitiatorPort::read(uint64_t address, std::span<uint8_t> data, sc_core::sc_time& delay) {
  sideband_.poison = false;
  sideband_.translation_fault = false;
  Loan payload(*this, tlm::TLM_READ_COMMAND, address, data.data(), data.size());
  socket->b_transport(*payload, delay);
  return payload->get_response_status();
}

tlm::tlm_response_status InitiatorPort::borrow(uint64_t address, std::span<uint8_t> buffer, const uint8_t*& data,
                                               sc_core::sc_time& delay) {
  sideband_.lend_bytes = buffer.size();
  sideband_.lent = nullptr;
  const auto response = read(address, buffer, delay);
  sideband_.lend_bytes = 0;
  data = sideband_.lent != nullptr ? sideband_.lent : buffer.data();
  return response;
}

tlm::tlm_response_status InitiatorPort::write(uint64_t address, std::span<const uint8_t> data,
                                              sc_core::sc_time& delay) {
  sideband_.translation_fault = false;
  Loan payload(*this, tlm::TLM_WRITE_COMMAND, address, mutable_data(data), data.size());
  socket->b_transport(*payload, delay);
  return payload->get_response_status();
}

unsigned InitiatorPort::debug_read(uint64_t address, std::span<uint8_t> data) {
  Loan payload(*this, tlm::TLM_READ_COMMAND, address, data.data(), data.size());
  return socket->transport_dbg(*payload);
}

unsigned InitiatorPort::debug_write(uint64_t address, std::span<const uint8_t> data) {
  Loan payload(*this, tlm::TLM_WRITE_COMMAND, address, mutable_data(data), data.size());
  return socket->transport_dbg(*payload);
}

bool InitiatorPort::dmi(uint64_t address, tlm::tlm_dmi& dmi) {
  Loan payload(*this, tlm::TLM_READ_COMMAND, address, nullptr, 0);
  return socket->get_direct_mem_ptr(*payload, dmi);
}

}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <systemc>
#include <tlm>

#include "models/base/initiator_port.h"

namespace npuvp::base {

/// Goes with an access whose bytes do not matter: the engines' bulk data in the mode `data: none`, and traffic that is
/// charged for its time while the contents have gone another way. A memory takes the same time, meets the same errors
/// and answers the same, and leaves its contents and the payload's buffer alone. The buffer is there all the same, so
/// that a target that does not know the mark works as ever.
class NoContents final : public tlm::tlm_extension<NoContents> {
 public:
  [[nodiscard]] tlm::tlm_extension_base* clone() const override { return new NoContents; }
  void copy_from(const tlm::tlm_extension_base& /*other*/) override {}
};

[[nodiscard]] inline bool has_contents(const tlm::tlm_generic_payload& payload) {
  return payload.get_extension<NoContents>() == nullptr;
}

/// As InitiatorPort::read() and write(), with that mark. `buffer` gives the size; a target that does not know the mark
/// fills it or takes its bytes.
inline tlm::tlm_response_status access_without_contents(InitiatorPort& port, tlm::tlm_command command, uint64_t address,
                                                        std::span<uint8_t> buffer, sc_core::sc_time& delay) {
  NoContents mark;
  if (command == tlm::TLM_READ_COMMAND) port.sideband().poison = false;
  port.sideband().translation_fault = false;
  tlm::tlm_generic_payload payload;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(buffer.data());
  payload.set_data_length(static_cast<unsigned>(buffer.size()));
  payload.set_streaming_width(static_cast<unsigned>(buffer.size()));
  payload.set_extension(&port.sideband());
  payload.set_extension(&mark);
  port.socket->b_transport(payload, delay);
  payload.clear_extension(&mark);
  payload.clear_extension(&port.sideband());
  return payload.get_response_status();
}

}  // namespace npuvp::base

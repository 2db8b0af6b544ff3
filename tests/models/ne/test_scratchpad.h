// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <cstring>
#include <systemc>
#include <vector>

#include "models/base/scratchpad_port.h"
#include "models/base/sideband.h"
#include "models/base/timeline.h"

namespace npuvp::test {

/// Scratchpad of a test: any number of ports onto the same bytes, of one bandwidth or with no time at all.
class TestScratchpad final : public sc_core::sc_module {
 public:
  TestScratchpad(sc_core::sc_module_name name, size_t bytes, bool offers_dmi = true, double bytes_per_second = 0)
      : sc_module(name),
        first("first"),
        second("second"),
        memory(bytes),
        offers_dmi_(offers_dmi),
        timed_(bytes_per_second > 0),
        timeline_(timed_ ? bytes_per_second : 1) {
    serve(first);
    serve(second);
  }

  tlm_utils::simple_target_socket<TestScratchpad> first;
  tlm_utils::simple_target_socket_optional<TestScratchpad> second;
  std::vector<uint8_t> memory;
  bool poisoned = false;  ///< Reads deliver poison.
  bool broken = false;    ///< Accesses end with an error.
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;

 private:
  void serve(auto& socket) {
    socket.register_b_transport(this, &TestScratchpad::transport);
    socket.register_transport_dbg(this, &TestScratchpad::debug);
    socket.register_get_direct_mem_ptr(this, &TestScratchpad::direct);
  }
  [[nodiscard]] bool inside(const tlm::tlm_generic_payload& payload) const {
    return payload.get_address() <= memory.size() && payload.get_data_length() <= memory.size() - payload.get_address();
  }
  void move(tlm::tlm_generic_payload& payload) {
    uint8_t* place = memory.data() + payload.get_address();
    if (payload.is_read()) {
      std::memcpy(payload.get_data_ptr(), place, payload.get_data_length());
    } else {
      std::memcpy(place, payload.get_data_ptr(), payload.get_data_length());
    }
  }
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    if (broken || !inside(payload) || payload.get_data_length() > base::ScratchpadPort::kBurstBytes) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    if (!base::sideband_of(payload).traffic_only) move(payload);
    (payload.is_read() ? bytes_read : bytes_written) += payload.get_data_length();
    if (payload.is_read()) payload.get_extension<base::Sideband>()->poison = poisoned;
    if (timed_) {
      const sc_core::sc_time now = sc_core::sc_time_stamp();
      delay = timeline_.reserve_bytes(now + delay, payload.get_data_length()).end - now;
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  unsigned debug(tlm::tlm_generic_payload& payload) {
    if (!inside(payload)) return 0;
    move(payload);
    return payload.get_data_length();
  }
  bool direct(tlm::tlm_generic_payload& /*payload*/, tlm::tlm_dmi& dmi) {
    if (!offers_dmi_) return false;
    dmi.set_dmi_ptr(memory.data());
    dmi.set_start_address(0);
    dmi.set_end_address(memory.size() - 1);
    dmi.allow_read_write();
    return true;
  }

  bool offers_dmi_;
  bool timed_;
  base::Timeline timeline_;
};

}  // namespace npuvp::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <tlm>

#include "models/base/sideband.h"
#include "models/base/sparse_memory.h"

namespace npuvp::base {

/// What blocks that are memory have in common: serving a payload from a SparseMemory, addresses relative to it.

/// Moves the payload's bytes, if they matter (Sideband::traffic_only), or lends them (Sideband::lend_bytes), and
/// returns the response. Byte enables and streaming are not supported.
[[nodiscard]] inline tlm::tlm_response_status access_memory(SparseMemory& memory, tlm::tlm_generic_payload& payload,
                                                            bool writable) {
  const uint64_t bytes = payload.get_data_length();
  if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if (bytes == 0 || payload.get_streaming_width() < bytes) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (!memory.contains(payload.get_address(), bytes)) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (payload.is_write() && !writable) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  auto* const sideband = payload.get_extension<Sideband>();
  if (sideband != nullptr && sideband->traffic_only) return tlm::TLM_OK_RESPONSE;
  uint8_t* const stored = memory.data() + payload.get_address();
  if (payload.is_read()) {
    if (sideband != nullptr && sideband->lend_bytes == bytes) {
      sideband->lent = stored;
    } else {
      std::memcpy(payload.get_data_ptr(), stored, bytes);
    }
  } else if (payload.is_write()) {
    if (sideband != nullptr && sideband->zeros) {
      memory.clear(payload.get_address(), bytes);
    } else {
      std::memmove(stored, payload.get_data_ptr(), bytes);  // the data may be what this memory has lent
    }
  }
  return tlm::TLM_OK_RESPONSE;
}

/// A debugger's access: as many bytes as there are, read-only memory takes writes too (breakpoints). Returns the bytes.
[[nodiscard]] inline unsigned access_memory_debug(SparseMemory& memory, tlm::tlm_generic_payload& payload) {
  if (payload.get_address() >= memory.size()) return 0;
  const uint64_t bytes = std::min<uint64_t>(payload.get_data_length(), memory.size() - payload.get_address());
  uint8_t* const stored = memory.data() + payload.get_address();
  if (payload.is_read()) std::memcpy(payload.get_data_ptr(), stored, bytes);
  if (payload.is_write()) std::memcpy(stored, payload.get_data_ptr(), bytes);
  return static_cast<unsigned>(bytes);
}

/// Offers the whole memory for direct access. `latency` is for initiators that account for DMI accesses.
inline void offer_memory(SparseMemory& memory, bool writable, sc_core::sc_time latency, tlm::tlm_dmi& dmi) {
  dmi.set_dmi_ptr(memory.data());
  dmi.set_start_address(0);
  dmi.set_end_address(memory.size() - 1);
  dmi.set_read_latency(latency);
  dmi.set_write_latency(latency);
  if (writable) {
    dmi.allow_read_write();
  } else {
    dmi.allow_read();
  }
}

}  // namespace npuvp::base

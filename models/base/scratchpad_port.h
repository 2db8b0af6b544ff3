// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <systemc>
#include <vector>

#include "models/base/command_port.h"
#include "models/base/initiator_port.h"

namespace npuvp::base {

/// An engine's port to its scratchpad. Contents and time go separate ways: the functional model works on a Window of
/// the memory at once, and the traffic that the hardware would make is charged as bursts, so that bandwidth,
/// contention, bus errors and poison come from the memory itself. Address in a payload = offset in the scratchpad.
class ScratchpadPort : public InitiatorPort {
 public:
  using InitiatorPort::InitiatorPort;

  static constexpr uint64_t kBurstBytes = 16384;

  /// The bytes [offset, offset + bytes): the memory itself where it offers DMI, else a copy made without time.
  class Window {
   public:
    Window(ScratchpadPort& port, uint64_t offset, uint64_t bytes) : port_(port), offset_(offset) {
      tlm::tlm_dmi dmi;
      if (port.dmi(offset, dmi) && dmi.is_read_write_allowed() && dmi.get_start_address() <= offset &&
          dmi.get_end_address() - offset >= bytes - 1 && dmi.get_end_address() >= offset) {
        data_ = dmi.get_dmi_ptr() + (offset - dmi.get_start_address());
        return;
      }
      copy_.resize(bytes);
      data_ = copy_.data();
      valid_ = port.debug_read(offset, copy_) == bytes;
    }

    [[nodiscard]] bool valid() const { return valid_; }
    [[nodiscard]] uint8_t* data() { return data_; }
    /// Makes changes to a copy visible in the memory. False: the memory refused.
    [[nodiscard]] bool write_back() { return copy_.empty() || port_.debug_write(offset_, copy_) == copy_.size(); }

   private:
    ScratchpadPort& port_;
    uint64_t offset_;
    uint8_t* data_ = nullptr;
    std::vector<uint8_t> copy_;
    bool valid_ = true;
  };

  /// Progress of an operand's traffic through its extent, which it passes as often as the hardware fetches it.
  struct Stream {
    uint64_t offset;      ///< Of the extent in the scratchpad.
    uint64_t bytes;       ///< Of the extent, > 0.
    uint64_t cursor = 0;  ///< Next byte of the extent.
  };

  /// Bursts for `bytes` of reading, all issued at `start` relative to sc_time_stamp(); `end` grows to the last
  /// completion.
  CommandOutcome charge_read(Stream& stream, uint64_t bytes, sc_core::sc_time start, sc_core::sc_time& end) {
    return charge(tlm::TLM_READ_COMMAND, stream, bytes, start, end);
  }

  /// The same for writing, before or after the contents are in the memory.
  CommandOutcome charge_write(Stream& stream, uint64_t bytes, sc_core::sc_time start, sc_core::sc_time& end) {
    return charge(tlm::TLM_WRITE_COMMAND, stream, bytes, start, end);
  }

 private:
  CommandOutcome charge(tlm::tlm_command command, Stream& stream, uint64_t bytes, sc_core::sc_time start,
                        sc_core::sc_time& end) {
    CommandOutcome outcome;
    sideband().traffic_only = true;
    while (bytes > 0 && outcome.ok()) {
      const uint64_t burst = std::min({bytes, kBurstBytes, stream.bytes - stream.cursor});
      const auto data = std::span(unused_).first(burst);
      const uint64_t offset = stream.offset + stream.cursor;
      sc_core::sc_time delay = start;
      sideband().poison = false;
      const auto response = command == tlm::TLM_READ_COMMAND ? read(offset, data, delay) : write(offset, data, delay);
      if (response != tlm::TLM_OK_RESPONSE || sideband().poison) {
        const npu_fault fault = response != tlm::TLM_OK_RESPONSE ? NPU_FAULT_BUS : NPU_FAULT_POISON;
        outcome = {fault, NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, offset)};
        continue;
      }
      end = std::max(end, delay);
      stream.cursor = (stream.cursor + burst) % stream.bytes;
      bytes -= burst;
    }
    sideband().traffic_only = false;
    return outcome;
  }

  /// What payloads of traffic point to: TLM-2.0 wants a data pointer.
  std::array<uint8_t, kBurstBytes> unused_{};
};

}  // namespace npuvp::base

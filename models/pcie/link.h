// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "models/base/timeline.h"
#include "models/pcie/port.h"

namespace npuvp::pcie {

/// A PCI Express link between two ports: speed and width from training, transfer times from TLP sizes.
///
/// Timing: each direction is a timeline. A burst occupies it for the bytes of all its TLPs: payload plus 24 bytes for a
/// memory request and 20 for a completion (64-bit address, no ECRC; docs: hardware facts), at the raw rate after line
/// coding (Gen5 x16: 63.0 GB/s). Writes are split at the transmitter's maximum payload, reads at the requester's
/// maximum read request, completions at the completer's maximum payload and the read completion boundary. Traffic of
/// flow control and acknowledge packets is not modelled, nor do credits limit anything.
class Link {
 public:
  struct Parameters {
    unsigned generation = 5;  ///< Limits of the wiring; the ports may have lower ones.
    unsigned lanes = 16;
    /// One way, last transmit queue to receiver's transaction layer. Not public for the card; assumed.
    sc_core::sc_time latency{200, sc_core::SC_NS};
    unsigned read_completion_boundary_bytes = 64;  ///< As LINK_CONTROL says.
  };

  explicit Link(const Parameters& parameters);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Connects the downstream port `upper` with the upstream port `lower` and trains. Both must outlive the link's use.
  void connect(Port& upper, Port& lower);

  [[nodiscard]] bool is_up() const { return bytes_per_second_ > 0; }
  /// Raw rate of one direction, 0 when the link is down.
  [[nodiscard]] double bytes_per_second() const { return bytes_per_second_; }
  /// Time that each direction was in use.
  [[nodiscard]] sc_core::sc_time busy_downstream() const { return down_.timeline.busy(); }
  [[nodiscard]] sc_core::sc_time busy_upstream() const { return up_.timeline.busy(); }

 private:
  /// One direction, as the target of the port that transmits into it.
  class Direction final : public RequestSink {
   public:
    explicit Direction(Link& link) : link_(link) {}
    Completion receive(Request& request, Passage& passage) override { return link_.carry(*this, request, passage); }

    Port* transmitter = nullptr;
    Port* receiver = nullptr;
    Direction* opposite = nullptr;
    base::Timeline timeline{1.0};  // reserved by durations: the rate changes with training

   private:
    Link& link_;
  };

  Completion carry(Direction& direction, Request& request, Passage& passage);
  [[nodiscard]] sc_core::sc_time duration_of(uint64_t wire_bytes) const;
  /// Moves a passage through one direction.
  void occupy(Direction& direction, Passage& passage, uint64_t wire_bytes);
  void train();

  Parameters parameters_;
  double bytes_per_second_ = 0;
  Direction down_{*this};
  Direction up_{*this};
};

/// Bytes on the link of all TLPs of a request (with the data of a write), and of all completions that answer a request
/// for `bytes` at `address`. Sources and splitting as described at Link.
[[nodiscard]] uint64_t request_wire_bytes(const Request& request, uint32_t max_payload_bytes);
[[nodiscard]] uint64_t completion_wire_bytes(uint64_t address, uint64_t bytes, uint32_t max_read_bytes,
                                             uint32_t max_payload_bytes, uint32_t read_completion_boundary_bytes);

}  // namespace npuvp::pcie

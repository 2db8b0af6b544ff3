// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "models/pcie/request.h"

namespace npuvp::pcie {

/// What a burst is on a link.
struct TlpShape {
  uint64_t wire_bytes = 0;    ///< Of all TLPs: payload, header, framing, sequence number, LCRC.
  uint64_t tlps = 0;          ///< Each takes a header credit.
  uint64_t data_credits = 0;  ///< Units of 16 bytes (PCI Express Base Specification 2.6.1).
};

/// TLPs of a request (with the data of a write), split at the transmitter's maximum payload or, for a read, at the
/// request's max_read_bytes. A memory request costs 24 bytes beside its payload, a configuration request or message 20:
/// header of 4 or 3 double words (messages 4), no ECRC. Payload is whole double words.
[[nodiscard]] TlpShape request_shape(const Request& request, uint32_t max_payload_bytes);

/// All completions that answer a request for `bytes` at `address` which was split at `max_read_bytes` (0: not at all):
/// at most the completer's maximum payload each, cut at multiples of the read completion boundary (2.3.1.1). 20 bytes
/// beside the payload.
[[nodiscard]] TlpShape completion_shape(uint64_t address, uint64_t bytes, uint32_t max_read_bytes,
                                        uint32_t max_payload_bytes, uint32_t read_completion_boundary_bytes);

/// A completion without data.
[[nodiscard]] TlpShape empty_completion_shape();

using TlpHeader = std::array<uint32_t, 4>;

/// Header of a request's first TLP as AER's header log shows it: byte 0 of the TLP in bits 31:24 of element 0
/// (7.8.4.8); formats of 2.2.7 and 2.2.8. `tag` is the transaction's.
[[nodiscard]] TlpHeader header_of(const Request& request, uint32_t max_payload_bytes, unsigned tag = 0);

/// Header of the first completion with data that answers `request`, a read of memory or configuration space, with the
/// completer's maximum payload; its completer is unknown here (2.2.9). Poisoned if the request's data is.
[[nodiscard]] TlpHeader data_completion_header(const Request& request, uint32_t max_payload_bytes, unsigned tag = 0);

/// Header of a completion without data from `completer` to `requester` (2.2.9), for one that nobody waits for.
[[nodiscard]] TlpHeader completion_header(RoutingId completer, RoutingId requester, unsigned tag, Completion status);

}  // namespace npuvp::pcie

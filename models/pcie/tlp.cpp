// SPDX-License-Identifier: Apache-2.0
#include "models/pcie/tlp.h"

#include <algorithm>

namespace npuvp::pcie {
namespace {

// Framing, sequence number, header and LCRC of a TLP in bytes: with a header of 4 double words and of 3.
constexpr uint64_t kLongHeaderBytes = 24;
constexpr uint64_t kShortHeaderBytes = 20;
constexpr uint64_t kDoubleWordBytes = 4;
constexpr uint64_t kDataCreditBytes = 16;

// Fmt and Type of TLPs (table 2-3), as byte 0 of the header.
constexpr uint32_t kMemoryRead32 = 0x00;
constexpr uint32_t kMemoryRead64 = 0x20;
constexpr uint32_t kMemoryWrite32 = 0x40;
constexpr uint32_t kMemoryWrite64 = 0x60;
constexpr uint32_t kConfigRead0 = 0x04;
constexpr uint32_t kConfigRead1 = 0x05;
constexpr uint32_t kConfigWrite0 = 0x44;
constexpr uint32_t kConfigWrite1 = 0x45;
constexpr uint32_t kMessageToRoot = 0x30;
constexpr uint32_t kCompletion = 0x0a;
constexpr uint32_t kCompletionWithData = 0x4a;

uint64_t ceil_divide(uint64_t value, uint64_t by) {
  return (value + by - 1) / by;
}

/// Payload is whole double words: byte enables cut the first and the last.
uint64_t padded(uint64_t address, uint64_t bytes) {
  const uint64_t first = address / kDoubleWordBytes;
  const uint64_t last = ceil_divide(address + bytes, kDoubleWordBytes);
  return (last - first) * kDoubleWordBytes;
}

/// Byte enables of the first and last double word (2.2.5), as bits 7:0 of header element 1.
uint32_t byte_enables(uint64_t address, uint64_t bytes) {
  const auto first_byte = static_cast<unsigned>(address % kDoubleWordBytes);
  const auto last_byte = static_cast<unsigned>((address + bytes - 1) % kDoubleWordBytes);
  const unsigned from_first = 0xfu << first_byte & 0xfu;
  const unsigned to_last = 0xfu >> (3 - last_byte);
  if (padded(address, bytes) == kDoubleWordBytes) return from_first & to_last;
  return to_last << 4 | from_first;
}

uint32_t attributes(const Request& request) {
  return (request.id_based_ordering ? 1u << 18 : 0) | (request.poison ? 1u << 14 : 0) |
         (request.relaxed_ordering ? 1u << 13 : 0) | (request.translated ? 2u << 10 : 0);
}

TlpHeader memory_header(const Request& request, uint64_t bytes, unsigned tag) {
  const bool is_long = request.address >> 32 != 0;
  const uint32_t format = request.kind == RequestKind::kMemoryRead ? (is_long ? kMemoryRead64 : kMemoryRead32)
                                                                   : (is_long ? kMemoryWrite64 : kMemoryWrite32);
  const auto length = static_cast<uint32_t>(padded(request.address, bytes) / kDoubleWordBytes) & 0x3ffu;
  const auto low = static_cast<uint32_t>(request.address) & ~3u;
  TlpHeader header{format << 24 | attributes(request) | length,
                   uint32_t{request.requester} << 16 | (tag & 0xffu) << 8 | byte_enables(request.address, bytes)};
  header[2] = is_long ? static_cast<uint32_t>(request.address >> 32) : low;
  header[3] = is_long ? low : 0;
  return header;
}

TlpHeader config_header(const Request& request, unsigned tag) {
  const uint32_t format = request.is_read() ? (request.is_type1 ? kConfigRead1 : kConfigRead0)
                                            : (request.is_type1 ? kConfigWrite1 : kConfigWrite0);
  return {format << 24 | attributes(request) | 1,
          uint32_t{request.requester} << 16 | (tag & 0xffu) << 8 | byte_enables(request.address, request.data.size()),
          uint32_t{request.completer} << 16 | (static_cast<uint32_t>(request.address) & 0xffcu), 0};
}

}  // namespace

TlpShape request_shape(const Request& request, uint32_t max_payload_bytes) {
  const uint64_t payload = padded(request.address, request.data.size());
  switch (request.kind) {
    case RequestKind::kConfigRead:
      return {kShortHeaderBytes, 1, 0};
    case RequestKind::kConfigWrite:
      return {kShortHeaderBytes + kDoubleWordBytes, 1, 1};
    case RequestKind::kMessage:
      return {kLongHeaderBytes, 1, 0};
    case RequestKind::kMemoryWrite: {
      const uint64_t tlps = ceil_divide(payload, max_payload_bytes);
      return {payload + kLongHeaderBytes * tlps, tlps, ceil_divide(payload, kDataCreditBytes)};
    }
    case RequestKind::kCompletion: {
      const uint64_t tlps = ceil_divide(payload, max_payload_bytes);
      return {payload + kShortHeaderBytes * tlps, tlps, ceil_divide(payload, kDataCreditBytes)};
    }
    case RequestKind::kMemoryRead:
      break;
  }
  const uint64_t tlps = request.max_read_bytes == 0 ? 1 : ceil_divide(payload, request.max_read_bytes);
  return {kLongHeaderBytes * tlps, tlps, 0};
}

TlpShape completion_shape(uint64_t address, uint64_t bytes, uint32_t max_read_bytes, uint32_t max_payload_bytes,
                          uint32_t read_completion_boundary_bytes) {
  TlpShape shape;
  const uint64_t boundary_mask = ~(uint64_t{read_completion_boundary_bytes} - 1);  // of 64 or 128 bytes (2.3.1.1)
  const uint64_t end = address + bytes;
  const uint64_t step = max_read_bytes == 0 ? bytes : max_read_bytes;
  for (uint64_t request = address; request < end; request += step) {
    const uint64_t request_end = std::min(end, request + step);
    for (uint64_t at = request; at < request_end;) {
      const uint64_t next = std::min(request_end, (at + max_payload_bytes) & boundary_mask);
      const uint64_t payload = padded(at, next - at);
      shape.wire_bytes += kShortHeaderBytes + payload;
      shape.tlps += 1;
      shape.data_credits += ceil_divide(payload, kDataCreditBytes);
      at = next;
    }
  }
  return shape;
}

TlpShape empty_completion_shape() {
  return {kShortHeaderBytes, 1, 0};
}

TlpHeader header_of(const Request& request, uint32_t max_payload_bytes, unsigned tag) {
  switch (request.kind) {
    case RequestKind::kConfigRead:
    case RequestKind::kConfigWrite:
      return config_header(request, tag);
    case RequestKind::kMessage:
      return {kMessageToRoot << 24, uint32_t{request.requester} << 16 | static_cast<uint32_t>(request.message), 0, 0};
    case RequestKind::kCompletion: {
      const auto length =
          static_cast<uint32_t>(padded(request.address, request.data.size()) / kDoubleWordBytes) & 0x3ffu;
      return {kCompletionWithData << 24 | attributes(request) | length, uint32_t{request.requester} << 16,
              uint32_t{request.completer} << 16 | (tag & 0xffu) << 8, 0};
    }
    case RequestKind::kMemoryRead:
    case RequestKind::kMemoryWrite:
      break;
  }
  const uint64_t limit = request.kind == RequestKind::kMemoryWrite ? max_payload_bytes : request.max_read_bytes;
  const uint64_t whole = request.data.size();
  return memory_header(request, limit == 0 ? whole : std::min(whole, limit - request.address % kDoubleWordBytes), tag);
}

TlpHeader data_completion_header(const Request& request, uint32_t max_payload_bytes, unsigned tag) {
  constexpr uint64_t kLowerAddressMask = 0x7f;
  constexpr uint64_t kByteCountMask = 0xfff;  // 4096 is coded as 0
  const uint64_t whole = request.data.size();
  const uint64_t limit = request.max_read_bytes == 0 ? whole : request.max_read_bytes;
  const uint64_t bytes = std::min(whole, limit);
  // More than the maximum payload is cut at a naturally aligned boundary (2.3.1.1).
  const uint64_t first = std::min(bytes, max_payload_bytes - request.address % max_payload_bytes);
  const auto length = static_cast<uint32_t>(padded(request.address, first) / kDoubleWordBytes) & 0x3ffu;
  const uint64_t lower = request.is_memory() ? request.address & kLowerAddressMask : 0;
  return {kCompletionWithData << 24 | attributes(request) | length,
          uint32_t{request.completer} << 16 | static_cast<uint32_t>(bytes & kByteCountMask),
          uint32_t{request.requester} << 16 | (tag & 0xffu) << 8 | static_cast<uint32_t>(lower), 0};
}

TlpHeader completion_header(RoutingId completer, RoutingId requester, unsigned tag, Completion status) {
  constexpr uint32_t kByteCount = 4;
  return {kCompletion << 24, uint32_t{completer} << 16 | static_cast<uint32_t>(status) << 13 | kByteCount,
          uint32_t{requester} << 16 | (tag & 0xffu) << 8, 0};
}

}  // namespace npuvp::pcie

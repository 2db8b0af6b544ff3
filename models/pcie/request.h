// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <systemc>

namespace npuvp::pcie {

/// Bus, device and function number of a function: bus << 8 | device << 3 | function.
using RoutingId = uint16_t;

[[nodiscard]] constexpr uint8_t bus_of(RoutingId id) {
  return static_cast<uint8_t>(id >> 8);
}
[[nodiscard]] constexpr uint8_t devfn_of(RoutingId id) {
  return static_cast<uint8_t>(id & 0xff);
}

enum class RequestKind : uint8_t { kMemoryRead, kMemoryWrite, kConfigRead, kConfigWrite };

/// A burst on the fabric: one or more request TLPs to consecutive addresses. Links work out how many TLPs it is.
struct Request {
  RequestKind kind;
  uint64_t address = 0;     ///< Of memory; of a configuration request the register's offset.
  RoutingId completer = 0;  ///< Configuration requests only.
  bool is_type1 = false;    ///< Configuration requests only: for a device behind the one that the request reaches.
  RoutingId requester = 0;
  /// Filled by a read; a write leaves it unchanged. Up to 4 KiB, not across a multiple of it.
  std::span<uint8_t> data{};
  uint32_t max_read_bytes = 0;  ///< The requester splits reads into requests of this size; 0: never.
  bool poison = false;          ///< The data is known to be bad.
  /// Absolute: when the requester's earlier posted writes, which it follows, have arrived.
  sc_core::sc_time not_before{};

  [[nodiscard]] bool is_memory() const { return kind == RequestKind::kMemoryRead || kind == RequestKind::kMemoryWrite; }
  [[nodiscard]] bool is_read() const { return kind == RequestKind::kMemoryRead || kind == RequestKind::kConfigRead; }
};

/// When a burst passes a place, relative to sc_time_stamp().
struct Passage {
  sc_core::sc_time begin;  ///< First beat.
  sc_core::sc_time end;    ///< Last beat.

  void shift(const sc_core::sc_time& by) {
    begin += by;
    end += by;
  }
};

/// Completion status, encoded as on the wire (PCI Express Base Specification 2.2.9).
enum class Completion : uint8_t { kSuccess = 0, kUnsupportedRequest = 1, kCompleterAbort = 4 };

/// Largest burst of a Request, and the boundary that it must not cross.
inline constexpr uint64_t kBurstBytes = 4096;

/// Whatever requests can be sent to: the receiving side of a link, bridge, bus or function.
class RequestSink {
 public:
  virtual ~RequestSink() = default;

  /// Carries the request out. `passage` is on entry when it arrives here; on return, for a read, when its data leaves
  /// here, and for a write, when it has been carried out. Never waits. Data of an unsuccessful read is undefined.
  virtual Completion receive(Request& request, Passage& passage) = 0;
};

}  // namespace npuvp::pcie

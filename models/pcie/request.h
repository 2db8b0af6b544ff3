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

/// kCompletion is the data of a peer-to-peer read that completion redirect sends through the root, routed by
/// `completer`; every other completion is the return of receive().
enum class RequestKind : uint8_t { kMemoryRead, kMemoryWrite, kConfigRead, kConfigWrite, kMessage, kCompletion };

/// Message codes, PCI Express Base Specification 2.2.8.3. All are routed to the root.
enum class MessageCode : uint8_t { kErrorCorrectable = 0x30, kErrorNonFatal = 0x31, kErrorFatal = 0x33 };

/// A burst on the fabric: one or more TLPs to consecutive addresses. Links work out how many TLPs it is.
struct Request {
  RequestKind kind;
  uint64_t address = 0;     ///< Of memory; of a configuration request the register's offset.
  RoutingId completer = 0;  ///< Configuration requests; where a kCompletion goes.
  bool is_type1 = false;    ///< Configuration requests only: for a device behind the one that the request reaches.
  RoutingId requester = 0;
  /// Filled by a read; a write leaves it unchanged. Up to 4 KiB, not across a multiple of it.
  std::span<uint8_t> data{};
  bool may_lend = false;          ///< Of a read: `lent` may say where the data lies instead.
  const uint8_t* lent = nullptr;  ///< As long as `data`, valid until the next event.
  uint32_t max_read_bytes = 0;    ///< The requester splits reads into requests of this size; 0: never.
  MessageCode message = MessageCode::kErrorCorrectable;  ///< Messages only.
  bool poison = false;                                   ///< The data is known to be bad.
  bool translated = false;                               ///< Address type "translated" (10.2.1); ACS may refuse it.
  bool relaxed_ordering = false;                         ///< Attributes of the TLP, 2.2.6.4.
  bool id_based_ordering = false;
  /// Absolute: when the requester's earlier posted writes, which it follows, have arrived.
  sc_core::sc_time not_before{};

  [[nodiscard]] bool is_memory() const { return kind == RequestKind::kMemoryRead || kind == RequestKind::kMemoryWrite; }
  [[nodiscard]] bool is_config() const { return kind == RequestKind::kConfigRead || kind == RequestKind::kConfigWrite; }
  [[nodiscard]] bool is_read() const { return kind == RequestKind::kMemoryRead || kind == RequestKind::kConfigRead; }
  [[nodiscard]] bool is_write() const { return kind == RequestKind::kMemoryWrite || kind == RequestKind::kConfigWrite; }
  /// Nobody completes it.
  [[nodiscard]] bool is_posted() const { return kind == RequestKind::kMemoryWrite || kind == RequestKind::kMessage; }
  [[nodiscard]] bool is_non_posted() const { return is_read() || kind == RequestKind::kConfigWrite; }
};

/// When a burst passes a place, relative to sc_time_stamp().
struct Passage {
  sc_core::sc_time begin;  ///< First beat.
  sc_core::sc_time end;    ///< Last beat.
  /// On return of receive(): when the receiver's buffer is free of it again, which gives the credits back.
  sc_core::sc_time drained;

  void shift(const sc_core::sc_time& by) {
    begin += by;
    end += by;
  }
};

/// Completion status, encoded as on the wire (PCI Express Base Specification 2.2.9), and what a requester sees when no
/// completion comes.
enum class Completion : uint8_t {
  kSuccess = 0,
  kUnsupportedRequest = 1,
  kCompleterAbort = 4,
  kTimeout = 0xff,
};

/// Largest burst of a Request, and the boundary that it must not cross.
inline constexpr uint64_t kBurstBytes = 4096;

/// Whatever requests can be sent to: the receiving side of a link, bridge, bus or function.
class RequestSink {
 public:
  virtual ~RequestSink() = default;

  /// Carries the request out. `passage` is on entry when it arrives here; on return, for a read, when its data leaves
  /// here, and for a write, when it has been carried out. Never waits. Data of an unsuccessful read is undefined.
  ///
  /// The status of a posted request is for the component that has to report the error only: its requester never
  /// learns it. kTimeout: the request or its completion was lost on the way.
  virtual Completion receive(Request& request, Passage& passage) = 0;
};

}  // namespace npuvp::pcie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npuvp::debug::gdb {

/// Most bytes between '$' and '#' of a packet, of either side.
inline constexpr size_t kMostPacketBytes = 0x4000;

/// `$payload#checksum`.
[[nodiscard]] std::string frame(std::string_view payload);

/// What binary data has in front of '#', '$', '}' and '*' removed or put there.
[[nodiscard]] std::optional<std::string> unescape(std::string_view data);
[[nodiscard]] std::string escape(std::string_view data);

[[nodiscard]] std::string to_hex(std::span<const uint8_t> bytes);
/// Nothing if `text` is not an even number of hexadecimal digits.
[[nodiscard]] std::optional<std::vector<uint8_t>> from_hex(std::string_view text);

/// Takes parts off a packet's payload from the left; a part that is not there leaves everything as it is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view word);
  /// One to sixteen hexadecimal digits, big-endian, as numbers are written in packets.
  std::optional<uint64_t> take_number();
  /// Everything up to `end`, which is taken too, or up to the end of the payload.
  std::string_view take_until(char end);
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Cuts the stream of bytes from a debugger into packets (GDB manual, appendix "Remote Protocol", Overview). Keeps no
/// more than one packet.
class PacketReader {
 public:
  enum class Kind : uint8_t {
    kPacket,       ///< Its payload, still escaped.
    kBadChecksum,  ///< A packet that must be sent again.
    kTooLong,      ///< More than kMostPacketBytes; the rest of it is dropped.
    kAcknowledged,
    kRefused,    ///< '-': our last packet is wanted again.
    kInterrupt,  ///< Byte 3, Ctrl-C.
  };
  using Handler = std::function<void(Kind kind, std::string_view payload)>;

  /// Calls `handler` for each thing that is complete; what is outside of packets and means nothing is dropped.
  void take(std::string_view bytes, const Handler& handler);

 private:
  enum class State : uint8_t { kOutside, kPayload, kFirstDigit, kSecondDigit };

  void take_outside(char byte, const Handler& handler);
  void take_payload(char byte, const Handler& handler);
  void finish(char digit, const Handler& handler);

  State state_ = State::kOutside;
  std::string payload_;
  uint8_t sum_ = 0;
  char first_digit_ = 0;
};

}  // namespace npuvp::debug::gdb

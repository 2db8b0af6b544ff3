// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/packet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace npuvp::debug::gdb {
namespace {

constexpr char kInterruptByte = 3;
constexpr char kEscapeFlip = 0x20;
constexpr size_t kMostDigits = 16;

int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

}  // namespace

std::string frame(std::string_view payload) {
  uint8_t sum = 0;
  for (const char each : payload) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(each));
  return fmt::format("${}#{:02x}", payload, sum);
}

std::optional<std::string> unescape(std::string_view data) {
  std::string out;
  for (size_t at = 0; at < data.size(); ++at) {
    if (data[at] != '}') {
      out += data[at];
    } else if (++at < data.size()) {
      out += static_cast<char>(data[at] ^ kEscapeFlip);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::string escape(std::string_view data) {
  constexpr std::string_view kSpecial = "#$}*";
  std::string out;
  for (const char each : data) {
    if (kSpecial.find(each) == std::string_view::npos) {
      out += each;
    } else {
      out += {'}', static_cast<char>(each ^ kEscapeFlip)};
    }
  }
  return out;
}

std::string to_hex(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const uint8_t each : bytes) out += {kDigits[each >> 4], kDigits[each & 15]};
  return out;
}

std::optional<std::vector<uint8_t>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<uint8_t> out;
  out.reserve(text.size() / 2);
  for (size_t at = 0; at < text.size(); at += 2) {
    const int high = digit(text[at]);
    const int low = digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return out;
}

bool Scanner::take(std::string_view word) {
  if (!rest_.starts_with(word)) return false;
  rest_.remove_prefix(word.size());
  return true;
}

std::optional<uint64_t> Scanner::take_number() {
  uint64_t value = 0;
  size_t count = 0;
  while (count < rest_.size() && digit(rest_[count]) >= 0) {
    if (count == kMostDigits) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit(rest_[count++]));
  }
  if (count == 0) return std::nullopt;
  rest_.remove_prefix(count);
  return value;
}

std::string_view Scanner::take_until(char end) {
  const size_t at = std::min(rest_.find(end), rest_.size());
  const std::string_view part = rest_.substr(0, at);
  rest_.remove_prefix(std::min(at + 1, rest_.size()));
  return part;
}

void PacketReader::take(std::string_view bytes, const Handler& handler) {
  for (const char byte : bytes) {
    switch (state_) {
      case State::kOutside:
        take_outside(byte, handler);
        break;
      case State::kPayload:
        take_payload(byte, handler);
        break;
      case State::kFirstDigit:
        first_digit_ = byte;
        state_ = State::kSecondDigit;
        break;
      case State::kSecondDigit:
        state_ = State::kOutside;
        finish(byte, handler);
        break;
    }
  }
}

void PacketReader::take_outside(char byte, const Handler& handler) {
  switch (byte) {
    case '$':
      state_ = State::kPayload;
      payload_.clear();
      sum_ = 0;
      break;
    case '+':
      handler(Kind::kAcknowledged, {});
      break;
    case '-':
      handler(Kind::kRefused, {});
      break;
    case kInterruptByte:
      handler(Kind::kInterrupt, {});
      break;
    default:
      break;
  }
}

void PacketReader::take_payload(char byte, const Handler& handler) {
  if (byte == '#') {
    state_ = State::kFirstDigit;
  } else if (byte == '$') {
    take_outside(byte, handler);  // the end of the packet before got lost
  } else if (payload_.size() == kMostPacketBytes) {
    state_ = State::kOutside;
    handler(Kind::kTooLong, {});
  } else {
    payload_ += byte;
    sum_ = static_cast<uint8_t>(sum_ + static_cast<uint8_t>(byte));
  }
}

void PacketReader::finish(char second_digit, const Handler& handler) {
  const int high = digit(first_digit_);
  const int low = digit(second_digit);
  const bool right = high >= 0 && low >= 0 && (high << 4 | low) == sum_;
  // A copy: the handler may lead back here.
  const std::string payload = std::exchange(payload_, {});
  handler(right ? Kind::kPacket : Kind::kBadChecksum, right ? std::string_view(payload) : std::string_view());
}

}  // namespace npuvp::debug::gdb

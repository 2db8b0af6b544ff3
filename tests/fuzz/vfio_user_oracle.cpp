// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/vfio_user_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"

namespace npuvp::fuzz {
namespace {

// Numbers of the specification, not the server's constants.
constexpr uint32_t kHeaderBytes = 16;
constexpr uint32_t kLongestMessage = kHeaderBytes + 16 + (1 << 20);
constexpr uint32_t kTypeMask = 0xf;
constexpr uint32_t kNoReply = 0x10;
constexpr uint32_t kErrorFlag = 0x20;
constexpr uint64_t kPage = 4096;
constexpr size_t kMostFds = 16;

/// For ends of ranges: one more than the last address may not fit in 64 bits.
__extension__ using Wide = unsigned __int128;

constexpr uint16_t kVersion = 1;
constexpr uint16_t kDmaMap = 2;
constexpr uint16_t kDmaUnmap = 3;
constexpr uint16_t kGetInfo = 4;
constexpr uint16_t kGetRegionInfo = 5;
constexpr uint16_t kGetRegionIoFds = 6;
constexpr uint16_t kGetIrqInfo = 7;
constexpr uint16_t kSetIrqs = 8;
constexpr uint16_t kRegionRead = 9;
constexpr uint16_t kRegionWrite = 10;
constexpr uint16_t kReset = 13;
constexpr uint16_t kWriteMulti = 15;

/// Regions of the VMD as its README says.
constexpr std::array<uint64_t, 9> kRegionBytes{32 << 20, 0, 64 << 20, 0, 1 << 30, 0, 0, 4096, 0};
constexpr std::array<uint32_t, 5> kVectors{0, 0, 32, 1, 1};

template <typename Value>
Value value_at(std::span<const uint8_t> bytes, size_t offset) {
  Value value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// offset, region, count at `at` of the payload.
bool is_inside(std::span<const uint8_t> payload, size_t at = 0) {
  const auto offset = value_at<uint64_t>(payload, at);
  const auto region = value_at<uint32_t>(payload, at + 8);
  const auto count = value_at<uint32_t>(payload, at + 12);
  if (region >= kRegionBytes.size() || count == 0 || count > 1 << 20) return false;
  const Wide end = static_cast<Wide>(offset) + count;
  return end <= kRegionBytes[region];
}

std::vector<uint8_t> head(std::span<const uint8_t> bytes, size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count)};
}

}  // namespace

void Oracle::sent(const ClientMessage& message, std::span<const uint8_t> bytes) {
  if (is_certain_ && at_boundary() && message.header.size == bytes.size()) {
    predict(message);
  } else {
    frame(bytes);
  }
}

void Oracle::sent_raw(std::span<const uint8_t> bytes) {
  frame(bytes);
}

void Oracle::frame(std::span<const uint8_t> bytes) {
  is_certain_ = false;
  while (!bytes.empty()) {
    if (left_ > 0) {
      const auto now = std::min<uint64_t>(left_, bytes.size());
      left_ -= now;
      bytes = bytes.subspan(now);
      if (left_ == 0 && current_) expect(*current_, Outcome::kEither);
      continue;
    }
    const size_t now = std::min(bytes.size(), kHeaderBytes - header_.size());
    header_.insert(header_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(now));
    bytes = bytes.subspan(now);
    if (header_.size() < kHeaderBytes) return;
    const auto header = value_at<host::vfio_user::Header>(header_, 0);
    header_.clear();
    current_.reset();
    if (header.size < kHeaderBytes) {
      expect(header, Outcome::kError);
    } else if (header.size > kLongestMessage) {
      expect(header, Outcome::kError);
      left_ = header.size - kHeaderBytes;
    } else if (header.size == kHeaderBytes) {
      expect(header, Outcome::kEither);
    } else {
      current_ = header;
      left_ = header.size - kHeaderBytes;
    }
  }
}

void Oracle::expect(const host::vfio_user::Header& header, Outcome outcome, std::optional<size_t> bytes,
                    std::vector<uint8_t> begin) {
  const uint32_t type = header.flags & kTypeMask;
  if (type == 1 || (header.flags & kNoReply) != 0) return;  // a reply is not answered
  if (type != 0) outcome = Outcome::kError;
  expected_.push_back({header.id, header.command, outcome, bytes, std::move(begin)});
}

void Oracle::predict(const ClientMessage& message) {
  const auto& header = message.header;
  const std::span<const uint8_t> payload = message.payload;
  const auto give = [&](bool success, size_t bytes, std::vector<uint8_t> begin = {}) {
    expect(header, success ? Outcome::kSuccess : Outcome::kError, bytes, std::move(begin));
  };
  if (header.size > kLongestMessage) return give(false, 0);
  const bool takes_fds = header.command == kDmaMap || header.command == kSetIrqs;
  const bool is_command = (header.flags & kTypeMask) == 0;
  const bool is_out_of_place = !is_negotiated_ && header.command != kVersion;
  if (!is_command || message.fds.size() > (takes_fds ? kMostFds : 0) || is_out_of_place) return give(false, 0);
  // First word of most payloads: the length that the client believes the structure has.
  const auto has = [&](size_t bytes) { return payload.size() == bytes && value_at<uint32_t>(payload, 0) >= bytes; };
  switch (header.command) {
    case kVersion:
      return expect(header, predict_version(payload));
    case kDmaMap:
      return expect(header, predict_dma_map(message), 0);
    case kDmaUnmap:
      return expect(header, predict_dma_unmap(payload), 24, head(payload, std::min<size_t>(payload.size(), 24)));
    case kGetInfo:
      return give(has(16), 16, {16, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0});
    case kGetRegionInfo:
      return give(has(32) && value_at<uint32_t>(payload, 8) < kRegionBytes.size(), 32, {32, 0, 0, 0});
    case kGetRegionIoFds:
      return give(has(16) && value_at<uint32_t>(payload, 4) == 0 &&
                      value_at<uint32_t>(payload, 8) < kRegionBytes.size() && value_at<uint32_t>(payload, 12) == 0,
                  16, {16, 0, 0, 0});
    case kGetIrqInfo:
      return give(has(16) && value_at<uint32_t>(payload, 8) < kVectors.size(), 16, {16, 0, 0, 0});
    case kSetIrqs:
      return expect(header, predict_set_irqs(message), 0);
    case kRegionRead: {
      const bool fits = payload.size() == 16 && is_inside(payload);
      return give(fits, fits ? 16 + size_t{value_at<uint32_t>(payload, 12)} : 0,
                  fits ? head(payload, 16) : head({}, 0));
    }
    case kRegionWrite: {
      const bool fits =
          payload.size() >= 16 && is_inside(payload) && payload.size() - 16 == value_at<uint32_t>(payload, 12);
      return give(fits, 16, fits ? head(payload, 16) : head({}, 0));
    }
    case kWriteMulti: {
      bool fits = payload.size() >= 8 && (payload.size() - 8) % 24 == 0 &&
                  value_at<uint64_t>(payload, 0) == (payload.size() - 8) / 24;
      for (size_t at = 8; fits && at < payload.size(); at += 24) {
        fits = is_inside(payload, at) && value_at<uint32_t>(payload, at + 12) <= 8;
      }
      return give(fits, 8, fits ? head(payload, 8) : head({}, 0));
    }
    case kReset:
      return give(payload.empty(), 0);
    default:
      return give(false, 0);
  }
}

Oracle::Outcome Oracle::predict_version(std::span<const uint8_t> payload) {
  if (is_negotiated_ || payload.size() < 4 || value_at<uint16_t>(payload, 0) != 0) return Outcome::kError;
  const std::string_view text(reinterpret_cast<const char*>(payload.data()) + 4, payload.size() - 4);
  using namespace std::literals;
  const bool is_right = text.empty() || text == "{}\0"sv || text == "{\"capabilities\":{\"max_msg_fds\":8}}\0"sv ||
                        text == "{\"capabilities\":{\"pgsizes\":-1}}\0"sv;
  if (is_right) {
    is_negotiated_ = true;
    return Outcome::kSuccess;
  }
  if (text == "{\0"sv || text.back() != '\0') return Outcome::kError;
  // To say whether a text is JSON takes a parser.
  is_certain_ = false;
  return Outcome::kEither;
}

Oracle::Outcome Oracle::predict_dma_map(const ClientMessage& message) {
  const std::span<const uint8_t> payload = message.payload;
  if (payload.size() != 32 || value_at<uint32_t>(payload, 0) < 32 || message.fds.size() > 1) return Outcome::kError;
  const auto flags = value_at<uint32_t>(payload, 4);
  const auto offset = value_at<uint64_t>(payload, 8);
  const Range range{value_at<uint64_t>(payload, 16), value_at<uint64_t>(payload, 24)};
  const auto end_of = [](const Range& each) { return static_cast<Wide>(each.address) + each.bytes; };
  const bool fits = range.bytes > 0 && range.bytes % kPage == 0 && range.address % kPage == 0 &&
                    end_of(range) <= static_cast<Wide>(1) << 64;
  if (!fits) return Outcome::kError;
  if (!message.fds.empty()) {
    const auto kind = message.fds.front();
    const uint64_t file = memory_pages(kind) * kPage;
    if (offset % kPage != 0 || offset > file || range.bytes > file - offset) return Outcome::kError;
    if (kind == FdKind::kReadOnlyMemory && (flags & 2) != 0) return Outcome::kError;
    // The address space may be too small for it.
    if (kind == FdKind::kHugeMemory) is_map_certain_ = false;
  }
  if (!is_map_certain_) return Outcome::kEither;
  const bool overlaps = std::any_of(maps_.begin(), maps_.end(), [&](const Range& other) {
    return range.address < end_of(other) && other.address < end_of(range);
  });
  if (overlaps) return Outcome::kError;
  maps_.push_back(range);
  return Outcome::kSuccess;
}

Oracle::Outcome Oracle::predict_dma_unmap(std::span<const uint8_t> payload) {
  if (payload.size() != 24 || value_at<uint32_t>(payload, 0) < 24 || value_at<uint32_t>(payload, 4) != 0) {
    return Outcome::kError;
  }
  if (!is_map_certain_) return Outcome::kEither;
  const auto removed = std::erase_if(maps_, [&](const Range& each) {
    return each.address == value_at<uint64_t>(payload, 8) && each.bytes == value_at<uint64_t>(payload, 16);
  });
  return removed == 1 ? Outcome::kSuccess : Outcome::kError;
}

Oracle::Outcome Oracle::predict_set_irqs(const ClientMessage& message) {
  const std::span<const uint8_t> payload = message.payload;
  if (payload.size() < 20 || value_at<uint32_t>(payload, 0) < 20) return Outcome::kError;
  const auto flags = value_at<uint32_t>(payload, 4);
  const auto index = value_at<uint32_t>(payload, 8);
  const uint64_t start = value_at<uint32_t>(payload, 12);
  const uint64_t count = value_at<uint32_t>(payload, 16);
  if (index >= kVectors.size() || start + count > kVectors[index]) return Outcome::kError;
  const size_t data = payload.size() - 20;
  switch (flags) {
    case 0x21:  // trigger, no data; none at all: all are given back
      return data == 0 && message.fds.empty() && (count > 0 || start == 0) ? Outcome::kSuccess : Outcome::kError;
    case 0x22:  // trigger, a flag each
      return data == count && message.fds.empty() ? Outcome::kSuccess : Outcome::kError;
    case 0x24: {  // eventfds; none: taken away
      const bool right = std::all_of(message.fds.begin(), message.fds.end(), [](FdKind kind) {
        return kind == FdKind::kEventfd || kind == FdKind::kFullEventfd;
      });
      return data == 0 && right && (message.fds.empty() || message.fds.size() == count) ? Outcome::kSuccess
                                                                                        : Outcome::kError;
    }
    default:
      return Outcome::kError;
  }
}

void Oracle::received(std::span<const uint8_t> bytes) {
  received_.insert(received_.end(), bytes.begin(), bytes.end());
  size_t at = 0;
  while (received_.size() - at >= kHeaderBytes) {
    const auto header = value_at<host::vfio_user::Header>(received_, at);
    if (header.size < kHeaderBytes || header.size > kLongestMessage) {
      report_finding(fmt::format("a reply says that it has {} bytes", header.size));
    }
    if (received_.size() - at < header.size) break;
    check(header, std::span(received_).subspan(at + kHeaderBytes, header.size - kHeaderBytes));
    at += header.size;
  }
  received_.erase(received_.begin(), received_.begin() + static_cast<ptrdiff_t>(at));
}

void Oracle::check(const host::vfio_user::Header& header, std::span<const uint8_t> payload) {
  if (expected_.empty()) report_finding(fmt::format("a reply to nothing, command {}", header.command));
  const auto expected = std::move(expected_.front());
  expected_.pop_front();
  const bool failed = (header.flags & kErrorFlag) != 0;
  const auto fail = [&](const std::string& what) {
    report_finding(fmt::format("reply {} to command {}: {}", header.id, expected.command, what));
  };
  if (header.id != expected.id || header.command != expected.command) {
    fail(fmt::format("expected id {}, got command {}", expected.id, header.command));
  }
  if ((header.flags & ~kErrorFlag) != 1) fail(fmt::format("flags {:#x}", header.flags));
  if (failed != (header.error != 0)) fail(fmt::format("flags {:#x} with errno {}", header.flags, header.error));
  if (failed && !payload.empty()) fail(fmt::format("an error with {} bytes of payload", payload.size()));
  if (expected.outcome == Outcome::kSuccess && failed) fail(fmt::format("refused with errno {}", header.error));
  if (expected.outcome == Outcome::kError && !failed) fail("accepted");
  if (!failed) {
    if (expected.bytes && *expected.bytes != payload.size()) {
      fail(fmt::format("{} bytes of payload instead of {}", payload.size(), *expected.bytes));
    }
    if (payload.size() < expected.begin.size() ||
        !std::equal(expected.begin.begin(), expected.begin.end(), payload.begin())) {
      fail("not what was asked for");
    }
  }
  last_payload_.assign(payload.begin(), payload.end());
  last_error_ = header.error;
}

}  // namespace npuvp::fuzz

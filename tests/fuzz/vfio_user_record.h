// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platform/host/vfio_user/protocol.h"

namespace npuvp::fuzz {

/// The input of the vfio_user target is a list of these: a step of the client's, mostly a message that is right but for
/// what `twist` says. Of fixed size, so that a mutation changes one step and leaves the others what they were.
struct Record {
  uint8_t action;  ///< An Action, modulo their number.
  uint8_t twist;   ///< Low nibble a Twist, high nibble flags k... below.
  uint8_t fds;     ///< 0: what the message needs; else low nibble an FdKind, high nibble how many (see fd_count()).
  uint8_t select;  ///< Variant of the action.
  uint32_t a;
  uint64_t b;

  static constexpr uint8_t kNoReply = 0x10;      ///< The message asks for no reply.
  static constexpr uint8_t kKeepBack = 0x20;     ///< Sent together with the next one.
  static constexpr uint8_t kDoesNotRead = 0x40;  ///< The client leaves replies in the socket while the server waits.
};
static_assert(sizeof(Record) == 16);

enum class Action : uint8_t {
  kVersion,           ///< select: the JSON text, see kVersionTexts; behind them `b` as text; a: major version
  kDmaMap,            ///< a: page of the address; b: page count (low 16 bits), page of the file; select: see dma_map()
  kDmaUnmap,          ///< the same
  kGetInfo,           //
  kGetRegionInfo,     ///< select: region
  kGetRegionIoFds,    ///< select: region
  kGetIrqInfo,        ///< select: interrupt
  kSetIrqs,           ///< select: interrupt and data; a: start, count; b: flags, data
  kRegionRead,        ///< select: place and size; a: offset there
  kRegionWrite,       ///< the same; b: data
  kRegionWriteMulti,  ///< a: offset; b: data; select: place and number of entries
  kDeviceReset,       //
  kOther,             ///< a: command
  kCardDma,           ///< five writes that make the card copy: a: source, destination page; b: bytes, start
  kRun,               ///< simulated time passes: a nanoseconds, at most 1 ms
  kHangUp,            ///< nothing more is sent
  kRaw,               ///< 12 bytes from a and b, in no frame
  kCount,
};

enum class Twist : uint8_t {
  kNone = 0,        // 0 to 8: more often than the others
  kSize = 9,        ///< a is the header's size
  kShorter = 10,    ///< the payload lacks a % 64 + 1 bytes
  kLonger = 11,     ///< a % 64 + 1 zeros follow the payload
  kType = 12,       ///< the low 4 bits of a are the header's type
  kCommand = 13,    ///< a is the command
  kTwoPieces = 14,  ///< sent in two pieces, the server runs in between
  kFlipByte = 15,   ///< a byte of the payload is changed
};

enum class FdKind : uint8_t {
  kEventfd,
  kMemory,          ///< 64 pages
  kSmallMemory,     ///< one page
  kHugeMemory,      ///< 1 TiB, sparse
  kReadOnlyMemory,  ///< 64 pages
  kFullEventfd,     ///< blocks a writer
  kBrokenPipe,      ///< kills a writer
  kFullPipe,        ///< blocks a writer
  kConnection,      ///< the client's end of this very connection
  kDevice,          ///< /dev/null
  kFolder,
  kCount,
};

/// Pages of a memory file; 0 for what is none.
[[nodiscard]] uint64_t memory_pages(FdKind kind);

/// A message as the client sends it.
struct ClientMessage {
  host::vfio_user::Header header{};
  std::vector<uint8_t> payload;
  std::vector<FdKind> fds;
};

/// The messages of a step, numbered from `id`; none for an action that sends none. A twist applies to each.
[[nodiscard]] std::vector<ClientMessage> messages_of(const Record& record, uint16_t id);

/// Where the client's memory may lie and what the fabric's addresses are; the harness programs them
/// (vfio_user_fuzz.cpp).
inline constexpr uint64_t kBar2Address = 0xe000'0000;
inline constexpr uint64_t kBar4Address = 0x40'0000'0000;
inline constexpr uint64_t kCardBar2Offset = 256ULL << 20;  // in BAR4, for its alignment
/// Behind the switch: registers of the cards in BAR2 at once and twice kBranchOffset, those of the first one's virtual
/// functions kVirtualOffset further.
inline constexpr uint64_t kBranchOffset = 1 << 20;
inline constexpr uint64_t kVirtualOffset = 512 << 10;
inline constexpr uint64_t kSriov = 0x220;  // the capability in the card's configuration space

}  // namespace npuvp::fuzz

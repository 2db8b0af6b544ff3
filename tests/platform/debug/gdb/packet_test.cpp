// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace npuvp::debug::gdb {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Kind = PacketReader::Kind;

std::vector<std::pair<Kind, std::string>> read(PacketReader& reader, std::string_view bytes) {
  std::vector<std::pair<Kind, std::string>> events;
  reader.take(bytes, [&](Kind kind, std::string_view payload) { events.emplace_back(kind, payload); });
  return events;
}

// The checksum is the sum of the payload's bytes modulo 256: 'O' 0x4f + 'K' 0x4b = 0x9a, '?' 0x3f.
TEST(GdbPacket, HasTheSumOfItsBytes) {
  EXPECT_EQ(frame("OK"), "$OK#9a");
  EXPECT_EQ(frame(""), "$#00");
}

TEST(GdbPacket, IsReadInAnyPieces) {
  PacketReader reader;
  EXPECT_THAT(read(reader, "+$?#3f\x03-"), ElementsAre(Pair(Kind::kAcknowledged, ""), Pair(Kind::kPacket, "?"),
                                                       Pair(Kind::kInterrupt, ""), Pair(Kind::kRefused, "")));
  for (const char byte : std::string("$O")) EXPECT_TRUE(read(reader, std::string(1, byte)).empty());
  EXPECT_TRUE(read(reader, "K#9").empty());
  EXPECT_THAT(read(reader, "a$#00"), ElementsAre(Pair(Kind::kPacket, "OK"), Pair(Kind::kPacket, "")));
}

TEST(GdbPacket, WithAWrongSumIsRefusedAndTheNextOneIsRead) {
  PacketReader reader;
  EXPECT_THAT(read(reader, "$OK#9b$OK#9A$OK#zz"),
              ElementsAre(Pair(Kind::kBadChecksum, ""), Pair(Kind::kPacket, "OK"), Pair(Kind::kBadChecksum, "")));
}

TEST(GdbPacket, ThatLostItsEndGivesWayToTheNextOne) {
  PacketReader reader;
  EXPECT_THAT(read(reader, "$m100$?#3f"), ElementsAre(Pair(Kind::kPacket, "?")));
}

TEST(GdbPacket, IsNotKeptBeyondItsLargestSize) {
  PacketReader reader;
  EXPECT_TRUE(read(reader, "$" + std::string(kMostPacketBytes, 'x')).empty());
  EXPECT_THAT(read(reader, "x"), ElementsAre(Pair(Kind::kTooLong, "")));
  EXPECT_THAT(read(reader, "xxx#00$?#3f"), ElementsAre(Pair(Kind::kPacket, "?")));
}

TEST(GdbPacket, EscapesWhatTheFramingUses) {
  EXPECT_EQ(escape("a#b$c}d*"),
            "a}\x03"
            "b}\x04"
            "c}]d}\x0a");
  EXPECT_EQ(unescape(escape("a#b$c}d*")), "a#b$c}d*");
  EXPECT_EQ(unescape("x}"), std::nullopt);
}

TEST(GdbPacket, HexIsReadOnlyWhole) {
  EXPECT_EQ(to_hex(std::vector<uint8_t>{0x01, 0xfe}), "01fe");
  EXPECT_EQ(from_hex("01Fe"), (std::vector<uint8_t>{0x01, 0xfe}));
  EXPECT_EQ(from_hex("01f"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(GdbPacket, ScannerTakesNumbersOfAtMost64Bits) {
  Scanner scanner("fFf,ffffffffffffffff;10000000000000000");
  EXPECT_EQ(scanner.take_number(), 0xfffU);
  EXPECT_EQ(scanner.take_number(), std::nullopt);
  EXPECT_TRUE(scanner.take(","));
  EXPECT_EQ(scanner.take_number(), ~0ULL);
  EXPECT_TRUE(scanner.take(";"));
  EXPECT_EQ(scanner.take_number(), std::nullopt);
  EXPECT_EQ(scanner.rest(), "10000000000000000");
}

}  // namespace
}  // namespace npuvp::debug::gdb

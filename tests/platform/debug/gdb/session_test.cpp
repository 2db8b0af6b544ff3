// SPDX-License-Identifier: Apache-2.0
// Packets and answers as the GDB manual's appendix "Remote Protocol" has them.
#include "platform/debug/gdb/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/platform/debug/gdb/fake_target.h"

namespace npuvp::debug::gdb {
namespace {

using test::FakeTarget;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class GdbSession : public testing::Test {
 protected:
  void SetUp() override {
    session.emplace(target, [this](std::string_view bytes) { sent += bytes; });
    EXPECT_EQ(ask("QStartNoAckMode"), "+$OK#9a");
    EXPECT_EQ(ask("qSupported:multiprocess+;swbreak+;hwbreak+").substr(0, 16), "$PacketSize=4000");
  }
  /// Everything sent in answer.
  std::string ask(std::string_view payload) {
    sent.clear();
    alive = session->receive(frame(payload));
    return sent;
  }
  /// The one packet sent in answer.
  std::string reply(std::string_view payload) {
    const std::string bytes = ask(payload);
    EXPECT_EQ(bytes, frame(bytes.substr(1, bytes.size() - 4))) << payload;
    return bytes.substr(1, bytes.size() - 4);
  }

  FakeTarget target;
  std::string sent;
  std::optional<Session> session;
  bool alive = true;
};

TEST_F(GdbSession, HasTheTargetAsLongAsItLives) {
  EXPECT_TRUE(target.attached);
  session.reset();
  EXPECT_FALSE(target.attached);
}

TEST_F(GdbSession, AnswersWhatItDoesNotKnowWithAnEmptyPacket) {
  for (const char* packet :
       {"", "vMustReplyEmpty", "qTStatus", "Z9,0,4", "!", "vFlashErase:0,1", "qXfer:auxv:read::0,10"}) {
    EXPECT_EQ(reply(packet), "") << packet;
  }
}

TEST_F(GdbSession, ReadsAndWritesRegistersOfTheChosenThread) {
  target.registers[0] = {1, 2, 3, 0x0123456789abcdef};
  target.registers[1] = {5, 6, 7, 8};
  EXPECT_EQ(reply("p3"), "efcdab8967452301");
  EXPECT_EQ(reply("Hg2"), "OK");
  EXPECT_EQ(reply("g"), "0500000000000000060000000000000007000000000000000800000000000000");
  EXPECT_EQ(reply("P1=1100000000000000"), "OK");
  EXPECT_EQ(target.registers[1][1], 0x11U);
  EXPECT_EQ(reply("G" + std::string(64, '0')), "OK");
  EXPECT_EQ(target.registers[1][1], 0U);
  EXPECT_EQ(reply("p9"), "xxxxxxxx");
  EXPECT_EQ(reply("p4"), "E16");
  EXPECT_EQ(reply("P4=00"), "E16");
  EXPECT_EQ(reply("P1=1"), "E01");
  EXPECT_EQ(reply("G00"), "E01");
  EXPECT_EQ(reply("Hg3"), "E16");
  EXPECT_EQ(reply("qC"), "QC2");
}

TEST_F(GdbSession, ReadsAndWritesMemory) {
  EXPECT_EQ(reply("M100010,3:a1b2c3"), "OK");
  EXPECT_EQ(reply("m100010,4"), "a1b2c300");
  EXPECT_EQ(reply("X100010,2:\x7f}\x03"), "OK");  // an escaped '#'
  EXPECT_EQ(reply("m100010,2"), "7f23");
  EXPECT_EQ(reply("X100010,0:"), "OK");
  EXPECT_EQ(reply("m10ffff,4"), "00") << "as far as there is memory";
  for (const char* packet :
       {"m110000,1", "mffff,1", "mffffffffffffffff,2", "M10ffff,2:0000", "Mffffffffffffffff,1:00"}) {
    EXPECT_EQ(reply(packet), "E0e") << packet;
  }
  for (const char* packet : {"m", "m100000", "m100000,", "m100000,1x", "M100000,2:00", "M100000,1:0g", "X100000,1:}"}) {
    EXPECT_EQ(reply(packet), "E01") << packet;
  }
  EXPECT_EQ(reply("m100000,ffffffffffffffff").size(), kMostPacketBytes) << "no more than fits a packet";
}

TEST_F(GdbSession, KeepsPoints) {
  EXPECT_EQ(reply("Z0,100000,2"), "OK");
  EXPECT_EQ(reply("Z2,100020,8"), "OK");
  EXPECT_THAT(target.points, ElementsAre(std::tuple{PointKind::kSoftware, 0x100000U, 2U},
                                         std::tuple{PointKind::kWrite, 0x100020U, 8U}));
  EXPECT_EQ(reply("z0,100000,2"), "OK");
  EXPECT_EQ(reply("Z1,100000,2"), "OK");
  EXPECT_EQ(reply("Z3,100000,2"), "OK");
  EXPECT_EQ(reply("Z4,100000,2"), "OK");
  EXPECT_EQ(reply("Z4,100008,2"), "E1c") << "no more room";
  EXPECT_EQ(reply("Z1,100000"), "E01");
}

TEST_F(GdbSession, RunsThreadsAsTheLeftmostActionSays) {
  EXPECT_THAT(reply("vCont?"), HasSubstr("c;C;s;S"));
  EXPECT_EQ(ask("vCont;s:2;c"), "");
  EXPECT_THAT(target.resumed, ElementsAre(ThreadAction::kContinue, ThreadAction::kStep));
  EXPECT_EQ(reply("vCont;c"), "E01") << "they run already";
  sent.clear();
  target.handler({.thread = 1, .reason = Stop::Reason::kStep});
  EXPECT_EQ(sent, frame("T05thread:2;"));
  EXPECT_EQ(reply("qC"), "QC2");
  ask("vCont;S05:1");
  EXPECT_THAT(target.resumed, ElementsAre(ThreadAction::kStep, ThreadAction::kStay));
  target.handler({});
  for (const char* packet : {"vCont;", "vCont;x", "vCont;c:9", "vCont;c:zz", "vCont;:1"}) {
    EXPECT_THAT(reply(packet), StartsWith("E")) << packet;
  }
}

TEST_F(GdbSession, SaysWhyThreadsStopped) {
  const auto stop_reply = [&](const Stop& stop) {
    ask("c");
    sent.clear();
    target.handler(stop);
    return sent;
  };
  using Reason = Stop::Reason;
  EXPECT_EQ(stop_reply({0, Reason::kPoint, PointKind::kSoftware, 0}), frame("T05thread:1;swbreak:;"));
  EXPECT_EQ(stop_reply({0, Reason::kPoint, PointKind::kHardware, 0}), frame("T05thread:1;hwbreak:;"));
  EXPECT_EQ(stop_reply({1, Reason::kPoint, PointKind::kWrite, 0x100020}), frame("T05thread:2;watch:100020;"));
  EXPECT_EQ(stop_reply({0, Reason::kPoint, PointKind::kRead, 0x1}), frame("T05thread:1;rwatch:1;"));
  EXPECT_EQ(stop_reply({0, Reason::kPoint, PointKind::kAccess, 0x1}), frame("T05thread:1;awatch:1;"));
  EXPECT_EQ(stop_reply({0, Reason::kBreakpoint}), frame("T05thread:1;"));
  EXPECT_EQ(reply("?"), "T05thread:1;");
}

TEST_F(GdbSession, StopsRunningThreadsOnControlC) {
  sent.clear();
  EXPECT_TRUE(session->receive("\x03"));
  EXPECT_EQ(sent, "") << "they stand";
  ask("c");
  EXPECT_TRUE(session->receive("\x03"));
  EXPECT_EQ(target.halts, 1);
  EXPECT_EQ(sent, frame("T02thread:1;"));
}

TEST_F(GdbSession, ListsThreads) {
  EXPECT_EQ(reply("qfThreadInfo"), "m1,2");
  EXPECT_EQ(reply("qsThreadInfo"), "l");
  EXPECT_EQ(reply("T2"), "OK");
  EXPECT_EQ(reply("T3"), "E16");
  EXPECT_EQ(reply("qThreadExtraInfo,2"), "686172742031");  // "hart 1"
  EXPECT_THAT(reply("qXfer:threads:read::0,1000"), HasSubstr("<thread id=\"2\" core=\"1\" name=\"hart 1\"/>"));
}

TEST_F(GdbSession, SendsTheDescriptionInPieces) {
  EXPECT_EQ(reply("qXfer:features:read:target.xml:0,9"), "m<target>}\x03");
  EXPECT_EQ(reply("qXfer:features:read:target.xml:9,100"), "l}\x04}]}\x0a</target>");
  EXPECT_EQ(reply("qXfer:features:read:other.xml:0,9"), "E00");
  EXPECT_EQ(reply("qXfer:features:read:target.xml:1000,9"), "E16");
  EXPECT_EQ(reply("qXfer:features:read:target.xml:0"), "E01");
  target.xml = std::string(kMostPacketBytes, '#');
  EXPECT_LE(reply("qXfer:features:read:target.xml:0,ffffffff").size(), kMostPacketBytes);
}

TEST_F(GdbSession, PassesMonitorCommandsOn) {
  EXPECT_EQ(ask("qRcmd,68656c70"), frame("O5b68656c705d0a") + frame("OK"));  // "help" -> "[help]\n"
  EXPECT_EQ(reply("qRcmd,6"), "E01");
}

TEST_F(GdbSession, EndsByDetachKillOrATooLongPacket) {
  EXPECT_EQ(ask("D"), frame("OK"));
  EXPECT_FALSE(alive);
  session.emplace(target, [this](std::string_view bytes) { sent += bytes; });
  EXPECT_EQ(ask("vKill;1"), "+$OK#9a");
  EXPECT_FALSE(alive);
  session.emplace(target, [this](std::string_view bytes) { sent += bytes; });
  EXPECT_TRUE(session->receive("$"));
  EXPECT_FALSE(session->receive(std::string(kMostPacketBytes + 1, 'x')));
}

TEST(GdbSessionWithAcknowledgement, AsksForABrokenPacketAgainAndRepeatsItsOwn) {
  FakeTarget target;
  std::string sent;
  Session session(target, [&](std::string_view bytes) { sent += bytes; });
  EXPECT_TRUE(session.receive("$qC#00"));
  EXPECT_EQ(sent, "-");
  EXPECT_TRUE(session.receive("$qC#b4-"));
  EXPECT_EQ(sent, "-+$QC1#c5$QC1#c5");
}

}  // namespace
}  // namespace npuvp::debug::gdb

// SPDX-License-Identifier: Apache-2.0
// The firmware's prompt on the UART, natively on the fake card.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/firmware/cp_fixture.h"

extern "C" {
#include "firmware/abi/boot_record.h"
#include "firmware/abi/otp.h"
}

namespace npuvp::firmware_test {
namespace {

class Console : public CpFixture {
 protected:
  /// What the console says to `text`.
  std::string answer(std::string_view text) {
    card.console.clear();
    card.type(text);
    run();
    return card.console;
  }
};

TEST_F(Console, IsSilentUntilSomebodyTypes) {
  EXPECT_FALSE(said("npu>"));
  EXPECT_EQ(answer("\r"), "\r\nnpu> ");
}

TEST_F(Console, EchoesAndTakesCharactersBack) {
  EXPECT_EQ(answer("hx"), "hx");
  EXPECT_EQ(answer("\x7f"), "\b \b");
  EXPECT_EQ(answer("elp"), "elp");
  EXPECT_NE(answer("\r").find("sensors: temperatures, power and clocks\r\n"), std::string::npos);
  EXPECT_EQ(answer("abc\x15"), "abc\b \b\b \b\b \b");
  EXPECT_EQ(answer("\b"), "") << "nothing is left to take back";
  EXPECT_EQ(answer("status\x03"), "status\r\nnpu> ") << "Ctrl-C drops the line";
}

TEST_F(Console, NamesAnUnknownCommandAndTheRemedy) {
  EXPECT_EQ(answer("statu\r"), "statu\r\nno command 'statu'; 'help' lists them\r\nnpu> ");
  EXPECT_EQ(answer("  help \n").substr(0, 15), "  help \r\nstatus") << "blanks around a command do not count";
}

TEST_F(Console, ALineHasAnEnd) {
  const std::string longest(63, 'x');
  EXPECT_EQ(answer(longest + "yz"), longest + "\a\a");
  EXPECT_NE(answer("\r").find("no command '" + longest + "'"), std::string::npos);
}

TEST_F(Console, ControlCharactersAreNotPartOfALine) {
  EXPECT_EQ(answer(std::string_view("\x1b\0\x80\xff", 4)), "");
}

TEST_F(Console, StatusCountsWhatTheCardHolds) {
  EXPECT_NE(answer("status\r").find("0 contexts, 0 queues, 0 jobs running"), std::string::npos);
  create(0);
  create(1);
  card.task_manager_duration_ns = UINT64_MAX;
  put(0, 0, execute(0, 1));
  card.ring_sq_tail(0, 1);
  run();
  const std::string text = answer("status\r");
  EXPECT_NE(text.find("2 contexts, 2 queues, 1 jobs running"), std::string::npos) << text;
  EXPECT_NE(text.find("P2, normal, throttled 0 times"), std::string::npos) << text;
}

TEST_F(Console, ContextsAndQueuesShowTheirCounters) {
  create(0);
  EXPECT_EQ(run_first(nop(0, 9)).status, NPU_JOB_OK);
  const std::string contexts = answer("contexts\r");
  // function, context, asid, priority (normal), taken, ok, failed, aborted
  EXPECT_NE(contexts.find("       0      77    1        1     1  1      0       0 "), std::string::npos) << contexts;
  const std::string queues = answer("queues\r");
  EXPECT_NE(queues.find("       0     0      77       0             0 idle"), std::string::npos) << queues;
}

TEST_F(Console, SensorsShowTemperatureAndRails) {
  card.management.set_temperature(45'678);
  const std::string text = answer("sensors\r");
  EXPECT_NE(text.find("die 45.6 C\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("neural "), std::string::npos) << text;
  EXPECT_NE(text.find("shm "), std::string::npos) << text;
}

class LockedConsole : public CpFixture {
 protected:
  void SetUp() override {
    npu_boot_record record{};
    record.magic = NPU_BOOT_RECORD_MAGIC;
    record.version = NPU_BOOT_RECORD_VERSION;
    record.source = NPU_BOOT_SOURCE_SLOT_B;
    record.lifecycle = NPU_LIFECYCLE_PRODUCTION;
    std::memcpy(card.tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), &record, sizeof record);
    service_init();
  }
};

TEST_F(LockedConsole, IsDeafWhereDebugAccessIsClosed) {
  card.console.clear();
  card.type("boot\r");
  run();
  EXPECT_EQ(card.console, "");
}

class OpenConsole : public LockedConsole {
 protected:
  void SetUp() override {
    LockedConsole::SetUp();
    auto* const record = reinterpret_cast<npu_boot_record*>(card.tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM));
    record->debug_allowed = 1;
    record->slot_code[0] = NPU_BOOT_BAD_SIGNATURE;
    record->slot_code[1] = NPU_BOOT_BOOTED;
    service_init();
  }
};

TEST_F(OpenConsole, TellsWhatBootedAndWhyNothingElse) {
  card.console.clear();
  card.type("boot\r");
  run();
  EXPECT_TRUE(said("booted from flash slot B")) << card.console;
  EXPECT_TRUE(said("life cycle production, debug access open")) << card.console;
  EXPECT_TRUE(said("slot A: its signature is not valid")) << card.console;
  EXPECT_TRUE(said("host: the boot ROM did not try it")) << card.console;
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// Errors of the memory that the firmware itself lives in, from power-on to the restart: the real ROM and firmware on
// the whole card.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "firmware/abi/ecc.h"
#include "firmware/abi/telemetry.h"
#include "models/trng/trng.h"
#include "npu/registers/ecc.h"
#include "npu/registers/mailbox.h"
#include "npu/registers/system_controller.h"
#include "platform/debug/firmware/function_table.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/card_bus.h"
#include "tests/platform/assembly/crash_archive.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

constexpr uint32_t kTcm = 1U << NPU_ECC_TCM;
constexpr uint32_t kDouble = ECC_INJECT_DOUBLE_MASK | 9U << ECC_INJECT_BIT1_SHIFT | 4U;
/// Read by the message BOOT_RECORD and by nothing else that runs often.
constexpr uint64_t kRecordWord = NPU_MAP_BOOT_RECORD + 8;

struct BootedCard {
  explicit BootedCard(TestServer& run) : server(run), function(run.host, run.functions.front()) { boot(); }

  void boot() {
    const std::string image = TestServer::firmware();
    const host::InprocDevice device(server.host, server.functions.front(),
                                    {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
  }
  void inject(uint64_t address, uint32_t flips) {
    bus.write(NPU_MAP_ECC + ECC_INJECT_ADDRESS, address);
    bus.write(NPU_MAP_ECC + ECC_INJECT, flips);
  }
  uint32_t ecc(uint32_t offset) { return bus.read<uint32_t>(NPU_MAP_ECC + offset); }
  static void settle() { sc_core::wait(1, sc_core::SC_MS); }
  uint32_t state() { return function.read(MAILBOX_HOST_CARD_STATE) & MAILBOX_HOST_CARD_STATE_STATE_MASK; }

  TestServer& server;
  RawFunction function;
  CardBus bus;
};

void on_card(const std::function<void(BootedCard&)>& body) {
  TestServer run("server-1", [&body](TestServer& self) {
    BootedCard card(self);
    body(card);
  });
}

TEST(TcmErrors, TheRomInitialisesTheTcmAndNothingReadsItBefore) {
  on_card([](BootedCard& card) {
    EXPECT_EQ(card.ecc(ECC_CHECK) & kTcm, kTcm);
    EXPECT_EQ(card.ecc(ECC_INIT), 0U);
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_TCM)), 0U);
    // After a reset the contents are there, but code is made anew: again nothing may meet a word that has none.
    card.function.write(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
    card.boot();
    EXPECT_EQ(card.ecc(ECC_CHECK) & kTcm, kTcm);
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_TCM)), 0U);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  });
}

TEST(TcmErrors, ASingleErrorInDataIsCorrectedCountedAndWrittenBack) {
  on_card([](BootedCard& card) {
    const auto before = card.function.call(NPU_MESSAGE_BOOT_RECORD, {0, 0});
    card.inject(kRecordWord, 3);
    const auto reply = card.function.call(NPU_MESSAGE_BOOT_RECORD, {0, 0});
    EXPECT_TRUE(std::equal(before.begin() + 1, before.end(), reply.begin() + 1));
    BootedCard::settle();
    const uint32_t corrected = card.ecc(ECC_CORRECTED(NPU_ECC_TCM));
    EXPECT_GE(corrected, 1U);
    EXPECT_EQ(card.bus.read<uint64_t>(NPU_MAP_ECC + ECC_LAST_CORRECTED(NPU_ECC_TCM)), kRecordWord);
    EXPECT_EQ(card.ecc(ECC_CORRECTED_PENDING), 0U) << "the firmware has taken it";
    (void)card.function.call(NPU_MESSAGE_BOOT_RECORD, {0, 0});
    BootedCard::settle();
    EXPECT_EQ(card.ecc(ECC_CORRECTED(NPU_ECC_TCM)), corrected) << "the word is sound again";
    // A second one in the same word is a single one again.
    card.inject(kRecordWord, 60);
    (void)card.function.call(NPU_MESSAGE_BOOT_RECORD, {0, 0});
    BootedCard::settle();
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_TCM)), 0U);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  });
}

TEST(TcmErrors, ASingleErrorInCodeIsWrittenBackByTheDma) {
  on_card([](BootedCard& card) {
    debug::firmware::FunctionTable table;
    table.add(NPUVP_FIRMWARE_DIR "/cp.elf");
    const auto& functions = table.functions();
    const auto poll = std::find_if(functions.begin(), functions.end(),
                                   [](const auto& entry) { return entry.second.name == "cp_main"; });
    ASSERT_NE(poll, functions.end());
    const uint64_t address = poll->first & ~7ULL;
    const auto code = card.bus.read<uint64_t>(address);
    card.inject(address, 17);
    EXPECT_EQ(card.bus.read<uint64_t>(address), code);  // whoever meets it first
    BootedCard::settle();
    const uint32_t corrected = card.ecc(ECC_CORRECTED(NPU_ECC_TCM));
    EXPECT_GE(corrected, 1U);
    EXPECT_EQ(card.bus.read<uint64_t>(address), code);
    EXPECT_EQ(card.ecc(ECC_CORRECTED(NPU_ECC_TCM)), corrected) << "the word is sound again";
    EXPECT_EQ(card.function.status_of(NPU_MESSAGE_PING), uint32_t{NPU_MAILBOX_OK});
  });
}

TEST(TcmErrors, AnUncorrectableErrorEndsTheFirmwareWithItsPlaceAndTheWatchdogRestartsTheCard) {
  on_card([](BootedCard& card) {
    card.inject(kRecordWord, kDouble);
    EXPECT_EQ(card.function.call(NPU_MESSAGE_BOOT_RECORD, {0, 0})[0], RawFunction::kNoReply);
    EXPECT_EQ(card.function.read(MAILBOX_HOST_RESET_CAUSE), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG});
    card.boot();
    const ArchivedCrash crash = newest_crash(card.server.host, card.function);
    ASSERT_EQ(crash.reply[1], ArchivedCrash::kBytes);
    EXPECT_EQ(crash.dump.mcause, 5U) << "load access fault";
    EXPECT_EQ(crash.dump.mtval & ~7ULL, kRecordWord);
    EXPECT_EQ(crash.dump.memory, uint32_t{NPU_ECC_TCM + 1});
    EXPECT_EQ(crash.dump.memory_errors, 1U);
    EXPECT_EQ(crash.dump.memory_address, kRecordWord);
    EXPECT_EQ(card.ecc(ECC_UNCORRECTED(NPU_ECC_TCM)), 0U) << "the boot has written every word";
    EXPECT_EQ(card.function.status_of(NPU_MESSAGE_PING), uint32_t{NPU_MAILBOX_OK});
  });
}

TEST(SelfTest, ABrokenEntropySourceMakesTheCardFault) {
  on_card([](BootedCard& card) {
    auto* const trng = dynamic_cast<trng::Trng*>(sc_core::sc_find_object("server.card0.trng"));
    ASSERT_NE(trng, nullptr);
    trng->set_stuck(true);
    card.function.write(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
    EXPECT_THROW(card.boot(), runtime::DeviceError);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT});
    const host::HostBlock block(card.server.host.ram(), 4096);
    const auto bus = block.bus_address();
    EXPECT_EQ(card.function.status_of(NPU_MESSAGE_TELEMETRY,
                                      {0, static_cast<uint32_t>(bus), static_cast<uint32_t>(bus >> 32), 0, 0}),
              uint32_t{NPU_MAILBOX_OK});
    npu_telemetry page{};
    std::memcpy(&page, block.bytes().data(), sizeof(page));
    EXPECT_EQ(page.self_test, NPU_SELF_TEST_TRNG);
  });
}

}  // namespace
}  // namespace npuvp::tests

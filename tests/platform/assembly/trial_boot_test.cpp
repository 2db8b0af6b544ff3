// SPDX-License-Identifier: Apache-2.0
// What an update does when the new firmware is no good, and what a crash leaves: the real ROM and firmware on the whole
// card, with its flash, its watchdog and a host that only looks.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "npu/registers/mailbox.h"
#include "npu/registers/system_controller.h"
#include "platform/debug/firmware/function_table.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/firmware/signing.h"
#include "tests/platform/assembly/crash_archive.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

using sc_core::SC_MS;
using sc_core::SC_SEC;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr uint32_t kFirstVersion = 0x020000;

std::vector<uint8_t> firmware() {
  const std::string image = TestServer::firmware();
  return {image.begin(), image.end()};
}

std::vector<uint8_t> signed_image(firmware_test::TestImage image, uint32_t version, uint32_t security_version = 0) {
  image.header.image_version = version;
  image.header.security_version = security_version;
  image.sign(firmware_test::SigningKey(std::string(NPU_TEST_KEY)));
  return image.bytes();
}

/// The firmware as built, as version `version`.
std::vector<uint8_t> good(uint32_t version) {
  const auto built = firmware();
  npu_image_header header{};
  std::memcpy(&header, built.data(), sizeof(header));
  firmware_test::TestImage image({built.begin() + sizeof(header), built.end()});
  image.header.load_address = header.load_address;
  image.header.entry = header.entry;
  return signed_image(std::move(image), version);
}

/// The one card of a server, whose host speaks to whatever runs there.
struct FlashCard {
  explicit FlashCard(TestServer& run) : server(run), function(run.host, run.functions.front()) {}

  /// Lets the firmware that runs, or that the host loads, put `image` into the other slot.
  void update(const std::vector<uint8_t>& image) {
    const auto built = firmware();
    host::InprocDevice device(server.host, server.functions.front(), built);
    device.update_firmware(image);
  }
  /// Resets the card and waits until firmware is ready; returns how long that took.
  sc_time reset() {
    const sc_time begin = sc_time_stamp();
    function.write(MAILBOX_HOST_CONTROL, MAILBOX_HOST_CONTROL_CARD_RESET_MASK);
    while (state() != MAILBOX_HOST_CARD_STATE_STATE_READY && sc_time_stamp() < begin + sc_time(10, SC_SEC)) {
      EXPECT_NE(state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_FAULT}) << "a driver would give the card up";
      sc_core::wait(1, SC_MS);
    }
    EXPECT_EQ(state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
    const sc_time took = sc_time_stamp() - begin;
    sc_core::wait(10, SC_MS);  // on trial, to confirm
    return took;
  }
  uint32_t state() { return function.read(MAILBOX_HOST_CARD_STATE) & MAILBOX_HOST_CARD_STATE_STATE_MASK; }
  npu_boot_record record() {
    std::array<uint32_t, sizeof(npu_boot_record) / 4 + 7> words{};
    for (uint32_t word = 0; word < sizeof(npu_boot_record) / 4; word += 7) {
      const auto reply = function.call(NPU_MESSAGE_BOOT_RECORD, {0, word * 4});
      std::copy(reply.begin() + 1, reply.end(), words.begin() + word);
    }
    npu_boot_record record{};
    std::memcpy(&record, words.data(), sizeof(record));
    return record;
  }

  TestServer& server;
  RawFunction function;
};

void on_card(const std::function<void(FlashCard&)>& body) {
  TestServer run("server-1", [&body](TestServer& self) {
    FlashCard card(self);
    body(card);
  });
}

/// Slot B has good firmware, slot A gets `bad` on trial: three attempts end by the watchdog, `trap` before each.
void expect_falls_back(const std::vector<uint8_t>& bad, uint32_t trap) {
  on_card([&](FlashCard& card) {
    card.update(good(kFirstVersion));
    card.reset();
    EXPECT_EQ(card.record().source, uint32_t{NPU_BOOT_SOURCE_SLOT_B});
    EXPECT_EQ(card.record().image_version, kFirstVersion);
    EXPECT_EQ(card.record().trial, uint32_t{NPU_TRIAL_CONFIRMED | 1 << 8});
    card.update(bad);
    const double seconds = card.reset().to_seconds();
    EXPECT_GT(seconds, 3) << "three attempts of a second";
    EXPECT_LT(seconds, 3.5);
    EXPECT_EQ(card.function.read(MAILBOX_HOST_RESET_CAUSE), uint32_t{SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG});
    const npu_boot_record record = card.record();
    EXPECT_EQ(record.source, uint32_t{NPU_BOOT_SOURCE_SLOT_B});
    EXPECT_EQ(record.image_version, kFirstVersion);
    EXPECT_EQ(record.slot_code[0], uint32_t{NPU_BOOT_TRIAL_FAILED});
    EXPECT_EQ(record.trial, uint32_t{NPU_TRIAL_FAILED | NPU_BOOT_TRIAL_ATTEMPTS << 8});
    EXPECT_EQ(record.trial_end, NPU_BOOT_END(SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_WATCHDOG, trap));
    EXPECT_EQ(record.rollback, 0U) << "only confirmed firmware may raise it";
    EXPECT_LT(card.reset().to_seconds(), 0.2) << "it is not tried again";
    card.update(good(kFirstVersion + 1));
    card.reset();
    EXPECT_EQ(card.record().source, uint32_t{NPU_BOOT_SOURCE_SLOT_A});
    EXPECT_EQ(card.record().image_version, kFirstVersion + 1);
  });
}

TEST(TrialBoot, FirmwareThatHangsAtItsStartIsGivenUp) {
  // wfi; j .-4
  expect_falls_back(
      signed_image(firmware_test::TestImage({0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff}), kFirstVersion + 9, 40),
      NPU_BOOT_END_NO_TRAP);
}

TEST(TrialBoot, FirmwareThatCrashesAtItsStartIsGivenUp) {
  // An illegal instruction, mcause 2, which the boot ROM's handler takes.
  expect_falls_back(signed_image(firmware_test::TestImage(std::vector<uint8_t>(16)), kFirstVersion + 9, 40), 2);
}

TEST(TrialBoot, FirmwareThatCrashesLaterIsGivenUpByItsOwnTrapHandlerAndLeavesItsDump) {
  // The firmware as built whose main loop is an illegal instruction: its handler keeps the dump, the watchdog resets.
  const auto built = firmware();
  debug::firmware::FunctionTable table;
  table.add(NPUVP_FIRMWARE_DIR "/cp.elf");
  const auto& functions = table.functions();
  const auto main_loop = std::find_if(functions.begin(), functions.end(),
                                      [](const auto& entry) { return entry.second.name == "service_poll"; });
  ASSERT_NE(main_loop, functions.end());
  npu_image_header header{};
  std::memcpy(&header, built.data(), sizeof(header));
  firmware_test::TestImage image({built.begin() + sizeof(header), built.end()});
  image.header.load_address = header.load_address;
  image.header.entry = header.entry;
  std::memset(image.payload.data() + (main_loop->first - header.load_address), 0, 4);
  const auto bad = signed_image(std::move(image), kFirstVersion + 9);
  expect_falls_back(bad, 2);
}

TEST(CrashArchive, AHangLeavesItsDumpInFlashBeforeTheWatchdogBites) {
  on_card([](FlashCard& card) {
    card.update(good(kFirstVersion));
    card.reset();
    card.function.send(NPU_MESSAGE_TEST, {0, NPU_TEST_HANG});
    sc_core::wait(1100, SC_MS);
    EXPECT_EQ(card.state(), uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY}) << "booted again from flash";
    const ArchivedCrash crash = newest_crash(card.server.host, card.function);
    ASSERT_EQ(crash.reply[1], ArchivedCrash::kBytes);
    EXPECT_EQ(crash.reply[2], 1U);
    EXPECT_EQ(crash.reply[3], 1U);
    EXPECT_EQ(crash.entry.magic, NPU_CRASH_ENTRY_MAGIC);
    EXPECT_EQ(crash.dump.mcause, 1ULL << 63 | 3);
    EXPECT_GE(crash.dump.pc, NPU_MAP_TCM);
    EXPECT_LT(crash.dump.pc, NPU_MAP_TCM + NPU_MAP_TCM_BYTES);
    EXPECT_GT(crash.dump.stack_bytes, 0U);
    EXPECT_EQ(card.record().trial & 0xff, uint32_t{NPU_TRIAL_NONE}) << "confirmed firmware may hang without ado";
  });
}

}  // namespace
}  // namespace npuvp::tests

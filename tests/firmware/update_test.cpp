// SPDX-License-Identifier: Apache-2.0
// Messages of the firmware update, natively: what is refused, and that the rest of the firmware goes on meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "npu/registers/mailbox.h"
#include "tests/firmware/cp_fixture.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/mailbox.h"
#include "firmware/abi/otp.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/trap.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint32_t kBus = 0x70'0000;

class Update : public CpFixture {
 protected:
  /// As the fixture's, but the reply may come later.
  Message ask(const Message& message, uint32_t function = 0) {
    card.send(message, function);
    run();
    for (unsigned sleeps = 0; !card.reply(function) && sleeps < 10000; ++sleeps) sleep_and_run();
    EXPECT_TRUE(card.reply(function).has_value());
    return card.reply(function).value_or(Message{});
  }
  static uint32_t status(const Message& reply) { return NPU_MAILBOX_STATUS(reply[0]); }
  uint32_t begin(uint32_t bytes) { return status(ask({NPU_MESSAGE_UPDATE_BEGIN, bytes})); }
  uint32_t write(uint32_t bytes, uint32_t offset, uint32_t bus = kBus) {
    return status(ask({NPU_MESSAGE_UPDATE_WRITE, bus, 0, bytes, offset}));
  }
};

TEST_F(Update, NeedsABeginning) {
  EXPECT_EQ(write(256, 0), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(status(ask({NPU_MESSAGE_UPDATE_FINISH})), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(status(ask({NPU_MESSAGE_UPDATE_COMMIT})), static_cast<uint32_t>(NPU_MAILBOX_NOT_READY));
}

TEST_F(Update, RefusesSizesThatFitNoSlot) {
  for (uint32_t bytes : {0u, 352u, NPU_FLASH_SLOT_BYTES + 1, 0xffffffffu}) {
    EXPECT_EQ(begin(bytes), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT)) << bytes;
  }
  EXPECT_EQ(begin(NPU_FLASH_SLOT_BYTES), static_cast<uint32_t>(NPU_MAILBOX_OK));
}

TEST_F(Update, TakesPiecesInOrderOnly) {
  card.host.map(kBus, 4096);
  ASSERT_EQ(begin(5000), static_cast<uint32_t>(NPU_MAILBOX_OK));
  EXPECT_EQ(write(256, 256), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(write(0, 0), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(write(4097, 0), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(write(4096, 0, kBus + 4), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(write(4096, 0), static_cast<uint32_t>(NPU_MAILBOX_OK));
  EXPECT_EQ(write(4096, 0), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(write(905, 4096), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(status(ask({NPU_MESSAGE_UPDATE_FINISH})), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(write(904, 4096), static_cast<uint32_t>(NPU_MAILBOX_OK));
}

TEST_F(Update, WritesWhatTheHostHas) {
  std::vector<uint8_t> data(4096);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 31 + 5);
  card.host.map(kBus, data.size());
  ASSERT_TRUE(card.host.write(kBus, data));
  std::fill_n(card.security.flash.begin() + NPU_FLASH_SLOT(1), 8192, uint8_t{0});  // an old image
  ASSERT_EQ(begin(4096 + 8), static_cast<uint32_t>(NPU_MAILBOX_OK));
  ASSERT_EQ(write(4096, 0), static_cast<uint32_t>(NPU_MAILBOX_OK));
  EXPECT_TRUE(std::equal(data.begin(), data.end(), card.security.flash.begin() + NPU_FLASH_SLOT(1)));
  // Nothing beyond the sector, and nothing in the slot that boots.
  EXPECT_EQ(card.security.flash[NPU_FLASH_SLOT(1) + 4096], 0);
  EXPECT_EQ(card.security.flash[NPU_FLASH_SLOT(0)], 0xff);
}

TEST_F(Update, OfFirmwareFromTheHostSparesTheSlotThatIsKnownToWork) {
  const auto select = [this](uint32_t slot) {
    const npu_boot_selection selection{NPU_FLASH_SELECTION_MAGIC, 1, slot, ~(NPU_FLASH_SELECTION_MAGIC ^ 1 ^ slot)};
    std::memcpy(card.security.flash.data(), &selection, sizeof(selection));
  };
  const auto slot = [this] { return ask({NPU_MESSAGE_UPDATE_BEGIN, 5000})[2]; };
  EXPECT_EQ(slot(), 1u) << "nothing is selected: slot A is tried first";
  select(1);
  EXPECT_EQ(slot(), 0u);
  select(1 | NPU_FLASH_SLOT_ON_TRIAL);
  EXPECT_EQ(slot(), 1u) << "slot A has worked";
  std::memset(card.security.flash.data() + NPU_FLASH_TRIAL(0), 0, NPU_BOOT_TRIAL_ATTEMPTS * sizeof(npu_boot_attempt));
  EXPECT_EQ(slot(), 1u) << "its trial has failed";
  std::memset(card.security.flash.data() + NPU_FLASH_TRIAL(0), 0, sizeof(npu_boot_trial));
  EXPECT_EQ(slot(), 0u) << "confirmed";
}

TEST_F(Update, SaysThatTheHostsMemoryIsUnreadable) {
  ASSERT_EQ(begin(5000), static_cast<uint32_t>(NPU_MAILBOX_OK));
  const Message reply = ask({NPU_MESSAGE_UPDATE_WRITE, 0x7fff'0000, 0, 4096, 0});
  EXPECT_EQ(status(reply), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(reply[1], static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
}

TEST_F(Update, SaysThatTheFlashIsGone) {
  card.security.flash_answers = false;
  const Message reply = ask({NPU_MESSAGE_UPDATE_BEGIN, 5000});
  EXPECT_EQ(status(reply), static_cast<uint32_t>(NPU_MAILBOX_NOT_READY));
  EXPECT_EQ(reply[1], static_cast<uint32_t>(NPU_BOOT_FLASH_ERROR));
}

TEST_F(Update, GivesUpAFlashThatNeverEndsAWrite) {
  card.host.map(kBus, 4096);
  ASSERT_EQ(begin(5000), static_cast<uint32_t>(NPU_MAILBOX_OK));
  card.security.busy_polls = 1000000;
  const Message reply = ask({NPU_MESSAGE_UPDATE_WRITE, kBus, 0, 4096, 0});
  EXPECT_EQ(status(reply), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(reply[1], static_cast<uint32_t>(NPU_BOOT_FLASH_ERROR));
  card.security.busy_polls = 0;
  EXPECT_EQ(write(4096, 0), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));  // to be begun anew
}

TEST_F(Update, RefusesWhatIsNoImage) {
  card.host.map(kBus, 4096);
  ASSERT_EQ(begin(4096), static_cast<uint32_t>(NPU_MAILBOX_OK));
  ASSERT_EQ(write(4096, 0), static_cast<uint32_t>(NPU_MAILBOX_OK));
  const Message reply = ask({NPU_MESSAGE_UPDATE_FINISH});
  EXPECT_EQ(status(reply), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ(reply[1], static_cast<uint32_t>(NPU_BOOT_BAD_MAGIC));
}

/// Of firmware that the boot ROM has started on trial.
class UpdateOnTrial : public Update {
 protected:
  void SetUp() override {
    npu_boot_record record{};
    record.magic = NPU_BOOT_RECORD_MAGIC;
    record.version = NPU_BOOT_RECORD_VERSION;
    record.source = NPU_BOOT_SOURCE_SLOT_B;
    record.security_version = 3;
    record.trial = NPU_TRIAL_RUNS | 1 << 8;
    std::memcpy(card.tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), &record, sizeof(record));
    Update::SetUp();
  }
  static bool on_trial() { return boot_trial_running(); }
};

TEST_F(UpdateOnTrial, ConfirmsWhenItIsReadyAndNothingIsLeftToDo) {
  EXPECT_TRUE(on_trial());
  card.send({NPU_MESSAGE_PING});
  run();
  EXPECT_TRUE(on_trial());
  card.send({NPU_MESSAGE_PING});  // wakes it at once
  sleep_and_run();
  EXPECT_FALSE(on_trial());
  EXPECT_TRUE(said("confirmed, the trial is over"));
}

TEST_F(UpdateOnTrial, DoesNotOverwriteTheSlotToGoBackTo) {
  EXPECT_EQ(begin(5000), static_cast<uint32_t>(NPU_MAILBOX_BUSY));
}

TEST_F(UpdateOnTrial, TheHostMayConfirmByCommit) {
  card.send({NPU_MESSAGE_UPDATE_COMMIT});
  run();
  EXPECT_FALSE(on_trial());
  EXPECT_EQ(status(card.reply().value()), static_cast<uint32_t>(NPU_MAILBOX_OK));
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK], 0b111u);
}

TEST_F(UpdateOnTrial, TheRollbackCounterStaysWhenTheFlashDoesNotTakeTheConfirmation) {
  card.security.flash_answers = false;
  card.send({NPU_MESSAGE_UPDATE_COMMIT});
  run();
  EXPECT_EQ(status(card.reply().value()), static_cast<uint32_t>(NPU_MAILBOX_NOT_READY));
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK], 0u);
}

TEST_F(UpdateOnTrial, ATrapIsLeftToTheWatchdog) {
  trap_frame frame{};
  frame.mcause = 2;
  card.management.watchdog_asleep = false;
  trap_report(&frame);
  EXPECT_FALSE(card.management.watchdog_asleep);
  EXPECT_EQ(card.card_state, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_LOADING})
      << "no fault to be looked at: it starts again by itself";
}

TEST_F(UpdateOnTrial, AFailedSelfTestIsLeftToTheWatchdogToo) {
  card.management.dma_fails = true;
  service_init();
  const unsigned kicks = card.management.kicks;
  card.send({NPU_MESSAGE_PING});
  run();
  EXPECT_EQ(card.management.kicks, kicks);
}

TEST_F(Update, IsForThePhysicalFunctionOnly) {
  for (uint32_t opcode : {NPU_MESSAGE_UPDATE_BEGIN, NPU_MESSAGE_UPDATE_WRITE, NPU_MESSAGE_UPDATE_FINISH,
                          NPU_MESSAGE_UPDATE_COMMIT, NPU_MESSAGE_BOOT_RECORD}) {
    EXPECT_EQ(status(ask({opcode, 5000}, 1)), static_cast<uint32_t>(NPU_MAILBOX_NOT_PERMITTED));
  }
}

}  // namespace
}  // namespace npuvp::firmware_test

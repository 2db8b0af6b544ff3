// SPDX-License-Identifier: Apache-2.0
#include "models/mailbox/mailbox.h"

#include <gtest/gtest.h>

#include <vector>

#include "npu/registers/mailbox.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::mailbox {
namespace {

class MailboxTest : public testing::Test {
 protected:
  MailboxTest() {
    environment.set_log_level("all", spdlog::level::off);
    host.port.socket.bind(mailbox.host);
    card.port.socket.bind(mailbox.card);
    mailbox.message.connect([this](bool level) { message = level; });
    mailbox.doorbell.connect([this](bool level) { doorbell = level; });
    mailbox.on_raise_vector([this](unsigned vector) { vectors.push_back(vector); });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  base::Environment environment;
  Mailbox mailbox{"mailbox", environment, {.abi_version = 0x00050007}};
  test::TestInitiator host{"host"};
  test::TestInitiator card{"card"};
  bool message = false;
  bool doorbell = false;
  std::vector<unsigned> vectors;
};

TEST_F(MailboxTest, IdentifiesItself) {
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_ID), 0x3055504eU);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_ABI_VERSION), 0x00050007U);
  mailbox.reset();
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_ABI_VERSION), 0x00050007U);
}

TEST_F(MailboxTest, CarriesAMessageToTheCard) {
  for (uint32_t i = 0; i < 8; ++i) host.write(MAILBOX_HOST_H2C_DATA(i), 100 + i);
  EXPECT_FALSE(message);
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{MAILBOX_HOST_H2C_DOORBELL_RING_MASK});
  EXPECT_TRUE(message);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), MAILBOX_HOST_STATUS_H2C_PENDING_MASK);
  for (uint32_t i = 0; i < 8; ++i) EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_H2C_DATA(i)), 100 + i);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_PENDING), MAILBOX_CARD_PENDING_MESSAGE_MASK);
  card.write(MAILBOX_CARD_PENDING, uint32_t{MAILBOX_CARD_PENDING_MESSAGE_MASK});
  EXPECT_FALSE(message);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), 0U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
}

TEST_F(MailboxTest, CarriesAReplyToTheHostAndRaisesVectorZero) {
  for (uint32_t i = 0; i < 8; ++i) card.write(MAILBOX_CARD_C2H_DATA(i), 200 + i);
  card.write(MAILBOX_CARD_C2H_DOORBELL, uint32_t{1});
  EXPECT_EQ(vectors, std::vector<unsigned>{0});
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), MAILBOX_HOST_STATUS_C2H_PENDING_MASK);
  for (uint32_t i = 0; i < 8; ++i) EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_C2H_DATA(i)), 200 + i);
  host.write(MAILBOX_HOST_STATUS, uint32_t{MAILBOX_HOST_STATUS_C2H_PENDING_MASK});
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), 0U);
}

TEST_F(MailboxTest, ReleasingAReplyBesideAPendingMessageIsNoMisuse) {
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  card.write(MAILBOX_CARD_C2H_DOORBELL, uint32_t{1});
  host.write(MAILBOX_HOST_STATUS, uint32_t{MAILBOX_HOST_STATUS_C2H_PENDING_MASK});
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), MAILBOX_HOST_STATUS_H2C_PENDING_MASK);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
}

TEST_F(MailboxTest, ReportsASecondMessageBeforeTheFirstIsTaken) {
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  host.write(MAILBOX_HOST_H2C_DATA(0), uint32_t{1});
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 2U);
}

TEST_F(MailboxTest, RingsADoorbellForEachQueue) {
  for (uint32_t queue = 0; queue < MAILBOX_HOST_SQ_TAIL_COUNT; ++queue) {
    host.write(MAILBOX_HOST_SQ_TAIL(queue), 10 + queue);
    EXPECT_TRUE(doorbell);
    EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_DOORBELLS), 1U << queue);
    EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_SQ_TAIL(queue)), 10 + queue);
    card.write(MAILBOX_CARD_DOORBELLS, 1U << queue);
    EXPECT_FALSE(doorbell);
    host.write(MAILBOX_HOST_CQ_HEAD(queue), 30 + queue);
    EXPECT_TRUE(doorbell);
    EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_CQ_HEAD(queue)), 30 + queue);
    card.write(MAILBOX_CARD_DOORBELLS, 1U << queue);
  }
  EXPECT_FALSE(doorbell);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_SQ_TAIL(0)), 10U);
}

TEST_F(MailboxTest, KeepsTheDoorbellLineUntilTheLastQueueIsServed) {
  host.write(MAILBOX_HOST_SQ_TAIL(1), uint32_t{1});
  host.write(MAILBOX_HOST_SQ_TAIL(4), uint32_t{1});
  card.write(MAILBOX_CARD_DOORBELLS, uint32_t{1U << 1});
  EXPECT_TRUE(doorbell);
  card.write(MAILBOX_CARD_DOORBELLS, uint32_t{1U << 4});
  EXPECT_FALSE(doorbell);
}

TEST_F(MailboxTest, ShowsStateAndBootCodeToTheHost) {
  card.write(MAILBOX_CARD_CARD_STATE, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  card.write(MAILBOX_CARD_BOOT_CODE, uint32_t{7});
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_CARD_STATE), MAILBOX_HOST_CARD_STATE_STATE_READY);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_BOOT_CODE), 7U);
}

TEST_F(MailboxTest, RaisesOnlyVectorsThatExist) {
  card.write(MAILBOX_CARD_RAISE_VECTOR, uint32_t{31});
  card.write(MAILBOX_CARD_RAISE_VECTOR, uint32_t{32});
  EXPECT_EQ(vectors, std::vector<unsigned>{31});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
}

TEST_F(MailboxTest, HostResetsTheCardAndNothingStaysPending) {
  int resets = 0;
  mailbox.on_card_reset([this, &resets] {
    ++resets;
    mailbox.reset();
  });
  host.write(MAILBOX_HOST_H2C_DATA(3), uint32_t{5});
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  host.write(MAILBOX_HOST_SQ_TAIL(2), uint32_t{5});
  card.write(MAILBOX_CARD_CARD_STATE, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY});
  card.write(MAILBOX_CARD_C2H_DOORBELL, uint32_t{1});
  host.write(MAILBOX_HOST_CONTROL, uint32_t{MAILBOX_HOST_CONTROL_CARD_RESET_MASK});
  EXPECT_EQ(resets, 1);
  EXPECT_FALSE(message);
  EXPECT_FALSE(doorbell);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), 0U);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_CARD_STATE), MAILBOX_HOST_CARD_STATE_STATE_RESET);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_SQ_TAIL(2)), 0U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_PENDING), 0U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_DOORBELLS), 0U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_H2C_DATA(3)), 0U);
}

}  // namespace
}  // namespace npuvp::mailbox

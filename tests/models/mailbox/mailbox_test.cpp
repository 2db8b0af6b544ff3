// SPDX-License-Identifier: Apache-2.0
#include "models/mailbox/mailbox.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <vector>

#include "firmware/abi/memory_map.h"
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
    mailbox.on_raise_vector([this](unsigned function, unsigned vector) {
      (function == 0 ? vectors : vf_vectors[function]).push_back(vector);
    });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  /// The host's next accesses go through BAR0 of `function`.
  void as(uint16_t function) { host.port.sideband().function = function; }
  /// Virtual functions are heard when the firmware runs.
  void make_ready() { card.write(MAILBOX_CARD_CARD_STATE, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_READY}); }
  /// Address of a register of the card's map in the bank of `function`.
  static uint64_t of(unsigned function, uint64_t offset) { return function * NPU_MAP_BLOCK_BYTES + offset; }

  base::Environment environment;
  Mailbox mailbox{"mailbox", environment, {.abi_version = 0x00050007, .functions = 17}};
  test::TestInitiator host{"host"};
  test::TestInitiator card{"card"};
  bool message = false;
  bool doorbell = false;
  std::vector<unsigned> vectors;
  std::map<unsigned, std::vector<unsigned>> vf_vectors;
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

TEST(Mailbox, RefusesAnImpossibleNumberOfFunctions) {
  base::Environment environment;
  EXPECT_THROW(Mailbox("none", environment, {.functions = 0}), std::invalid_argument);
  EXPECT_THROW(Mailbox("many", environment, {.functions = 18}), std::invalid_argument);
}

TEST_F(MailboxTest, HasAsManyFunctionsAsPcieGives) {
  as(16);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_ID), 0x3055504eU);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_ABI_VERSION), 0x00050007U);
  as(17);
  (void)host.read<uint32_t>(MAILBOX_HOST_ID);
  EXPECT_EQ(host.response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  (void)card.read<uint32_t>(of(17, MAILBOX_CARD_PENDING));
  EXPECT_EQ(card.response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_F(MailboxTest, MessagesOfFunctionsDoNotMeet) {
  make_ready();
  as(3);
  host.write(MAILBOX_HOST_H2C_DATA(0), uint32_t{300});
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  EXPECT_TRUE(message);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_FUNCTIONS_PENDING), 1U << 3);
  EXPECT_EQ(card.read<uint32_t>(of(3, MAILBOX_CARD_FUNCTIONS_PENDING)), 0U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_H2C_DATA(0)), 0U);
  EXPECT_EQ(card.read<uint32_t>(of(3, MAILBOX_CARD_H2C_DATA(0))), 300U);
  as(0);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), 0U);
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  card.write(of(3, MAILBOX_CARD_PENDING), uint32_t{1});
  EXPECT_TRUE(message);  // of function 0
  card.write(of(3, MAILBOX_CARD_C2H_DATA(0)), uint32_t{301});
  card.write(of(3, MAILBOX_CARD_C2H_DOORBELL), uint32_t{1});
  EXPECT_TRUE(vectors.empty());
  EXPECT_EQ(vf_vectors[3], std::vector<unsigned>{0});
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_C2H_DATA(0)), 0U);
  as(3);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_C2H_DATA(0)), 301U);
}

TEST_F(MailboxTest, DoorbellsOfFunctionsDoNotMeet) {
  make_ready();
  as(16);
  host.write(MAILBOX_HOST_SQ_TAIL(1), uint32_t{7});
  EXPECT_TRUE(doorbell);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_FUNCTIONS_RINGING), 1U << 16);
  EXPECT_EQ(card.read<uint32_t>(of(16, MAILBOX_CARD_DOORBELLS)), 2U);
  EXPECT_EQ(card.read<uint32_t>(of(16, MAILBOX_CARD_SQ_TAIL(1))), 7U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_DOORBELLS), 0U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_SQ_TAIL(1)), 0U);
  card.write(of(16, MAILBOX_CARD_DOORBELLS), uint32_t{2});
  EXPECT_FALSE(doorbell);
}

TEST_F(MailboxTest, AVirtualFunctionHasFewerQueuesAndVectors) {
  as(1);
  EXPECT_EQ(host.write(MAILBOX_HOST_CQ_HEAD(1), uint32_t{1}), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
  EXPECT_EQ(host.write(MAILBOX_HOST_SQ_TAIL(2), uint32_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(host.write(MAILBOX_HOST_CQ_HEAD(15), uint32_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  (void)card.read<uint32_t>(of(1, MAILBOX_CARD_SQ_TAIL(2)));
  EXPECT_EQ(card.response, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(card.read<uint32_t>(of(1, MAILBOX_CARD_DOORBELLS)), 2U);
  card.write(of(1, MAILBOX_CARD_RAISE_VECTOR), uint32_t{3});
  card.write(of(1, MAILBOX_CARD_RAISE_VECTOR), uint32_t{4});
  EXPECT_EQ(vf_vectors[1], std::vector<unsigned>{3});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 4U);
}

TEST_F(MailboxTest, TheCardsStateIsOneAndWrittenInOnePlace) {
  make_ready();
  card.write(MAILBOX_CARD_BOOT_CODE, uint32_t{7});
  card.write(of(5, MAILBOX_CARD_CARD_STATE), uint32_t{1});
  card.write(of(5, MAILBOX_CARD_BOOT_CODE), uint32_t{1});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 2U);
  for (uint16_t function : std::initializer_list<uint16_t>{0, 5, 16}) {
    as(function);
    EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_CARD_STATE), MAILBOX_HOST_CARD_STATE_STATE_READY);
    EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_BOOT_CODE), 7U);
    EXPECT_EQ(card.read<uint32_t>(of(function, MAILBOX_CARD_BOOT_CODE)), 7U);
  }
}

TEST_F(MailboxTest, VirtualFunctionsAreNotHeardBeforeTheFirmwareRuns) {
  card.write(MAILBOX_CARD_CARD_STATE, uint32_t{MAILBOX_HOST_CARD_STATE_STATE_ROM});
  as(2);
  host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
  host.write(MAILBOX_HOST_SQ_TAIL(0), uint32_t{1});
  EXPECT_FALSE(message || doorbell);
  make_ready();
  EXPECT_TRUE(message && doorbell);
}

TEST_F(MailboxTest, AFunctionResetClearsItsBankOnlyAndTellsTheCard) {
  make_ready();
  card.write(MAILBOX_CARD_BOOT_CODE, uint32_t{1});
  for (uint16_t function : std::initializer_list<uint16_t>{0, 1, 2}) {
    as(function);
    host.write(MAILBOX_HOST_H2C_DATA(0), uint32_t{9});
    host.write(MAILBOX_HOST_H2C_DOORBELL, uint32_t{1});
    host.write(MAILBOX_HOST_SQ_TAIL(0), uint32_t{5});
  }
  card.write(of(1, MAILBOX_CARD_C2H_DOORBELL), uint32_t{1});
  mailbox.function_reset(1);
  mailbox.function_reset(0);
  mailbox.function_reset(17);
  as(1);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), 0U);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_SQ_TAIL(0)), 0U);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_CARD_STATE), MAILBOX_HOST_CARD_STATE_STATE_READY);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_BOOT_CODE), 1U);
  EXPECT_EQ(card.read<uint32_t>(of(1, MAILBOX_CARD_PENDING)), MAILBOX_CARD_PENDING_FUNCTION_RESET_MASK);
  EXPECT_EQ(card.read<uint32_t>(of(1, MAILBOX_CARD_DOORBELLS)), 0U);
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_FUNCTIONS_PENDING), 7U);
  for (unsigned function : {0U, 2U}) {
    EXPECT_EQ(card.read<uint32_t>(of(function, MAILBOX_CARD_PENDING)), MAILBOX_CARD_PENDING_MESSAGE_MASK);
    EXPECT_EQ(card.read<uint32_t>(of(function, MAILBOX_CARD_SQ_TAIL(0))), 5U);
  }
}

TEST_F(MailboxTest, NothingReachesAFunctionWhoseResetTheCardHasNotSeen) {
  make_ready();
  mailbox.function_reset(1);
  EXPECT_TRUE(message);
  card.write(of(1, MAILBOX_CARD_C2H_DOORBELL), uint32_t{1});
  card.write(of(1, MAILBOX_CARD_RAISE_VECTOR), uint32_t{2});
  as(1);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_STATUS), 0U);
  EXPECT_TRUE(vf_vectors[1].empty());
  card.write(of(1, MAILBOX_CARD_PENDING), uint32_t{MAILBOX_CARD_PENDING_FUNCTION_RESET_MASK});
  EXPECT_FALSE(message);
  card.write(of(1, MAILBOX_CARD_RAISE_VECTOR), uint32_t{2});
  EXPECT_EQ(vf_vectors[1], std::vector<unsigned>{2});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 0U);
}

TEST_F(MailboxTest, CardResetOfAVirtualFunctionResetsOnlyIt) {
  bool card_was_reset = false;
  mailbox.on_card_reset([&] { card_was_reset = true; });
  make_ready();
  as(4);
  host.write(MAILBOX_HOST_SQ_TAIL(0), uint32_t{5});
  host.write(MAILBOX_HOST_CONTROL, uint32_t{MAILBOX_HOST_CONTROL_CARD_RESET_MASK});
  EXPECT_FALSE(card_was_reset);
  EXPECT_EQ(host.read<uint32_t>(MAILBOX_HOST_SQ_TAIL(0)), 0U);
  EXPECT_EQ(card.read<uint32_t>(of(4, MAILBOX_CARD_PENDING)), MAILBOX_CARD_PENDING_FUNCTION_RESET_MASK);
  mailbox.reset();
  EXPECT_EQ(card.read<uint32_t>(MAILBOX_CARD_FUNCTIONS_PENDING), 0U);
}

}  // namespace
}  // namespace npuvp::mailbox

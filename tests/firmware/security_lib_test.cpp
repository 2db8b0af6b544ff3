// SPDX-License-Identifier: Apache-2.0
// Drivers of OTP, flash, crypto block and GPIO against the fake card, and what is built on them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/firmware/fake_card.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/boot_record.h"
#include "firmware/lib/boot_record.h"
#include "firmware/lib/boot_selection.h"
#include "firmware/lib/crypto.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/gpio.h"
#include "firmware/lib/otp.h"
#include "firmware/lib/plic.h"
}

namespace npuvp::firmware_test {
namespace {

class SecurityLib : public testing::Test {
 protected:
  void SetUp() override { plic_init(PLIC_SOURCE(NPU_IRQ_MAILBOX)); }
  FakeCard card;
};

TEST_F(SecurityLib, OtpRaisesTheRollbackCounterOverWords) {
  EXPECT_TRUE(otp_raise_rollback(3));
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK], 0x7u);
  EXPECT_TRUE(otp_raise_rollback(2));  // it is that high
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK], 0x7u);
  EXPECT_TRUE(otp_raise_rollback(32));
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK], 0xffffffffu);
  (void)otp_raise_rollback(35);  // the fake card's counter ends at 32
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK + 1], 0x7u);
  EXPECT_FALSE(otp_raise_rollback(129));
  EXPECT_EQ(card.security.fuses[NPU_OTP_ROLLBACK + 4], 0u);
}

TEST_F(SecurityLib, OtpReadsKeys) {
  uint32_t hash[NPU_OTP_KEY_HASH_WORDS];
  EXPECT_FALSE(otp_key_hash(3, hash));
  card.security.fuses[NPU_OTP_KEY_HASH(3) + 7] = 5;
  EXPECT_TRUE(otp_key_hash(3, hash));
  EXPECT_EQ(hash[0], 0u);
  EXPECT_EQ(hash[7], 5u);
  card.security.fuses[NPU_OTP_KEY_REVOKED] = 0b1000;
  EXPECT_TRUE(otp_key_revoked(3));
  EXPECT_FALSE(otp_key_revoked(2));
}

TEST_F(SecurityLib, FlashWritesAndReadsAnyRange) {
  ASSERT_TRUE(flash_present());
  std::vector<uint8_t> data(256);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i ^ 0x5a);
  card.security.flash[0x5fff] = 0;
  EXPECT_TRUE(flash_erase(0x5000));
  EXPECT_EQ(card.security.flash[0x5fff], 0xff);
  EXPECT_TRUE(flash_program(0x5000, data.data(), 256));
  EXPECT_TRUE(flash_program(0x5100, data.data(), 3));
  EXPECT_TRUE(std::equal(data.begin(), data.end(), card.security.flash.begin() + 0x5000));
  EXPECT_EQ(card.security.flash[0x5103], 0xff);
  std::vector<uint8_t> back(301, 0xee);
  flash_read(0x5003, back.data(), 300);
  EXPECT_TRUE(std::equal(back.begin(), back.begin() + 300, card.security.flash.begin() + 0x5003));
  EXPECT_EQ(back[300], 0xee);
}

TEST_F(SecurityLib, FlashThatDoesNotAnswerIsNotThereAndNeverReady) {
  card.security.flash_answers = false;
  EXPECT_FALSE(flash_present());
  const uint64_t before = card.now_ns;
  EXPECT_FALSE(flash_erase(0));
  EXPECT_GE(card.now_ns - before, FLASH_TIMEOUT_NS);
  EXPECT_LT(card.now_ns - before, 2 * FLASH_TIMEOUT_NS);
}

TEST_F(SecurityLib, CryptoHashesInPiecesAndKeepsTheDigest) {
  std::vector<uint8_t> data(1000, 'x');
  const auto address = reinterpret_cast<uint64_t>(data.data());
  ASSERT_TRUE(crypto_hash(CRYPTO_SHA384, CRYPTO_FIRST, address, 400));
  ASSERT_TRUE(crypto_hash(CRYPTO_SHA384, CRYPTO_LAST, address + 400, 600));
  std::vector<uint8_t> digest(48);
  crypto_digest(CRYPTO_SHA384, digest.data());
  EXPECT_EQ(digest, digest_of(NPU_KEY_TYPE_P384, data));
  EXPECT_EQ(plic_enabled(), PLIC_SOURCE(NPU_IRQ_MAILBOX));
  card.security.crypto_fails = true;
  EXPECT_FALSE(crypto_hash(CRYPTO_SHA384, CRYPTO_FIRST | CRYPTO_LAST, address, 400));
}

TEST_F(SecurityLib, CryptoVerifiesTheDigestItHolds) {
  for (uint32_t type : {NPU_KEY_TYPE_P256, NPU_KEY_TYPE_P384}) {
    const SigningKey key(type);
    const enum crypto_hash hash = type == NPU_KEY_TYPE_P256 ? CRYPTO_SHA256 : CRYPTO_SHA384;
    std::vector<uint8_t> data(77, 'y');
    auto signature = key.sign(data);
    ASSERT_TRUE(crypto_hash(hash, CRYPTO_FIRST | CRYPTO_LAST, reinterpret_cast<uint64_t>(data.data()), 77));
    EXPECT_EQ(crypto_verify(hash, key.field().point, signature.data()), CRYPTO_VALID);
    signature[0] ^= 1;
    EXPECT_EQ(crypto_verify(hash, key.field().point, signature.data()), CRYPTO_INVALID);
    card.security.crypto_fails = true;
    EXPECT_EQ(crypto_verify(hash, key.field().point, signature.data()), CRYPTO_FAILED);
    card.security.crypto_fails = false;
  }
}

TEST_F(SecurityLib, GpioReadsTheStrap) {
  EXPECT_FALSE(gpio_strapped_for_recovery());
  card.security.straps = 0x4201;
  EXPECT_TRUE(gpio_strapped_for_recovery());
}

class BootSelection : public SecurityLib {
 protected:
  void put(uint32_t copy, uint32_t sequence, uint32_t slot) {
    const npu_boot_selection selection{NPU_FLASH_SELECTION_MAGIC, sequence, slot,
                                       ~(NPU_FLASH_SELECTION_MAGIC ^ sequence ^ slot)};
    std::memcpy(card.security.flash.data() + copy * 4096, &selection, sizeof(selection));
  }
};

TEST_F(BootSelection, IsSlotAWithoutAny) {
  const boot_selection none = boot_selection_read();
  EXPECT_EQ(none.slot, 0u);
  EXPECT_EQ(none.sequence, 0u);
  EXPECT_EQ(boot_selection_address(&none), 0u);
}

TEST_F(BootSelection, IsTheOneWithTheHigherSequence) {
  put(0, 7, 0);
  put(1, 8, 1);
  boot_selection best = boot_selection_read();
  EXPECT_EQ(best.slot, 1u);
  EXPECT_EQ(boot_selection_address(&best), 0u);
  EXPECT_EQ(boot_selection_next(&best, 0).sequence, 9u);
  put(0, 9, 0);
  best = boot_selection_read();
  EXPECT_EQ(best.slot, 0u);
  EXPECT_EQ(boot_selection_address(&best), 4096u);
}

TEST_F(BootSelection, IgnoresWhatIsNotWhole) {
  put(0, 7, 1);
  put(1, 8, 0);
  card.security.flash[4096 + 15] ^= 1;  // the last byte of the newer one
  EXPECT_EQ(boot_selection_read().slot, 1u);
  put(1, 8, 2);  // no such slot
  EXPECT_EQ(boot_selection_read().slot, 1u);
}

TEST_F(SecurityLib, ARecordThatNoRomHasWrittenIsNone) {
  EXPECT_EQ(boot_record(), nullptr);
  npu_boot_record written{};
  written.magic = NPU_BOOT_RECORD_MAGIC;
  written.version = NPU_BOOT_RECORD_VERSION;
  written.source = NPU_BOOT_SOURCE_HOST;
  std::memcpy(card.tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), &written, sizeof(written));
  ASSERT_NE(boot_record(), nullptr);
  EXPECT_EQ(boot_record()->source, static_cast<uint32_t>(NPU_BOOT_SOURCE_HOST));
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// Drivers of OTP, flash, crypto block and GPIO against the fake card, and what is built on them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "npu/registers/trng.h"
#include "tests/firmware/fake_card.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/boot_record.h"
#include "firmware/lib/boot_record.h"
#include "firmware/lib/boot_selection.h"
#include "firmware/lib/boot_trial.h"
#include "firmware/lib/crypto.h"
#include "firmware/lib/flash.h"
#include "firmware/lib/gpio.h"
#include "firmware/lib/otp.h"
#include "firmware/lib/plic.h"
#include "firmware/lib/trng.h"
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

std::vector<uint8_t> hex(const std::string& text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// Test cases 4 and 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B.
class Gcm : public SecurityLib {
 protected:
  /// The message that goes from `from` to `to`.
  crypto_gcm message(const std::vector<uint8_t>& key, const std::vector<uint8_t>& from, std::vector<uint8_t>& to) {
    return {key.data(),
            static_cast<uint32_t>(key.size()),
            iv.data(),
            reinterpret_cast<uint64_t>(aad.data()),
            static_cast<uint32_t>(aad.size()),
            reinterpret_cast<uint64_t>(from.data()),
            reinterpret_cast<uint64_t>(to.data()),
            static_cast<uint32_t>(from.size())};
  }
  void expect_both_ways(const std::vector<uint8_t>& key, const std::vector<uint8_t>& cipher,
                        const std::vector<uint8_t>& tag) {
    std::vector<uint8_t> out(plain.size()), made(16);
    crypto_gcm there = message(key, plain, out);
    ASSERT_TRUE(crypto_gcm_encrypt(&there, made.data()));
    EXPECT_EQ(out, cipher);
    EXPECT_EQ(made, tag);
    crypto_gcm back = message(key, cipher, out);
    EXPECT_EQ(crypto_gcm_decrypt(&back, tag.data()), CRYPTO_VALID);
    EXPECT_EQ(out, plain);
    out.assign(out.size(), 0xee);
    made[15] ^= 1;
    EXPECT_EQ(crypto_gcm_decrypt(&back, made.data()), CRYPTO_INVALID);
    EXPECT_EQ(out, std::vector<uint8_t>(plain.size(), 0xee)) << "nothing is written";
  }
  const std::vector<uint8_t> key_128 = hex("feffe9928665731c6d6a8f9467308308");
  const std::vector<uint8_t> key_256 = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::vector<uint8_t> iv = hex("cafebabefacedbaddecaf888");
  const std::vector<uint8_t> aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const std::vector<uint8_t> plain = hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
      "ba637b39");
};

TEST_F(Gcm, EncryptsAndDecryptsThePublishedVectors) {
  expect_both_ways(
      key_128,
      hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
          "1ba30b396a0aac973d58e091"),
      hex("5bc94fbc3221a5db94fae95ae7121a47"));
  expect_both_ways(
      key_256,
      hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
          "c5f61e6393ba7a0abcc9f662"),
      hex("76fc6ece0f4e1768cddf8853bb2d551b"));
}

TEST_F(Gcm, LeavesNoKeyInTheBlock) {
  std::vector<uint8_t> out(plain.size()), tag(16);
  const crypto_gcm there = message(key_256, plain, out);
  ASSERT_TRUE(crypto_gcm_encrypt(&there, tag.data()));
  ASSERT_EQ(card.security.gcm_keys.size(), 8u);
  EXPECT_EQ(card.security.gcm_keys[0], 0x92e9fffeu);
  EXPECT_EQ(card.security.aes_key, (std::array<uint32_t, 8>{}));
}

TEST_F(Gcm, RefusesSizesThatTheBlockDoesNotHave) {
  std::vector<uint8_t> out(plain.size()), tag(16);
  for (const auto change : {+[](crypto_gcm& m) { m.key_bytes = 24; }, +[](crypto_gcm& m) { m.bytes = 0x1000001; },
                            +[](crypto_gcm& m) { m.aad_bytes = 4097; }}) {
    crypto_gcm wrong = message(key_128, plain, out);
    change(wrong);
    EXPECT_FALSE(crypto_gcm_encrypt(&wrong, tag.data()));
    EXPECT_EQ(crypto_gcm_decrypt(&wrong, tag.data()), CRYPTO_FAILED);
  }
  EXPECT_TRUE(card.security.gcm_keys.empty());
  card.security.crypto_fails = true;
  const crypto_gcm right = message(key_128, plain, out);
  EXPECT_FALSE(crypto_gcm_encrypt(&right, tag.data()));
  EXPECT_EQ(crypto_gcm_decrypt(&right, tag.data()), CRYPTO_FAILED);
}

TEST_F(SecurityLib, TrngGivesWordsOnlyWhileItsSourceIsHealthy) {
  std::array<uint32_t, 3> words{};
  EXPECT_EQ(trng_read(words.data(), 1), TRNG_TIMED_OUT) << "it is off";
  trng_start();
  EXPECT_EQ(trng_read(words.data(), 3), TRNG_OK);
  EXPECT_NE(words[0], words[1]);
  EXPECT_NE(words[1], words[2]);
  for (uint32_t failure : {TRNG_STATUS_REPETITION_MASK, TRNG_STATUS_PROPORTION_MASK}) {
    card.security.trng_failure = failure;
    words.fill(7);
    EXPECT_EQ(trng_read(words.data(), 3), TRNG_UNHEALTHY);
    EXPECT_EQ(words, (std::array<uint32_t, 3>{}));
  }
}

TEST_F(SecurityLib, TrngThatRepeatsAWordIsUnhealthy) {
  std::array<uint32_t, 2> words{};
  card.security.trng_repeats = true;
  trng_start();
  EXPECT_EQ(trng_read(words.data(), 1), TRNG_OK);
  EXPECT_EQ(trng_read(words.data(), 1), TRNG_UNHEALTHY) << "also from one call to the next";
  trng_start();
  EXPECT_EQ(trng_read(words.data(), 2), TRNG_UNHEALTHY);
  EXPECT_EQ(words, (std::array<uint32_t, 2>{}));
}

TEST_F(SecurityLib, TrngWithoutWordsTimesOut) {
  std::array<uint32_t, 2> words{};
  card.security.trng_silent = true;
  trng_start();
  const uint64_t before = card.now_ns;
  EXPECT_EQ(trng_read(words.data(), 2), TRNG_TIMED_OUT);
  EXPECT_LT(card.now_ns - before, 2 * TRNG_TIMEOUT_NS);
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

TEST_F(BootSelection, IgnoresFlagsThatItDoesNotKnow) {
  put(0, 7, 1 | NPU_FLASH_SLOT_ON_TRIAL << 1);
  EXPECT_EQ(boot_selection_read().sequence, 0u);
}

class BootTrial : public BootSelection {
 protected:
  void SetUp() override {
    BootSelection::SetUp();
    put(1, 4, 1 | NPU_FLASH_SLOT_ON_TRIAL);
    selection = boot_selection_read();
  }
  boot_trial read() { return boot_trial_read(&selection); }
  uint32_t& word(uint32_t index) {
    return *reinterpret_cast<uint32_t*>(card.security.flash.data() + NPU_FLASH_TRIAL(1) + index * 4);
  }
  /// What the boot ROM leaves for the firmware.
  void write_record(uint32_t trial) {
    npu_boot_record record{};
    record.magic = NPU_BOOT_RECORD_MAGIC;
    record.version = NPU_BOOT_RECORD_VERSION;
    record.trial = trial;
    std::memcpy(card.tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), &record, sizeof(record));
  }
  boot_selection selection{};
};

TEST_F(BootTrial, IsThatOfTheSelectionOnly) {
  EXPECT_EQ(selection.slot, 1u);
  EXPECT_TRUE(selection.on_trial);
  EXPECT_EQ(read().state, NPU_TRIAL_RUNS);
  EXPECT_EQ(read().attempts, 0u);
  put(0, 5, 0);
  selection = boot_selection_read();
  EXPECT_FALSE(selection.on_trial);
  EXPECT_EQ(read().state, NPU_TRIAL_NONE);
}

TEST_F(BootTrial, HasThreeAttemptsAndNotesHowEachEnded) {
  for (uint32_t attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(read().state, NPU_TRIAL_RUNS);
    EXPECT_TRUE(boot_trial_begin(&selection));
    EXPECT_EQ(word(2 * attempt), 0u);
    EXPECT_EQ(read().attempts, attempt + 1);
    EXPECT_TRUE(read().end_is_not_noted);
    boot_trial_end(&selection, NPU_BOOT_END(4, 2 + attempt));
    boot_trial_end(&selection, NPU_BOOT_END(0, 0));  // noted once
    EXPECT_EQ(word(2 * attempt + 1), 0x0204u + 0x100 * attempt);
    EXPECT_FALSE(read().end_is_not_noted);
    EXPECT_EQ(read().last_end, 0x0204u + 0x100 * attempt);
  }
  EXPECT_EQ(read().state, NPU_TRIAL_FAILED);
  EXPECT_EQ(word(6), 0xffffffffu);
  EXPECT_EQ(word(7), 0xffffffffu);
}

TEST_F(BootTrial, AWordThatIsHalfWrittenCounts) {
  word(0) = 0xffff'fff0;
  EXPECT_EQ(read().attempts, 1u);
  word(6) = 0xffff'ff4e;
  EXPECT_EQ(read().state, NPU_TRIAL_NONE);
}

TEST_F(BootTrial, IsOverWhenTheFirmwareConfirms) {
  EXPECT_TRUE(boot_trial_confirm()) << "no record: a debugger has started it";
  EXPECT_EQ(word(6), 0xffffffffu);
  write_record(NPU_TRIAL_RUNS | 2 << 8);
  ASSERT_TRUE(boot_trial_running());
  EXPECT_TRUE(boot_trial_confirm());
  EXPECT_FALSE(boot_trial_running());
  EXPECT_EQ(boot_record()->trial, static_cast<uint32_t>(NPU_TRIAL_CONFIRMED | 2 << 8));
  EXPECT_EQ(word(6), NPU_FLASH_TRIAL_CONFIRMED);
  EXPECT_EQ(read().state, NPU_TRIAL_NONE);
}

TEST_F(BootTrial, GoesOnWithAFlashThatDoesNotTakeIt) {
  card.security.flash_answers = false;
  EXPECT_FALSE(boot_trial_begin(&selection));
  write_record(NPU_TRIAL_RUNS);
  EXPECT_FALSE(boot_trial_confirm());
  EXPECT_TRUE(boot_trial_running());
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

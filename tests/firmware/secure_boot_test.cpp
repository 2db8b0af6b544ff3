// SPDX-License-Identifier: Apache-2.0
// What boots and what does not: the boot ROM as built, with the models of OTP, flash, crypto block and GPIO. A refused
// image must give its own code to the host and on the console, and not one of its instructions may be executed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "npu/registers/mailbox.h"
#include "tests/firmware/boot_bench.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/mailbox.h"
#include "firmware/abi/otp.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint32_t kMark = 0x5a5;

/// Writes kMark to SCRATCH(3) and sleeps.
std::vector<uint8_t> marking_payload() {
  const std::array<uint32_t, 6> code{
      0x100022b7,  // lui  t0, 0x10002
      0x5a500313,  // addi t1, zero, 0x5a5
      0x0262ae23,  // sw   t1, 0x3c(t0)
      0x10500073,  // wfi
      0xffdff06f,  // j    .-4
      0,
  };
  std::vector<uint8_t> bytes(sizeof(code));
  std::memcpy(bytes.data(), code.data(), sizeof(code));
  return bytes;
}

const SigningKey& key_256() {
  static const SigningKey key(NPU_KEY_TYPE_P256);
  return key;
}
const SigningKey& key_384() {
  static const SigningKey key(NPU_KEY_TYPE_P384);
  return key;
}

otp::Words fuses(uint32_t lifecycle_code = 1) {
  otp::Words words{};
  words[NPU_OTP_LIFECYCLE] = lifecycle_code;
  const auto first = key_256().hash_words(), second = key_384().hash_words();
  std::copy(first.begin(), first.end(), words.begin() + NPU_OTP_KEY_HASH(0));
  std::copy(second.begin(), second.end(), words.begin() + NPU_OTP_KEY_HASH(1));
  return words;
}

TestImage image_by(const SigningKey& key, uint32_t slot) {
  TestImage image(marking_payload());
  image.sign(key, slot);
  return image;
}

class SecureBoot : public testing::Test {
 protected:
  void start(const otp::Words& words, uint8_t strap = 0) {
    bench_ = std::make_unique<BootBench>(BootBench::Parameters{.fuses = words, .boot_strap = strap});
  }
  BootBench& bench() { return *bench_; }
  void put_slot(uint32_t slot, const TestImage& image) { bench().put_flash(NPU_FLASH_SLOT(slot), image.bytes()); }
  void expect_started(npu_boot_source source) {
    EXPECT_EQ(bench().card().scratch[3], kMark) << bench().card().console;
    EXPECT_EQ(bench().card().boot_code, NPU_BOOT_BOOTED);
    npu_boot_record record{};
    std::memcpy(&record, bench().card().tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), sizeof(record));
    EXPECT_EQ(record.source, source);
  }
  /// The card waits for the host, says `code`, and has executed nothing.
  void expect_refused(uint32_t code) {
    EXPECT_EQ(bench().card().boot_code, code) << bench().card().console;
    EXPECT_EQ(bench().card().card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
    EXPECT_NE(bench().card().console.find("image refused (code " + std::to_string(code) + ")"), std::string::npos);
    EXPECT_FALSE(bench().executed_payload());
    EXPECT_NE(bench().card().scratch[3], kMark);
  }
  /// Boots with `image` in slot A and nothing in slot B.
  void refuse_from_flash(const TestImage& image, uint32_t code) {
    put_slot(0, image);
    bench().power_on();
    expect_refused(code);
  }

 private:
  std::unique_ptr<BootBench> bench_;
};

/// Which check finds a header whose byte at `offset` was changed by xor 0x01; from the layout and the order in which
/// firmware/README.md says that things are checked.
uint32_t code_of_flip(size_t offset) {
  const auto in = [offset](size_t begin, size_t bytes) { return offset >= begin && offset < begin + bytes; };
  if (in(offsetof(npu_image_header, magic), 4)) return NPU_BOOT_BAD_MAGIC;
  if (in(offsetof(npu_image_header, header_version), 4)) return NPU_BOOT_BAD_HEADER;
  if (in(offsetof(npu_image_header, abi_version) + 2, 2)) return NPU_BOOT_BAD_VERSION;  // the major number
  const size_t bytes = offsetof(npu_image_header, payload_bytes);
  if (offset == bytes) return NPU_BOOT_BAD_HEADER;  // no multiple of 8
  // 24 + 256 is a header that makes sense; + 64 KiB too; + 16 MiB is more than a slot holds.
  if (offset == bytes + 3) return NPU_BOOT_TRUNCATED;
  const size_t flags = offsetof(npu_image_header, flags);
  if (in(flags + 1, 3)) return NPU_BOOT_BAD_HEADER;  // unknown ones; 0x01 is the debug flag, which is signed
  const size_t load = offsetof(npu_image_header, load_address), entry = offsetof(npu_image_header, entry);
  if (in(load, 8) || in(entry, 8)) return NPU_BOOT_BAD_RANGE;
  if (in(offsetof(npu_image_header, reserved), 56)) return NPU_BOOT_BAD_HEADER;
  if (in(offsetof(npu_image_header, key_slot), 4)) return NPU_BOOT_BAD_KEY;
  if (in(offsetof(npu_image_header, key), sizeof(npu_public_key))) return NPU_BOOT_BAD_KEY;
  return NPU_BOOT_BAD_SIGNATURE;
}

TEST_F(SecureBoot, StartsWhatIsSignedInSlotA) {
  start(fuses());
  put_slot(0, image_by(key_256(), 0));
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_A);
  EXPECT_TRUE(bench().executed_payload());
}

TEST_F(SecureBoot, StartsWhatAP384KeyHasSigned) {
  start(fuses());
  put_slot(0, image_by(key_384(), 1));
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_A);
}

TEST_F(SecureBoot, RefusesEachFlippedByteOfHeaderAndSignature) {
  start(fuses());
  const TestImage good = image_by(key_256(), 0);
  for (size_t offset = 0; offset < sizeof(npu_image_header); ++offset) {
    SCOPED_TRACE("byte " + std::to_string(offset));
    TestImage bad = good;
    reinterpret_cast<uint8_t*>(&bad.header)[offset] ^= 1;
    refuse_from_flash(bad, code_of_flip(offset));
    if (HasFailure()) break;
  }
}

TEST_F(SecureBoot, RefusesEachFlippedByteOfTheLongHeaderToo) {
  start(fuses());
  const TestImage good = image_by(key_384(), 1);
  for (size_t offset = 0; offset < sizeof(npu_image_header); ++offset) {
    SCOPED_TRACE("byte " + std::to_string(offset));
    TestImage bad = good;
    reinterpret_cast<uint8_t*>(&bad.header)[offset] ^= 1;
    refuse_from_flash(bad, code_of_flip(offset));
    if (HasFailure()) break;
  }
}

TEST_F(SecureBoot, RefusesEachFlippedByteFromTheHost) {
  start(fuses());
  const TestImage good = image_by(key_256(), 0);
  bench().power_on();
  for (size_t offset = 0; offset < sizeof(npu_image_header); ++offset) {
    SCOPED_TRACE("byte " + std::to_string(offset));
    TestImage bad = good;
    reinterpret_cast<uint8_t*>(&bad.header)[offset] ^= 1;
    // The host offers exactly the image: a payload that is said to be longer is cut short.
    const size_t length = offsetof(npu_image_header, payload_bytes);
    const bool longer = offset == length + 1 || offset == length + 2;
    const uint32_t code = longer ? static_cast<uint32_t>(NPU_BOOT_TRUNCATED) : code_of_flip(offset);
    EXPECT_EQ(bench().offer(bad.bytes()), code);
    expect_refused(code);
    if (HasFailure()) return;
  }
  EXPECT_EQ(bench().offer(good.bytes()), static_cast<uint32_t>(NPU_BOOT_BOOTED));
  expect_started(NPU_BOOT_SOURCE_HOST);
}

TEST_F(SecureBoot, RefusesEachFlippedByteOfThePayloadAndLeavesNothingOfIt) {
  start(fuses());
  const TestImage good = image_by(key_256(), 0);
  for (size_t offset = 0; offset < good.payload.size(); ++offset) {
    TestImage bad = good;
    bad.payload[offset] ^= 1;
    refuse_from_flash(bad, NPU_BOOT_BAD_DIGEST);
    EXPECT_EQ(bench().card().tcm[0], 0);
  }
}

TEST_F(SecureBoot, RefusesKeysItDoesNotKnow) {
  start(fuses());
  const SigningKey stranger(NPU_KEY_TYPE_P256);
  refuse_from_flash(image_by(stranger, 0), NPU_BOOT_BAD_KEY);
  refuse_from_flash(image_by(stranger, 3), NPU_BOOT_BAD_KEY);  // a slot without a key
  refuse_from_flash(image_by(key_256(), 1), NPU_BOOT_BAD_KEY);
  refuse_from_flash(image_by(key_256(), 4), NPU_BOOT_BAD_KEY);
  refuse_from_flash(image_by(key_256(), 0xffffffff), NPU_BOOT_BAD_KEY);
}

TEST_F(SecureBoot, RefusesAStrangersSignatureUnderAKnownKey) {
  start(fuses());
  TestImage image = image_by(key_256(), 0);
  image.sign_header(SigningKey(NPU_KEY_TYPE_P256));
  refuse_from_flash(image, NPU_BOOT_BAD_SIGNATURE);
  std::memset(image.header.signature, 0, sizeof(image.header.signature));
  refuse_from_flash(image, NPU_BOOT_BAD_SIGNATURE);
}

TEST_F(SecureBoot, RefusesARevokedKeyAndStillKnowsTheOther) {
  auto words = fuses();
  words[NPU_OTP_KEY_REVOKED] = 1;
  start(words);
  refuse_from_flash(image_by(key_256(), 0), NPU_BOOT_KEY_REVOKED);
  put_slot(1, image_by(key_384(), 1));
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_B);
}

TEST_F(SecureBoot, RefusesOldVersions) {
  auto words = fuses();
  words[NPU_OTP_ROLLBACK] = 0b11111;
  start(words);
  TestImage image(marking_payload());
  image.header.security_version = 4;
  image.sign(key_256());
  refuse_from_flash(image, NPU_BOOT_ROLLED_BACK);
  image.header.security_version = 5;
  image.sign(key_256());
  put_slot(0, image);
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_A);
}

TEST_F(SecureBoot, RefusesImagesCutAnywhere) {
  start(fuses());
  const auto good = image_by(key_256(), 0).bytes();
  bench().power_on();
  for (size_t bytes = 0; bytes < good.size(); bytes += bytes < 64 ? 1 : 13) {
    EXPECT_EQ(bench().offer({good.begin(), good.begin() + static_cast<int64_t>(bytes)}),
              static_cast<uint32_t>(NPU_BOOT_TRUNCATED))
        << bytes;
    expect_refused(NPU_BOOT_TRUNCATED);
  }
  // In flash the rest of a cut image is ones.
  for (size_t bytes = 4; bytes < good.size(); bytes += 29) {
    std::vector<uint8_t> cut = good;
    std::fill(cut.begin() + static_cast<int64_t>(bytes), cut.end(), uint8_t{0xff});
    bench().put_flash(NPU_FLASH_SLOT(0), cut);
    bench().power_on();
    EXPECT_EQ(bench().card().card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM) << bytes;
    EXPECT_NE(bench().card().boot_code, NPU_BOOT_BOOTED) << bytes;
    EXPECT_FALSE(bench().executed_payload()) << bytes;
  }
}

TEST_F(SecureBoot, RefusesADebugImageWhereDebugAccessIsClosed) {
  start(fuses(0b011));
  TestImage image(marking_payload());
  image.header.flags = NPU_IMAGE_FLAG_DEBUG;
  image.sign(key_256());
  refuse_from_flash(image, NPU_BOOT_DEBUG_LOCKED);
  EXPECT_FALSE(bench().otp().debug_allowed());
  EXPECT_NE(bench().card().console.find("life cycle production, debug access closed"), std::string::npos);
}

TEST_F(SecureBoot, TheDebugFuseClosesDebugAccessInDevelopmentToo) {
  auto words = fuses();
  words[NPU_OTP_DEBUG_DISABLE] = 1;
  start(words);
  TestImage image(marking_payload());
  image.header.flags = NPU_IMAGE_FLAG_DEBUG;
  image.sign(key_256());
  refuse_from_flash(image, NPU_BOOT_DEBUG_LOCKED);
}

TEST_F(SecureBoot, StartsADebugImageInDevelopment) {
  start(fuses());
  TestImage image(marking_payload());
  image.header.flags = NPU_IMAGE_FLAG_DEBUG;
  image.sign(key_256());
  put_slot(0, image);
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_A);
  EXPECT_TRUE(bench().otp().debug_allowed());
}

TEST_F(SecureBoot, FallsBackToTheOtherSlotAndRecordsWhy) {
  start(fuses());
  TestImage bad = image_by(key_256(), 0);
  bad.payload[0] ^= 1;
  put_slot(0, bad);
  put_slot(1, image_by(key_256(), 0));
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_B);
  npu_boot_record record{};
  std::memcpy(&record, bench().card().tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), sizeof(record));
  EXPECT_EQ(record.slot_code[0], static_cast<uint32_t>(NPU_BOOT_BAD_DIGEST));
  EXPECT_EQ(record.slot_code[1], static_cast<uint32_t>(NPU_BOOT_BOOTED));
}

TEST_F(SecureBoot, RecoversFromTheHostWhenBothSlotsAreBad) {
  start(fuses());
  TestImage bad = image_by(key_256(), 0);
  bad.header.signature[5] ^= 1;
  put_slot(0, bad);
  bad.header.magic = 0;
  put_slot(1, bad);
  bench().power_on();
  expect_refused(NPU_BOOT_BAD_MAGIC);
  const auto record = bench().record();
  EXPECT_EQ(record.slot_code[0], static_cast<uint32_t>(NPU_BOOT_BAD_SIGNATURE));
  EXPECT_EQ(record.slot_code[1], static_cast<uint32_t>(NPU_BOOT_BAD_MAGIC));
  // The recovery image has to be signed like any other.
  EXPECT_EQ(bench().offer(bad.bytes()), static_cast<uint32_t>(NPU_BOOT_BAD_MAGIC));
  EXPECT_EQ(bench().offer(image_by(SigningKey(NPU_KEY_TYPE_P256), 0).bytes()), static_cast<uint32_t>(NPU_BOOT_BAD_KEY));
  expect_refused(NPU_BOOT_BAD_KEY);
  EXPECT_EQ(bench().offer(image_by(key_256(), 0).bytes()), static_cast<uint32_t>(NPU_BOOT_BOOTED));
  expect_started(NPU_BOOT_SOURCE_HOST);
}

TEST_F(SecureBoot, WaitsForTheHostWithAnEmptyFlash) {
  start(fuses());
  bench().power_on();
  EXPECT_EQ(bench().card().card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
  EXPECT_EQ(bench().card().boot_code, NPU_BOOT_NONE);
  EXPECT_EQ(bench().record().slot_code[0], static_cast<uint32_t>(NPU_BOOT_SLOT_EMPTY));
}

TEST_F(SecureBoot, TheRecoveryStrapPassesTheFlashBy) {
  start(fuses(), 1);
  put_slot(0, image_by(key_256(), 0));
  bench().power_on();
  EXPECT_EQ(bench().card().card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
  EXPECT_FALSE(bench().executed_payload());
  EXPECT_EQ(bench().offer(image_by(key_256(), 0).bytes()), static_cast<uint32_t>(NPU_BOOT_BOOTED));
  expect_started(NPU_BOOT_SOURCE_HOST);
}

TEST_F(SecureBoot, TheRomClosesKeysAndLifeCycleBeforeItStartsAnything) {
  start(fuses());
  put_slot(0, image_by(key_256(), 0));
  bench().power_on();
  expect_started(NPU_BOOT_SOURCE_SLOT_A);
  EXPECT_EQ(bench().otp().locked_regions(), NPU_OTP_REGION_KEYS | NPU_OTP_REGION_LIFECYCLE);
}

TEST_F(SecureBoot, MeasuresWhatItBoots) {
  start(fuses());
  const TestImage image = image_by(key_256(), 0);
  put_slot(0, image);
  bench().power_on();
  npu_boot_record record{};
  std::memcpy(&record, bench().card().tcm.data() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM), sizeof(record));
  ASSERT_EQ(record.measurements, static_cast<uint32_t>(NPU_MEASUREMENTS));
  const std::array<uint32_t, 4> policy{NPU_LIFECYCLE_DEVELOPMENT, 1, 0, 0};
  const std::array<std::vector<uint8_t>, 4> measured{
      digest_of(NPU_KEY_TYPE_P256, bench().rom()),
      digest_of(NPU_KEY_TYPE_P256, {reinterpret_cast<const uint8_t*>(policy.data()), sizeof(policy)}),
      digest_of(NPU_KEY_TYPE_P256, {reinterpret_cast<const uint8_t*>(&image.header), sizeof(image.header)}),
      digest_of(NPU_KEY_TYPE_P256, image.payload),
  };
  std::vector<uint8_t> chain(32);
  for (size_t i = 0; i < measured.size(); ++i) {
    EXPECT_TRUE(std::equal(measured[i].begin(), measured[i].end(), record.measurement[i])) << i;
    chain.insert(chain.end(), measured[i].begin(), measured[i].end());
    chain = digest_of(NPU_KEY_TYPE_P256, chain);
  }
  EXPECT_TRUE(std::equal(chain.begin(), chain.end(), record.chain));
}

}  // namespace
}  // namespace npuvp::firmware_test

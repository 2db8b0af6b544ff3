// SPDX-License-Identifier: Apache-2.0
// Firmware update without and with power: ROM and firmware as built, the flash with its partial writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "npu/registers/mailbox.h"
#include "tests/firmware/boot_bench.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/boot_record.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/mailbox.h"
#include "firmware/abi/otp.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kPieceBus = 0x6'0000'0000;
constexpr uint32_t kFirstVersion = 0x010000;

class PowerCut : public testing::Test {
 protected:
  PowerCut() : key_(NPU_KEY_TYPE_P256) {
    otp::Words fuses{};
    fuses[NPU_OTP_LIFECYCLE] = 1;
    const auto hash = key_.hash_words();
    std::copy(hash.begin(), hash.end(), fuses.begin() + NPU_OTP_KEY_HASH(0));
    bench_ = std::make_unique<BootBench>(BootBench::Parameters{.fuses = fuses});
    bench_->watch_execution(false);
    bench_->put_flash(NPU_FLASH_SLOT(0), image(kFirstVersion).bytes());
    bench_->power_on();
  }

  /// The firmware as built, as version `version`.
  TestImage image(uint32_t version, uint32_t security_version = 0) {
    const auto built = file_bytes(NPU_FIRMWARE_DIR "/atom-ca22.bin");
    npu_image_header header{};
    std::memcpy(&header, built.data(), sizeof(header));
    TestImage made({built.begin() + sizeof(header), built.end()});
    made.header.load_address = header.load_address;
    made.header.entry = header.entry;
    made.header.image_version = version;
    made.header.security_version = security_version;
    made.sign(key_);
    return made;
  }

  /// Signed and of no use: it sleeps for ever.
  TestImage sleeper(uint32_t version, uint32_t security_version = 0) {
    TestImage made({0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff});  // wfi; j .-4
    made.header.image_version = version;
    made.header.security_version = security_version;
    made.sign(key_);
    return made;
  }

  /// Nothing: power has failed.
  std::optional<Message> ask(const Message& message) { return bench_->ask(message); }
  static bool ok(const std::optional<Message>& reply) {
    return reply && NPU_MAILBOX_STATUS((*reply)[0]) == NPU_MAILBOX_OK;
  }
  bool write_piece(std::span<const uint8_t> image, size_t offset) {
    const auto piece = image.subspan(offset, std::min<size_t>(NPU_UPDATE_MOST_BYTES, image.size() - offset));
    bench_->card().host.map(kPieceBus, piece.size());
    EXPECT_TRUE(bench_->card().host.write(kPieceBus, piece));
    return ok(ask({NPU_MESSAGE_UPDATE_WRITE, static_cast<uint32_t>(kPieceBus), static_cast<uint32_t>(kPieceBus >> 32),
                   static_cast<uint32_t>(piece.size()), static_cast<uint32_t>(offset)}));
  }
  bool write_all(const std::vector<uint8_t>& image) {
    if (!ok(ask({NPU_MESSAGE_UPDATE_BEGIN, static_cast<uint32_t>(image.size())}))) return false;
    for (size_t offset = 0; offset < image.size(); offset += NPU_UPDATE_MOST_BYTES) {
      if (!write_piece(image, offset)) return false;
    }
    return true;
  }
  /// The whole update; the reply to UPDATE_FINISH, or nothing.
  std::optional<Message> update(const std::vector<uint8_t>& image) {
    if (!write_all(image)) return std::nullopt;
    return ask({NPU_MESSAGE_UPDATE_FINISH});
  }
  void expect_runs(const std::string& trace) {
    ASSERT_EQ(bench_->card().card_state, MAILBOX_HOST_CARD_STATE_STATE_READY) << trace << bench_->card().console;
    ASSERT_EQ(bench_->card().boot_code, NPU_BOOT_BOOTED) << trace;
  }
  /// Bytes that an update programs and erases.
  uint64_t update_bytes() {
    const uint64_t before = bench_->flash().wear_bytes();
    EXPECT_TRUE(ok(update(image(kFirstVersion + 1).bytes()))) << bench_->card().console;
    return bench_->flash().wear_bytes() - before;
  }
  /// An update from the version that runs to the next, during which power fails after `bytes`.
  void cut_after(uint64_t bytes) {
    const uint32_t old_version = bench_->record().image_version, new_version = old_version + 1;
    bench_->flash().cut_power_after(bytes, {});
    const bool done = ok(update(image(new_version).bytes()));
    EXPECT_NE(done, !bench_->flash().powered());
    bench_->power_on();
    expect_runs("cut after " + std::to_string(bytes) + " bytes\n");
    const uint32_t runs = bench_->record().image_version;
    if (done) {
      EXPECT_EQ(runs, new_version) << bytes;
    } else {
      EXPECT_TRUE(runs == old_version || runs == new_version) << bytes << " bytes: " << runs;
    }
  }

  SigningKey key_;
  std::unique_ptr<BootBench> bench_;
};

TEST_F(PowerCut, AnUpdateBootsAfterTheNextResetFromTheOtherSlot) {
  const auto reply = update(image(kFirstVersion + 7).bytes());
  ASSERT_TRUE(ok(reply)) << bench_->card().console;
  EXPECT_EQ((*reply)[2], 1u);
  EXPECT_EQ((*reply)[3], kFirstVersion + 7);
  EXPECT_EQ(bench_->record().image_version, kFirstVersion);
  bench_->power_on();
  EXPECT_EQ(bench_->record().image_version, kFirstVersion + 7);
  EXPECT_EQ(bench_->record().source, static_cast<uint32_t>(NPU_BOOT_SOURCE_SLOT_B));
  ASSERT_TRUE(ok(update(image(kFirstVersion + 8).bytes())));
  bench_->power_on();
  EXPECT_EQ(bench_->record().source, static_cast<uint32_t>(NPU_BOOT_SOURCE_SLOT_A));
}

TEST_F(PowerCut, AWrongImageIsNeverSelected) {
  TestImage bad = image(kFirstVersion + 1);
  bad.payload[4000] ^= 1;
  auto reply = update(bad.bytes());
  ASSERT_TRUE(reply);
  EXPECT_EQ(NPU_MAILBOX_STATUS((*reply)[0]), static_cast<uint32_t>(NPU_MAILBOX_BAD_ARGUMENT));
  EXPECT_EQ((*reply)[1], static_cast<uint32_t>(NPU_BOOT_BAD_DIGEST));
  bad = image(kFirstVersion + 1);
  bad.header.image_version ^= 1;
  reply = update(bad.bytes());
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)[1], static_cast<uint32_t>(NPU_BOOT_BAD_SIGNATURE));
  bench_->power_on();
  EXPECT_EQ(bench_->record().image_version, kFirstVersion);
}

TEST_F(PowerCut, CommitMakesOlderVersionsUnbootable) {
  ASSERT_TRUE(ok(update(image(kFirstVersion + 1, 40).bytes())));
  bench_->power_on();
  const auto reply = ask({NPU_MESSAGE_UPDATE_COMMIT});
  ASSERT_TRUE(ok(reply)) << bench_->card().console;
  EXPECT_EQ((*reply)[2], 40u);
  EXPECT_EQ(bench_->otp().fuses().rollback(), 40u);
  const auto refused = update(image(kFirstVersion + 2, 39).bytes());
  ASSERT_TRUE(refused);
  EXPECT_EQ((*refused)[1], static_cast<uint32_t>(NPU_BOOT_ROLLED_BACK));
  ASSERT_TRUE(ok(update(image(kFirstVersion + 3, 40).bytes())));
  bench_->power_on();
  EXPECT_EQ(bench_->record().image_version, kFirstVersion + 3);
}

TEST_F(PowerCut, AnUpdateIsOnTrialUntilItConfirms) {
  ASSERT_TRUE(ok(update(image(kFirstVersion + 1).bytes())));
  bench_->power_on();
  EXPECT_NE(bench_->card().console.find("on trial, attempt 1 of 3"), std::string::npos) << bench_->card().console;
  EXPECT_EQ(bench_->record().image_version, kFirstVersion + 1);
  EXPECT_EQ(bench_->record().trial, static_cast<uint32_t>(NPU_TRIAL_CONFIRMED | 1 << 8));
  bench_->power_on();
  EXPECT_EQ(bench_->record().image_version, kFirstVersion + 1);
  EXPECT_EQ(bench_->record().trial, static_cast<uint32_t>(NPU_TRIAL_NONE));
  EXPECT_EQ(bench_->record().trial_end, NPU_BOOT_END_UNKNOWN);
  EXPECT_EQ(bench_->card().console.find("on trial"), std::string::npos);
}

TEST_F(PowerCut, FirmwareThatNeverConfirmsIsGivenUpAfterThreeAttempts) {
  ASSERT_TRUE(ok(update(sleeper(kFirstVersion + 1).bytes())));
  for (unsigned attempt = 1; attempt <= NPU_BOOT_TRIAL_ATTEMPTS; ++attempt) {
    bench_->power_on();
    EXPECT_EQ(bench_->card().card_state, MAILBOX_HOST_CARD_STATE_STATE_LOADING) << attempt;
    EXPECT_FALSE(bench_->card().management.watchdog_asleep);
  }
  for (unsigned boot = 0; boot < 2; ++boot) {
    bench_->power_on();
    expect_runs("fallen back\n");
    const npu_boot_record record = bench_->record();
    EXPECT_EQ(record.source, static_cast<uint32_t>(NPU_BOOT_SOURCE_SLOT_A));
    EXPECT_EQ(record.image_version, kFirstVersion);
    EXPECT_EQ(record.slot_code[1], static_cast<uint32_t>(NPU_BOOT_TRIAL_FAILED));
    EXPECT_EQ(record.trial, static_cast<uint32_t>(NPU_TRIAL_FAILED | NPU_BOOT_TRIAL_ATTEMPTS << 8));
    // The fake card says that the host has reset it.
    EXPECT_EQ(record.trial_end, static_cast<uint32_t>(NPU_BOOT_END(1, NPU_BOOT_END_NO_TRAP)));
  }
  ASSERT_TRUE(ok(update(image(kFirstVersion + 2).bytes())));
  bench_->power_on();
  EXPECT_EQ(bench_->record().source, static_cast<uint32_t>(NPU_BOOT_SOURCE_SLOT_B));
  EXPECT_EQ(bench_->record().image_version, kFirstVersion + 2);
}

TEST_F(PowerCut, TheRollbackCounterStaysWhereItIsWhileNothingHasConfirmed) {
  ASSERT_TRUE(ok(update(sleeper(kFirstVersion + 1, 40).bytes())));
  for (unsigned boot = 0; boot <= NPU_BOOT_TRIAL_ATTEMPTS; ++boot) bench_->power_on();
  ASSERT_TRUE(ok(ask({NPU_MESSAGE_UPDATE_COMMIT})));
  EXPECT_EQ(bench_->otp().fuses().rollback(), 0u);
}

TEST_F(PowerCut, WithNothingToGoBackToTheRomWaitsForTheHost) {
  ASSERT_TRUE(ok(update(sleeper(kFirstVersion + 1).bytes())));
  bench_->put_flash(NPU_FLASH_SLOT(0), std::vector<uint8_t>(4096, 0xff));
  for (unsigned boot = 0; boot <= NPU_BOOT_TRIAL_ATTEMPTS; ++boot) bench_->power_on();
  EXPECT_EQ(bench_->card().card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
  EXPECT_EQ(bench_->card().boot_code, NPU_BOOT_TRIAL_FAILED);
  EXPECT_EQ(bench_->offer(image(kFirstVersion + 2).bytes()), static_cast<uint32_t>(NPU_BOOT_BOOTED));
  expect_runs("from the host\n");
  EXPECT_EQ(bench_->record().source, static_cast<uint32_t>(NPU_BOOT_SOURCE_HOST));
}

TEST_F(PowerCut, EachByteThatATrialWritesMayBeTheLast) {
  // Begun and confirmed are 4 bytes each, and the end of the attempt that the cut has ended is 4 more.
  for (uint64_t first = 1; first <= 9; ++first) {
    for (uint64_t second : {uint64_t{1}, uint64_t{4}, uint64_t{5}, uint64_t{8}, uint64_t{9}}) {
      SCOPED_TRACE("cuts after " + std::to_string(first) + " and " + std::to_string(second) + " bytes");
      const uint32_t version = bench_->record().image_version + 1;
      ASSERT_TRUE(ok(update(image(version).bytes()))) << bench_->card().console;
      bench_->power_on(first);
      bench_->power_on(second);
      bench_->power_on();
      expect_runs("third attempt\n");
      EXPECT_EQ(bench_->record().image_version, version) << "two attempts were cut, three are allowed";
      bench_->power_on();
      EXPECT_EQ(bench_->record().trial & 0xff, static_cast<uint32_t>(NPU_TRIAL_NONE));
      if (HasFailure()) return;
    }
  }
}

TEST_F(PowerCut, ThreeCutsLeaveTheOldVersionOrTheNewOne) {
  for (uint64_t bytes = 1; bytes <= 12; ++bytes) {
    const uint32_t old_version = bench_->record().image_version;
    ASSERT_TRUE(ok(update(image(old_version + 1).bytes()))) << bench_->card().console;
    for (unsigned attempt = 0; attempt < NPU_BOOT_TRIAL_ATTEMPTS; ++attempt) bench_->power_on(bytes);
    bench_->power_on();
    expect_runs("after three cuts\n");
    const uint32_t runs = bench_->record().image_version;
    EXPECT_TRUE(runs == old_version || runs == old_version + 1) << bytes;
  }
}

TEST_F(PowerCut, FiveHundredRandomCutsAlwaysLeaveOneVersionThatBoots) {
  const uint64_t whole = update_bytes();
  bench_->power_on();
  std::mt19937_64 random(20261122);
  unsigned updated = 0;
  for (unsigned cut = 0; cut < 500 && !HasFailure(); ++cut) {
    const uint32_t before = bench_->record().image_version;
    cut_after(1 + random() % whole);
    if (bench_->record().image_version != before) ++updated;
  }
  RecordProperty("updates_that_were_done", static_cast<int>(updated));
}

TEST_F(PowerCut, EachByteOfTheSelectionMayBeTheLast) {
  const uint64_t whole = update_bytes();
  bench_->power_on();
  unsigned updated = 0;
  for (uint64_t left = 0; left < sizeof(npu_boot_selection) + 8 && !HasFailure(); ++left) {
    const uint32_t before = bench_->record().image_version;
    cut_after(whole - left);
    if (bench_->record().image_version != before) ++updated;
  }
  EXPECT_GE(updated, 1u);  // with the last byte written the new version boots
  EXPECT_LE(updated, 2u);  // and only then, or when the last bits happened to be written
}

}  // namespace
}  // namespace npuvp::firmware_test

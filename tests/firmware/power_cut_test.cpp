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

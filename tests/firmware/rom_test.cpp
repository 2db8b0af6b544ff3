// SPDX-License-Identifier: Apache-2.0
// The boot ROM against the fake card: a host sends messages and images, good and bad.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "npu/registers/mailbox.h"
#include "tests/firmware/fake_card.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/boot_record.h"
#include "firmware/abi/image.h"
#include "firmware/abi/mailbox.h"
#include "firmware/abi/otp.h"
#include "firmware/rom/rom.h"
}

namespace npuvp::firmware_test {
namespace {

constexpr uint64_t kImageBus = 0x1'2345'6008;

const SigningKey& test_key() {
  static const SigningKey key(NPU_KEY_TYPE_P256);
  return key;
}

struct Image : TestImage {
  Image() : TestImage(std::vector<uint8_t>(10000)) {
    for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<uint8_t>(i * 7);
    header.entry = NPU_MAP_TCM + 16;
    sign(test_key());
  }

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(sizeof(header) + payload.size()); }

  void put(FakeMemory& memory, uint64_t bus) const {
    memory.map(bus, size());
    ASSERT_TRUE(memory.write(bus, bytes()));
  }
};

class Rom : public testing::Test {
 protected:
  void SetUp() override {
    card.security.fuses[NPU_OTP_LIFECYCLE] = 1;
    const auto hash = test_key().hash_words();
    std::copy(hash.begin(), hash.end(), card.security.fuses.begin() + NPU_OTP_KEY_HASH(0));
    rom_init();
    ASSERT_FALSE(rom_start(&entry));
  }

  /// Sends a message and returns the reply; the test fails if there is none.
  Message ask(const Message& message) {
    card.send(message);
    booted = rom_serve(&entry);
    EXPECT_TRUE(card.reply().has_value());
    return card.reply().value_or(Message{});
  }
  uint32_t load(uint64_t bus, uint32_t bytes, uint32_t host_abi = NPU_ABI_VERSION) {
    Message reply = ask({NPU_MAILBOX_WORD0(NPU_MESSAGE_BOOT_LOAD, 9, 0), static_cast<uint32_t>(bus),
                         static_cast<uint32_t>(bus >> 32), bytes, host_abi});
    EXPECT_EQ(NPU_MAILBOX_OPCODE(reply[0]), static_cast<uint32_t>(NPU_MESSAGE_BOOT_LOAD));
    EXPECT_EQ(NPU_MAILBOX_SEQUENCE(reply[0]), 9u);
    return NPU_MAILBOX_STATUS(reply[0]);
  }
  /// An image changed by `change`, signed after it, is refused with `code`, and the ROM lives on.
  void expect_refusal(uint32_t code, const std::function<void(Image&)>& change, uint32_t host_abi = NPU_ABI_VERSION) {
    Image image;
    change(image);
    image.sign_header(test_key());
    image.put(card.host, kImageBus);
    EXPECT_EQ(load(kImageBus, image.size(), host_abi), code);
    expect_alive_after(code);
  }
  void expect_alive_after(uint32_t code) {
    EXPECT_FALSE(booted);
    EXPECT_EQ(card.boot_code, code);
    EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
    EXPECT_NE(card.console.find("image refused (code " + std::to_string(code) + ")"), std::string::npos);
    EXPECT_EQ(NPU_MAILBOX_STATUS(ask({NPU_MESSAGE_PING})[0]), static_cast<uint32_t>(NPU_MAILBOX_OK));
  }

  FakeCard card;
  uint64_t entry = 0;
  bool booted = false;
};

TEST_F(Rom, AnnouncesItself) {
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
  EXPECT_EQ(card.boot_code, NPU_BOOT_NONE);
  EXPECT_NE(card.console.find("rom: npu boot ROM, ABI 1.3, card 3, reset by host"), std::string::npos) << card.console;
}

TEST_F(Rom, AnswersHello) {
  Message reply = ask({NPU_MAILBOX_WORD0(NPU_MESSAGE_HELLO, 0x5a, 0), NPU_ABI_VERSION});
  Message expected{NPU_MAILBOX_WORD0(NPU_MESSAGE_HELLO, 0x5a, NPU_MAILBOX_OK),
                   NPU_ABI_VERSION,
                   NPU_STAGE_ROM,
                   0,
                   8,
                   16384 - 288,
                   16,
                   0x10000 + 288};
  EXPECT_EQ(reply, expected);
}

TEST_F(Rom, RefusesAnotherAbiMajorInHelloButTellsItsOwn) {
  Message reply = ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION + 0x10000});
  EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), static_cast<uint32_t>(NPU_MAILBOX_BAD_VERSION));
  EXPECT_EQ(reply[1], NPU_ABI_VERSION);
}

TEST_F(Rom, AcceptsAnotherAbiMinorInHello) {
  EXPECT_EQ(NPU_MAILBOX_STATUS(ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION + 7})[0]),
            static_cast<uint32_t>(NPU_MAILBOX_OK));
}

TEST_F(Rom, EchoesPing) {
  EXPECT_EQ(ask({NPU_MAILBOX_WORD0(NPU_MESSAGE_PING, 1, 0), 2, 3, 4, 5, 6, 7, 8}),
            (Message{NPU_MAILBOX_WORD0(NPU_MESSAGE_PING, 1, 0), 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(Rom, IsNotReadyForQueuesAndKnowsNoOtherMessages) {
  EXPECT_EQ(NPU_MAILBOX_STATUS(ask({NPU_MESSAGE_QUEUE_CREATE})[0]), static_cast<uint32_t>(NPU_MAILBOX_NOT_READY));
  EXPECT_EQ(NPU_MAILBOX_STATUS(ask({NPU_MESSAGE_QUEUE_DESTROY})[0]), static_cast<uint32_t>(NPU_MAILBOX_NOT_READY));
  EXPECT_EQ(NPU_MAILBOX_STATUS(ask({0xee})[0]), static_cast<uint32_t>(NPU_MAILBOX_UNKNOWN_MESSAGE));
}

TEST_F(Rom, BootsAGoodImage) {
  Image image;
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus, image.size() + 100), static_cast<uint32_t>(NPU_BOOT_BOOTED));
  EXPECT_TRUE(booted);
  EXPECT_EQ(entry, NPU_MAP_TCM + 16);
  EXPECT_EQ(card.boot_code, NPU_BOOT_BOOTED);
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_LOADING);
  EXPECT_EQ(std::memcmp(card.tcm.data(), image.payload.data(), image.payload.size()), 0);
}

TEST_F(Rom, BootsAnImageThatFillsTheAreaToItsLastByte) {
  Image image;
  image.payload.resize(NPU_MAP_TCM_BYTES - NPU_MAP_TCM_ROM_BYTES);
  image.header.payload_bytes = static_cast<uint32_t>(image.payload.size());
  image.header.entry = NPU_MAP_TCM + image.payload.size() - 4;
  image.sign(test_key());
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus, image.size()), static_cast<uint32_t>(NPU_BOOT_BOOTED));
}

TEST_F(Rom, BootsAfterRefusals) {
  expect_refusal(NPU_BOOT_BAD_MAGIC, [](Image& image) { image.header.magic ^= 1; });
  Image image;
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus, image.size()), static_cast<uint32_t>(NPU_BOOT_BOOTED));
}

TEST_F(Rom, RefusesBadHeaders) {
  expect_refusal(NPU_BOOT_BAD_HEADER, [](Image& image) { image.header.header_version = 1; });
  expect_refusal(NPU_BOOT_BAD_HEADER, [](Image& image) { image.header.flags = 2; });
  expect_refusal(NPU_BOOT_BAD_HEADER, [](Image& image) { image.header.reserved[55] = 1; });
  expect_refusal(NPU_BOOT_BAD_HEADER, [](Image& image) { image.header.payload_bytes = 0; });
  expect_refusal(NPU_BOOT_BAD_HEADER, [](Image& image) { image.header.payload_bytes -= 4; });
}

TEST_F(Rom, RefusesAnotherAbiMajorOfImageOrHost) {
  expect_refusal(NPU_BOOT_BAD_VERSION, [](Image& image) { image.header.abi_version += 0x10000; });
  expect_refusal(
      NPU_BOOT_BAD_VERSION, [](Image&) {}, NPU_ABI_VERSION + 0x10000);
}

TEST_F(Rom, RefusesTruncatedImages) {
  Image image;
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus, image.size() - 1), static_cast<uint32_t>(NPU_BOOT_TRUNCATED));
  expect_alive_after(NPU_BOOT_TRUNCATED);
  EXPECT_EQ(load(kImageBus, sizeof(npu_image_header) - 1), static_cast<uint32_t>(NPU_BOOT_TRUNCATED));
  EXPECT_EQ(load(kImageBus, 0), static_cast<uint32_t>(NPU_BOOT_TRUNCATED));
  expect_refusal(NPU_BOOT_TRUNCATED, [](Image& changed) { changed.header.payload_bytes = 0xfffffff8; });
}

TEST_F(Rom, RefusesBadRangesWithoutWritingThere) {
  const uint64_t area_end = NPU_MAP_TCM + NPU_MAP_TCM_BYTES - NPU_MAP_TCM_ROM_BYTES;
  auto load_at = [&](uint64_t address) {
    expect_refusal(NPU_BOOT_BAD_RANGE, [&](Image& image) { image.header.load_address = image.header.entry = address; });
  };
  // Behind the image area is the ROM's own memory, which changes.
  const auto image_area = [&] {
    return std::vector<uint8_t>(card.tcm.begin(), card.tcm.begin() + (NPU_MAP_BOOT_RECORD - NPU_MAP_TCM));
  };
  const std::vector<uint8_t> before = image_area();
  load_at(NPU_MAP_TCM - 8);
  load_at(NPU_MAP_TCM + 4);
  load_at(area_end - 10000 + 8);
  load_at(area_end);
  load_at(0);
  load_at(UINT64_MAX - 7);
  load_at(UINT64_MAX - 9999 + 8);
  EXPECT_EQ(image_area(), before);
  expect_refusal(NPU_BOOT_BAD_RANGE, [](Image& image) { image.header.entry = NPU_MAP_TCM + 10000; });
  expect_refusal(NPU_BOOT_BAD_RANGE, [](Image& image) { image.header.entry = NPU_MAP_TCM + 2; });
  expect_refusal(NPU_BOOT_BAD_RANGE, [](Image& image) { image.header.entry = NPU_MAP_TCM - 4; });
  expect_refusal(NPU_BOOT_BAD_RANGE, [](Image& image) { image.header.entry = UINT64_MAX - 3; });
}

TEST_F(Rom, RefusesAChangedPayloadOrHeader) {
  Image image;
  image.payload[9999] ^= 1;
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus, image.size()), static_cast<uint32_t>(NPU_BOOT_BAD_DIGEST));
  expect_alive_after(NPU_BOOT_BAD_DIGEST);
  image = Image();
  image.header.image_version ^= 1;
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus, image.size()), static_cast<uint32_t>(NPU_BOOT_BAD_SIGNATURE));
}

TEST_F(Rom, RefusesWhatItCannotRead) {
  Image image;
  EXPECT_EQ(load(0x7000'0000, image.size()), static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
  expect_alive_after(NPU_BOOT_DMA_ERROR);
  image.put(card.host, kImageBus);
  EXPECT_EQ(load(kImageBus + 4, image.size()), static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
  EXPECT_EQ(load(NPU_MAP_HOST_ADDRESS_MASK - 7, image.size()), static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
  EXPECT_EQ(load(UINT64_MAX - 7, image.size()), static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
  card.dma_stuck = true;
  EXPECT_EQ(load(kImageBus, image.size()), static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
  expect_alive_after(NPU_BOOT_DMA_ERROR);
}

TEST_F(Rom, ChecksItsOwnCopyWhenTheHostChangesTheImageMeanwhile) {
  Image image;
  image.put(card.host, kImageBus);
  card.after_dma = [&](unsigned copy) {
    if (copy != 1) return;  // the header has been read: now make it dangerous
    Image attack = image;
    attack.header.load_address = NPU_MAP_TCM + NPU_MAP_TCM_BYTES - 8;
    attack.payload[0] ^= 1;
    attack.put(card.host, kImageBus);
  };
  EXPECT_EQ(load(kImageBus, image.size()), static_cast<uint32_t>(NPU_BOOT_BAD_DIGEST));
}

TEST_F(Rom, TellsOfTheCrashThatEndedTheLastRun) {
  card.scratch = {0x43525307, 0x100200, 0x18, 1234};
  card.console.clear();
  rom_init();
  EXPECT_NE(card.console.find("last run ended at 1234 ms by a trap: store access fault, pc 100200 value 18"),
            std::string::npos)
      << card.console;
}

}  // namespace
}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// The cross-compiled ROM and firmware, as built, on the hart model with the fake card around it: start-up code, linker
// scripts, PMP, WFI and trap entry, which the native tests cannot see.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "models/riscv/hart.h"
#include "npu/registers/mailbox.h"
#include "tests/firmware/fake_card.h"
#include "tests/firmware/signing.h"

extern "C" {
#include "firmware/abi/command.h"
#include "firmware/abi/crash.h"
#include "firmware/abi/flash_layout.h"
#include "firmware/abi/mailbox.h"
}

namespace npuvp::firmware_test {
namespace {

std::vector<uint8_t> file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// ROM and TCM as direct memory, everything else the fake card's registers; one instruction a nanosecond.
class CardBus : public riscv::Bus {
 public:
  explicit CardBus(FakeCard& card) : card_(card), rom_(file_bytes(NPU_FIRMWARE_DIR "/rom.bin")) {
    rom_.resize(NPU_MAP_ROM_BYTES);
  }

  riscv::BusStatus load(uint64_t address, unsigned size_bytes, uint64_t& value) override {
    if (address < NPU_MAP_ACLINT) return riscv::BusStatus::kAccessFault;
    value = card_.read(address, size_bytes);
    drive_interrupts();
    return riscv::BusStatus::kOk;
  }
  riscv::BusStatus store(uint64_t address, unsigned size_bytes, uint64_t value) override {
    if (address < NPU_MAP_ACLINT) return riscv::BusStatus::kAccessFault;
    card_.write(address, size_bytes, value);
    drive_interrupts();
    return riscv::BusStatus::kOk;
  }
  std::optional<riscv::DirectRegion> direct(uint64_t address) override {
    if (address < NPU_MAP_ROM_BYTES)
      return riscv::DirectRegion{rom_.data(), NPU_MAP_ROM, NPU_MAP_ROM_BYTES, true, false};
    if (address - NPU_MAP_TCM < NPU_MAP_TCM_BYTES) {
      return riscv::DirectRegion{card_.tcm.data(), NPU_MAP_TCM, NPU_MAP_TCM_BYTES, true, true};
    }
    return std::nullopt;
  }
  void drive_interrupts() {
    if (hart == nullptr) return;
    hart->set_interrupt_pending(riscv::Interrupt::kExternal, card_.external_pending());
    hart->set_interrupt_pending(riscv::Interrupt::kTimer, card_.timer_pending());
  }

  riscv::Hart* hart = nullptr;

 private:
  FakeCard& card_;
  std::vector<uint8_t> rom_;
};

class OnHart : public testing::Test {
 protected:
  static constexpr uint64_t kImageBus = 0x5'0000'0000;
  static constexpr uint64_t kSubmissionRing = 0x10'0000, kCompletionRing = 0x20'0000, kSegments = 0x30'0000;

  void SetUp() override {
    card.addresses_may_be_pointers = false;
    for (auto& byte : card.tcm) byte = 0xa5;  // nobody may rely on zeroed memory
    card.security.fuses[NPU_OTP_LIFECYCLE] = 1;
    const auto hash = SigningKey(NPU_TEST_KEY).hash_words();
    std::copy(hash.begin(), hash.end(), card.security.fuses.begin() + NPU_OTP_KEY_HASH(0));
    bus.hart = &hart;
    hart.reset();
    run();
  }

  /// Runs until the firmware sleeps with nothing to wake it, or for 20 million instructions.
  void run() {
    for (uint64_t cycles = 0; cycles < 20'000'000;) {
      bus.drive_interrupts();
      riscv::RunResult result = hart.run(1000, riscv::BusAccess::kAllowed);
      cycles += result.cycles;
      card.advance_ns(result.cycles);
      if (result.reason != riscv::StopReason::kWfi) continue;
      bus.drive_interrupts();
      if (hart.wakes_from_wfi()) continue;
      // Time alone may wake it; an event that is due and wakes nothing never will.
      uint64_t next = card.next_event_ns();
      if (next == UINT64_MAX || next <= card.now_ns) return;
      card.advance_ns(next - card.now_ns);
    }
    FAIL() << "does not come to rest, pc 0x" << std::hex << hart.pc() << "\n" << card.console;
  }
  Message ask(const Message& message) {
    card.send(message);
    run();
    EXPECT_TRUE(card.reply().has_value()) << card.console;
    return card.reply().value_or(Message{});
  }
  void boot() {
    std::vector<uint8_t> image = file_bytes(NPU_FIRMWARE_DIR "/atom-ca22.bin");
    card.host.map(kImageBus, image.size());
    ASSERT_TRUE(card.host.write(kImageBus, image));
    Message reply = ask({NPU_MESSAGE_BOOT_LOAD, static_cast<uint32_t>(kImageBus),
                         static_cast<uint32_t>(kImageBus >> 32), static_cast<uint32_t>(image.size()), NPU_ABI_VERSION});
    ASSERT_EQ(NPU_MAILBOX_STATUS(reply[0]), static_cast<uint32_t>(NPU_BOOT_BOOTED)) << card.console;
    ASSERT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_READY) << card.console;
  }
  void expect_trap(uint64_t pc, const std::string& text) {
    hart.set_pc(pc);
    card.send({NPU_MESSAGE_PING});  // wakes it
    run();
    EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_FAULT);
    EXPECT_NE(card.console.find("cp: TRAP " + text), std::string::npos) << card.console;
    EXPECT_FALSE(card.reply().has_value());
  }

  FakeCard card;
  CardBus bus{card};
  riscv::Hart hart{bus, {.hart_id = 0, .reset_pc = NPU_MAP_ROM}};
};

TEST_F(OnHart, RomAnswersAfterReset) {
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
  EXPECT_EQ(ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION})[2], static_cast<uint32_t>(NPU_STAGE_ROM));
}

TEST_F(OnHart, FirmwareBootsFromTheImageAsBuilt) {
  boot();
  Message reply = ask({NPU_MESSAGE_HELLO, NPU_ABI_VERSION});
  EXPECT_EQ(reply[2], static_cast<uint32_t>(NPU_STAGE_FIRMWARE));
  EXPECT_EQ(reply[3], 0x010300u);
  RecordProperty("boot_instructions", static_cast<int>(hart.instructions_retired()));
}

TEST_F(OnHart, RomStaysAliveAfterARefusedImage) {
  Message reply = ask({NPU_MESSAGE_BOOT_LOAD, 0x1000, 0, 4096, NPU_ABI_VERSION});
  EXPECT_EQ(NPU_MAILBOX_STATUS(reply[0]), static_cast<uint32_t>(NPU_BOOT_DMA_ERROR));
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_ROM);
  boot();
}

TEST_F(OnHart, AJobCostsAFewThousandInstructions) {
  boot();
  for (uint64_t address : {kSubmissionRing, kCompletionRing}) card.host.map(address, 4096);
  ASSERT_EQ(
      NPU_MAILBOX_STATUS(ask({NPU_MESSAGE_QUEUE_CREATE, 0x0001'04'00, kSubmissionRing, 0, kCompletionRing, 0, 9})[0]),
      static_cast<uint32_t>(NPU_MAILBOX_OK));
  const uint64_t page = 0x40'0000, list = 0x50'0000;
  card.host.put(list, page);
  card.host.map(page, 4096);
  card.host.put(kSegments, npu_segment{list, 4096, NPU_SEGMENT_HOST_PAGES, 0, 0});
  npu_submission submission{};
  submission.opcode = NPU_SUBMIT_EXECUTE;
  submission.context = 9;
  submission.job = 33;
  submission.segment_table = kSegments;
  submission.segment_count = 1;
  submission.command_bytes = 1024;
  submission.timeout_us = 1000;
  card.host.put(kSubmissionRing, submission);
  uint64_t before = hart.instructions_retired();
  card.task_manager_duration_ns = 5000;
  card.ring_sq_tail(0, 1);
  run();
  uint64_t instructions = hart.instructions_retired() - before;
  auto done = card.host.get<npu_completion>(kCompletionRing);
  EXPECT_EQ(done.job, 33u) << card.console;
  EXPECT_EQ(done.status, static_cast<uint32_t>(NPU_JOB_OK));
  EXPECT_EQ(done.phase, 1u);
  EXPECT_LT(instructions, 11'000u);  // with the step to the idle P-state afterwards
  RecordProperty("job_instructions", static_cast<int>(instructions));
}

TEST_F(OnHart, AJumpThroughANullPointerTraps) {
  boot();
  expect_trap(0, "instruction access fault: pc 0 value 0 cause 1");
  EXPECT_EQ(card.scratch[0], 0x43525301u);
}

TEST_F(OnHart, DataIsNotExecutable) {
  boot();
  expect_trap(NPU_MAP_TCM + 0x80000, "instruction access fault: pc 180000");
}

TEST_F(OnHart, AnUnusableStackIsReportedFromTheTrapStack) {
  boot();
  hart.set_x(2, 64);  // the next push of the sleeping firmware goes to address 0 and some
  card.send({NPU_MESSAGE_PING});
  run();
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_FAULT);
  EXPECT_NE(card.console.find("access fault"), std::string::npos) << card.console;
}

TEST_F(OnHart, AStackOverflowLeavesItsDumpInFlashThoughTheStackCannotBeRead) {
  boot();
  // Into the guard page below the stack of 16 KiB, which begins on a page: reading it back traps again.
  hart.set_x(2, (hart.x(2) | 4095) + 1 - 17 * 1024);
  card.send({NPU_MESSAGE_PING});
  run();
  EXPECT_EQ(card.card_state, MAILBOX_HOST_CARD_STATE_STATE_FAULT) << card.console;
  struct {
    npu_crash_entry entry;
    npu_crash_dump dump;
  } stored{};
  std::memcpy(&stored, card.security.flash.data() + NPU_FLASH_CRASH(0), sizeof(stored));
  EXPECT_EQ(stored.entry.magic, NPU_CRASH_ENTRY_MAGIC) << card.console;
  EXPECT_TRUE(stored.dump.mcause == 5 || stored.dump.mcause == 7) << stored.dump.mcause;  // load or store access fault
  EXPECT_GE(stored.dump.pc, NPU_MAP_TCM);
  EXPECT_EQ(stored.dump.stack_bytes, 0u);
  EXPECT_EQ(card.dram.get<npu_crash_dump>(NPU_DRAM_CRASH_DUMP).pc, stored.dump.pc);
}

}  // namespace
}  // namespace npuvp::firmware_test

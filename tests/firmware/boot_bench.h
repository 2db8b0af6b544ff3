// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "models/crypto/crypto.h"
#include "models/flash/controller.h"
#include "models/gpio/gpio.h"
#include "models/otp/otp.h"
#include "models/riscv/hart.h"
#include "tests/firmware/fake_card.h"
#include "tests/models/base/test_bus.h"

extern "C" {
#include "firmware/abi/boot_record.h"
}

namespace npuvp::firmware_test {

[[nodiscard]] std::vector<uint8_t> file_bytes(const std::string& path);

/// A card's boot, fast: the ROM as built on the hart model, the models of the blocks that decide what boots, and the
/// fake card for everything else. Power can come and go; fuses and flash keep what they have. One a process.
class BootBench final : private riscv::Bus, private riscv::HartObserver {
 public:
  struct Parameters {
    otp::Words fuses{};
    uint8_t boot_strap = 0;
    uint64_t seed = 1;
  };

  explicit BootBench(const Parameters& parameters);
  ~BootBench() override;

  /// Everything from reset, on a card that remembers nothing but fuses and flash; runs, at most until `cut_after` bytes
  /// of the flash were programmed or erased, when power fails.
  void power_on(std::optional<uint64_t> cut_after = {});
  /// Until the software sleeps with nothing to wake it, or power has failed. Too many instructions fail the test.
  void run();
  /// Sends a message as the physical function and runs. No reply: power has failed.
  std::optional<Message> ask(const Message& message);
  /// Offers `image` by BOOT_LOAD; the status of the reply, or nothing.
  std::optional<uint32_t> offer(const std::vector<uint8_t>& image);
  /// Replaces what is in the flash, from outside.
  void put_flash(uint32_t address, const std::vector<uint8_t>& bytes);
  /// The boot record as the host reads it.
  npu_boot_record record();

  /// Whether an instruction from the TCM was executed since power_on(): the ROM's own code is in the ROM.
  [[nodiscard]] bool executed_payload() const { return executed_payload_; }
  [[nodiscard]] FakeCard& card() { return *card_; }
  [[nodiscard]] flash::SpiNor& flash() { return flash_.flash(); }
  [[nodiscard]] otp::Otp& otp() { return otp_; }
  [[nodiscard]] const std::vector<uint8_t>& rom() const { return rom_; }
  /// Observing each instruction takes time; off where it is not looked at.
  void watch_execution(bool on) { hart_.set_observer(on ? this : nullptr); }

  static constexpr uint64_t kImageBus = 0x5'0000'0000;

 private:
  riscv::BusStatus load(uint64_t address, unsigned size_bytes, uint64_t& value) override;
  riscv::BusStatus store(uint64_t address, unsigned size_bytes, uint64_t value) override;
  std::optional<riscv::DirectRegion> direct(uint64_t address) override;
  void on_instruction(const riscv::Hart& hart, uint64_t pc, const riscv::Instruction& instruction) override;
  void on_trap(const riscv::Hart&, const riscv::TrapRecord&) override {}

  /// What the crypto block reads and writes.
  class Memory;

  test::TestInitiator* model_at(uint64_t address);
  bool access_model(test::TestInitiator& model, uint64_t address, unsigned size_bytes, uint64_t& value, bool write);
  void drive_interrupts();
  /// Brings SystemC's time up to the card's.
  void catch_up();
  [[nodiscard]] uint64_t next_event_ns() const;

  base::Environment environment_;
  otp::Otp otp_;
  flash::FlashController flash_;
  crypto::Crypto crypto_;
  gpio::Gpio gpio_;
  test::TestInitiator otp_port_{"otp_port"};
  test::TestInitiator flash_port_{"flash_port"};
  test::TestInitiator crypto_port_{"crypto_port"};
  test::TestInitiator gpio_port_{"gpio_port"};
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<FakeCard> card_;
  std::vector<uint8_t> rom_;
  riscv::Hart hart_;
  bool executed_payload_ = false;
};

}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
// Claims of the PC16550D data sheet, section 8.
#include "models/uart/uart.h"

#include <gtest/gtest.h>

#include "tests/models/base/test_bus.h"

namespace npuvp::uart {
namespace {

constexpr uint64_t kData = 0, kIer = 1, kIir = 2, kFcr = 2, kLcr = 3, kLsr = 5, kScr = 7;

class UartTest : public testing::Test {
 protected:
  UartTest() {
    port.socket.bind(uart.socket);
    uart.on_transmit([this](char byte) { sent.push_back(byte); });
  }

  void write(uint64_t offset, uint8_t value) {
    sc_core::sc_time delay;
    const std::array<uint8_t, 1> bytes{value};
    EXPECT_EQ(port.write(offset, bytes, delay), tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(delay, sc_core::SC_ZERO_TIME);
  }
  uint8_t read(uint64_t offset) {
    sc_core::sc_time delay;
    std::array<uint8_t, 1> bytes{};
    EXPECT_EQ(port.read(offset, bytes, delay), tlm::TLM_OK_RESPONSE);
    return bytes[0];
  }
  void receive(const std::string& text) {
    for (const char byte : text) uart.receive(byte);
  }
  [[nodiscard]] bool irq() const { return uart.interrupt.level(); }

  base::Environment environment;
  Uart uart{"uart", environment};
  test::TestInitiator initiator{"initiator"};
  base::InitiatorPort& port = initiator.port;
  std::string sent;
};

TEST_F(UartTest, ResetValues) {
  EXPECT_EQ(read(kIer), 0x00);
  EXPECT_EQ(read(kIir), 0x01);
  EXPECT_EQ(read(kLcr), 0x00);
  EXPECT_EQ(read(kLsr), 0x60);
}

TEST_F(UartTest, TransmitsAtOnce) {
  for (const char byte : {'h', 'i', '\n'}) write(kData, static_cast<uint8_t>(byte));
  EXPECT_EQ(sent, "hi\n");
  EXPECT_EQ(read(kLsr) & 0x60, 0x60);
}

TEST_F(UartTest, DivisorLatchHidesDataAndInterruptEnable) {
  write(kIer, 0x05);
  write(kLcr, 0x83);
  write(kData, 0x34);
  write(kIer, 0x12);
  EXPECT_EQ(read(kData), 0x34);
  EXPECT_EQ(read(kIer), 0x12);
  write(kLcr, 0x03);
  EXPECT_EQ(read(kIer), 0x05);
  EXPECT_EQ(sent, "");
  receive("x");
  EXPECT_EQ(read(kData), 'x');
}

TEST_F(UartTest, ReceivesInOrderAndShowsDataReady) {
  write(kFcr, 0x01);
  receive("abc");
  EXPECT_EQ(read(kLsr) & 1, 1);
  EXPECT_EQ(read(kData), 'a');
  EXPECT_EQ(read(kData), 'b');
  EXPECT_EQ(read(kLsr) & 1, 1);
  EXPECT_EQ(read(kData), 'c');
  EXPECT_EQ(read(kLsr) & 1, 0);
}

TEST_F(UartTest, FifoHoldsSixteenAndLosesTheRest) {
  write(kFcr, 0x01);
  EXPECT_EQ(uart.receive_room(), 16u);
  receive("0123456789abcdefXY");
  EXPECT_EQ(uart.receive_room(), 0u);
  EXPECT_EQ(read(kLsr) & 0x03, 0x03);
  EXPECT_EQ(read(kLsr) & 0x03, 0x01) << "reading clears the overrun";
  for (const char expected : std::string("0123456789abcdef")) EXPECT_EQ(read(kData), expected);
  EXPECT_EQ(read(kLsr) & 0x01, 0);
}

TEST_F(UartTest, WithoutFifoTheNewByteReplacesTheOld) {
  receive("ab");
  EXPECT_EQ(read(kLsr) & 0x03, 0x03);
  EXPECT_EQ(read(kData), 'b');
  EXPECT_EQ(read(kLsr) & 0x03, 0);
}

TEST_F(UartTest, ReceiveInterruptUntilTheDataAreRead) {
  receive("a");
  EXPECT_FALSE(irq());
  write(kIer, 0x01);
  EXPECT_TRUE(irq());
  EXPECT_EQ(read(kIir), 0x04);
  EXPECT_TRUE(irq()) << "reading IIR does not acknowledge received data";
  read(kData);
  EXPECT_FALSE(irq());
  EXPECT_EQ(read(kIir), 0x01);
}

TEST_F(UartTest, BelowTheTriggerLevelItIsATimeout) {
  write(kFcr, 0x41);  // trigger at 4
  write(kIer, 0x01);
  receive("abc");
  EXPECT_EQ(read(kIir), 0xcc);
  receive("d");
  EXPECT_EQ(read(kIir), 0xc4);
}

TEST_F(UartTest, TransmitInterruptIsAcknowledgedByReadingIir) {
  write(kIer, 0x02);
  EXPECT_TRUE(irq()) << "the holding register is empty when the interrupt is enabled";
  EXPECT_EQ(read(kIir), 0x02);
  EXPECT_FALSE(irq());
  EXPECT_EQ(read(kIir), 0x01);
  write(kData, 'x');
  EXPECT_TRUE(irq());
  write(kIer, 0x00);
  EXPECT_FALSE(irq());
}

TEST_F(UartTest, IdentifiesTheHighestPriority) {
  write(kIer, 0x07);
  receive("ab");  // overrun
  EXPECT_EQ(read(kIir), 0x06);
  read(kLsr);
  EXPECT_EQ(read(kIir), 0x04);
  read(kData);
  EXPECT_EQ(read(kIir), 0x02) << "and it has not been acknowledged by the reads above";
  EXPECT_FALSE(irq());
}

TEST_F(UartTest, FifoControlClearsTheReceiver) {
  write(kFcr, 0x01);
  receive("abc");
  write(kFcr, 0x03);
  EXPECT_EQ(read(kLsr) & 1, 0);
  receive("d");
  write(kFcr, 0x00);
  EXPECT_EQ(read(kLsr) & 1, 0) << "switching the FIFOs clears them";
}

TEST_F(UartTest, ScratchKeepsItsValueAndResetClearsAll) {
  write(kScr, 0xa5);
  EXPECT_EQ(read(kScr), 0xa5);
  write(kIer, 0x02);
  receive("z");
  uart.reset();
  EXPECT_EQ(read(kScr), 0);
  EXPECT_EQ(read(kLsr), 0x60);
  EXPECT_FALSE(irq());
}

TEST_F(UartTest, DebuggersReadTakesNoData) {
  receive("q");
  std::array<uint8_t, 1> bytes{};
  port.debug_read(kData, bytes);
  EXPECT_EQ(read(kData), 'q');
}

}  // namespace
}  // namespace npuvp::uart

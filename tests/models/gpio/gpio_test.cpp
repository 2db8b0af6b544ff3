// SPDX-License-Identifier: Apache-2.0
#include "models/gpio/gpio.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "npu/registers/gpio.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::gpio {
namespace {

class GpioTest : public testing::Test {
 protected:
  GpioTest() {
    environment.set_log_level("all", spdlog::level::off);
    cp.port.socket.bind(gpio.registers);
    gpio.irq.connect([this](bool level) { irq = level; });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  uint32_t status() { return cp.read<uint32_t>(GPIO_IRQ_STATUS); }

  base::Environment environment;
  Gpio gpio{"gpio", environment, {.boot = 1, .board = 0x42}};
  test::TestInitiator cp{"cp"};
  bool irq = false;
};

TEST_F(GpioTest, ShowsTheStraps) {
  EXPECT_EQ(cp.read<uint32_t>(GPIO_STRAPS), 0x4201U);
  gpio.reset();
  EXPECT_EQ(cp.read<uint32_t>(GPIO_STRAPS), 0x4201U);
}

TEST_F(GpioTest, DrivesPinsAndReadsThemBack) {
  uint32_t levels = 0, driven = 0;
  gpio.on_output([&](uint32_t new_levels, uint32_t new_driven) {
    levels = new_levels;
    driven = new_driven;
  });
  gpio.set_input(0, true);
  gpio.set_input(1, true);
  cp.write(GPIO_OUTPUT, 0xcU);
  EXPECT_EQ(cp.read<uint32_t>(GPIO_INPUT), 0x3U);
  cp.write(GPIO_DIRECTION, 0x6U);  // pins 1 and 2
  EXPECT_EQ(driven, 0x6U);
  EXPECT_EQ(levels, 0x4U);
  EXPECT_EQ(cp.read<uint32_t>(GPIO_INPUT), 0x5U);  // the card pulls pin 1 down
  gpio.reset();
  EXPECT_EQ(driven, 0U);
  EXPECT_EQ(cp.read<uint32_t>(GPIO_INPUT), 0x3U);
  EXPECT_THROW(gpio.set_input(32, true), std::invalid_argument);
}

TEST_F(GpioTest, InterruptsByEdge) {
  cp.write(GPIO_IRQ_ENABLE, 0x7U);
  cp.write(GPIO_IRQ_HIGH, 0x1U);  // pin 0 rising, pin 1 falling
  cp.write(GPIO_IRQ_BOTH, 0x4U);  // pin 2 both
  cp.write(GPIO_IRQ_STATUS, 0xffffffffU);
  gpio.set_input(1, true);
  EXPECT_FALSE(irq);
  gpio.set_input(0, true);
  EXPECT_TRUE(irq);
  EXPECT_EQ(status(), 1U);
  cp.write(GPIO_IRQ_STATUS, 1U);
  EXPECT_FALSE(irq);
  gpio.set_input(0, false);
  EXPECT_FALSE(irq);
  gpio.set_input(1, false);
  EXPECT_EQ(status(), 2U);
  cp.write(GPIO_IRQ_STATUS, 2U);
  for (bool level : {true, false}) {
    gpio.set_input(2, level);
    EXPECT_EQ(status(), 4U);
    cp.write(GPIO_IRQ_STATUS, 4U);
  }
}

TEST_F(GpioTest, InterruptsByLevelAsLongAsItLasts) {
  cp.write(GPIO_IRQ_HIGH, 0x80000000U);
  cp.write(GPIO_IRQ_LEVEL, 0x80000000U);
  cp.write(GPIO_IRQ_ENABLE, 0x80000000U);
  EXPECT_FALSE(irq);
  gpio.set_input(31, true);
  EXPECT_TRUE(irq);
  cp.write(GPIO_IRQ_STATUS, 0x80000000U);
  EXPECT_TRUE(irq);
  gpio.set_input(31, false);
  cp.write(GPIO_IRQ_STATUS, 0x80000000U);
  EXPECT_FALSE(irq);
}

TEST_F(GpioTest, PinsThatAreNotEnabledDoNotInterrupt) {
  cp.write(GPIO_IRQ_HIGH, 1U);
  gpio.set_input(0, true);
  EXPECT_EQ(status() & 1U, 1U);
  EXPECT_FALSE(irq);
  cp.write(GPIO_IRQ_ENABLE, 1U);
  EXPECT_TRUE(irq);
}

}  // namespace
}  // namespace npuvp::gpio

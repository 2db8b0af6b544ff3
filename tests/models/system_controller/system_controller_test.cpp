// SPDX-License-Identifier: Apache-2.0
#include "models/system_controller/system_controller.h"

#include <gtest/gtest.h>

#include <optional>

#include "npu/registers/system_controller.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::system_controller {
namespace {

class SystemControllerTest : public testing::Test {
 protected:
  SystemControllerTest() {
    environment.set_log_level("all", spdlog::level::off);
    hart.port.socket.bind(controller.registers);
    controller.on_card_reset([this](ResetCause given) {
      cause = given;
      controller.reset(given);
    });
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  base::Environment environment;
  SystemController controller{"system_controller",
                              environment,
                              {.neural_engines = 8,
                               .dram_mib = 16384,
                               .shared_bytes = 32U << 20,
                               .scratchpad_bytes = 4U << 20,
                               .cp_mhz = 1000,
                               .card = 3}};
  test::TestInitiator hart{"hart"};
  std::optional<ResetCause> cause;
};

TEST_F(SystemControllerTest, ShowsTheStraps) {
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_NEURAL_ENGINES), 8U);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_DRAM_MIB), 16384U);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_SHARED_BYTES), 32U << 20);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_SCRATCHPAD_BYTES), 4U << 20);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_CP_MHZ), 1000U);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_CARD), 3U);
}

TEST_F(SystemControllerTest, StrapsCannotBeWritten) {
  hart.write(SYSTEM_CONTROLLER_NEURAL_ENGINES, uint32_t{9});
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_NEURAL_ENGINES), 8U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
}

TEST_F(SystemControllerTest, FirmwareResetsTheCardAndScratchSurvives) {
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_RESET_CAUSE), SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_POWER_ON);
  hart.write(SYSTEM_CONTROLLER_SCRATCH(3), uint32_t{0x1234});
  hart.write(SYSTEM_CONTROLLER_RESET, uint32_t{0});
  EXPECT_FALSE(cause);
  hart.write(SYSTEM_CONTROLLER_RESET, uint32_t{SYSTEM_CONTROLLER_RESET_CARD_MASK});
  EXPECT_EQ(cause, ResetCause::kFirmware);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_RESET_CAUSE), SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_FIRMWARE);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_SCRATCH(3)), 0x1234U);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_CARD), 3U);
}

TEST_F(SystemControllerTest, PowerOnClearsScratch) {
  hart.write(SYSTEM_CONTROLLER_SCRATCH(0), uint32_t{1});
  controller.reset(ResetCause::kPcie);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_RESET_CAUSE), SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_PCIE);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_SCRATCH(0)), 1U);
  controller.reset(ResetCause::kPowerOn);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_SCRATCH(0)), 0U);
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_RESET_CAUSE), SYSTEM_CONTROLLER_RESET_CAUSE_CAUSE_POWER_ON);
}

}  // namespace
}  // namespace npuvp::system_controller

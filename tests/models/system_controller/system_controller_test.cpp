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
                               .card = 3,
                               .clock_khz = {1000000, 976562, 976562, 800000, 900000}}};
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

TEST_F(SystemControllerTest, PStatesDivideTheClocksButTheCommandProcessors) {
  struct Row {
    uint32_t state;
    uint32_t divider;
    unsigned generation;
  };
  // hardware facts: P2 nominal Gen5, P4 nominal Gen4, P6 half Gen4, P10 half, P12 abort, P14 idle.
  for (const Row row : {Row{4, 1, 4}, Row{6, 2, 4}, Row{10, 2, 0}, Row{12, 16, 0}, Row{14, 16, 0}, Row{2, 1, 5}}) {
    hart.write(SYSTEM_CONTROLLER_PSTATE, row.state);
    EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_PSTATE), row.state);
    EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_CLOCK_KHZ(0)), 1000000U);
    EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_CLOCK_KHZ(1)), 976562U / row.divider);
    EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_CLOCK_KHZ(3)), 800000U / row.divider);
    EXPECT_EQ(controller.clock(Domain::kDc2).divider(), row.divider);
    EXPECT_EQ(controller.clock(Domain::kDc2).stretch(), row.divider);
    EXPECT_EQ(controller.clock(Domain::kBus).stretch(), row.divider == 16 ? 1 : row.divider) << "on demand when idle";
    EXPECT_EQ(settings_of(static_cast<PState>(row.state)).pcie_generation, row.generation);
  }
}

TEST_F(SystemControllerTest, TellsOfChangesOfThePState) {
  std::vector<std::pair<PState, PState>> changes;
  controller.on_pstate([&](PState now, PState before) { changes.emplace_back(now, before); });
  hart.write(SYSTEM_CONTROLLER_PSTATE, uint32_t{14});
  hart.write(SYSTEM_CONTROLLER_PSTATE, uint32_t{14});
  controller.reset(ResetCause::kHost);
  EXPECT_EQ(changes,
            (std::vector<std::pair<PState, PState>>{{PState::kP14, PState::kP2}, {PState::kP2, PState::kP14}}));
}

TEST_F(SystemControllerTest, RefusesAPStateThatDoesNotExist) {
  hart.write(SYSTEM_CONTROLLER_PSTATE, uint32_t{6});
  hart.write(SYSTEM_CONTROLLER_PSTATE, uint32_t{5});
  EXPECT_EQ(hart.read<uint32_t>(SYSTEM_CONTROLLER_PSTATE), 6U);
  EXPECT_EQ(controller.clock(Domain::kDc1).divider(), 2U);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
}

TEST_F(SystemControllerTest, HandsOnResetsOfBlocksAndPowerOff) {
  uint32_t blocks = 0;
  int offs = 0;
  controller.on_block_reset([&](uint32_t which) { blocks = which; });
  controller.on_power_off([&] { ++offs; });
  hart.write(SYSTEM_CONTROLLER_BLOCK_RESET, uint32_t{0x0501});
  EXPECT_EQ(blocks, 0x0501U);
  hart.write(SYSTEM_CONTROLLER_RESET, uint32_t{SYSTEM_CONTROLLER_RESET_POWER_OFF_MASK});
  EXPECT_EQ(offs, 1);
  EXPECT_FALSE(cause);
}

}  // namespace
}  // namespace npuvp::system_controller

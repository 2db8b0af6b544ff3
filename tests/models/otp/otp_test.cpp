// SPDX-License-Identifier: Apache-2.0
#include "models/otp/otp.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "models/base/file_error.h"
#include "models/otp/default_fuses.h"
#include "npu/registers/otp.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::otp {
namespace {

constexpr uint32_t kGo = OTP_CONTROL_PROGRAM_MASK | uint32_t{OTP_CONTROL_KEY_PROGRAM} << OTP_CONTROL_KEY_SHIFT;

class OtpTest : public testing::Test {
 protected:
  void start(const Words& words = {}, const std::string& file = {}) {
    environment.set_log_level("all", spdlog::level::off);
    otp = std::make_unique<Otp>("otp", environment, Otp::Parameters{.fuses = words, .file = file});
    host.port.socket.bind(otp->registers);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  /// Programs and waits; the error field.
  uint32_t program(uint32_t word, uint32_t bits, uint32_t control = kGo) {
    host.write(OTP_WORD, word);
    host.write(OTP_BITS, bits);
    host.write(OTP_CONTROL, control);
    sc_core::sc_start(1, sc_core::SC_MS);
    const auto status = host.read<uint32_t>(OTP_STATUS);
    EXPECT_EQ(status & OTP_STATUS_BUSY_MASK, 0U);
    EXPECT_NE(status & OTP_STATUS_DONE_MASK, 0U);
    return (status & OTP_STATUS_ERROR_MASK) >> OTP_STATUS_ERROR_SHIFT;
  }
  uint32_t fuse(uint32_t word) { return host.read<uint32_t>(OTP_FUSE(word)); }
  uint32_t lifecycle() { return host.read<uint32_t>(OTP_LIFECYCLE); }

  base::Environment environment;
  std::unique_ptr<Otp> otp;
  test::TestInitiator host{"host"};
};

TEST_F(OtpTest, BitsGoUpAndNeverDown) {
  start();
  EXPECT_EQ(program(100, 0x0f0), uint32_t{OTP_STATUS_ERROR_NONE});
  EXPECT_EQ(program(100, 0x00f), uint32_t{OTP_STATUS_ERROR_NONE});
  EXPECT_EQ(fuse(100), 0x0ffU);
  EXPECT_EQ(program(100, 0), uint32_t{OTP_STATUS_ERROR_NONE});
  EXPECT_EQ(fuse(100), 0x0ffU);
  EXPECT_EQ(host.write(OTP_FUSE(100), 0U), tlm::TLM_OK_RESPONSE);  // misuse, without effect
  EXPECT_EQ(fuse(100), 0x0ffU);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
}

TEST_F(OtpTest, ProgrammingTakesTimeForEachFuse) {
  start();
  host.write(OTP_WORD, 100U);
  host.write(OTP_BITS, 7U);
  host.write(OTP_CONTROL, kGo);
  sc_core::sc_start(29, sc_core::SC_US);
  EXPECT_EQ(host.read<uint32_t>(OTP_STATUS), uint32_t{OTP_STATUS_BUSY_MASK});
  host.write(OTP_CONTROL, kGo);
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(host.read<uint32_t>(OTP_STATUS), uint32_t{OTP_STATUS_DONE_MASK});
}

TEST_F(OtpTest, RefusesWithoutTheKeyAndBeyondTheEnd) {
  start();
  EXPECT_EQ(program(100, 1, OTP_CONTROL_PROGRAM_MASK), uint32_t{OTP_STATUS_ERROR_KEY});
  EXPECT_EQ(program(128, 1), uint32_t{OTP_STATUS_ERROR_RANGE});
  EXPECT_EQ(program(255, 1), uint32_t{OTP_STATUS_ERROR_RANGE});
  EXPECT_EQ(fuse(100), 0U);
}

TEST_F(OtpTest, LocksHoldUntilTheCardResets) {
  start();
  host.write(OTP_LOCK, uint32_t{OTP_LOCK_KEYS_MASK});
  host.write(OTP_LOCK, 0U);
  EXPECT_EQ(program(NPU_OTP_KEY_HASH(0), 1), uint32_t{OTP_STATUS_ERROR_LOCKED});
  EXPECT_EQ(program(NPU_OTP_KEY_HASH(4) - 1, 1), uint32_t{OTP_STATUS_ERROR_LOCKED});
  EXPECT_EQ(program(NPU_OTP_SERIAL, 1), uint32_t{OTP_STATUS_ERROR_LOCKED});
  EXPECT_EQ(program(NPU_OTP_KEY_REVOKED, 1), uint32_t{OTP_STATUS_ERROR_NONE});  // revoking stays possible
  EXPECT_EQ(program(NPU_OTP_ROLLBACK, 1), uint32_t{OTP_STATUS_ERROR_NONE});
  EXPECT_EQ(program(NPU_OTP_LIFECYCLE, 1), uint32_t{OTP_STATUS_ERROR_NONE});
  host.write(OTP_LOCK, OTP_LOCK_LIFECYCLE_MASK | OTP_LOCK_ROLLBACK_MASK);
  EXPECT_EQ(program(NPU_OTP_LIFECYCLE, 3), uint32_t{OTP_STATUS_ERROR_LOCKED});
  EXPECT_EQ(program(NPU_OTP_DEBUG_DISABLE, 1), uint32_t{OTP_STATUS_ERROR_LOCKED});
  EXPECT_EQ(program(NPU_OTP_ROLLBACK + 3, 1), uint32_t{OTP_STATUS_ERROR_LOCKED});
  otp->reset();
  EXPECT_EQ(program(NPU_OTP_KEY_HASH(0), 1), uint32_t{OTP_STATUS_ERROR_NONE});
}

TEST_F(OtpTest, ClosedRegionsStayClosed) {
  start();
  EXPECT_EQ(program(NPU_OTP_CLOSED, NPU_OTP_REGION_KEYS), uint32_t{OTP_STATUS_ERROR_NONE});
  otp->reset();
  EXPECT_EQ(program(NPU_OTP_KEY_HASH(2), 1), uint32_t{OTP_STATUS_ERROR_LOCKED});
}

TEST_F(OtpTest, TheLifeCycleDecidesAboutDebugAccess) {
  start();
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_TEST} | OTP_LIFECYCLE_DEBUG_ALLOWED_MASK);
  program(NPU_OTP_LIFECYCLE, 0b001);
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_DEVELOPMENT} | OTP_LIFECYCLE_DEBUG_ALLOWED_MASK);
  program(NPU_OTP_LIFECYCLE, 0b010);
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_PRODUCTION});
  EXPECT_FALSE(otp->debug_allowed());
  program(NPU_OTP_LIFECYCLE, 0b100);
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_RMA} | OTP_LIFECYCLE_DEBUG_ALLOWED_MASK);
  EXPECT_TRUE(otp->debug_allowed());
  program(NPU_OTP_DEBUG_DISABLE, 1);
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_RMA});
  EXPECT_FALSE(otp->debug_allowed());
}

TEST_F(OtpTest, CodesThatNobodyProgramsAreProduction) {
  start();
  program(NPU_OTP_LIFECYCLE, 0b010);
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_PRODUCTION});
  program(NPU_OTP_LIFECYCLE, 0b100);
  EXPECT_EQ(lifecycle(), uint32_t{OTP_LIFECYCLE_STATE_PRODUCTION});
}

TEST_F(OtpTest, TheRollbackCounterCountsOnesFromTheBottom) {
  start();
  EXPECT_EQ(host.read<uint32_t>(OTP_ROLLBACK), 0U);
  program(NPU_OTP_ROLLBACK, 0xffffffff);
  program(NPU_OTP_ROLLBACK + 1, 0b1011);
  EXPECT_EQ(host.read<uint32_t>(OTP_ROLLBACK), 34U);
  program(NPU_OTP_ROLLBACK + 1, 0b0100);
  EXPECT_EQ(host.read<uint32_t>(OTP_ROLLBACK), 36U);
}

TEST_F(OtpTest, AFileKeepsWhatWasProgrammed) {
  const std::string file = testing::TempDir() + "otp_test_fuses.bin";
  std::filesystem::remove(file);
  start(default_fuses(NPU_LIFECYCLE_DEVELOPMENT, false), file);
  program(127, 0x80000000);
  const Fuses again({}, file);
  EXPECT_EQ(again.word(127), 0x80000000U);
  EXPECT_EQ(again.lifecycle(), NPU_LIFECYCLE_DEVELOPMENT);
  EXPECT_NE(again.word(NPU_OTP_KEY_HASH(2)), 0U);
  EXPECT_EQ(again.word(NPU_OTP_KEY_HASH(3)), 0U);
  std::ofstream(file, std::ios::app) << 'x';
  EXPECT_THROW(Fuses({}, file), base::FileError);
  std::filesystem::remove(file);
}

TEST(Fuses, AFileThatCannotBeReplacedLeavesTheFusesAsTheyWere) {
  Fuses fuses({}, "/nonexistent/fuses.bin");
  EXPECT_FALSE(fuses.program(1, 1));
  EXPECT_EQ(fuses.word(1), 0U);
}

}  // namespace
}  // namespace npuvp::otp

// SPDX-License-Identifier: Apache-2.0
#include "models/aperture/aperture.h"

#include <gtest/gtest.h>

#include <limits>

#include "npu/registers/aperture.h"
#include "tests/models/base/test_bus.h"

namespace npuvp::aperture {
namespace {

class ApertureTest : public testing::Test {
 protected:
  ApertureTest() {
    environment.set_log_level("all", spdlog::level::off);
    host.port.socket.bind(aperture.host);
    card.port.socket.bind(aperture.registers);
    aperture.memory.bind(memory.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  void open(uint32_t function, uint64_t begin, uint64_t bytes) {
    card.write(APERTURE_BASE(function), begin);
    card.write(APERTURE_BYTES(function), bytes);
  }
  tlm::tlm_response_status read(uint16_t function, uint64_t offset) {
    host.port.sideband().function = function;
    (void)host.read<uint32_t>(offset);
    return host.response;
  }

  base::Environment environment;
  Aperture aperture{"aperture", environment};
  test::TestInitiator host{"host"};
  test::TestInitiator card{"card"};
  test::TestTarget memory{"memory", 0x10000};
};

TEST_F(ApertureTest, IsClosedAtFirst) {
  for (uint16_t function = 0; function < 17; ++function) {
    EXPECT_EQ(read(function, 0), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  EXPECT_TRUE(memory.log.empty());
}

TEST_F(ApertureTest, EachFunctionReachesItsOwnWindowAndNoOther) {
  open(0, 0x1000, 0x2000);
  open(16, 0x8000, 0x1000);
  memory.put<uint32_t>(0x1010, 11);
  memory.put<uint32_t>(0x8010, 22);
  EXPECT_EQ(host.read<uint32_t>(0x10), 11U);
  host.port.sideband().function = 16;
  EXPECT_EQ(host.read<uint32_t>(0x10), 22U);
  host.write(0x14, uint32_t{33});
  EXPECT_EQ(memory.data[0x8014], 33U);
  EXPECT_EQ(memory.log.back().address, 0x8014U);
  EXPECT_EQ(read(3, 0x10), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read(17, 0x10), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_F(ApertureTest, TheWholeAccessMustLieInside) {
  open(2, 0x1000, 0x1000);
  EXPECT_EQ(read(2, 0xffc), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(read(2, 0xffd), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read(2, 0x1000), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read(2, std::numeric_limits<uint64_t>::max() - 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(memory.log.size(), 1U);
}

TEST_F(ApertureTest, AWindowThatWrapsLeadsNowhere) {
  open(1, ~uint64_t{0xfff}, 0x10000);
  EXPECT_EQ(read(1, 0x2000), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_TRUE(memory.log.empty());
}

TEST_F(ApertureTest, ReportsAMisalignedBase) {
  card.write(APERTURE_BASE(4), uint64_t{0x1801});
  EXPECT_EQ(environment.diagnostics().misuse_count(), 1U);
  EXPECT_EQ(card.read<uint64_t>(APERTURE_BASE(4)), 0x1000U);
}

TEST_F(ApertureTest, ResetsCloseWindows) {
  open(1, 0x1000, 0x1000);
  open(2, 0x2000, 0x1000);
  aperture.function_reset(1);
  EXPECT_EQ(read(1, 0), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(read(2, 0), tlm::TLM_OK_RESPONSE);
  aperture.function_reset(99);
  aperture.reset();
  EXPECT_EQ(read(2, 0), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_F(ApertureTest, TakesNoTimeOfItsOwnAndPassesErrorsOn) {
  open(0, 0x1000, 0x1000);
  memory.latency = test::ns(30);
  std::array<uint8_t, 64> data{};
  auto delay = test::ns(5);
  EXPECT_EQ(host.port.read(0, data, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, test::ns(35));
  memory.failing = 0x1000;
  EXPECT_EQ(read(0, 0), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

}  // namespace
}  // namespace npuvp::aperture

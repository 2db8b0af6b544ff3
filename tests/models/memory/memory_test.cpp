// SPDX-License-Identifier: Apache-2.0
#include "models/memory/memory.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tests/models/base/test_bus.h"

namespace npuvp::memory {
namespace {

using test::ns;
using test::TestInitiator;

struct Bench {
  explicit Bench(const Memory::Parameters& parameters) : memory("memory", environment, parameters) {
    environment.set_log_level("all", spdlog::level::off);
    for (unsigned i = 0; i < parameters.ports; ++i) initiators[i].port.socket.bind(memory.ports[i]);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  base::Environment environment;
  Memory memory;
  sc_core::sc_vector<TestInitiator> initiators{"initiators", memory.ports.size()};
};

Memory::Parameters small() {
  return {.bytes = 8192, .bytes_per_second = 1e9, .latency = ns(7)};
}

TEST(Memory, TakesItsTransferTimeAndLatency) {
  Bench bench(small());
  std::array<uint8_t, 64> data{};
  auto delay = ns(5);
  EXPECT_EQ(bench.initiators[0].port.read(0, data, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, ns(5 + 64 + 7));
}

TEST(Memory, PortsShareOneTimeline) {
  auto parameters = small();
  parameters.ports = 2;
  Bench bench(parameters);
  std::array<uint8_t, 64> data{};
  auto first = ns(0);
  auto second = ns(10);
  bench.initiators[0].port.write(0, data, first);
  bench.initiators[1].port.write(64, data, second);
  EXPECT_EQ(first, ns(64 + 7));
  EXPECT_EQ(second, ns(128 + 7));
}

TEST(Memory, KeepsWhatIsWritten) {
  Bench bench(small());
  auto& initiator = bench.initiators[0];
  EXPECT_EQ(initiator.write(8184, uint64_t{0x1122334455667788}), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(initiator.read<uint32_t>(8188), 0x11223344U);
  bench.memory.reset();
  EXPECT_EQ(initiator.read<uint32_t>(8188), 0x11223344U);
  bench.memory.clear();
  EXPECT_EQ(initiator.read<uint32_t>(8188), 0U);
}

TEST(Memory, RefusesWhatLiesOutside) {
  Bench bench(small());
  auto& initiator = bench.initiators[0];
  EXPECT_EQ(initiator.write(8185, uint64_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(initiator.write(8192, uint8_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(initiator.write(std::numeric_limits<uint64_t>::max(), uint64_t{1}), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(initiator.read<uint8_t>(8191), 0U);
  sc_core::sc_time delay;
  EXPECT_EQ(initiator.port.read(0, {}, delay), tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST(Memory, ReadOnlyTakesAnImageButNoWrites) {
  auto parameters = small();
  parameters.read_only = true;
  Bench bench(parameters);
  const std::array<uint8_t, 4> image{1, 2, 3, 4};
  EXPECT_TRUE(bench.memory.load(16, image));
  EXPECT_FALSE(bench.memory.load(8190, image));
  auto& initiator = bench.initiators[0];
  EXPECT_EQ(initiator.read<uint32_t>(16), 0x04030201U);
  EXPECT_EQ(initiator.write(16, uint32_t{9}), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(initiator.read<uint32_t>(16), 0x04030201U);
  EXPECT_EQ(bench.environment.diagnostics().misuse_count(), 1U);
  EXPECT_NE(bench.environment.diagnostics().last_misuse().find("memory: write to read-only memory at 0x10"),
            std::string::npos);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(initiator.port.dmi(0, dmi));
  EXPECT_TRUE(dmi.is_read_allowed());
  EXPECT_FALSE(dmi.is_write_allowed());
}

TEST(Memory, ScrubZerosEverythingInTheTimeThatWritingTakes) {
  Bench bench(small());
  auto& initiator = bench.initiators[0];
  initiator.write(8000, uint32_t{5});  // 4 ns of the array
  EXPECT_EQ(bench.memory.scrub(), ns(4 + 8192));
  sc_core::sc_time delay;
  std::array<uint8_t, 4> data{1, 1, 1, 1};
  EXPECT_EQ(initiator.port.read(8000, data, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(data, (std::array<uint8_t, 4>{}));
  EXPECT_EQ(delay, ns(4 + 8192 + 4 + 7));
}

TEST(Memory, AWriteThatIsSaidToBeZerosIsZeros) {
  Bench bench(small());
  auto& initiator = bench.initiators[0];
  initiator.write(100, ~uint64_t{0});
  initiator.port.sideband().zeros = true;
  EXPECT_EQ(initiator.write(102, uint32_t{0}), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(initiator.read<uint64_t>(100), 0xffff'0000'0000'ffffU);
}

TEST(Memory, OffersAllOfItselfForDirectAccess) {
  Bench bench(small());
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(bench.initiators[0].port.dmi(100, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0U);
  EXPECT_EQ(dmi.get_end_address(), 8191U);
  EXPECT_TRUE(dmi.is_read_write_allowed());
  dmi.get_dmi_ptr()[5] = 42;
  EXPECT_EQ(bench.initiators[0].read<uint8_t>(5), 42U);
}

TEST(Memory, DebugAccessStopsAtTheEndAndTakesNoTime) {
  Bench bench(small());
  std::array<uint8_t, 8> data{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(bench.initiators[0].port.debug_write(8188, data), 4U);
  EXPECT_EQ(bench.initiators[0].port.debug_read(8192, data), 0U);
  EXPECT_EQ(bench.initiators[0].port.debug_read(8190, data), 2U);
  EXPECT_EQ(data[0], 3U);
  sc_core::sc_time delay;
  std::array<uint8_t, 1> byte{};
  bench.initiators[0].port.read(0, byte, delay);
  EXPECT_EQ(delay, ns(1 + 7));
}

}  // namespace
}  // namespace npuvp::memory

// SPDX-License-Identifier: Apache-2.0
#include "models/memory/memory.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

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

TEST(Memory, FollowsItsClock) {
  auto parameters = small();
  parameters.banks = 4;
  parameters.bank_word_bytes = 8;
  Bench bench(parameters);
  base::ClockDomain shm("shm");
  bench.memory.clock.connect(shm);
  std::array<uint8_t, 64> data{};
  const auto read = [&](size_t bytes, sc_core::sc_time delay) {
    bench.initiators[0].port.read(0, std::span(data).first(bytes), delay);
    return delay;
  };
  EXPECT_EQ(read(64, ns(0)), ns(64 + 7));
  shm.set_divider(2);
  EXPECT_EQ(read(64, ns(1000)), ns(1000 + 2 * (64 + 7)));
  EXPECT_EQ(read(8, ns(2000)), ns(2000 + 2 * (8 * 4 + 7))) << "a word of one bank of four";
  bench.memory.reset();
  EXPECT_EQ(bench.memory.wipe(), ns(2 * 8192));
}

TEST(Memory, CountsTheEnergyOfEachByte) {
  auto parameters = small();
  parameters.ports = 2;
  Bench bench(parameters);
  std::array<uint8_t, 48> data{};
  auto delay = ns(0);
  bench.initiators[0].port.read(0, data, delay);
  bench.initiators[1].port.write(64, data, delay);
  EXPECT_EQ(bench.memory.energy.units(), 96U);
  (void)bench.initiators[0].read<uint8_t>(8192);
  EXPECT_EQ(bench.memory.energy.units(), 96U) << "an access that fails moves nothing";
  (void)bench.memory.wipe(0, 1024);
  (void)bench.memory.scrub(0, 4096, ns(0));
  EXPECT_EQ(bench.memory.energy.units(), 96U + 1024 + 4096);
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

TEST(Memory, WipingZerosEverythingInTheTimeThatWritingTakes) {
  Bench bench(small());
  auto& initiator = bench.initiators[0];
  initiator.write(8000, uint32_t{5});  // 4 ns of the array
  EXPECT_EQ(bench.memory.wipe(), ns(4 + 8192));
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

/// Four banks of 16-byte words, a word in 16 ns.
Memory::Parameters banked() {
  auto parameters = small();
  parameters.bytes_per_second = 4e9;
  parameters.banks = 4;
  parameters.bank_word_bytes = 16;
  parameters.ports = 2;
  return parameters;
}

sc_core::sc_time read(Bench& bench, unsigned port, uint64_t address, size_t bytes, sc_core::sc_time delay = {}) {
  std::vector<uint8_t> data(bytes);
  EXPECT_EQ(bench.initiators[port].port.read(address, data, delay), tlm::TLM_OK_RESPONSE);
  return delay;
}

TEST(MemoryBanks, AccessesToDifferentBanksDoNotMeet) {
  Bench bench(banked());
  EXPECT_EQ(read(bench, 0, 0, 16), ns(16 + 7));
  EXPECT_EQ(read(bench, 1, 16, 16), ns(16 + 7));
  EXPECT_EQ(read(bench, 0, 40, 16), ns(16 + 7));  // parts of words 2 and 3
  EXPECT_EQ(bench.memory.counters().conflicts, 0U);
  EXPECT_EQ(read(bench, 1, 64, 16), ns(32 + 7));  // bank 0 again
  EXPECT_EQ(bench.memory.counters().conflicts, 1U);
  EXPECT_EQ(bench.memory.counters().waited, ns(16));
}

TEST(MemoryBanks, ABurstOverAllBanksHasTheFullRate) {
  Bench bench(banked());
  EXPECT_EQ(read(bench, 0, 1024, 1024), ns(256 + 7));
  EXPECT_EQ(read(bench, 1, 2048, 1024), ns(512 + 7));
}

TEST(MemoryBanks, AStrideOfAllBanksHasTheRateOfOne) {
  Bench bench(banked());
  for (unsigned row = 0; row < 8; ++row) EXPECT_EQ(read(bench, 0, row * 64, 16), ns(16 * (row + 1) + 7));
}

TEST(MemoryBanks, APartOfAWordCostsTheWord) {
  Bench bench(banked());
  EXPECT_EQ(read(bench, 0, 3, 1), ns(16 + 7));
  EXPECT_EQ(read(bench, 0, 15 + 64, 2), ns(32 + 7));  // words 4 (bank 0) and 5 (bank 1)
}

TEST(MemoryBanks, OnePortsBurstHoldsUpTheOthersWordInItsBanksOnly) {
  Bench bench(banked());
  EXPECT_EQ(read(bench, 0, 0, 48, ns(0)), ns(16 + 7));           // banks 0 to 2
  EXPECT_EQ(read(bench, 1, 32, 16, ns(10)), ns(32 + 7));         // bank 2
  EXPECT_EQ(read(bench, 1, 48, 16, ns(10)), ns(26 + 7));         // bank 3
  EXPECT_EQ(read(bench, 0, 0, 1024, ns(20)), ns(32 + 256 + 7));  // bank 2 is the last
}

TEST(MemoryEcc, SingleErrorsAreCorrectedAndDoubleErrorsPoisonTheRead) {
  Bench bench(small());
  auto& initiator = bench.initiators[0];
  std::vector<uint64_t> met;
  bench.memory.on_error([&](uint64_t address, base::secded::Outcome) { met.push_back(address); });
  initiator.write(0x108, uint64_t{42});
  bench.memory.inject_error(0x108, 7);
  EXPECT_EQ(initiator.read<uint64_t>(0x108), 42U);
  EXPECT_FALSE(initiator.port.sideband().poison);
  bench.memory.inject_error(0x108, 70);
  (void)initiator.read<uint32_t>(0x10c);
  EXPECT_TRUE(initiator.port.sideband().poison);
  EXPECT_EQ(met, (std::vector<uint64_t>{0x108, 0x108}));
  EXPECT_EQ(bench.memory.ecc().corrected, 1U);
  EXPECT_EQ(bench.memory.ecc().uncorrectable, 1U);
  initiator.port.sideband().poison = false;
  initiator.write(0x108, uint64_t{43});
  EXPECT_EQ(initiator.read<uint64_t>(0x108), 43U);
  EXPECT_FALSE(initiator.port.sideband().poison);
}

TEST(MemoryEcc, DirectAccessIsWithdrawnAroundTheErrorOnly) {
  Bench bench(small());
  tlm::tlm_dmi dmi;
  bench.memory.inject_error(0x1100, 0);
  EXPECT_FALSE(bench.initiators[0].port.dmi(0x1000, dmi));
  ASSERT_TRUE(bench.initiators[0].port.dmi(0, dmi));
  EXPECT_EQ(dmi.get_end_address(), 0xfffU);
  // 8 KiB read at a byte a nanosecond, one word written, the pipeline once.
  EXPECT_EQ(bench.memory.scrub(0, 8192, ns(0)), ns(8192 + 8 + 7));
  EXPECT_TRUE(bench.initiators[0].port.dmi(0x1000, dmi));
  EXPECT_THROW(bench.memory.scrub(8192, 1, ns(0)), std::invalid_argument);
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

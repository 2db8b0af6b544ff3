// SPDX-License-Identifier: Apache-2.0
// Power of the whole card under its real firmware. Expected values are computed from the board file's figures and from
// what the blocks are published or documented to do at their peak, by hand; the card's own telemetry must show them.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "firmware/abi/telemetry.h"
#include "models/memory/memory.h"
#include "models/pcie/link.h"
#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/raw_function.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {
namespace {

using sc_core::SC_MS;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr size_t kNeural = 0;
constexpr size_t kSystem = 1;
constexpr size_t kDram = 2;
constexpr size_t kPcie = 3;
constexpr double kMicro = 1e-6;
constexpr double kPico = 1e-12;

// Published of the card.
constexpr double kIdleWatts = 6;
constexpr double kTdpWatts = 85;

// The board file's figures.
constexpr std::array<double, 4> kIdleRails{1.5, 2.0, 1.5, 1.0};
constexpr std::array<double, 4> kNominalRails{1.5 + 8.0, 2.0 + 4.0, 1.5, 1.0};
constexpr double kMac = 0.73 * kPico;
constexpr double kScratchpadByte = 3 * kPico;
constexpr double kSharedByte = 5 * kPico;
constexpr double kNocByte = 3 * kPico;
constexpr double kDramByte = 60 * kPico;
constexpr double kPcieByte = 40 * kPico;
constexpr double kDmaByte = 2 * kPico;
constexpr double kInstruction = 50 * kPico;
constexpr double kDramBytesPerSecond = 8 * 32e9 * 0.914;
constexpr double kEngineHz = 976.5625e6;
constexpr unsigned kEngines = 8;

// Each engine's GEMM, by the documentation of the array: 128 cells of k by 64 of n. Eight strips of eight tiles, a
// cycle a row; 128 cycles for the first weights, 128 + 64 to fill and drain. A passes once a strip, B and C once.
constexpr uint32_t kM = 1024;
constexpr uint32_t kN = 512;
constexpr uint32_t kK = 1024;
constexpr double kGemmCycles = (kN / 64) * (kK / 128) * kM + 128 + 128 + 64;
constexpr double kGemmMacs = 1.0 * kM * kN * kK;
constexpr double kGemmBytes = 1.0 * (kN / 64) * kM * kK + kN * kK + 4.0 * kM * kN;

/// The one card with its firmware; commands and telemetry through the host's ways only.
struct PoweredCard {
  explicit PoweredCard(TestServer& run)
      : server(run),
        card(run.server.card(0)),
        image(TestServer::firmware()),
        device(run.host, run.functions.front(), {reinterpret_cast<const uint8_t*>(image.data()), image.size()}),
        function(run.host, run.functions.front()),
        block(run.host.ram(), 4096) {}

  npu_telemetry telemetry() {
    const uint64_t at = block.bus_address();
    const auto status = function.status_of(NPU_MESSAGE_TELEMETRY,
                                           {0, static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32), 0, 0});
    EXPECT_EQ(status, uint32_t{NPU_MAILBOX_OK});
    npu_telemetry page;
    std::memcpy(&page, block.bytes().data(), sizeof page);
    return page;
  }

  runtime::JobId submit(std::vector<npu_command> commands, std::vector<runtime::Segment> segments) {
    stream = device.allocate(commands.size() * sizeof(npu_command), runtime::Placement::kHost);
    std::memcpy(stream->bytes().data(), commands.data(), commands.size() * sizeof(npu_command));
    segments.push_back({stream.get(), false});
    return device.submit({.segments = segments,
                          .command_segment = static_cast<uint32_t>(segments.size() - 1),
                          .command_bytes = static_cast<uint32_t>(commands.size() * sizeof(npu_command))});
  }

  /// What the blocks themselves have counted.
  struct Counters {
    double noc_bytes = 0;
    double dram_bytes = 0;
    double dma_bytes = 0;  // written by the DMA engines
    double scratchpad_bytes = 0;
    double shared_bytes = 0;
    double pcie_bytes = 0;
    double instructions = 0;
  };
  Counters counters() {
    Counters sum;
    const auto& noc = card.noc();
    for (size_t i = 0; i < noc.initiator_ports().size(); ++i) {
      const std::string& name = noc.initiator_ports()[i].name;
      const bool dma = name.find("dma") != std::string::npos && name != "cp_dma";
      for (size_t t = 0; t < noc.target_ports().size(); ++t) {
        const auto& flow = noc.flow(i, t);
        const auto bytes = static_cast<double>(flow.bytes_read + flow.bytes_written);
        sum.noc_bytes += bytes;
        if (noc.target_ports()[t].name == "dram") sum.dram_bytes += bytes;
        if (dma) sum.dma_bytes += static_cast<double>(flow.bytes_written);
      }
    }
    for (unsigned engine = 0; engine < kEngines; ++engine) {
      sum.scratchpad_bytes += memory_bytes("scratchpad_" + std::to_string(engine));
    }
    sum.shared_bytes = memory_bytes("shared");
    const auto& link = *card.endpoint().port().link();
    sum.pcie_bytes = static_cast<double>(link.upstream().wire_bytes() + link.downstream().wire_bytes());
    sum.instructions = static_cast<double>(card.harts().hart(0).instructions_retired());
    return sum;
  }

  TestServer& server;
  assembly::Card& card;
  const std::string image;
  host::InprocDevice device;
  RawFunction function;
  host::HostBlock block;
  std::unique_ptr<runtime::Buffer> stream;

 private:
  static double memory_bytes(const std::string& name) {
    const auto* memory = dynamic_cast<memory::Memory*>(sc_core::sc_find_object(("server.card0." + name).c_str()));
    EXPECT_NE(memory, nullptr) << name;
    return memory == nullptr ? 0 : static_cast<double>(memory->counters().bytes);
  }
};

/// Average power in W of each rail between two pages.
std::array<double, 4> watts(const npu_telemetry& from, const npu_telemetry& to) {
  std::array<double, 4> each{};
  const double seconds = static_cast<double>(to.time_ns - from.time_ns) * 1e-9;
  for (size_t rail = 0; rail < each.size(); ++rail) {
    each[rail] = static_cast<double>(to.energy_uj[rail] - from.energy_uj[rail]) * kMicro / seconds;
  }
  return each;
}

double total(const std::array<double, 4>& rails) {
  return std::accumulate(rails.begin(), rails.end(), 0.0);
}

double milliwatts_shown(const npu_telemetry& page) {
  return page.power_mw[0] + page.power_mw[1] + page.power_mw[2] + page.power_mw[3];
}

npu_command command(uint8_t kind, uint8_t opcode, uint8_t engine) {
  npu_command made{};
  made.kind = kind;
  made.opcode = opcode;
  made.engine = engine;
  made.signal = NPU_TOKEN_NONE;
  for (auto& wait : made.wait) wait = {NPU_TOKEN_NONE, 0};
  return made;
}

/// Every engine: `gemms` INT8 GEMMs out of its scratchpad, while its Neural DMA channel copies `rows` times 64 KiB from
/// DRAM (segment 0) to the end of the scratchpad.
std::vector<npu_command> full_load(uint32_t gemms, uint32_t rows) {
  constexpr uint32_t kRowBytes = 64 << 10;
  std::vector<npu_command> commands;
  for (uint8_t engine = 0; engine < kEngines; ++engine) {
    auto& copy = commands.emplace_back(command(NPU_COMMAND_NEURAL_DMA, NPU_DMA_COPY, engine));
    copy.u.dma.source = NPU_ADDRESS(0, uint64_t{engine} * kRowBytes);
    copy.u.dma.destination = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, (4 << 20) - kRowBytes);
    copy.u.dma.rows = rows;
    copy.u.dma.row_bytes = kRowBytes;
  }
  commands.emplace_back(command(NPU_COMMAND_CONTROL, NPU_CONTROL_LOOP, 0)).u.loop.count = gemms;
  for (uint8_t engine = 0; engine < kEngines; ++engine) {
    auto& gemm = commands.emplace_back(command(NPU_COMMAND_NEURAL_ENGINE, NPU_NE_GEMM, engine)).u.gemm;
    gemm.a = 0;
    gemm.b = kM * kK;
    gemm.c = kM * kK + kN * kK;
    gemm.m = kM;
    gemm.n = kN;
    gemm.k = kK;
    gemm.a_stride = kK;
    gemm.b_stride = kN;
    gemm.c_stride = kN * 4;
    gemm.type = NPU_TYPE_INT8;
  }
  commands.push_back(command(NPU_COMMAND_CONTROL, NPU_CONTROL_LOOP_END, 0));
  return commands;
}

/// Contents change no time and no energy; 0.6 TMAC would take the test's host a while.
config::ServerConfig without_contents() {
  auto config = config::load_server("server-1", NPUVP_BOARDS_DIR);
  config.cards.front().data = config::DataMode::kNone;
  return config;
}

TEST(Power, ABootedIdleCardDrawsThePublishedIdlePower) {
  TestServer run("server-1", [](TestServer& self) {
    PoweredCard card(self);
    sc_core::wait(100, SC_MS);
    const auto begin = card.telemetry();
    sc_core::wait(100, SC_MS);
    const auto end = card.telemetry();
    EXPECT_EQ(end.pstate, 14U);
    const auto measured = watts(begin, end);
    for (size_t rail = 0; rail < measured.size(); ++rail) EXPECT_NEAR(measured[rail], kIdleRails[rail], 0.002) << rail;
    EXPECT_NEAR(total(measured), kIdleWatts, 0.002);
    EXPECT_NEAR(milliwatts_shown(end), kIdleWatts * 1000, 5);
  });
}

// Within 0.5 %: 20 ns to dispatch a GEMM of 67.4 us, the beginning of a DMA command, a bin of 100 us at either end.
TEST(Power, FullLoadDrawsThePublishedTdpAndHeatsTheCardAccordingly) {
  TestServer run(without_contents(), [](TestServer& self) {
    PoweredCard card(self);
    sc_core::wait(200, SC_MS);  // the die is as warm as 6 W make it
    const double seconds_of_gemm = kGemmCycles / kEngineHz;
    const auto gemms = static_cast<uint32_t>(14e-3 / seconds_of_gemm);
    const auto rows = static_cast<uint32_t>(14e-3 * kDramBytesPerSecond / kEngines / (64 << 10));
    const auto data = card.device.allocate(kEngines << 16, runtime::Placement::kDevice);
    const auto before = card.telemetry();
    const auto job = card.submit(full_load(gemms, rows), {{data.get(), false}});
    sc_core::wait(3, SC_MS);
    const auto begin = card.telemetry();
    const auto counted_at_begin = card.counters();
    sc_core::wait(7, SC_MS);
    const auto end = card.telemetry();
    const auto counted_at_end = card.counters();
    EXPECT_EQ(end.pstate, 2U);
    const auto done = card.device.wait(job, std::chrono::seconds(1));
    ASSERT_EQ(done.status, uint32_t{NPU_JOB_OK});
    EXPECT_NEAR(static_cast<double>(done.end_ns - done.start_ns), 14e6, 0.01 * 14e6) << "both at their peak";

    const double gemm_rate = kEngines / seconds_of_gemm;
    std::array<double, 4> expected = kNominalRails;
    expected[kNeural] += gemm_rate * (kGemmMacs * kMac + kGemmBytes * kScratchpadByte);
    expected[kNeural] += kDramBytesPerSecond * kScratchpadByte;
    expected[kSystem] += kDramBytesPerSecond * (2 * kNocByte + kDmaByte);  // to the DMA engine and on from it
    expected[kDram] += kDramBytesPerSecond * kDramByte;
    EXPECT_NEAR(total(expected), kTdpWatts, 0.005 * kTdpWatts) << "the board file adds up";

    const auto measured = watts(begin, end);
    for (size_t rail = 0; rail < measured.size(); ++rail) {
      EXPECT_NEAR(measured[rail], expected[rail], 0.005 * expected[rail]) << rail;
    }
    EXPECT_NEAR(total(measured), kTdpWatts, 0.01 * kTdpWatts);
    EXPECT_NEAR(milliwatts_shown(end), kTdpWatts * 1000, 0.01 * kTdpWatts * 1000) << "ten time constants of its filter";

    // Nothing is lost or invented on the way from the blocks' own counters to the rails.
    const double seconds = static_cast<double>(end.time_ns - begin.time_ns) * 1e-9;
    const auto difference = [&](double PoweredCard::Counters::*which) {
      return (counted_at_end.*which - counted_at_begin.*which) / seconds;
    };
    using Counters = PoweredCard::Counters;
    EXPECT_NEAR(measured[kDram], kNominalRails[kDram] + kDramByte * difference(&Counters::dram_bytes), 0.1);
    EXPECT_NEAR(measured[kPcie], kNominalRails[kPcie] + kPcieByte * difference(&Counters::pcie_bytes), 0.001);
    EXPECT_NEAR(measured[kSystem],
                kNominalRails[kSystem] + kNocByte * difference(&Counters::noc_bytes) +
                    kDmaByte * difference(&Counters::dma_bytes) + kSharedByte * difference(&Counters::shared_bytes) +
                    kInstruction * difference(&Counters::instructions),
                0.02);
    EXPECT_NEAR(measured[kNeural],
                kNominalRails[kNeural] + kScratchpadByte * difference(&Counters::scratchpad_bytes) +
                    gemm_rate * kGemmMacs * kMac,
                0.25);

    // Both stages of the thermal network by themselves: 0.1 K/W with 20 ms, 0.4 K/W with 30 s.
    const double loaded = static_cast<double>(end.time_ns - done.start_ns) * 1e-9;
    const double rise =
        (kTdpWatts - kIdleWatts) * (0.1 * (1 - std::exp(-loaded / 0.02)) + 0.4 * (1 - std::exp(-loaded / 30)));
    EXPECT_NEAR((end.temperature_mc - before.temperature_mc) / 1000.0, rise, 0.02 * rise);
  });
}

// A job that moves data over every level: each rail's energy is its baseline and the blocks' counters times the
// figures.
TEST(Power, EnergyIsWhatTheBlocksCounted) {
  TestServer run("server-1", [](TestServer& self) {
    PoweredCard card(self);
    constexpr uint32_t kBytes = 1 << 20;
    const auto host = card.device.allocate(kBytes, runtime::Placement::kHost);
    const auto dram = card.device.allocate(kBytes, runtime::Placement::kDevice);
    sc_core::wait(10, SC_MS);
    const auto copy = [](uint8_t kind, uint8_t engine, uint64_t source, uint64_t destination, uint16_t turn) {
      auto made = command(kind, NPU_DMA_COPY, engine);
      made.u.dma.source = source;
      made.u.dma.destination = destination;
      made.u.dma.rows = 1;
      made.u.dma.row_bytes = kBytes;
      if (turn > 0) made.wait[0] = {0, turn};
      made.signal = 0;
      return made;
    };
    const uint64_t in_dram = NPU_ADDRESS(1, 0);
    const uint64_t in_shared = NPU_ADDRESS(NPU_SPACE_SHARED, 0);
    const uint64_t in_scratchpad = NPU_ADDRESS(NPU_SPACE_SCRATCHPAD, 0);
    auto& meter = card.card.management().power;
    const auto energy = [&] {
      std::array<double, 4> each{};
      for (size_t rail = 0; rail < each.size(); ++rail) each[rail] = meter.joules(static_cast<base::Rail>(rail));
      return each;
    };
    const auto counted = card.counters();
    const auto before = energy();
    const sc_time begin = sc_time_stamp();
    const auto job = card.submit({copy(NPU_COMMAND_EXTERNAL_HDMA, 0, NPU_ADDRESS(0, 0), in_dram, 0),
                                  copy(NPU_COMMAND_TASK_DMA, 0, in_dram, in_shared, 1),
                                  copy(NPU_COMMAND_NEURAL_DMA, 3, in_shared, in_scratchpad, 2),
                                  copy(NPU_COMMAND_NEURAL_DMA, 3, in_scratchpad, in_dram, 3),
                                  copy(NPU_COMMAND_EXTERNAL_HDMA, 1, in_dram, NPU_ADDRESS(0, 0), 4)},
                                 {{host.get(), true}, {dram.get(), true}});
    ASSERT_EQ(card.device.wait(job, std::chrono::seconds(1)).status, uint32_t{NPU_JOB_OK});
    sc_core::wait(10, SC_MS);
    const auto after = energy();
    const double seconds = (sc_time_stamp() - begin).to_seconds();
    const auto now = card.counters();

    // By the job alone: five copies, each read and written. The firmware copies the commands too.
    EXPECT_NEAR(now.dma_bytes - counted.dma_bytes, 5 * kBytes, 2048);
    EXPECT_EQ(now.shared_bytes - counted.shared_bytes, 2 * kBytes);
    EXPECT_EQ(now.scratchpad_bytes - counted.scratchpad_bytes, 2 * kBytes);
    EXPECT_GE(now.dram_bytes - counted.dram_bytes, 4.0 * kBytes);

    const double dram_joules = kDramByte * (now.dram_bytes - counted.dram_bytes);
    EXPECT_NEAR(after[kDram] - before[kDram], kIdleRails[kDram] * seconds + dram_joules, 1e-3 * dram_joules);
    const double pcie_joules = kPcieByte * (now.pcie_bytes - counted.pcie_bytes);
    EXPECT_NEAR(after[kPcie] - before[kPcie], kIdleRails[kPcie] * seconds + pcie_joules, 1e-3 * pcie_joules);
    // The clocks ran at their nominal frequency for a while; both rails have them in the same proportion, 8 W to 4 W.
    const double clocks = after[kNeural] - before[kNeural] - kIdleRails[kNeural] * seconds -
                          kScratchpadByte * (now.scratchpad_bytes - counted.scratchpad_bytes);
    const double system_joules = kNocByte * (now.noc_bytes - counted.noc_bytes) +
                                 kDmaByte * (now.dma_bytes - counted.dma_bytes) +
                                 kSharedByte * (now.shared_bytes - counted.shared_bytes) +
                                 kInstruction * (now.instructions - counted.instructions);
    EXPECT_NEAR(after[kSystem] - before[kSystem] - kIdleRails[kSystem] * seconds - clocks / 2, system_joules,
                1e-3 * system_joules);
  });
}

}  // namespace
}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
// Bandwidth of DMA streams. Expected values: the public figures for PCIe Gen5 x16 without acknowledge and flow control
// traffic (53.1, 57.6 and 60.2 GB/s for writes at MPS 128, 256 and 512), and for reads 63.0 GB/s x MPS / (MPS + 20).
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/models/pcie/platform.h"

namespace npuvp::tests {
namespace {

constexpr auto kPort = Platform::kPort;
constexpr auto kEndpoint = Platform::kEndpoint;
constexpr uint64_t kBurstBytes = 4096;
constexpr unsigned kBursts = 1024;

void enumerate(Platform& platform) {
  platform.enumerate();
  sc_core::sc_start(1, sc_core::SC_MS);  // the link is idle again
}

void set_max_payload(Platform& platform, unsigned code) {
  for (const auto id : {kPort, kEndpoint}) platform.write_config(id, 0x48, 2, 0x2910 | code << 5);
}

/// Bytes a second of a stream of bursts that are all issued now, from the first burst's end to the last one's, so that
/// the latency does not count.
double stream_bandwidth(Platform& platform, bool write) {
  std::vector<uint8_t> data(kBurstBytes);
  sc_core::sc_time first;
  sc_core::sc_time last;
  for (unsigned burst = 0; burst < kBursts; ++burst) {
    sc_core::sc_time delay;
    const uint64_t address = FakeHost::kBase + burst * kBurstBytes;
    const auto status = write ? platform.dma().write(address, data, delay) : platform.dma().read(address, data, delay);
    EXPECT_EQ(status, tlm::TLM_OK_RESPONSE);
    if (burst == 0) first = delay;
    last = std::max(last, delay);
  }
  return (kBursts - 1) * kBurstBytes / (last - first).to_seconds();
}

TEST(PcieLinkTiming, WritesReachThePublishedBandwidth) {
  Platform platform;
  enumerate(platform);
  const std::pair<unsigned, double> table[] = {{0, 53.1e9}, {1, 57.6e9}, {2, 60.2e9}};
  sc_core::sc_time start;
  for (const auto& [code, expected] : table) {
    set_max_payload(platform, code);
    EXPECT_NEAR(stream_bandwidth(platform, true), expected, 0.06e9) << "MPS " << (128u << code);
    sc_core::sc_start(1, sc_core::SC_MS);
  }
}

TEST(PcieLinkTiming, ReadsReachTheRateOfCompletions) {
  Platform platform;
  enumerate(platform);
  for (unsigned code = 0; code < 3; ++code) {
    set_max_payload(platform, code);
    const double payload = 128u << code;
    EXPECT_NEAR(stream_bandwidth(platform, false), 63.0e9 * payload / (payload + 20), 0.06e9) << "MPS " << payload;
    sc_core::sc_start(1, sc_core::SC_MS);
  }
}

TEST(PcieLinkTiming, SpeedAndWidthScaleTheRate) {
  Platform platform({.generation = 3, .lanes = 8});
  enumerate(platform);
  EXPECT_EQ(platform.read_config(kPort, 0x52, 2) & 0x3ff, 0x083u);
  EXPECT_NEAR(platform.link.bytes_per_second(), 7.877e9, 0.001e9);
  set_max_payload(platform, 1);
  EXPECT_NEAR(stream_bandwidth(platform, true), 7.877e9 * 256 / 280, 0.01e9);
}

TEST(PcieLinkTiming, Gen1Uses8b10bCoding) {
  Platform platform({.generation = 1, .lanes = 4});
  EXPECT_DOUBLE_EQ(platform.link.bytes_per_second(), 1.0e9);
}

TEST(PcieLinkTiming, ReadRoundTripIsTheSumOfItsLatencies) {
  Platform platform;
  enumerate(platform);
  sc_core::sc_time delay;
  std::vector<uint8_t> data(64);
  platform.dma().read(FakeHost::kBase, data, delay);
  // Link 200 ns and root complex 200 ns each way, memory 100 ns, request 24 B and completion 84 B at 63.0 B/ns; the
  // request's last beat counts, as memory answers a whole request.
  EXPECT_NEAR(delay.to_seconds() * 1e9, 900 + (24 + 84) / 63.015, 0.01);
}

TEST(PcieLinkTiming, RegisterReadIncludesTheCard) {
  Platform platform;
  enumerate(platform);
  sc_core::sc_time fast;
  platform.read_memory(Platform::kBar0, 4, &fast);
  sc_core::sc_start(1, sc_core::SC_US);
  platform.bar0.latency = sc_core::sc_time(50, sc_core::SC_NS);
  sc_core::sc_time slow;
  platform.read_memory(Platform::kBar0, 4, &slow);
  EXPECT_EQ(slow - fast, sc_core::sc_time(50, sc_core::SC_NS));
}

TEST(PcieLinkTiming, DirectionsDoNotDisturbEachOther) {
  Platform platform;
  enumerate(platform);
  const double alone = stream_bandwidth(platform, true);
  const auto downstream = platform.link.busy_downstream();
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(platform.link.busy_downstream(), downstream) << "posted writes use one direction only";
  EXPECT_NEAR(stream_bandwidth(platform, true), alone, 1e6);
}

TEST(PcieLinkTiming, CompletionsAreCutAtTheReadCompletionBoundary) {
  using pcie::completion_wire_bytes;
  // 256 bytes from 0x20 at MPS 128: 0x20-0x80, 0x80-0x100, 0x100-0x120.
  EXPECT_EQ(completion_wire_bytes(0x20, 256, 0, 128, 64), 256u + 3 * 20);
  EXPECT_EQ(completion_wire_bytes(0x00, 256, 0, 128, 64), 256u + 2 * 20);
  EXPECT_EQ(completion_wire_bytes(0x00, 4096, 512, 256, 64), 4096u + 16 * 20);
  EXPECT_EQ(completion_wire_bytes(0x02, 1, 0, 128, 64), 4u + 20) << "whole double words";
}

}  // namespace
}  // namespace npuvp::tests

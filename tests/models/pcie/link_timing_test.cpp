// SPDX-License-Identifier: Apache-2.0
// Bandwidth, latency, credits and ordering of links. Expected bandwidths are the public figures for PCIe Gen5 x16: one
// way without acknowledge and flow control traffic (53.1, 57.6 and 60.2 GB/s for writes at MPS 128, 256 and 512; for
// reads 63.0 GB/s x MPS / (MPS + 20)), both ways with the worst case of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
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
    // Per request of 512 bytes: its completions, and the acknowledgement of the request itself.
    const double payload = 128u << code;
    const double expected = 63.0e9 * 512 / (512 + 512 / payload * 20 + 8);
    EXPECT_NEAR(stream_bandwidth(platform, false), expected, 0.06e9) << "MPS " << payload;
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

/// Streams of 4 KiB bursts both ways at once: the host's writes, or the card's reads, against the card's writes. Of
/// those beside reads there are seven for eight, as many as leave room for the read requests. Bytes a second of each.
std::pair<double, double> both_ways(Platform& platform, bool card_reads) {
  std::vector<uint8_t> data(kBurstBytes);
  const auto start = sc_core::sc_time_stamp();
  sc_core::sc_time first;
  sc_core::sc_time one;
  sc_core::sc_time other;
  for (unsigned burst = 0; burst < kBursts; ++burst) {
    sc_core::sc_time delay;
    const uint64_t address = FakeHost::kBase + burst % 256 * kBurstBytes;
    if (card_reads) {
      platform.dma().read(address, data, delay);
    } else {
      platform.host_write(Platform::kBar2 + burst % 16 * kBurstBytes, data, delay);
    }
    if (burst == 0) first = delay;
    one = std::max(one, delay);
    if (card_reads && burst % 8 == 7) continue;
    delay = {};
    platform.dma().write(address, data, delay);
    other = std::max(other, delay);
  }
  EXPECT_EQ(sc_core::sc_time_stamp(), start);
  const double bytes = double{kBursts - 1} * kBurstBytes;
  return {bytes / (one - first).to_seconds(), bytes / (other - first).to_seconds()};
}

TEST(PcieLinkTiming, WritesBothWaysPayForAcknowledgeAndFlowControl) {
  Platform platform;
  enumerate(platform);
  // The published figures with worst-case acknowledge and flow control traffic.
  const std::pair<unsigned, double> table[] = {{0, 47.0e9}, {1, 52.0e9}, {2, 54.7e9}};
  for (const auto& [code, expected] : table) {
    set_max_payload(platform, code);
    const auto [down, up] = both_ways(platform, false);
    EXPECT_NEAR(down, expected, 0.01 * expected) << "MPS " << (128u << code);
    EXPECT_NEAR(up, expected, 0.01 * expected) << "MPS " << (128u << code);
    sc_core::sc_start(1, sc_core::SC_MS);
  }
}

TEST(PcieLinkTiming, ReadsAgainstWritesPayForAcknowledgeAndFlowControl) {
  Platform platform;
  enumerate(platform);
  const std::pair<unsigned, double> table[] = {{0, 48.3e9}, {1, 52.7e9}, {2, 55.2e9}};
  for (const auto& [code, expected] : table) {
    set_max_payload(platform, code);
    const auto [reads, writes] = both_ways(platform, true);
    EXPECT_NEAR(reads, expected, 0.01 * expected) << "MPS " << (128u << code);
    sc_core::sc_start(1, sc_core::SC_MS);
  }
}

/// A DMA engine that keeps `outstanding` bytes of reads under way. Bytes a second.
double windowed_reads(Platform& platform, uint64_t outstanding) {
  constexpr uint64_t kRequest = 512;
  std::vector<uint8_t> data(kRequest);
  std::deque<sc_core::sc_time> running;
  const auto begin = sc_core::sc_time_stamp();
  constexpr unsigned kRequests = 20000;
  for (unsigned request = 0; request < kRequests; ++request) {
    if (running.size() * kRequest >= outstanding) {
      const auto now = sc_core::sc_time_stamp();
      if (running.front() > now) sc_core::sc_start(running.front() - now);
      running.pop_front();
    }
    sc_core::sc_time delay;
    platform.dma().read(FakeHost::kBase + request % 4096 * kRequest, data, delay);
    running.push_back(sc_core::sc_time_stamp() + delay);
  }
  return double{kRequests} * kRequest / (running.back() - begin).to_seconds();
}

TEST(PcieLinkTiming, SaturationNeedsTheOutstandingBytesOfTheRoundTrip) {
  Platform platform;
  enumerate(platform);
  set_max_payload(platform, 2);
  platform.write_config(kEndpoint, 0x68, 2, 0);
  const double full = 63.0e9 * 512 / (532 + 8);
  // The unloaded round trip is 0.9 us: half of its bytes give half of the rate, 64 KiB all of it.
  EXPECT_NEAR(windowed_reads(platform, 64 << 10), full, 0.02 * full);
  sc_core::sc_start(1, sc_core::SC_MS);
  const double round_trip = 0.9e-6 + (24 + 532) / 63.0e9;
  EXPECT_NEAR(windowed_reads(platform, 16 << 10), (16 << 10) / round_trip, 0.03 * full);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_NEAR(windowed_reads(platform, 4 << 10), (4 << 10) / round_trip, 0.03 * full);
}

TEST(PcieLinkTiming, TagsLimitTheReadsUnderWay) {
  Platform platform;
  enumerate(platform);
  set_max_payload(platform, 2);
  platform.write_config(kEndpoint, 0x48, 2, 0x2850);  // 5-bit tags: 32 requests of 512 bytes
  const double round_trip = 0.9e-6 + (24 + 532) / 63.0e9;
  EXPECT_NEAR(stream_bandwidth(platform, false), 32 * 512 / round_trip, 0.1 * 32 * 512 / round_trip);
}

TEST(PcieLinkTiming, ARetrainingHoldsTrafficUp) {
  Platform platform({.recovery_time = sc_core::sc_time(7, sc_core::SC_US)});
  enumerate(platform);
  sc_core::sc_time delay;
  std::vector<uint8_t> data(64);
  platform.dma().read(FakeHost::kBase, data, delay);
  sc_core::sc_start(1, sc_core::SC_MS);
  platform.write_config(kPort, 0x50, 2, 0x20);
  sc_core::sc_time held;
  platform.dma().read(FakeHost::kBase, data, held);
  EXPECT_NEAR((held - delay).to_seconds() * 1e6, 7.0, 0.001);
}

TEST(PcieLinkTiming, AReadPushesPostedWrites) {
  Platform platform;
  enumerate(platform);
  std::vector<uint8_t> data(kBurstBytes);
  sc_core::sc_time posted;
  for (unsigned burst = 0; burst < 16; ++burst) {
    sc_core::sc_time delay;
    platform.host_write(Platform::kBar2 + burst * kBurstBytes, data, delay);
    posted = std::max(posted, delay);
  }
  sc_core::sc_time read;
  platform.read_memory(Platform::kBar0, 4, &read);
  EXPECT_GT(read, posted) << "the read follows the writes to the card";
}

TEST(PcieLinkTiming, CompletionsAreCutAtTheReadCompletionBoundary) {
  using pcie::completion_shape;
  // 256 bytes from 0x20 at MPS 128: 0x20-0x80, 0x80-0x100, 0x100-0x120.
  EXPECT_EQ(completion_shape(0x20, 256, 0, 128, 64).wire_bytes, 256u + 3 * 20);
  EXPECT_EQ(completion_shape(0x20, 256, 0, 128, 64).tlps, 3u);
  EXPECT_EQ(completion_shape(0x00, 256, 0, 128, 64).wire_bytes, 256u + 2 * 20);
  EXPECT_EQ(completion_shape(0x00, 4096, 512, 256, 64).wire_bytes, 4096u + 16 * 20);
  EXPECT_EQ(completion_shape(0x00, 4096, 512, 256, 64).data_credits, 256u);
  EXPECT_EQ(completion_shape(0x02, 1, 0, 128, 64).wire_bytes, 4u + 20) << "whole double words";
}

// LinkDirection by itself, with buffers so small that they limit.

constexpr double kRate = 64e9;  // bytes a second, so that 64 bytes take a nanosecond

pcie::LinkDirection::Burst posted(uint64_t bytes, uint16_t requester = 0x100) {
  return {.flow = pcie::LinkDirection::Flow::kPosted,
          .shape = {.wire_bytes = bytes, .tlps = 1, .data_credits = bytes / 16},
          .requester = requester};
}

struct Wire {
  pcie::LinkDirection way;
  pcie::LinkDirection opposite;

  explicit Wire(const pcie::ReceiveBuffers& buffers) {
    way.configure(buffers, sc_core::sc_time(100, sc_core::SC_NS));
    opposite.configure({}, sc_core::sc_time(100, sc_core::SC_NS));
    way.set_rate(kRate);
    opposite.set_rate(kRate);
  }

  /// Sends a burst that arrives at the transmitter at `at_ns` and is drained at once; returns when it is received.
  double send(const pcie::LinkDirection::Burst& burst, double at_ns) {
    const sc_core::sc_time at(at_ns, sc_core::SC_NS);
    pcie::Passage passage{at, at, {}};
    way.carry(burst, opposite, passage);
    way.release(burst, passage.end);
    return passage.end.to_seconds() * 1e9;
  }
};

TEST(PcieLinkDirection, WaitsForCreditsToComeBack) {
  Wire wire({.posted_headers = 2, .posted_data = 0});
  EXPECT_NEAR(wire.send(posted(64), 0), 101, 0.01);
  EXPECT_NEAR(wire.send(posted(64), 0), 102, 0.01);
  // Both headers are in use until the first is drained at 101 ns and its credit is back at 201 ns.
  EXPECT_NEAR(wire.send(posted(64), 0), 302, 0.01);
}

TEST(PcieLinkDirection, DataCreditsCountSixteenBytes) {
  Wire wire({.posted_headers = 0, .posted_data = 8});
  EXPECT_NEAR(wire.send(posted(128), 0), 102, 0.01);
  EXPECT_NEAR(wire.send(posted(16), 0), 302.25, 0.01) << "behind the credits of the first";
}

TEST(PcieLinkDirection, NothingPassesAPostedRequest) {
  using Flow = pcie::LinkDirection::Flow;
  Wire wire({});
  wire.send(posted(6400), 0);  // leaves from 0 to 100 ns
  wire.send(posted(6400), 300);
  auto read = posted(64);
  read.flow = Flow::kNonPosted;
  EXPECT_NEAR(wire.send(read, 50), 201, 0.01) << "behind the write before it, in front of the one after it";

  auto completion = posted(64);
  completion.flow = Flow::kCompletion;
  Wire busy({});
  busy.send(posted(64), 0);
  busy.way.block(sc_core::sc_time(200, sc_core::SC_NS));
  busy.send(posted(6400), 10);
  EXPECT_GT(busy.send(completion, 20), 390);
  completion.may_pass_posted = true;
  EXPECT_LT(busy.send(completion, 20), 600);
}

TEST(PcieLinkDirection, IdBasedOrderingLetsOtherRequestersPass) {
  Wire wire({});
  // 100 ns of writes that cannot start before 50 ns leave a gap in front.
  wire.send(posted(6400, 0x100), 0);
  auto other = posted(64, 0x200);
  other.flow = pcie::LinkDirection::Flow::kCompletion;
  auto same = other;
  same.requester = 0x100;
  same.id_based_ordering = other.id_based_ordering = true;
  EXPECT_NEAR(wire.send(same, 10), 201, 0.01);
  EXPECT_NEAR(wire.send(other, 10), 202, 0.2) << "the wire is busy all the same";
}

}  // namespace
}  // namespace npuvp::tests

// SPDX-License-Identifier: Apache-2.0
// Routing through a switch: by bus number, by address, from peer to peer, with access control (PCI Express Base
// Specification 6.12, 7.7.8).
#include <gtest/gtest.h>

#include <deque>

#include "tests/models/pcie/switched_platform.h"

namespace npuvp::tests {
namespace {

using P = SwitchedPlatform;

// Bits of ACS control.
constexpr unsigned kSourceValidation = 1 << 0;
constexpr unsigned kRequestRedirect = 1 << 2;
constexpr unsigned kCompletionRedirect = 1 << 3;
constexpr unsigned kUpstreamForwarding = 1 << 4;
constexpr unsigned kEgressControl = 1 << 5;

void set_acs(P& platform, uint16_t id, unsigned control, uint32_t egress_vector = 0) {
  const auto acs = platform.extended(id, 0x000d);
  ASSERT_NE(acs, 0u);
  platform.write_config(id, acs + 6, 2, control);
  platform.write_config(id, acs + 8, 4, egress_vector);
}

tlm::tlm_response_status write(P& platform, unsigned from, uint64_t address, uint64_t value, unsigned function = 0) {
  sc_core::sc_time delay;
  platform.dma(from).sideband().function = static_cast<uint16_t>(function);
  return platform.dma(from).write(address, {reinterpret_cast<const uint8_t*>(&value), sizeof value}, delay);
}

struct Read {
  tlm::tlm_response_status status;
  uint64_t value;
  double ns;
};

Read read(P& platform, unsigned from, uint64_t address) {
  Read result{};
  sc_core::sc_time delay;
  result.status =
      platform.dma(from).read(address, {reinterpret_cast<uint8_t*>(&result.value), sizeof result.value}, delay);
  result.ns = delay.to_seconds() * 1e9;
  return result;
}

uint64_t stored(P& platform, unsigned endpoint, unsigned offset) {
  uint64_t value = 0;
  std::memcpy(&value, &platform.memories[2 * endpoint + 1]->bytes[offset], sizeof value);
  return value;
}

/// Unsupported request or completer abort seen by a port: AER uncorrectable status.
uint32_t errors(P& platform, uint16_t id) {
  return platform.read_config(id, platform.aer(id) + 4, 4);
}

TEST(PcieSwitch, IsEnumeratedByBusNumbers) {
  P platform({});
  EXPECT_EQ(platform.read_config(P::kUpstream, 0, 4), 0xffff'ffffu);
  platform.enumerate();
  EXPECT_EQ(platform.read_config(P::kUpstream, 0, 4), 0x1001'1effu);
  EXPECT_EQ(platform.read_config(P::kUpstream, 0x42, 2) >> 4 & 0xf, 5u) << "upstream port";
  EXPECT_EQ(platform.read_config(P::port(2), 0x42, 2) >> 4 & 0xf, 6u) << "downstream port";
  EXPECT_EQ(platform.read_config(P::port(3), 0, 4), 0xffff'ffffu) << "there are three";
  EXPECT_EQ(platform.read_config(P::endpoint_id(2), 0, 4), 0x1220'1effu);
  EXPECT_EQ(platform.endpoints[2]->physical_function().routing_id(), P::endpoint_id(2));
  EXPECT_EQ(platform.read_config(0x0108, 0, 4), 0xffff'ffffu) << "one device on a link";
  EXPECT_EQ(platform.read_config(0x0600, 0, 4), 0xffff'ffffu) << "beyond the subordinate bus";
}

TEST(PcieSwitch, RoutesMemoryByWindow) {
  P platform({});
  platform.enumerate();
  for (unsigned index = 0; index < 3; ++index) platform.write_memory(P::bar2(index) + 8, 0x1000 + index);
  for (unsigned index = 0; index < 3; ++index) {
    EXPECT_EQ(stored(platform, index, 8), 0x1000u + index);
    EXPECT_EQ(platform.read_memory(P::bar2(index) + 8), 0x1000u + index);
  }
  EXPECT_EQ(platform.read_memory(P::bar0(1) + 0x4'0000), 0xffff'ffffu) << "in the window, in no BAR";
  EXPECT_EQ(errors(platform, P::endpoint_id(1)), 0u) << "answered by a completion: advisory, and masked";
  EXPECT_EQ(platform.read_config(P::endpoint_id(1), 0x4a, 2) & 0x9, 0x9u);
}

TEST(PcieSwitch, AddsItsLatencyEachWay) {
  P platform({});
  platform.enumerate();
  sc_core::sc_start(1, sc_core::SC_MS);
  // As without a switch (900 ns), and a second link and the switch each way.
  EXPECT_NEAR(read(platform, 0, FakeHost::kBase).ns, 900 + 2 * (200 + 115), 3);
}

TEST(PcieSwitch, PeersReachEachOtherDirectly) {
  P platform({});
  platform.enumerate();
  const auto upstream = platform.upper_link.upstream().tlps();
  EXPECT_EQ(write(platform, 0, P::bar2(1) + 0x10, 0x1122'3344'5566'7788), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(stored(platform, 1, 0x10), 0x1122'3344'5566'7788u);
  const auto result = read(platform, 2, P::bar2(1) + 0x10);
  EXPECT_EQ(result.status, tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(result.value, 0x1122'3344'5566'7788u);
  EXPECT_NEAR(result.ns, 2 * (200 + 115 + 200), 3) << "link, switch, link and back";
  EXPECT_EQ(platform.upper_link.upstream().tlps(), upstream) << "nothing went up";
  EXPECT_EQ(platform.packet_switch.peer_counters().direct_requests, 2u);
  EXPECT_EQ(platform.packet_switch.peer_counters().direct_bytes, 16u);
}

TEST(PcieSwitch, RequestRedirectSendsPeersThroughTheRoot) {
  P platform({});
  platform.enumerate();
  set_acs(platform, P::port(0), kRequestRedirect);
  const auto tlps = platform.upper_link.upstream().tlps();
  EXPECT_EQ(write(platform, 0, P::bar2(1), 0xabcd), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(stored(platform, 1, 0), 0xabcdu);
  EXPECT_EQ(platform.upper_link.upstream().tlps(), tlps + 1);
  const auto detour = read(platform, 0, P::bar2(1));
  EXPECT_EQ(detour.value, 0xabcdu);
  EXPECT_NEAR(detour.ns, 2 * (200 + 115 + 200 + 200 + 200 + 115 + 200), 5) << "through root complex and upper link";
  EXPECT_EQ(platform.packet_switch.peer_counters().direct_requests, 0u);
  EXPECT_EQ(platform.packet_switch.peer_counters().redirected_requests, 2u);
  EXPECT_EQ(platform.root_complex.peer_counters().requests, 2u);
  EXPECT_EQ(write(platform, 1, P::bar2(0), 1), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(platform.packet_switch.peer_counters().direct_requests, 1u) << "port 1 has no redirection";
}

TEST(PcieSwitch, CompletionRedirectSendsDataThroughTheRoot) {
  P platform({});
  platform.enumerate();
  set_acs(platform, P::port(1), kCompletionRedirect);
  write(platform, 0, P::bar2(1), 0x77);
  EXPECT_EQ(platform.root_complex.peer_counters().completions, 0u);
  const auto result = read(platform, 0, P::bar2(1));
  EXPECT_EQ(result.value, 0x77u);
  EXPECT_EQ(platform.root_complex.peer_counters().completions, 1u);
  EXPECT_EQ(platform.packet_switch.peer_counters().redirected_completions, 1u);
  EXPECT_NEAR(result.ns, 2 * (200 + 115 + 200) + 200 + 200 + 200 + 115, 8) << "up and down again";
}

TEST(PcieSwitch, TheRootsPolicyForbidsPeers) {
  P platform({.root_peer_to_peer = false});
  platform.enumerate();
  set_acs(platform, P::port(0), kRequestRedirect);
  write(platform, 0, P::bar2(1), 5);
  EXPECT_EQ(stored(platform, 1, 0), 0u);
  EXPECT_EQ(read(platform, 0, P::bar2(1)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(platform.root_complex.peer_counters().refused, 2u);
}

TEST(PcieSwitch, EgressControlBlocksByTarget) {
  P platform({});
  platform.enumerate();
  set_acs(platform, P::port(0), kEgressControl, 1 << 1);
  write(platform, 0, P::bar2(1), 5);
  EXPECT_EQ(stored(platform, 1, 0), 0u);
  EXPECT_EQ(errors(platform, P::port(0)), 1u << 21) << "ACS violation";
  EXPECT_EQ(read(platform, 0, P::bar2(1)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(write(platform, 0, P::bar2(2), 6), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(stored(platform, 2, 0), 6u);
  set_acs(platform, P::port(0), kEgressControl | kRequestRedirect, 1 << 1);
  write(platform, 0, P::bar2(1), 7);
  EXPECT_EQ(stored(platform, 1, 0), 7u) << "redirected instead";
  EXPECT_EQ(platform.packet_switch.peer_counters().redirected_requests, 1u);
}

TEST(PcieSwitch, SourceValidationChecksTheBus) {
  P platform({});
  platform.enumerate();
  set_acs(platform, P::port(0), kSourceValidation);
  EXPECT_EQ(write(platform, 0, FakeHost::kBase, 1), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(platform.host.memory[0], 1);
  platform.write_config(P::port(0), 0x18, 3, 0x07'07'02);  // the endpoint still believes to be on bus 3
  write(platform, 0, FakeHost::kBase, 2);
  EXPECT_EQ(platform.host.memory[0], 1);
  EXPECT_EQ(errors(platform, P::port(0)), 1u << 21);
}

TEST(PcieSwitch, ARequestForItsOwnSideIsRefusedOrForwarded) {
  P platform({});
  platform.enumerate();
  EXPECT_EQ(read(platform, 0, P::bar2(0)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  set_acs(platform, P::port(0), kUpstreamForwarding);
  write(platform, 0, P::bar2(0) + 8, 0x99);
  EXPECT_EQ(stored(platform, 0, 8), 0x99u) << "came back from the root";
}

TEST(PcieSwitch, AnAddressOfNobodyBelowIsRefused) {
  P platform({});
  platform.enumerate();
  platform.write_config(P::port(2), 0x04, 2, 0x4);  // memory space off
  EXPECT_EQ(read(platform, 0, P::bar2(2)).status, tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(platform.read_memory(P::bar2(2)), 0xffff'ffffu);
  EXPECT_EQ(platform.read_config(P::kUpstream, 0x4a, 2) & 0x8, 0x8u) << "the upstream port found nobody";
}

TEST(PcieSwitch, HotResetReachesEverythingBelow) {
  P platform({});
  platform.enumerate();
  platform.write_config(P::kRootPort, 0x3e, 2, 0x40);
  platform.write_config(P::kRootPort, 0x3e, 2, 0);
  sc_core::sc_start(2, sc_core::SC_MS);
  for (unsigned index = 0; index < 3; ++index) EXPECT_EQ(platform.resets[index], std::vector<unsigned>{0});
  EXPECT_EQ(platform.read_config(P::kUpstream, 0x18, 4), 0u) << "bus numbers are gone";
  platform.enumerate();
  platform.write_memory(P::bar2(1), 3);
  EXPECT_EQ(stored(platform, 1, 0), 3u);
}

/// Copies 64 MiB from endpoint 0 into BAR2 of endpoint 1, 256 KiB under way at a time. Bytes a second.
double exchange(P& platform, uint64_t bytes) {
  auto& target = platform.memories[3]->bytes;
  target.assign(bytes, 0);
  platform.memories[3]->fail_from = bytes;
  std::vector<uint8_t> data(4096);
  std::deque<sc_core::sc_time> running;
  const auto begin = sc_core::sc_time_stamp();
  for (uint64_t at = 0; at < bytes; at += data.size()) {
    if (running.size() == 64) {
      if (running.front() > sc_core::sc_time_stamp()) sc_core::sc_start(running.front() - sc_core::sc_time_stamp());
      running.pop_front();
    }
    for (size_t byte = 0; byte < data.size(); ++byte) data[byte] = static_cast<uint8_t>((at >> 12) * 31 + byte * 7);
    sc_core::sc_time delay;
    EXPECT_EQ(platform.dma(0).write(P::bar2(1) + at, data, delay), tlm::TLM_OK_RESPONSE);
    running.push_back(sc_core::sc_time_stamp() + delay);
  }
  const double seconds = (running.back() - begin).to_seconds();
  for (uint64_t at = 0; at < bytes; ++at) {
    if (target[at] != static_cast<uint8_t>((at >> 12) * 31 + at % 4096 * 7)) {
      ADD_FAILURE() << "byte " << at << " differs";
      break;
    }
  }
  return static_cast<double>(bytes) / seconds;
}

TEST(PcieSwitch, PeersExchange64MibAtTheLinksRate) {
  P platform({});
  platform.enumerate();
  for (const auto id : {P::kRootPort, P::kUpstream, P::port(0), P::port(1), P::endpoint_id(0), P::endpoint_id(1)}) {
    platform.write_config(id, 0x48, 2, 0x2910 | 1 << 5);
  }
  constexpr double kWrites256 = 57.6e9;  // published, MPS 256
  EXPECT_NEAR(exchange(platform, 64 << 20), kWrites256, 0.02 * kWrites256);
  EXPECT_LT(platform.upper_link.upstream().wire_bytes(), 1024u) << "completions of configuration requests only";
  set_acs(platform, P::port(0), kRequestRedirect);
  // The upper link now carries the data both ways, with all of its acknowledge and flow control traffic.
  constexpr double kWritesBothWays256 = 52.0e9;  // published
  EXPECT_NEAR(exchange(platform, 64 << 20), kWritesBothWays256, 0.02 * kWritesBothWays256);
  EXPECT_EQ(platform.root_complex.peer_counters().bytes, 64u << 20);
  EXPECT_EQ(platform.packet_switch.peer_counters().redirected_bytes, 64u << 20);
  EXPECT_GT(platform.upper_link.upstream().wire_bytes(), 64u << 20);
  EXPECT_GT(platform.upper_link.downstream().wire_bytes(), 64u << 20);
}

TEST(PcieSwitch, SmallBuffersLimitTheRate) {
  P platform({.buffers = {.posted_headers = 8, .posted_data = 128, .completion_headers = 8, .completion_data = 128}});
  platform.enumerate();
  // 2 KiB of data credits come back after two link latencies, and the stay in the buffer.
  const double most = 2048 / 400e-9;
  const double rate = exchange(platform, 4 << 20);
  EXPECT_LT(rate, most);
  EXPECT_GT(rate, 0.3 * most);
}

}  // namespace
}  // namespace npuvp::tests

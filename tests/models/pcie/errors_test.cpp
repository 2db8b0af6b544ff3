// SPDX-License-Identifier: Apache-2.0
// Errors from detection to the root port's interrupt, containment, faults of links, hot-plug. Numbers of registers and
// bits are the PCI Express Base Specification's (6.2, 6.7, 7.5.3, 7.8.4, 7.9.15).
#include <gtest/gtest.h>

#include "models/pcie/tlp.h"
#include "tests/models/pcie/switched_platform.h"

namespace npuvp::tests {
namespace {

using P = SwitchedPlatform;
using pcie::Fault;

constexpr uint32_t kPoisonedTlp = 1 << 12;
constexpr uint32_t kCompletionTimeout = 1 << 14;
constexpr uint32_t kUnexpectedCompletion = 1 << 16;
constexpr uint32_t kUnsupportedRequest = 1 << 20;
constexpr uint32_t kMalformed = 1 << 18;
constexpr uint32_t kEcrc = 1 << 19;
constexpr uint32_t kBadTlp = 1 << 6;
constexpr uint32_t kRollover = 1 << 8;
constexpr uint32_t kAdvisory = 1 << 13;

constexpr unsigned kRootErrorStatus = 0x30;
constexpr unsigned kErrorSource = 0x34;

/// One platform with errors enabled up to the root port's interrupt.
class PcieErrors : public testing::Test {
 protected:
  explicit PcieErrors(const P::Options& options = {}) : platform(options) {
    platform.enumerate();
    platform.enable_errors();
  }

  uint32_t aer(uint16_t id, unsigned offset) { return platform.read_config(id, platform.aer(id) + offset, 4); }
  void set_aer(uint16_t id, unsigned offset, uint32_t value) {
    platform.write_config(id, platform.aer(id) + offset, 4, value);
  }
  uint32_t uncorrectable(uint16_t id) { return aer(id, 0x04); }
  uint32_t correctable(uint16_t id) { return aer(id, 0x10); }
  uint32_t root_status() { return aer(P::kRootPort, kRootErrorStatus) & 0x7f; }
  uint32_t correctable_source() { return aer(P::kRootPort, kErrorSource) & 0xffff; }
  uint32_t uncorrectable_source() { return aer(P::kRootPort, kErrorSource) >> 16; }
  size_t interrupts() {
    sc_core::sc_start(10, sc_core::SC_US);
    return platform.host.interrupts.size();
  }
  tlm::tlm_response_status dma_read(unsigned endpoint, uint64_t address, sc_core::sc_time* taken = nullptr) {
    std::array<uint8_t, 64> data{};
    sc_core::sc_time delay;
    const auto status = platform.dma(endpoint).read(address, data, delay);
    if (taken != nullptr) *taken = delay;
    return status;
  }
  tlm::tlm_response_status dma_write(unsigned endpoint, uint64_t address, bool poison = false) {
    const std::array<uint8_t, 64> data{1, 2, 3};
    sc_core::sc_time delay;
    platform.dma(endpoint).sideband().poison = poison;
    return platform.dma(endpoint).write(address, data, delay);
  }

  P platform;
};

TEST_F(PcieErrors, APostedUnsupportedRequestIsNonFatalAndLogsItsHeader) {
  platform.write_memory(P::bar0(1) + 0x4'0004, 0x1234'5678);
  const auto id = P::endpoint_id(1);
  EXPECT_EQ(uncorrectable(id), kUnsupportedRequest);
  EXPECT_EQ(platform.read_config(id, 0x4a, 2) & 0xf, 0xau) << "non-fatal, unsupported request";
  EXPECT_EQ(aer(id, 0x18) & 0x1f, 20u) << "first error pointer";
  // MWr with 3 double words of header, one of data; requester 00:00.0, byte enables 0xf; address.
  EXPECT_EQ(aer(id, 0x1c), 0x4000'0001u);
  EXPECT_EQ(aer(id, 0x20), 0x0000'000fu);
  EXPECT_EQ(aer(id, 0x24), static_cast<uint32_t>(P::bar0(1) + 0x4'0004));
  EXPECT_EQ(root_status(), 0x24u) << "ERR_NONFATAL, uncorrectable";
  EXPECT_EQ(uncorrectable_source(), id);
  ASSERT_EQ(interrupts(), 1u);
  EXPECT_EQ(platform.host.interrupts[0].data, 0x77u);
  EXPECT_EQ(platform.read_config(P::port(1), 0x1e, 2) & 0x4000, 0x4000u) << "received system error";
}

TEST_F(PcieErrors, TheSecondErrorDoesNotOverwriteTheFirst) {
  platform.write_memory(P::bar0(1) + 0x4'0000, 1);
  platform.write_memory(P::bar0(2) + 0x4'0000, 2);
  platform.write_memory(P::bar0(1) + 0x5'0000, 3);
  EXPECT_EQ(aer(P::endpoint_id(1), 0x24), static_cast<uint32_t>(P::bar0(1) + 0x4'0000));
  EXPECT_EQ(root_status(), 0x2cu) << "multiple";
  EXPECT_EQ(uncorrectable_source(), P::endpoint_id(1));
  EXPECT_EQ(interrupts(), 1u);
  set_aer(P::kRootPort, kRootErrorStatus, 0x7f);
  set_aer(P::endpoint_id(1), 0x04, kUnsupportedRequest);
  EXPECT_EQ(uncorrectable(P::endpoint_id(1)), 0u);
  platform.write_memory(P::bar0(1) + 0x6'0000, 4);
  EXPECT_EQ(aer(P::endpoint_id(1), 0x24), static_cast<uint32_t>(P::bar0(1) + 0x6'0000)) << "the log is free again";
  EXPECT_EQ(interrupts(), 2u);
}

TEST_F(PcieErrors, AnAnsweredRequestIsAdvisory) {
  const auto id = P::endpoint_id(0);
  EXPECT_EQ(platform.read_memory(P::bar0(0) + 0x4'0000), 0xffff'ffffu);
  EXPECT_EQ(correctable(id), kAdvisory);
  EXPECT_EQ(uncorrectable(id), 0u) << "advisory non-fatal is masked after reset";
  EXPECT_EQ(root_status(), 0u);
  set_aer(id, 0x14, 0);
  platform.read_memory(P::bar0(0) + 0x4'0000);
  EXPECT_EQ(uncorrectable(id), kUnsupportedRequest);
  EXPECT_EQ(root_status(), 0x1u) << "ERR_COR";
  EXPECT_EQ(correctable_source(), id);
}

TEST_F(PcieErrors, SeverityAndMaskAreSoftwares) {
  const auto id = P::endpoint_id(0);
  set_aer(id, 0x0c, aer(id, 0x0c) | kUnsupportedRequest);
  platform.read_memory(P::bar0(0) + 0x4'0000);
  EXPECT_EQ(root_status(), 0x54u) << "fatal, first fatal: even though it was answered";
  set_aer(P::kRootPort, kRootErrorStatus, 0x7f);
  set_aer(id, 0x08, kUnsupportedRequest);
  platform.write_memory(P::bar0(0) + 0x4'0000, 0);
  EXPECT_EQ(uncorrectable(id), kUnsupportedRequest);
  EXPECT_EQ(root_status(), 0u) << "masked: status, no message";
}

TEST_F(PcieErrors, EachGateOfTheWayUpHolds) {
  const auto cause = [&] {
    set_aer(P::kRootPort, kRootErrorStatus, 0x7f);
    platform.write_memory(P::bar0(1) + 0x4'0000, 1);
    return root_status();
  };
  EXPECT_NE(cause(), 0u);
  platform.write_config(P::endpoint_id(1), 0x48, 2, 0x2917);
  EXPECT_EQ(cause(), 0u) << "unsupported request reporting is off";
  platform.write_config(P::endpoint_id(1), 0x48, 2, 0x291d);
  EXPECT_EQ(cause(), 0u) << "non-fatal reporting is off";
  platform.write_config(P::endpoint_id(1), 0x04, 2, 0x106);
  EXPECT_NE(cause(), 0u) << "SERR# enable reports too";
  platform.write_config(P::port(1), 0x3e, 2, 0);
  EXPECT_EQ(cause(), 0u) << "the port does not forward";
  platform.write_config(P::port(1), 0x3e, 2, 2);
  platform.write_config(P::kUpstream, 0x3e, 2, 0);
  EXPECT_EQ(cause(), 0u);
}

TEST_F(PcieErrors, PoisonedWritesAreDroppedByTheCardAndReported) {
  platform.endpoints[2]->port().inject(Fault::kPoisonedTlp);
  platform.write_memory(P::bar2(2) + 0x20, 0x55);
  EXPECT_EQ(platform.memories[5]->bytes[0x20], 0);
  EXPECT_EQ(uncorrectable(P::endpoint_id(2)), kPoisonedTlp);
  EXPECT_EQ(aer(P::endpoint_id(2), 0x1c) >> 24, 0x60u) << "MWr, 4 double words of header";
  EXPECT_EQ(aer(P::endpoint_id(2), 0x1c) & 0x4000, 0x4000u) << "EP";
  EXPECT_EQ(platform.read_config(P::endpoint_id(2), 0x06, 2) & 0x8000, 0x8000u) << "detected parity error";
  platform.write_memory(P::bar2(2) + 0x20, 0x66);
  EXPECT_EQ(platform.memories[5]->bytes[0x20], 0x66) << "once only";
}

TEST_F(PcieErrors, APoisonedConfigurationWriteChangesNothing) {
  platform.endpoints[0]->port().inject(Fault::kPoisonedTlp);
  platform.write_config(P::endpoint_id(0), 0x3c, 1, 0x55);
  EXPECT_EQ(platform.read_config(P::endpoint_id(0), 0x3c, 1), 0u);
  EXPECT_EQ(uncorrectable(P::endpoint_id(0)), kPoisonedTlp);
  EXPECT_EQ(aer(P::endpoint_id(0), 0x1c), 0x4400'4001u) << "CfgWr0, EP, one double word";
}

TEST_F(PcieErrors, PoisonTravelsWithPeersData) {
  EXPECT_EQ(dma_write(0, P::bar2(1), true), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(uncorrectable(P::endpoint_id(1)), kPoisonedTlp);
  EXPECT_EQ(correctable(P::port(0)), kAdvisory) << "the switch passes it on";
}

TEST_F(PcieErrors, PoisonedCompletionsReachTheEngine) {
  platform.endpoints[0]->port().inject(Fault::kPoisonedTlp);
  EXPECT_EQ(dma_read(0, FakeHost::kBase), tlm::TLM_OK_RESPONSE);
  EXPECT_TRUE(platform.dma(0).sideband().poison);
  EXPECT_EQ(uncorrectable(P::endpoint_id(0)), kPoisonedTlp);
  EXPECT_EQ(aer(P::endpoint_id(0), 0x1c) & 0xff00'43ff, 0x4a00'4010u) << "the completion's: CplD, EP, 64 bytes";
  EXPECT_EQ(aer(P::endpoint_id(0), 0x24) >> 16, P::endpoint_id(0));
  EXPECT_EQ(dma_read(0, FakeHost::kBase), tlm::TLM_OK_RESPONSE);
  EXPECT_FALSE(platform.dma(0).sideband().poison);
}

TEST_F(PcieErrors, ALostCompletionTimesOut) {
  platform.endpoints[0]->port().inject(Fault::kCompletionTimeout);
  sc_core::sc_time taken;
  EXPECT_EQ(dma_read(0, FakeHost::kBase, &taken), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_GE(taken, sc_core::sc_time(50, sc_core::SC_US));
  EXPECT_LE(taken, sc_core::sc_time(51, sc_core::SC_MS)) << "default range: 50 us to 50 ms";
  EXPECT_EQ(uncorrectable(P::endpoint_id(0)), kCompletionTimeout);
  EXPECT_EQ(uncorrectable_source(), P::endpoint_id(0));
  platform.write_config(P::endpoint_id(0), 0x68, 2, 0x1);  // 50 to 100 us
  platform.endpoints[0]->port().inject(Fault::kCompletionTimeout);
  dma_read(0, FakeHost::kBase, &taken);
  EXPECT_LE(taken, sc_core::sc_time(110, sc_core::SC_US));
}

TEST_F(PcieErrors, AHostReadThatTimesOutGivesOnes) {
  platform.root_port.port().inject(Fault::kCompletionTimeout);
  EXPECT_EQ(platform.read_memory(P::bar2(0)), 0xffff'ffffu);
  EXPECT_EQ(uncorrectable(P::kRootPort), kCompletionTimeout);
  EXPECT_EQ(uncorrectable_source(), P::kRootPort) << "the root port reports itself";
}

TEST_F(PcieErrors, AHostReadThatTheLinkWentDownUnderIsNoTimeOut) {
  // Fatal errors are contained at the root port; the malformed read is what makes it do so.
  platform.write_config(P::kRootPort, platform.extended(P::kRootPort, 0x001d) + 6, 2, 1);
  platform.packet_switch.upstream().port().inject(Fault::kMalformedTlp);
  EXPECT_EQ(platform.read_config(P::endpoint_id(0), 0, 4), 0xffff'ffffu);
  EXPECT_EQ(uncorrectable(P::kRootPort), 0u);
}

TEST_F(PcieErrors, InjectedAnswersAreDeliveredAndReported) {
  platform.root_port.port().inject(Fault::kCompleterAbort);
  EXPECT_EQ(dma_read(0, FakeHost::kBase), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(platform.read_config(P::endpoint_id(0), 0x06, 2) & 0x1000, 0x1000u) << "received target abort";
  platform.root_port.port().inject(Fault::kUnsupportedRequest);
  EXPECT_EQ(dma_read(0, FakeHost::kBase), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(platform.read_config(P::endpoint_id(0), 0x06, 2) & 0x2000, 0x2000u) << "received master abort";
  EXPECT_EQ(correctable(P::kRootPort), kAdvisory);
}

TEST_F(PcieErrors, UnexpectedCompletionsAreAdvisory) {
  set_aer(P::endpoint_id(1), 0x14, 0);
  platform.endpoints[1]->port().inject(Fault::kUnexpectedCompletion);
  EXPECT_EQ(correctable(P::endpoint_id(1)), kAdvisory);
  EXPECT_EQ(uncorrectable(P::endpoint_id(1)), kUnexpectedCompletion);
  EXPECT_EQ(root_status(), 0x1u);
}

TEST_F(PcieErrors, MalformedTlpsAreFatalAndDropped) {
  platform.endpoints[1]->port().inject(Fault::kMalformedTlp);
  platform.write_memory(P::bar2(1), 9);
  EXPECT_EQ(platform.memories[3]->bytes[0], 0);
  EXPECT_EQ(uncorrectable(P::endpoint_id(1)), kMalformed);
  EXPECT_EQ(root_status(), 0x54u) << "fatal is its severity after reset";
}

TEST_F(PcieErrors, EcrcIsCheckedWhenEnabled) {
  const auto id = P::endpoint_id(1);
  platform.endpoints[1]->port().inject(Fault::kEcrc);
  platform.write_memory(P::bar2(1), 9);
  EXPECT_EQ(platform.memories[3]->bytes[0], 9) << "nobody looks";
  set_aer(id, 0x18, 0x100);
  platform.endpoints[1]->port().inject(Fault::kEcrc);
  platform.write_memory(P::bar2(1), 8);
  EXPECT_EQ(platform.memories[3]->bytes[0], 9);
  EXPECT_EQ(uncorrectable(id), kEcrc);
}

TEST_F(PcieErrors, LcrcErrorsAreReplayed) {
  sc_core::sc_start(1, sc_core::SC_MS);
  sc_core::sc_time clean;
  dma_read(0, FakeHost::kBase, &clean);
  sc_core::sc_start(1, sc_core::SC_MS);
  platform.endpoints[0]->port().inject(Fault::kLcrc);
  sc_core::sc_time replayed;
  EXPECT_EQ(dma_read(0, FakeHost::kBase, &replayed), tlm::TLM_OK_RESPONSE);
  EXPECT_NEAR((replayed - clean).to_seconds() * 1e9, 400 + 84 / 63.0, 2) << "a round trip of the link, and again";
  EXPECT_EQ(correctable(P::endpoint_id(0)), kBadTlp);
  EXPECT_EQ(root_status(), 0x1u);
  EXPECT_EQ(platform.links[0]->downstream().replays(), 1u);
}

TEST_F(PcieErrors, TheFourthReplayRetrainsTheLink) {
  platform.endpoints[0]->port().inject(Fault::kBadTlp, 4);
  EXPECT_EQ(dma_read(0, FakeHost::kBase), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(correctable(P::port(0)) & kRollover, kRollover) << "the transmitter gave up and retrained";
  EXPECT_EQ(platform.read_config(P::port(0), 0x52, 2) & 0x800, 0x800u);
}

TEST_F(PcieErrors, SurpriseDownIsReportedByThePortAbove) {
  platform.endpoints[2]->port().inject(Fault::kSurpriseDown);
  EXPECT_EQ(uncorrectable(P::port(2)), 1u << 5);
  EXPECT_EQ(uncorrectable_source(), P::port(2));
  EXPECT_EQ(platform.resets[2], std::vector<unsigned>{0});
  EXPECT_EQ(platform.read_config(P::endpoint_id(2), 0, 4), 0xffff'ffffu);
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_EQ(platform.read_config(P::endpoint_id(2), 0, 4), 0x1220'1effu) << "trained again";
}

TEST_F(PcieErrors, ContainmentTakesTheLinkDownUntilReleased) {
  const auto dpc = platform.extended(P::port(1), 0x001d);
  ASSERT_NE(dpc, 0u);
  platform.write_config(P::port(1), 0x94, 4, 0xfee0'0000);
  platform.write_config(P::port(1), 0x9c, 2, 0x88);
  platform.write_config(P::port(1), 0x92, 2, 1);
  platform.write_config(P::port(1), dpc + 6, 2, 0x2 | 0x8);  // on ERR_NONFATAL or ERR_FATAL, with interrupt
  platform.write_memory(P::bar0(1) + 0x4'0000, 1);
  EXPECT_EQ(platform.read_config(P::port(1), dpc + 8, 2) & 0xf, 0x1u | 1 << 1 | 0x8u) << "by ERR_NONFATAL";
  EXPECT_EQ(platform.read_config(P::port(1), dpc + 10, 2), P::endpoint_id(1));
  EXPECT_EQ(root_status(), 0u) << "the message went no further";
  ASSERT_EQ(interrupts(), 1u);
  EXPECT_EQ(platform.host.interrupts[0].data, 0x88u);
  EXPECT_EQ(platform.read_config(P::port(1), 0x52, 2) & 0x2000, 0u) << "link down";
  EXPECT_EQ(platform.read_memory(P::bar2(1)), 0xffff'ffffu);
  EXPECT_EQ(platform.resets[1], std::vector<unsigned>{0});
  platform.write_config(P::port(1), dpc + 8, 2, 0x9);
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_EQ(platform.read_config(P::port(1), 0x52, 2) & 0x2000, 0x2000u);
  EXPECT_EQ(uncorrectable(P::endpoint_id(1)), kUnsupportedRequest) << "sticky over the hot reset";
  EXPECT_EQ(platform.read_config(P::endpoint_id(1), 0x04, 2), 0u);
}

TEST_F(PcieErrors, ContainmentBySoftware) {
  const auto dpc = platform.extended(P::port(1), 0x001d);
  platform.write_config(P::port(1), dpc + 6, 2, 0x40);
  EXPECT_EQ(platform.read_config(P::port(1), dpc + 8, 2) & 1, 0u) << "not enabled";
  platform.write_config(P::port(1), dpc + 6, 2, 0x41);
  EXPECT_EQ(platform.read_config(P::port(1), dpc + 8, 2) & 0x67, 0x1u | 3 << 1 | 1 << 5);
}

class PcieHotPlug : public PcieErrors {
 protected:
  PcieHotPlug() : PcieErrors({.hot_plug = true}) {
    platform.write_config(P::port(0), 0x94, 4, 0xfee0'0000);
    platform.write_config(P::port(0), 0x9c, 2, 0x99);
    platform.write_config(P::port(0), 0x92, 2, 1);
    platform.write_config(P::port(0), 0x58, 2, 0x1028);  // presence, link state, interrupt
  }
  uint32_t slot_status() { return platform.read_config(P::port(0), 0x5a, 2); }
};

TEST_F(PcieHotPlug, TakingACardOutAndPuttingItInInterrupts) {
  EXPECT_EQ(slot_status(), 0x40u) << "present";
  EXPECT_EQ(platform.read_config(P::port(0), 0x54, 4) >> 19, 1u) << "slot number";
  platform.links[0]->set_present(false);
  EXPECT_EQ(slot_status(), 0x108u) << "presence and link state changed, nothing there";
  EXPECT_EQ(interrupts(), 1u);
  EXPECT_EQ(platform.host.interrupts[0].data, 0x99u);
  EXPECT_EQ(uncorrectable(P::port(0)), 0u) << "a slot for surprise removal reports no surprise";
  EXPECT_EQ(platform.read_memory(P::bar2(0)), 0xffff'ffffu);
  EXPECT_EQ(dma_read(0, FakeHost::kBase), tlm::TLM_GENERIC_ERROR_RESPONSE) << "a card without power";
  platform.write_config(P::port(0), 0x5a, 2, 0x108);
  platform.links[0]->set_present(true);
  EXPECT_EQ(slot_status(), 0x48u);
  EXPECT_EQ(interrupts(), 2u);
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_EQ(slot_status(), 0x148u) << "and the link is up";
  EXPECT_EQ(platform.read_config(P::endpoint_id(0), 0, 4), 0x1220'1effu);
  EXPECT_EQ(platform.read_config(P::endpoint_id(0), 0x04, 2), 0u) << "as after power on";
}

TEST(PcieTlpHeader, IsAsOnTheWire) {
  std::array<uint8_t, 4096> data{};
  pcie::Request read{pcie::RequestKind::kMemoryRead};
  read.address = 0x12'3456'7000;
  read.requester = 0x0305;
  read.data = std::span(data).first(512);
  read.max_read_bytes = 512;
  read.relaxed_ordering = true;
  // MRd, 4 double words; 128 double words; both byte enables full; tag 0x2a.
  EXPECT_EQ(pcie::header_of(read, 256, 0x2a), (pcie::TlpHeader{0x2000'2080, 0x0305'2aff, 0x12, 0x3456'7000}));
  pcie::Request write{pcie::RequestKind::kMemoryWrite};
  write.address = 0xe000'0002;
  write.requester = 0x0100;
  write.data = std::span(data).first(1);
  write.poison = true;
  EXPECT_EQ(pcie::header_of(write, 256), (pcie::TlpHeader{0x4000'4001, 0x0100'0004, 0xe000'0000, 0}));
  write.data = std::span(data).first(4096);
  write.address = 0xe000'0000;
  write.poison = false;
  EXPECT_EQ(pcie::header_of(write, 256)[0], 0x4000'0040u) << "the first TLP of the burst";
  pcie::Request config{pcie::RequestKind::kConfigWrite};
  config.address = 0x104;
  config.completer = 0x0310;
  config.is_type1 = true;
  config.data = std::span(data).first(2);
  EXPECT_EQ(pcie::header_of(config, 256), (pcie::TlpHeader{0x4500'0001, 0x0000'0003, 0x0310'0104, 0}));
  pcie::Request message{pcie::RequestKind::kMessage};
  message.requester = 0x0400;
  message.message = pcie::MessageCode::kErrorFatal;
  EXPECT_EQ(pcie::header_of(message, 256), (pcie::TlpHeader{0x3000'0000, 0x0400'0033, 0, 0}));
  EXPECT_EQ(pcie::completion_header(0x0200, 0x0300, 7, pcie::Completion::kCompleterAbort),
            (pcie::TlpHeader{0x0a00'0000, 0x0200'8004, 0x0300'0700, 0}));
}

TEST(PcieTlpHeader, OfACompletionWithDataTellsWhatIsStillToCome) {
  std::array<uint8_t, 4096> data{};
  pcie::Request read{pcie::RequestKind::kMemoryRead};
  read.address = 0x12'3456'70c4;
  read.requester = 0x0305;
  read.data = std::span(data).first(600);
  read.max_read_bytes = 512;
  read.poison = true;
  // CplD, poisoned: up to the next multiple of 256 bytes 60 bytes are 15 double words, of 512; lower address 0x44.
  EXPECT_EQ(pcie::data_completion_header(read, 256, 0x2a), (pcie::TlpHeader{0x4a00'400f, 0x0000'0200, 0x0305'2a44, 0}));
  read.address = 0x1001;
  read.data = std::span(data).first(2);
  EXPECT_EQ(pcie::data_completion_header(read, 256), (pcie::TlpHeader{0x4a00'4001, 0x0000'0002, 0x0305'0001, 0}));
}

}  // namespace
}  // namespace npuvp::tests

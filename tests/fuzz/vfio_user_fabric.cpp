// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/vfio_user_fabric.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/vfio_user_record.h"

// SystemC's library refers to it.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 0;
}

namespace npuvp::fuzz {
namespace {

namespace vfio = host::vfio_user;

/// Offset of a function's configuration space in BAR0.
constexpr uint64_t config_of(unsigned bus, unsigned devfn = 0) {
  return uint64_t{bus} << 20 | uint64_t{devfn} << 12;
}
constexpr uint64_t kPort = config_of(0);
constexpr uint64_t kCard = config_of(1);
constexpr unsigned kBranchDevfn = 1 << 3;

pcie::Switch::Parameters switch_parameters() {
  pcie::Switch::Parameters parameters;
  parameters.ports.resize(SwitchBranch::kCards);
  parameters.ports[0].hot_plug = true;
  return parameters;
}

pcie::Endpoint::Parameters card_parameters(unsigned index) {
  auto parameters = tests::TestFabric::endpoint_parameters();
  parameters.serial_number = index;
  parameters.virtual_functions = index == 0 ? SwitchBranch::kVirtualFunctions : 0;
  parameters.virtual_msix = {.vectors = 4, .table_offset = 0x8000, .pending_offset = 0x9000};
  return parameters;
}

}  // namespace

SwitchBranch::SwitchBranch(base::Environment& environment, pcie::RootComplex& root_complex)
    : root_port("branch_port", environment, {.port_number = 1}),
      packet_switch("switch", environment, switch_parameters()),
      upper_link("upper_link", environment, {}),
      endpoints{pcie::Endpoint{"endpoint0", environment, card_parameters(0)},
                pcie::Endpoint{"endpoint1", environment, card_parameters(1)}},
      cards{tests::TestCard{"card0", endpoints[0]}, tests::TestCard{"card1", endpoints[1]}},
      links{pcie::Link{"link0", environment, {}}, pcie::Link{"link1", environment, {}}} {
  root_complex.add(root_port, kBranchDevfn);
  upper_link.connect(root_port.port(), packet_switch.upstream().port());
  for (unsigned index = 0; index < kCards; ++index) {
    links[index].connect(packet_switch.downstream(index).port(), endpoints[index].port());
  }
}

FuzzFabric& FuzzFabric::instance() {
  static auto* const kInstance = new FuzzFabric("fabric");  // lives as long as the kernel, which is never torn down
  return *kInstance;
}

FuzzFabric::FuzzFabric(sc_core::sc_module_name module_name)
    : sc_module(module_name),
      fabric_(environment_),
      branch_(environment_, fabric_.root_complex),
      domain_("domain", environment_, fabric_.root_complex, {}) {
  environment_.set_log_level("all", spdlog::level::off);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  SC_HAS_PROCESS(FuzzFabric);
  SC_THREAD(serve);
}

void FuzzFabric::run(std::function<void()> session) {
  session_ = std::move(session);
  start_.notify(sc_core::SC_ZERO_TIME);
  sc_core::sc_start();
  if (session_) report_finding("the simulation ended before the session did");
}

void FuzzFabric::serve() {
  for (;;) {
    if (!session_) wait(start_);
    if (!session_) continue;
    session_();
    session_ = nullptr;
    sc_core::sc_pause();
    wait(start_);
  }
}

std::unique_ptr<vfio::Server> FuzzFabric::make_server(host::UniqueFd socket) {
  return std::make_unique<vfio::Server>(std::move(socket), domain_, domain_.dma_map(), domain_.irq_eventfds(),
                                        environment_.logger("server"));
}

void FuzzFabric::program(uint32_t region, std::initializer_list<Write> writes) {
  for (const auto& [offset, value] : writes) {
    const auto word = static_cast<uint32_t>(value);
    std::array<uint8_t, sizeof word> bytes{};
    std::memcpy(bytes.data(), &word, sizeof word);
    domain_.write(region, offset, bytes);
  }
}

uint32_t FuzzFabric::read(uint32_t region, uint64_t offset) {
  std::array<uint8_t, 4> bytes{};
  domain_.read(region, offset, bytes);
  uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void FuzzFabric::expect_card(uint64_t offset) {
  const uint32_t identity = read(vfio::kRegionBar2, offset);
  if (identity == tests::TestCard::kIdentity) return;
  report_finding(fmt::format("after a fundamental reset the card's identity at {:#x} reads {:#x}", offset, identity));
}

void FuzzFabric::reset() {
  domain_.reset();
  // Links train again, and what is still on its way must not reach the next session. As long as a kernel waits.
  wait(100, sc_core::SC_MS);
  program(
      vfio::kRegionConfig,
      {{0x14, 0x50}, {0x18, kBar2Address}, {0x20, kBar4Address & 0xffff'ffff}, {0x24, kBar4Address >> 32}, {0x04, 6}});
  // A bridge's windows as MiB numbers: memory in BAR2, prefetchable memory in BAR4.
  const auto bridge = [&](uint64_t at, uint32_t buses, uint32_t memory, uint32_t prefetchable) {
    program(vfio::kRegionBar0, {{at + 0x18, buses},
                                {at + 0x20, memory},
                                {at + 0x24, prefetchable},
                                {at + 0x28, kBar4Address >> 32},
                                {at + 0x2c, kBar4Address >> 32},
                                {at + 0x04, 6}});
  };
  const auto card = [&](uint64_t at, uint64_t bar0, uint64_t bar2) {
    program(
        vfio::kRegionBar0,
        {{at + 0x10, bar0}, {at + 0x14, 0}, {at + 0x18, bar2 & 0xffff'ffff}, {at + 0x1c, bar2 >> 32}, {at + 0x04, 6}});
  };
  bridge(kPort, 0x01'01'00, 0xe000'e000, 0x1ff1'1001);
  card(kCard, kBar2Address, kBar4Address + kCardBar2Offset);
  expect_card(0);

  bridge(config_of(0, kBranchDevfn), 0x05'02'00, 0xe020'e010, 0x3ff1'2001);
  bridge(config_of(2), 0x05'03'02, 0xe020'e010, 0x3ff1'2001);
  bridge(config_of(3), 0x04'04'03, 0xe010'e010, 0x2ff1'2001);
  bridge(config_of(3, 1 << 3), 0x05'05'03, 0xe020'e020, 0x3ff1'3001);
  card(config_of(4), kBar2Address + kBranchOffset, kBar4Address + 2 * kCardBar2Offset);
  card(config_of(5), kBar2Address + 2 * kBranchOffset, kBar4Address + 3 * kCardBar2Offset);
  // SR-IOV of 04:00.0: number, BAR0, then enable with memory space.
  program(vfio::kRegionBar0, {{config_of(4) + kSriov + 0x10, SwitchBranch::kVirtualFunctions},
                              {config_of(4) + kSriov + 0x24, kBar2Address + kBranchOffset + kVirtualOffset},
                              {config_of(4) + kSriov + 0x08, 0x9}});
  wait(100, sc_core::SC_MS);
  expect_card(kBranchOffset);
  expect_card(2 * kBranchOffset);
  expect_card(kBranchOffset + kVirtualOffset);
}

}  // namespace npuvp::fuzz

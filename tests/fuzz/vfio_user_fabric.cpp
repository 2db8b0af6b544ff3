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

constexpr uint64_t kPort = 0;
constexpr uint64_t kCard = 1 << 20;

}  // namespace

FuzzFabric& FuzzFabric::instance() {
  static auto* const kInstance = new FuzzFabric("fabric");  // lives as long as the kernel, which is never torn down
  return *kInstance;
}

FuzzFabric::FuzzFabric(sc_core::sc_module_name module_name)
    : sc_module(module_name), fabric_(environment_), domain_("domain", environment_, fabric_.root_complex, {}) {
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

void FuzzFabric::write_config(uint32_t region, uint64_t offset, uint32_t value) {
  std::array<uint8_t, sizeof value> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  domain_.write(region, offset, bytes);
}

uint32_t FuzzFabric::read(uint32_t region, uint64_t offset) {
  std::array<uint8_t, 4> bytes{};
  domain_.read(region, offset, bytes);
  uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void FuzzFabric::reset() {
  struct Write {
    uint64_t offset;
    uint64_t value;
  };
  domain_.reset();
  // Links train again, and what is still on its way must not reach the next session. As long as a kernel waits.
  wait(100, sc_core::SC_MS);
  for (const auto& [offset, value] : std::initializer_list<Write>{{0x14, 0x50},
                                                                  {0x18, kBar2Address},
                                                                  {0x20, kBar4Address & 0xffff'ffff},
                                                                  {0x24, kBar4Address >> 32},
                                                                  {0x04, 6}}) {
    write_config(vfio::kRegionConfig, offset, static_cast<uint32_t>(value));
  }
  const uint64_t card_bar2 = kBar4Address + kCardBar2Offset;
  for (const auto& [offset, value] : std::initializer_list<Write>{{kPort + 0x18, 0x01'01'00},
                                                                  {kPort + 0x20, 0xe000'e000},
                                                                  {kPort + 0x24, 0x1ff1'1001},
                                                                  {kPort + 0x28, 0x40},
                                                                  {kPort + 0x2c, 0x40},
                                                                  {kPort + 0x04, 6},
                                                                  {kCard + 0x10, kBar2Address},
                                                                  {kCard + 0x14, 0},
                                                                  {kCard + 0x18, card_bar2 & 0xffff'ffff},
                                                                  {kCard + 0x1c, card_bar2 >> 32},
                                                                  {kCard + 0x04, 6}}) {
    write_config(vfio::kRegionBar0, offset, static_cast<uint32_t>(value));
  }
  const uint32_t identity = read(vfio::kRegionBar2, 0);
  if (identity != tests::TestCard::kIdentity) {
    report_finding(fmt::format("after a fundamental reset the card's identity reads {:#x}", identity));
  }
}

}  // namespace npuvp::fuzz

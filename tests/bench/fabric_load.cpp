// SPDX-License-Identifier: Apache-2.0
// Helper of bench_pcie: one server in-process, its host speed as a JSON object on standard output.
//   fabric_load BOARD
// Accesses by the host's body, each waited for in simulated time, beside a bare TLM target that is waited for alike;
// and all cards moving data from host memory into their DRAM at the same time, through firmware, Task Manager and
// External HDMA, beside memcpy of as many bytes.
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "firmware/abi/command.h"
#include "platform/assembly/server.h"
#include "platform/config/board_loader.h"
#include "platform/host/inproc/inproc_device.h"
#include "platform/host/inproc/inproc_host.h"

namespace {

using npuvp::host::InprocDevice;
using npuvp::host::InprocHost;
using npuvp::runtime::Placement;

constexpr unsigned kAccesses = 100'000;
constexpr uint64_t kBytesPerCard = 64 << 20;
constexpr uint32_t kBytesPerCommand = 4 << 20;

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A register that answers after a microsecond: the least that an access with a wait costs in SystemC.
class BareTarget final : public sc_core::sc_module {
 public:
  explicit BareTarget(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_b_transport(this, &BareTarget::transport);
    port.socket.bind(socket);
  }
  tlm_utils::simple_target_socket<BareTarget> socket;
  npuvp::base::InitiatorPort port{"port"};

 private:
  void transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    delay += sc_core::sc_time(1, sc_core::SC_US);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

/// What one card needs for its part of the load.
struct CardLoad {
  std::unique_ptr<InprocDevice> device;
  std::unique_ptr<npuvp::runtime::Buffer> source;
  std::unique_ptr<npuvp::runtime::Buffer> target;
  std::unique_ptr<npuvp::runtime::Buffer> commands;
  npuvp::runtime::JobId job = 0;
};

constexpr uint32_t kSource = 0;
constexpr uint32_t kTarget = 1;
constexpr uint32_t kCommands = 2;

CardLoad prepare(InprocHost& host, const npuvp::host::PciFunction& function, std::span<const uint8_t> firmware) {
  CardLoad card;
  card.device = std::make_unique<InprocDevice>(host, function, firmware);
  card.source = card.device->allocate(kBytesPerCard, Placement::kHost);
  card.target = card.device->allocate(kBytesPerCard, Placement::kDevice);
  const uint32_t count = kBytesPerCard / kBytesPerCommand;
  card.commands = card.device->allocate(count * sizeof(npu_command), Placement::kHost);
  std::memset(card.source->bytes().data(), 0x5a, kBytesPerCard);
  for (uint32_t index = 0; index < count; ++index) {
    npu_command command{};
    command.kind = NPU_COMMAND_EXTERNAL_HDMA;
    command.opcode = NPU_DMA_COPY;
    for (auto& wait : command.wait) wait.token = NPU_TOKEN_NONE;
    command.signal = NPU_TOKEN_NONE;
    const uint64_t offset = uint64_t{index} * kBytesPerCommand;
    command.u.dma.source = NPU_ADDRESS(kSource, offset);
    command.u.dma.destination = NPU_ADDRESS(kTarget, offset);
    command.u.dma.rows = 1;
    command.u.dma.row_bytes = kBytesPerCommand;
    std::memcpy(card.commands->bytes().data() + index * sizeof(command), &command, sizeof command);
  }
  return card;
}

void submit(CardLoad& card) {
  const npuvp::runtime::Segment segments[] = {
      {card.source.get(), false}, {card.target.get(), true}, {card.commands.get(), false}};
  card.job = card.device->submit({.segments = segments,
                                  .command_segment = kCommands,
                                  .command_bytes = static_cast<uint32_t>(card.commands->size())});
}

nlohmann::json measure(InprocHost& host, BareTarget& bare, std::span<const uint8_t> firmware) {
  nlohmann::json result;
  const auto functions = host.enumerate();
  const auto& first = functions.front();
  result["config_seconds"] = seconds([&] {
    for (unsigned access = 0; access < kAccesses; ++access) (void)host.config_read(first.bdf, 0, 4);
  });
  result["read_seconds"] = seconds([&] {
    for (unsigned access = 0; access < kAccesses; ++access) (void)host.mmio_read32(first.bars[0]);
  });
  result["bare_seconds"] = seconds([&] {
    uint32_t value = 0;
    for (unsigned access = 0; access < kAccesses; ++access) {
      sc_core::sc_time delay;
      bare.port.read(0, {reinterpret_cast<uint8_t*>(&value), sizeof value}, delay);
      sc_core::wait(delay);
    }
  });
  result["accesses"] = kAccesses;

  std::vector<CardLoad> cards;
  for (const auto& function : functions) cards.push_back(prepare(host, function, firmware));
  const auto begin = sc_core::sc_time_stamp();
  result["move_seconds"] = seconds([&] {
    for (auto& card : cards) submit(card);
    for (auto& card : cards) {
      if (card.device->wait(card.job, std::chrono::seconds(10)).status != NPU_JOB_OK) {
        throw npuvp::runtime::DeviceError("a copy failed");
      }
    }
  });
  result["simulated_seconds"] = (sc_core::sc_time_stamp() - begin).to_seconds();
  result["gigabytes"] = static_cast<double>(cards.size() * kBytesPerCard) / 1e9;
  std::vector<std::byte> copy(kBytesPerCard);
  std::memset(copy.data(), 1, copy.size());
  result["memcpy_seconds"] = seconds([&] {
    for (auto& card : cards) std::memcpy(copy.data(), card.source->bytes().data(), copy.size());
  });
  cards.clear();
  return result;
}

}  // namespace

// libsystemc refers to it; the platform elaborates and starts by itself.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 1;
}

int main(int argc, char** argv) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  if (argc != 2) {
    fmt::print(stderr, "usage: fabric_load BOARD\n");
    return 2;
  }
  npuvp::base::Environment environment;
  environment.set_log_level("all", spdlog::level::err);
  npuvp::assembly::Server server("server", environment, npuvp::config::load_server(argv[1], NPUVP_BOARDS_DIR),
                                 {.rom = read_file(NPUVP_FIRMWARE_DIR "/rom.bin"), .rtl = {}});
  const std::string firmware = read_file(NPUVP_FIRMWARE_DIR "/atom-ca22.bin");
  BareTarget bare("bare");
  nlohmann::json result;
  InprocHost host("host", [&](InprocHost& self) {
    result = measure(self, bare, {reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size()});
  });
  host.connect(server.root_complex());
  sc_core::sc_start();
  try {
    host.rethrow_failure();
  } catch (const std::exception& error) {
    fmt::print(stderr, "fabric_load: {}\n", error.what());
    return 1;
  }
  fmt::print("{}\n", result.dump());
  return 0;
}

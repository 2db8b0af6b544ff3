// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "firmware/abi/command.h"
#include "platform/assembly/server.h"
#include "platform/config/board_loader.h"
#include "platform/host/inproc/inproc_device.h"
#include "platform/host/inproc/inproc_host.h"

namespace npuvp::bench {

/// Boots the one card of `server` (already loaded) in-process and runs `program` on it. Once a process. Throws what the
/// program throws.
inline void run_on_card(const config::ServerConfig& config,
                        const std::function<void(runtime::Device& device)>& program) {
  const auto read_file = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  base::Environment environment;
  environment.set_log_level("all", spdlog::level::err);
  assembly::Server server("server", environment, config, {.rom = read_file(NPUVP_FIRMWARE_DIR "/rom.bin"), .rtl = {}});
  const std::string firmware = read_file(NPUVP_FIRMWARE_DIR "/atom-ca22.bin");
  host::InprocHost host("host", [&](host::InprocHost& self) {
    host::InprocDevice device(self, self.enumerate().front(),
                              {reinterpret_cast<const uint8_t*>(firmware.data()), firmware.size()});
    program(device);
  });
  host.connect(server.root_complex());
  sc_core::sc_start();
  host.rethrow_failure();
}

/// Commands of one job with the tokens' counts.
class Stream {
 public:
  /// Appends a command that waits for `wait` to have counted to `count`, if count > 0, and counts on `signal`.
  npu_command& add(uint8_t kind, uint8_t opcode, uint8_t engine, uint16_t signal) {
    npu_command& command = commands_.emplace_back();
    command.kind = kind;
    command.opcode = opcode;
    command.engine = engine;
    for (auto& wait : command.wait) wait.token = NPU_TOKEN_NONE;
    command.signal = signal;
    return command;
  }
  static void wait_for(npu_command& command, unsigned slot, uint16_t token, size_t count) {
    if (count > 0) command.wait[slot] = {token, static_cast<uint16_t>(count)};
  }
  npu_command& copy(uint8_t kind, uint8_t engine, uint16_t signal, uint64_t source, uint64_t destination,
                    uint32_t row_bytes, uint32_t rows = 1, uint64_t source_stride = 0,
                    uint64_t destination_stride = 0) {
    npu_command& command = add(kind, NPU_DMA_COPY, engine, signal);
    command.u.dma.source = source;
    command.u.dma.destination = destination;
    command.u.dma.rows = rows;
    command.u.dma.row_bytes = row_bytes;
    command.u.dma.source_stride = source_stride;
    command.u.dma.destination_stride = destination_stride;
    return command;
  }

  /// Runs the commands on buffers in the order of the segments; the commands' own segment comes last.
  runtime::Completion run(runtime::Device& device, std::vector<runtime::Segment> segments) {
    const auto buffer = device.allocate(commands_.size() * sizeof(npu_command), runtime::Placement::kHost);
    std::memcpy(buffer->bytes().data(), commands_.data(), commands_.size() * sizeof(npu_command));
    segments.push_back({buffer.get(), false});
    const auto job = device.submit({.segments = segments,
                                    .command_segment = static_cast<uint32_t>(segments.size() - 1),
                                    .command_bytes = static_cast<uint32_t>(commands_.size() * sizeof(npu_command))});
    const auto completion = device.wait(job, std::chrono::seconds(300));
    if (completion.status != NPU_JOB_OK) {
      throw runtime::DeviceError(fmt::format("job failed: status {} fault {} at {:#x}, command {}", completion.status,
                                             completion.fault, completion.fault_address, completion.fault_command));
    }
    return completion;
  }

 private:
  std::vector<npu_command> commands_;
};

}  // namespace npuvp::bench

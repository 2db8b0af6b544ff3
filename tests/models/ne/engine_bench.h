// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <functional>

#include "models/ne/neural_engine.h"
#include "models/tensor_core/tensor_core.h"
#include "tests/models/ne/test_scratchpad.h"

namespace npuvp::test {

inline constexpr uint32_t kScratchpadBytes = 1 << 20;
inline constexpr uint8_t kIndex = 3;

inline sc_core::sc_time cycles(uint64_t count) {
  return {static_cast<double>(count * 1024), sc_core::SC_PS};
}  // 976.5625 MHz

struct Cpu final : sc_core::sc_module {
  explicit Cpu(sc_core::sc_module_name name) : sc_module(name) {}
  base::InitiatorPort bus{"bus"};
};

/// An engine with its tensor core and scratchpad.
struct EngineBench {
  explicit EngineBench(bool offers_dmi = true, double bytes_per_second = 0, bool compute = true)
      : scratchpad("scratchpad_memory", kScratchpadBytes, offers_dmi, bytes_per_second),
        core("core", environment, core_parameters(compute)),
        ne("ne3", environment, engine_parameters(compute)),
        cpu("cpu") {
    ne.scratchpad.socket.bind(scratchpad.first);
    core.scratchpad.socket.bind(scratchpad.second);
    ne.tensor.bind(core);
    cpu.bus.socket.bind(ne.registers);
  }

  /// Runs `body` as a process from time 0 and ends when all processes have ended.
  void run(std::function<void()> body) {
    sc_core::sc_spawn(std::move(body), "body");
    sc_core::sc_start();
  }

  static tensor_core::Parameters core_parameters(bool compute) {
    tensor_core::Parameters parameters;
    parameters.compute = compute;
    parameters.joules_per_mac_int8 = 1e-12;
    return parameters;
  }
  static ne::Parameters engine_parameters(bool compute) {
    ne::Parameters parameters;
    parameters.index = kIndex;
    parameters.scratchpad_bytes = kScratchpadBytes;
    parameters.compute = compute;
    parameters.joules_per_vector_element = 1e-11;
    return parameters;
  }

  base::CommandOutcome execute(const npu_command& command) {
    return ne.execute({.command = &command, .space = nullptr, .context = 1, .index = 0});
  }

  uint64_t read64(uint64_t offset) {
    std::array<uint8_t, 8> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(cpu.bus.read(offset, data, delay), tlm::TLM_OK_RESPONSE);
    return std::bit_cast<uint64_t>(data);
  }
  uint32_t read32(uint64_t offset) {
    std::array<uint8_t, 4> data{};
    sc_core::sc_time delay;
    EXPECT_EQ(cpu.bus.read(offset, data, delay), tlm::TLM_OK_RESPONSE);
    return std::bit_cast<uint32_t>(data);
  }

  void write32(uint64_t offset, uint32_t value) {
    sc_core::sc_time delay;
    const auto data = std::bit_cast<std::array<uint8_t, 4>>(value);
    EXPECT_EQ(cpu.bus.write(offset, data, delay), tlm::TLM_OK_RESPONSE);
  }

  base::Environment environment;
  TestScratchpad scratchpad;
  tensor_core::TensorCore core;
  ne::NeuralEngine ne;
  Cpu cpu;
};

inline npu_command command(npu_ne_opcode opcode) {
  npu_command c{};
  c.kind = NPU_COMMAND_NEURAL_ENGINE;
  c.opcode = static_cast<uint8_t>(opcode);
  c.engine = kIndex;
  return c;
}

}  // namespace npuvp::test

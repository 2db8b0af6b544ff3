// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/config/dram_loader.h"

namespace npuvp::config {

/// Shape of a systolic array, in multiply-accumulate cells.
struct ArrayShape {
  uint32_t rows;
  uint32_t columns;
};

/// One card as its board file describes it; the keys and units of platform/boards/cards/*.yaml.
struct CardConfig {
  std::string name;

  struct Pcie {
    uint16_t vendor_id;
    uint16_t device_id;
    uint32_t class_code;
    uint32_t generation;
    uint32_t lanes;
    uint32_t max_payload_bytes;
    uint32_t aperture_mib;
    double link_latency_ns;
  } pcie;

  struct CommandProcessor {
    uint32_t harts;
    double clock_mhz;
    double quantum_us;
  } command_processor;

  struct NeuralEngines {
    uint32_t count;
    double clock_mhz;
    uint32_t scratchpad_mib;
    double scratchpad_gb_per_s;
    uint32_t vector_lanes;
    ArrayShape int8;
    ArrayShape fp16;
  } neural_engines;

  struct SharedMemory {
    uint32_t mib;
    double gb_per_s;
    double latency_ns;
  } shared_memory;

  struct Dram {
    uint32_t mib;
    uint32_t channels;
    double channel_gb_per_s;
    double efficiency;
    double latency_ns;
    bool jedec_timing;               ///< `timing: jedec`; false: the fast mode with the two figures above.
    std::optional<DramJedec> jedec;  ///< What the JEDEC mode needs; there if `jedec_timing`.
  } dram;

  struct Noc {
    double clock_mhz;
    uint32_t port_bytes_per_cycle;
    uint32_t memory_port_bytes_per_cycle;
    double hop_latency_ns;
  } noc;

  struct Dma {
    uint32_t outstanding_bursts;
    double startup_ns;
  } dma;

  struct TaskManager {
    double dispatch_ns;
  } task_manager;
};

/// A server: its cards in slot order.
struct ServerConfig {
  std::string name;
  std::vector<CardConfig> cards;
};

}  // namespace npuvp::config

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "firmware/abi/otp.h"
#include "platform/config/dram_loader.h"
#include "platform/config/noc_config.h"

namespace npuvp::config {

/// Shape of a systolic array, in multiply-accumulate cells.
struct ArrayShape {
  uint32_t rows;
  uint32_t columns;
};

/// Whether the engines compute what they are given. Times are the same.
enum class DataMode : uint8_t {
  kExact,  ///< models/arithmetic/README.md, bit for bit.
  kNone,   ///< Contents of results are undefined; for models that are larger than the host.
};

/// Banks of an on-chip memory. One bank, charged by the byte, where the board file says nothing.
struct MemoryBanks {
  uint32_t count = 1;
  uint32_t word_bytes = 1;  ///< What a bank delivers in a cycle.
};

/// One card as its board file describes it; the keys and units of platform/boards/cards/*.yaml.
struct CardConfig {
  std::string name;
  DataMode data = DataMode::kExact;

  struct Pcie {
    uint16_t vendor_id;
    uint16_t device_id;
    uint32_t class_code;
    uint32_t generation;
    uint32_t lanes;
    uint32_t max_payload_bytes;
    bool relaxed_ordering;
    bool id_based_ordering;
    uint32_t aperture_mib;
    uint32_t aperture_most_mib;  ///< Software may enlarge the aperture up to this; aperture_mib: not resizable.
    double link_latency_ns;
    uint32_t virtual_functions;  ///< 0: no SR-IOV.
    uint32_t virtual_aperture_mib;
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
    MemoryBanks scratchpad_banks;
    uint32_t vector_lanes;
    uint32_t cache_kib;  ///< L1 neural cache.
    ArrayShape int8;
    ArrayShape fp16;
    ArrayShape int4;
  } neural_engines;

  struct SharedMemory {
    uint32_t mib;
    double gb_per_s;
    double latency_ns;
    MemoryBanks banks;
  } shared_memory;

  struct Dram {
    uint32_t mib;
    uint32_t channels;
    double channel_gb_per_s;
    double efficiency;
    double latency_ns;
    bool jedec_timing;               ///< `timing: jedec`; false: the fast mode with the two figures above.
    double patrol_s;                 ///< All of it is scrubbed once in this time; 0: never.
    std::optional<DramJedec> jedec;  ///< What the JEDEC mode needs; there if `jedec_timing`.
  } dram;

  NocConfig noc;

  struct Mmu {  // of a board file without the section: (u)
    uint32_t tlb_entries = 512;
    uint32_t tlb_ways = 8;
    double lookup_ns = 2;
  } mmu;

  struct Dma {
    uint32_t outstanding_bursts;
    double startup_ns;
  } dma;

  struct TaskManager {
    double dispatch_ns;
  } task_manager;

  /// What each rail of base::Rail takes without work, and the energy of work.
  struct Power {
    struct Rails {
      double neural;
      double system;
      double dram;
      double pcie;
    };
    Rails idle_w;    ///< In P-state P14.
    Rails clocks_w;  ///< What clocks at their nominal frequency add to that; falls with it.
    double pj_per_mac_int8;
    double pj_per_mac_fp16;
    double pj_per_vector_element;
    double pj_per_byte_scratchpad;
    double pj_per_byte_shared;
    double pj_per_byte_noc;  ///< And hop.
    double pj_per_byte_dram;
    double pj_per_byte_pcie;  ///< Of a TLP, either direction.
    double pj_per_byte_dma;
    double pj_per_instruction;  ///< Of a hart.
  } power;

  struct Sensors {
    struct Stage {
      double k_per_w;
      double seconds;
    };
    struct Regulator {
      double volts;
      double milliohms;
    };
    double ambient_c;
    Stage die;
    Stage sink;
    double trip_c;
    Regulator neural;
    Regulator system;
    Regulator dram;
    Regulator pcie;
  } sensors;

  struct CpDma {
    uint32_t burst_bytes;
    uint32_t outstanding_bursts;
    double descriptor_ns;
  } cp_dma;

  /// What decides which firmware boots.
  struct Security {
    npu_lifecycle lifecycle = NPU_LIFECYCLE_DEVELOPMENT;
    bool debug_disable = false;
    std::string otp_file;  ///< Keeps the fuses; empty: default ones, which know the test keys.
    uint32_t flash_mib = 4;
    std::string flash_file;  ///< Keeps the flash; empty: erased.
    bool recovery_strap = false;
  } security;
};

/// A switch chip as its file describes it; the keys and units of platform/boards/switches/*.yaml.
struct SwitchModel {
  std::string name;
  uint16_t vendor_id;
  uint16_t device_id;
  uint32_t generation;
  uint32_t lanes;  ///< Of all ports together.
  uint32_t max_payload_bytes;
  double latency_ns;  ///< From port to port.
  double link_latency_ns;
};

struct SwitchConfig;

/// A downstream port of the root complex or of a switch, the link below it and what is at the link's end.
struct PortConfig {
  uint32_t generation;
  uint32_t lanes;
  double link_latency_ns;
  bool hot_plug;  ///< The card can be taken out and put in.
  uint32_t slot;  ///< Physical slot number; 0: the link does not lead to a slot.
  /// A card, by its index in ServerConfig::cards, or a switch.
  std::variant<size_t, std::unique_ptr<SwitchConfig>> below;
};

/// A switch in its place.
struct SwitchConfig {
  SwitchModel model;
  uint32_t lanes;  ///< Of the upstream port.
  std::vector<PortConfig> ports;
};

/// The host's end of the fabric.
struct RootComplexConfig {
  bool peer_to_peer = true;             ///< The root passes requests from one card on to another.
  double latency_ns = 200;              ///< See pcie::RootComplex::Parameters.
  double host_memory_latency_ns = 100;  ///< The same.
  uint32_t max_payload_bytes = 512;     ///< What the root ports are capable of.
};

/// A server: a tree with the root complex on top and cards as its leaves.
struct ServerConfig {
  std::string name;
  RootComplexConfig root_complex;
  std::vector<PortConfig> root_ports;
  std::vector<CardConfig> cards;  ///< In the order of the tree, depth first.
};

}  // namespace npuvp::config

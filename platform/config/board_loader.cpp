// SPDX-License-Identifier: Apache-2.0
#include "platform/config/board_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <filesystem>

#include "firmware/abi/memory_map.h"
#include "platform/config/config_error.h"
#include "platform/config/yaml_reader.h"

namespace npuvp::config {
namespace {

namespace fs = std::filesystem;

bool is_path(const std::string& name_or_file) {
  return name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".yaml");
}

CardConfig::Pcie read_pcie(YamlReader reader) {
  CardConfig::Pcie pcie{};
  pcie.vendor_id = static_cast<uint16_t>(reader.integer("vendor_id", 1, 0xfffe));
  pcie.device_id = static_cast<uint16_t>(reader.integer("device_id", 1, 0xfffe));
  pcie.class_code = reader.integer("class_code", 0, 0xffffff);
  pcie.generation = reader.integer("generation", 1, 5);
  pcie.lanes = reader.integer("lanes", 1, 16);
  if (!std::has_single_bit(pcie.lanes)) reader.fail("lanes", "must be 1, 2, 4, 8 or 16");
  pcie.max_payload_bytes = reader.integer("max_payload_bytes", 128, 4096);
  if (!std::has_single_bit(pcie.max_payload_bytes)) reader.fail("max_payload_bytes", "must be a power of two");
  pcie.aperture_mib = reader.integer("aperture_mib", 1, 512);
  if (!std::has_single_bit(pcie.aperture_mib)) reader.fail("aperture_mib", "must be a power of two");
  pcie.link_latency_ns = reader.number("link_latency_ns", 0, 1e6);
  reader.finish();
  return pcie;
}

CardConfig::CommandProcessor read_command_processor(YamlReader reader) {
  CardConfig::CommandProcessor processor{};
  processor.harts = reader.integer("harts", 1, 4);
  processor.clock_mhz = reader.number("clock_mhz", 1, 10000);
  processor.quantum_us = reader.number("quantum_us", 0.1, 1e6);
  reader.finish();
  return processor;
}

ArrayShape read_shape(YamlReader reader) {
  const ArrayShape shape{.rows = reader.integer("rows", 1, 1024), .columns = reader.integer("columns", 1, 1024)};
  reader.finish();
  return shape;
}

CardConfig::NeuralEngines read_neural_engines(YamlReader reader) {
  CardConfig::NeuralEngines engines{};
  engines.count = reader.integer("count", 1, 8);
  engines.clock_mhz = reader.number("clock_mhz", 1, 10000);
  engines.scratchpad_mib = reader.integer("scratchpad_mib", 1, NPU_MAP_SCRATCHPAD_STRIDE >> 20);
  engines.scratchpad_gb_per_s = reader.number("scratchpad_gb_per_s", 0.1, 1e5);
  engines.vector_lanes = reader.integer("vector_lanes", 1, 4096);
  auto core = reader.mapping("tensor_core");
  engines.int8 = read_shape(core.mapping("int8"));
  engines.fp16 = read_shape(core.mapping("fp16"));
  core.finish();
  reader.finish();
  return engines;
}

CardConfig::SharedMemory read_shared_memory(YamlReader reader) {
  CardConfig::SharedMemory memory{};
  memory.mib = reader.integer("mib", 1, static_cast<uint32_t>((NPU_MAP_SCRATCHPAD - NPU_MAP_SHARED) >> 20));
  memory.gb_per_s = reader.number("gb_per_s", 0.1, 1e5);
  memory.latency_ns = reader.number("latency_ns", 0, 1e6);
  reader.finish();
  return memory;
}

CardConfig::Dram read_dram(YamlReader reader, const std::string& boards) {
  CardConfig::Dram dram{};
  dram.mib = reader.integer("mib", 1024, 65536);
  dram.channels = reader.integer("channels", 1, 64);
  dram.channel_gb_per_s = reader.number("channel_gb_per_s", 0.1, 1e4);
  dram.efficiency = reader.number("efficiency", 0.01, 1);
  dram.latency_ns = reader.number("latency_ns", 0, 1e6);
  const std::string timing = reader.has("timing") ? reader.text("timing") : "fast";
  if (timing != "fast" && timing != "jedec")
    reader.fail("timing", fmt::format("'{}' is neither fast nor jedec", timing));
  dram.jedec_timing = timing == "jedec";
  if (dram.jedec_timing || reader.has("jedec")) {
    dram.jedec = read_dram_jedec(reader.mapping("jedec"), boards, dram.channels, uint64_t{dram.mib} << 20);
  }
  reader.finish();
  return dram;
}

CardConfig::Noc read_noc(YamlReader reader) {
  CardConfig::Noc noc{};
  noc.clock_mhz = reader.number("clock_mhz", 1, 10000);
  noc.port_bytes_per_cycle = reader.integer("port_bytes_per_cycle", 1, 65536);
  noc.memory_port_bytes_per_cycle = reader.integer("memory_port_bytes_per_cycle", 1, 65536);
  noc.hop_latency_ns = reader.number("hop_latency_ns", 0, 1e6);
  reader.finish();
  return noc;
}

CardConfig::Dma read_dma(YamlReader reader) {
  CardConfig::Dma dma{};
  dma.outstanding_bursts = reader.integer("outstanding_bursts", 1, 1024);
  dma.startup_ns = reader.number("startup_ns", 0, 1e6);
  reader.finish();
  return dma;
}

CardConfig::TaskManager read_task_manager(YamlReader reader) {
  CardConfig::TaskManager manager{};
  manager.dispatch_ns = reader.number("dispatch_ns", 0, 1e6);
  reader.finish();
  return manager;
}

CardConfig load_card(const fs::path& file, const std::string& boards) {
  YamlReader reader(file.string());
  CardConfig card;
  card.name = reader.text("card");
  card.pcie = read_pcie(reader.mapping("pcie"));
  card.command_processor = read_command_processor(reader.mapping("command_processor"));
  card.neural_engines = read_neural_engines(reader.mapping("neural_engines"));
  card.shared_memory = read_shared_memory(reader.mapping("shared_memory"));
  card.dram = read_dram(reader.mapping("dram"), boards);
  card.noc = read_noc(reader.mapping("noc"));
  card.dma = read_dma(reader.mapping("dma"));
  card.task_manager = read_task_manager(reader.mapping("task_manager"));
  reader.finish();
  return card;
}

/// "server-1, server-4": the boards that exist, for a message.
std::string names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

fs::path find_server(const std::string& name_or_file, const fs::path& boards) {
  if (is_path(name_or_file)) return name_or_file;
  const fs::path file = boards / "servers" / (name_or_file + ".yaml");
  if (fs::exists(file)) return file;
  throw ConfigError(
      fmt::format("no board '{}'; known: {}; or give a file", name_or_file, names_in(boards / "servers")));
}

}  // namespace

ServerConfig load_server(const std::string& name_or_file, const std::string& boards) {
  const fs::path file = find_server(name_or_file, boards);
  YamlReader reader(file.string());
  ServerConfig server;
  server.name = reader.text("server");
  for (auto& entry : reader.list("cards")) {
    const std::string card = entry.text("card");
    entry.finish();
    const fs::path card_file =
        is_path(card) ? file.parent_path() / card : fs::path(boards) / "cards" / (card + ".yaml");
    if (!fs::exists(card_file)) {
      entry.fail("card", fmt::format("no card '{}'; known: {}", card, names_in(fs::path(boards) / "cards")));
    }
    server.cards.push_back(load_card(card_file, boards));
  }
  if (server.cards.size() != 1) {
    reader.fail("cards", fmt::format("{} cards; this version supports exactly 1", server.cards.size()));
  }
  reader.finish();
  return server;
}

}  // namespace npuvp::config

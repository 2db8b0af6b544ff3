// SPDX-License-Identifier: Apache-2.0
#include "platform/config/card_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "firmware/abi/memory_map.h"
#include "platform/config/noc_reader.h"

namespace npuvp::config {
namespace {

CardConfig::Pcie read_pcie(YamlReader reader) {
  CardConfig::Pcie pcie{};
  pcie.vendor_id = static_cast<uint16_t>(reader.integer("vendor_id", 1, 0xfffe));
  pcie.device_id = static_cast<uint16_t>(reader.integer("device_id", 1, 0xfffe));
  pcie.class_code = reader.integer("class_code", 0, 0xffffff);
  pcie.generation = reader.integer("generation", 1, 5);
  pcie.lanes = reader.power_of_two("lanes", 1, 16);
  pcie.max_payload_bytes = reader.power_of_two("max_payload_bytes", 128, 4096);
  pcie.relaxed_ordering = reader.has("relaxed_ordering") && reader.boolean("relaxed_ordering");
  pcie.id_based_ordering = reader.has("id_based_ordering") && reader.boolean("id_based_ordering");
  pcie.aperture_mib = reader.power_of_two("aperture_mib", 1, 16384);
  pcie.aperture_most_mib = reader.power_of_two("aperture_most_mib", pcie.aperture_mib, 65536);
  pcie.link_latency_ns = reader.number("link_latency_ns", 0, 1e6);
  pcie.virtual_functions = reader.integer("virtual_functions", 0, 16);
  pcie.virtual_aperture_mib = reader.power_of_two("virtual_aperture_mib", 1, 1024);
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

/// The bank keys, which stand or fall together: `count` and `word` are their names.
MemoryBanks read_banks(YamlReader& reader, const std::string& count, const std::string& word) {
  MemoryBanks banks;
  if (!reader.has(count) && !reader.has(word)) return banks;
  banks.count = reader.power_of_two(count, 1, 256);
  banks.word_bytes = reader.power_of_two(word, 1, 1024);
  return banks;
}

CardConfig::NeuralEngines read_neural_engines(YamlReader reader) {
  CardConfig::NeuralEngines engines{};
  engines.count = reader.integer("count", 1, 8);
  engines.clock_mhz = reader.number("clock_mhz", 1, 10000);
  engines.scratchpad_mib = reader.integer("scratchpad_mib", 1, NPU_MAP_SCRATCHPAD_STRIDE >> 20);
  engines.scratchpad_gb_per_s = reader.number("scratchpad_gb_per_s", 0.1, 1e5);
  engines.scratchpad_banks = read_banks(reader, "scratchpad_banks", "scratchpad_bank_bytes");
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
  memory.banks = read_banks(reader, "banks", "bank_bytes");
  reader.finish();
  return memory;
}

/// Seconds of a scrubbing pass, 0 for none; not so short that a burst of 4 KiB would come every 100 ns.
double read_patrol(YamlReader& reader, uint32_t mib) {
  if (!reader.has("scrub_period_s")) return 0;
  const double period = reader.number("scrub_period_s", 0, 1e6);
  const double least = mib * 256.0 * 100e-9;
  if (period != 0 && period < least) {
    reader.fail("scrub_period_s", fmt::format("{} is more than the DRAM can do; 0 or at least {:.3g}", period, least));
  }
  return period;
}

CardConfig::Dram read_dram(YamlReader reader, const std::string& boards) {
  CardConfig::Dram dram{};
  dram.mib = reader.integer("mib", 1024, 65536);
  dram.channels = reader.integer("channels", 1, 64);
  dram.channel_gb_per_s = reader.number("channel_gb_per_s", 0.1, 1e4);
  dram.efficiency = reader.number("efficiency", 0.01, 1);
  dram.latency_ns = reader.number("latency_ns", 0, 1e6);
  dram.patrol_s = read_patrol(reader, dram.mib);
  const std::string timing = reader.has("timing") ? reader.text("timing") : "fast";
  if (timing != "fast" && timing != "jedec") {
    reader.fail("timing", fmt::format("'{}' is neither fast nor jedec", timing));
  }
  dram.jedec_timing = timing == "jedec";
  if (dram.jedec_timing || reader.has("jedec")) {
    dram.jedec = read_dram_jedec(reader.mapping("jedec"), boards, dram.channels, uint64_t{dram.mib} << 20);
  }
  reader.finish();
  return dram;
}

CardConfig::Mmu read_mmu(YamlReader reader) {
  CardConfig::Mmu mmu{};
  mmu.tlb_entries = reader.power_of_two("tlb_entries", 1, 65536);
  mmu.tlb_ways = reader.power_of_two("tlb_ways", 1, std::min(mmu.tlb_entries, 64U));
  mmu.lookup_ns = reader.number("lookup_ns", 0, 1e6);
  reader.finish();
  return mmu;
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

}  // namespace

CardConfig read_card(YamlReader& reader, const std::string& boards) {
  CardConfig card;
  card.name = reader.text("card");
  card.pcie = read_pcie(reader.mapping("pcie"));
  card.command_processor = read_command_processor(reader.mapping("command_processor"));
  card.neural_engines = read_neural_engines(reader.mapping("neural_engines"));
  card.shared_memory = read_shared_memory(reader.mapping("shared_memory"));
  card.dram = read_dram(reader.mapping("dram"), boards);
  card.noc = read_noc(reader.mapping("noc"), card.neural_engines.count);
  if (reader.has("mmu")) card.mmu = read_mmu(reader.mapping("mmu"));
  card.dma = read_dma(reader.mapping("dma"));
  card.task_manager = read_task_manager(reader.mapping("task_manager"));
  reader.finish();
  if (card.pcie.aperture_most_mib > card.dram.mib) {
    reader.fail("pcie", fmt::format("aperture_most_mib: more than the DRAM; at most {}", card.dram.mib));
  }
  return card;
}

}  // namespace npuvp::config

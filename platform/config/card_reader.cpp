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
  engines.cache_kib = reader.integer("cache_kib", 1, 4096);
  auto core = reader.mapping("tensor_core");
  engines.int8 = read_shape(core.mapping("int8"));
  engines.fp16 = read_shape(core.mapping("fp16"));
  engines.int4 = read_shape(core.mapping("int4"));
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

CardConfig::Power::Rails read_rails(YamlReader reader) {
  const CardConfig::Power::Rails rails{.neural = reader.number("neural", 0, 1000),
                                       .system = reader.number("system", 0, 1000),
                                       .dram = reader.number("dram", 0, 1000),
                                       .pcie = reader.number("pcie", 0, 1000)};
  reader.finish();
  return rails;
}

CardConfig::Power read_power(YamlReader reader) {
  CardConfig::Power power{};
  power.idle_w = read_rails(reader.mapping("idle_w"));
  power.clocks_w = read_rails(reader.mapping("clocks_w"));
  auto work = reader.mapping("work");
  power.pj_per_mac_int8 = work.number("pj_per_mac_int8", 0, 1e6);
  power.pj_per_mac_fp16 = work.number("pj_per_mac_fp16", 0, 1e6);
  power.pj_per_vector_element = work.number("pj_per_vector_element", 0, 1e6);
  power.pj_per_byte_scratchpad = work.number("pj_per_byte_scratchpad", 0, 1e6);
  power.pj_per_byte_shared = work.number("pj_per_byte_shared", 0, 1e6);
  power.pj_per_byte_noc = work.number("pj_per_byte_noc", 0, 1e6);
  power.pj_per_byte_dram = work.number("pj_per_byte_dram", 0, 1e6);
  power.pj_per_byte_pcie = work.number("pj_per_byte_pcie", 0, 1e6);
  power.pj_per_byte_dma = work.number("pj_per_byte_dma", 0, 1e6);
  power.pj_per_instruction = work.number("pj_per_instruction", 0, 1e6);
  work.finish();
  reader.finish();
  return power;
}

CardConfig::Sensors::Stage read_stage(YamlReader reader) {
  const CardConfig::Sensors::Stage stage{.k_per_w = reader.number("k_per_w", 0, 100),
                                         .seconds = reader.number("seconds", 1e-6, 1e5)};
  reader.finish();
  return stage;
}

CardConfig::Sensors::Regulator read_regulator(YamlReader reader) {
  const CardConfig::Sensors::Regulator regulator{.volts = reader.number("volts", 0.1, 100),
                                                 .milliohms = reader.number("milliohms", 0, 1000)};
  reader.finish();
  return regulator;
}

CardConfig::Sensors read_sensors(YamlReader reader) {
  CardConfig::Sensors sensors{};
  sensors.ambient_c = reader.number("ambient_c", -55, 150);
  sensors.die = read_stage(reader.mapping("die"));
  sensors.sink = read_stage(reader.mapping("sink"));
  sensors.trip_c = reader.number("trip_c", -55, 300);
  auto rails = reader.mapping("rails");
  sensors.neural = read_regulator(rails.mapping("neural"));
  sensors.system = read_regulator(rails.mapping("system"));
  sensors.dram = read_regulator(rails.mapping("dram"));
  sensors.pcie = read_regulator(rails.mapping("pcie"));
  rails.finish();
  reader.finish();
  return sensors;
}

CardConfig::CpDma read_cp_dma(YamlReader reader) {
  CardConfig::CpDma dma{};
  dma.burst_bytes = reader.power_of_two("burst_bytes", 64, 4096);
  dma.outstanding_bursts = reader.integer("outstanding_bursts", 1, 1024);
  dma.descriptor_ns = reader.number("descriptor_ns", 0, 1e6);
  reader.finish();
  return dma;
}

npu_lifecycle read_lifecycle(YamlReader& reader) {
  const std::string text = reader.text("lifecycle");
  if (text == "test") return NPU_LIFECYCLE_TEST;
  if (text == "development") return NPU_LIFECYCLE_DEVELOPMENT;
  if (text == "production") return NPU_LIFECYCLE_PRODUCTION;
  if (text == "rma") return NPU_LIFECYCLE_RMA;
  reader.fail("lifecycle", fmt::format("'{}' is not test, development, production or rma", text));
}

CardConfig::Security read_security(YamlReader reader) {
  CardConfig::Security security;
  security.lifecycle = read_lifecycle(reader);
  security.debug_disable = reader.boolean("debug_disable");
  if (reader.has("otp_file")) security.otp_file = reader.text("otp_file");
  security.flash_mib = reader.power_of_two("flash_mib", 4, 16);
  if (reader.has("flash_file")) security.flash_file = reader.text("flash_file");
  security.recovery_strap = reader.boolean("recovery_strap");
  reader.finish();
  return security;
}

}  // namespace

CardConfig read_card(YamlReader& reader, const std::string& boards) {
  CardConfig card;
  card.name = reader.text("card");
  if (reader.has("data")) {
    const std::string data = reader.text("data");
    if (data != "exact" && data != "none") reader.fail("data", fmt::format("'{}' is neither exact nor none", data));
    card.data = data == "none" ? DataMode::kNone : DataMode::kExact;
  }
  card.pcie = read_pcie(reader.mapping("pcie"));
  card.command_processor = read_command_processor(reader.mapping("command_processor"));
  card.neural_engines = read_neural_engines(reader.mapping("neural_engines"));
  card.shared_memory = read_shared_memory(reader.mapping("shared_memory"));
  card.dram = read_dram(reader.mapping("dram"), boards);
  card.noc = read_noc(reader.mapping("noc"), card.neural_engines.count);
  if (reader.has("mmu")) card.mmu = read_mmu(reader.mapping("mmu"));
  card.dma = read_dma(reader.mapping("dma"));
  card.task_manager = read_task_manager(reader.mapping("task_manager"));
  card.power = read_power(reader.mapping("power"));
  card.sensors = read_sensors(reader.mapping("sensors"));
  card.cp_dma = read_cp_dma(reader.mapping("cp_dma"));
  if (reader.has("security")) card.security = read_security(reader.mapping("security"));
  reader.finish();
  if (card.pcie.aperture_most_mib > card.dram.mib) {
    reader.fail("pcie", fmt::format("aperture_most_mib: more than the DRAM; at most {}", card.dram.mib));
  }
  return card;
}

}  // namespace npuvp::config

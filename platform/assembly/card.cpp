// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/card.h"

#include <fmt/format.h>

#include <algorithm>

#include "firmware/abi/ecc.h"
#include "firmware/abi/memory_map.h"
#include "models/tensor_core/tensor_core.h"
#include "npu/registers/system_controller.h"
#include "platform/assembly/card_parameters.h"
#include "platform/config/config_error.h"
#include "rtl/tensor_core/adapter/rtl_tensor_core.h"

namespace npuvp::assembly {
namespace {

using sc_core::sc_time;
using system_controller::ResetCause;

constexpr uint64_t kMib = 1 << 20;
constexpr double kMega = 1e6;
constexpr double kPico = 1e-12;

}  // namespace

Card::Card(sc_core::sc_module_name name, base::Environment& environment, const config::CardConfig& config,
           unsigned index, const std::string& rom, const RtlSelection& rtl)
    : sc_module(name),
      environment_(environment),
      config_(config),
      engine_count_(config.neural_engines.count),
      track_(environment.trace().add_track(basename())),
      harts_("harts", hart_parameters(config)),
      rom_("rom", environment, rom_parameters(config)),
      tcm_("tcm", environment, tcm_parameters(config)),
      aclint_("aclint", environment),
      plic_("plic", environment),
      uart_("uart", environment),
      mailbox_("mailbox", environment, {.functions = kFunctions}),
      system_controller_("system_controller", environment, straps(config, index)),
      management_("management", environment, config, track_),
      gpio_("gpio", environment, gpio_parameters(config)),
      otp_("otp", environment, otp_parameters(config)),
      flash_("flash", environment, flash_parameters(config, environment.seed())),
      crypto_("crypto", environment, {}),
      trng_("trng", environment, trng_parameters(environment, index)),
      task_manager_("task_manager", environment, task_manager_parameters(config, track_)),
      external_hdma_("external_hdma", environment, dma_parameters(config, NPU_COMMAND_EXTERNAL_HDMA, kHdmaChannels)),
      neural_dma_("neural_dma", environment, dma_parameters(config, NPU_COMMAND_NEURAL_DMA, engine_count_)),
      task_dma_("task_dma", environment, dma_parameters(config, NPU_COMMAND_TASK_DMA, 1)),
      device_hdma_("device_hdma", environment, dma_parameters(config, NPU_COMMAND_DEVICE_HDMA, kHdmaChannels)),
      device_sync_("device_sync", environment, {}),
      shared_("shared", environment, shared_parameters(config)),
      dram_("dram", environment, dram_parameters(config)),
      scratchpads_("scratchpad"),
      engines_("ne"),
      bus_("bus", environment, bus_parameters(config)),
      noc_("noc", environment, noc_parameters(config)),
      ecc_("ecc", environment),
      mmu_("mmu", environment, mmu_parameters(config)),
      aperture_("aperture", environment),
      endpoint_("endpoint", environment, endpoint_parameters(config, index)) {
  const std::span<const uint8_t> image(reinterpret_cast<const uint8_t*>(rom.data()), rom.size());
  if (!rom_.load(0, image)) {
    throw config::ConfigError(
        fmt::format("boot ROM image of {} bytes does not fit the ROM of {}", rom.size(), NPU_MAP_ROM_BYTES));
  }
  build_engines(rtl);
  bind_bus();
  bind_noc();
  bind_commands();
  bind_interrupts();
  bind_security();
  bind_error_collector();
  bind_power();
  bind_clocks();

  mailbox_.on_card_reset([this] {
    // At once, so that the host cannot take the state before the reset for the one after it.
    mailbox_.reset();
    request_reset(ResetCause::kHost);
  });
  system_controller_.on_card_reset([this](ResetCause cause) { request_reset(cause); });
  system_controller_.on_power_off([this] { request_power_off(); });
  system_controller_.on_block_reset([this](uint32_t blocks) { reset_blocks(blocks); });
  system_controller_.on_pstate([this](auto now, auto before) { set_pstate(now, before); });
  management_.watchdog.on_expiry([this] { request_reset(ResetCause::kWatchdog); });
  management_.sensors.on_trip([this] { request_power_off(); });
  endpoint_.on_reset([this](unsigned function) { reset_function(function); });
  SC_METHOD(reset);
  sensitive << reset_event_;
  dont_initialize();
}

Card::~Card() = default;

void Card::build_engines(const RtlSelection& rtl) {
  const auto& config = config_.neural_engines;
  scratchpads_.init(engine_count_, [&](const char* name, size_t) {
    return new memory::Memory(name, environment_, scratchpad_parameters(config_));
  });
  engines_.init(engine_count_, [&](const char* name, size_t index) {
    return new ne::NeuralEngine(name, environment_,
                                {.index = static_cast<uint8_t>(index),
                                 .scratchpad_bytes = config.scratchpad_mib * kMib,
                                 .clock_hz = config.clock_mhz * kMega,
                                 .vector_lanes = config.vector_lanes,
                                 .cache_bytes = config.cache_kib * uint64_t{1024},
                                 .joules_per_vector_element = config_.power.pj_per_vector_element * kPico,
                                 .compute = config_.data == config::DataMode::kExact});
  });
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    const auto instance = fmt::format("ne{}", engine);
    const auto domain = clock_of(engine);
    const auto name = fmt::format("tensor_core_{}", engine);
    auto& port = scratchpads_[engine].ports[kScratchpadTensorCore];
    if (rtl.contains(instance, "tensor_core")) {
      rtl_tensor_core::Parameters parameters;
      parameters.clock_hz = config.clock_mhz * kMega;
      auto core = std::make_unique<rtl_tensor_core::RtlTensorCore>(name.c_str(), environment_, parameters);
      core->scratchpad.socket.bind(port);
      tensor_cores_.push_back(core.get());
      tensor_core_modules_.push_back(std::move(core));
    } else {
      auto core = std::make_unique<tensor_core::TensorCore>(
          name.c_str(), environment_,
          tensor_core::Parameters{.int4 = {config.int4.rows, config.int4.columns},
                                  .int8 = {config.int8.rows, config.int8.columns},
                                  .fp16 = {config.fp16.rows, config.fp16.columns},
                                  .clock_hz = config.clock_mhz * kMega,
                                  .joules_per_mac_int8 = config_.power.pj_per_mac_int8 * kPico,
                                  .joules_per_mac_fp16 = config_.power.pj_per_mac_fp16 * kPico,
                                  .compute = config_.data == config::DataMode::kExact});
      core->scratchpad.socket.bind(port);
      core->clock.connect(system_controller_.clock(domain));
      core->power.connect(management_.power, base::Rail::kNeural);
      tensor_cores_.push_back(core.get());
      tensor_core_modules_.push_back(std::move(core));
    }
    engines_[engine].clock().connect(system_controller_.clock(domain));
    engines_[engine].power().connect(management_.power, base::Rail::kNeural);
    engines_[engine].scratchpad.socket.bind(scratchpads_[engine].ports[kScratchpadEngine]);
    engines_[engine].tensor.bind(*tensor_cores_.back());
  }
}

void Card::bind_bus() {
  harts_.bus.socket.bind(bus_.initiators[kBusHarts]);
  bus_.targets[kBusRom].bind(rom_.ports[0]);
  bus_.targets[kBusTcm].bind(tcm_.ports[kTcmBus]);
  bus_.targets[kBusAclint].bind(aclint_.socket);
  bus_.targets[kBusPlic].bind(plic_.socket);
  bus_.targets[kBusUart].bind(uart_.socket);
  bus_.targets[kBusMailbox].bind(mailbox_.card);
  bus_.targets[kBusSystemController].bind(system_controller_.registers);
  bus_.targets[kBusTaskManager].bind(task_manager_.registers);
  bus_.targets[kBusExternalHdma].bind(external_hdma_.registers);
  bus_.targets[kBusNeuralDma].bind(neural_dma_.registers);
  bus_.targets[kBusTaskDma].bind(task_dma_.registers);
  bus_.targets[kBusAperture].bind(aperture_.registers);
  bus_.targets[kBusDeviceHdma].bind(device_hdma_.registers);
  bus_.targets[kBusDeviceSync].bind(device_sync_.registers);
  bus_.targets[kBusWatchdog].bind(management_.watchdog.registers);
  bus_.targets[kBusTimer].bind(management_.timer.registers);
  bus_.targets[kBusSensors].bind(management_.sensors.registers);
  bus_.targets[kBusLogManager].bind(management_.log.registers);
  bus_.targets[kBusCpDma].bind(management_.dma.registers);
  bus_.targets[kBusMmu].bind(mmu_.registers);
  bus_.targets[kBusEcc].bind(ecc_.registers);
  bus_.targets[kBusNocRegisters].bind(noc_.registers);
  bus_.targets[kBusNoc].bind(noc_.initiators[kNocBus]);
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    bus_.targets[kBusEngine0 + engine].bind(engines_[engine].registers);
  }
}

void Card::bind_security() {
  bus_.targets[kBusGpio].bind(gpio_.registers);
  bus_.targets[kBusOtp].bind(otp_.registers);
  bus_.targets[kBusFlash].bind(flash_.registers);
  bus_.targets[kBusCryptoRegisters].bind(crypto_.registers);
  bus_.targets[kBusTrng].bind(trng_.registers);
  crypto_.memory.socket.bind(bus_.initiators[kBusCrypto]);
  gpio_.irq.connect(plic_.source_input(NPU_IRQ_GPIO));
  flash_.irq.connect(plic_.source_input(NPU_IRQ_FLASH));
  crypto_.irq.connect(plic_.source_input(NPU_IRQ_CRYPTO));
}

void Card::bind_noc() {
  task_manager_.memory.socket.bind(mmu_.initiators[NPU_MMU_TASK_MANAGER]);
  external_hdma_.memory.socket.bind(mmu_.initiators[NPU_MMU_EXTERNAL_HDMA]);
  neural_dma_.memory.socket.bind(mmu_.initiators[NPU_MMU_NEURAL_DMA]);
  task_dma_.memory.socket.bind(mmu_.initiators[NPU_MMU_TASK_DMA]);
  device_hdma_.memory.socket.bind(mmu_.initiators[NPU_MMU_DEVICE_HDMA]);
  mmu_.noc[NPU_MMU_TASK_MANAGER].bind(noc_.initiators[kNocTaskManager]);
  mmu_.noc[NPU_MMU_EXTERNAL_HDMA].bind(noc_.initiators[kNocExternalHdma]);
  mmu_.noc[NPU_MMU_NEURAL_DMA].bind(noc_.initiators[kNocNeuralDma]);
  mmu_.noc[NPU_MMU_TASK_DMA].bind(noc_.initiators[kNocTaskDma]);
  mmu_.noc[NPU_MMU_DEVICE_HDMA].bind(noc_.initiators[kNocDeviceHdma]);
  mmu_.walker.socket.bind(noc_.initiators[kNocMmu]);
  device_sync_.memory.socket.bind(noc_.initiators[kNocDeviceSync]);
  aperture_.memory.bind(noc_.initiators[kNocAperture]);
  management_.log.memory.socket.bind(noc_.initiators[kNocLogManager]);
  management_.dma.memory.socket.bind(noc_.initiators[kNocCpDma]);

  noc_.targets[kNocDram].bind(dram_.memory);
  noc_.targets[kNocShared].bind(shared_.ports[0]);
  noc_.targets[kNocTcm].bind(tcm_.ports[kTcmNoc]);
  noc_.targets[kNocHost].bind(endpoint_.dma);
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    noc_.targets[kNocScratchpad0 + engine].bind(scratchpads_[engine].ports[kScratchpadNoc]);
  }

  endpoint_.bar0.socket.bind(device_sync_.host);
  device_sync_.others.bind(mailbox_.host);
  endpoint_.bar2.socket.bind(aperture_.host);
}

void Card::bind_commands() {
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    task_manager_.neural_engines[engine].bind(engines_[engine]);
    task_manager_.neural_vector[engine].bind(engines_[engine]);
    task_manager_.neural_dma[engine].bind(neural_dma_.commands[engine]);
  }
  task_manager_.task_dma[0].bind(task_dma_.commands[0]);
  for (unsigned channel = 0; channel < kHdmaChannels; ++channel) {
    task_manager_.external_hdma[channel].bind(external_hdma_.commands[channel]);
    task_manager_.device_hdma[channel].bind(device_hdma_.commands[channel]);
  }
  for (unsigned channel = 0; channel < NPU_SYNC_CHANNELS; ++channel) {
    task_manager_.device_sync[channel].bind(device_sync_.commands[channel]);
  }
  task_manager_.on_owner_change([this](const task_manager::OnChipPart& part) {
    sc_time longest = part.shared_bytes != 0 ? shared_.wipe(part.shared_base, part.shared_bytes) : sc_time();
    for (const auto engine : part.engines) longest = std::max(longest, scratchpads_[engine].wipe());
    return longest;
  });
}

void Card::bind_interrupts() {
  uart_.interrupt.connect(plic_.source_input(NPU_IRQ_UART));
  mailbox_.message.connect(plic_.source_input(NPU_IRQ_MAILBOX));
  mailbox_.doorbell.connect(plic_.source_input(NPU_IRQ_DOORBELL));
  task_manager_.irq.connect(plic_.source_input(NPU_IRQ_TASK_MANAGER));
  external_hdma_.irq.connect(plic_.source_input(NPU_IRQ_EXTERNAL_HDMA));
  device_hdma_.irq.connect(plic_.source_input(NPU_IRQ_DEVICE_HDMA));
  device_sync_.irq.connect(plic_.source_input(NPU_IRQ_DEVICE_SYNC));
  management_.timer.interrupt.connect(plic_.source_input(NPU_IRQ_TIMER));
  management_.sensors.interrupt.connect(plic_.source_input(NPU_IRQ_SENSORS));
  management_.log.interrupt.connect(plic_.source_input(NPU_IRQ_LOG_MANAGER));
  management_.dma.interrupt.connect(plic_.source_input(NPU_IRQ_CP_DMA));
  ecc_.irq.connect(plic_.source_input(NPU_IRQ_ECC));
  mmu_.irq.connect(plic_.source_input(NPU_IRQ_MMU));
  for (unsigned hart = 0; hart < config_.command_processor.harts; ++hart) {
    aclint_.software_interrupt.at(hart).connect(harts_.interrupt_input(hart, riscv::Interrupt::kSoftware));
    aclint_.timer_interrupt.at(hart).connect(harts_.interrupt_input(hart, riscv::Interrupt::kTimer));
    plic_.external_interrupt.at(hart).connect(harts_.interrupt_input(hart, riscv::Interrupt::kExternal));
  }
  // A hang must be able to interrupt firmware that takes no external interrupts.
  const auto software = harts_.interrupt_input(0, riscv::Interrupt::kSoftware);
  aclint_.software_interrupt.at(0).connect([this, software](bool level) {
    software_ = level;
    software(early_ || software_);
  });
  management_.watchdog.early.connect([this, software, plic = plic_.source_input(NPU_IRQ_WATCHDOG)](bool level) {
    early_ = level;
    if (level) management_.log.record(NPU_EVENT_WATCHDOG, NPU_EVENT_WATCHDOG_EARLY);
    plic(level);
    software(early_ || software_);
  });
  // It watches hart 0: nobody who debugs wants a reset for having taken their time.
  harts_.on_debug_mode([this](unsigned hart, bool held) {
    if (hart == 0) management_.watchdog.set_frozen(held);
  });
  management_.log.set_time_source([this](sc_time at) { return aclint_.mtime_at(at); });
  harts_.set_time_source([this](const sc_time& at) { return aclint_.mtime_at(at); });
  mailbox_.on_raise_vector([this](unsigned function, unsigned vector) { endpoint_.raise_vector(function, vector); });
}

bool Card::hang_next_command(std::string_view engine) {
  const auto hang_channel = [engine](dma::DmaEngine& dma, const char* name, unsigned channels) {
    for (unsigned i = 0; i < channels; ++i) {
      if (engine != fmt::format("{}{}", name, i)) continue;
      dma.hang_next_command(i);
      return true;
    }
    return false;
  };
  for (unsigned i = 0; i < engine_count_; ++i) {
    if (engine != fmt::format("ne{}", i)) continue;
    engines_[i].hang_next_command();
    return true;
  }
  return hang_channel(neural_dma_, "neural_dma", engine_count_) || hang_channel(task_dma_, "task_dma", 1) ||
         hang_channel(external_hdma_, "external_hdma", kHdmaChannels) ||
         hang_channel(device_hdma_, "device_hdma", kHdmaChannels);
}

void Card::bind_error_collector() {
  const auto connect = [this](unsigned source, const std::string& name, uint64_t base, auto& memory) {
    ecc_.add_source(source, name, base, memory.storage().size(),
                    [&memory](uint64_t offset, unsigned bit) { memory.inject_error(offset, bit); });
    memory.on_error(
        [this, source](uint64_t offset, base::secded::Outcome outcome) { ecc_.report(source, offset, outcome); });
  };
  connect(NPU_ECC_DRAM, "DRAM", NPU_MAP_DRAM, dram_);
  connect(NPU_ECC_TCM, "TCM", NPU_MAP_TCM, tcm_);
  ecc_.make_switchable(
      NPU_ECC_TCM, [this](bool on) { tcm_.set_ecc(on); }, [this] { return tcm_.wipe(); });
  connect(NPU_ECC_SHARED, "shared memory", NPU_MAP_SHARED, shared_);
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    connect(NPU_ECC_SCRATCHPAD + engine, fmt::format("scratchpad {}", engine),
            NPU_MAP_SCRATCHPAD + engine * NPU_MAP_SCRATCHPAD_STRIDE, scratchpads_[engine]);
  }
}

/// Engines report what they compute (build_engines); everything else counts bytes and instructions.
void Card::bind_power() {
  using base::Rail;
  const auto& figures = config_.power;
  const auto connect = [this](base::EnergyCounter& counter, Rail rail, double picojoules) {
    counter.connect(management_.power, rail, picojoules * kPico);
  };
  connect(harts_.energy, Rail::kSystem, figures.pj_per_instruction);
  connect(noc_.energy, Rail::kSystem, figures.pj_per_byte_noc);
  connect(shared_.energy, Rail::kSystem, figures.pj_per_byte_shared);
  for (auto* engine : {&external_hdma_, &neural_dma_, &task_dma_, &device_hdma_}) {
    connect(engine->energy(), Rail::kSystem, figures.pj_per_byte_dma);
  }
  for (auto& scratchpad : scratchpads_) connect(scratchpad.energy, Rail::kNeural, figures.pj_per_byte_scratchpad);
  connect(dram_.energy, Rail::kDram, figures.pj_per_byte_dram);
  connect(endpoint_.port().energy(), Rail::kPcie, figures.pj_per_byte_pcie);
}

/// Who runs on which clock: models/system_controller/README.md. Engines and tensor cores: build_engines.
void Card::bind_clocks() {
  using system_controller::Domain;
  noc_.clock.connect(system_controller_.clock(Domain::kBus));
  noc_.service_clock(kNocShared).connect(system_controller_.clock(Domain::kShm));
  shared_.clock.connect(system_controller_.clock(Domain::kShm));
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    scratchpads_[engine].clock.connect(system_controller_.clock(clock_of(engine)));
  }
}

void Card::reset_function(unsigned function) {
  if (function == 0) {
    request_reset(ResetCause::kPcie);
    return;
  }
  mailbox_.function_reset(function);
  aperture_.function_reset(function);
  device_sync_.function_reset(function);
}

void Card::request_reset(ResetCause cause) {
  // In the next delta cycle: the request comes from inside a register write of a block that is to be reset.
  reset_cause_ = off_ ? ResetCause::kThermal : cause;
  off_ = false;
  reset_event_.notify(sc_core::SC_ZERO_TIME);
}

void Card::request_power_off() {
  off_ = true;
  reset_event_.notify(sc_core::SC_ZERO_TIME);
}

void Card::reset_blocks(uint32_t blocks) {
  if ((blocks & SYSTEM_CONTROLLER_BLOCK_RESET_TASK_MANAGER_MASK) != 0) task_manager_.reset();
  if ((blocks & SYSTEM_CONTROLLER_BLOCK_RESET_EXTERNAL_HDMA_MASK) != 0) external_hdma_.reset();
  if ((blocks & SYSTEM_CONTROLLER_BLOCK_RESET_NEURAL_DMA_MASK) != 0) neural_dma_.reset();
  if ((blocks & SYSTEM_CONTROLLER_BLOCK_RESET_TASK_DMA_MASK) != 0) task_dma_.reset();
  if ((blocks & SYSTEM_CONTROLLER_BLOCK_RESET_CP_DMA_MASK) != 0) management_.dma.reset();
  for (unsigned engine = 0; engine < engine_count_; ++engine) {
    if ((blocks >> (SYSTEM_CONTROLLER_BLOCK_RESET_NEURAL_ENGINES_SHIFT + engine) & 1) != 0) engines_[engine].reset();
  }
  management_.log.record(NPU_EVENT_SYSTEM, NPU_EVENT_BLOCK_RESET, blocks);
}

void Card::set_pstate(system_controller::PState now, system_controller::PState before) {
  management_.set_pstate(now, before);
  const unsigned generation = system_controller::settings_of(now).pcie_generation;
  if (generation != 0) endpoint_.port().limit_generation(generation);
}

void Card::reset() {
  harts_.reset_input()(true);
  if (!off_) {  // else the host still sees the last state
    mailbox_.reset();
    mailbox_.set_reset_cause(static_cast<uint32_t>(reset_cause_));
  }
  aperture_.reset();
  if (!off_) system_controller_.reset(reset_cause_);
  gpio_.reset();
  otp_.reset();
  flash_.reset();
  crypto_.reset();
  trng_.reset();
  task_manager_.reset();
  external_hdma_.reset();
  neural_dma_.reset();
  task_dma_.reset();
  mmu_.reset();
  ecc_.reset();
  device_hdma_.reset();
  device_sync_.reset();
  for (auto& engine : engines_) engine.reset();
  for (auto* core : tensor_cores_) core->reset();
  for (auto& scratchpad : scratchpads_) scratchpad.reset();
  tcm_.reset();
  shared_.reset();
  dram_.reset();
  noc_.reset();
  bus_.reset();
  aclint_.reset();
  uart_.reset();
  plic_.reset();
  management_.reset(reset_cause_);
  if (off_) {
    management_.power_off();
  } else {
    harts_.reset_input()(false);
  }
}

}  // namespace npuvp::assembly

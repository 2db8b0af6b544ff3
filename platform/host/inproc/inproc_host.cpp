// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/inproc_host.h"

#include <algorithm>
#include <cstring>

namespace npuvp::host {
namespace {

constexpr uint64_t kRamBase = 0x1'0000'0000;
constexpr uint64_t kRamBytes = 64ULL << 30;  // sparse
constexpr uint64_t kMemory32Base = 0x8000'0000;
constexpr uint64_t kMemory64Base = 0x80'0000'0000;
constexpr uint64_t kInterruptAddress = 0xfee0'0000;
constexpr uint64_t kBridgeWindowBytes = 1 << 20;  // granularity of type 1 memory windows
constexpr size_t kStackBytes = 4 << 20;           // the body is an ordinary program

// Configuration registers (PCI Express Base Specification, chapter 7.5).
constexpr uint16_t kVendorId = 0x00;
constexpr uint16_t kCommand = 0x04;
constexpr uint16_t kHeaderType = 0x0e;
constexpr uint16_t kBar0 = 0x10;
constexpr uint16_t kPrimaryBus = 0x18;
constexpr uint16_t kSecondaryBus = 0x19;
constexpr uint16_t kSubordinateBus = 0x1a;
constexpr uint16_t kMemoryBase = 0x20;
constexpr uint16_t kPrefetchableBase = 0x24;
constexpr uint16_t kPrefetchableBaseUpper = 0x28;
constexpr uint16_t kPrefetchableLimitUpper = 0x2c;
constexpr uint16_t kCapabilities = 0x34;
constexpr uint32_t kCommandMemoryAndMaster = 0x0006;
constexpr uint8_t kMsixCapability = 0x11;

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace

/// Next free numbers and addresses while the buses are walked.
struct InprocHost::Enumeration {
  uint8_t last_bus = 0;
  uint64_t next32 = kMemory32Base;
  uint64_t next64 = kMemory64Base;
  std::vector<PciFunction> functions;
};

InprocHost::InprocHost(sc_core::sc_module_name name, std::function<void(InprocHost&)> body)
    : sc_module(name), body_(std::move(body)), ram_(kRamBase, kRamBytes) {
  SC_THREAD(run);
  set_stack_size(kStackBytes);
}

void InprocHost::connect(pcie::RootComplex& root_complex) {
  config.socket.bind(root_complex.config);
  mmio.socket.bind(root_complex.memory);
  root_complex.attach(*this);
}

void InprocHost::run() {
  try {
    body_(*this);
  } catch (const sc_core::sc_unwind_exception&) {
    throw;
  } catch (...) {
    failure_ = std::current_exception();
  }
  finished_ = true;
  sc_core::sc_stop();
}

void InprocHost::rethrow_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

uint32_t InprocHost::config_read(uint16_t bdf, uint16_t offset, unsigned bytes) {
  uint32_t value = ~0U;
  sc_core::sc_time delay;
  const uint64_t address = (uint64_t{bdf} << 12) | offset;
  if (config.read(address, {reinterpret_cast<uint8_t*>(&value), bytes}, delay) != tlm::TLM_OK_RESPONSE) value = ~0U;
  wait(delay);
  return bytes == 4 ? value : value & ((1U << (bytes * 8)) - 1);
}

void InprocHost::config_write(uint16_t bdf, uint16_t offset, uint32_t value, unsigned bytes) {
  sc_core::sc_time delay;
  const uint64_t address = (uint64_t{bdf} << 12) | offset;
  config.write(address, {reinterpret_cast<const uint8_t*>(&value), bytes}, delay);
  wait(delay);
}

uint32_t InprocHost::mmio_read32(uint64_t address) {
  uint32_t value = ~0U;
  sc_core::sc_time delay;
  const auto status = mmio.read(address, {reinterpret_cast<uint8_t*>(&value), sizeof(value)}, delay);
  wait(delay);
  return status == tlm::TLM_OK_RESPONSE ? value : ~0U;
}

void InprocHost::mmio_write32(uint64_t address, uint32_t value) {
  sc_core::sc_time delay;
  mmio.write(address, {reinterpret_cast<const uint8_t*>(&value), sizeof(value)}, delay);
  wait(delay);
}

std::vector<PciFunction> InprocHost::enumerate() {
  Enumeration state;
  enumerate_bus(0, state);
  // The MSI-X tables can be reached only when the bridges above forward memory.
  for (auto& function : state.functions) enable_msix(function);
  return state.functions;
}

void InprocHost::enumerate_bus(uint8_t bus, Enumeration& state) {
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    const auto bdf = static_cast<uint16_t>((unsigned{bus} << 8) | devfn);
    if ((config_read(bdf, kVendorId, 2) & 0xffff) == 0xffff) {
      if (devfn % 8 == 0) devfn += 7;  // no function 0: no device
      continue;
    }
    const uint32_t header = config_read(bdf, kHeaderType, 1);
    if ((header & 0x7f) == 1) {
      configure_bridge(bdf, state);
    } else {
      configure_endpoint(bdf, state);
    }
    if (devfn % 8 == 0 && (header & 0x80) == 0) devfn += 7;  // single function
  }
}

void InprocHost::configure_bridge(uint16_t bdf, Enumeration& state) {
  const uint8_t secondary = ++state.last_bus;
  config_write(bdf, kPrimaryBus, bdf >> 8, 1);
  config_write(bdf, kSecondaryBus, secondary, 1);
  config_write(bdf, kSubordinateBus, 0xff, 1);
  const uint64_t base32 = state.next32 = align_up(state.next32, kBridgeWindowBytes);
  const uint64_t base64 = state.next64 = align_up(state.next64, kBridgeWindowBytes);
  enumerate_bus(secondary, state);
  config_write(bdf, kSubordinateBus, state.last_bus, 1);
  state.next32 = align_up(state.next32, kBridgeWindowBytes);
  state.next64 = align_up(state.next64, kBridgeWindowBytes);

  // An empty window has its limit below its base.
  const uint64_t limit32 = state.next32 - 1;
  const uint64_t limit64 = state.next64 - 1;
  config_write(bdf, kMemoryBase, static_cast<uint32_t>(((base32 >> 16) & 0xfff0) | (limit32 & 0xfff0'0000)), 4);
  config_write(bdf, kPrefetchableBase, static_cast<uint32_t>(((base64 >> 16) & 0xfff0) | (limit64 & 0xfff0'0000)), 4);
  config_write(bdf, kPrefetchableBaseUpper, static_cast<uint32_t>(base64 >> 32), 4);
  config_write(bdf, kPrefetchableLimitUpper, static_cast<uint32_t>(limit64 >> 32), 4);
  config_write(bdf, kCommand, kCommandMemoryAndMaster, 2);
}

void InprocHost::configure_endpoint(uint16_t bdf, Enumeration& state) {
  PciFunction function;
  function.bdf = bdf;
  function.vendor_id = static_cast<uint16_t>(config_read(bdf, kVendorId, 2));
  function.device_id = static_cast<uint16_t>(config_read(bdf, kVendorId + 2, 2));
  assign_bars(function, state);
  config_write(bdf, kCommand, kCommandMemoryAndMaster, 2);
  state.functions.push_back(function);
}

void InprocHost::assign_bars(PciFunction& function, Enumeration& state) {
  for (unsigned bar = 0; bar < 6; ++bar) {
    const auto offset = static_cast<uint16_t>(kBar0 + bar * 4);
    config_write(function.bdf, offset, ~0U, 4);
    const uint32_t low = config_read(function.bdf, offset, 4);
    if (low == 0 || (low & 1) != 0) continue;  // not there, or I/O space
    const bool wide = (low & 0x6) == 0x4;
    const bool prefetchable = (low & 0x8) != 0;
    uint64_t mask = low & ~0xfU;
    if (wide) {
      config_write(function.bdf, static_cast<uint16_t>(offset + 4), ~0U, 4);
      mask |= uint64_t{config_read(function.bdf, static_cast<uint16_t>(offset + 4), 4)} << 32;
    } else {
      mask |= 0xffff'ffff'0000'0000;
    }
    const uint64_t bytes = ~mask + 1;
    uint64_t& next = wide && prefetchable ? state.next64 : state.next32;
    const uint64_t address = align_up(next, bytes);
    next = address + bytes;
    config_write(function.bdf, offset, static_cast<uint32_t>(address), 4);
    if (wide) config_write(function.bdf, static_cast<uint16_t>(offset + 4), static_cast<uint32_t>(address >> 32), 4);
    function.bars.at(bar) = address;
    if (wide) ++bar;
  }
}

uint8_t InprocHost::find_capability(uint16_t bdf, uint8_t id) {
  auto at = static_cast<uint8_t>(config_read(bdf, kCapabilities, 1) & 0xfc);
  for (int guard = 0; at != 0 && guard < 48; ++guard) {
    const uint32_t header = config_read(bdf, at, 2);
    if ((header & 0xff) == id) return at;
    at = static_cast<uint8_t>((header >> 8) & 0xfc);
  }
  return 0;
}

void InprocHost::enable_msix(PciFunction& function) {
  const uint8_t capability = find_capability(function.bdf, kMsixCapability);
  if (capability == 0) return;
  const auto control = static_cast<uint16_t>(capability + 2);
  function.vectors = (config_read(function.bdf, control, 2) & 0x7ff) + 1;
  function.first_vector = next_vector_;
  next_vector_ += function.vectors;
  const uint32_t table = config_read(function.bdf, static_cast<uint16_t>(capability + 4), 4);
  const uint64_t base = function.bars.at(table & 7) + (table & ~7U);
  for (uint32_t vector = 0; vector < function.vectors; ++vector) {
    const uint64_t entry = base + uint64_t{vector} * 16;
    mmio_write32(entry, static_cast<uint32_t>(kInterruptAddress));
    mmio_write32(entry + 4, 0);
    mmio_write32(entry + 8, function.first_vector + vector);
    mmio_write32(entry + 12, 0);
  }
  config_write(function.bdf, control, 0x8000, 2);
}

bool InprocHost::wait_interrupt(uint32_t vector, sc_core::sc_time timeout) {
  const sc_core::sc_time deadline = sc_core::sc_time_stamp() + timeout;
  while (!pending_[vector]) {
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    if (now >= deadline) return false;
    wait(deadline - now, interrupted_);
  }
  pending_[vector] = false;
  return true;
}

bool InprocHost::dma_read(uint64_t bus_address, std::span<uint8_t> data) {
  const auto source = ram_.at(bus_address, data.size());
  if (source.size() != data.size()) return false;
  std::copy(source.begin(), source.end(), data.begin());
  return true;
}

bool InprocHost::dma_write(uint64_t bus_address, std::span<const uint8_t> data) {
  const auto destination = ram_.at(bus_address, data.size());
  if (destination.size() != data.size()) return false;
  std::copy(data.begin(), data.end(), destination.begin());
  return true;
}

void InprocHost::interrupt(uint64_t /*address*/, uint32_t data) {
  if (data >= next_vector_) return;  // not a vector that enumerate() gave out: spurious, as on a real host
  pending_[data] = true;
  interrupted_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace npuvp::host

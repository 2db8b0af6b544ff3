// SPDX-License-Identifier: Apache-2.0
#include "platform/host/inproc/inproc_host.h"

#include <algorithm>

#include "platform/host/inproc/pci_registers.h"

namespace npuvp::host {
namespace {

constexpr uint64_t kRamBase = 0x1'0000'0000;
constexpr uint64_t kRamBytes = 64ULL << 30;  // sparse
constexpr uint64_t kInterruptAddress = 0xfee0'0000;
constexpr size_t kStackBytes = 4 << 20;  // the body is an ordinary program

/// How long software has to leave virtual functions alone after it enabled them (PCI Express Base Specification
/// 9.3.3.3.1).
constexpr unsigned kVirtualFunctionDelayMs = 100;

uint16_t at(unsigned base, unsigned offset) {
  return static_cast<uint16_t>(base + offset);
}

}  // namespace

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

void InprocHost::config_change(uint16_t bdf, uint16_t offset, uint32_t mask, uint32_t value) {
  const uint32_t before = config_read(bdf, offset, 2);
  config_write(bdf, offset, (before & ~mask) | value, 2);
}

std::vector<PciFunction> InprocHost::enumerate() {
  Enumerator enumerator(*this);
  enumerator.run();
  bridges_ = enumerator.bridges();
  auto functions = enumerator.functions();
  // The MSI-X tables can be reached only when the bridges above forward memory.
  for (auto& function : functions) enable_msix(function);
  return functions;
}

std::vector<PciFunction> InprocHost::enable_virtual_functions(const PciFunction& physical, unsigned count) {
  sc_assert(count > 0 && count <= physical.total_vfs);
  const auto control = at(physical.sriov, pci::kSriovControl);
  config_write(physical.bdf, at(physical.sriov, pci::kSriovNumVfs), count, 2);
  constexpr uint32_t kOn = pci::kSriovEnable | pci::kSriovMemorySpace;
  config_change(physical.bdf, control, kOn, kOn);
  wait(kVirtualFunctionDelayMs, sc_core::SC_MS);

  // Both may depend on the number of virtual functions and on ARI.
  const uint32_t first = config_read(physical.bdf, at(physical.sriov, pci::kSriovFirstOffset), 2);
  const uint32_t stride = config_read(physical.bdf, at(physical.sriov, pci::kSriovStride), 2);
  std::vector<PciFunction> functions;
  for (unsigned index = 0; index < count; ++index) {
    PciFunction function;
    function.bdf = at(physical.bdf, first + index * stride);
    function.vendor_id = physical.vendor_id;
    function.device_id = static_cast<uint16_t>(config_read(physical.bdf, at(physical.sriov, pci::kSriovVfDeviceId), 2));
    for (size_t bar = 0; bar < function.bars.size(); ++bar) {
      function.bar_bytes.at(bar) = physical.vf_bar_bytes.at(bar);
      if (function.bar_bytes.at(bar) == 0) continue;
      function.bars.at(bar) = physical.vf_bars.at(bar) + index * function.bar_bytes.at(bar);
    }
    config_change(function.bdf, pci::kCommand, pci::kCommandMemoryAndMaster, pci::kCommandMemoryAndMaster);
    enable_msix(function);
    functions.push_back(function);
  }
  return functions;
}

void InprocHost::disable_virtual_functions(const PciFunction& physical) {
  constexpr uint32_t kOn = pci::kSriovEnable | pci::kSriovMemorySpace;
  config_change(physical.bdf, at(physical.sriov, pci::kSriovControl), kOn, 0);
  config_write(physical.bdf, at(physical.sriov, pci::kSriovNumVfs), 0, 2);
}

uint16_t InprocHost::find_capability(uint16_t bdf, uint8_t id) {
  uint32_t place = config_read(bdf, pci::kCapabilities, 1) & 0xfc;
  for (int guard = 0; place != 0 && guard < 48; ++guard) {
    const uint32_t header = config_read(bdf, at(place, 0), 2);
    if ((header & 0xff) == id) return at(place, 0);
    place = (header >> 8) & 0xfc;
  }
  return 0;
}

uint16_t InprocHost::find_extended_capability(uint16_t bdf, uint16_t id) {
  uint32_t place = 0x100;
  for (int guard = 0; place >= 0x100 && guard < 960; ++guard) {
    const uint32_t header = config_read(bdf, at(place, 0), 4);
    if (header == 0 || header == ~0U) return 0;
    if ((header & 0xffff) == id) return at(place, 0);
    place = header >> 20 & 0xffc;
  }
  return 0;
}

void InprocHost::enable_msix(PciFunction& function) {
  const uint16_t capability = find_capability(function.bdf, pci::kMsix);
  if (capability == 0) return;
  const auto control = at(capability, 2);
  function.vectors = (config_read(function.bdf, control, 2) & 0x7ff) + 1;
  function.first_vector = next_vector_;
  next_vector_ += function.vectors;
  const uint32_t table = config_read(function.bdf, at(capability, 4), 4);
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

uint32_t InprocHost::enable_msi(uint16_t bdf) {
  const uint16_t capability = find_capability(bdf, pci::kMsi);
  sc_assert(capability != 0);
  const uint32_t control = config_read(bdf, at(capability, 2), 2);
  const bool is_64bit = (control & 0x80) != 0;
  const uint32_t vector = next_vector_++;
  config_write(bdf, at(capability, 4), static_cast<uint32_t>(kInterruptAddress), 4);
  if (is_64bit) config_write(bdf, at(capability, 8), 0, 4);
  config_write(bdf, at(capability, is_64bit ? 12 : 8), vector, 2);
  config_write(bdf, at(capability, 2), (control & ~0x70U) | 1, 2);  // one message
  return vector;
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

std::span<const uint8_t> InprocHost::dma_view(uint64_t bus_address, uint64_t bytes) {
  const auto view = ram_.at(bus_address, bytes);
  return view.size() == bytes ? view : std::span<uint8_t>();
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

// SPDX-License-Identifier: Apache-2.0
#include "models/cp_dma/cp_dma.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "firmware/abi/memory_map.h"
#include "npu/registers/cp_dma.h"

namespace npuvp::cp_dma {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 32;
constexpr uint32_t kFlags = NPU_CP_DMA_INTERRUPT | NPU_CP_DMA_FILL;

bool is_card_range(uint64_t address, uint64_t bytes) {
  return address < NPU_MAP_HOST && bytes <= NPU_MAP_HOST - address;
}

}  // namespace

CpDma::CpDma(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      registers("registers"),
      memory("memory"),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()) {
  sc_assert(parameters.burst_bytes >= 64 && parameters.burst_bytes <= kMostBurstBytes);
  sc_assert(parameters.outstanding_bursts >= 1);
  registers.register_b_transport(this, &CpDma::b_transport);
  registers.register_transport_dbg(this, &CpDma::transport_dbg);
  memory.sideband().origin = {base::Origin::Kind::kEngine, 0, 0};
  registers_.CONTROL.on_write([this](const base::RegisterWrite& write) { control(write); });
  registers_.DESCRIPTOR.on_write([this](const base::RegisterWrite& write) {
    if (registers_.STATUS.BUSY.get() == 0) return;
    registers_.DESCRIPTOR.set(write.before);
    environment_.diagnostics().misuse(registers_.name() + ".DESCRIPTOR", "written while BUSY, ignored", write.origin);
  });
  registers_.STATUS.on_write([this](const base::RegisterWrite&) { update_interrupt(); });
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_interrupt(); });
  SC_HAS_PROCESS(CpDma);
  SC_THREAD(run);
}

void CpDma::reset() {
  ++epoch_;
  start_.cancel();
  stop_.notify();
  registers_.reset();
  update_interrupt();
}

void CpDma::b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
  access_delay_ = delay;
  registers_.transport(payload);
}

unsigned CpDma::transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

void CpDma::control(const base::RegisterWrite& write) {
  const bool busy = registers_.STATUS.BUSY.get() != 0;
  if (registers_.CONTROL.ABORT.in(write) != 0 && busy) {
    abort_ = true;
    stop_.notify(access_delay_);
    return;
  }
  if (registers_.CONTROL.START.in(write) == 0) return;
  if (busy) {
    environment_.diagnostics().misuse(registers_.name() + ".CONTROL", "START while BUSY is ignored", write.origin);
    return;
  }
  abort_ = false;
  registers_.STATUS.set(CP_DMA_STATUS_BUSY_MASK);
  registers_.DESCRIPTORS.set(0);
  registers_.ERROR_ADDRESS.set(0);
  update_interrupt();
  start_.notify(access_delay_);
}

void CpDma::run() {
  for (;;) {
    wait(start_);
    const uint64_t epoch = epoch_;
    const Result failure = follow(registers_.DESCRIPTOR.get());
    if (epoch != epoch_) continue;
    registers_.STATUS.BUSY.set(0);
    registers_.STATUS.DONE.set(1);
    if (failure) {
      registers_.STATUS.ERROR.set(1);
      registers_.STATUS.ERROR_CODE.set(failure->code);
      registers_.ERROR_ADDRESS.set(failure->address);
    }
    update_interrupt();
  }
}

bool CpDma::wait_until(sc_time at) {
  const uint64_t epoch = epoch_;
  if (at > sc_time_stamp()) wait(at - sc_time_stamp(), stop_);
  return abort_ || epoch != epoch_;
}

CpDma::Result CpDma::follow(uint64_t first) {
  const Failure aborted{CP_DMA_STATUS_ERROR_CODE_ABORTED, 0};
  uint64_t address = first;
  do {
    registers_.CURRENT.set(address);
    const Failure malformed{CP_DMA_STATUS_ERROR_CODE_DESCRIPTOR, address};
    npu_cp_dma_descriptor descriptor{};
    if (address % NPU_CP_DMA_ALIGNMENT != 0 || !is_card_range(address, sizeof(descriptor))) return malformed;
    sc_time delay;
    const std::span<uint8_t> bytes(reinterpret_cast<uint8_t*>(&descriptor), sizeof(descriptor));
    memory.sideband().poison = false;
    if (memory.read(address, bytes, delay) != tlm::TLM_OK_RESPONSE || memory.sideband().poison) return malformed;
    if (wait_until(sc_time_stamp() + delay + parameters_.descriptor_latency)) return aborted;
    if (const Result failure = carry_out(descriptor)) return failure;
    registers_.DESCRIPTORS.set(registers_.DESCRIPTORS.get() + 1);
    if ((descriptor.flags & NPU_CP_DMA_INTERRUPT) != 0) {
      registers_.STATUS.MARK.set(1);
      update_interrupt();
    }
    address = descriptor.next;
  } while (address != 0);
  return std::nullopt;
}

CpDma::Result CpDma::check(const npu_cp_dma_descriptor& descriptor, uint64_t address) const {
  const bool fill = (descriptor.flags & NPU_CP_DMA_FILL) != 0;
  const auto reserved = {uint64_t{descriptor.reserved0}, descriptor.reserved[0], descriptor.reserved[1],
                         descriptor.reserved[2]};
  const bool clean = std::all_of(reserved.begin(), reserved.end(), [](uint64_t value) { return value == 0; });
  const bool sized = descriptor.bytes >= 1 && descriptor.bytes <= kMostBytes && (!fill || descriptor.bytes % 8 == 0);
  if ((descriptor.flags & ~kFlags) != 0 || !clean || !sized) {
    return Failure{CP_DMA_STATUS_ERROR_CODE_DESCRIPTOR, address};
  }
  if (!fill && !is_card_range(descriptor.source, descriptor.bytes)) {
    return Failure{CP_DMA_STATUS_ERROR_CODE_ADDRESS, descriptor.source};
  }
  if (!is_card_range(descriptor.destination, descriptor.bytes)) {
    return Failure{CP_DMA_STATUS_ERROR_CODE_ADDRESS, descriptor.destination};
  }
  return std::nullopt;
}

CpDma::Result CpDma::carry_out(const npu_cp_dma_descriptor& descriptor) {
  if (const Result failure = check(descriptor, registers_.CURRENT.get())) return failure;
  std::vector<sc_time> window(parameters_.outstanding_bursts, sc_core::SC_ZERO_TIME);
  sc_time last = sc_time_stamp();
  Result failure;
  size_t slot = 0;
  for (uint64_t offset = 0; offset < descriptor.bytes && !failure;) {
    if (wait_until(window[slot])) return Failure{CP_DMA_STATUS_ERROR_CODE_ABORTED, descriptor.destination + offset};
    const uint64_t bytes = std::min<uint64_t>(parameters_.burst_bytes, descriptor.bytes - offset);
    sc_time end = sc_time_stamp();
    failure = burst(descriptor, offset, bytes, end);
    last = std::max(last, end);
    window[slot] = end;
    slot = (slot + 1) % window.size();
    offset += bytes;
  }
  const bool stopped = wait_until(last);
  if (failure) return failure;
  if (stopped) return Failure{CP_DMA_STATUS_ERROR_CODE_ABORTED, descriptor.destination + descriptor.bytes};
  return std::nullopt;
}

CpDma::Result CpDma::burst(const npu_cp_dma_descriptor& descriptor, uint64_t offset, uint64_t bytes, sc_time& end) {
  const std::span<uint8_t> data(buffer_.data(), bytes);
  sc_time delay;
  memory.sideband().poison = false;
  if ((descriptor.flags & NPU_CP_DMA_FILL) != 0) {
    for (uint64_t i = 0; i < bytes; i += sizeof(descriptor.source)) {
      std::memcpy(data.data() + i, &descriptor.source, sizeof(descriptor.source));
    }
  } else {
    const uint64_t source = descriptor.source + offset;
    const auto response = memory.read(source, data, delay);
    end = sc_time_stamp() + delay;
    if (response != tlm::TLM_OK_RESPONSE) return Failure{CP_DMA_STATUS_ERROR_CODE_BUS, source};
    if (memory.sideband().poison) return Failure{CP_DMA_STATUS_ERROR_CODE_POISON, source};
  }
  const uint64_t destination = descriptor.destination + offset;
  const auto response = memory.write(destination, data, delay);
  end = sc_time_stamp() + delay;
  if (response != tlm::TLM_OK_RESPONSE) return Failure{CP_DMA_STATUS_ERROR_CODE_BUS, destination};
  registers_.BYTES.set(registers_.BYTES.get() + bytes);
  return std::nullopt;
}

void CpDma::update_interrupt() {
  const uint64_t causes = CP_DMA_STATUS_DONE_MASK | CP_DMA_STATUS_MARK_MASK;
  interrupt.set((registers_.STATUS.get() & registers_.IRQ_ENABLE.get() & causes) != 0);
}

}  // namespace npuvp::cp_dma

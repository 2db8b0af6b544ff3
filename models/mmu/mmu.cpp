// SPDX-License-Identifier: Apache-2.0
#include "models/mmu/mmu.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "models/base/sideband.h"
#include "models/mmu/page_entry.h"

namespace npuvp::mmu {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

bool in_window(uint64_t address) {
  return address >= NPU_MMU_VIRTUAL_BASE && address - NPU_MMU_VIRTUAL_BASE < NPU_MMU_VIRTUAL_BYTES;
}

bool is_translated(const tlm::tlm_generic_payload& payload) {
  return base::sideband_of(payload).asid != 0 && in_window(payload.get_address());
}

/// Makes a payload describe parts of its access, one after the other.
class Parts {
 public:
  explicit Parts(tlm::tlm_generic_payload& payload)
      : payload_(payload),
        address_(payload.get_address()),
        data_(payload.get_data_ptr()),
        bytes_(payload.get_data_length()),
        width_(payload.get_streaming_width()) {}
  ~Parts() {
    payload_.set_address(address_);
    payload_.set_data_ptr(data_);
    payload_.set_data_length(bytes_);
    payload_.set_streaming_width(width_);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  void next(uint64_t physical, uint64_t bytes) {
    payload_.set_address(physical);
    payload_.set_data_ptr(data_ + done_);
    payload_.set_data_length(static_cast<unsigned>(bytes));
    payload_.set_streaming_width(static_cast<unsigned>(bytes));
    done_ += bytes;
  }

 private:
  tlm::tlm_generic_payload& payload_;
  const uint64_t address_;
  uint8_t* const data_;
  const unsigned bytes_;
  const unsigned width_;
  uint64_t done_ = 0;
};

}  // namespace

Mmu::Mmu(sc_core::sc_module_name name, base::Environment& environment, const Parameters& parameters)
    : sc_module(name),
      initiators("initiator", parameters.initiators),
      noc("noc", parameters.initiators),
      registers("registers"),
      walker("walker"),
      environment_(environment),
      parameters_(parameters),
      registers_(environment, sc_module::name()),
      tlb_(parameters.tlb_entries, parameters.tlb_ways) {
  for (size_t i = 0; i < initiators.size(); ++i) {
    const int port = static_cast<int>(i);
    initiators[i].register_b_transport(this, &Mmu::b_transport, port);
    initiators[i].register_get_direct_mem_ptr(this, &Mmu::get_direct_mem_ptr, port);
    initiators[i].register_transport_dbg(this, &Mmu::transport_dbg, port);
    noc[i].register_invalidate_direct_mem_ptr(this, &Mmu::invalidate_direct_mem_ptr, port);
  }
  registers.register_b_transport(this, &Mmu::registers_transport);
  registers.register_transport_dbg(this, &Mmu::registers_transport_dbg);
  walker.sideband().origin = {base::Origin::Kind::kEngine, 0, 0};
  wire_registers();
}

void Mmu::wire_registers() {
  registers_.CONFIG.set_reset(tlb_.entries() | tlb_.ways() << 16 | NPU_MMU_ASIDS << 24);
  registers_.IRQ_ENABLE.on_write([this](const base::RegisterWrite&) { update_irq(); });
  registers_.INVALIDATE.on_write([this](const base::RegisterWrite& write) { invalidate(write); });
  registers_.FAULT_STATUS.on_read([this](uint64_t stored) { return stored | faults_.size(); });
  registers_.FAULT_INFO.on_read([this](uint64_t) { return faults_.empty() ? 0 : faults_.front().info; });
  registers_.FAULT_ADDRESS.on_read([this](uint64_t) { return faults_.empty() ? 0 : faults_.front().address; });
  registers_.FAULT_OWNER.on_read([this](uint64_t) { return faults_.empty() ? 0 : faults_.front().owner; });
  registers_.FAULT_POP.on_write([this](const base::RegisterWrite& write) {
    if (registers_.FAULT_POP.POP.in(write) != 0 && !faults_.empty()) faults_.pop_front();
    update_irq();
  });
  registers_.HITS.on_read([this](uint64_t) { return hits_; });
  registers_.MISSES.on_read([this](uint64_t) { return misses_; });
  registers_.WALK_READS.on_read([this](uint64_t) { return walk_reads_; });
  registers_.FAULTS.on_read([this](uint64_t) { return refused_; });
  registers_.ROOT[0].on_write([this](const base::RegisterWrite& write) {
    if (registers_.ROOT[0].get() == 0) return;
    registers_.ROOT[0].set(0);
    environment_.diagnostics().misuse(registers_.name() + ".ROOT[0]", "ASID 0 is not translated", write.origin);
  });
}

void Mmu::reset() {
  registers_.reset();
  tlb_.invalidate();
  faults_.clear();
  hits_ = misses_ = walk_reads_ = refused_ = 0;
  update_irq();
}

void Mmu::b_transport(int port, tlm::tlm_generic_payload& payload, sc_time& delay) {
  const auto index = static_cast<size_t>(port);
  if (!is_translated(payload)) {
    noc[index]->b_transport(payload, delay);
    return;
  }
  auto& sideband = *payload.get_extension<base::Sideband>();
  const Access access{static_cast<unsigned>(port), sideband.asid, payload.is_write(), sideband};
  const sc_time now = sc_time_stamp();
  sc_time end = now + delay;
  // All of it first: an access that is refused moves nothing.
  if (!translate(access, payload.get_address(), std::max(payload.get_data_length(), 1U), end)) {
    sideband.translation_fault = true;
    payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    delay = end - now;
    return;
  }
  Parts parts(payload);
  for (const auto& piece : pieces_) {
    parts.next(piece.physical, piece.bytes);
    sc_time completion = piece.ready - now;
    noc[index]->b_transport(payload, completion);
    end = std::max(end, now + completion);
    if (payload.get_response_status() != tlm::TLM_OK_RESPONSE) break;
  }
  delay = end - now;
}

/// Fills `pieces_`. Look-ups are one after the other from `ready` on, which grows to the end of the last one. False:
/// refused and recorded.
bool Mmu::translate(const Access& access, uint64_t address, uint64_t bytes, sc_time& ready) {
  pieces_.clear();
  while (bytes > 0) {
    const auto found = look_up(access, address, ready);
    if (found.fault != NPU_MMU_FAULT_NONE) {
      record(access, address, found.fault);
      return false;
    }
    const uint64_t offset = address - found.page.virtual_base;
    const uint64_t here = std::min(bytes, found.page.bytes - offset);
    pieces_.push_back({found.page.physical_base + offset, here, ready});
    address += here;
    bytes -= here;
  }
  return true;
}

Mmu::Found Mmu::look_up(const Access& access, uint64_t address, sc_time& ready) {
  ready += parameters_.lookup_latency;
  if (!in_window(address)) return {NPU_MMU_FAULT_RANGE, {}};
  Found found;
  if (const auto* entry = tlb_.find(access.asid, address)) {
    ++hits_;
    ready = std::max(ready, entry->ready);  // another access is still fetching it
    found.page = entry->page;
  } else {
    ++misses_;
    found = walk(access.asid, address, [&](uint64_t at, std::span<uint8_t> bytes) {
      ++walk_reads_;
      sc_time delay = ready - sc_time_stamp();
      const auto response = walker.read(at, bytes, delay);
      ready = sc_time_stamp() + delay;
      return response == tlm::TLM_OK_RESPONSE && !walker.sideband().poison;
    });
    if (found.fault != NPU_MMU_FAULT_NONE) return found;
    tlb_.insert(access.asid, found.page, ready);
  }
  if (!(access.write ? found.page.writable : found.page.readable)) found.fault = NPU_MMU_FAULT_PERMISSION;
  return found;
}

/// Card physical address of the root table; 0: none.
uint64_t Mmu::root_of(uint16_t asid) const {
  if (asid >= NPU_MMU_ASIDS || registers_.ROOT[asid].VALID.get() == 0) return 0;
  return registers_.ROOT[asid].get() & registers_.ROOT[asid].ADDRESS.mask();
}

/// `read` fetches one entry: (card physical address, its bytes) -> whether they are good.
template <class Read>
Mmu::Found Mmu::walk(uint16_t asid, uint64_t address, Read read) const {
  uint64_t table = root_of(asid);
  if (table == 0) return {NPU_MMU_FAULT_NO_SPACE, {}};
  if (!in_dram(table, kLevels[0].entries * sizeof(uint64_t), parameters_.dram_bytes)) {
    return {NPU_MMU_FAULT_BAD_ENTRY, {}};
  }
  for (unsigned level = 0;; ++level) {
    std::array<uint8_t, sizeof(uint64_t)> bytes{};
    if (!read(table + kLevels[level].offset_of(address), bytes)) return {NPU_MMU_FAULT_WALK, {}};
    uint64_t entry = 0;
    std::memcpy(&entry, bytes.data(), sizeof entry);
    const auto decoded = decode_entry(entry, level, address, parameters_.dram_bytes);
    if (decoded.fault != NPU_MMU_FAULT_NONE || decoded.table == 0) return {decoded.fault, decoded.page};
    table = decoded.table;
  }
}

void Mmu::record(const Access& access, uint64_t address, npu_mmu_fault reason) {
  ++refused_;
  if (faults_.size() == NPU_MMU_FAULTS) {
    registers_.FAULT_STATUS.OVERFLOW.set(1);
    return;
  }
  const uint64_t asid = std::min<uint64_t>(access.asid, 0xff);
  const uint64_t engine = access.sideband.origin.id & 0xffU;
  faults_.push_back(
      {.info = asid | uint64_t{access.write} << 8 | uint64_t{reason} << 12 | uint64_t{access.port} << 16 | engine << 24,
       .address = address,
       .owner = uint64_t{access.sideband.context} | uint64_t{access.sideband.function} << 16});
  update_irq();
}

void Mmu::invalidate(const base::RegisterWrite& write) {
  const auto& fields = registers_.INVALIDATE;
  const auto asid = static_cast<uint16_t>(fields.ID.in(write));
  if (fields.ALL.in(write) != 0) tlb_.invalidate();
  if (fields.ASID.in(write) != 0) tlb_.invalidate(asid);
  if (fields.ADDRESS.in(write) != 0) tlb_.invalidate(asid, registers_.INVALIDATE_ADDRESS.get());
}

void Mmu::update_irq() {
  irq.set(!faults_.empty() && registers_.IRQ_ENABLE.FAULT.get() != 0);
}

bool Mmu::get_direct_mem_ptr(int port, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  // A translated region would be withdrawn at every change of the tables: the engines move bursts, they need none.
  if (is_translated(payload)) return false;
  return noc[static_cast<size_t>(port)]->get_direct_mem_ptr(payload, dmi);
}

void Mmu::invalidate_direct_mem_ptr(int port, sc_dt::uint64 start, sc_dt::uint64 end) {
  initiators[static_cast<size_t>(port)]->invalidate_direct_mem_ptr(start, end);
}

/// A debugger sees what the engine would, permissions aside; as many bytes as are mapped.
unsigned Mmu::transport_dbg(int port, tlm::tlm_generic_payload& payload) {
  const auto index = static_cast<size_t>(port);
  if (!is_translated(payload)) return noc[index]->transport_dbg(payload);
  const uint16_t asid = base::sideband_of(payload).asid;
  uint64_t address = payload.get_address();
  const unsigned bytes = payload.get_data_length();
  unsigned moved = 0;
  Parts parts(payload);
  while (moved < bytes && in_window(address)) {
    const auto found = look_up_debug(asid, address);
    if (found.fault != NPU_MMU_FAULT_NONE) break;
    const uint64_t offset = address - found.page.virtual_base;
    const uint64_t here = std::min<uint64_t>(bytes - moved, found.page.bytes - offset);
    parts.next(found.page.physical_base + offset, here);
    const unsigned done = noc[index]->transport_dbg(payload);
    moved += done;
    if (done != here) break;
    address += here;
  }
  return moved;
}

Mmu::Found Mmu::look_up_debug(uint16_t asid, uint64_t address) {
  if (const auto* entry = tlb_.peek(asid, address)) return {NPU_MMU_FAULT_NONE, entry->page};
  return walk(asid, address,
              [this](uint64_t at, std::span<uint8_t> bytes) { return walker.debug_read(at, bytes) == bytes.size(); });
}

void Mmu::registers_transport(tlm::tlm_generic_payload& payload, sc_time&) {
  registers_.transport(payload);
}

unsigned Mmu::registers_transport_dbg(tlm::tlm_generic_payload& payload) {
  return registers_.transport_debug(payload);
}

}  // namespace npuvp::mmu

// SPDX-License-Identifier: Apache-2.0
// Instruction fetch: decoded pages, and the checked fetch of single parcels behind them.
#include <cstring>

#include "models/riscv/decoder.h"
#include "models/riscv/hart.h"

namespace npuvp::riscv {
namespace {

uint16_t parcel_at(const uint8_t* host) {
  uint16_t parcel;
  std::memcpy(&parcel, host, sizeof parcel);
  return parcel;
}

Op near_form(Op op) {
  switch (op) {
    case Op::kBeq:
      return Op::kBeqNear;
    case Op::kBne:
      return Op::kBneNear;
    case Op::kBlt:
      return Op::kBltNear;
    case Op::kBge:
      return Op::kBgeNear;
    case Op::kBltu:
      return Op::kBltuNear;
    case Op::kBgeu:
      return Op::kBgeuNear;
    case Op::kJal:
      return Op::kJalNear;
    default:
      return op;
  }
}

/// Direct jumps whose target lies in the same page need no page lookup: they become an offset in slots.
void make_near(Instruction& instruction, uint64_t pc) {
  const Op form = near_form(instruction.op);
  if (form == instruction.op) return;
  const uint64_t target = pc + static_cast<uint64_t>(static_cast<int64_t>(instruction.imm));
  if (page_of(target) != page_of(pc)) return;
  instruction.op = form;
  instruction.imm /= 2;
}

}  // namespace

CodePage& Hart::code_page(uint64_t address) {
  const uint64_t base = page_of(address);
  FetchEntry& entry = fetch_tlbs_->fetch[(base / kPageBytes) % PrivilegeTlbs::kFetchEntries];
  if (entry.base == base) return *entry.page;

  const std::optional<DirectRegion> region = bus_.direct(address);
  const bool whole_page = region && region->readable && region->contains(base, kPageBytes);
  if (!whole_page || csrs_.pmp().uniform(base, kPageBytes, AccessType::kFetch, privilege_) != true) {
    unkept_page_.base = base;
    return unkept_page_;
  }
  if (code_.oversized()) {
    code_.release();
    flush_fetch();
  }
  CodePage& page = code_.page(base, region->host + (base - region->start));
  // From now on stores to this page must be seen.
  for (PrivilegeTlbs& tlbs : tlbs_) tlbs.store.evict(base);
  entry = {base, &page};
  return page;
}

Hart::Step Hart::fetch(CodePage& page, Instruction& slot, unsigned& handler) {
  const uint64_t offset = pc_ - page.base;
  uint16_t low = 0;
  uint16_t high = 0;
  if (page.host != nullptr) {
    low = parcel_at(page.host + offset);
  } else if (const Step step = fetch_parcel(pc_, low); step != Step::kDone) {
    return step;
  }
  const bool wide = is_wide(low);
  const bool in_page = offset + 4 <= kPageBytes;
  if (wide && in_page && page.host != nullptr) {
    high = parcel_at(page.host + offset + 2);
  } else if (wide) {
    if (const Step step = fetch_parcel(pc_ + 2, high); step != Step::kDone) return step;
  }
  slot = wide ? decode(static_cast<uint32_t>(high) << 16 | low) : decode_compressed(low);
  make_near(slot, pc_);
  slot.handler = handler_of(slot.op, slot.slots);
  handler = slot.handler;
  // What the page's own rights and bytes do not settle is fetched again each time; the handlers read only the operands.
  if (page.host == nullptr || (wide && !in_page)) slot.handler = kUndecodedHandler;
  if (slot.handler != kUndecodedHandler) page.pair_with_predecessor(slot);
  return Step::kDone;
}

Hart::Step Hart::fetch_parcel(uint64_t address, uint16_t& parcel) {
  if (!csrs_.pmp().allows(address, sizeof parcel, AccessType::kFetch, privilege_)) {
    return raise(Exception::kFetchAccessFault, address);
  }
  const std::optional<DirectRegion> region = bus_.direct(address);
  if (region && region->readable && region->contains(address, sizeof parcel)) {
    parcel = parcel_at(region->host + (address - region->start));
    return Step::kDone;
  }
  if (bus_access_ == BusAccess::kStopBefore) return Step::kSync;
  uint64_t value = 0;
  if (bus_.load(address, sizeof parcel, value) != BusStatus::kOk) return raise(Exception::kFetchAccessFault, address);
  parcel = static_cast<uint16_t>(value);
  return Step::kDone;
}

void Hart::flush_fetch() {
  for (PrivilegeTlbs& tlbs : tlbs_) tlbs.fetch.fill(FetchEntry{});
}

}  // namespace npuvp::riscv

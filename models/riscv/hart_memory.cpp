// SPDX-License-Identifier: Apache-2.0
// Loads, stores and atomics that the interpreter's DataTlb lookup does not settle.
#include <algorithm>
#include <cstring>

#include "models/riscv/hart.h"

namespace npuvp::riscv {
namespace {

uint64_t sign_extend(uint64_t value, unsigned size_bytes) {
  return size_bytes == 4 ? static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value))) : value;
}

uint64_t zero_extend(uint64_t value, unsigned size_bytes) {
  return size_bytes == 4 ? value & 0xffffffffull : value;
}

/// New memory value of an AMO; `memory` and `operand` are sign-extended from the access width.
uint64_t combine(Op op, uint64_t memory, uint64_t operand, unsigned size_bytes) {
  const auto signed_memory = static_cast<int64_t>(memory);
  const auto signed_operand = static_cast<int64_t>(operand);
  const uint64_t unsigned_memory = zero_extend(memory, size_bytes);
  const uint64_t unsigned_operand = zero_extend(operand, size_bytes);
  switch (op) {
    case Op::kAmoaddW:
    case Op::kAmoaddD:
      return memory + operand;
    case Op::kAmoxorW:
    case Op::kAmoxorD:
      return memory ^ operand;
    case Op::kAmoandW:
    case Op::kAmoandD:
      return memory & operand;
    case Op::kAmoorW:
    case Op::kAmoorD:
      return memory | operand;
    case Op::kAmominW:
    case Op::kAmominD:
      return static_cast<uint64_t>(std::min(signed_memory, signed_operand));
    case Op::kAmomaxW:
    case Op::kAmomaxD:
      return static_cast<uint64_t>(std::max(signed_memory, signed_operand));
    case Op::kAmominuW:
    case Op::kAmominuD:
      return std::min(unsigned_memory, unsigned_operand);
    case Op::kAmomaxuW:
    case Op::kAmomaxuD:
      return std::max(unsigned_memory, unsigned_operand);
    default:
      return operand;  // AMOSWAP
  }
}

Exception access_fault(AccessType type) {
  return type == AccessType::kLoad ? Exception::kLoadAccessFault : Exception::kStoreAccessFault;
}

}  // namespace

Hart::Step Hart::load(uint64_t address, unsigned size_bytes, uint64_t& value) {
  if (const Step step = check_triggers(address, size_bytes, AccessType::kLoad); step != Step::kDone) return step;
  if ((address & (size_bytes - 1)) != 0) return transfer_misaligned(address, size_bytes, value, AccessType::kLoad);
  if (!permitted(address, size_bytes, AccessType::kLoad)) return raise(Exception::kLoadAccessFault, address);
  return read(address, size_bytes, value, Exception::kLoadAccessFault);
}

Hart::Step Hart::store(uint64_t address, unsigned size_bytes, uint64_t value) {
  if (const Step step = check_triggers(address, size_bytes, AccessType::kStore); step != Step::kDone) return step;
  if ((address & (size_bytes - 1)) != 0) return transfer_misaligned(address, size_bytes, value, AccessType::kStore);
  if (!permitted(address, size_bytes, AccessType::kStore)) return raise(Exception::kStoreAccessFault, address);
  return write(address, size_bytes, value);
}

bool Hart::permitted(uint64_t address, unsigned size_bytes, AccessType type) const {
  return csrs_.pmp().allows(address, size_bytes, type, csrs_.data_privilege(privilege_));
}

uint8_t* Hart::direct(uint64_t address, unsigned size_bytes, AccessType type) {
  const std::optional<DirectRegion> region = bus_.direct(address);
  if (!region || !region->contains(address, size_bytes)) return nullptr;
  const bool stores = type == AccessType::kStore;
  if (stores ? !region->writable : !region->readable) return nullptr;

  uint8_t* const host = region->host + (address - region->start);
  const uint64_t page = page_of(address);
  const bool watched =
      (stores && (code_.contains(page) || (reservations_ != nullptr && reservations_->others_reserve(*this, page)))) ||
      csrs_.triggers().covers(page, kPageBytes, type);
  if (region->contains(page, kPageBytes) && !watched &&
      csrs_.pmp().uniform(page, kPageBytes, type, csrs_.data_privilege(privilege_)) == true) {
    DataTlb& tlb = stores ? data_tlbs_->store : data_tlbs_->load;
    tlb.insert(page, host - (address - page));
  }
  return host;
}

Hart::Step Hart::read(uint64_t address, unsigned size_bytes, uint64_t& value, Exception fault) {
  value = 0;
  if (const uint8_t* host = direct(address, size_bytes, AccessType::kLoad)) {
    std::memcpy(&value, host, size_bytes);
    return Step::kDone;
  }
  if (bus_access_ == BusAccess::kStopBefore) return Step::kSync;
  csrs_.count_event(PerformanceEvent::kBusAccess);
  return bus_.load(address, size_bytes, value) == BusStatus::kOk ? Step::kDone : raise(fault, address);
}

Hart::Step Hart::write(uint64_t address, unsigned size_bytes, uint64_t value) {
  if (uint8_t* host = direct(address, size_bytes, AccessType::kStore)) {
    std::memcpy(host, &value, size_bytes);
    code_.invalidate(address, size_bytes);
  } else {
    if (bus_access_ == BusAccess::kStopBefore) return Step::kSync;
    csrs_.count_event(PerformanceEvent::kBusAccess);
    if (bus_.store(address, size_bytes, value) != BusStatus::kOk) return raise(Exception::kStoreAccessFault, address);
  }
  if (reservations_ != nullptr) reservations_->stored(*this, address, size_bytes);
  return Step::kDone;
}

Hart::Step Hart::transfer_misaligned(uint64_t address, unsigned size_bytes, uint64_t& value, AccessType type) {
  const bool stores = type == AccessType::kStore;
  const Exception misaligned = stores ? Exception::kStoreMisaligned : Exception::kLoadMisaligned;
  if (!parameters_.misaligned_access) return raise(misaligned, address);
  if (!permitted(address, size_bytes, type)) return raise(access_fault(type), address);

  // Both ends are looked up before anything moves, so that a store takes effect wholly or not at all. Registers do not
  // take misaligned accesses.
  const uint64_t boundary = page_of(address + size_bytes - 1);
  const auto head_bytes =
      boundary > address ? std::min<unsigned>(size_bytes, static_cast<unsigned>(boundary - address)) : size_bytes;
  const unsigned tail_bytes = size_bytes - head_bytes;
  uint8_t* const head = direct(address, head_bytes, type);
  uint8_t* const tail = tail_bytes == 0 ? head : direct(address + head_bytes, tail_bytes, type);
  if (head == nullptr || tail == nullptr) return raise(misaligned, address);

  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  if (stores) {
    std::memcpy(bytes.data(), &value, sizeof value);
    std::memcpy(head, bytes.data(), head_bytes);
    if (tail_bytes != 0) std::memcpy(tail, bytes.data() + head_bytes, tail_bytes);
    code_.invalidate(address, size_bytes);
    if (reservations_ != nullptr) reservations_->stored(*this, address, size_bytes);
  } else {
    std::memcpy(bytes.data(), head, head_bytes);
    if (tail_bytes != 0) std::memcpy(bytes.data() + head_bytes, tail, tail_bytes);
    std::memcpy(&value, bytes.data(), sizeof value);
  }
  return Step::kDone;
}

Hart::Step Hart::load_reserved(const Instruction& instruction, unsigned size_bytes) {
  const uint64_t address = x_[instruction.rs1];
  if (const Step step = check_triggers(address, size_bytes, AccessType::kLoad); step != Step::kDone) return step;
  if ((address & (size_bytes - 1)) != 0) return raise(Exception::kLoadMisaligned, address);
  if (!permitted(address, size_bytes, AccessType::kLoad)) return raise(Exception::kLoadAccessFault, address);
  uint64_t value = 0;
  if (const Step step = read(address, size_bytes, value, Exception::kLoadAccessFault); step != Step::kDone) return step;
  reservation_ = {true, size_bytes, address, value};
  if (reservations_ != nullptr) reservations_->reserved(*this, address);
  x_[instruction.rd] = sign_extend(value, size_bytes);
  return Step::kDone;
}

Hart::Step Hart::store_conditional(const Instruction& instruction, unsigned size_bytes) {
  const uint64_t address = x_[instruction.rs1];
  if (const Step step = check_triggers(address, size_bytes, AccessType::kStore); step != Step::kDone) return step;
  if ((address & (size_bytes - 1)) != 0) return raise(Exception::kStoreMisaligned, address);
  if (!permitted(address, size_bytes, AccessType::kStore)) return raise(Exception::kStoreAccessFault, address);

  bool succeeds = reservation_.valid && reservation_.address == address && reservation_.size_bytes == size_bytes;
  if (succeeds) {
    // Stores of other harts have ended the reservation; those of devices are noticed by the value they leave.
    uint64_t now = 0;
    if (const Step step = read(address, size_bytes, now, Exception::kStoreAccessFault); step != Step::kDone)
      return step;
    succeeds = now == reservation_.value;
  }
  if (succeeds) {
    const uint64_t value = zero_extend(x_[instruction.rs2], size_bytes);
    if (const Step step = write(address, size_bytes, value); step != Step::kDone) return step;
  }
  reservation_.valid = false;
  x_[instruction.rd] = succeeds ? 0 : 1;
  return Step::kDone;
}

Hart::Step Hart::atomic(const Instruction& instruction, Op op, unsigned size_bytes) {
  const uint64_t address = x_[instruction.rs1];
  for (const AccessType type : {AccessType::kLoad, AccessType::kStore}) {
    if (const Step step = check_triggers(address, size_bytes, type); step != Step::kDone) return step;
  }
  if ((address & (size_bytes - 1)) != 0) return raise(Exception::kStoreMisaligned, address);
  if (!permitted(address, size_bytes, AccessType::kLoad) || !permitted(address, size_bytes, AccessType::kStore)) {
    return raise(Exception::kStoreAccessFault, address);
  }
  uint64_t raw = 0;
  if (const Step step = read(address, size_bytes, raw, Exception::kStoreAccessFault); step != Step::kDone) return step;
  const uint64_t memory = sign_extend(raw, size_bytes);
  const uint64_t operand = sign_extend(x_[instruction.rs2], size_bytes);
  const uint64_t result = zero_extend(combine(op, memory, operand, size_bytes), size_bytes);
  if (const Step step = write(address, size_bytes, result); step != Step::kDone) return step;
  x_[instruction.rd] = memory;
  return Step::kDone;
}

void Hart::flush_data() {
  for (PrivilegeTlbs& tlbs : tlbs_) {
    tlbs.load.flush();
    tlbs.store.flush();
  }
}

}  // namespace npuvp::riscv

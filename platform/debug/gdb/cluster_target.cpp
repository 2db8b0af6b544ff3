// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/cluster_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "models/riscv/csr.h"

namespace npuvp::debug::gdb {
namespace {

namespace csr = riscv::csr;
using riscv::StopReason;
using riscv::TriggerModule;

constexpr uint64_t kMostWatchedBytes = 8 * TriggerModule::kTriggers;
constexpr std::array<uint8_t, 4> kEbreak{0x73, 0x00, 0x10, 0x00};
constexpr std::array<uint8_t, 2> kCompressedEbreak{0x02, 0x90};

uint64_t access_bits(PointKind kind) {
  switch (kind) {
    case PointKind::kWrite:
      return TriggerModule::kStore;
    case PointKind::kRead:
      return TriggerModule::kLoad;
    case PointKind::kAccess:
      return TriggerModule::kLoad | TriggerModule::kStore;
    default:
      return TriggerModule::kExecute;
  }
}

/// What one trigger can match: a power of two of bytes, aligned.
struct Chunk {
  uint64_t address;
  uint64_t bytes;
};

std::vector<Chunk> chunks_of(PointKind kind, uint64_t address, uint64_t bytes) {
  if (kind == PointKind::kHardware) return {{address, 1}};
  std::vector<Chunk> chunks;
  while (bytes != 0) {
    const uint64_t aligned = address == 0 ? bytes : uint64_t{1} << std::countr_zero(address);
    const uint64_t size = std::min(aligned, std::bit_floor(bytes));
    chunks.push_back({address, size});
    address += size;
    bytes -= size;
  }
  return chunks;
}

/// A hart's tselect is the program's own: it is put back.
class SelectedTrigger {
 public:
  SelectedTrigger(riscv::Hart& hart, unsigned trigger)
      : hart_(hart), before_(hart.read_csr(csr::kTselect).value_or(0)) {
    hart_.write_csr(csr::kTselect, trigger);
  }
  ~SelectedTrigger() { hart_.write_csr(csr::kTselect, before_); }
  SelectedTrigger(const SelectedTrigger&) = delete;
  SelectedTrigger& operator=(const SelectedTrigger&) = delete;

 private:
  riscv::Hart& hart_;
  uint64_t before_;
};

}  // namespace

ClusterTarget::ClusterTarget(riscv::HartCluster& harts, Monitor monitor)
    : harts_(harts), monitor_(std::move(monitor)), registers_(harts.hart(0)) {
  harts_.on_halt([this](unsigned hart, StopReason reason) { hart_halted(hart, reason); });
  harts_.on_reset([this] { hart_reset(); });
}

ClusterTarget::~ClusterTarget() {
  harts_.on_halt({});
  harts_.on_reset({});
}

std::string ClusterTarget::thread_name(unsigned thread) const {
  return fmt::format("hart {}", thread);
}

bool ClusterTarget::all_halted() const {
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) {
    if (!harts_.halted(hart)) return false;
  }
  return true;
}

std::optional<RegisterValue> ClusterTarget::read_register(unsigned thread, uint64_t number) {
  return registers_.read(harts_.hart(thread), number);
}

bool ClusterTarget::write_register(unsigned thread, uint64_t number, uint64_t value) {
  return registers_.write(harts_.hart(thread), number, value);
}

size_t ClusterTarget::read_memory(unsigned /*thread*/, uint64_t address, std::span<uint8_t> data) {
  size_t done = 0;
  while (done < data.size() && address + done >= address) {
    const unsigned moved = harts_.bus.debug_read(address + done, data.subspan(done));
    if (moved == 0) break;
    done += moved;
  }
  return done;
}

bool ClusterTarget::write_memory(unsigned thread, uint64_t address, std::span<const uint8_t> data) {
  size_t done = 0;
  while (done < data.size()) {
    const unsigned moved = harts_.bus.debug_write(address + done, data.subspan(done));
    if (moved == 0) break;
    done += moved;
  }
  harts_.flush();
  if (done == data.size()) return true;
  // A register takes a whole aligned access and nothing else.
  const bool whole =
      done == 0 && std::has_single_bit(data.size()) && data.size() <= sizeof(uint64_t) && address % data.size() == 0;
  if (!whole) return false;
  harts_.bus.sideband().origin = {base::Origin::Kind::kHart, static_cast<uint16_t>(thread), harts_.hart(thread).pc()};
  sc_core::sc_time delay;
  return harts_.bus.write(address, data, delay) == tlm::TLM_OK_RESPONSE;
}

bool ClusterTarget::insert_point(PointKind kind, uint64_t address, uint64_t bytes) {
  if (kind == PointKind::kSoftware) {
    breakpoints_.insert(address);
    for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) harts_.hart(hart).add_breakpoint(address);
    return true;
  }
  if (bytes == 0 || bytes > kMostWatchedBytes || address + bytes < address) return false;
  const bool known = std::any_of(points_.begin(), points_.end(), [&](const HardwarePoint& each) {
    return each.kind == kind && each.address == address && each.bytes == bytes;
  });
  if (known) return true;
  const size_t needed = chunks_of(kind, address, bytes).size();
  auto triggers = free_triggers();
  if (triggers.size() < needed) return false;
  triggers.resize(needed);
  points_.push_back({kind, address, bytes, std::move(triggers)});
  arm(points_.back());
  return true;
}

void ClusterTarget::remove_point(PointKind kind, uint64_t address, uint64_t bytes) {
  if (kind == PointKind::kSoftware) {
    breakpoints_.erase(address);
    for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) harts_.hart(hart).remove_breakpoint(address);
    return;
  }
  const auto found = std::find_if(points_.begin(), points_.end(), [&](const HardwarePoint& each) {
    return each.kind == kind && each.address == address && each.bytes == bytes;
  });
  if (found == points_.end()) return;
  disarm(*found);
  points_.erase(found);
}

/// From the last one down: programs take the first.
std::vector<unsigned> ClusterTarget::free_triggers() {
  std::vector<unsigned> free;
  for (unsigned trigger = TriggerModule::kTriggers; trigger-- > 0;) {
    bool used = false;
    for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) {
      const SelectedTrigger selected(harts_.hart(hart), trigger);
      used |= (harts_.hart(hart).read_csr(csr::kTdata1).value_or(0) >> 60) != TriggerModule::kDisabled >> 60;
    }
    if (!used) free.push_back(trigger);
  }
  return free;
}

void ClusterTarget::write_trigger(unsigned trigger, uint64_t control, uint64_t address) {
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) {
    const SelectedTrigger selected(harts_.hart(hart), trigger);
    harts_.hart(hart).write_csr(csr::kTdata2, address);
    harts_.hart(hart).write_csr(csr::kTdata1, control);
  }
}

void ClusterTarget::arm(const HardwarePoint& point) {
  const uint64_t control = TriggerModule::kMcontrol6 | TriggerModule::kDebuggerOnly | TriggerModule::kToDebugger |
                           TriggerModule::kMachine | TriggerModule::kUser | access_bits(point.kind);
  const auto chunks = chunks_of(point.kind, point.address, point.bytes);
  for (size_t i = 0; i < chunks.size(); ++i) {
    const auto& [address, bytes] = chunks[i];
    // NAPOT: the address's lowest bits are 0 and as many ones as make up the size, halved.
    const bool single = bytes == 1;
    write_trigger(point.triggers.at(i), single ? control : control | TriggerModule::kNapot,
                  single ? address : address | (bytes / 2 - 1));
  }
}

void ClusterTarget::disarm(const HardwarePoint& point) {
  for (const unsigned trigger : point.triggers) write_trigger(trigger, TriggerModule::kDisabled, 0);
}

void ClusterTarget::hart_reset() {
  for (const HardwarePoint& point : points_) arm(point);
}

std::optional<unsigned> ClusterTarget::take_hit(riscv::Hart& hart) {
  for (unsigned trigger = 0; trigger < TriggerModule::kTriggers; ++trigger) {
    const SelectedTrigger selected(hart, trigger);
    const uint64_t control = hart.read_csr(csr::kTdata1).value_or(0);
    if ((control & TriggerModule::kHit) == 0 || (control & TriggerModule::kDebuggerOnly) == 0) continue;
    hart.write_csr(csr::kTdata1, control & ~TriggerModule::kHit);
    return trigger;
  }
  return std::nullopt;
}

Stop ClusterTarget::describe(unsigned hart, StopReason reason) {
  Stop stop{.thread = hart, .reason = Stop::Reason::kStep};
  if (reason == StopReason::kBreakpoint) {
    const bool ours = breakpoints_.contains(harts_.hart(hart).pc());
    stop.reason = ours ? Stop::Reason::kPoint : Stop::Reason::kBreakpoint;
  } else if (reason == StopReason::kTrigger) {
    stop.reason = Stop::Reason::kPoint;
    stop.point = PointKind::kHardware;
    const auto hit = take_hit(harts_.hart(hart));
    for (const HardwarePoint& each : points_) {
      if (!hit || std::find(each.triggers.begin(), each.triggers.end(), *hit) == each.triggers.end()) continue;
      stop.point = each.kind;
      stop.address = each.address;
    }
  }
  return stop;
}

void ClusterTarget::hart_halted(unsigned hart, StopReason reason) {
  if (stopping_) return;
  const Stop stop = describe(hart, reason);
  halt();
  if (handler_) handler_(stop);
}

void ClusterTarget::halt() {
  stopping_ = true;
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) harts_.halt(hart);
  stopping_ = false;
  if (on_stop_) on_stop_();
}

void ClusterTarget::attach(StopHandler handler) {
  handler_ = std::move(handler);
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) harts_.hart(hart).set_ebreak_stops(true);
  halt();
}

void ClusterTarget::detach() {
  handler_ = {};
  while (!breakpoints_.empty()) remove_point(PointKind::kSoftware, *breakpoints_.begin(), 0);
  for (const HardwarePoint& point : points_) disarm(point);
  points_.clear();
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) {
    harts_.hart(hart).set_ebreak_stops(false);
    harts_.resume(hart);
  }
}

/// Where the program stopped at an EBREAK of its own it goes on behind it.
void ClusterTarget::pass_own_ebreak(riscv::Hart& hart) {
  std::array<uint8_t, 4> code{};
  if (read_memory(0, hart.pc(), code) != code.size()) return;
  if (code == kEbreak) {
    hart.set_pc(hart.pc() + kEbreak.size());
  } else if (std::equal(kCompressedEbreak.begin(), kCompressedEbreak.end(), code.begin())) {
    hart.set_pc(hart.pc() + kCompressedEbreak.size());
  }
}

void ClusterTarget::resume(std::span<const ThreadAction> actions) {
  for (unsigned hart = 0; hart < harts_.hart_count() && hart < actions.size(); ++hart) {
    if (actions[hart] == ThreadAction::kStay) continue;
    pass_own_ebreak(harts_.hart(hart));
    if (actions[hart] == ThreadAction::kStep) {
      harts_.step(hart);
    } else {
      harts_.resume(hart);
    }
  }
}

std::string ClusterTarget::monitor(std::string_view line) {
  return monitor_ ? monitor_(line) : "nothing here answers monitor commands\n";
}

}  // namespace npuvp::debug::gdb

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/riscv/hart_cluster.h"
#include "platform/debug/gdb/hart_registers.h"
#include "platform/debug/gdb/target.h"

namespace npuvp::debug::gdb {

/// All harts of a cluster as threads of one program. Halting stops these harts between two instructions and nothing
/// else: simulated time and every other block go on.
///
/// Memory is seen as the bus shows it to a debugger, whatever the PMP says; a read has no side effects. A write that
/// only a bus access can do (to a register) is one, by the thread's hart, with its effects. Breakpoints of the kind
/// "software" are kept in the harts: memory is never changed for them, and they hold in ROM and over a reload. The
/// other kinds take triggers of the hart that neither the program nor another point uses; they fire before the access.
class ClusterTarget final : public Target {
 public:
  /// Answers a line of the command `monitor`.
  using Monitor = std::function<std::string(std::string_view line)>;

  ClusterTarget(riscv::HartCluster& harts, Monitor monitor);
  ~ClusterTarget() override;
  ClusterTarget(const ClusterTarget&) = delete;
  ClusterTarget& operator=(const ClusterTarget&) = delete;

  /// Stops all harts and waits for a debugger: for use before the simulation starts.
  void halt_until_attached() { halt(); }
  [[nodiscard]] bool all_halted() const;
  /// Called whenever the harts have stopped.
  void on_stop(std::function<void()> handler) { on_stop_ = std::move(handler); }

  [[nodiscard]] unsigned thread_count() const override { return harts_.hart_count(); }
  [[nodiscard]] std::string thread_name(unsigned thread) const override;
  [[nodiscard]] std::string description() const override { return registers_.description(); }
  [[nodiscard]] unsigned general_registers() const override { return HartRegisters::kGeneral; }
  [[nodiscard]] std::optional<RegisterValue> read_register(unsigned thread, uint64_t number) override;
  bool write_register(unsigned thread, uint64_t number, uint64_t value) override;
  [[nodiscard]] size_t read_memory(unsigned thread, uint64_t address, std::span<uint8_t> data) override;
  [[nodiscard]] bool write_memory(unsigned thread, uint64_t address, std::span<const uint8_t> data) override;
  [[nodiscard]] bool insert_point(PointKind kind, uint64_t address, uint64_t bytes) override;
  void remove_point(PointKind kind, uint64_t address, uint64_t bytes) override;
  void attach(StopHandler handler) override;
  void detach() override;
  void resume(std::span<const ThreadAction> actions) override;
  void halt() override;
  [[nodiscard]] std::string monitor(std::string_view line) override;

 private:
  /// A breakpoint or watchpoint in triggers of these numbers, the same in every hart.
  struct HardwarePoint {
    PointKind kind;
    uint64_t address;
    uint64_t bytes;
    std::vector<unsigned> triggers;
  };

  void hart_halted(unsigned hart, riscv::StopReason reason);
  void hart_reset();
  [[nodiscard]] Stop describe(unsigned hart, riscv::StopReason reason);
  [[nodiscard]] std::vector<unsigned> free_triggers();
  void arm(const HardwarePoint& point);
  void disarm(const HardwarePoint& point);
  void write_trigger(unsigned trigger, uint64_t control, uint64_t address);
  /// Number of the trigger that stopped the hart, if one did; it is marked as not having fired again.
  [[nodiscard]] std::optional<unsigned> take_hit(riscv::Hart& hart);
  void pass_own_ebreak(riscv::Hart& hart);

  riscv::HartCluster& harts_;
  Monitor monitor_;
  HartRegisters registers_;
  StopHandler handler_;
  std::function<void()> on_stop_;
  std::set<uint64_t> breakpoints_;
  std::vector<HardwarePoint> points_;
  bool stopping_ = false;  ///< The harts that halt now do so because one has.
};

}  // namespace npuvp::debug::gdb

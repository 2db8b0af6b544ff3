// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/abi/command.h"
#include "firmware/abi/memory_map.h"
#include "firmware/abi/queue.h"
#include "tests/firmware/fake_management.h"
#include "tests/firmware/fake_memory.h"
#include "tests/firmware/fake_security.h"

namespace npuvp::firmware_test {

using Message = std::array<uint32_t, 8>;

/// A part of the card's address space.
struct Extent {
  uint64_t base = 0;
  uint64_t bytes = 0;
  bool operator==(const Extent&) const = default;
};

/// What the Task Manager was told at START, with the memory it would have fetched.
struct StartedJob {
  uint32_t slot = 0;
  std::vector<uint8_t> commands;
  std::vector<npu_segment> segments;
  uint32_t asid = 0;
  uint32_t address_space = 0;
  uint32_t function = 0;
  uint32_t engines = 0;       ///< Of the card.
  uint32_t first_engine = 0;  ///< What the job calls the lowest of them.
  Extent shared{};            ///< Its part of the shared memory.
  uint32_t priority = 0;
  bool memories_cleared = false;  ///< CLEAR_MEMORIES was written before START.
};

/// How a test lets a job end.
struct JobEnd {
  bool error = false;
  uint32_t fault = 0;
  uint32_t fault_command = 0;
  uint64_t fault_address = 0;
  uint32_t retired = 0;
  uint32_t cancelled = 0;
  uint64_t fault_position = 0;
};

/// An engine that holds a command, as its registers tell.
struct BusyEngine {
  npu_command_kind kind = NPU_COMMAND_NEURAL_ENGINE;
  uint32_t engine = 0;
  uint32_t asid = 0;
  uint32_t command = 0;
  bool reset_frees = true;  ///< A reset ends the command, and with it the job.
};

/// The registers of a card as the command processor sees them, behaving as models/<block>/registers.yaml says and no
/// better, written without the models so that firmware and models are tested against each other only later. Time moves
/// by 10 ns with each access and jumps to the next event in WFI. A test plays the host and the Task Manager.
/// Only one may exist: firmware/lib/mmio.h reaches it through the functions in native_mmio.cpp.
class FakeCard {
 public:
  FakeCard();
  ~FakeCard();
  FakeCard(const FakeCard&) = delete;
  FakeCard& operator=(const FakeCard&) = delete;
  static FakeCard& current();

  // The firmware's side.
  uint64_t read(uint64_t address, unsigned size_bytes);
  void write(uint64_t address, unsigned size_bytes, uint64_t value);
  /// WFI: moves time to the next event. A test fails here if nothing would ever wake the hart.
  void wait_for_interrupt();
  [[nodiscard]] bool timer_pending() const { return now_ns >= timer_compare_; }
  /// When something happens by itself next; UINT64_MAX for never.
  [[nodiscard]] uint64_t next_event_ns() const { return std::min({timer_compare_, dma_end_ns_, job_end_ns()}); }
  [[nodiscard]] bool external_pending() const { return (pending_ & plic_enable_) != 0; }

  // The host's side, through PCIe function 0 or virtual function n.
  void send(const Message& message, uint32_t function = 0);
  /// The reply since the last send().
  [[nodiscard]] std::optional<Message> reply(uint32_t function = 0) const { return banks_[function].reply; }
  void ring_sq_tail(uint32_t queue, uint32_t tail, uint32_t function = 0);
  void ring_cq_head(uint32_t queue, uint32_t head, uint32_t function = 0);
  /// Resets a virtual function.
  void reset_function(uint32_t function);
  /// Whether a reset has not been taken by the firmware yet.
  [[nodiscard]] bool reset_pending(uint32_t function) const { return banks_[function].reset_pending; }

  /// Lets the job that runs in `slot` end.
  void end_job(const JobEnd& end, uint32_t slot = 0);
  [[nodiscard]] bool job_running(uint32_t slot = 0) const { return slots_.at(slot).running; }
  /// Other jobs had its engines for so long while it stood still.
  void set_blocked_ns(uint64_t ns, uint32_t slot);
  /// What firmware has written last as the slot's priority.
  [[nodiscard]] uint32_t priority(uint32_t slot) const;

  /// Level of an interrupt source that is not the fake card's own.
  void drive_source(uint32_t source, bool level) {
    set_level(source, level);
    update();
  }
  /// Somebody types on the console.
  void type(std::string_view text) {
    typed_.insert(typed_.end(), text.begin(), text.end());
    update();
  }
  /// Reads card physical addresses as an engine of the card does; false: bus error.
  bool engine_read(uint64_t address, std::span<uint8_t> out);

  bool engine_write(uint64_t address, std::span<const uint8_t> in) { return copy_out(0, address, in); }

  /// Moves time without an access.
  void advance_ns(uint64_t ns);

  // State a test may set or look at.
  FakeSecurity security{[this](uint64_t address, std::span<uint8_t> out) { return engine_read(address, out); },
                        [this](uint64_t address, std::span<const uint8_t> in) { return copy_out(0, address, in); }};
  uint64_t now_ns = 0;
  std::string console;
  FakeMemory host;                         ///< As function 0 reaches it.
  std::map<uint32_t, FakeMemory> vf_host;  ///< As virtual function n does: another guest's memory.
  FakeMemory dram;
  std::vector<uint8_t> tcm = std::vector<uint8_t>(NPU_MAP_TCM_BYTES);
  uint32_t dram_mib = 16384;
  uint32_t card_state = 0;
  uint32_t boot_code = 0;
  std::vector<uint32_t> raised_vectors;                    ///< Of function 0.
  std::map<uint32_t, std::vector<uint32_t>> raised_by_vf;  ///< Of virtual function n.
  std::array<Extent, 17> windows{};                        ///< Aperture of each function.
  std::vector<Extent> fills;                               ///< In order.
  bool fill_fails = false;
  std::optional<uint32_t> rings_forever;  ///< Function whose doorbell 0 rings again as soon as it is cleared.
  std::vector<StartedJob> started_jobs;
  std::vector<BusyEngine> busy_engines;
  std::vector<BusyEngine> reset_engines;  ///< In the order of their resets.
  uint32_t retired = 0;                   ///< RETIRED of a job that runs.
  unsigned aborts = 0;
  std::array<uint32_t, 4> scratch{};
  /// Of the error collector and the device MMU, by address; what a test has not put there is 0. Pending bits and the
  /// fault FIFO's count drive the interrupts.
  std::map<uint64_t, uint64_t> error_registers;
  std::vector<uint64_t> rewritten;  ///< By cpu_rewrite(), natively.
  unsigned traps = 0;               ///< By cpu_trap(), natively.
  bool uart_stuck = false;
  bool dma_stuck = false;  ///< Copies never end.
  uint64_t dma_duration_ns = 1000;
  bool task_manager_obeys_abort = true;
  uint64_t task_manager_duration_ns = UINT64_MAX;  ///< Jobs end by themselves after this.
  bool addresses_may_be_pointers = true;           ///< Natively, a firmware variable's address is a pointer.
  unsigned dma_copies = 0;
  unsigned accesses = 0;
  FakeManagement management{[this](uint64_t address, void* data, uint64_t bytes, bool write) {
    auto* const begin = static_cast<uint8_t*>(data);
    return write ? copy_out(0, address, {begin, bytes}) : copy_in(0, address, {begin, bytes});
  }};
  std::function<void(unsigned copy)> after_dma;  ///< Called with the number of the copy that has ended, from 1.

 private:
  struct Bank {
    Message h2c{}, c2h{};
    std::optional<Message> reply;
    bool message_pending = false;
    bool reset_pending = false;
    uint32_t doorbells = 0;
    std::array<uint32_t, 16> sq_tail{}, cq_head{};
  };
  /// Of the Task Manager.
  struct Slot {
    std::map<uint32_t, uint64_t> registers;
    uint32_t status = 0;
    bool running = false;
    uint64_t end_ns = UINT64_MAX;
  };

  uint64_t access_memory(uint64_t address, unsigned size_bytes, uint64_t value, bool write);
  uint64_t read_uart(uint32_t offset);
  void write_uart(uint32_t offset, uint8_t value);
  uint64_t read_plic(uint32_t offset);
  void write_plic(uint32_t offset, uint32_t value);
  uint64_t read_mailbox(uint32_t function, uint32_t offset) const;
  void write_mailbox(uint32_t function, uint32_t offset, uint32_t value);
  void write_aperture(uint32_t offset, uint64_t value);
  uint64_t read_system_controller(uint32_t offset) const;
  uint64_t read_dma(uint32_t offset) const;
  void write_dma(uint32_t offset, uint64_t value);
  uint32_t read_engine(npu_command_kind kind, uint32_t engine, bool command) const;
  void reset_engine(npu_command_kind kind, uint32_t engine);
  uint64_t read_task_manager(uint32_t slot, uint32_t offset) const;
  void write_task_manager(uint32_t slot, uint32_t offset, uint64_t value);
  [[nodiscard]] uint64_t job_end_ns() const;
  void write_error_register(uint64_t address, uint64_t value);

  FakeMemory& host_of(uint64_t function) { return function == 0 ? host : vf_host[static_cast<uint32_t>(function)]; }
  bool copy_in(uint64_t function, uint64_t address, std::span<uint8_t> out);
  bool copy_out(uint64_t function, uint64_t address, std::span<const uint8_t> in);
  bool fill(uint64_t address, uint64_t bytes);
  void start_dma(uint32_t control);
  void finish_dma();
  void start_job(uint32_t slot);
  void expect_alone(uint32_t slot);
  void update();
  void set_level(uint32_t source, bool level);

  uint64_t timer_compare_ = UINT64_MAX;
  uint8_t uart_lcr_ = 0;
  bool uart_interrupts_ = false;  ///< IER.ERBFI
  std::deque<char> typed_;
  uint32_t plic_enable_ = 0, level_ = 0, pending_ = 0, claimed_ = 0;
  std::array<uint32_t, 32> priority_{};
  std::array<Bank, 17> banks_;
  bool clear_memories_ = false;
  bool dma_fills_ = false;
  std::map<uint32_t, uint64_t> dma_;
  std::array<Slot, 4> slots_;
  uint64_t dma_end_ns_ = UINT64_MAX;
  uint32_t dma_status_ = 0;
};

}  // namespace npuvp::firmware_test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "models/dram/bank_set.h"
#include "models/dram/command.h"
#include "models/dram/part.h"
#include "models/dram/policy.h"
#include "models/dram/request_queue.h"
#include "models/dram/timing_state.h"

namespace npuvp::dram {

/// What a channel has done since construction.
struct Counters {
  uint64_t reads = 0, writes = 0;                ///< Transactions on the data bus.
  uint64_t forwarded = 0, coalesced = 0;         ///< Reads and writes answered by the write queue.
  uint64_t hits = 0, misses = 0, conflicts = 0;  ///< Row open, bank closed, other row open when first served.
  uint64_t activates = 0, precharges = 0;
  uint64_t turnarounds = 0;  ///< Changes of a data bus between reading and writing.
  uint64_t refreshes = 0;    ///< REFab or REFpb commands.
  Tick refresh_stall = 0;    ///< Ticks from a refresh being due to its end, while transactions waited.

  Counters& operator+=(const Counters& other);
};

/// One transaction.
struct Request {
  Location where;
  bool write;
  uint32_t tag;  ///< Comes back with the completion.
};

/// A read has delivered its last data, or a write command has been issued, at `time`.
struct Completion {
  Tick time;
  uint32_t tag;
  bool write;
};

/// The controller of one channel and its DRAM: queues, FR-FCFS scheduling, refresh, JEDEC timing.
///
/// Plain C++ without a clock: it knows the next command and its time, and goes from one to the next. Its owner hands in
/// transactions in order of time and lets it run. A copy is a checkpoint. README.md has policy and sources.
class ChannelController {
 public:
  ChannelController(const Part& part, const Policy& policy);

  /// Takes a transaction at `now`, up to which run_until() has been called; commands for it are issued later than
  /// `now`. False if its queue is full: ask again after the next command.
  bool accept(const Request& request, Tick now);

  /// Time of the next command or refresh, later than what run_until() was last given, if nothing else is accepted.
  [[nodiscard]] Tick next_event();

  /// Issues everything up to and including `time`. Completions are appended to completions().
  void run_until(Tick time);

  /// In order of the commands that caused them; the owner clears it.
  [[nodiscard]] std::vector<Completion>& completions() { return completions_; }

  [[nodiscard]] Tick now() const { return now_; }
  /// Transactions accepted whose column command has not been issued.
  [[nodiscard]] uint32_t waiting() const { return waiting_[kReads] + waiting_[kWrites] + active_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  void set_sink(CommandSink* sink) { sink_ = sink; }

 private:
  enum class Step : uint8_t { kNothing, kColumn, kActivate, kPrecharge, kPrechargeAll, kRefreshAll, kRefreshBank };
  enum Direction : uint8_t { kReads, kWrites };
  static constexpr int16_t kNone = RequestQueue::kNone;

  /// The next command of a bus. The smaller (time, rank) goes first; the rank is the class, then the order of arrival.
  struct Plan {
    Tick time = kNever;
    uint64_t rank = UINT64_MAX;
    Step step = Step::kNothing;
    uint16_t target = 0;  // bank; pseudo-channel of an all-bank command
    int16_t entry = kNone;

    void improve(Tick at, uint64_t by_rank, Step what, size_t where, int16_t of) {
      if (at > time || (at == time && by_rank > rank)) return;
      *this = {.time = at, .rank = by_rank, .step = what, .target = static_cast<uint16_t>(where), .entry = of};
    }
  };
  struct Bank {
    uint32_t row = 0;
    bool open = false;
    int16_t active = kNone;                    // its activate has been issued, its column command not yet
    std::array<int16_t, 2> hit{kNone, kNone};  // oldest entry for the open row, by direction
  };
  /// Banks by the command that their oldest entries of one direction wait for.
  struct Wants {
    BankSet column, activate, precharge;
  };
  struct PseudoChannel {
    uint32_t open_banks = 0;
    uint32_t active = 0;  // entries whose activate has been issued
    int8_t last_direction = -1;
  };

  void plan();
  void plan_columns();
  void plan_rows();
  void plan_refresh();
  // Each offers one command to the plan of its bus.
  void offer_column(size_t bank, int16_t index, uint64_t rank_class);
  void offer_hit(size_t bank, int16_t index);
  void offer_activate(size_t bank);
  void offer_precharge(size_t bank);
  void offer_rows_of(size_t bank);
  [[nodiscard]] bool only_refresh() const { return refresh_pending_ > 0 && policy_.refresh == RefreshPolicy::kAllBank; }
  [[nodiscard]] Tick rising(Tick time) const { return time | rising_mask_; }
  [[nodiscard]] Tick row_floor() const { return std::max(now_ + 1, row_bus_free_); }
  [[nodiscard]] Tick column_floor() const { return rising(std::max(now_ + 1, column_bus_free_)); }
  [[nodiscard]] bool column_first() const;

  void issue(const Plan& plan);
  /// After a command: a plan stays where the command has not changed what it rests on.
  void keep_valid_plans(const Plan& issued);
  void issue_column(const Plan& plan);
  void issue_activate(const Plan& plan);
  void issue_precharge(const Plan& plan);
  void issue_precharge_all(const Plan& plan);
  void issue_refresh(const Plan& plan);
  void occupy_row_bus(Tick from, Tick ticks);
  void close(size_t bank);

  void refresh_becomes_due();
  void skip_idle_refreshes(Tick until);
  void set_refresh_target();
  [[nodiscard]] size_t refresh_pseudo_channel() const { return refresh_turn_ % organisation_.pseudo_channels; }

  void update_bank(size_t bank);
  void update_mode();
  void forget_plans() { column_planned_ = row_planned_ = false; }
  void count_first(Entry& entry, uint64_t& counter) const;
  [[nodiscard]] bool answered_by_write_queue(const Request& request, size_t bank) const;
  [[nodiscard]] size_t bank_of(const Location& where) const;
  void trace(Tick time, CommandKind kind, size_t bank, uint32_t row = 0, uint32_t column = 0) const;

  Organisation organisation_;
  Policy policy_;
  Tick clock_;        // ticks
  Tick rising_mask_;  // 1 with two buses: rising edges are odd ticks
  Tick activate_ticks_;
  Tick refresh_interval_;
  Tick refresh_ticks_;
  Tick starvation_;

  TimingState timing_;
  RequestQueue queue_;
  std::vector<Bank> banks_;
  std::vector<PseudoChannel> pseudo_channels_;
  std::array<Wants, 2> wants_;  // by direction
  BankSet active_banks_;
  std::array<uint32_t, 2> waiting_{};  // by direction
  uint32_t active_ = 0;
  Direction mode_ = kReads;
  uint64_t order_ = 0;

  Tick next_refresh_;
  uint64_t refresh_turn_ = 0;         // number of the oldest pending refresh command
  uint64_t refresh_pending_ = 0;      // commands
  size_t refresh_target_ = SIZE_MAX;  // the bank that the oldest pending per-bank refresh keeps closed

  Tick now_ = 0;
  Tick row_bus_free_ = 0;
  Tick column_bus_free_ = 0;
  Plan column_plan_;
  Plan row_plan_;
  bool column_planned_ = false;
  bool row_planned_ = false;
  Counters counters_;
  std::vector<Completion> completions_;
  CommandSink* sink_ = nullptr;
};

}  // namespace npuvp::dram

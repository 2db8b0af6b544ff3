// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <vector>

#include "models/task_manager/job.h"

namespace npuvp::task_manager {

/// A part of the memories on the chip.
struct OnChipPart {
  std::vector<uint8_t> engines;  ///< Whose scratchpads.
  uint64_t shared_base = 0;
  uint64_t shared_bytes = 0;
};

/// Who may use which part of the on-chip memories, and whose data lie there.
class OnChipMemories {
 public:
  static constexpr uint64_t kBlockBytes = 64 << 10;  ///< Granularity of shared memory.
  using OwnerChange = std::function<sc_core::sc_time(const OnChipPart& part)>;

  explicit OnChipMemories(const Memories& memories)
      : scratchpads_(memories.neural_engines), blocks_(memories.shared_bytes / kBlockBytes) {}

  void on_owner_change(OwnerChange handler) { handler_ = std::move(handler); }

  /// True if the two jobs must not use their parts at the same time.
  [[nodiscard]] static bool exclude(const JobSettings& a, const JobSettings& b);

  /// Gives the job its part, cleared where a job of another function or of another address space was the last. Returns
  /// how long that takes.
  sc_core::sc_time hand_over(const JobSettings& settings);
  /// Whoever comes next finds them cleared.
  void disown();

 private:
  struct Owner {
    uint16_t function;
    uint16_t address_space;
    bool operator==(const Owner&) const = default;
  };
  static constexpr Owner kNobody{0xffff, 0xffff};

  OwnerChange handler_;
  std::vector<Owner> scratchpads_;  // of the last job
  std::vector<Owner> blocks_;
};

}  // namespace npuvp::task_manager

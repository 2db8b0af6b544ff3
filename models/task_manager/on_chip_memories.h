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

  /// Gives the job its part, cleared where another function's job was the last. Returns how long that takes.
  sc_core::sc_time hand_over(const JobSettings& settings);
  /// Whatever function comes next finds them cleared.
  void disown();

 private:
  static constexpr uint16_t kNobody = 0xffff;

  OwnerChange handler_;
  std::vector<uint16_t> scratchpads_;  // function of the last job
  std::vector<uint16_t> blocks_;
};

}  // namespace npuvp::task_manager

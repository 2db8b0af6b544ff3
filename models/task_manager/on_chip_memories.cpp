// SPDX-License-Identifier: Apache-2.0
#include "models/task_manager/on_chip_memories.h"

#include <algorithm>

namespace npuvp::task_manager {

bool OnChipMemories::exclude(const JobSettings& a, const JobSettings& b) {
  if (a.group != 0 && a.group == b.group && a.context == b.context && a.function == b.function) return false;
  const bool engines = std::any_of(a.engines.begin(), a.engines.end(), [&](uint8_t engine) {
    return std::find(b.engines.begin(), b.engines.end(), engine) != b.engines.end();
  });
  return engines || (a.shared_base < b.shared_base + b.shared_bytes && b.shared_base < a.shared_base + a.shared_bytes);
}

sc_core::sc_time OnChipMemories::hand_over(const JobSettings& settings) {
  const Owner job{settings.function, settings.address_space};
  OnChipPart part;
  for (const uint8_t engine : settings.engines) {
    if (scratchpads_[engine] != job) part.engines.push_back(engine);
    scratchpads_[engine] = job;
  }
  const auto first = blocks_.begin() + static_cast<int64_t>(settings.shared_base / kBlockBytes);
  const auto last =
      blocks_.begin() + static_cast<int64_t>((settings.shared_base + settings.shared_bytes) / kBlockBytes);
  if (std::any_of(first, last, [&](const Owner& owner) { return owner != job; })) {
    part.shared_base = settings.shared_base;
    part.shared_bytes = settings.shared_bytes;
    std::fill(first, last, job);
  }
  const bool nothing = part.engines.empty() && part.shared_bytes == 0;
  return handler_ && !nothing ? handler_(part) : sc_core::SC_ZERO_TIME;
}

void OnChipMemories::disown() {
  std::fill(scratchpads_.begin(), scratchpads_.end(), kNobody);
  std::fill(blocks_.begin(), blocks_.end(), kNobody);
}

}  // namespace npuvp::task_manager

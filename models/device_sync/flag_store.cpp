// SPDX-License-Identifier: Apache-2.0
#include "models/device_sync/flag_store.h"

namespace npuvp::device_sync {

uint32_t FlagStore::updated(uint32_t before, const Write& write) {
  return write.update == NPU_SYNC_ADD ? before + write.value : write.value;
}

uint32_t FlagStore::read(unsigned function, uint32_t flag, sc_core::sc_time time) const {
  uint32_t value = flags_[function][flag];
  for (auto each = pending_.begin(); each != pending_.end() && each->first <= time; ++each) {
    if (each->second.function == function && each->second.flag == flag) value = updated(value, each->second);
  }
  return value;
}

void FlagStore::apply(const Write& write) {
  auto& flag = flags_[write.function][write.flag];
  flag = updated(flag, write);
}

sc_core::sc_time FlagStore::arrive(const std::function<void(const Write& write)>& visit) {
  while (!pending_.empty() && pending_.begin()->first <= sc_core::sc_time_stamp()) {
    const Write write = pending_.begin()->second;
    pending_.erase(pending_.begin());
    apply(write);
    visit(write);
  }
  return pending_.empty() ? sc_core::sc_max_time() : pending_.begin()->first;
}

void FlagStore::clear(unsigned function) {
  flags_[function].fill(0);
  std::erase_if(pending_, [function](const auto& each) { return each.second.function == function; });
}

void FlagStore::clear() {
  for (auto& flags : flags_) flags.fill(0);
  pending_.clear();
}

}  // namespace npuvp::device_sync

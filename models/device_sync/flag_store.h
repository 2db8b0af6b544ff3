// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <systemc>
#include <vector>

#include "firmware/abi/command.h"

namespace npuvp::device_sync {

/// The flags of all functions, with the writes that are still on their way: a posted write reaches its flag at its own
/// time, after all that its sender wrote before.
class FlagStore {
 public:
  struct Write {
    unsigned function;
    uint32_t flag;
    npu_sync_update update;
    uint32_t value;
  };

  explicit FlagStore(unsigned functions) : flags_(functions) {}

  /// The flag as it is at `time`, not before now.
  [[nodiscard]] uint32_t read(unsigned function, uint32_t flag, sc_core::sc_time time) const;
  void apply(const Write& write);
  /// The write takes effect at `time`. arrive() must be called then.
  void post(sc_core::sc_time time, const Write& write) { pending_.emplace(time, write); }
  /// Carries out what is due and calls `visit` for each. Returns when the next one is due; sc_max_time(): none is left.
  sc_core::sc_time arrive(const std::function<void(const Write& write)>& visit);

  /// Flags of a function to 0, and its writes under way are lost.
  void clear(unsigned function);
  void clear();

 private:
  static uint32_t updated(uint32_t before, const Write& write);

  std::vector<std::array<uint32_t, NPU_SYNC_FLAGS>> flags_;
  std::multimap<sc_core::sc_time, Write> pending_;  // equal times in the order of arrival
};

}  // namespace npuvp::device_sync

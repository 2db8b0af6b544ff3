// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "platform/host/unique_fd.h"
#include "platform/host/vfio_user/protocol.h"

namespace npuvp::host::vfio_user {

/// Eventfds by which the client wants to hear of interrupts, by interrupt index and vector.
class IrqEventfds {
 public:
  /// `index` < kIrqs. An empty `fd` takes the vector's away.
  void assign(uint32_t index, uint32_t vector, UniqueFd fd);
  void release_all(uint32_t index) { eventfds_[index].clear(); }
  void clear();

  /// Signals the vector; false if the client has not asked for it.
  bool trigger(uint32_t index, uint32_t vector) const;

 private:
  std::array<std::map<uint32_t, UniqueFd>, kIrqs> eventfds_;
};

}  // namespace npuvp::host::vfio_user

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "platform/base/unique_fd.h"
#include "platform/host/vfio_user/protocol.h"

namespace npuvp::host::vfio_user {

/// Eventfds by which the client wants to hear of interrupts, by interrupt index and vector.
class IrqEventfds {
 public:
  /// Whether `fd` is an eventfd. Anything else could block or kill whoever writes to it.
  [[nodiscard]] static bool is_eventfd(const UniqueFd& fd);

  /// `index` < kIrqs. An empty `fd` takes the vector's away; another must be an eventfd, and is made non-blocking.
  void assign(uint32_t index, uint32_t vector, UniqueFd fd);
  void release_all(uint32_t index) { eventfds_[index].clear(); }
  void clear();

  /// The client wants to hear of the vector.
  [[nodiscard]] bool has(uint32_t index, uint32_t vector) const { return eventfds_[index].contains(vector); }

  /// Signals the vector, which it may be already; false if the client has not asked for it.
  bool trigger(uint32_t index, uint32_t vector) const;

 private:
  std::array<std::map<uint32_t, UniqueFd>, kIrqs> eventfds_;
};

}  // namespace npuvp::host::vfio_user

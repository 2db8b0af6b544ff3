// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/irq_eventfds.h"

#include <unistd.h>

#include <utility>

namespace npuvp::host::vfio_user {

void IrqEventfds::assign(uint32_t index, uint32_t vector, UniqueFd fd) {
  if (fd) {
    eventfds_[index].insert_or_assign(vector, std::move(fd));
  } else {
    eventfds_[index].erase(vector);
  }
}

void IrqEventfds::clear() {
  for (auto& each : eventfds_) each.clear();
}

bool IrqEventfds::trigger(uint32_t index, uint32_t vector) const {
  const auto found = eventfds_[index].find(vector);
  if (found == eventfds_[index].end()) return false;
  const uint64_t one = 1;
  return ::write(found->second.get(), &one, sizeof one) == sizeof one;
}

}  // namespace npuvp::host::vfio_user

// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/irq_eventfds.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace npuvp::host::vfio_user {

bool IrqEventfds::is_eventfd(const UniqueFd& fd) {
  std::array<char, 64> name;
  const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), name.data(), name.size());
  return length > 0 && std::string_view(name.data(), static_cast<size_t>(length)) == "anon_inode:[eventfd]";
}

void IrqEventfds::assign(uint32_t index, uint32_t vector, UniqueFd fd) {
  if (fd) {
    // A client that never reads a blocking one must not stop us when its counter is full.
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
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
  // A full counter: the interrupt is pending, and stays so.
  return ::write(found->second.get(), &one, sizeof one) == sizeof one || errno == EAGAIN;
}

}  // namespace npuvp::host::vfio_user

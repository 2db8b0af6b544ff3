// SPDX-License-Identifier: Apache-2.0
#include "platform/host/vfio_user/transport.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace npuvp::host::vfio_user {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kBufferBytes = kMaxMessageBytes + kReadBytes;
// The kernel passes at most this many file descriptors at once (SCM_MAX_FD): nothing is ever truncated.
constexpr size_t kKernelMaxFds = 253;

}  // namespace

Transport::Transport(UniqueFd socket)
    : socket_(std::move(socket)), buffer_(std::make_unique_for_overwrite<uint8_t[]>(kBufferBytes)) {}

Transport::Status Transport::fill() {
  if (buffer_begin_ > 0 && kBufferBytes - buffer_end_ < kReadBytes) {
    std::memmove(buffer_.get(), buffer_.get() + buffer_begin_, available());
    buffer_end_ = available();
    buffer_begin_ = 0;
  }
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(kKernelMaxFds * sizeof(int))> control;
  iovec vector{buffer_.get() + buffer_end_, kBufferBytes - buffer_end_};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Status::kNothing : Status::kClosed;
  if (received == 0) return Status::kClosed;

  buffer_end_ += static_cast<size_t>(received);
  for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    ReceivedFds set{stream_position_ + available(), {}};
    for (size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
      set.fds.emplace_back(fd);
    }
    fds_.push_back(std::move(set));
  }
  return Status::kMessage;
}

void Transport::take_fds(uint64_t begin, uint64_t end, std::vector<UniqueFd>& to) {
  // A read ends behind the data that file descriptors were sent with, so they belong to the last message that begins
  // in it.
  while (!fds_.empty() && begin < fds_.front().stream_end && fds_.front().stream_end <= end) {
    for (auto& fd : fds_.front().fds) to.push_back(std::move(fd));
    fds_.pop_front();
  }
}

Transport::Status Transport::receive(Message& message) {
  message.fds.clear();
  message.payload = {};
  for (;;) {
    if (discard_ > 0) {
      const uint64_t now = std::min<uint64_t>(discard_, available());
      std::vector<UniqueFd> dropped;
      take_fds(stream_position_, stream_position_ + now, dropped);
      discard_ -= now;
      buffer_begin_ += now;
      stream_position_ += now;
    }
    if (discard_ == 0 && available() >= sizeof(Header)) {
      std::memcpy(&message.header, buffer_.get() + buffer_begin_, sizeof(Header));
      // A size below that of the header cannot be right: the message counts as ending behind its header.
      const uint64_t size = std::max<uint64_t>(message.header.size, sizeof(Header));
      message.is_oversized = size > kMaxMessageBytes;
      const uint64_t bytes = message.is_oversized ? sizeof(Header) : size;
      if (available() >= bytes) {
        take_fds(stream_position_, stream_position_ + bytes, message.fds);
        message.payload = {buffer_.get() + buffer_begin_ + sizeof(Header), bytes - sizeof(Header)};
        discard_ = size - bytes;
        buffer_begin_ += bytes;
        stream_position_ += bytes;
        return Status::kMessage;
      }
    }
    if (buffer_begin_ == buffer_end_) buffer_begin_ = buffer_end_ = 0;
    if (const auto status = fill(); status != Status::kMessage) return status;
  }
}

bool Transport::send(const Header& header, std::span<const uint8_t> payload) {
  std::array<iovec, 2> vectors{
      {{const_cast<Header*>(&header), sizeof header}, {const_cast<uint8_t*>(payload.data()), payload.size()}}};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  size_t left = sizeof header + payload.size();
  while (left > 0) {
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      pollfd writable{socket_.get(), POLLOUT, 0};
      if ((errno != EAGAIN && errno != EWOULDBLOCK) || ::poll(&writable, 1, kSendTimeoutMs) <= 0) return false;
      continue;
    }
    left -= static_cast<size_t>(sent);
    auto skip = static_cast<size_t>(sent);
    for (auto& vector : vectors) {
      const size_t part = std::min(skip, vector.iov_len);
      vector.iov_base = static_cast<uint8_t*>(vector.iov_base) + part;
      vector.iov_len -= part;
      skip -= part;
    }
  }
  return true;
}

}  // namespace npuvp::host::vfio_user

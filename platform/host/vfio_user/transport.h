// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "platform/base/unique_fd.h"
#include "platform/host/vfio_user/protocol.h"

namespace npuvp::host::vfio_user {

/// A message from the client with the file descriptors that came with it.
struct Message {
  Header header;
  /// Valid until the next call of Transport::receive(). Empty if the message was longer than any may be.
  std::span<const uint8_t> payload;
  std::vector<UniqueFd> fds;
  bool is_oversized = false;
};

/// The connected socket: cuts the byte stream into messages, several per system call, and sends replies. Never
/// allocates more than the longest message plus one read, whatever a header claims.
class Transport {
 public:
  enum class Status : uint8_t { kMessage, kNothing, kClosed };

  explicit Transport(UniqueFd socket);

  [[nodiscard]] int fd() const { return socket_.get(); }

  /// The next message, without waiting for one. kClosed: the client has gone or the stream makes no sense.
  Status receive(Message& message);

  /// Sends header and payload as one message. False if the client has gone or has not read for kSendTimeoutMs.
  bool send(const Header& header, std::span<const uint8_t> payload);

  static constexpr int kSendTimeoutMs = 5000;

 private:
  struct ReceivedFds {
    uint64_t stream_end;  // of the read that they came with
    std::vector<UniqueFd> fds;
  };

  Status fill();
  void take_fds(uint64_t begin, uint64_t end, std::vector<UniqueFd>& to);
  [[nodiscard]] size_t available() const { return buffer_end_ - buffer_begin_; }

  UniqueFd socket_;
  std::unique_ptr<uint8_t[]> buffer_;  // not cleared: most of it is never touched
  size_t buffer_begin_ = 0;
  size_t buffer_end_ = 0;
  uint64_t stream_position_ = 0;  // of buffer_begin_
  uint64_t discard_ = 0;          // bytes of an oversized message that are still to come
  std::deque<ReceivedFds> fds_;
};

}  // namespace npuvp::host::vfio_user

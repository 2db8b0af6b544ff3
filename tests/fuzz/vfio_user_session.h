// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "platform/base/unique_fd.h"
#include "platform/host/vfio_user/server.h"
#include "tests/fuzz/vfio_user_oracle.h"
#include "tests/fuzz/vfio_user_record.h"

namespace npuvp::fuzz {

/// One connection: client and server at the two ends of a real socket pair, in turns in one thread, so that a session
/// is the same each time.
class Session {
 public:
  using MakeServer = std::function<std::unique_ptr<host::vfio_user::Server>(host::UniqueFd)>;
  explicit Session(const MakeServer& make_server);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Does the steps; to be called in an SC_THREAD.
  void play(std::span<const Record> records);
  /// After it all: replies are complete, and a right request gets a right answer wherever the stream still is one.
  void probe();

  /// Stands for poll() while the server waits until it can send: the client reads, or has decided not to.
  static int poll_while_sending();

 private:
  void step(const Record& record);
  void send(const ClientMessage& message, const Record& record);
  void send_bytes(std::span<const uint8_t> bytes, std::span<const int> fds);
  void flush();
  /// The server handles what is there, the client reads the replies.
  void serve();
  void read_replies();
  int open_fd(FdKind kind);
  [[nodiscard]] bool is_open() const { return server_ != nullptr; }

  std::unique_ptr<host::vfio_user::Server> server_;
  host::UniqueFd client_;
  Oracle oracle_;
  std::vector<uint8_t> kept_back_;
  uint16_t next_id_ = 1;
  bool may_close_ = false;  // the server has a reason to end the connection
  bool is_reading_ = true;
};

}  // namespace npuvp::fuzz

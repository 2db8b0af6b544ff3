// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/message_path.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>

namespace npuvp::bench {
namespace {

constexpr size_t kRequestBytes = 32;  // header 16, offset, region, count 16
constexpr size_t kReplyBytes = 36;    // the same and 4 bytes of data
constexpr int kRounds = 30;

/// Sleeps until there is a message and takes it; false when the other end is gone.
bool receive(int fd, std::span<uint8_t> message) {
  for (size_t done = 0; done < message.size();) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, -1) < 0 && errno != EINTR) return false;
    const ssize_t bytes = ::recv(fd, message.data() + done, message.size() - done, MSG_DONTWAIT);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (bytes > 0) done += static_cast<size_t>(bytes);
  }
  return true;
}

void send(int fd, std::span<const uint8_t> message) {
  if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size())) {
    throw std::system_error(errno, std::generic_category(), "send");
  }
}

[[noreturn]] void serve(int fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::array<uint8_t, kRequestBytes> request{};
  const std::array<uint8_t, kReplyBytes> reply{};
  while (receive(fd, request)) send(fd, reply);
  ::_exit(0);
}

/// The client's two threads.
class Client {
 public:
  explicit Client(int fd) : fd_(fd), receiver_([this] { take_replies(); }) {}
  ~Client() {
    ::shutdown(fd_, SHUT_RDWR);
    receiver_.join();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void round_trip() {
    std::unique_lock lock(mutex_);
    has_reply_ = false;
    send(fd_, request_);
    arrived_.wait(lock, [this] { return has_reply_; });
  }

 private:
  void take_replies() {
    std::array<uint8_t, kReplyBytes> reply{};
    while (receive(fd_, reply)) {
      const std::lock_guard lock(mutex_);
      has_reply_ = true;
      arrived_.notify_one();
    }
  }

  int fd_;
  std::array<uint8_t, kRequestBytes> request_{};
  std::mutex mutex_;
  std::condition_variable arrived_;
  bool has_reply_ = false;
  std::thread receiver_;
};

}  // namespace

double message_path_ns(uint64_t count) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  const pid_t server = ::fork();
  if (server < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (server == 0) {
    ::close(ends[0]);
    serve(ends[1]);
  }
  ::close(ends[1]);
  double best = 1e30;
  {
    Client client(ends[0]);
    for (int round = 0; round < kRounds; ++round) {
      const auto begin = std::chrono::steady_clock::now();
      for (uint64_t i = 0; i < count; ++i) client.round_trip();
      const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
      best = std::min(best, taken.count() / static_cast<double>(count));
    }
  }
  ::close(ends[0]);
  ::waitpid(server, nullptr, 0);
  return best;
}

}  // namespace npuvp::bench

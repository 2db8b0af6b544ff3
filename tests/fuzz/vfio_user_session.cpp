// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/vfio_user_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <systemc>

#include "tests/fuzz/fuzz_target.h"

namespace npuvp::fuzz {
namespace {

using Status = host::vfio_user::Server::Status;

constexpr uint64_t kPage = 4096;
/// Well above what one session can send; more means that the server goes round in circles.
constexpr int kMostMessages = 1 << 20;

Session* current = nullptr;

[[noreturn]] void cannot(const char* what) {
  report_finding(fmt::format("the harness cannot go on: {}: {}", what, std::strerror(errno)));
}

int memory_file(uint64_t pages) {
  const int fd = ::memfd_create("guest", MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(pages * kPage)) != 0) cannot("memfd");
  return fd;
}

int read_only(int fd) {
  const int other = ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_CLOEXEC);
  ::close(fd);
  return other;
}

int full_eventfd() {
  const int fd = ::eventfd(0, EFD_CLOEXEC);
  const uint64_t most = ~uint64_t{0} - 1;
  if (::write(fd, &most, sizeof most) != sizeof most) cannot("eventfd");
  return fd;
}

/// The writing end; without a reader, or without room.
int pipe_end(bool full) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) cannot("pipe");
  if (!full) {
    ::close(ends[0]);
    return ends[1];
  }
  // The reading end stays open through the writing one of the same file: /proc opens it for both.
  ::fcntl(ends[1], F_SETPIPE_SZ, kPage);
  const int both = ::open(fmt::format("/proc/self/fd/{}", ends[1]).c_str(), O_RDWR | O_CLOEXEC);
  const std::array<uint8_t, kPage> page{};
  if (both < 0 || ::write(both, page.data(), page.size()) != static_cast<ssize_t>(page.size())) cannot("pipe");
  ::close(ends[0]);
  ::close(ends[1]);
  return both;
}

}  // namespace

Session::Session(const MakeServer& make_server) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) cannot("socketpair");
  client_ = host::UniqueFd(ends[0]);
  server_ = make_server(host::UniqueFd(ends[1]));
  current = this;
}

Session::~Session() {
  current = nullptr;
}

int Session::poll_while_sending() {
  if (current == nullptr || !current->is_reading_) {
    if (current != nullptr) current->may_close_ = true;
    return 0;
  }
  current->read_replies();
  return 1;
}

void Session::play(std::span<const Record> records) {
  for (const auto& record : records) {
    if (!is_open()) return;
    step(record);
  }
  flush();
}

void Session::step(const Record& record) {
  is_reading_ = (record.twist & Record::kDoesNotRead) == 0;
  switch (static_cast<Action>(record.action % static_cast<uint8_t>(Action::kCount))) {
    case Action::kRun:
      flush();
      sc_core::wait(std::min(record.a, 1'000'000U), sc_core::SC_NS);
      return;
    case Action::kHangUp:
      flush();
      ::shutdown(client_.get(), SHUT_WR);
      may_close_ = true;
      serve();
      return;
    case Action::kRaw: {
      std::array<uint8_t, 12> bytes{};
      std::memcpy(bytes.data(), &record.a, sizeof record.a);
      std::memcpy(bytes.data() + sizeof record.a, &record.b, sizeof record.b);
      flush();
      oracle_.sent_raw(bytes);
      send_bytes(bytes, {});
      serve();
      return;
    }
    default:
      for (const auto& message : messages_of(record, next_id_)) {
        ++next_id_;
        send(message, record);
      }
  }
}

void Session::send(const ClientMessage& message, const Record& record) {
  std::vector<uint8_t> bytes(sizeof message.header);
  std::memcpy(bytes.data(), &message.header, sizeof message.header);
  bytes.insert(bytes.end(), message.payload.begin(), message.payload.end());
  // Descriptors belong to a message that is sent by itself.
  if (!message.fds.empty()) flush();
  if (!is_open()) return;
  oracle_.sent(message, bytes);
  if (message.fds.empty() && (record.twist & Record::kKeepBack) != 0) {
    kept_back_.insert(kept_back_.end(), bytes.begin(), bytes.end());
    return;
  }
  std::vector<host::UniqueFd> fds;
  std::vector<int> numbers;
  for (const auto kind : message.fds) {
    fds.emplace_back(open_fd(kind));
    numbers.push_back(fds.back().get());
  }
  std::span<const uint8_t> rest = bytes;
  if (static_cast<Twist>(record.twist & 15U) == Twist::kTwoPieces && kept_back_.empty()) {
    const size_t first = record.a % bytes.size();
    if (first > 0) send_bytes(rest.first(first), numbers);
    if (first > 0) numbers.clear();
    rest = rest.subspan(first);
    serve();
    if (!is_open()) return;
  }
  if (!kept_back_.empty()) {
    kept_back_.insert(kept_back_.end(), rest.begin(), rest.end());
    flush();
    return;
  }
  send_bytes(rest, numbers);
  serve();
}

void Session::flush() {
  if (kept_back_.empty()) return;
  const auto bytes = std::move(kept_back_);
  kept_back_.clear();
  send_bytes(bytes, {});
  serve();
}

void Session::send_bytes(std::span<const uint8_t> bytes, std::span<const int> fds) {
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(253 * sizeof(int))> control{};
  while (!bytes.empty() && is_open()) {
    iovec vector{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(fds.size_bytes());
      auto* part = CMSG_FIRSTHDR(&header);
      part->cmsg_level = SOL_SOCKET;
      part->cmsg_type = SCM_RIGHTS;
      part->cmsg_len = CMSG_LEN(fds.size_bytes());
      std::memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
    }
    const ssize_t sent = ::sendmsg(client_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(sent));
      fds = {};
    } else if (errno == EAGAIN) {
      serve();
    } else if (errno == EPIPE && may_close_) {
      return;
    } else {
      cannot("sendmsg");
    }
  }
}

void Session::serve() {
  for (int count = 0; is_open(); ++count) {
    if (count == kMostMessages) report_finding("the server finds ever more messages");
    const auto status = server_->handle_next();
    if (is_reading_) read_replies();
    if (status == Status::kNothing) return;
    if (status == Status::kClosed) {
      if (!may_close_) report_finding("the server has closed the connection");
      server_.reset();
    }
  }
}

void Session::read_replies() {
  std::array<uint8_t, 65536> buffer;
  for (;;) {
    const ssize_t bytes = ::recv(client_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (bytes <= 0) return;
    oracle_.received(std::span(buffer).first(static_cast<size_t>(bytes)));
    if (bytes < static_cast<ssize_t>(buffer.size())) return;
  }
}

int Session::open_fd(FdKind kind) {
  switch (kind) {
    case FdKind::kEventfd:
      return ::eventfd(0, EFD_CLOEXEC);
    case FdKind::kMemory:
    case FdKind::kSmallMemory:
    case FdKind::kHugeMemory:
      return memory_file(memory_pages(kind));
    case FdKind::kReadOnlyMemory:
      return read_only(memory_file(memory_pages(kind)));
    case FdKind::kFullEventfd:
      return full_eventfd();
    case FdKind::kBrokenPipe:
      return pipe_end(false);
    case FdKind::kFullPipe:
      return pipe_end(true);
    case FdKind::kConnection:
      return ::fcntl(client_.get(), F_DUPFD_CLOEXEC, 0);
    case FdKind::kDevice:
      return ::open("/dev/null", O_RDWR | O_CLOEXEC);
    case FdKind::kFolder:
    case FdKind::kCount:
      break;
  }
  return ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void Session::probe() {
  is_reading_ = true;
  if (!is_open()) return;
  serve();
  read_replies();
  if (!oracle_.at_boundary() || may_close_) return;
  if (oracle_.outstanding() != 0) report_finding(fmt::format("{} replies are missing", oracle_.outstanding()));
  // Whether it has been negotiated already does not matter here.
  for (const auto& record : {Record{static_cast<uint8_t>(Action::kVersion), 0, 0, 0, 0, 0},
                             Record{static_cast<uint8_t>(Action::kRegionRead), 0, 0, 0, 0, 0}}) {
    step(record);
  }
  constexpr std::array<uint8_t, 4> kIdentity{0x86, 0x80, 0x7f, 0xa7};
  const auto& reply = oracle_.last_payload();
  if (oracle_.outstanding() != 0 || reply.size() != 20 ||
      !std::equal(kIdentity.begin(), kIdentity.end(), reply.begin() + 16)) {
    report_finding(fmt::format("the VMD's identity cannot be read afterwards: errno {}", oracle_.last_error()));
  }
}

}  // namespace npuvp::fuzz

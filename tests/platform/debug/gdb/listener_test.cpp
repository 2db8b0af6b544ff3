// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <optional>

#include "platform/config/config_error.h"
#include "tests/platform/debug/gdb/fake_target.h"
#include "tests/platform/debug/hand_loop.h"

namespace npuvp::debug::gdb {
namespace {

using test::FakeTarget;
using testing::HasSubstr;
using testing::StartsWith;

/// A listener with its loop turned by hand.
class GdbListener : public testing::Test, protected npuvp::test::HandLoop {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(path_);
  }
  void listen(const std::string& place) {
    listener_.emplace(place, loop(), target_);
    listener_->on_detach([this] { ++detached_; });
  }
  host::UniqueFd connect_path() {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path_.c_str(), sizeof name.sun_path - 1);
    return connected(AF_UNIX, &name, sizeof name);
  }
  host::UniqueFd connect_port(uint32_t address) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    const std::string& place = listener_->address();
    name.sin_port = htons(static_cast<uint16_t>(std::stoi(place.substr(place.find(':') + 1))));
    name.sin_addr.s_addr = htonl(address);
    return connected(AF_INET, &name, sizeof name);
  }
  host::UniqueFd connected(int family, const void* name, socklen_t bytes) {
    host::UniqueFd peer(::socket(family, SOCK_STREAM, 0));
    if (::connect(peer.get(), static_cast<const sockaddr*>(name), bytes) != 0) peer.reset();
    turn();
    return peer;
  }
  std::string exchange(const host::UniqueFd& peer, const std::string& text) {
    (void)::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
    turn();
    std::string answer(1 << 16, '\0');
    const auto count = ::recv(peer.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    return count < 0 ? "nothing" : answer.substr(0, static_cast<size_t>(count));
  }

  std::string path_;
  FakeTarget target_;
  std::optional<Listener> listener_;
  int detached_ = 0;
};

TEST_F(GdbListener, ServesOneDebuggerAtATimeOnAPortOfThisMachine) {
  listen("0");
  EXPECT_THAT(listener_->address(), StartsWith("localhost:"));
  auto first = connect_port(INADDR_LOOPBACK);
  ASSERT_TRUE(first);
  EXPECT_TRUE(target_.attached);
  EXPECT_EQ(exchange(first, "$qC#b4"), "+$QC1#c5");
  const auto second = connect_port(INADDR_LOOPBACK);
  EXPECT_EQ(exchange(second, "$qC#b4"), "") << "closed";
  first.reset();
  turn();
  EXPECT_FALSE(target_.attached);
  EXPECT_EQ(detached_, 1);
  const auto third = connect_port(INADDR_LOOPBACK);
  EXPECT_EQ(exchange(third, "$D#44"), "+$OK#9a");
  EXPECT_FALSE(target_.attached);
  EXPECT_EQ(detached_, 2);
  EXPECT_EQ(watched(), 1U);
}

TEST_F(GdbListener, ServesASocketOfThisUserWhoseNameGoesWithIt) {
  listen(path_);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto peer = connect_path();
  EXPECT_EQ(exchange(peer, "$qC#b4"), "+$QC1#c5");
  listener_.reset();
  EXPECT_FALSE(target_.attached);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(watched(), 0U);
}

TEST_F(GdbListener, RefusesPlacesThatAreNoneInOneLine) {
  listen(path_);
  for (const auto& place : {path_, std::string("/nowhere/gdb"), "/" + std::string(200, 'x'), std::string("65536"),
                            std::string("port"), std::string("-1"), std::string("")}) {
    try {
      const Listener second(place, loop(), target_);
      FAIL() << place;
    } catch (const config::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("--gdb " + place + ": "));
    }
  }
}

TEST_F(GdbListener, DropsADebuggerThatDoesNotReadAndLetsTheTargetGo) {
  listen(path_);
  const auto peer = connect_path();
  std::string reads = "$QStartNoAckMode#b0";
  for (int each = 0; each < 100; ++each) reads += frame("m100000,2000");
  (void)::fcntl(peer.get(), F_SETFL, O_NONBLOCK);
  for (int each = 0; each < 100 && target_.attached; ++each) {
    (void)::send(peer.get(), reads.data(), reads.size(), MSG_NOSIGNAL);
    turn();
  }
  EXPECT_FALSE(target_.attached);
  EXPECT_EQ(watched(), 1U);
}

TEST_F(GdbListener, SurvivesAnyBytesAndSuddenEnds) {
  listen(path_);
  for (int seed = 0; seed < 200; ++seed) {
    const auto peer = connect_path();
    std::string bytes = "$";
    for (int each = 0; each < seed * 7 % 300; ++each) bytes += static_cast<char>(each * 31 + seed);
    (void)::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (seed % 2 == 0) turn();
  }
  turn();
  EXPECT_EQ(watched(), 1U);
}

}  // namespace
}  // namespace npuvp::debug::gdb

// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/monitor_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "platform/config/config_error.h"
#include "tests/platform/debug/hand_loop.h"

namespace npuvp::debug {
namespace {

using testing::HasSubstr;

/// A socket whose answers are the lines in brackets, with its loop turned by hand.
class MonitorSocketTest : public testing::Test, protected npuvp::test::HandLoop {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(path_);
    socket_.emplace(path_, loop(), [](std::string_view line) { return std::string("[").append(line).append("]"); });
  }

  host::UniqueFd connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    host::UniqueFd peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    turn();
    return peer;
  }

  std::string exchange(const host::UniqueFd& peer, const std::string& text) {
    EXPECT_EQ(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    turn();
    std::string answer(1 << 16, '\0');
    const auto count = ::recv(peer.get(), answer.data(), answer.size(), 0);
    return count < 0 ? "nothing" : answer.substr(0, static_cast<size_t>(count));
  }

  /// The other end has closed.
  static bool is_dropped(const host::UniqueFd& peer) {
    char byte = 0;
    ssize_t count = 0;
    while ((count = ::recv(peer.get(), &byte, 1, 0)) > 0) {
    }
    return count == 0 || errno == ECONNRESET;
  }

  std::string path_;
  std::optional<MonitorSocket> socket_;
};

TEST_F(MonitorSocketTest, AnswersLineByLineHoweverTheyArrive) {
  const auto peer = connect();
  EXPECT_EQ(exchange(peer, "one\n"), "[one]\n");
  EXPECT_EQ(exchange(peer, "two\nthree\n"), "[two]\n[three]\n");
  EXPECT_EQ(exchange(peer, "fo"), "nothing");
  EXPECT_EQ(exchange(peer, "ur\n\n"), "[four]\n[]\n");
}

TEST_F(MonitorSocketTest, IsForThisUserAndItsNameGoesWithIt) {
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  socket_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(watched(), 0U);
}

TEST_F(MonitorSocketTest, RefusesAPathThatExistsOrCannotBe) {
  for (const auto& path : {path_, std::string("/nowhere/monitor"), std::string(200, 'x')}) {
    try {
      MonitorSocket second(path, loop(), [](std::string_view) { return std::string(); });
      FAIL() << path;
    } catch (const config::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("--monitor " + path + ": "));
    }
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(MonitorSocketTest, DropsAPeerWhoseLineNeverEnds) {
  const auto peer = connect();
  EXPECT_THAT(exchange(peer, std::string(MonitorSocket::kMostLineBytes, 'x')), HasSubstr("a line of more than 4096"));
  EXPECT_TRUE(is_dropped(peer));
  EXPECT_EQ(watched(), 1U);
}

TEST_F(MonitorSocketTest, DropsAPeerThatFloodsOrDoesNotRead) {
  const auto flood = connect();
  EXPECT_THAT(exchange(flood, std::string(1000, '\n')), HasSubstr("too many lines"));
  EXPECT_TRUE(is_dropped(flood));

  const auto deaf = connect();
  const std::string line = std::string(1000, 'x') + "\n";
  for (int each = 0; each < 2000 && watched() == 2; ++each) {
    (void)::send(deaf.get(), line.data(), line.size(), MSG_NOSIGNAL);
    turn();
  }
  EXPECT_EQ(watched(), 1U);
}

TEST_F(MonitorSocketTest, HasRoomForEightPeersAndForNewOnesWhenTheyGo) {
  std::vector<host::UniqueFd> peers;
  for (size_t each = 0; each < MonitorSocket::kMostPeers; ++each) peers.push_back(connect());
  const auto ninth = connect();
  EXPECT_TRUE(is_dropped(ninth));
  peers.pop_back();
  turn();
  const auto tenth = connect();
  EXPECT_EQ(exchange(tenth, "x\n"), "[x]\n");
}

TEST_F(MonitorSocketTest, SurvivesAnyBytesAndSuddenEnds) {
  for (int seed = 0; seed < 200; ++seed) {
    const auto peer = connect();
    std::string bytes;
    for (int each = 0; each < seed * 7 % 300; ++each) bytes += static_cast<char>(each * 31 + seed);
    (void)::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (seed % 2 == 0) turn();
  }
  turn();
  EXPECT_EQ(watched(), 1U);
}

}  // namespace
}  // namespace npuvp::debug

// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/socket_guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace npuvp::host {
namespace {

bool gone_soon(const std::filesystem::path& path) {
  // The helper acts in its own time after the kill; this only bounds the wait.
  for (int tries = 0; tries < 1000 && std::filesystem::exists(path); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return !std::filesystem::exists(path);
}

TEST(SocketGuard, FolderIsPrivateAndGoesWithTheObject) {
  std::filesystem::path folder;
  {
    const SocketGuard guard({"socket"});
    folder = std::filesystem::path(guard.paths().front()).parent_path();
    EXPECT_EQ(std::filesystem::status(folder).permissions(), std::filesystem::perms::owner_all);
    std::ofstream(guard.paths().front()) << "stands for the socket";
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(SocketGuard, RemoveLeavesNothingAndMayBeRepeated) {
  SocketGuard guard({"socket"});
  std::ofstream(guard.paths().front()) << "stands for the socket";
  guard.remove();
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(guard.paths().front()).parent_path()));
  guard.remove();
}

TEST(SocketGuard, FolderGoesWhenTheOwnerIsKilled) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const SocketGuard guard({"socket"});
    std::ofstream(guard.paths().front()) << "stands for the socket";
    const std::string path = guard.paths().front();
    if (write(ends[1], path.c_str(), path.size() + 1) < 0) _exit(1);
    pause();
    _exit(0);
  }
  char path[256] = {};
  ASSERT_GT(read(ends[0], path, sizeof path - 1), 0);
  ASSERT_TRUE(std::filesystem::exists(path));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_TRUE(gone_soon(std::filesystem::path(path).parent_path()));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace npuvp::host

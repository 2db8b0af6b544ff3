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
#include <string>
#include <thread>
#include <vector>

#include "platform/config/config_error.h"

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

/// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "guard-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

TEST(SocketGuard, MakesTheFolderThatItWasTold) {
  const TestFolder outer;
  {
    const SocketGuard guard({"a", "b"}, outer / "inner");
    EXPECT_EQ(guard.paths(), (std::vector<std::string>{outer / "inner/a", outer / "inner/b"}));
    EXPECT_EQ(std::filesystem::status(outer / "inner").permissions(), std::filesystem::perms::owner_all);
    std::ofstream(guard.paths().back()) << "stands for the socket";
  }
  EXPECT_FALSE(std::filesystem::exists(outer / "inner"));
}

TEST(SocketGuard, LeavesOthersFilesInAFolderThatWasThere) {
  const TestFolder outer;
  std::filesystem::create_directory(outer / "inner");
  std::ofstream(outer / "inner/notes") << "not ours";
  {
    const SocketGuard guard({"a"}, outer / "inner");
    std::ofstream(guard.paths().front()) << "stands for the socket";
  }
  EXPECT_TRUE(std::filesystem::exists(outer / "inner/notes"));
  EXPECT_FALSE(std::filesystem::exists(outer / "inner/a"));
}

TEST(SocketGuard, RefusesANameThatExistsAndLeavesIt) {
  const TestFolder outer;
  std::filesystem::create_directory(outer / "inner");
  std::ofstream(outer / "inner/b") << "not ours";
  EXPECT_THROW(SocketGuard({"a", "b"}, outer / "inner"), config::ConfigError);
  EXPECT_TRUE(std::filesystem::exists(outer / "inner/b"));
}

TEST(SocketGuard, RefusesAFolderOfAnotherGuard) {
  const TestFolder outer;
  const SocketGuard first({"a"}, outer / "inner");
  std::ofstream(first.paths().front()) << "stands for the socket";
  EXPECT_THROW(SocketGuard({"b"}, outer / "inner"), config::ConfigError);
  EXPECT_TRUE(std::filesystem::exists(outer / "inner/a"));
}

TEST(SocketGuard, RefusesWhatCannotBeAFolder) {
  const TestFolder outer;
  std::ofstream(outer / "file") << "no folder";
  EXPECT_THROW(SocketGuard({"a"}, outer / "file"), config::ConfigError);
  EXPECT_THROW(SocketGuard({"a"}, outer / "none/inner"), config::ConfigError);
}

}  // namespace
}  // namespace npuvp::host

// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/cpio_archive.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace npuvp::host {
namespace {

/// Unpacks with the system's cpio, an independent reader of the format.
std::filesystem::path unpack(const std::string& archive, const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "archive", std::ios::binary) << archive;
  const std::string command = "cd '" + folder.string() + "' && cpio -idm --quiet < archive";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return folder;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(CpioArchive, FilesComeOutAsTheyWentIn) {
  CpioArchive archive;
  const std::string binary("\0\1\2\xff", 4);
  archive.add_file("root/demo/a.bin", binary);
  archive.add_file("root/demo/empty", "");
  archive.add_file("usr/bin/tool", std::string(70001, 'x'), 0755);
  const auto folder = unpack(archive.finish(), "cpio_files");
  EXPECT_EQ(contents(folder / "root/demo/a.bin"), binary);
  EXPECT_TRUE(std::filesystem::exists(folder / "root/demo/empty"));
  EXPECT_EQ(contents(folder / "usr/bin/tool"), std::string(70001, 'x'));
  EXPECT_NE(std::filesystem::status(folder / "usr/bin/tool").permissions() & std::filesystem::perms::owner_exec,
            std::filesystem::perms::none);
  std::filesystem::remove_all(folder);
}

TEST(CpioArchive, IsPaddedSoThatAnotherCanFollow) {
  CpioArchive archive;
  archive.add_file("a", "1");
  EXPECT_EQ(archive.finish().size() % 512, 0U);
  EXPECT_EQ(archive.finish(), archive.finish());
}

}  // namespace
}  // namespace npuvp::host

// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/cpio_archive.h"

#include <fmt/format.h>

namespace npuvp::host {
namespace {

constexpr uint32_t kFolder = 040755;
constexpr uint32_t kRegularFile = 0100000;
constexpr std::string_view kTrailer = "TRAILER!!!";

void pad(std::string& bytes, size_t alignment) {
  while (bytes.size() % alignment != 0) bytes.push_back('\0');
}

void append_entry(std::string& out, std::string_view path, std::string_view contents, uint32_t inode, uint32_t mode) {
  // magic, inode, mode, uid, gid, links, mtime, size, device x 2, special device x 2, name length with NUL, checksum
  out += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", inode,
                     mode, 0, 0, 1, 0, contents.size(), 0, 0, 0, 0, path.size() + 1, 0);
  out += path;
  out.push_back('\0');
  pad(out, 4);
  out += contents;
  pad(out, 4);
}

}  // namespace

void CpioArchive::add_entry(std::string_view path, std::string_view contents, uint32_t mode) {
  append_entry(bytes_, path, contents, inode_++, mode);
}

void CpioArchive::add_folders(std::string_view path) {
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    const std::string folder(path.substr(0, slash));
    if (folders_.find("\n" + folder + "\n") != std::string::npos) continue;
    folders_ += folder + "\n";
    add_entry(folder, "", kFolder);
  }
}

void CpioArchive::add_file(std::string_view path, std::string_view contents, uint32_t permissions) {
  add_folders(path);
  add_entry(path, contents, kRegularFile | permissions);
}

std::string CpioArchive::finish() const {
  std::string archive = bytes_;
  append_entry(archive, kTrailer, "", 0, 0);
  pad(archive, 512);
  return archive;
}

}  // namespace npuvp::host

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace npuvp::host {

/// Builds a "newc" cpio archive in memory, as the kernel unpacks it behind an initramfs (Linux
/// Documentation/driver-api/early-userspace/buffer-format.rst). Times and owners are zero: same input, same bytes.
class CpioArchive {
 public:
  /// Adds a regular file; folders on its path that nobody added yet are added first. `path` has no leading '/'.
  void add_file(std::string_view path, std::string_view contents, uint32_t permissions = 0644);

  /// The archive with its trailer, padded to 512 bytes so that another can follow.
  [[nodiscard]] std::string finish() const;

 private:
  void add_entry(std::string_view path, std::string_view contents, uint32_t mode);
  void add_folders(std::string_view path);

  std::string bytes_;
  std::string folders_ = "\n";  // "\nusr\nusr/share\n": those already added
  uint32_t inode_ = 1;
};

}  // namespace npuvp::host

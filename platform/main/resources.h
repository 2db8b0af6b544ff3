// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace npuvp::main {

/// Where the program finds what it needs at run time; fixed at build time, the cache by the build's NPUVP_CACHE_DIR.
struct Resources {
  std::string source_dir;
  std::string build_dir;
  std::string cache_dir;

  [[nodiscard]] std::string boards() const { return source_dir + "/platform/boards"; }
  [[nodiscard]] std::string data() const { return source_dir + "/data"; }
  [[nodiscard]] std::string rom() const { return build_dir + "/firmware/rom.bin"; }
  [[nodiscard]] std::string firmware() const { return build_dir + "/firmware/atom-ca22.bin"; }
  [[nodiscard]] std::string initramfs() const { return build_dir + "/guest/initramfs.cpio"; }
  [[nodiscard]] std::string qemu() const { return cache_dir + "/qemu-system-x86_64"; }
  [[nodiscard]] std::string kernel() const { return cache_dir + "/kernel/boot/vmlinux"; }
};

[[nodiscard]] Resources resources();

/// Contents of a file. Throws config::ConfigError that names `what` it is.
[[nodiscard]] std::string read_file(const std::string& path, const std::string& what);

/// Throws config::ConfigError when the file cannot be written.
void write_file(const std::string& path, const std::string& contents);

}  // namespace npuvp::main

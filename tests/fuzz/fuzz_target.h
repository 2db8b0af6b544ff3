// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// What libFuzzer, and replay.cpp in a normal build, call with each input; a target defines it. Returns 0; a finding
/// ends the process. Names and signature are libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace npuvp::fuzz {

/// Says what is wrong with the program under test and ends the process in the way that libFuzzer keeps the input of.
[[noreturn]] void report_finding(const std::string& what);

/// An input as a file without a name in any folder: for readers that take a path.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void assign(const void* data, size_t size);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

}  // namespace npuvp::fuzz

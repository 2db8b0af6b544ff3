// SPDX-License-Identifier: Apache-2.0
#include "sw/compiler/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "sw/compiler/error.h"

namespace npuvp::compiler {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void fail(const std::string& path, const char* action) {
  throw InputError(path, std::string(action) + ": " + std::strerror(errno));
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path, size_t limit) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    fail(path, "cannot open");
  }
  constexpr size_t kChunk = size_t{1} << 20;
  std::vector<std::byte> contents;
  size_t used = 0;
  for (;;) {
    contents.resize(used + kChunk);
    const size_t got = std::fread(contents.data() + used, 1, kChunk, file.get());
    used += got;
    if (used > limit) {
      throw InputError(path, "larger than " + std::to_string(limit >> 20) + " MiB; is it the right file?");
    }
    if (got < kChunk) {
      break;
    }
  }
  if (std::ferror(file.get()) != 0) {
    fail(path, "cannot read");
  }
  contents.resize(used);
  return contents;
}

void write_file(const std::string& path, std::span<const std::byte> contents) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) {
    fail(path, "cannot create");
  }
  if (std::fwrite(contents.data(), 1, contents.size(), file.get()) != contents.size() ||
      std::fclose(file.release()) != 0) {
    fail(path, "cannot write");
  }
}

}  // namespace npuvp::compiler

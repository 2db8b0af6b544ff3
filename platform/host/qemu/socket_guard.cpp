// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/socket_guard.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace npuvp::host {
namespace {

constexpr const char* kSocketName = "/vfio-user";

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Body of the helper: makes the folder, tells its name, and removes it when the other end is closed.
[[noreturn]] void guard_folder(int life_line, std::string folder) {
  // Not for the terminal's signals: it must see our end, however we end.
  setpgid(0, 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) signal(number, SIG_IGN);
  // Nobody may take a pipe for open because the helper holds it.
  close_range(0, static_cast<unsigned>(life_line) - 1, 0);
  close_range(static_cast<unsigned>(life_line) + 1, ~0U, 0);
  if (mkdtemp(folder.data()) == nullptr) _exit(1);
  const bool told = write(life_line, folder.data(), folder.size()) == static_cast<ssize_t>(folder.size());
  char byte = 0;
  while (told && read(life_line, &byte, 1) < 0 && errno == EINTR) {
  }
  unlink((folder + kSocketName).c_str());
  rmdir(folder.c_str());
  _exit(0);
}

}  // namespace

SocketGuard::SocketGuard() {
  const std::string pattern = (std::filesystem::temp_directory_path() / "npuvp-XXXXXX").string();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  life_line_ = UniqueFd(ends[0]);
  UniqueFd theirs(ends[1]);
  helper_ = fork();
  if (helper_ < 0) fail("fork");
  if (helper_ == 0) guard_folder(theirs.get(), pattern);
  theirs.reset();

  folder_.resize(pattern.size());
  ssize_t bytes = 0;
  while ((bytes = read(life_line_.get(), folder_.data(), folder_.size())) < 0 && errno == EINTR) {
  }
  if (bytes != static_cast<ssize_t>(folder_.size())) {
    remove();
    throw std::system_error(EACCES, std::generic_category(), "no temporary folder can be made as " + pattern);
  }
}

std::string SocketGuard::path() const {
  return folder_ + kSocketName;
}

void SocketGuard::remove() {
  if (helper_ < 0) return;
  life_line_.reset();
  while (waitpid(helper_, nullptr, 0) < 0 && errno == EINTR) {
  }
  helper_ = -1;
}

SocketGuard::~SocketGuard() {
  remove();
}

}  // namespace npuvp::host

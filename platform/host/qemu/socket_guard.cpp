// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/socket_guard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "platform/config/config_error.h"

namespace npuvp::host {
namespace {

/// First byte of what the helper says: the folder, or why there is none.
constexpr char kReady = '+';
constexpr char kFailed = '-';
constexpr size_t kLongestMessage = 8192;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

/// What the helper looks after.
struct SocketGuard::Place {
  std::string folder;  // for mkdtemp if temporary
  bool temporary;
  const std::vector<std::string>& names;
  bool was_made = false;
  bool is_ours = false;  // with the names in it

  /// Makes the folder ours. Returns why it cannot be, or nothing.
  std::string take() {
    if (temporary) {
      was_made = is_ours = mkdtemp(folder.data()) != nullptr;
      return is_ours ? "" : fmt::format("no temporary folder can be made as {}: {}", folder, std::strerror(errno));
    }
    was_made = mkdir(folder.c_str(), S_IRWXU) == 0;
    if (!was_made && errno != EEXIST) return fmt::format("{}: cannot be made: {}", folder, std::strerror(errno));
    // Held as long as this process lives.
    const int lock = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return fmt::format("{}: cannot be opened as a folder: {}", folder, std::strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
      return fmt::format("{}: another npuvp has its sockets there; give another folder", folder);
    }
    for (const auto& name : names) {
      struct stat status {};
      const auto path = folder + "/" + name;
      if (lstat(path.c_str(), &status) == 0) return fmt::format("{}: exists; remove it or give another folder", path);
    }
    is_ours = true;
    return "";
  }

  void clear() const {
    if (is_ours) {
      for (const auto& name : names) unlink((folder + "/" + name).c_str());
    }
    if (was_made) rmdir(folder.c_str());
  }
};

/// The helper: takes the place, tells, and clears it when the other end is closed.
std::string SocketGuard::start(const Place& place) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  life_line_ = UniqueFd(ends[0]);
  UniqueFd theirs(ends[1]);
  helper_ = fork();
  if (helper_ < 0) fail("fork");
  if (helper_ == 0) {
    const int life_line = theirs.get();
    // Not for the terminal's signals: it must see our end, however we end.
    setpgid(0, 0);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) signal(number, SIG_IGN);
    // Nobody may take a pipe for open because the helper holds it.
    close_range(0, static_cast<unsigned>(life_line) - 1, 0);
    close_range(static_cast<unsigned>(life_line) + 1, ~0U, 0);
    Place ours = place;
    const std::string reason = ours.take();
    const std::string message = reason.empty() ? kReady + ours.folder : kFailed + reason;
    const bool told = write(life_line, message.data(), message.size()) == static_cast<ssize_t>(message.size());
    char byte = 0;
    while (told && read(life_line, &byte, 1) < 0 && errno == EINTR) {
    }
    ours.clear();
    _exit(0);
  }
  theirs.reset();

  std::array<char, kLongestMessage> message;
  ssize_t bytes = 0;
  while ((bytes = read(life_line_.get(), message.data(), message.size())) < 0 && errno == EINTR) {
  }
  const std::string_view text(message.data(), bytes > 0 ? static_cast<size_t>(bytes) : 0);
  if (text.starts_with(kReady)) {
    folder_ = text.substr(1);
    return "";
  }
  remove();
  return text.empty() ? fmt::format("{}: the helper for sockets has died", place.folder) : std::string(text.substr(1));
}

SocketGuard::SocketGuard(std::vector<std::string> names) : names_(std::move(names)) {
  const auto pattern = (std::filesystem::temp_directory_path() / "npuvp-XXXXXX").string();
  const auto reason = start({.folder = pattern, .temporary = true, .names = names_});
  if (!reason.empty()) throw std::system_error(EACCES, std::generic_category(), reason);
}

SocketGuard::SocketGuard(std::vector<std::string> names, const std::string& folder) : names_(std::move(names)) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal().string();
  const auto reason = start({.folder = absolute, .temporary = false, .names = names_});
  if (!reason.empty()) throw config::ConfigError(reason);
}

std::vector<std::string> SocketGuard::paths() const {
  std::vector<std::string> paths;
  for (const auto& name : names_) paths.push_back((std::filesystem::path(folder_) / name).string());
  return paths;
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "platform/base/unique_fd.h"

namespace npuvp::host {

/// How to start the guest.
struct QemuOptions {
  std::string qemu;                         ///< Program.
  std::string kernel;                       ///< bzImage, or an ELF file with a PVH entry, which needs no decompression.
  std::string initramfs;                    ///< File; `extra_initramfs` is unpacked over it.
  std::string extra_initramfs;              ///< Contents of a cpio archive, may be empty.
  std::vector<std::string> card_arguments;  ///< By which the guest has our cards: qemu_arguments.h.
  bool interactive = false;                 ///< Console on this process's terminal instead of in console().
  bool kvm = false;                         ///< Hardware virtualisation instead of TCG.
  unsigned memory_mib = 1024;
  unsigned cpus = 1;
  std::vector<std::string> extra_arguments;  ///< Behind all others, as they are.
};

/// A QEMU child with the guest's virtio ports as sockets. Nothing of it has a name in the file system, and it dies with
/// this process whatever kills that.
class QemuProcess {
 public:
  /// Throws config::ConfigError if a file is missing, std::system_error if the system refuses.
  explicit QemuProcess(const QemuOptions& options);
  /// Kills the child if it still runs, and reaps it.
  ~QemuProcess();
  QemuProcess(const QemuProcess&) = delete;
  QemuProcess& operator=(const QemuProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable when the child has ended.
  [[nodiscard]] int exit_fd() const { return exit_fd_.get(); }
  /// What the child wrote to stderr and, unless interactive, what the guest wrote to its console.
  [[nodiscard]] int messages_fd() const { return messages_.get(); }
  [[nodiscard]] int console_fd() const { return console_.get(); }
  // Ports npuvp.command, npuvp.stdout, npuvp.stderr, npuvp.status of guest/init.
  [[nodiscard]] int command_fd() const { return command_.get(); }
  [[nodiscard]] int stdout_fd() const { return stdout_.get(); }
  [[nodiscard]] int stderr_fd() const { return stderr_.get(); }
  [[nodiscard]] int status_fd() const { return status_.get(); }

 private:
  [[noreturn]] void run_child(const std::vector<std::string>& arguments, int messages, pid_t parent);

  pid_t pid_ = -1;
  UniqueFd exit_fd_, messages_, console_, command_, stdout_, stderr_, status_;
};

}  // namespace npuvp::host

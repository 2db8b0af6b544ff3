// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/qemu_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "platform/config/config_error.h"
#include "platform/host/qemu/qemu_arguments.h"

namespace npuvp::host {
namespace {

/// Without self-tests and tables that nothing in this guest uses: guest/README.md. dpc-native: containment also at
/// switch ports, where the kernel else leaves it to firmware.
constexpr const char* kKernelArguments =
    "console=ttyS0 panic=-1 quiet loglevel=4 pcie_ports=dpc-native mitigations=off no_timer_check "
    "cryptomgr.notests "
    "initcall_blacklist=jent_mod_init,bpf_tcp_ca_kfunc_init,bpf_dummy_struct_ops_init,load_system_certificate_list,"
    "init_encrypted,crypto_kdf108_init";

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A connected pair: our end (non-blocking, closed on exec) and the child's end (inherited).
struct Channel {
  UniqueFd ours;
  UniqueFd theirs;

  Channel() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    ours = UniqueFd(ends[0]);
    theirs = UniqueFd(ends[1]);
    if (fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0 || fcntl(theirs.get(), F_SETFD, 0) != 0) fail("fcntl");
  }
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw config::ConfigError(path + ": cannot be read; run ./npuvp once to build and fetch what is missing");
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(int fd, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write to memfd");
    done += static_cast<size_t>(written);
  }
}

/// The initramfs as an anonymous file that the child inherits.
UniqueFd make_initramfs(const QemuOptions& options) {
  UniqueFd file(static_cast<int>(syscall(SYS_memfd_create, "initramfs", 0U)));
  if (!file) fail("memfd_create");
  write_all(file.get(), read_file(options.initramfs));
  write_all(file.get(), options.extra_initramfs);
  return file;
}

}  // namespace

QemuProcess::QemuProcess(const QemuOptions& options) {
  for (const auto* file : {&options.qemu, &options.kernel}) {
    if (access(file->c_str(), R_OK) != 0) {
      throw config::ConfigError(*file + ": not found; run ./npuvp once to fetch QEMU and the guest kernel");
    }
  }
  const UniqueFd initramfs = make_initramfs(options);
  Channel console;
  Channel command;
  Channel out;
  Channel err;
  Channel status;
  Channel messages;

  std::vector<std::string> arguments{options.qemu, "-nodefaults", "-display", "none", "-no-reboot"};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  };
  add({"-accel", options.kvm ? "kvm" : "tcg", "-cpu", options.kvm ? "host" : kEmulatedProcessor, "-smp",
       std::to_string(options.cpus)});
  const auto append = [&](const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  };
  append(machine_arguments(options.memory_mib));
  add({"-kernel", options.kernel, "-initrd", fmt::format("/proc/self/fd/{}", initramfs.get())});
  add({"-append", fmt::format("{} npuvp.mode={}", kKernelArguments, options.interactive ? "shell" : "command")});
  if (options.interactive) {
    add({"-serial", "mon:stdio"});
  } else {
    add({"-chardev", fmt::format("socket,id=console,fd={}", console.theirs.get()), "-serial", "chardev:console"});
  }
  add({"-device", "virtio-serial-pci"});
  const auto add_port = [&](const char* name, const Channel& channel) {
    add({"-chardev", fmt::format("socket,id={0},fd={1}", name, channel.theirs.get())});
    add({"-device", fmt::format("virtserialport,chardev={0},name=npuvp.{0}", name)});
  };
  add_port("command", command);
  add_port("stdout", out);
  add_port("stderr", err);
  add_port("status", status);
  append(options.card_arguments);
  append(options.extra_arguments);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) run_child(arguments, options.interactive ? STDERR_FILENO : messages.theirs.get(), parent);
  exit_fd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0U)));
  if (!exit_fd_) fail("pidfd_open");
  messages_ = std::move(messages.ours);
  console_ = std::move(console.ours);
  command_ = std::move(command.ours);
  stdout_ = std::move(out.ours);
  stderr_ = std::move(err.ours);
  status_ = std::move(status.ours);
}

void QemuProcess::run_child(const std::vector<std::string>& arguments, int messages, pid_t parent) {
  // The child must not outlive us, not even when we are killed; if that has happened already, leave at once.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  if (messages != STDERR_FILENO) {
    dup2(messages, STDOUT_FILENO);
    dup2(messages, STDERR_FILENO);
    // Keep the terminal's Ctrl-C for ourselves: we end the guest in order.
    setpgid(0, 0);
  }
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  dprintf(STDERR_FILENO, "%s: cannot be started\n", argv[0]);
  _exit(127);
}

QemuProcess::~QemuProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace npuvp::host

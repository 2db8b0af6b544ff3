// SPDX-License-Identifier: Apache-2.0
#include "tests/models/riscv/lockstep/reference.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace npuvp::riscv::test {
namespace {

/// The hart's extensions and no others, so that what is illegal there is illegal here.
constexpr const char* kCpu =
    "rv64i,m=true,a=true,f=true,d=true,c=true,u=true,zicsr=true,zifencei=true,zba=true,zbb=true,pmp=true,mmu=false,"
    "zicntr=true,zihpm=true,priv_spec=v1.12.0";

}  // namespace

Reference::Reference(const std::string& emulator, const std::string& plugin, const std::vector<uint8_t>& image) {
  std::string name = (std::filesystem::temp_directory_path() / "npuvp_lockstep_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be created");
  folder_ = name;
  const std::string program = name + "/program.bin", pipe = name + "/trace", log_file = name + "/log";
  std::ofstream(program, std::ios::binary)
      .write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
  if (mkfifo(pipe.c_str(), 0600) != 0) throw std::runtime_error(pipe + ": cannot be created");

  const std::string loader = "loader,file=" + program + ",addr=0x80000000,force-raw=on";
  const std::string trace = plugin + ",out=" + pipe;
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("no process can be started");
  if (process_ == 0) {
    const int file = open(log_file.c_str(), O_CREAT | O_WRONLY, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execlp(emulator.c_str(), emulator.c_str(), "-M", "virt", "-cpu", kCpu, "-bios", "none", "-display", "none",
           "-monitor", "none", "-serial", "none", "-device", loader.c_str(), "-plugin", trace.c_str(), nullptr);
    _exit(127);
  }
  // Opened without blocking: an emulator that fails must not hang the test.
  const int file = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  pollfd wait{file, POLLIN, 0};
  while (poll(&wait, 1, 50) == 0) {
    int status = 0;
    if (waitpid(process_, &status, WNOHANG) != process_) continue;
    process_ = -1;
    throw std::runtime_error(emulator + " ended with status " + std::to_string(WEXITSTATUS(status)) + ": " + log());
  }
  fcntl(file, F_SETFL, 0);
  stream_ = fdopen(file, "rb");
}

Reference::~Reference() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (process_ > 0) {
    kill(process_, SIGKILL);  // it may be deep in a write to the pipe that is closed now
    waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Reference::log() const {
  std::ifstream file(folder_ / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Reference::next() {
  record_header header;
  if (std::fread(&header, sizeof header, 1, stream_) != 1) return false;
  if (header.changes > RECORD_REGISTERS) throw std::runtime_error("the reference's trace is damaged");
  std::array<record_change, RECORD_REGISTERS> changes;
  if (std::fread(changes.data(), sizeof changes[0], header.changes, stream_) != header.changes) return false;
  for (uint64_t i = 0; i < header.changes; ++i) registers_.at(changes[i].index) = changes[i].value;
  pc_ = header.pc;
  return true;
}

}  // namespace npuvp::riscv::test

// SPDX-License-Identifier: Apache-2.0
// npuvp bench pcie: what the host side of the fabric costs.
//   guest   a register read and a posted register write by a program in a guest, of the card and, in the same boot, of
//           QEMU's own device edu; and the message path by itself (message_path.h), measured before and after. A write
//           is over for the guest's processor when it is in the socket
//   server-1, server-16   in-process (fabric_load.cpp): accesses of the host per second of host time, beside a bare TLM
//           target; host seconds for a gigabyte that the cards, all at the same time, read from host memory, beside
//           memcpy
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tests/bench/bench_report.h"
#include "tests/bench/message_path.h"

namespace {

using npuvp::bench::Report;

constexpr uint64_t kGuestAccesses = 500;
constexpr uint64_t kRoundTrips = 500;

// Vendor, device, register to read, register to write, as guest_mmio takes them. The card: ID, and the last word of the
// message to the card, which means nothing before the doorbell. edu: identification, and the card liveness check.
constexpr const char* kCard = "1eff:1220:0:3c";
constexpr const char* kEdu = "1234:11e8:0:4";
constexpr const char* kCardDevice = "1eff:1220";
constexpr const char* kEduDevice = "1234:11e8";
// What must have been read: MAILBOX_HOST ID; edu's version 1.0.
constexpr uint32_t kCardValue = 0x3055'504e;
constexpr uint32_t kEduValue = 0x0100'00ed;

struct AccessTimes {
  double read_ns;
  double write_ns;
  uint32_t value;  ///< That was read last.
};

/// Standard output of a command; none if it failed.
std::optional<std::string> output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 4096> buffer;
  for (size_t bytes = 0; (bytes = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), bytes);
  }
  if (::pclose(pipe) != 0) return {};
  return text;
}

/// Times by device; empty if the guest did not get there.
std::map<std::string, AccessTimes> measure_in_guest() {
  const std::string command = fmt::format(
      "'{}' qemu --qemu-arg=-device --qemu-arg=edu --file '{}:/root/guest_mmio' -- "
      "'chmod +x /root/guest_mmio && /root/guest_mmio {} {} {}'",
      NPUVP_PROGRAM, NPUVP_GUEST_MMIO, kGuestAccesses, kCard, kEdu);
  const auto text = output_of(command);
  if (!text) return {};
  std::map<std::string, AccessTimes> times;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const auto json = nlohmann::json::parse(text->substr(begin, end - begin), nullptr, false);
    if (json.is_object()) times[json.at("device")] = {json.at("read_ns"), json.at("write_ns"), json.at("value")};
    begin = end + 1;
  }
  return times;
}

/// False if the guest could not be run.
bool report_guest(Report& report) {
  // On both sides of the boot: the machine may have been busier at one.
  const double before = npuvp::bench::message_path_ns(kRoundTrips);
  const auto times = measure_in_guest();
  const double path_ns = std::min(before, npuvp::bench::message_path_ns(kRoundTrips));
  if (!times.contains(kCardDevice) || !times.contains(kEduDevice)) {
    fmt::print(stderr,
               "npuvp: the guest did not measure both devices; try: npuvp qemu --qemu-arg=-device --qemu-arg=edu -- "
               "lspci\n");
    return false;
  }
  const auto& card = times.at(kCardDevice);
  const auto& edu = times.at(kEduDevice);
  if (card.value != kCardValue || edu.value != kEduValue) {
    fmt::print(stderr, "npuvp: the guest read {:#x} from the card and {:#x} from edu, not {:#x} and {:#x}\n",
               card.value, edu.value, kCardValue, kEduValue);
    return false;
  }
  report.add("pcie.guest.read", card.read_ns / 1e3, "us", "QEMU's device edu", edu.read_ns / 1e3);
  report.add("pcie.guest.read.path", card.read_ns / 1e3, "us", "message path and edu", (path_ns + edu.read_ns) / 1e3);
  report.add("pcie.message_path", path_ns / 1e3, "us", "QEMU's device edu", edu.read_ns / 1e3);
  report.add("pcie.guest.write", card.write_ns / 1e3, "us", "QEMU's device edu", edu.write_ns / 1e3);
  return true;
}

/// The host's own accesses and the cards' traffic on `board`, in-process. False if that failed.
bool report_in_process(Report& report, const std::string& board) {
  const auto text = output_of(fmt::format("'{}' {}", NPUVP_FABRIC_LOAD, board));
  const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!json.is_object()) {
    fmt::print(stderr, "npuvp: the load on board {} failed; try: npuvp boot --board {}\n", board, board);
    return false;
  }
  const double accesses = json.at("accesses");
  const auto rate = [&](const char* key) { return accesses / json.at(key).get<double>() / 1e3; };
  const std::string bare = "bare TLM target";
  report.add(fmt::format("pcie.{}.config_reads", board), rate("config_seconds"), "thousand/s", bare,
             rate("bare_seconds"));
  report.add(fmt::format("pcie.{}.register_reads", board), rate("read_seconds"), "thousand/s", bare,
             rate("bare_seconds"));
  const double gigabytes = json.at("gigabytes");
  report.add(fmt::format("pcie.{}.move", board), json.at("move_seconds").get<double>() / gigabytes, "s/GB", "memcpy",
             json.at("memcpy_seconds").get<double>() / gigabytes);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Report report(argc, argv);
  if (!report_in_process(report, "server-1") || !report_in_process(report, "server-16")) return 1;
  if (!report_guest(report)) return 1;
  return report.finish();
}

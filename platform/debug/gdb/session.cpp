// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/gdb/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace npuvp::debug::gdb {
namespace {

constexpr const char* kOk = "OK";
constexpr const char* kUnknown = "";  // the protocol's answer to what a stub does not know
constexpr const char* kBadPacket = "E01";
constexpr const char* kNoMemory = "E0e";    // EFAULT
constexpr const char* kBadValue = "E16";    // EINVAL
constexpr const char* kNoResource = "E1c";  // ENOSPC

constexpr unsigned kSignalInterrupt = 2;
constexpr unsigned kSignalTrap = 5;
constexpr size_t kOutputBytes = 1024;  // of one packet with a command's output

std::string value_hex(const RegisterValue& reg) {
  if (!reg.value) return std::string(2 * static_cast<size_t>(reg.bytes), 'x');
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  for (unsigned i = 0; i < bytes.size(); ++i) bytes.at(i) = static_cast<uint8_t>(*reg.value >> (8 * i));
  return to_hex(std::span(bytes).first(reg.bytes));
}

/// A register's bytes in the order of the target's memory, little-endian.
std::optional<uint64_t> value_of(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->empty() || bytes->size() > sizeof(uint64_t)) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < bytes->size(); ++i) value |= static_cast<uint64_t>((*bytes)[i]) << (8 * i);
  return value;
}

/// An address and a length behind a comma each.
std::optional<std::pair<uint64_t, uint64_t>> take_place(Scanner& scanner) {
  if (!scanner.take(",")) return std::nullopt;
  const auto address = scanner.take_number();
  if (!address || !scanner.take(",")) return std::nullopt;
  const auto bytes = scanner.take_number();
  if (!bytes) return std::nullopt;
  return std::pair{*address, *bytes};
}

std::string_view text_of(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Session::Session(Target& target, Send send) : target_(target), send_(std::move(send)) {
  target_.attach([this](const Stop& stop) { stopped(stop); });
}

Session::~Session() {
  target_.detach();
}

bool Session::receive(std::string_view bytes) {
  reader_.take(bytes, [this](PacketReader::Kind kind, std::string_view payload) {
    if (!failed_ && !ended_) handle(kind, payload);
  });
  return !failed_ && !ended_;
}

void Session::handle(PacketReader::Kind kind, std::string_view payload) {
  switch (kind) {
    case PacketReader::Kind::kAcknowledged:
      return;
    case PacketReader::Kind::kRefused:
      if (acknowledges_ && !last_sent_.empty()) send_(last_sent_);
      return;
    case PacketReader::Kind::kBadChecksum:
      if (acknowledges_) send_("-");
      return;
    case PacketReader::Kind::kTooLong:
      failed_ = true;
      return;
    case PacketReader::Kind::kInterrupt:
      if (!running_) return;
      target_.halt();
      stopped({.thread = current_, .reason = Stop::Reason::kInterrupt});
      return;
    case PacketReader::Kind::kPacket:
      break;
  }
  if (acknowledges_) send_("+");
  if (const Reply reply = answer(payload)) send(*reply);
  acknowledges_ = acknowledges_after_reply_;
}

void Session::send(std::string_view payload) {
  last_sent_ = frame(payload);
  send_(last_sent_);
}

void Session::stopped(const Stop& stop) {
  if (!running_) return;
  running_ = false;
  stop_ = stop;
  current_ = stop.thread;
  send(describe(stop));
}

std::string Session::describe(const Stop& stop) const {
  const bool interrupted = stop.reason == Stop::Reason::kInterrupt;
  std::string text = fmt::format("T{:02x}thread:{:x};", interrupted ? kSignalInterrupt : kSignalTrap, stop.thread + 1);
  if (stop.reason != Stop::Reason::kPoint) return text;
  switch (stop.point) {
    case PointKind::kSoftware:
      return text + (tells_breakpoints_ ? "swbreak:;" : "");
    case PointKind::kHardware:
      return text + (tells_breakpoints_ ? "hwbreak:;" : "");
    case PointKind::kWrite:
      return text + fmt::format("watch:{:x};", stop.address);
    case PointKind::kRead:
      return text + fmt::format("rwatch:{:x};", stop.address);
    case PointKind::kAccess:
      return text + fmt::format("awatch:{:x};", stop.address);
  }
  return text;
}

Session::Reply Session::answer(std::string_view packet) {
  if (packet.empty()) return kUnknown;
  const std::string_view arguments = packet.substr(1);
  switch (packet.front()) {
    case '?':
      return describe(stop_);
    case 'c':
      return resume_all(ThreadAction::kContinue);
    case 'D':
    case 'k':
      ended_ = true;
      return packet.front() == 'D' ? Reply(kOk) : std::nullopt;
    case 'g':
      return read_registers();
    case 'G':
      return write_registers(arguments);
    case 'H':
      return select_thread(arguments);
    case 'm':
      return read_memory(arguments);
    case 'M':
      return write_memory(arguments, false);
    case 'p':
      return read_register(arguments);
    case 'P':
      return write_register(arguments);
    case 'q':
    case 'Q':
      return answer_query(packet);
    case 's':
      return resume_all(ThreadAction::kStep);
    case 'T':
      return thread_of(arguments) ? kOk : kBadValue;
    case 'v':
      return answer_v(packet);
    case 'X':
      return write_memory(arguments, true);
    case 'z':
      return change_point(arguments, false);
    case 'Z':
      return change_point(arguments, true);
    default:
      return kUnknown;
  }
}

Session::Reply Session::answer_query(std::string_view packet) {
  Scanner scanner(packet);
  if (scanner.take("qSupported")) return supported(scanner.rest());
  if (scanner.take("qXfer:")) return transfer(scanner.rest());
  if (scanner.take("qRcmd,")) return command(scanner.rest());
  if (packet == "QStartNoAckMode") {
    acknowledges_after_reply_ = false;
    return kOk;
  }
  if (packet == "qC") return fmt::format("QC{:x}", current_ + 1);
  if (packet == "qfThreadInfo") return thread_list();
  if (packet == "qsThreadInfo") return "l";
  if (packet == "qAttached") return "1";
  if (scanner.take("qThreadExtraInfo,")) {
    const auto thread = thread_of(scanner.rest());
    return thread ? to_hex(bytes_of(target_.thread_name(*thread))) : kBadValue;
  }
  return kUnknown;
}

Session::Reply Session::answer_v(std::string_view packet) {
  Scanner scanner(packet);
  if (packet == "vCont?") return "vCont;c;C;s;S";
  if (scanner.take("vCont;")) return resume_by_list(scanner.rest());
  if (scanner.take("vKill")) {
    ended_ = true;
    return kOk;
  }
  return kUnknown;
}

std::string Session::supported(std::string_view features) {
  tells_breakpoints_ = features.find("swbreak+") != features.npos && features.find("hwbreak+") != features.npos;
  return fmt::format(
      "PacketSize={:x};QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;swbreak+;hwbreak+;vContSupported+",
      kMostPacketBytes);
}

/// OBJECT:read:ANNEX:OFFSET,LENGTH; the answer is a piece of the object with m (more follows) or l (the last) before
/// it.
std::string Session::transfer(std::string_view request) const {
  Scanner scanner(request);
  const std::string_view object = scanner.take_until(':');
  if (!scanner.take("read:")) return kUnknown;
  const std::string_view annex = scanner.take_until(':');
  const auto offset = scanner.take_number();
  const auto length = scanner.take(",") ? scanner.take_number() : std::nullopt;
  if (!offset || !length || !scanner.done()) return kBadPacket;
  std::string contents;
  if (object == "features" && annex == "target.xml") {
    contents = target_.description();
  } else if (object == "threads" && annex.empty()) {
    contents = thread_xml();
  } else {
    return object == "features" ? "E00" : kUnknown;
  }
  if (*offset > contents.size()) return kBadValue;
  // Escaping may double what is sent.
  const uint64_t most = std::min<uint64_t>(*length, kMostPacketBytes / 2 - 1);
  const std::string_view piece = std::string_view(contents).substr(*offset, most);
  return fmt::format("{}{}", *offset + piece.size() < contents.size() ? 'm' : 'l', escape(piece));
}

std::string Session::command(std::string_view hex) {
  const auto line = from_hex(hex);
  if (!line) return kBadPacket;
  const std::string output = target_.monitor(text_of(*line));
  for (size_t at = 0; at < output.size(); at += kOutputBytes) {
    send(fmt::format("O{}", to_hex(bytes_of(std::string_view(output).substr(at, kOutputBytes)))));
  }
  return kOk;
}

std::optional<unsigned> Session::thread_of(std::string_view id) const {
  Scanner scanner(id);
  const auto number = scanner.take_number();
  if (!number || !scanner.done() || *number > target_.thread_count()) return std::nullopt;
  return *number == 0 ? current_ : static_cast<unsigned>(*number) - 1;
}

std::string Session::select_thread(std::string_view arguments) {
  if (arguments.empty()) return kBadPacket;
  const std::string_view id = arguments.substr(1);
  if (id == "-1") return kOk;
  const auto thread = thread_of(id);
  if (!thread) return kBadValue;
  if (arguments.front() == 'g') current_ = *thread;
  return kOk;
}

std::string Session::thread_list() const {
  std::string list = "m";
  for (unsigned thread = 0; thread < target_.thread_count(); ++thread) {
    list += fmt::format("{}{:x}", thread == 0 ? "" : ",", thread + 1);
  }
  return list;
}

std::string Session::thread_xml() const {
  std::string xml = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (unsigned thread = 0; thread < target_.thread_count(); ++thread) {
    xml +=
        fmt::format("<thread id=\"{:x}\" core=\"{}\" name=\"{}\"/>\n", thread + 1, thread, target_.thread_name(thread));
  }
  return xml + "</threads>\n";
}

std::string Session::read_registers() {
  std::string hex;
  for (unsigned number = 0; number < target_.general_registers(); ++number) {
    hex += value_hex(target_.read_register(current_, number).value_or(RegisterValue{}));
  }
  return hex;
}

std::string Session::write_registers(std::string_view hex) {
  for (unsigned number = 0; number < target_.general_registers(); ++number) {
    const auto reg = target_.read_register(current_, number).value_or(RegisterValue{});
    const size_t digits = 2 * static_cast<size_t>(reg.bytes);
    const auto value = hex.size() < digits ? std::nullopt : value_of(hex.substr(0, digits));
    if (!value) return kBadPacket;
    hex.remove_prefix(digits);
    target_.write_register(current_, number, *value);
  }
  return hex.empty() ? kOk : kBadPacket;
}

std::string Session::read_register(std::string_view arguments) {
  Scanner scanner(arguments);
  const auto number = scanner.take_number();
  if (!number || !scanner.done()) return kBadPacket;
  const auto reg = target_.read_register(current_, *number);
  return reg ? value_hex(*reg) : kBadValue;
}

std::string Session::write_register(std::string_view arguments) {
  Scanner scanner(arguments);
  const auto number = scanner.take_number();
  const auto value = scanner.take("=") ? value_of(scanner.rest()) : std::nullopt;
  if (!number || !value) return kBadPacket;
  return target_.write_register(current_, *number, *value) ? kOk : kBadValue;
}

std::string Session::read_memory(std::string_view arguments) {
  Scanner scanner(arguments);
  const auto address = scanner.take_number();
  const auto length = scanner.take(",") ? scanner.take_number() : std::nullopt;
  if (!address || !length || !scanner.done()) return kBadPacket;
  std::vector<uint8_t> data(std::min<uint64_t>(*length, kMostPacketBytes / 2));
  const size_t count = target_.read_memory(current_, *address, data);
  if (count == 0 && !data.empty()) return kNoMemory;
  return to_hex(std::span(data).first(count));
}

/// ADDRESS,LENGTH:DATA
std::string Session::write_memory(std::string_view arguments, bool binary) {
  Scanner scanner(arguments);
  const auto address = scanner.take_number();
  const auto length = scanner.take(",") ? scanner.take_number() : std::nullopt;
  if (!address || !length || !scanner.take(":")) return kBadPacket;
  std::vector<uint8_t> data;
  if (binary) {
    const auto raw = unescape(scanner.rest());
    if (!raw) return kBadPacket;
    data.assign(raw->begin(), raw->end());
  } else {
    auto bytes = from_hex(scanner.rest());
    if (!bytes) return kBadPacket;
    data = std::move(*bytes);
  }
  if (data.size() != *length) return kBadPacket;
  if (data.empty()) return kOk;  // GDB asks in this way whether X is known
  return target_.write_memory(current_, *address, data) ? kOk : kNoMemory;
}

/// KIND,ADDRESS,BYTES; conditions and commands behind a ';' are the debugger's own business.
std::string Session::change_point(std::string_view arguments, bool insert) {
  Scanner scanner(arguments);
  const auto kind = scanner.take_number();
  if (kind && *kind >= kPointKinds) return kUnknown;
  const auto place = take_place(scanner);
  if (!kind || !place) return kBadPacket;
  const auto& [address, bytes] = *place;
  const auto point = static_cast<PointKind>(*kind);
  if (insert) return target_.insert_point(point, address, bytes) ? kOk : kNoResource;
  target_.remove_point(point, address, bytes);
  return kOk;
}

Session::Reply Session::resume_all(ThreadAction action) {
  if (running_) return kBadPacket;
  std::vector<ThreadAction> actions(target_.thread_count(), ThreadAction::kContinue);
  actions.at(current_) = action;
  running_ = true;
  target_.resume(actions);
  return std::nullopt;
}

/// ACTION[:THREAD];...: for each thread the leftmost action that names it, or names none, counts.
Session::Reply Session::resume_by_list(std::string_view list) {
  if (running_) return kBadPacket;
  const unsigned count = target_.thread_count();
  std::vector<std::optional<ThreadAction>> chosen(count);
  for (Scanner scanner(list); !scanner.done();) {
    Scanner item(scanner.take_until(';'));
    const std::string_view action = item.take_until(':');
    if (action.empty()) return kBadPacket;
    const bool steps = action.front() == 's' || action.front() == 'S';
    if (!steps && action.front() != 'c' && action.front() != 'C') return kBadPacket;
    const bool all = item.done() || item.rest() == "-1";
    const auto one = all ? std::nullopt : thread_of(item.rest());
    if (!all && !one) return kBadValue;
    for (unsigned thread = 0; thread < count; ++thread) {
      if ((all || thread == *one) && !chosen[thread]) {
        chosen[thread] = steps ? ThreadAction::kStep : ThreadAction::kContinue;
      }
    }
  }
  std::vector<ThreadAction> actions;
  for (const auto& each : chosen) actions.push_back(each.value_or(ThreadAction::kStay));
  if (std::all_of(actions.begin(), actions.end(), [](ThreadAction each) { return each == ThreadAction::kStay; })) {
    return kBadPacket;
  }
  running_ = true;
  target_.resume(actions);
  return std::nullopt;
}

}  // namespace npuvp::debug::gdb

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/debug/gdb/packet.h"
#include "platform/debug/gdb/target.h"

namespace npuvp::debug::gdb {

/// One debugger's connection: answers packets of GDB's remote serial protocol (GDB manual, appendix "Remote Protocol")
/// in all-stop mode. Threads have the ids 1, 2, ...; knows nothing of sockets. The target is attached as long as the
/// session lives. Any bytes may come.
class Session {
 public:
  using Send = std::function<void(std::string_view bytes)>;

  Session(Target& target, Send send);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes what the debugger has sent. False: the connection is to be closed.
  [[nodiscard]] bool receive(std::string_view bytes);
  /// The debugger has said that it goes, by detach or kill.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  using Reply = std::optional<std::string>;  ///< Nothing: there is none now.

  void handle(PacketReader::Kind kind, std::string_view payload);
  void send(std::string_view payload);
  Reply answer(std::string_view packet);
  Reply answer_query(std::string_view packet);
  Reply answer_v(std::string_view packet);
  std::string supported(std::string_view features);
  std::string transfer(std::string_view request) const;
  std::string command(std::string_view hex);
  std::string select_thread(std::string_view arguments);
  std::string thread_list() const;
  std::string thread_xml() const;
  std::string read_registers();
  std::string write_registers(std::string_view hex);
  std::string read_register(std::string_view arguments);
  std::string write_register(std::string_view arguments);
  std::string read_memory(std::string_view arguments);
  std::string write_memory(std::string_view arguments, bool binary);
  std::string change_point(std::string_view arguments, bool insert);
  Reply resume_all(ThreadAction action);
  Reply resume_by_list(std::string_view actions);
  void stopped(const Stop& stop);
  [[nodiscard]] std::string describe(const Stop& stop) const;
  /// Index of the thread with this id in a packet; 0 ("any") gives the current one, nothing if there is none such.
  [[nodiscard]] std::optional<unsigned> thread_of(std::string_view id) const;

  Target& target_;
  Send send_;
  PacketReader reader_;
  std::string last_sent_;
  Stop stop_;
  unsigned current_ = 0;  ///< Thread of the last Hg packet.
  bool acknowledges_ = true;
  bool acknowledges_after_reply_ = true;  ///< QStartNoAckMode acts behind its own reply.
  bool tells_breakpoints_ = false;        ///< The debugger knows swbreak and hwbreak.
  bool running_ = false;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace npuvp::debug::gdb

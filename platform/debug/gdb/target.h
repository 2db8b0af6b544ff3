// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npuvp::debug::gdb {

/// Kinds of breakpoints and watchpoints, with the protocol's numbers (packets Z0 to Z4).
enum class PointKind : uint8_t { kSoftware = 0, kHardware = 1, kWrite = 2, kRead = 3, kAccess = 4 };
inline constexpr unsigned kPointKinds = 5;

/// Why the threads have stopped.
struct Stop {
  enum class Reason : uint8_t {
    kAttached,    ///< Because a debugger has come.
    kInterrupt,   ///< The debugger asked for it.
    kStep,        ///< One instruction is done.
    kPoint,       ///< At a breakpoint or watchpoint of `point`.
    kBreakpoint,  ///< At an EBREAK of the program's own.
  };
  unsigned thread = 0;  ///< The one it is about.
  Reason reason = Reason::kAttached;
  PointKind point = PointKind::kSoftware;
  uint64_t address = 0;  ///< Of the watchpoint.
};

enum class ThreadAction : uint8_t { kStay, kContinue, kStep };

struct RegisterValue {
  unsigned bytes = 8;
  std::optional<uint64_t> value;  ///< Nothing: the register is there but cannot be read now.
};

/// What a session debugs: some threads (numbered from 0) that share one memory and stop and run together. Addresses
/// and lengths come from a peer that is not trusted: nothing may be assumed of them.
class Target {
 public:
  using StopHandler = std::function<void(const Stop& stop)>;

  virtual ~Target() = default;

  [[nodiscard]] virtual unsigned thread_count() const = 0;
  [[nodiscard]] virtual std::string thread_name(unsigned thread) const = 0;
  /// Target description in XML (GDB manual, appendix "Target Descriptions"); constant while attached.
  [[nodiscard]] virtual std::string description() const = 0;
  /// Registers 0 .. general_registers() - 1 make up packet g.
  [[nodiscard]] virtual unsigned general_registers() const = 0;
  /// Nothing if there is no register of that number.
  [[nodiscard]] virtual std::optional<RegisterValue> read_register(unsigned thread, uint64_t number) = 0;
  virtual bool write_register(unsigned thread, uint64_t number, uint64_t value) = 0;

  /// Returns the bytes read, from the first on; less than asked for where memory ends.
  [[nodiscard]] virtual size_t read_memory(unsigned thread, uint64_t address, std::span<uint8_t> data) = 0;
  /// All or an error.
  [[nodiscard]] virtual bool write_memory(unsigned thread, uint64_t address, std::span<const uint8_t> data) = 0;

  /// Twice the same is once. False: there is no room, or such a one is not possible.
  [[nodiscard]] virtual bool insert_point(PointKind kind, uint64_t address, uint64_t bytes) = 0;
  virtual void remove_point(PointKind kind, uint64_t address, uint64_t bytes) = 0;

  /// A debugger has come: all threads stop. From now on stops that halt() did not make are told to `handler`.
  virtual void attach(StopHandler handler) = 0;
  /// It has gone: its points are removed, all threads run.
  virtual void detach() = 0;
  /// One action a thread; those that stay do so until the next stop of any of them.
  virtual void resume(std::span<const ThreadAction> actions) = 0;
  /// All threads have stopped when this returns.
  virtual void halt() = 0;

  /// A line of the debugger's `monitor` command; returns text for people, each line with its end.
  [[nodiscard]] virtual std::string monitor(std::string_view line) = 0;
};

}  // namespace npuvp::debug::gdb

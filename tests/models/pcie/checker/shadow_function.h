// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/models/pcie/checker/register_tables.h"

namespace npuvp::tests::checker {

/// A memory BAR as the platform under test was told to build it.
struct BarLayout {
  unsigned index;
  uint64_t bytes;
  bool is_64bit = true;
  bool prefetchable = false;
};

/// What a configuration space must read as, bit by bit: believed value, and whether it can be known. Built from the
/// power-on contents (what the implementation may choose) and register_tables.h (what it may not).
///
/// Optional bits are undecided until a write shows which choice was made, and must then stay with it. Bits that an
/// error or undefined use of a register may have changed are unknown until they are read, and must then stay as read.
class ShadowFunction {
 public:
  enum class Reset : uint8_t { kPower, kHot, kFunctionLevel };
  static constexpr unsigned kBytes = 4096;

  ShadowFunction(std::string name, FunctionKind kind) : name_(std::move(name)), kind_(kind) {}

  /// Walks the capability lists and takes over the contents, which must be those after power on. Returns what is wrong
  /// with them, empty: nothing. `virtual_bars`: of the SR-IOV capability.
  std::vector<std::string> learn(Reader& reader, const std::vector<BarLayout>& bars = {},
                                 const std::vector<BarLayout>& virtual_bars = {});
  [[nodiscard]] bool is_learned() const { return learned_; }

  /// Compares what was read with what is believed, and believes it. Empty: as it must be.
  std::string check_read(unsigned offset, unsigned bytes, uint32_t value);
  void write(unsigned offset, unsigned bytes, uint32_t value);
  void reset(Reset kind);

  /// An error may have been logged here: status bits that were 0 become unknown.
  void note_event();
  /// This bit of Device Status is now set for certain: an Unsupported Request was refused here.
  void note_unsupported_request(const char* reason) {
    set_bits(express_ + 0xa, 2, 0x8, 0x8);
    refusal_ = reason;
  }
  /// An Unsupported Request may have been logged here.
  void maybe_unsupported_request();

  /// Forgets bits: the specification does not say what they are now.
  void forget(unsigned offset, unsigned bytes, uint32_t mask);
  /// Changes which bits of a register can be written (BARs, when their size is changed).
  void set_writable(unsigned offset, unsigned bytes, uint32_t mask);
  void set_bits(unsigned offset, unsigned bytes, uint32_t mask, uint32_t value);

  [[nodiscard]] uint32_t get(unsigned offset, unsigned bytes) const;
  [[nodiscard]] bool is_known(unsigned offset, unsigned bytes, uint32_t mask) const;
  [[nodiscard]] uint32_t writable(unsigned offset, unsigned bytes) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] FunctionKind kind() const { return kind_; }
  [[nodiscard]] const char* refusal() const { return refusal_; }  ///< Why the last request was refused here.
  [[nodiscard]] unsigned express() const { return express_; }     ///< Offset of the capability.
  /// Offsets, 0: none.
  [[nodiscard]] unsigned capability(unsigned id) const { return find(capabilities_, id); }
  [[nodiscard]] unsigned extended(unsigned id) const { return find(extended_, id); }
  /// Name and specification section of what is at the offset.
  [[nodiscard]] std::string describe(unsigned offset) const;
  [[nodiscard]] const std::vector<unsigned>& interesting() const { return interesting_; }  ///< Registers' offsets.
  [[nodiscard]] const std::vector<std::string>& unchecked() const { return unchecked_; }   ///< Without a table.

 private:
  using Plane = std::array<uint8_t, kBytes>;
  struct Place {
    unsigned offset;
    unsigned bytes;
    std::string name;
  };

  static unsigned find(const std::map<unsigned, unsigned>& list, unsigned id) {
    const auto found = list.find(id);
    return found == list.end() ? 0 : found->second;
  }
  static uint32_t gather(const Plane& plane, unsigned offset, unsigned bytes);
  static void merge(Plane& plane, unsigned offset, unsigned bytes, uint32_t mask, uint32_t value);

  void place(const Structure& structure, unsigned at, std::vector<std::string>& faults);
  void place_bars(unsigned at, const std::vector<BarLayout>& bars);
  void walk(Reader& reader, std::vector<std::string>& faults);
  void walk_extended(Reader& reader, std::vector<std::string>& faults);

  const std::string name_;
  const FunctionKind kind_;
  const char* refusal_ = "none";  // why the last request was refused here
  bool learned_ = false;
  unsigned express_ = 0;
  std::map<unsigned, unsigned> capabilities_;
  std::map<unsigned, unsigned> extended_;
  std::vector<Place> places_;
  std::vector<unsigned> interesting_;
  std::vector<std::string> unchecked_;
  std::vector<unsigned> event_bytes_;  // with RW1C bits

  // One bit a bit of the space.
  Plane value_{};
  Plane known_{};
  Plane initial_{};
  Plane written_{};  // last write to undecided bits
  Plane rw_{};
  Plane undecided_{};  // optional, choice not seen yet
  Plane clear_{};
  Plane hardware_{};  // never known
  Plane sticky_{};
  Plane kept_{};
  Plane taken_{};  // belongs to a structure
};

}  // namespace npuvp::tests::checker

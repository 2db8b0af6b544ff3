// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace npuvp::tests::checker {

/// What stands behind a configuration space; decides which of a structure's bits exist.
enum class FunctionKind : uint8_t { kRootPort, kUpstreamPort, kDownstreamPort, kPhysical, kVirtual };

[[nodiscard]] constexpr bool is_bridge(FunctionKind kind) {
  return kind == FunctionKind::kRootPort || kind == FunctionKind::kUpstreamPort ||
         kind == FunctionKind::kDownstreamPort;
}
/// A link leads down from it.
[[nodiscard]] constexpr bool leads_down(FunctionKind kind) {
  return kind == FunctionKind::kRootPort || kind == FunctionKind::kDownstreamPort;
}

/// A register of the PCI Express Base Specification 5.0 with the kind of each bit (7.4). A bit that is in no mask is
/// reserved and reads 0.
struct Register {
  uint16_t offset;  ///< In its structure.
  uint8_t bytes;    ///< 1, 2 or 4.
  const char* name;
  uint32_t rw = 0;        ///< Takes what is written.
  uint32_t optional = 0;  ///< Takes what is written, or is hardwired: the implementation's choice, but always the same.
  uint32_t clear = 0;     ///< RW1C: errors and events set it, writing 1 clears it.
  uint32_t fixed = 0;     ///< RO or HwInit: as after power on, for ever.
  uint32_t hardware = 0;  ///< RO, changes by itself.
  uint32_t trigger = 0;   ///< Writing 1 starts something; reads 0.
  uint32_t sticky = 0;    ///< Hot reset and function-level reset leave it.
  uint32_t kept = 0;      ///< Function-level reset leaves it (6.6.2), hot reset does not.
  uint32_t default_mask = 0;   ///< Bits whose value after power on the specification gives ...
  uint32_t default_value = 0;  ///< ... and that value.
};

/// Reads the function's own configuration space: what the capability registers say decides about others.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual uint32_t read(unsigned offset, unsigned bytes) = 0;
};

/// A structure as it stands in some function.
struct Structure {
  const char* name;
  const char* section;
  unsigned bytes = 0;
  std::vector<Register> registers{};
  bool opaque = false;  ///< Contents are the vendor's or unknown to these tables: anything goes.
};

/// Section 7.5.1: the header of the kind. BARs are in BarLayout.
[[nodiscard]] Structure header_of(FunctionKind kind);
/// A capability (below 0x100) that stands at `at`; std::nullopt: no table.
[[nodiscard]] std::optional<Structure> capability_of(unsigned id, FunctionKind kind, Reader& reader, unsigned at);
/// An extended capability. `lanes`: Maximum Link Width.
[[nodiscard]] std::optional<Structure> extended_capability_of(unsigned id, FunctionKind kind, unsigned lanes,
                                                              Reader& reader, unsigned at);

}  // namespace npuvp::tests::checker

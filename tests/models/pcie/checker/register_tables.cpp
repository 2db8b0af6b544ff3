// SPDX-License-Identifier: Apache-2.0
#include "tests/models/pcie/checker/register_tables.h"

#include <utility>

namespace npuvp::tests::checker {
namespace {

constexpr uint32_t kAll = 0xffff'ffff;

/// 7.7.2, 7.7.3: MSI. `control`: the capability's message control.
Structure msi(uint16_t control) {
  const bool is_64bit = (control & 1 << 7) != 0;
  const bool has_masks = (control & 1 << 8) != 0;
  const uint32_t extended = (control & 1 << 9) != 0 ? 0xffff'0000 : 0;
  const uint32_t vectors = 1U << (control >> 1 & 7);
  const uint32_t vector_mask = vectors >= 32 ? kAll : (1U << vectors) - 1;
  Structure structure{.name = "MSI", .section = "7.7.1"};
  auto& registers = structure.registers;
  registers = {{.offset = 0, .bytes = 2, .name = "header", .fixed = 0xffff},
               {.offset = 2,
                .bytes = 2,
                .name = "Message Control",
                .rw = 0x0071,
                .optional = extended == 0 ? 0U : 1U << 10,
                .fixed = 0x038e,
                .default_mask = 0x0071},
               {.offset = 4, .bytes = 4, .name = "Message Address", .rw = 0xffff'fffc}};
  uint16_t next = 8;
  if (is_64bit) {
    registers.push_back({.offset = next, .bytes = 4, .name = "Message Upper Address", .rw = kAll});
    next += 4;
  }
  registers.push_back({.offset = next, .bytes = 4, .name = "Message Data", .rw = 0xffff, .optional = extended});
  next += 4;
  if (has_masks) {
    registers.push_back(
        {.offset = next, .bytes = 4, .name = "Mask Bits", .rw = vector_mask, .default_mask = vector_mask});
    next += 4;
    registers.push_back({.offset = next, .bytes = 4, .name = "Pending Bits", .hardware = vector_mask});
    next += 4;
  }
  structure.bytes = next;
  return structure;
}

/// 7.5.2.
Structure power_management(uint16_t capabilities) {
  const bool has_pme = (capabilities & 0xf800) != 0;
  return {.name = "Power Management",
          .section = "7.5.2",
          .bytes = 8,
          .registers = {{.offset = 0, .bytes = 2, .name = "header", .fixed = 0xffff},
                        {.offset = 2, .bytes = 2, .name = "PMC", .fixed = 0xffff},
                        {.offset = 4,
                         .bytes = 2,
                         .name = "PMCSR",
                         .rw = 0x0003,
                         .optional = 0x1e00U | (has_pme ? 0x100U : 0U),
                         .clear = has_pme ? 0x8000U : 0U,
                         .fixed = 0x6008,
                         .sticky = 0x8100,
                         .default_mask = 0x0003},
                        {.offset = 7, .bytes = 1, .name = "Data", .fixed = 0xff}}};
}

/// 7.7.2.
Structure msix() {
  return {
      .name = "MSI-X",
      .section = "7.7.2",
      .bytes = 12,
      .registers = {
          {.offset = 0, .bytes = 2, .name = "header", .fixed = 0xffff},
          {.offset = 2, .bytes = 2, .name = "Message Control", .rw = 0xc000, .fixed = 0x07ff, .default_mask = 0xc000},
          {.offset = 4, .bytes = 4, .name = "Table Offset", .fixed = kAll},
          {.offset = 8, .bytes = 4, .name = "PBA Offset", .fixed = kAll}}};
}

void add_link(std::vector<Register>& registers, FunctionKind kind, uint32_t link_capabilities) {
  const bool down = leads_down(kind);
  registers.push_back({.offset = 0x0c, .bytes = 4, .name = "Link Capabilities", .fixed = kAll});
  if (kind == FunctionKind::kVirtual) {  // 9.3.5.6, 9.3.5.7: reserved, as is all of the status
    registers.push_back({.offset = 0x12, .bytes = 2, .name = "Link Status", .hardware = 0x3fff});
    return;
  }
  const bool notifies = down && (link_capabilities & 1 << 21) != 0;
  registers.push_back({.offset = 0x10,
                       .bytes = 2,
                       .name = "Link Control",
                       .rw = (down ? 0x0010U : 0U) | 0x00c0U,
                       .optional = 0x0303U | (kind == FunctionKind::kPhysical ? 0x8U : 0U) | (down ? 0xc000U : 0U) |
                                   (notifies ? 0x0c00U : 0U),
                       .fixed = kind == FunctionKind::kRootPort ? 0x8U : 0U,
                       .trigger = down ? 0x20U : 0U,
                       .kept = 0x03cb});
  registers.push_back({.offset = 0x12,
                       .bytes = 2,
                       .name = "Link Status",
                       .clear = notifies ? 0xc000U : 0U,
                       .fixed = 1U << 12,
                       .hardware = 0x2fff});
}

void add_slot_and_root(std::vector<Register>& registers, FunctionKind kind, bool has_slot) {
  if (leads_down(kind)) {
    // Without a slot all is 0 but Presence Detect State, which is 1 (7.5.3.11).
    registers.push_back({.offset = 0x14, .bytes = 4, .name = "Slot Capabilities", .fixed = has_slot ? kAll : 0U});
    registers.push_back({.offset = 0x18,
                         .bytes = 2,
                         .name = "Slot Control",
                         .optional = has_slot ? 0x37ffU : 0U,
                         .trigger = has_slot ? 0x0800U : 0U});
    registers.push_back({.offset = 0x1a,
                         .bytes = 2,
                         .name = "Slot Status",
                         .clear = has_slot ? 0x011fU : 0U,
                         .fixed = has_slot ? 0U : 0x40U,
                         .hardware = has_slot ? 0x00e0U : 0U,
                         .default_mask = has_slot ? 0U : 0x40U,
                         .default_value = 0x40});
  }
  if (kind == FunctionKind::kRootPort) {
    registers.push_back({.offset = 0x1c, .bytes = 2, .name = "Root Control", .rw = 0xf, .optional = 0x10});
    registers.push_back({.offset = 0x1e, .bytes = 2, .name = "Root Capabilities", .fixed = 1});
    registers.push_back(
        {.offset = 0x20, .bytes = 4, .name = "Root Status", .clear = 1 << 16, .hardware = 0x2'ffff & ~(1U << 16)});
  }
}

void add_second_generation(std::vector<Register>& registers, FunctionKind kind, uint32_t device_capabilities_2) {
  const bool ari = leads_down(kind) && (device_capabilities_2 & 1 << 5) != 0;
  const bool ltr = (device_capabilities_2 & 1 << 11) != 0;
  registers.push_back({.offset = 0x24, .bytes = 4, .name = "Device Capabilities 2", .fixed = kAll});
  if (kind == FunctionKind::kVirtual) {  // 9.3.5.9: reserved, bits of the physical function apply
    registers.push_back({.offset = 0x28, .bytes = 2, .name = "Device Control 2"});
  } else {
    registers.push_back({.offset = 0x28,
                         .bytes = 2,
                         .name = "Device Control 2",
                         .rw = ari ? 0x20U : 0U,
                         .optional = 0xffd0U & ~(ltr ? 0U : 0x400U),
                         .hardware = 0xf,  // completion time-out range: reserved encodings are undefined
                         .default_mask = 0x20});
  }
  registers.push_back({.offset = 0x2c, .bytes = 4, .name = "Link Capabilities 2", .fixed = kAll});
  if (kind == FunctionKind::kVirtual) return;
  // Unsupported target speeds are undefined, so the field is not judged.
  registers.push_back({.offset = 0x30,
                       .bytes = 2,
                       .name = "Link Control 2",
                       .optional = 0xffb0,
                       .fixed = 0x40,
                       .hardware = 0xf,
                       .sticky = 0xffff});
  registers.push_back(
      {.offset = 0x32, .bytes = 2, .name = "Link Status 2", .clear = 0x8020, .hardware = 0x7fdf, .sticky = 0x20});
}

/// 7.5.3, for virtual functions 9.3.5.
Structure express(FunctionKind kind, Reader& reader, unsigned at) {
  const uint32_t device_capabilities = reader.read(at + 4, 4);
  const bool has_reset = (device_capabilities & 1 << 28) != 0 && !is_bridge(kind);
  const bool has_slot = (reader.read(at + 2, 2) & 0x100) != 0;
  Structure structure{.name = "PCI Express", .section = "7.5.3", .bytes = 0x3c};
  auto& registers = structure.registers;
  registers = {{.offset = 0, .bytes = 2, .name = "header", .fixed = 0xffff},
               {.offset = 2, .bytes = 2, .name = "PCI Express Capabilities", .fixed = 0x3fff},
               // The captured slot power limit (25:18, 27:26) comes by message.
               {.offset = 4, .bytes = 4, .name = "Device Capabilities", .fixed = 0xf003'ffff, .hardware = 0x0ffc'0000}};
  if (kind == FunctionKind::kVirtual) {
    registers.push_back({.offset = 8, .bytes = 2, .name = "Device Control", .trigger = has_reset ? 0x8000U : 0U});
  } else {
    registers.push_back(
        {.offset = 8,
         .bytes = 2,
         .name = "Device Control",
         .rw = 0xf | ((device_capabilities & 7) != 0 ? 0xe0U : 0U) | (kind == FunctionKind::kPhysical ? 0x7000U : 0U),
         .optional = 0x0f10U | (is_bridge(kind) ? 0x7000U : 0U),
         .trigger = has_reset ? 0x8000U : 0U,
         .sticky = 0x400,
         .kept = 0xe0,
         .default_mask = 0xf});
  }
  registers.push_back({.offset = 0xa,
                       .bytes = 2,
                       .name = "Device Status",
                       .clear = 0x000f,
                       .fixed = 0x10,
                       .hardware = 0x60,
                       .default_mask = 0xf});
  add_link(registers, kind, reader.read(at + 0xc, 4));
  add_slot_and_root(registers, kind, has_slot);
  add_second_generation(registers, kind, reader.read(at + 0x24, 4));
  return structure;
}

/// 7.8.4, for virtual functions 9.4.2.
Structure aer(FunctionKind kind, Reader& reader, unsigned at) {
  constexpr uint32_t kUncorrectable = 0x07ff'f030;
  constexpr uint32_t kMandatory = 0x0015'1010;  // DLP, poisoned, unexpected completion, malformed, UR
  constexpr uint32_t kCorrectable = 0x0000'f1c1;
  const bool is_virtual = kind == FunctionKind::kVirtual;
  const uint32_t control = reader.read(at + 0x18, 4);
  const uint32_t checks = ((control & 1 << 5) != 0 ? 1U << 6 : 0U) | ((control & 1 << 7) != 0 ? 1U << 8 : 0U) |
                          ((control & 1 << 9) != 0 ? 1U << 10 : 0U);
  Structure structure{.name = "AER", .section = "7.8.4", .bytes = 0x2c};
  auto& registers = structure.registers;
  registers = {{.offset = 0, .bytes = 4, .name = "header", .fixed = kAll},
               {.offset = 4,
                .bytes = 4,
                .name = "Uncorrectable Error Status",
                .clear = kUncorrectable,
                .hardware = 1,
                .sticky = kUncorrectable}};
  if (is_virtual) {
    registers.push_back({.offset = 8, .bytes = 4, .name = "Uncorrectable Error Mask", .fixed = kUncorrectable});
    registers.push_back({.offset = 0xc, .bytes = 4, .name = "Uncorrectable Error Severity", .fixed = kUncorrectable});
  } else {
    registers.push_back({.offset = 8,
                         .bytes = 4,
                         .name = "Uncorrectable Error Mask",
                         .rw = kMandatory,
                         .optional = kUncorrectable & ~kMandatory,
                         .hardware = 1,
                         .sticky = kUncorrectable,
                         .default_mask = kMandatory});
    registers.push_back({.offset = 0xc,
                         .bytes = 4,
                         .name = "Uncorrectable Error Severity",
                         .rw = kMandatory,
                         .optional = kUncorrectable & ~kMandatory,
                         .hardware = 1,
                         .sticky = kUncorrectable,
                         .default_mask = kMandatory,
                         .default_value = 0x0004'0010});
  }
  registers.push_back(
      {.offset = 0x10, .bytes = 4, .name = "Correctable Error Status", .clear = kCorrectable, .sticky = kCorrectable});
  registers.push_back({.offset = 0x14,
                       .bytes = 4,
                       .name = "Correctable Error Mask",
                       .optional = is_virtual ? 0U : kCorrectable,
                       .fixed = is_virtual ? kCorrectable : 0U,
                       .sticky = kCorrectable,
                       .default_mask = is_virtual ? 0U : 0x31c1U,  // 7.8.4.6: advisory non-fatal is masked
                       .default_value = 0x2000});
  registers.push_back({.offset = 0x18,
                       .bytes = 4,
                       .name = "Advanced Error Capabilities and Control",
                       .rw = is_virtual ? 0U : checks,
                       .fixed = 0x12a0,
                       .hardware = 0x081f,
                       .sticky = 0x0d5f});
  for (uint16_t offset = 0x1c; offset < 0x2c; offset += 4) {
    registers.push_back({.offset = offset, .bytes = 4, .name = "Header Log", .hardware = kAll, .sticky = kAll});
  }
  if (kind == FunctionKind::kRootPort) {
    registers.push_back({.offset = 0x2c, .bytes = 4, .name = "Root Error Command", .rw = 7, .default_mask = 7});
    registers.push_back({.offset = 0x30,
                         .bytes = 4,
                         .name = "Root Error Status",
                         .clear = 0x7f,
                         .hardware = 0xf800'0000,
                         .sticky = 0x7f});
    registers.push_back(
        {.offset = 0x34, .bytes = 4, .name = "Error Source Identification", .hardware = kAll, .sticky = kAll});
    structure.bytes = 0x38;
  }
  return structure;
}

/// 7.7.8.
Structure acs(Reader& reader, unsigned at) {
  const uint32_t capability = reader.read(at + 4, 2);
  const uint32_t enhanced = (capability & 0x80) != 0 ? 0x1f80U : 0U;
  Structure structure{.name = "ACS", .section = "7.7.8", .bytes = 8};
  structure.registers = {{.offset = 0, .bytes = 4, .name = "header", .fixed = kAll},
                         {.offset = 4, .bytes = 2, .name = "ACS Capability", .fixed = 0xffff},
                         {.offset = 6,
                          .bytes = 2,
                          .name = "ACS Control",
                          .rw = capability & 0x7f,
                          .optional = enhanced,
                          .default_mask = capability & 0x7f}};
  if ((capability & 0x20) != 0) {
    const unsigned bits = (capability >> 8) == 0 ? 256 : capability >> 8;
    for (unsigned first = 0; first < bits; first += 32) {
      const uint32_t mask = bits - first >= 32 ? kAll : (1U << (bits - first)) - 1;
      structure.registers.push_back({.offset = static_cast<uint16_t>(8 + first / 8),
                                     .bytes = 4,
                                     .name = "Egress Control Vector",
                                     .optional = mask,
                                     .default_mask = mask});
      structure.bytes += 4;
    }
  }
  return structure;
}

/// 9.3.3. VF BARs are in BarLayout.
Structure sriov() {
  return {.name = "SR-IOV",
          .section = "9.3.3",
          .bytes = 0x40,
          .registers = {{.offset = 0, .bytes = 4, .name = "header", .fixed = kAll},
                        {.offset = 4, .bytes = 4, .name = "SR-IOV Capabilities", .fixed = kAll},
                        {.offset = 8,
                         .bytes = 2,
                         .name = "SR-IOV Control",
                         .rw = 0x19,
                         .optional = 0x26,
                         .kept = 0x10,
                         .default_mask = 0x1b},
                        {.offset = 0xa, .bytes = 2, .name = "SR-IOV Status", .clear = 1},
                        {.offset = 0xc, .bytes = 2, .name = "InitialVFs", .fixed = 0xffff},
                        {.offset = 0xe, .bytes = 2, .name = "TotalVFs", .fixed = 0xffff},
                        {.offset = 0x10, .bytes = 2, .name = "NumVFs", .rw = 0xffff},
                        {.offset = 0x12, .bytes = 1, .name = "Function Dependency Link", .fixed = 0xff},
                        {.offset = 0x14, .bytes = 2, .name = "First VF Offset", .hardware = 0xffff},
                        {.offset = 0x16, .bytes = 2, .name = "VF Stride", .hardware = 0xffff},
                        {.offset = 0x1a, .bytes = 2, .name = "VF Device ID", .fixed = 0xffff},
                        {.offset = 0x1c, .bytes = 4, .name = "Supported Page Sizes", .fixed = kAll},
                        {.offset = 0x20,
                         .bytes = 4,
                         .name = "System Page Size",
                         .rw = kAll,
                         .default_mask = kAll,
                         .default_value = 1},
                        {.offset = 0x3c, .bytes = 4, .name = "VF Migration State Array Offset", .fixed = kAll}}};
}

/// 7.8.6.
Structure resizable_bar(Reader& reader, unsigned at) {
  Structure structure{.name = "Resizable BAR", .section = "7.8.6", .bytes = 4};
  structure.registers = {{.offset = 0, .bytes = 4, .name = "header", .fixed = kAll}};
  const unsigned count = reader.read(at + 8, 4) >> 5 & 7;
  for (unsigned index = 0; index < count && index < 6; ++index) {
    const auto offset = static_cast<uint16_t>(4 + 8 * index);
    structure.registers.push_back(
        {.offset = offset, .bytes = 4, .name = "Resizable BAR Capability", .fixed = 0xffff'fff0});
    structure.registers.push_back({.offset = static_cast<uint16_t>(offset + 4),
                                   .bytes = 4,
                                   .name = "Resizable BAR Control",
                                   .rw = 0x3f00,
                                   .fixed = index == 0 ? 0xffff'00e7U : 0xffff'0007U});
    structure.bytes += 8;
  }
  return structure;
}

/// 7.9.15.
Structure dpc(Reader& reader, unsigned at) {
  const uint32_t capability = reader.read(at + 4, 2);
  const bool is_root = (capability & 0x20) != 0;
  Structure structure{.name = "DPC", .section = "7.9.15", .bytes = 0xc};
  auto& registers = structure.registers;
  registers = {{.offset = 0, .bytes = 4, .name = "header", .fixed = kAll},
               {.offset = 4, .bytes = 2, .name = "DPC Capability", .fixed = 0xffff},
               {.offset = 6,
                .bytes = 2,
                .name = "DPC Control",
                .rw = 0xf | ((capability & 0x40) != 0 ? 0x20U : 0U),
                .optional = 0x190,
                .trigger = (capability & 0x80) != 0 ? 0x40U : 0U,
                .default_mask = 0xf},
               {.offset = 8, .bytes = 2, .name = "DPC Status", .clear = 0x2009, .hardware = 0x1f76, .sticky = 0x2001},
               {.offset = 0xa, .bytes = 2, .name = "DPC Error Source ID", .hardware = 0xffff, .sticky = 0xffff}};
  if (is_root) {
    constexpr uint32_t kRequests = 0x0007'0707;
    registers.push_back({.offset = 0xc, .bytes = 4, .name = "RP PIO Status", .clear = kRequests, .sticky = kRequests});
    for (uint16_t offset = 0x10; offset < 0x20; offset += 4) {
      registers.push_back({.offset = offset,
                           .bytes = 4,
                           .name = "RP PIO Mask, Severity, SysError, Exception",
                           .rw = kRequests,
                           .sticky = kRequests,
                           .default_mask = kRequests,
                           .default_value = offset == 0x10 ? kRequests : 0});
    }
    const unsigned log = capability >> 8 & 0xf;  // DW
    for (uint16_t offset = 0x20; offset < 0x20 + 4 * log; offset += 4) {
      registers.push_back({.offset = offset, .bytes = 4, .name = "RP PIO log", .hardware = kAll, .sticky = kAll});
    }
    structure.bytes = 0x20 + 4 * log;
  }
  return structure;
}

/// Structures whose lane registers training fills in. `first`: where those start, `per_lane` in bytes.
Structure physical_layer(const char* name, const char* section, std::vector<Register> registers, uint16_t first,
                         unsigned per_lane, unsigned lanes) {
  Structure structure{.name = name, .section = section, .registers = std::move(registers)};
  const unsigned bytes = (per_lane * lanes + 3) / 4 * 4;
  for (uint16_t offset = first; offset < first + bytes; offset += 4) {
    structure.registers.push_back({.offset = offset, .bytes = 4, .name = "lane registers", .hardware = kAll});
  }
  structure.registers.push_back({.offset = 0, .bytes = 4, .name = "header", .fixed = kAll});
  structure.bytes = first + bytes;
  return structure;
}

Structure simple(const char* name, const char* section, unsigned bytes, std::vector<Register> registers) {
  registers.push_back({.offset = 0, .bytes = 4, .name = "header", .fixed = kAll});
  return {.name = name, .section = section, .bytes = bytes, .registers = std::move(registers)};
}

}  // namespace

Structure header_of(FunctionKind kind) {
  const bool is_virtual = kind == FunctionKind::kVirtual;
  Structure structure{.name = "header", .section = "7.5.1", .bytes = 0x40};
  auto& registers = structure.registers;
  registers = {{.offset = 0x00,
                .bytes = 4,
                .name = "Vendor ID, Device ID",
                .fixed = kAll,
                .default_mask = is_virtual ? kAll : 0U,  // 9.3.4.1.1
                .default_value = kAll},
               {.offset = 0x04,
                .bytes = 2,
                .name = "Command",
                .rw = is_virtual ? 0x4U : 0x106U,
                .optional = is_virtual ? 0U : 0x441U,
                .default_mask = 0xffff},
               {.offset = 0x06,
                .bytes = 2,
                .name = "Status",
                .clear = 0xf900,
                .fixed = 0x11,
                .hardware = is_virtual ? 0U : 0x8U,
                .default_mask = 0xf910,
                .default_value = 0x10},
               {.offset = 0x08, .bytes = 4, .name = "Revision ID, Class Code", .fixed = kAll},
               {.offset = 0x0c, .bytes = 1, .name = "Cache Line Size", .rw = is_virtual ? 0U : 0xffU},
               {.offset = 0x0e,
                .bytes = 1,
                .name = "Header Type",
                .fixed = 0xff,
                .default_mask = 0x7f,
                .default_value = is_bridge(kind) ? 1U : 0U},
               {.offset = 0x34, .bytes = 1, .name = "Capabilities Pointer", .fixed = 0xff},
               {.offset = 0x3c, .bytes = 1, .name = "Interrupt Line", .optional = is_virtual ? 0U : 0xffU},
               {.offset = 0x3d, .bytes = 1, .name = "Interrupt Pin", .fixed = is_virtual ? 0U : 0xffU}};
  if (!is_bridge(kind)) {
    registers.push_back({.offset = 0x2c, .bytes = 4, .name = "Subsystem", .fixed = kAll});
    return structure;
  }
  const std::initializer_list<Register> bridge{
      {.offset = 0x18, .bytes = 1, .name = "Primary Bus Number", .rw = 0xff, .default_mask = 0xff},
      {.offset = 0x19, .bytes = 1, .name = "Secondary Bus Number", .rw = 0xff, .default_mask = 0xff},
      {.offset = 0x1a, .bytes = 1, .name = "Subordinate Bus Number", .rw = 0xff, .default_mask = 0xff},
      {.offset = 0x1c, .bytes = 1, .name = "I/O Base", .optional = 0xf0, .fixed = 0x0f},
      {.offset = 0x1d, .bytes = 1, .name = "I/O Limit", .optional = 0xf0, .fixed = 0x0f},
      {.offset = 0x1e, .bytes = 2, .name = "Secondary Status", .clear = 0xf900, .default_mask = 0xf900},
      {.offset = 0x20, .bytes = 2, .name = "Memory Base", .rw = 0xfff0},
      {.offset = 0x22, .bytes = 2, .name = "Memory Limit", .rw = 0xfff0},
      {.offset = 0x24, .bytes = 2, .name = "Prefetchable Memory Base", .rw = 0xfff0, .fixed = 0xf},
      {.offset = 0x26, .bytes = 2, .name = "Prefetchable Memory Limit", .rw = 0xfff0, .fixed = 0xf},
      {.offset = 0x28, .bytes = 4, .name = "Prefetchable Base Upper 32 Bits", .rw = kAll},
      {.offset = 0x2c, .bytes = 4, .name = "Prefetchable Limit Upper 32 Bits", .rw = kAll},
      {.offset = 0x30, .bytes = 2, .name = "I/O Base Upper 16 Bits", .optional = 0xffff},
      {.offset = 0x32, .bytes = 2, .name = "I/O Limit Upper 16 Bits", .optional = 0xffff},
      {.offset = 0x3e, .bytes = 2, .name = "Bridge Control", .rw = 0x43, .optional = 0x1c, .default_mask = 0xffff}};
  registers.insert(registers.end(), bridge);
  return structure;
}

std::optional<Structure> capability_of(unsigned id, FunctionKind kind, Reader& reader, unsigned at) {
  switch (id) {
    case 0x01:
      return power_management(static_cast<uint16_t>(reader.read(at + 2, 2)));
    case 0x05:
      return msi(static_cast<uint16_t>(reader.read(at + 2, 2)));
    case 0x10:
      return express(kind, reader, at);
    case 0x11:
      return msix();
    default:
      return std::nullopt;
  }
}

std::optional<Structure> extended_capability_of(unsigned id, FunctionKind kind, unsigned lanes, Reader& reader,
                                                unsigned at) {
  const bool down = leads_down(kind);
  switch (id) {
    case 0x0001:
      return aer(kind, reader, at);
    case 0x0003:
      return simple("Device Serial Number", "7.9.3", 12,
                    {{.offset = 4, .bytes = 4, .name = "Serial Number", .fixed = kAll},
                     {.offset = 8, .bytes = 4, .name = "Serial Number", .fixed = kAll}});
    case 0x000b: {
      Structure structure = simple("Vendor-Specific", "7.9.5", reader.read(at + 4, 4) >> 20,
                                   {{.offset = 4, .bytes = 4, .name = "header", .fixed = kAll}});
      structure.opaque = true;
      return structure;
    }
    case 0x000d:
      return acs(reader, at);
    case 0x000e:
      return simple("ARI", "7.8.7", 8,
                    {{.offset = 4, .bytes = 2, .name = "ARI Capability", .fixed = 0xffff},
                     {.offset = 6, .bytes = 2, .name = "ARI Control", .optional = 0x73}});
    case 0x0010:
      return sriov();
    case 0x0015:
      return resizable_bar(reader, at);
    case 0x0018:
      return simple("LTR", "7.8.2", 8,
                    {{.offset = 4, .bytes = 2, .name = "Max Snoop Latency", .rw = 0x1fff, .default_mask = 0x1fff},
                     {.offset = 6, .bytes = 2, .name = "Max No-Snoop Latency", .rw = 0x1fff, .default_mask = 0x1fff}});
    case 0x0019:
      return physical_layer("Secondary PCI Express", "7.7.3",
                            {{.offset = 4, .bytes = 4, .name = "Link Control 3", .optional = down ? 0xfe03U : 0xfe00U},
                             {.offset = 8, .bytes = 4, .name = "Lane Error Status", .clear = kAll, .sticky = kAll}},
                            0xc, 2, lanes);
    case 0x001d:
      return dpc(reader, at);
    case 0x0025:
      return simple("Data Link Feature", "7.7.4", 12,
                    {{.offset = 4, .bytes = 4, .name = "Data Link Feature Capabilities", .fixed = 0x807f'ffff},
                     {.offset = 8, .bytes = 4, .name = "Data Link Feature Status", .hardware = 0x807f'ffff}});
    case 0x0026:
      return physical_layer("Physical Layer 16.0 GT/s", "7.7.5",
                            {{.offset = 0xc, .bytes = 4, .name = "Status", .clear = 0x10, .hardware = 0xf},
                             {.offset = 0x10, .bytes = 4, .name = "Parity Mismatch", .clear = kAll, .sticky = kAll},
                             {.offset = 0x14, .bytes = 4, .name = "Retimer Parity", .clear = kAll, .sticky = kAll},
                             {.offset = 0x18, .bytes = 4, .name = "Retimer Parity", .clear = kAll, .sticky = kAll}},
                            0x20, 1, lanes);
    case 0x002a:
      return physical_layer("Physical Layer 32.0 GT/s", "7.7.6",
                            {{.offset = 4, .bytes = 4, .name = "Capabilities", .fixed = kAll},
                             {.offset = 8, .bytes = 4, .name = "Control", .optional = 0x703, .sticky = 0x703},
                             {.offset = 0xc, .bytes = 4, .name = "Status", .clear = 0x20, .hardware = 0x3df},
                             {.offset = 0x10, .bytes = 4, .name = "Received Modified TS 1", .hardware = kAll},
                             {.offset = 0x14, .bytes = 4, .name = "Received Modified TS 2", .hardware = kAll},
                             {.offset = 0x18, .bytes = 4, .name = "Transmitted Modified TS 1", .hardware = kAll},
                             {.offset = 0x1c, .bytes = 4, .name = "Transmitted Modified TS 2", .hardware = kAll}},
                            0x20, 1, lanes);
    default:
      return std::nullopt;
  }
}

}  // namespace npuvp::tests::checker

// SPDX-License-Identifier: Apache-2.0
// Every register of every capability against tables written from the PCI Express Base Specification 5.0, chapter 7
// and 9.3. Columns: offset, bytes, reset value, writable, RW1C, sticky, kept by FLR, state of link or slot.
#include <gtest/gtest-spi.h>

#include "models/pcie/capabilities/acs_capability.h"
#include "models/pcie/capabilities/aer_capability.h"
#include "models/pcie/capabilities/ari_capability.h"
#include "models/pcie/capabilities/data_link_feature_capability.h"
#include "models/pcie/capabilities/dpc_capability.h"
#include "models/pcie/capabilities/ltr_capability.h"
#include "models/pcie/capabilities/msi_capability.h"
#include "models/pcie/capabilities/msix_capability.h"
#include "models/pcie/capabilities/physical_layer_capability.h"
#include "models/pcie/capabilities/power_management_capability.h"
#include "models/pcie/capabilities/resizable_bar_capability.h"
#include "models/pcie/capabilities/secondary_pcie_capability.h"
#include "models/pcie/capabilities/serial_number_capability.h"
#include "models/pcie/capabilities/sriov_capability.h"
#include "models/pcie/capabilities/vendor_specific_capability.h"
#include "tests/models/pcie/capability_table.h"

namespace npuvp::tests {
namespace {

using Rows = std::vector<Row>;
using Kind = pcie::AerParameters::Kind;

constexpr uint64_t kAll = 0xffff'ffff;

/// `count` registers of the same kind, `stride` bytes apart.
Rows with_array(Rows rows, Row first, unsigned count, unsigned stride) {
  for (unsigned index = 0; index < count; ++index) {
    rows.push_back(first);
    first.offset += stride;
  }
  return rows;
}

template <typename Capability, typename... Arguments>
void check(bool is_extended, const Rows& rows, Arguments... arguments) {
  base::Environment environment;
  Capability capability(environment, "capability", arguments...);
  check_capability(capability, is_extended, rows);
}

/// Failures that a table of the containment capability gives, without making this test fail.
int failures_with(const Rows& rows) {
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    check<pcie::DpcCapability>(true, rows);
  }
  return results.size();
}

TEST(PcieCapabilityRegisters, CheckerNoticesEveryWrongColumn) {
  const Rows right = {{0x0, 4, 0x0001'001d},
                      {0x4, 2, 0x0080},
                      {0x6, 2, 0, 0x1f},
                      {0x8, 2, 0, 0, 0x0009, 0x1f6f},
                      {0xa, 2, 0, 0, 0, 0xffff}};
  ASSERT_EQ(failures_with(right), 0);
  for (const auto column : {&Row::reset, &Row::writable, &Row::w1c, &Row::sticky, &Row::flr, &Row::state}) {
    Rows wrong = right;
    wrong[2].*column ^= 1;  // a plain writable bit
    EXPECT_GT(failures_with(wrong), 0);
    if (column == &Row::flr) continue;  // what is sticky outlives an FLR anyway
    wrong = right;
    wrong[3].*column ^= 1;  // a sticky RW1C bit
    EXPECT_GT(failures_with(wrong), 0);
  }
  Rows missing = right;
  missing.pop_back();
  missing.erase(missing.begin() + 1);
  EXPECT_GT(failures_with(missing), 0) << "a register that is taken for reserved";
}

TEST(PcieCapabilityRegisters, PowerManagement) {
  check<pcie::PowerManagementCapability>(false, {{0x0, 1, 0x01}, {0x1, 1}, {0x2, 2, 0x0003}, {0x4, 2, 0x0008, 0x0003}});
}

TEST(PcieCapabilityRegisters, MessageSignaledInterrupts) {
  check<pcie::MsiCapability>(false, {{0x0, 1, 0x05},
                                     {0x1, 1},
                                     {0x2, 2, 0x0080, 0x0001},
                                     {0x4, 4, 0, 0xffff'fffc},
                                     {0x8, 4, 0, kAll},
                                     {0xc, 2, 0, 0xffff}});
}

TEST(PcieCapabilityRegisters, MsiX) {
  const pcie::MsixParameters parameters{32, 2, 0x1000, 4, 0x2008};
  check<pcie::MsixCapability>(
      false, {{0x0, 1, 0x11}, {0x1, 1}, {0x2, 2, 31, 0xc000}, {0x4, 4, 0x1002}, {0x8, 4, 0x200c}}, parameters);
}

TEST(PcieCapabilityRegisters, AdvancedErrorReportingOfARootPort) {
  constexpr uint64_t kUncorrectable = 0x007f'f030;
  constexpr uint64_t kCorrectable = 0xf1c1;
  check<pcie::AerCapability>(true,
                             with_array({{0x00, 4, 0x0002'0001},
                                         {0x04, 4, 0, 0, kUncorrectable, kUncorrectable},
                                         {0x08, 4, 0x0040'0000, kUncorrectable, 0, kUncorrectable},
                                         {0x0c, 4, 0x0046'2030, kUncorrectable, 0, kUncorrectable},
                                         {0x10, 4, 0, 0, kCorrectable, kCorrectable},
                                         {0x14, 4, 0xe000, kCorrectable, 0, kCorrectable},
                                         {0x18, 4, 0x0a0, 0x140, 0, 0x15f},
                                         {0x2c, 4, 0, 0x7},
                                         {0x30, 4, 0, 0, 0x7f, 0x7f},
                                         {0x34, 4, 0, 0, 0, kAll}},
                                        {0x1c, 4, 0, 0, 0, kAll}, 4, 4),
                             pcie::AerParameters{.kind = Kind::kRootPort, .acs = true});
}

/// The registers that all kinds have; those of root ports read 0.
Rows aer(uint64_t uncorrectable, uint64_t mask, uint64_t severity, uint64_t control = 0x0a0) {
  constexpr uint64_t kCorrectable = 0xf1c1;
  return with_array({{0x00, 4, 0x0002'0001},
                     {0x04, 4, 0, 0, uncorrectable, uncorrectable},
                     {0x08, 4, mask, uncorrectable, 0, uncorrectable},
                     {0x0c, 4, severity, uncorrectable, 0, uncorrectable},
                     {0x10, 4, 0, 0, kCorrectable, kCorrectable},
                     {0x14, 4, 0xe000, kCorrectable, 0, kCorrectable},
                     {0x18, 4, control, 0x140, 0, 0x15f}},
                    {0x1c, 4, 0, 0, 0, kAll}, 4, 4);
}

TEST(PcieCapabilityRegisters, AdvancedErrorReportingOfAnEndpoint) {
  check<pcie::AerCapability>(true, aer(0x005f'f010, 0x0040'0000, 0x0046'2010, 0x10a0), pcie::AerParameters{});
}

TEST(PcieCapabilityRegisters, AdvancedErrorReportingOfSwitchPorts) {
  check<pcie::AerCapability>(true, aer(0x005f'b010, 0x0040'0000, 0x0046'2010),
                             pcie::AerParameters{.kind = Kind::kUpstreamPort});
  const pcie::AerParameters downstream{
      .kind = Kind::kDownstreamPort, .acs = true, .poisoned_tlp_egress_blocking = true};
  check<pcie::AerCapability>(true, aer(0x047f'b030, 0x0440'0000, 0x0046'2030), downstream);
}

TEST(PcieCapabilityRegisters, AdvancedErrorReportingWithoutEcrc) {
  Rows rows = aer(0x0057'f010, 0x0040'0000, 0x0046'2010);
  for (auto& row : rows) {
    if (row.offset == 0x18) row = {0x18, 4, 0x1000, 0, 0, 0x1f};
  }
  check<pcie::AerCapability>(true, rows, pcie::AerParameters{.ecrc = false});
}

TEST(PcieCapabilityRegisters, AdvancedErrorReportingOfAVirtualFunctionHasNoMasks) {
  check<pcie::AerCapability>(true,
                             with_array({{0x00, 4, 0x0002'0001},
                                         {0x04, 4, 0, 0, 0x0011'd000, 0x0011'd000},
                                         {0x10, 4, 0, 0, 0x2000, 0x2000},
                                         {0x18, 4, 0x10a0, 0, 0, 0x1f}},
                                        {0x1c, 4, 0, 0, 0, kAll}, 4, 4),
                             pcie::AerParameters{.kind = Kind::kVirtualFunction});
}

TEST(PcieCapabilityRegisters, SerialNumber) {
  check<pcie::SerialNumberCapability>(true, {{0x0, 4, 0x0001'0003}, {0x4, 4, 0x5566'7788}, {0x8, 4, 0x1122'3344}},
                                      0x1122'3344'5566'7788u);
}

TEST(PcieCapabilityRegisters, VendorSpecific) {
  const pcie::VendorSpecificParameters parameters{.id = 0xabcd, .revision = 3, .bytes = 16};
  check<pcie::VendorSpecificCapability>(true, {{0x0, 4, 0x0001'000b}, {0x4, 4, 0x0103'abcd}, {0x8, 4}, {0xc, 4}},
                                        parameters);
}

TEST(PcieCapabilityRegisters, AccessControlOfADownstreamPort) {
  pcie::AcsParameters parameters;
  parameters.source_validation = parameters.translation_blocking = parameters.upstream_forwarding = true;
  parameters.request_redirect = parameters.completion_redirect = parameters.direct_translated = true;
  parameters.ports = 40;
  check<pcie::AcsCapability>(
      true, {{0x0, 4, 0x0001'000d}, {0x4, 2, 0x287f}, {0x6, 2, 0, 0x7f}, {0x8, 4, 0, kAll}, {0xc, 4, 0, 0xff}},
      parameters);
  parameters.ports = 256;
  check<pcie::AcsCapability>(
      true, with_array({{0x0, 4, 0x0001'000d}, {0x4, 2, 0x007f}, {0x6, 2, 0, 0x7f}}, {0x8, 4, 0, kAll}, 8, 4),
      parameters);
}

TEST(PcieCapabilityRegisters, AccessControlOfAFunction) {
  const pcie::AcsParameters parameters{.request_redirect = true, .completion_redirect = true};
  check<pcie::AcsCapability>(true, {{0x0, 4, 0x0001'000d}, {0x4, 2, 0x000c}, {0x6, 2, 0, 0x0c}}, parameters);
}

TEST(PcieCapabilityRegisters, AlternativeRoutingId) {
  check<pcie::AriCapability>(true, {{0x0, 4, 0x0001'000e}, {0x4, 2, 0x0500}, {0x6, 2}}, uint8_t{5});
}

TEST(PcieCapabilityRegisters, SingleRootIoVirtualization) {
  pcie::SriovParameters parameters{.total_vfs = 16, .first_vf_offset = 1, .vf_stride = 2, .vf_device_id = 0x1221};
  parameters.tag_10_bit_requester = true;
  parameters.bars = {{.index = 0, .bytes = 64 << 10, .is_64bit = true},
                     {.index = 2, .bytes = 64 << 20, .is_64bit = true, .prefetchable = true},
                     {.index = 4, .bytes = 4096}};
  check<pcie::SriovCapability>(true,
                               {{0x00, 4, 0x0001'0010},
                                {0x04, 4, 0x0000'0004},
                                {.offset = 0x08, .bytes = 2, .writable = 0x0039, .flr = 0x0010},  // 9.3.3.3.5
                                {0x0a, 2},
                                {0x0c, 2, 16},
                                {0x0e, 2, 16},
                                {0x10, 2},  // all ones are more than there are; see SRIOV tests
                                {0x12, 1},
                                {0x14, 2, 1},
                                {0x16, 2, 2},
                                {0x1a, 2, 0x1221},
                                {0x1c, 4, 0x553},
                                {0x20, 4, 1},  // takes one bit only
                                {0x24, 4, 0x4, 0xffff'0000},
                                {0x28, 4, 0, kAll},
                                {0x2c, 4, 0xc, 0xfc00'0000},
                                {0x30, 4, 0, kAll},
                                {0x34, 4, 0, 0xffff'f000},
                                {0x38, 4},
                                {0x3c, 4}},
                               parameters);
}

TEST(PcieCapabilityRegisters, LatencyToleranceReporting) {
  check<pcie::LtrCapability>(true, {{0x0, 4, 0x0001'0018}, {0x4, 2, 0, 0x1fff}, {0x6, 2, 0, 0x1fff}});
}

TEST(PcieCapabilityRegisters, SecondaryPciExpress) {
  check<pcie::SecondaryPcieCapability>(
      true,
      with_array({{0x0, 4, 0x0001'0019}, {0x4, 4, 0, 0x3}, {0x8, 4, 0, 0, 0xffff, 0xffff}}, {0xc, 2, 0x0707}, 16, 2),
      16u, true);
  check<pcie::SecondaryPcieCapability>(
      true, with_array({{0x0, 4, 0x0001'0019}, {0x4, 4}, {0x8, 4, 0, 0, 0xf, 0xf}}, {0xc, 2, 0x0707}, 4, 2), 4u, false);
}

TEST(PcieCapabilityRegisters, DownstreamPortContainment) {
  check<pcie::DpcCapability>(true,
                             {{0x0, 4, 0x0001'001d},
                              {0x4, 2, 0x0080},
                              {0x6, 2, 0, 0x1f},
                              {0x8, 2, 0, 0, 0x0009, 0x1f6f},
                              {0xa, 2, 0, 0, 0, 0xffff}},
                             false);
  check<pcie::DpcCapability>(true,
                             {{0x0, 4, 0x0001'001d},
                              {0x4, 2, 0x00c0},
                              {0x6, 2, 0, 0x3f},
                              {0x8, 2, 0, 0, 0x0009, 0x1f6f},
                              {0xa, 2, 0, 0, 0, 0xffff}},
                             true);
}

TEST(PcieCapabilityRegisters, DataLinkFeature) {
  check<pcie::DataLinkFeatureCapability>(
      true, {{0x0, 4, 0x0001'0025}, {0x4, 4, 0x8000'0001}, {.offset = 0x8, .bytes = 4, .state = 0x807f'ffff}});
}

TEST(PcieCapabilityRegisters, PhysicalLayer16) {
  for (const unsigned lanes : {16u, 4u}) {
    const uint64_t exist = (1u << lanes) - 1;
    check<pcie::PhysicalLayer16Capability>(
        true,
        with_array({{0x00, 4, 0x0001'0026},
                    {0x04, 4},
                    {0x08, 4},
                    {.offset = 0x0c, .bytes = 4, .w1c = 0x10, .sticky = 0x10, .state = 0x0f},
                    {0x10, 4, 0, 0, exist, exist},
                    {0x14, 4, 0, 0, exist, exist},
                    {0x18, 4, 0, 0, exist, exist}},
                   {0x20, 1, 0x77}, lanes, 1),
        lanes);
  }
}

TEST(PcieCapabilityRegisters, PhysicalLayer32) {
  check<pcie::PhysicalLayer32Capability>(
      true,
      with_array({{0x00, 4, 0x0001'002a},
                  {0x04, 4, 0x0000'0101},
                  {.offset = 0x08, .bytes = 4, .writable = 0x1, .sticky = 0x1},
                  {.offset = 0x0c, .bytes = 4, .w1c = 0x10, .sticky = 0x10, .state = 0x0f},
                  {0x10, 4, 0, 0, 0, kAll},
                  {0x14, 4, 0, 0, 0, kAll},
                  {0x18, 4},
                  {0x1c, 4}},
                 {0x20, 1, 0x77}, 16, 1),
      16u);
}

TEST(PcieCapabilityRegisters, ResizableBar) {
  base::Environment environment;
  pcie::Type0Registers header(environment, "type0", base::RegisterBank::Rules::kBytewise);
  pcie::BaseAddressRegisters bars(header);
  bars.add({.index = 0, .bytes = 1 << 20, .is_64bit = true});
  bars.add({.index = 2, .bytes = 256 << 20, .is_64bit = true, .prefetchable = true});
  const uint64_t gib = 1ULL << 30;
  pcie::ResizableBarCapability capability(environment, "rebar", bars,
                                          {{0, 3 << 20}, {2, 256 << 20 | gib | 16 * gib | 1ULL << 48}});
  // BAR 0: 1 and 2 MiB, bits 4 and 5. BAR 2: 256 MiB, 1 GiB, 16 GiB, bits 12, 14 and 18; 256 TiB, bit 16 of control.
  check_capability(capability, true,
                   {{0x0, 4, 0x0001'0015},
                    {0x04, 4, 0x0000'0030},
                    {0x08, 4, 0x0000'0040},  // all ones are no supported size
                    {0x0c, 4, 0x0004'5000},
                    {0x10, 4, 0x0001'0802}});
}

}  // namespace
}  // namespace npuvp::tests

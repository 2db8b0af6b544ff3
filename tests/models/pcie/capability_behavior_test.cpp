// SPDX-License-Identifier: Apache-2.0
// What capabilities do beyond keeping their bits: lists, SR-IOV, Resizable BAR, egress control, containment, links.
#include <gtest/gtest.h>

#include <map>

#include "models/pcie/capabilities/acs_capability.h"
#include "models/pcie/capabilities/aer_capability.h"
#include "models/pcie/capabilities/ari_capability.h"
#include "models/pcie/capabilities/data_link_feature_capability.h"
#include "models/pcie/capabilities/dpc_capability.h"
#include "models/pcie/capabilities/express_capability.h"
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
#include "models/pcie/config_space.h"

namespace npuvp::tests {
namespace {

using base::RegisterBank;
using pcie::ResetKind;

/// Configuration space of a function, driven as software does.
struct Space {
  base::Environment environment;
  pcie::Type0Registers header{environment, "type0", RegisterBank::Rules::kBytewise};
  pcie::BaseAddressRegisters bars{header};
  pcie::ConfigSpace space{header};

  uint32_t read(unsigned offset, unsigned bytes = 4) {
    uint32_t value = 0;
    space.read(offset, {reinterpret_cast<uint8_t*>(&value), bytes}, {});
    return value;
  }
  void write(unsigned offset, unsigned bytes, uint32_t value) {
    space.write(offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, {});
  }
};

TEST(PcieCapabilities, BothListsLeadToEverythingThatWasAdded) {
  Space s;
  auto& e = s.environment;
  s.bars.add({.index = 0, .bytes = 1 << 20});
  pcie::ExpressCapability express(e, "express", {});
  pcie::PowerManagementCapability power(e, "power");
  pcie::MsixCapability msix(e, "msix", {.vectors = 1});
  pcie::MsiCapability msi(e, "msi");
  pcie::AerCapability aer(e, "aer", {});
  pcie::AcsCapability acs(e, "acs", {.ports = 33});
  pcie::AriCapability ari(e, "ari");
  pcie::SriovCapability sriov(e, "sriov", {.total_vfs = 1});
  pcie::ResizableBarCapability rebar(e, "rebar", s.bars, {{0, 1 << 20}});
  pcie::DpcCapability dpc(e, "dpc");
  pcie::SecondaryPcieCapability secondary(e, "secondary", 1, true);
  pcie::PhysicalLayer16Capability layer16(e, "layer16", 16);
  pcie::PhysicalLayer32Capability layer32(e, "layer32", 2);
  pcie::DataLinkFeatureCapability feature(e, "feature");
  pcie::LtrCapability ltr(e, "ltr");
  pcie::SerialNumberCapability serial(e, "serial", 1);
  pcie::VendorSpecificCapability vendor(e, "vendor", {.bytes = 12});

  // Sizes from the specification: nothing may reach into its neighbour when placed back to back.
  const std::map<unsigned, unsigned> sizes = {{0x0001, 0x48}, {0x0003, 0x0c}, {0x000b, 12},   {0x000d, 8 + 2 * 4},
                                              {0x000e, 0x08}, {0x0010, 0x40}, {0x0015, 0x0c}, {0x0018, 0x08},
                                              {0x0019, 0x10}, {0x001d, 0x0c}, {0x0025, 0x0c}, {0x0026, 0x30},
                                              {0x002a, 0x24}};
  unsigned at = 0x40;
  for (pcie::Capability* each : std::initializer_list<pcie::Capability*>{&express, &power, &msix, &msi}) {
    s.space.add(*each, at);
    at += each->bytes();
  }
  const std::initializer_list<pcie::Capability*> extended = {
      &aer, &acs, &ari, &sriov, &rebar, &dpc, &secondary, &layer16, &layer32, &feature, &ltr, &serial, &vendor};
  at = 0x100;
  for (auto* each : extended) {
    s.space.add(*each, at);
    at += each->bytes();
  }

  std::vector<unsigned> ids;
  for (at = s.read(0x34, 1); at != 0 && ids.size() < 48; at = s.read(at + 1, 1)) {
    EXPECT_EQ(at % 4, 0u);
    ids.push_back(s.read(at, 1));
  }
  EXPECT_EQ(ids, (std::vector<unsigned>{0x10, 0x01, 0x11, 0x05}));

  std::map<unsigned, unsigned> found;
  for (at = 0x100; at != 0 && found.size() < 960;) {
    const uint32_t header = s.read(at);
    const unsigned next = header >> 20;
    EXPECT_EQ(header >> 16 & 0xf, (header & 0xffff) == 0x0001 ? 2u : 1u) << "version";
    EXPECT_TRUE(next == 0 || (next > at && next % 4 == 0));
    const unsigned bytes = next == 0 ? 12 : next - at;  // the vendor-specific one is last
    EXPECT_TRUE(found.emplace(header & 0xffff, bytes).second) << "twice";
    at = next;
  }
  EXPECT_EQ(found, sizes);
}

struct Sriov : Space {
  static pcie::SriovParameters parameters() {
    pcie::SriovParameters result{.total_vfs = 16, .first_vf_offset = 1, .vf_stride = 1, .vf_device_id = 0x1221};
    result.bars = {{.index = 0, .bytes = 64 << 10, .is_64bit = true},
                   {.index = 2, .bytes = 64 << 20, .is_64bit = true, .prefetchable = true},
                   {.index = 4, .bytes = 4096}};
    return result;
  }

  Sriov() { space.add(sriov, 0x100); }

  void enable(unsigned vfs, bool memory = true) {
    write(0x110, 2, vfs);
    write(0x108, 2, memory ? 0x9 : 0x1);
  }

  pcie::SriovCapability sriov{environment, "sriov", parameters()};
};

TEST(PcieSriov, ABarIsSizedForOneFunction) {
  Sriov s;
  s.enable(16);
  for (const unsigned bar : {0x124u, 0x128u, 0x12cu, 0x130u, 0x134u, 0x138u}) s.write(bar, 4, 0xffff'ffff);
  EXPECT_EQ(s.read(0x124), 0xffff'0004u);
  EXPECT_EQ(s.read(0x128), 0xffff'ffffu);
  EXPECT_EQ(s.read(0x12c), 0xfc00'000cu);
  EXPECT_EQ(s.read(0x130), 0xffff'ffffu);
  EXPECT_EQ(s.read(0x134), 0xffff'f000u);
  EXPECT_EQ(s.read(0x138), 0u);
}

TEST(PcieSriov, NumberOfFunctionsIsFixedWhileTheyExist) {
  Sriov s;
  s.write(0x110, 2, 17);
  EXPECT_EQ(s.read(0x110, 2), 0u) << "more than there can be";
  s.write(0x110, 2, 16);
  EXPECT_EQ(s.sriov.vf_count(), 0u) << "not enabled yet";
  s.write(0x108, 2, 0x1);
  EXPECT_EQ(s.sriov.vf_count(), 16u);
  s.write(0x110, 2, 3);
  EXPECT_EQ(s.read(0x110, 2), 16u);
  s.write(0x108, 2, 0x0);
  EXPECT_EQ(s.sriov.vf_count(), 0u);
  s.write(0x110, 2, 3);
  EXPECT_EQ(s.read(0x110, 2), 3u);
}

TEST(PcieSriov, AddressesBelongToFunctionAndBar) {
  Sriov s;
  s.write(0x124, 4, 0x0010'0000);
  s.write(0x128, 4, 0x0000'0080);
  s.write(0x12c, 4, 0xf000'0000);
  s.write(0x130, 4, 0x0000'00ff);
  s.write(0x134, 4, 0xfffe'0000);
  EXPECT_FALSE(s.sriov.decode(0x80'0010'0000, 4)) << "not enabled";
  s.enable(3, false);
  EXPECT_FALSE(s.sriov.decode(0x80'0010'0000, 4)) << "memory space is off";
  s.write(0x108, 2, 0x9);

  const auto expect = [&](uint64_t address, unsigned vf, unsigned bar, uint64_t offset) {
    const auto hit = s.sriov.decode(address, 4);
    ASSERT_TRUE(hit) << std::hex << address;
    EXPECT_EQ(hit->vf, vf);
    EXPECT_EQ(hit->bar, bar);
    EXPECT_EQ(hit->offset, offset);
  };
  expect(0x80'0010'0000, 0, 0, 0);
  expect(0x80'0010'fffc, 0, 0, 0xfffc);
  expect(0x80'0011'0000, 1, 0, 0);
  expect(0x80'0012'1234, 2, 0, 0x1234);
  expect(0xff'f000'0000, 0, 2, 0);
  expect(0xff'fbff'fffc, 2, 2, 0x3ff'fffc);
  expect(0xfffe'2ffc, 2, 4, 0xffc);
  EXPECT_FALSE(s.sriov.decode(0x80'000f'fffc, 4)) << "below";
  EXPECT_FALSE(s.sriov.decode(0x80'0013'0000, 4)) << "a fourth function";
  EXPECT_FALSE(s.sriov.decode(0x80'0010'fffe, 4)) << "must not run into the next function";
  EXPECT_FALSE(s.sriov.decode(0xff'fc00'0000, 4));
  EXPECT_FALSE(s.sriov.decode(0x80'0010'0000, 0x1'0001)) << "larger than the BAR";
}

TEST(PcieSriov, AperturesGrowToTheSystemPageSize) {
  Sriov s;
  EXPECT_EQ(s.sriov.aperture_bytes(4), 4096u);
  s.write(0x120, 4, 0x3);
  EXPECT_EQ(s.read(0x120), 0x1u) << "two sizes";
  s.write(0x120, 4, 0x4);
  EXPECT_EQ(s.read(0x120), 0x1u) << "16 KiB are not supported";
  s.write(0x120, 4, 0x10);  // 64 KiB
  EXPECT_EQ(s.read(0x120), 0x10u);
  s.write(0x134, 4, 0xffff'ffff);
  EXPECT_EQ(s.read(0x134), 0xffff'0000u);
  s.write(0x134, 4, 0x1000'0000);
  s.enable(2);
  EXPECT_EQ(s.sriov.decode(0x1001'0000, 4)->vf, 1u);
  EXPECT_FALSE(s.sriov.decode(0x1000'1000, 4)) << "beyond the 4 KiB that the card has there";
  s.write(0x120, 4, 0x1);
  EXPECT_EQ(s.read(0x120), 0x10u) << "fixed while functions exist";
  s.space.reset(ResetKind::kFunctionLevel);
  EXPECT_EQ(s.sriov.aperture_bytes(4), 4096u);
}

TEST(PcieSriov, TellsOfEveryChangeAndOfNothingElse) {
  Sriov s;
  std::vector<std::pair<unsigned, bool>> seen;
  s.sriov.on_change([&] { seen.emplace_back(s.sriov.vf_count(), s.sriov.memory_space()); });
  s.write(0x110, 2, 4);
  s.write(0x108, 2, 0x1);
  s.write(0x108, 2, 0x11);  // ARI hierarchy
  s.write(0x108, 2, 0x19);
  s.write(0x108, 2, 0x19);
  s.space.reset(ResetKind::kHot);
  s.space.reset(ResetKind::kFundamental);
  EXPECT_EQ(seen, (std::vector<std::pair<unsigned, bool>>{{4, false}, {4, true}, {0, false}}));
}

TEST(PcieSriov, RoutingIdsFollowOffsetAndStride) {
  base::Environment environment;
  pcie::SriovCapability sriov(environment, "sriov", {.total_vfs = 300, .first_vf_offset = 4, .vf_stride = 2});
  EXPECT_EQ(sriov.routing_id(0x0300, 0), 0x0304);
  EXPECT_EQ(sriov.routing_id(0x0300, 7), 0x0312);
  EXPECT_EQ(sriov.routing_id(0x0300, 126), 0x0400) << "on to the next bus";
}

TEST(PcieResizableBar, TakesSupportedSizesAndResizesAtOnce) {
  Space s;
  s.bars.add({.index = 2, .bytes = 256 << 20, .is_64bit = true, .prefetchable = true});
  const uint64_t gib = 1ULL << 30;
  pcie::ResizableBarCapability rebar(s.environment, "rebar", s.bars, {{2, (256 << 20) | gib | 8 * gib}});
  s.space.add(rebar, 0x100);
  std::vector<std::pair<unsigned, uint64_t>> seen;
  rebar.on_resize([&](unsigned bar, uint64_t bytes) { seen.emplace_back(bar, bytes); });
  EXPECT_EQ(s.read(0x104), 1u << 12 | 1u << 14 | 1u << 17);
  EXPECT_EQ(s.read(0x108), 0x0822u);

  s.write(0x18, 4, 0x7000'0000);
  s.write(0x108, 4, 13 << 8);  // 8 GiB
  EXPECT_EQ(s.read(0x108), 0x0d22u);
  EXPECT_EQ(s.read(0x18), 0x0000'000cu) << "address bits that it no longer has";
  s.write(0x18, 4, 0xffff'ffff);
  s.write(0x1c, 4, 0xffff'ffff);
  EXPECT_EQ(s.read(0x18), 0x0000'000cu);
  EXPECT_EQ(s.read(0x1c), 0xffff'fffeu);
  s.write(0x1c, 4, 0x0000'0002);
  EXPECT_EQ(s.bars.decode(0x3'ffff'fff8, 8)->offset, 0x1'ffff'fff8u);

  s.write(0x109, 1, 9);  // 512 MiB is not supported
  EXPECT_EQ(s.read(0x108), 0x0d22u);
  s.write(0x109, 1, 0x3f);
  EXPECT_EQ(s.read(0x108), 0x0d22u);
  s.space.reset(ResetKind::kFunctionLevel);
  EXPECT_EQ(s.read(0x108), 0x0822u);
  s.write(0x18, 4, 0xffff'ffff);
  EXPECT_EQ(s.read(0x18), 0xf000'000cu);
  EXPECT_EQ(seen, (std::vector<std::pair<unsigned, uint64_t>>{{2, 8 * gib}, {2, 256 << 20}}));
}

TEST(PcieAcs, EgressControlBlocksThePortsOfItsVector) {
  Space s;
  pcie::AcsCapability acs(s.environment, "acs", {.ports = 40});
  s.space.add(acs, 0x100);
  s.write(0x108, 4, 0x8000'0001);
  s.write(0x10c, 4, 0xffff'ff80);
  EXPECT_FALSE(acs.blocks_egress_to(0)) << "control is off";
  s.write(0x106, 2, 0x20);
  for (unsigned port = 0; port < 300; ++port) {
    EXPECT_EQ(acs.blocks_egress_to(port), port == 0 || port == 31 || port == 39) << port;
  }
}

TEST(PcieDpc, SoftwareTriggersAndReleases) {
  Space s;
  pcie::DpcCapability dpc(s.environment, "dpc");
  s.space.add(dpc, 0x100);
  int triggered = 0;
  int released = 0;
  dpc.on_software_trigger([&] {
    ++triggered;
    dpc.registers.STATUS.TRIGGER.set(1);
  });
  dpc.on_release([&] { ++released; });
  s.write(0x108, 2, 0x1);
  EXPECT_EQ(released, 0) << "nothing to release";
  s.write(0x106, 2, 0x41);
  EXPECT_EQ(triggered, 1);
  EXPECT_EQ(s.read(0x106, 2), 0x01u) << "the trigger reads 0";
  EXPECT_TRUE(dpc.is_triggered());
  s.write(0x108, 2, 0x8);
  EXPECT_EQ(released, 0);
  s.write(0x108, 2, 0x1);
  EXPECT_EQ(released, 1);
  EXPECT_FALSE(dpc.is_triggered());
}

TEST(PciePowerManagement, StatesThatAreNotSupportedChangeNothing) {
  Space s;
  pcie::PowerManagementCapability power(s.environment, "power");
  s.space.add(power, 0x40);
  int changes = 0;
  power.on_power_state([&] { ++changes; });
  s.write(0x44, 2, 1);
  EXPECT_TRUE(power.in_d0());
  s.write(0x44, 2, 3);
  EXPECT_FALSE(power.in_d0());
  s.write(0x44, 2, 2);
  EXPECT_EQ(s.read(0x44, 2), 0x000bu);
  s.write(0x44, 2, 0);
  EXPECT_EQ(changes, 2);
}

TEST(PciePhysicalLayer, EqualizationIsToldOfTheSpeedsThatWerePassed) {
  base::Environment environment;
  pcie::PhysicalLayer16Capability layer16(environment, "layer16", 16);
  pcie::PhysicalLayer32Capability layer32(environment, "layer32", 16);
  using Status = std::pair<uint64_t, uint64_t>;
  const auto status = [&](unsigned generation) {
    layer16.set_link(generation);
    layer32.set_link(generation);
    return Status(layer16.registers.STATUS.get(), layer32.registers.STATUS.get());
  };
  EXPECT_EQ(status(5), Status(0xf, 0xf));
  EXPECT_EQ(status(4), Status(0xf, 0x0));
  EXPECT_EQ(status(3), Status(0x0, 0x0));
  EXPECT_EQ(status(0), Status(0x0, 0x0));
}

TEST(PcieDataLinkFeature, ShowsThePortAtTheOtherEnd) {
  base::Environment environment;
  pcie::DataLinkFeatureCapability one(environment, "one");
  const pcie::DataLinkFeatureCapability other(environment, "other");
  EXPECT_EQ(one.registers.STATUS.get(), 0u);
  one.set_remote(&other);
  EXPECT_EQ(one.registers.STATUS.get(), 0x8000'0001u);
  one.set_remote(nullptr);
  EXPECT_EQ(one.registers.STATUS.get(), 0u);
}

}  // namespace
}  // namespace npuvp::tests

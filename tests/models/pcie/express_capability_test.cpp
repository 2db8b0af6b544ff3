// SPDX-License-Identifier: Apache-2.0
// The PCI Express capability of each type of function against tables written from section 7.5.3 of the PCI Express
// Base Specification 5.0, and what its values mean.
#include "models/pcie/capabilities/express_capability.h"

#include "tests/models/pcie/capability_table.h"

namespace npuvp::tests {
namespace {

using sc_core::sc_time;

constexpr uint64_t kEndpoint = 0;
constexpr uint64_t kRootPort = 4;
constexpr uint64_t kUpstreamPort = 5;
constexpr uint64_t kDownstreamPort = 6;
constexpr uint64_t kIntegratedEndpoint = 9;

/// A capability in a configuration space, driven as software does: offsets relative to the capability.
class Express {
 public:
  explicit Express(const pcie::ExpressParameters& parameters) : capability(environment_, "express", parameters) {
    space_.add(capability, 0x40);
  }

  uint64_t read(unsigned offset, unsigned bytes) {
    uint64_t value = 0;
    space_.read(0x40 + offset, {reinterpret_cast<uint8_t*>(&value), bytes}, {});
    return value;
  }
  void write(unsigned offset, unsigned bytes, uint64_t value) {
    space_.write(0x40 + offset, {reinterpret_cast<const uint8_t*>(&value), bytes}, {});
  }
  void reset(pcie::ResetKind kind) { space_.reset(kind); }

 private:
  base::Environment environment_;
  pcie::Type0Registers header_{environment_, "type0", base::RegisterBank::Rules::kBytewise};
  pcie::ConfigSpace space_{header_};

 public:
  pcie::ExpressCapability capability;
};

void check(const pcie::ExpressParameters& parameters, const std::vector<Row>& rows) {
  base::Environment environment;
  pcie::ExpressCapability capability(environment, "express", parameters);
  ASSERT_EQ(capability.bytes(), 0x3cu);
  check_capability(capability, false, rows);
}

const Row kLinkControl2{.offset = 0x30, .bytes = 2, .reset = 0x0005, .writable = 0xffbf, .sticky = 0xffbf};
const Row kLinkStatus2{.offset = 0x32, .bytes = 2, .w1c = 0x20, .sticky = 0x20, .state = 0xdf};
const Row kUpperLinkStatus{.offset = 0x12, .bytes = 2, .reset = 0x1000, .w1c = 0xc000, .state = 0x3bff};
const Row kLowerLinkStatus{.offset = 0x12, .bytes = 2, .reset = 0x1000, .state = 0x3bff};

TEST(PcieExpressCapability, RegistersOfARootPortWithASlot) {
  pcie::ExpressParameters parameters{.type = kRootPort, .port_number = 3, .ari_forwarding = true, .ltr = true};
  parameters.slot = pcie::SlotParameters{.number = 5, .hot_plug = true, .surprise = true};
  check(parameters, {{0x00, 1, 0x10},
                     {0x01, 1},
                     {0x02, 2, 0x0142},
                     {0x04, 4, 0x0000'8022},
                     {0x08, 2, 0x2910, 0x79ff, 0, 0, 0x00e0},
                     {0x0a, 2, 0, 0, 0x000f},
                     {0x0c, 4, 0x0378'0105},
                     {0x10, 2, 0, 0x0ed3, 0, 0, 0x02c3},
                     kUpperLinkStatus,
                     {0x14, 4, 0x002c'25e0},
                     {0x18, 2, 0, 0x1028},
                     {.offset = 0x1a, .bytes = 2, .w1c = 0x0108, .state = 0x40},
                     {0x1c, 2, 0, 0x000f},
                     {0x1e, 2},
                     {0x20, 4, 0, 0, 0x0001'0000},
                     {0x24, 4, 0x0003'083f},
                     {0x28, 2, 0, 0x173f},
                     {0x2c, 4, 0x0180'003e},
                     kLinkControl2,
                     kLinkStatus2});
}

TEST(PcieExpressCapability, RegistersOfAnEndpoint) {
  check({.type = kEndpoint, .function_level_reset = true}, {{0x00, 1, 0x10},
                                                            {0x01, 1},
                                                            {0x02, 2, 0x0002},
                                                            {0x04, 4, 0x1000'8022},
                                                            {0x08, 2, 0x2910, 0x79ff, 0, 0, 0x00e0},
                                                            {0x0a, 2, 0, 0, 0x000f},
                                                            {0x0c, 4, 0x0040'0105},
                                                            {0x10, 2, 0, 0x02c3, 0, 0, 0x02c3},
                                                            kLowerLinkStatus,
                                                            {0x24, 4, 0x0003'001f},
                                                            {0x28, 2, 0, 0x131f},
                                                            {0x2c, 4, 0x0180'003e},
                                                            kLinkControl2,
                                                            kLinkStatus2});
}

TEST(PcieExpressCapability, RegistersOfSwitchPorts) {
  check({.type = kUpstreamPort}, {{0x00, 1, 0x10},
                                  {0x01, 1},
                                  {0x02, 2, 0x0052},
                                  {0x04, 4, 0x0000'8022},
                                  {0x08, 2, 0x2910, 0x79ff, 0, 0, 0x00e0},
                                  {0x0a, 2, 0, 0, 0x000f},
                                  {0x0c, 4, 0x0040'0105},
                                  {0x10, 2, 0, 0x02c3, 0, 0, 0x02c3},
                                  kLowerLinkStatus,
                                  {0x24, 4, 0x0001'0000},
                                  {0x28, 2},
                                  {0x2c, 4, 0x0180'003e},
                                  kLinkControl2,
                                  kLinkStatus2});
  check({.type = kDownstreamPort, .generation = 3, .lanes = 4, .port_number = 9, .ari_forwarding = true},
        {{0x00, 1, 0x10},
         {0x01, 1},
         {0x02, 2, 0x0062},
         {0x04, 4, 0x0000'8022},
         {0x08, 2, 0x2910, 0x79ff, 0, 0, 0x00e0},
         {0x0a, 2, 0, 0, 0x000f},
         {0x0c, 4, 0x0978'0043},
         {0x10, 2, 0, 0x0ed3, 0, 0, 0x02c3},
         kUpperLinkStatus,
         {0x1a, 2, 0x40},  // without a slot there is always a card
         {0x24, 4, 0x0000'0020},
         {0x28, 2, 0, 0x0020},
         {0x2c, 4, 0x0000'000e},
         {.offset = 0x30, .bytes = 2, .reset = 0x0003, .writable = 0xffbf, .sticky = 0xffbf},
         kLinkStatus2});
}

TEST(PcieExpressCapability, SlotWithoutHotPlugTellsOfTheLinkOnly) {
  Express express({.type = kDownstreamPort, .slot = pcie::SlotParameters{.number = 8191, .power_limit_watts = 239}});
  EXPECT_EQ(express.read(0x14, 4), 0xfffc'0000u | 239u << 7);
  express.write(0x18, 2, 0xffff);
  EXPECT_EQ(express.read(0x18, 2), 0x1000u);
}

TEST(PcieExpressCapability, RegistersOfAVirtualFunction) {
  check({.type = kEndpoint, .function_level_reset = true, .virtual_function = true}, {{0x00, 1, 0x10},
                                                                                      {0x01, 1},
                                                                                      {0x02, 2, 0x0002},
                                                                                      {0x04, 4, 0x1000'8022},
                                                                                      {0x08, 2},
                                                                                      {0x0a, 2, 0, 0, 0x000f},
                                                                                      {0x0c, 4, 0x0040'0105},
                                                                                      {0x24, 4, 0x0001'001f},
                                                                                      {0x2c, 4, 0x0180'003e}});
}

TEST(PcieExpressCapability, IntegratedEndpointHasNoLink) {
  check({.type = kIntegratedEndpoint, .generation = 1, .lanes = 1, .max_payload_bytes = 128},
        {{0x00, 1, 0x10},
         {0x01, 1},
         {0x02, 2, 0x0092},
         {0x04, 4, 0x0000'8020},
         {0x08, 2, 0x2910, 0x79ff, 0, 0, 0x00e0},
         {0x0a, 2, 0, 0, 0x000f},
         {0x24, 4, 0x0000'001f},
         {0x28, 2, 0, 0x031f}});
}

TEST(PcieExpressCapability, CompletionTimeoutIsTheEndOfTheProgrammedRange) {
  Express express({.type = kEndpoint});
  const std::pair<unsigned, sc_time> ranges[] = {
      {0b0000, {50, sc_core::SC_MS}},   {0b0001, {100, sc_core::SC_US}}, {0b0010, {10, sc_core::SC_MS}},
      {0b0101, {55, sc_core::SC_MS}},   {0b0110, {210, sc_core::SC_MS}}, {0b1001, {900, sc_core::SC_MS}},
      {0b1010, {3500, sc_core::SC_MS}}, {0b1101, {13, sc_core::SC_SEC}}, {0b1110, {64, sc_core::SC_SEC}},
      {0b0111, {50, sc_core::SC_MS}},   {0b1111, {50, sc_core::SC_MS}}};
  for (const auto& [code, time] : ranges) {
    express.write(0x28, 2, code);
    EXPECT_EQ(express.capability.completion_timeout(), time) << code;
  }
  express.write(0x28, 2, 0x10);
  EXPECT_EQ(express.capability.completion_timeout(), sc_core::sc_max_time());
}

TEST(PcieExpressCapability, TagsAndOrderingAreWhatSoftwareEnables) {
  Express express({.type = kEndpoint});
  auto& capability = express.capability;
  EXPECT_EQ(capability.extended_tags(), 256u);
  EXPECT_TRUE(capability.relaxed_ordering());
  EXPECT_FALSE(capability.id_based_ordering_request() || capability.id_based_ordering_completion());
  express.write(0x08, 2, 0);
  EXPECT_EQ(capability.extended_tags(), 32u);
  EXPECT_FALSE(capability.relaxed_ordering());
  express.write(0x28, 2, 0x1100);
  EXPECT_EQ(capability.extended_tags(), 768u);
  EXPECT_TRUE(capability.id_based_ordering_request());
  express.write(0x28, 2, 0x0200);
  EXPECT_TRUE(capability.id_based_ordering_completion());
  EXPECT_FALSE(capability.id_based_ordering_request());

  Express gen3({.type = kEndpoint, .generation = 3});
  gen3.write(0x28, 2, 0xffff);
  EXPECT_EQ(gen3.capability.extended_tags(), 256u) << "10-bit tags came with 16 GT/s";
}

TEST(PcieExpressCapability, FunctionLevelResetKeepsThePayloadSizeAndForgetsTheRest) {
  Express express({.type = kEndpoint, .function_level_reset = true});
  express.capability.on_function_level_reset([&] { express.reset(pcie::ResetKind::kFunctionLevel); });
  express.capability.set_link(5, 16);
  express.write(0x10, 2, 0x40);
  express.write(0x08, 2, 0x802f);  // MPS 256, MRRS 128, reset
  EXPECT_EQ(express.read(0x08, 2), 0x2930u);
  EXPECT_EQ(express.read(0x10, 2), 0x0040u);
  EXPECT_EQ(express.read(0x12, 2), 0x1105u);
  EXPECT_EQ(express.capability.max_payload_bytes(), 256u);
}

TEST(PcieExpressCapability, WithoutTheCapabilityNothingResets) {
  Express express({.type = kEndpoint});
  express.capability.on_function_level_reset([] { FAIL(); });
  express.write(0x08, 2, 0x8000);
}

TEST(PcieExpressCapability, LinkControlOfADownstreamPortAsksForTraining) {
  Express express({.type = kDownstreamPort});
  int asked = 0;
  express.capability.on_link_control([&] { ++asked; });
  express.write(0x10, 2, 0x20);
  EXPECT_EQ(asked, 1) << "retrain";
  EXPECT_EQ(express.read(0x10, 2), 0u) << "retrain reads 0";
  express.write(0x10, 2, 0x10);
  EXPECT_EQ(asked, 2) << "disable";
  express.write(0x10, 2, 0x50);
  EXPECT_EQ(asked, 2) << "still disabled";
  express.write(0x10, 2, 0x00);
  EXPECT_EQ(asked, 3) << "enable";

  Express endpoint({.type = kEndpoint});
  endpoint.capability.on_link_control([] { FAIL() << "not the endpoint's to say"; });
  endpoint.write(0x10, 2, 0x30);
}

TEST(PcieExpressCapability, RetrainingThatSoftwareAskedForIsReported) {
  Express express({.type = kRootPort});
  express.capability.set_link(5, 16);
  EXPECT_EQ(express.read(0x12, 2), 0x3105u) << "first training is no change of bandwidth";
  express.capability.on_link_control([&] { express.capability.set_link(3, 16); });
  express.write(0x10, 2, 0x20);
  EXPECT_EQ(express.read(0x12, 2), 0x7103u);
  express.write(0x12, 2, 0x4000);
  EXPECT_EQ(express.read(0x12, 2), 0x3103u);
  express.capability.set_link(1, 0);
  express.capability.set_link(5, 16);
  EXPECT_EQ(express.read(0x12, 2), 0x3105u) << "the link had been down";
}

TEST(PcieExpressCapability, EqualizationIsToldOfSpeedsThatNeedIt) {
  Express express({.type = kRootPort});
  EXPECT_EQ(express.read(0x32, 2), 0u);
  express.capability.set_link(2, 16);
  EXPECT_EQ(express.read(0x32, 2), 0u);
  express.capability.set_link(3, 16);
  EXPECT_EQ(express.read(0x32, 2), 0x1eu);
  express.capability.set_link(1, 0);
  EXPECT_EQ(express.read(0x32, 2), 0u);
  express.capability.set_training(true);
  EXPECT_EQ(express.read(0x12, 2) & 0x800, 0x800u);
  express.capability.set_training(false);
  EXPECT_EQ(express.read(0x12, 2) & 0x800, 0u);
}

TEST(PcieExpressCapability, TargetSpeedSurvivesAHotReset) {
  Express express({.type = kDownstreamPort});
  express.write(0x30, 2, 3);
  express.reset(pcie::ResetKind::kHot);
  EXPECT_EQ(express.capability.target_generation(), 3u);
  express.reset(pcie::ResetKind::kFundamental);
  EXPECT_EQ(express.capability.target_generation(), 5u);
  express.write(0x30, 2, 0);
  EXPECT_EQ(express.capability.target_generation(), 1u);
  express.write(0x30, 2, 15);
  EXPECT_EQ(express.capability.target_generation(), 5u);
}

TEST(PcieExpressCapability, SlotTellsOfCardAndLink) {
  Express express({.type = kDownstreamPort, .slot = pcie::SlotParameters{.number = 1, .hot_plug = true}});
  int written = 0;
  express.capability.on_slot_control([&] { ++written; });
  EXPECT_EQ(express.read(0x1a, 2), 0u);
  express.capability.set_presence(true);
  EXPECT_EQ(express.read(0x1a, 2), 0x48u);
  express.capability.set_link(5, 16);
  EXPECT_EQ(express.read(0x1a, 2), 0x148u);
  EXPECT_EQ(written, 0);
  express.write(0x1a, 2, 0x148);
  EXPECT_EQ(express.read(0x1a, 2), 0x40u);
  express.write(0x18, 2, 0x1028);
  EXPECT_EQ(written, 2);
  express.capability.set_presence(true);
  express.capability.set_link(4, 16);
  EXPECT_EQ(express.read(0x1a, 2), 0x40u) << "nothing changed";
  express.capability.set_presence(false);
  express.capability.set_link(1, 0);
  EXPECT_EQ(express.read(0x1a, 2), 0x108u);
  express.reset(pcie::ResetKind::kFundamental);
  EXPECT_EQ(express.read(0x1a, 2), 0u);
}

TEST(PcieExpressCapability, APortWithoutASlotAlwaysShowsACard) {
  Express express({.type = kRootPort});
  express.capability.set_presence(false);
  express.capability.set_link(5, 16);
  EXPECT_EQ(express.read(0x1a, 2), 0x40u);
}

}  // namespace
}  // namespace npuvp::tests

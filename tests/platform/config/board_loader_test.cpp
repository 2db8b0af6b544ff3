// SPDX-License-Identifier: Apache-2.0
#include "platform/config/board_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "platform/config/config_error.h"

namespace npuvp::config {
namespace {

using testing::HasSubstr;

/// A server file and its card file in a folder of their own, the card being atom-ca22 with one text replaced.
class BoardLoader : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
    write("server.yaml", "server: test\nroot_ports:\n  - card: ./card.yaml\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  void write_card(const std::string& old_text, const std::string& new_text) {
    std::ifstream in(std::string(NPUVP_BOARDS_DIR) + "/cards/atom-ca22.yaml");
    std::string card{std::istreambuf_iterator<char>(in), {}};
    const size_t at = card.find(old_text);
    ASSERT_NE(at, std::string::npos) << old_text;
    write("card.yaml", card.replace(at, old_text.size(), new_text));
  }

  std::string error() {
    try {
      (void)load_server((folder_ / "server.yaml").string(), NPUVP_BOARDS_DIR);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(BoardLoader, SecurityIsReadAndChecked) {
  const auto shipped = load_server("server-1", NPUVP_BOARDS_DIR);
  EXPECT_EQ(shipped.cards[0].security.lifecycle, NPU_LIFECYCLE_DEVELOPMENT);
  EXPECT_EQ(shipped.cards[0].security.flash_mib, 4U);
  write_card("lifecycle: development", "lifecycle: production\n  flash_file: card.flash");
  const auto changed = load_server((folder_ / "server.yaml").string(), NPUVP_BOARDS_DIR);
  EXPECT_EQ(changed.cards[0].security.lifecycle, NPU_LIFECYCLE_PRODUCTION);
  EXPECT_EQ(changed.cards[0].security.flash_file, "card.flash");
  write_card("lifecycle: development", "lifecycle: retired");
  EXPECT_THAT(error(), HasSubstr("'retired' is not test, development, production or rma"));
  write_card("flash_mib: 4", "flash_mib: 32");
  EXPECT_THAT(error(), HasSubstr("flash_mib"));
}

TEST_F(BoardLoader, TheShippedBoardHasThePublishedFigures) {
  const auto server = load_server("server-1", NPUVP_BOARDS_DIR);
  ASSERT_EQ(server.cards.size(), 1U);
  const auto& card = server.cards[0];
  EXPECT_EQ(card.pcie.vendor_id, 0x1eff);
  EXPECT_EQ(card.pcie.device_id, 0x1220);
  EXPECT_EQ(card.neural_engines.count, 8U);
  EXPECT_EQ(card.dram.mib, 16384U);
  // 256 GB/s of GDDR6; 64 MB on chip = 8 x 4 + 32; 32 TFLOPS FP16 and 128 TOPS INT8 at two operations a MAC.
  EXPECT_DOUBLE_EQ(card.dram.channels * card.dram.channel_gb_per_s, 256);
  EXPECT_EQ(card.neural_engines.count * card.neural_engines.scratchpad_mib + card.shared_memory.mib, 64U);
  const double macs_per_second = card.neural_engines.count * card.neural_engines.clock_mhz * 1e6;
  EXPECT_DOUBLE_EQ(2 * macs_per_second * card.neural_engines.fp16.rows * card.neural_engines.fp16.columns, 32e12);
  EXPECT_DOUBLE_EQ(2 * macs_per_second * card.neural_engines.int8.rows * card.neural_engines.int8.columns, 128e12);
}

TEST_F(BoardLoader, ReadsTheTopologyOfTheNoc) {
  write_card("topology: crossbar", R"(topology: mesh
  columns: 4
  rows: 2
  link_bytes_per_cycle: 128
  link_clock_mhz: 500
  links: [{from: 1, to: 5, bytes_per_cycle: 16}]
  nodes_of_ports: {dram: 5, scratchpad7: 7}
  qos: {weights: {neural_dma: 8}}
  #)");
  ASSERT_EQ(error(), "");
  const auto server = load_server((folder_ / "server.yaml").string(), NPUVP_BOARDS_DIR);
  const auto& noc = server.cards[0].noc;
  EXPECT_EQ(noc.topology, NocConfig::Topology::kMesh);
  EXPECT_EQ(noc.columns * 10 + noc.rows, 42U);
  EXPECT_DOUBLE_EQ(noc.link_bytes_per_second, 64e9);
  ASSERT_EQ(noc.links.size(), 1U);
  EXPECT_DOUBLE_EQ(noc.links[0].bytes_per_second, 16e9);
  EXPECT_EQ(noc.node_of("dram"), 5U);
  EXPECT_EQ(noc.node_of("scratchpad7"), 7U);
  EXPECT_EQ(noc.node_of("host"), 0U);
  EXPECT_TRUE(noc.quality_of_service);
  EXPECT_EQ(noc.weight_of("neural_dma"), 8U);
  EXPECT_EQ(noc.weight_of("mmu"), 1U);
}

TEST_F(BoardLoader, NocErrorsNameTheKey) {
  const auto with = [&](const std::string& text) {
    write_card("topology: crossbar", text);
    return error();
  };
  const std::string ring = "topology: ring\n  nodes: 6\n  link_bytes_per_cycle: 64\n  ";
  EXPECT_EQ(with(ring), "");
  EXPECT_THAT(with("topology: torus"), HasSubstr("noc.topology: 'torus' is neither crossbar, ring nor mesh"));
  EXPECT_THAT(with("topology: ring\n  nodes: 2"), HasSubstr("noc.nodes: '2' is not an integer from 3"));
  EXPECT_THAT(with("nodes: 6"), HasSubstr("noc.nodes: unknown key"));
  EXPECT_THAT(with(ring + "links: [{from: 1, to: 3, bytes_per_cycle: 8}]"), HasSubstr("1 and 3 are not next to each"));
  EXPECT_EQ(with(ring + "links: [{from: 5, to: 0, bytes_per_cycle: 8}]"), "");
  EXPECT_THAT(with(ring + "nodes_of_ports: {dram: 6}"), HasSubstr("nodes_of_ports.dram: '6' is not an integer from 0"));
  EXPECT_THAT(with(ring + "nodes_of_ports: {scratchpad8: 1}"), HasSubstr("nodes_of_ports.scratchpad8: unknown key"));
  EXPECT_THAT(with("qos: {weights: {dram: 3}}"), HasSubstr("noc.qos.weights.dram: unknown key"));
  EXPECT_THAT(with("qos: {weights: {mmu: 0}}"), HasSubstr("noc.qos.weights.mmu: '0' is not an integer from 1 to 255"));
}

TEST_F(BoardLoader, BanksScrubbingAndMmuAreOptionalAndChecked) {
  const auto without = [&](const std::string& old_text, const std::string& new_text) {
    write_card(old_text, new_text);
    return error();
  };
  EXPECT_THAT(without("  scratchpad_banks: 8 ", "  #"), HasSubstr("key 'scratchpad_banks' is missing"));
  EXPECT_THAT(without("banks: 16", "banks: 12"), HasSubstr("power of two"));
  EXPECT_THAT(without("scrub_period_s: 0", "scrub_period_s: 0.1"), HasSubstr("more than the DRAM can do"));
  EXPECT_EQ(without("scrub_period_s: 0", "scrub_period_s: 3600"), "");
  EXPECT_THAT(without("tlb_ways: 8", "tlb_ways: 1024"), HasSubstr("mmu.tlb_ways"));
}

TEST_F(BoardLoader, AnUnknownNameListsTheKnownOnes) {
  try {
    (void)load_server("nothing", NPUVP_BOARDS_DIR);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no board 'nothing'; known: server-1"));
  }
}

TEST_F(BoardLoader, ErrorsNameFileLineKeyAndLimits) {
  write_card("lanes: 16", "lanes: seventeen");
  EXPECT_THAT(error(), HasSubstr("card.yaml:"));
  EXPECT_THAT(error(), HasSubstr("pcie.lanes: 'seventeen' is not an integer from 1 to 16"));
}

TEST_F(BoardLoader, RefusesWhatIsNoPowerOfTwo) {
  write_card("lanes: 16", "lanes: 12");
  EXPECT_THAT(error(), HasSubstr("pcie.lanes: 12 is not a power of two"));
}

TEST_F(BoardLoader, RefusesMissingAndUnknownKeys) {
  write_card("  channels: 8 ", "  chanels: 8 ");
  EXPECT_THAT(error(), HasSubstr("'channels' is missing"));
  write_card("  channels: 8 ", "  colour: red\n  channels: 8 ");
  EXPECT_THAT(error(), HasSubstr("dram.colour: unknown key"));
}

TEST_F(BoardLoader, RefusesNumbersThatAreNone) {
  for (const char* value : {"nan", "inf", "-1", "1e300", "{}", "[1]", "''"}) {
    write_card("efficiency: 0.914", std::string("efficiency: ") + value);
    EXPECT_THAT(error(), HasSubstr("dram.efficiency")) << value;
  }
}

TEST_F(BoardLoader, SurvivesAnyTruncation) {
  std::ifstream in(std::string(NPUVP_BOARDS_DIR) + "/cards/atom-ca22.yaml");
  const std::string card{std::istreambuf_iterator<char>(in), {}};
  // Up to the last key: what follows its value is a comment.
  for (size_t bytes = 0; bytes <= card.find("dispatch_ns"); bytes += 7) {
    write("card.yaml", card.substr(0, bytes));
    EXPECT_NE(error(), "") << bytes;
  }
}

/// Cards below a port, in order.
std::vector<size_t> cards_below(const PortConfig& port) {
  if (const auto* card = std::get_if<size_t>(&port.below)) return {*card};
  std::vector<size_t> cards;
  for (const auto& each : std::get<std::unique_ptr<SwitchConfig>>(port.below)->ports) {
    const auto below = cards_below(each);
    cards.insert(cards.end(), below.begin(), below.end());
  }
  return cards;
}

const SwitchConfig& switch_below(const PortConfig& port) {
  return *std::get<std::unique_ptr<SwitchConfig>>(port.below);
}

TEST_F(BoardLoader, Server4HasFourSlotsBehindOneSwitchOfThePublishedLatency) {
  const auto server = load_server("server-4", NPUVP_BOARDS_DIR);
  ASSERT_EQ(server.root_ports.size(), 1U);
  EXPECT_EQ(cards_below(server.root_ports[0]), (std::vector<size_t>{0, 1, 2, 3}));
  const auto& chip = switch_below(server.root_ports[0]);
  EXPECT_EQ(chip.model.latency_ns, 115);
  EXPECT_EQ(chip.model.lanes, 144U);
  for (uint32_t index = 0; index < 4; ++index) {
    EXPECT_TRUE(chip.ports[index].hot_plug);
    EXPECT_EQ(chip.ports[index].slot, index + 1);
    EXPECT_EQ(chip.ports[index].lanes, 16U);
    EXPECT_EQ(chip.ports[index].generation, 5U);
  }
  EXPECT_TRUE(server.root_complex.peer_to_peer);
}

TEST_F(BoardLoader, Server16HasFourSwitchesUnderTwoRootPorts) {
  for (const auto* name : {"server-16", "server-16-vf"}) {
    const auto server = load_server(name, NPUVP_BOARDS_DIR);
    ASSERT_EQ(server.cards.size(), 16U);
    ASSERT_EQ(server.root_ports.size(), 2U);
    EXPECT_EQ(cards_below(server.root_ports[1]), (std::vector<size_t>{8, 9, 10, 11, 12, 13, 14, 15}));
    EXPECT_EQ(cards_below(switch_below(server.root_ports[1]).ports.back()), (std::vector<size_t>{12, 13, 14, 15}));
    EXPECT_EQ(server.cards[15].pcie.virtual_functions, name == std::string("server-16") ? 0U : 16U);
  }
}

TEST_F(BoardLoader, AtomMaxHasFourDevicesBehindASwitchOnTheCard) {
  const auto server = load_server("server-1-max", NPUVP_BOARDS_DIR);
  ASSERT_EQ(server.cards.size(), 4U);
  EXPECT_EQ(server.root_ports[0].slot, 1U);
  EXPECT_EQ(switch_below(server.root_ports[0]).ports[3].slot, 0U);
  for (const auto& card : server.cards) {
    EXPECT_EQ(card.pcie.device_id, 0x1250);
    EXPECT_EQ(card.neural_engines.count, 8U);
  }
}

TEST_F(BoardLoader, ACardLikeAnotherChangesOnlyWhatItNames) {
  write("card.yaml", "card: eight\nlike: atom-ca22\npcie:\n  virtual_functions: 8\n");
  const auto card = load_server((folder_ / "server.yaml").string(), NPUVP_BOARDS_DIR).cards.at(0);
  EXPECT_EQ(card.name, "eight");
  EXPECT_EQ(card.pcie.virtual_functions, 8U);
  EXPECT_EQ(card.pcie.device_id, 0x1220);
  EXPECT_EQ(card.dram.mib, 16384U);
}

TEST_F(BoardLoader, ErrorsInACardLikeAnotherNameTheFileThatIsWrong) {
  write("card.yaml", "card: wrong\nlike: atom-ca22\npcie:\n  virtual_functions: 17\n");
  EXPECT_THAT(error(), HasSubstr("card.yaml:4: pcie.virtual_functions: '17' is not an integer from 0 to 16"));
  write("card.yaml", "card: wrong\nlike: ./base.yaml\n");
  write("base.yaml", "card: base\npcie: 5\n");
  EXPECT_THAT(error(), HasSubstr("base.yaml:2: pcie: expected a mapping"));
  write("base.yaml", "card: base\nlike: ./card.yaml\n");
  EXPECT_THAT(error(), HasSubstr("base.yaml:2: like: a card that others are like must be complete itself"));
  write("card.yaml", "card: wrong\nlike: atom-ca23\n");
  EXPECT_THAT(error(), HasSubstr("card.yaml:2: like: no file for 'atom-ca23'; known: atom-ca22"));
}

TEST_F(BoardLoader, NamedSlotsKeepTheirNumbersAndOthersGetFreeOnes) {
  write("card.yaml", "card: c\nlike: atom-ca22\n");
  write("server.yaml",
        "server: s\nroot_ports:\n  - card: ./card.yaml\n  - {card: ./card.yaml, slot: 1}\n  - card: ./card.yaml\n");
  const auto server = load_server((folder_ / "server.yaml").string(), NPUVP_BOARDS_DIR);
  EXPECT_EQ(server.root_ports[0].slot, 2U);
  EXPECT_EQ(server.root_ports[1].slot, 1U);
  EXPECT_EQ(server.root_ports[2].slot, 3U);
}

/// A server file whose root ports are `ports`, and what loading it says.
class BoardTree : public BoardLoader {
 protected:
  void SetUp() override {
    BoardLoader::SetUp();
    write("card.yaml", "card: c\nlike: atom-ca22\n");
  }
  std::string error_of(const std::string& ports) {
    write("server.yaml", "server: s\nroot_ports:\n" + ports);
    return error();
  }
  static std::string repeat(const std::string& text, size_t count) {
    std::string all;
    while (count-- > 0) all += text;
    return all;
  }
};

TEST_F(BoardTree, APortLeadsToExactlyOneThing) {
  EXPECT_THAT(error_of("  - lanes: 16\n"), HasSubstr("server.yaml:3: root_ports[0]: a port leads to either"));
  EXPECT_THAT(error_of("  - {card: ./card.yaml, switch: {}}\n"), HasSubstr("either a 'card' or a 'switch'"));
  EXPECT_THAT(error_of("  []\n"), HasSubstr("root_ports: expected a list with at least one entry"));
}

TEST_F(BoardTree, RefusesUnknownAndWrongKeysInTheTree) {
  EXPECT_THAT(error_of("  - {card: ./card.yaml, hotplug: true}\n"),
              HasSubstr("server.yaml:3: root_ports[0].hotplug: unknown key; known here: card, generation, hot_plug"));
  EXPECT_THAT(error_of("  - {card: ./card.yaml, hot_plug: 1}\n"), HasSubstr("hot_plug: '1' is neither true nor false"));
  EXPECT_THAT(error_of("  - {card: ./card.yaml, lanes: 3}\n"), HasSubstr("lanes: 3 is not a power of two"));
  EXPECT_THAT(error_of("  - {card: ./card.yaml, generation: 6}\n"), HasSubstr("not an integer from 1 to 5"));
  EXPECT_THAT(error_of("  - card: ./card.yaml\nroot_complex: {peer: true}\n"), HasSubstr("root_complex.peer: unknown"));
  EXPECT_THAT(error_of("  - card: ./card.yaml\nroot_complex: {latency_ns: -1}\n"),
              HasSubstr("root_complex.latency_ns"));
  EXPECT_THAT(error_of("  - switch: {model: pex1, ports: [{card: ./card.yaml}]}\n"),
              HasSubstr("switch.model: no file for 'pex1'; known: pex89000"));
  EXPECT_THAT(error_of("  - switch: {model: pex89000}\n"), HasSubstr("key 'ports' is missing"));
  EXPECT_THAT(error_of("  - switch: {model: pex89000, ports: [{card: ./card.yaml}], latency_ns: 1}\n"),
              HasSubstr("switch.latency_ns: unknown key"));
  EXPECT_THAT(error_of("  - {hot_plug: true, switch: {model: pex89000, ports: [{card: ./card.yaml}]}}\n"),
              HasSubstr("only a card can be taken out"));
}

TEST_F(BoardTree, CountsCardsPortsLanesAndSlots) {
  const std::string card = "  - {card: ./card.yaml, lanes: 1}\n";
  EXPECT_EQ(error_of(repeat(card, 32)), "");
  EXPECT_THAT(error_of(repeat(card, 33)), HasSubstr("33 ports; a bus has room for 32"));
  const std::string two_switches =
      repeat("  - switch: {model: pex89000, ports: [" + repeat("{card: ./card.yaml, lanes: 1},", 17) + "]}\n", 2);
  EXPECT_THAT(error_of(two_switches), HasSubstr("root_ports[1].switch.ports[15].card: more than 32 cards"));
  EXPECT_THAT(error_of("  - switch: {model: pex89000, ports: [" + repeat("{card: ./card.yaml},", 9) + "]}\n"),
              HasSubstr("switch.ports: 160 lanes with the upstream port; a pex89000 has 144"));
  EXPECT_THAT(error_of(repeat("  - {card: ./card.yaml, slot: 5}\n", 2)),
              HasSubstr("root_ports[1].slot: slot 5 exists"));
}

TEST_F(BoardTree, IsNoDeeperThanFourSwitchesWhateverTheFilesSay) {
  const auto nested = [](size_t depth) {
    return "  - switch: " + repeat("{model: pex89000, ports: [{switch: ", depth - 1) +
           "{model: pex89000, ports: [{card: ./card.yaml}]}" + repeat("}]}", depth - 1) + "\n";
  };
  EXPECT_EQ(error_of(nested(4)), "");
  EXPECT_THAT(error_of(nested(5)), HasSubstr("more than 4 switches on the way to a card"));
  // YAML can refer to a list inside of itself.
  EXPECT_NE(error_of("  &all\n  - switch: {model: pex89000, ports: *all}\n"), "");
}

TEST_F(BoardTree, ACardWithASwitchHoldsDevicesOnly) {
  write("card.yaml", "card: c\nswitch: {model: pex89000, ports: [{card: ./card.yaml}]}\n");
  EXPECT_THAT(error_of("  - card: ./card.yaml\n"),
              HasSubstr("card.yaml:2: switch.ports[0].card: this card has a switch"));
  write("card.yaml", "card: c\nswitch: {model: pex89000, ports: [{card: atom-ca22, hot_plug: true}]}\n");
  EXPECT_THAT(error_of("  - card: ./card.yaml\n"), HasSubstr("devices on one card cannot be taken out"));
}

}  // namespace
}  // namespace npuvp::config

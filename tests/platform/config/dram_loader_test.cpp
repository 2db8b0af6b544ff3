// SPDX-License-Identifier: Apache-2.0
#include "platform/config/dram_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "platform/config/board_loader.h"
#include "platform/config/config_error.h"

namespace npuvp::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string text_of(const std::string& file) {
  std::ifstream in(std::string(NPUVP_BOARDS_DIR) + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Copies of shipped files with one text replaced, and what loading them says.
class DramLoader : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string text, const std::string& old_text,
                    const std::string& new_text) {
    const size_t at = text.find(old_text);
    EXPECT_NE(at, std::string::npos) << old_text;
    std::ofstream(folder_ / name) << text.replace(at, old_text.size(), new_text);
    return (folder_ / name).string();
  }

  static std::string error_of(const std::function<void()>& load) {
    try {
      load();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::string part_error(const std::string& old_text, const std::string& new_text) {
    const auto file = write("part.yaml", text_of("/dram/hbm3-6gbps.yaml"), old_text, new_text);
    return error_of([&] { (void)load_dram_part(file, NPUVP_BOARDS_DIR); });
  }

  std::string card_error(const std::string& old_text, const std::string& new_text) {
    write("card.yaml", text_of("/cards/atom-ca22.yaml"), old_text, new_text);
    std::ofstream(folder_ / "server.yaml") << "server: test\nroot_ports:\n  - card: ./card.yaml\n";
    return error_of([&] { (void)load_server((folder_ / "server.yaml").string(), NPUVP_BOARDS_DIR); });
  }

  std::filesystem::path folder_;
};

TEST_F(DramLoader, TheShippedPartsHaveTheRatesOfTheirNames) {
  const std::pair<const char*, double> rates[] = {{"gddr6-16gbps", 32.0},
                                                  {"gddr6-14gbps", 28.0},
                                                  {"hbm3-6gbps", 48.0},
                                                  {"hbm3-6gbps-3sid", 48.0},
                                                  {"hbm3-6.4gbps", 51.2}};
  for (const auto& [name, gb_per_s] : rates) {
    const auto part = load_dram_part(name, NPUVP_BOARDS_DIR);
    EXPECT_EQ(part.name, name);
    // Of a channel: one transaction every BL clocks on each pseudo-channel.
    const auto& organisation = part.organisation;
    const double rate = organisation.transaction_bytes * organisation.pseudo_channels /
                        (part.timings.BL * part.timings.tCK_ps / 1000.0);
    EXPECT_NEAR(rate, gb_per_s, gb_per_s * 0.005) << name;
  }
}

TEST_F(DramLoader, PartErrorsNameFileLineAndParameter) {
  EXPECT_THAT(part_error("tRC: 72", "tRC: 40"),
              AllOf(HasSubstr("part.yaml:24: "), HasSubstr("timings.tRC: 40 is below tRAS (45)")));
  EXPECT_THAT(part_error("  tFAW: 24\n", ""), HasSubstr("key 'tFAW' is missing"));
  EXPECT_THAT(part_error("tFAW: 24", "tFAW: 0"), HasSubstr("timings.tFAW: '0' is not an integer from 1"));
  EXPECT_THAT(part_error("tFAW: 24", "tFAW: 24\n  tXYZ: 1"), HasSubstr("timings.tXYZ: unknown key"));
  EXPECT_THAT(part_error("rows: 16384", "rows: 1000"), HasSubstr("organisation.rows: 1000 is not a power of two"));
  EXPECT_THAT(part_error("stack_ids: 2", "stack_ids: 16"), HasSubstr("512 in a channel; at most 256"));
  EXPECT_THAT(part_error("command_buses: 2", "command_buses: 3"), HasSubstr("command_buses: '3'"));
}

TEST_F(DramLoader, ThreeStackIdsNeedTheTopmostAddressBits) {
  // 2 channels of 1.5 GiB. Bits: 5 of a transaction, 1 channel, 1 pseudo-channel, 5 column, 2 + 2 bank, 14 row, 2
  // stack.
  const std::string map = R"(part: hbm3-6gbps-3sid
controller: {read_entries: 32, write_entries: 32, write_high_percent: 80, write_low_percent: 20, page: open,
             refresh: all_bank, starvation_clocks: 0}
address_map:
  channel: [5]
  pseudo_channel: [6]
  column: [7, 8, 9, 10, 11]
  bank_group: [12, 13]
  bank: [14^16, 15]
  row: [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]
  stack_id: [30, 31]
)";
  const auto load = [&](const std::string& old_text, const std::string& new_text, uint64_t mib) {
    const auto file = write("jedec.yaml", map, old_text, new_text);
    return error_of([&] { (void)read_dram_jedec(YamlReader(file), NPUVP_BOARDS_DIR, 2, mib << 20); });
  };
  EXPECT_EQ(load("part", "part", 3072), "");
  EXPECT_THAT(load("part", "part", 3073), HasSubstr("covers 3072 MiB of the card's 3073"));
  EXPECT_THAT(load("[30, 31]", "[30^7, 31]", 3072), HasSubstr("stack_id must be the topmost address bits"));
  EXPECT_THAT(load("[30, 31]", "[31, 30]", 3072), HasSubstr("stack_id must be the topmost address bits"));
  EXPECT_THAT(load("[30, 31]", "[30, 31, 32]", 3072), HasSubstr("stack_id: 3 bits for the 3"));
}

TEST_F(DramLoader, TheBoardChoosesTheTiming) {
  EXPECT_EQ(card_error("timing: fast ", "timing: jedec "), "");
  EXPECT_THAT(card_error("timing: fast ", "timing: slow "), HasSubstr("dram.timing: 'slow' is neither fast nor jedec"));
}

TEST_F(DramLoader, MapErrorsNameFileLineAndField) {
  EXPECT_THAT(card_error("[8, 9, 10]", "[8, 9]"), HasSubstr("dram.jedec.address_map: 2 channel bits for 8 channels"));
  EXPECT_THAT(card_error("[5, 6]", "[5, 6, 34]"), HasSubstr("dram.jedec.address_map.bank_group: 3 bits for the 4"));
  EXPECT_THAT(card_error("[5, 6]", "[5, 5]"), HasSubstr("two addresses would share a place"));
  EXPECT_THAT(card_error("[5, 6]", "[5, 3]"), HasSubstr("address bit 3 is outside of bits 5 to 33"));
  EXPECT_THAT(card_error("17^19", "17^^19"), HasSubstr("'17^^19' is not an address bit"));
  EXPECT_THAT(card_error("31, 32, 33]", "31, 32]"), HasSubstr("covers 8192 MiB of the card's 16384"));
  EXPECT_THAT(card_error("part: gddr6-16gbps", "part: nothing"), HasSubstr("dram/nothing.yaml: cannot be read"));
  EXPECT_THAT(card_error("page: open", "page: ajar"), HasSubstr("'ajar' is neither open nor closed"));
  EXPECT_THAT(card_error("write_low_percent: 20", "write_low_percent: 85"), HasSubstr("must be below write_high"));
}

}  // namespace
}  // namespace npuvp::config

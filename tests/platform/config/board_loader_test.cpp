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
    write("server.yaml", "server: test\ncards:\n  - card: ./card.yaml\n");
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
  EXPECT_THAT(error(), HasSubstr("must be 1, 2, 4, 8 or 16"));
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

TEST_F(BoardLoader, RefusesMoreCardsThanItSupports) {
  write_card("lanes: 16", "lanes: 16");
  write("server.yaml", "server: test\ncards:\n  - card: ./card.yaml\n  - card: ./card.yaml\n");
  EXPECT_THAT(error(), HasSubstr("2 cards; this version supports exactly 1"));
}

}  // namespace
}  // namespace npuvp::config

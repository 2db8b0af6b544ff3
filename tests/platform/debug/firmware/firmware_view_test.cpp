// SPDX-License-Identifier: Apache-2.0
// A program whose executions are counted by hand (counted.S), one instruction a nanosecond.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "models/riscv/csr.h"
#include "models/riscv/decoder.h"
#include "models/riscv/elf_program.h"
#include "models/riscv/hart.h"
#include "platform/config/config_error.h"
#include "platform/debug/firmware/call_tracker.h"
#include "platform/debug/firmware/coverage.h"
#include "platform/debug/firmware/function_trace.h"
#include "platform/debug/firmware/instruction_trace.h"
#include "platform/debug/firmware/line_table.h"
#include "platform/debug/firmware/observer_list.h"
#include "platform/debug/firmware/profile.h"
#include "tests/models/riscv/encode.h"
#include "tests/models/riscv/flat_bus.h"

namespace npuvp::debug::firmware {
namespace {

using riscv::test::FlatBus;
using sc_core::SC_NS;
using sc_core::sc_time;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kProgram = NPUVP_COUNTED_ELF;

class FirmwareView : public testing::Test {
 protected:
  FirmwareView() {
    const auto program = riscv::ElfProgram::load(kProgram);
    for (const auto& segment : program.segments) {
      for (size_t i = 0; i + 4 <= segment.bytes.size(); i += 4) {
        uint32_t word = 0;
        std::memcpy(&word, segment.bytes.data() + i, 4);
        bus.poke(segment.address + i, word);
      }
    }
    functions.add(kProgram);
    hart.set_pc(program.entry);
    for (const auto& [begin, function] : functions.functions()) {
      if (function.name == "handler") hart.write_csr(riscv::csr::kMtvec, begin);
    }
  }

  [[nodiscard]] CallTracker::TimeSource time() {
    return
        [this](unsigned) { return sc_time(static_cast<double>(running ? hart.cycles_into_run() : 0) + start, SC_NS); };
  }
  /// Until the program sleeps.
  void run(riscv::HartObserver& observer) {
    hart.set_observer(&observer);
    running = true;
    const auto result = hart.run(1000, riscv::BusAccess::kAllowed);
    running = false;
    EXPECT_EQ(result.reason, riscv::StopReason::kWfi);
    start += static_cast<double>(result.cycles);
    hart.set_observer(nullptr);
  }
  CallTracker tracker() { return {functions, 1, sc_time(1, SC_NS), time()}; }

  FlatBus bus;
  riscv::Hart hart{bus, {.hart_id = 0, .reset_pc = FlatBus::kRam}};
  FunctionTable functions;
  bool running = false;
  double start = 0;
};

/// Executions of each line as the program's comments say.
std::map<int, uint64_t> counts_by_hand() {
  std::map<int, uint64_t> counts;
  std::ifstream source(NPUVP_COUNTED_SOURCE);
  const std::regex counted(R"(^  \w.*// (\d+)$)");
  std::string line;
  std::smatch match;
  for (int number = 1; std::getline(source, line); ++number) {
    if (std::regex_match(line, match, counted)) counts[number] = std::stoull(match[1]);
  }
  return counts;
}

TEST_F(FirmwareView, ProfileHasTheTimeOfEveryStack) {
  CallTracker calls = tracker();
  Profile profile(1);
  calls.add(profile);
  run(calls);
  calls.finish();
  // Each line once a nanosecond, by the counts in counted.S. ecall traps; finish takes the place of _start.
  EXPECT_EQ(profile.folded(),
            "hart 0;_start 11\n"
            "hart 0;_start;twice 18\n"
            "hart 0;_start;twice;leaf 12\n"
            "hart 0;_start;twice;save 3\n"
            "hart 0;finish 2\n"
            "hart 0;finish;handler 4\n");
  const auto& twice = *profile.root().children.at("hart 0")->children.at("_start")->children.at("twice");
  EXPECT_EQ(twice.calls, 3U);
  EXPECT_EQ(twice.children.at("leaf")->calls, 6U);
  EXPECT_EQ(twice.total(), sc_time(33, SC_NS));
  EXPECT_EQ(profile.root().total(), sc_time(50, SC_NS));
}

TEST_F(FirmwareView, TimeAsleepIsNoTimeOfAFunction) {
  CallTracker calls = tracker();
  Profile profile(1);
  calls.add(profile);
  run(calls);
  start += 1000;
  calls.finish();
  EXPECT_EQ(profile.asleep(), sc_time(1000, SC_NS));
  EXPECT_EQ(profile.root().total(), sc_time(50, SC_NS));
}

TEST_F(FirmwareView, FlameGraphIsAsWideAsTimesAndEscapesNames) {
  CallTracker calls = tracker();
  Profile profile(1);
  calls.add(profile);
  run(calls);
  calls.finish();
  const std::string svg = profile.flame_graph("a <title> & more");
  EXPECT_THAT(svg, HasSubstr("a &lt;title&gt; &amp; more: 0.000 ms running"));
  EXPECT_THAT(svg, Not(HasSubstr("http://www.w3.org/1999/xlink")));
  // 1180 pixels for 50 ns: twice and what it calls has 33.
  EXPECT_THAT(svg, HasSubstr("<title>twice: 0.033 us (66.00 %), itself 0.018 us, 3 calls</title>"));
  EXPECT_THAT(svg, HasSubstr("width=\"778.8\""));
  EXPECT_THAT(Profile(1).flame_graph("empty"), HasSubstr("</svg>"));
}

/// Keeps what it is told as text.
class Recorder final : public CallListener {
 public:
  void on_enter(unsigned, const FunctionTable::Function* function, sc_time at) override {
    text << at.value() / 1000 << '>' << (function != nullptr ? function->name : "?") << ' ';
  }
  void on_leave(unsigned, sc_time at) override { text << at.value() / 1000 << "< "; }
  void on_run(unsigned, sc_time) override {}
  void on_sleep(unsigned, sc_time) override {}
  std::ostringstream text;
};

TEST_F(FirmwareView, CallsAndReturnsHaveTheirTimes) {
  CallTracker calls = tracker();
  Recorder recorder;
  calls.add(recorder);
  run(calls);
  calls.finish();
  // li at 0, jal at 1, twice from 2: mv, jal; leaf at 4 and 5; jal t0 at 6; save at 7; jal at 8; leaf at 9 and 10; mv,
  // ret.
  const std::string text = recorder.text.str();
  EXPECT_EQ(text.substr(0, 60),
            std::string("0>_start 2>twice 4>leaf 6< 7>save 8< 9>leaf 11< 13< 16>twice 18>leaf").substr(0, 60));
  // The third round ends at 1 + 3 * 14 = 43, j at 43, ecall at 44 traps, handler from 45, back at 49.
  EXPECT_THAT(text, HasSubstr("44< 44>finish 45>handler 49< "));
}

TEST_F(FirmwareView, AStackThatIsSwitchedStartsANewOne) {
  CallTracker calls = tracker();
  Recorder recorder;
  calls.add(recorder);
  // A return to where nobody called: leaf returns to finish.
  for (const auto& [begin, function] : functions.functions()) {
    if (function.name == "leaf") hart.set_pc(begin);
    if (function.name == "finish") hart.set_x(1, begin + 4);
  }
  run(calls);
  EXPECT_EQ(recorder.text.str(), "0>leaf 2< 2>finish ");
}

TEST_F(FirmwareView, AResetEndsAllCalls) {
  CallTracker calls = tracker();
  Recorder recorder;
  calls.add(recorder);
  run(calls);
  hart.set_observer(&calls);
  hart.reset();
  const std::string text = recorder.text.str();
  EXPECT_GT(std::count(text.begin(), text.end(), '>'), 0);
  EXPECT_EQ(std::count(text.begin(), text.end(), '>'), std::count(text.begin(), text.end(), '<'));
}

TEST_F(FirmwareView, CoverageCountsEveryLine) {
  Coverage coverage;
  coverage.add(kProgram);
  run(coverage);
  const std::string info = coverage.to_lcov("/source");
  const auto expected = counts_by_hand();
  ASSERT_EQ(expected.size(), 23U);
  std::map<int, uint64_t> found;
  const std::regex data(R"(DA:(\d+),(\d+)\n)");
  for (auto each = std::sregex_iterator(info.begin(), info.end(), data); each != std::sregex_iterator(); ++each) {
    found[std::stoi((*each)[1])] = std::stoull((*each)[2]);
  }
  EXPECT_EQ(found, expected);
  EXPECT_THAT(info, HasSubstr("FNDA:3,twice\n"));
  EXPECT_THAT(info, HasSubstr("FNDA:0,never\n"));
  EXPECT_THAT(info, HasSubstr("FNF:7\nFNH:6\n"));
  EXPECT_THAT(info, HasSubstr("LF:23\nLH:20\nend_of_record\n"));
  EXPECT_THAT(info, testing::ContainsRegex("SF:/.*counted.S\n"));
  EXPECT_EQ(coverage.count(0x10), std::nullopt);
}

TEST_F(FirmwareView, InstructionTraceNamesWhatChanged) {
  char* buffer = nullptr;
  size_t size = 0;
  std::FILE* const out = open_memstream(&buffer, &size);
  InstructionTrace trace(out, functions, 1, time());
  run(trace);
  trace.finish();
  std::fclose(out);
  const std::string text(buffer, size);
  free(buffer);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 51) << "50 instructions and a trap";
  EXPECT_THAT(text, testing::ContainsRegex("0.000 us hart 0 0x80000000 <_start.0> +00300413 addi x8, x0, 3 +x8=0x3\n"));
  EXPECT_THAT(text, testing::ContainsRegex("<twice.4> +[0-9a-f]+ jal x1, .20 +x1=0x8000001c\n"));
  EXPECT_THAT(text, HasSubstr("trap: cause 0xb, value 0x0, handler"));
}

TEST(FirmwareInstructionTrace, DescribesOperands) {
  using namespace riscv::test;
  const auto text = [](uint32_t word) { return InstructionTrace::describe(riscv::decode(word)); };
  EXPECT_EQ(text(sd(a0, sp, 8)), "sd x10, 8(x2)");
  EXPECT_EQ(text(lw(a0, sp, -4)), "lw x10, -4(x2)");
  EXPECT_EQ(text(csrrw(0, 0x300, t0)), "csrrw x0, 0x300, x5");
  EXPECT_EQ(text(amoadd_d(a0, a1, a2)), "amoadd.d x10, x12, x11");
  EXPECT_EQ(text(kWfi), "wfi");
  EXPECT_EQ(text(0x123452b7), "lui x5, 0x12345");
}

TEST(FirmwareFiles, ThatAreNoProgramsAreNamed) {
  for (const char* file : {"/nowhere", NPUVP_COUNTED_SOURCE, "/proc/self/exe"}) {
    for (const auto& read :
         {+[](const char* path) { FunctionTable().add(path); }, +[](const char* path) { Coverage().add(path); },
          +[](const char* path) { (void)LineTable::read(path); }}) {
      try {
        read(file);
        FAIL() << file;
      } catch (const config::ConfigError& error) {
        EXPECT_THAT(error.what(), HasSubstr(std::string(file) + ": "));
      }
    }
  }
}

}  // namespace
}  // namespace npuvp::debug::firmware

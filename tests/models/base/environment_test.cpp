// SPDX-License-Identifier: Apache-2.0
// Diagnostics, loggers and the event stream: what blocks share.
#include "models/base/environment.h"

#include <gtest/gtest.h>

#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <string>
#include <vector>

namespace npuvp::base {
namespace {

const Origin kHart{Origin::Kind::kHart, 1, 0x1234};

TEST(Diagnostics, CountsEveryMisuseAndPrintsEachOnce) {
  std::ostringstream out;
  Diagnostics diagnostics(std::make_shared<spdlog::logger>("d", std::make_shared<spdlog::sinks::ostream_sink_mt>(out)));
  diagnostics.misuse("block.REG", "bad value", kHart);
  diagnostics.misuse("block.REG", "bad value", kHart);
  diagnostics.misuse("block.OTHER", "bad value", kHart);
  EXPECT_EQ(diagnostics.misuse_count(), 3U);
  std::string text = out.str();
  size_t lines = 0;
  for (size_t at = 0; (at = text.find("misuse:", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 2U);
}

TEST(Diagnostics, NamesPlaceOffenceAndOrigin) {
  Environment environment;
  environment.set_log_level("diagnostics", spdlog::level::off);
  environment.diagnostics().misuse("uart.DATA", "bad value 7", kHart);
  EXPECT_EQ(environment.diagnostics().last_misuse(), "uart.DATA: bad value 7, by hart 1 at pc 0x1234");
}

TEST(Diagnostics, FailsOnlyUnderThatPolicyAndStopsForTheDebugger) {
  Environment environment;
  environment.set_log_level("all", spdlog::level::off);
  auto& diagnostics = environment.diagnostics();
  int stops = 0;
  diagnostics.on_stop([&stops] { ++stops; });
  diagnostics.misuse("a", "b", {});
  EXPECT_FALSE(diagnostics.failed());
  EXPECT_EQ(stops, 0);
  diagnostics.set_policy(Diagnostics::Policy::kStop);
  diagnostics.misuse("a", "b", {});
  EXPECT_EQ(stops, 1);
  diagnostics.set_policy(Diagnostics::Policy::kFail);
  EXPECT_TRUE(diagnostics.failed());
}

TEST(Origin, PrintsARequesterAsBusDeviceFunction) {
  EXPECT_EQ((Origin{Origin::Kind::kHost, 0x03fa, 0}).to_string(), "host as 03:1f.2");
  EXPECT_EQ((Origin{Origin::Kind::kEngine, 4, 0}).to_string(), "engine 4");
  EXPECT_EQ(Origin{}.to_string(), "unknown initiator");
}

TEST(Environment, LevelOfAClassHoldsForItsInstancesMadeBeforeOrAfter) {
  Environment environment;
  const auto before = environment.logger("ne0");
  environment.set_log_level("ne", spdlog::level::debug);
  environment.set_log_level("ne2", spdlog::level::err);
  EXPECT_EQ(before->level(), spdlog::level::debug);
  EXPECT_EQ(environment.logger("ne1")->level(), spdlog::level::debug);
  EXPECT_EQ(environment.logger("ne2")->level(), spdlog::level::err);
  EXPECT_EQ(environment.logger("dma")->level(), spdlog::level::warn);
}

class Recorder final : public TraceSink {
 public:
  void track(TrackId id, TrackId parent, std::string_view name) override {
    lines.push_back(std::to_string(id) + "<" + std::to_string(parent) + " " + std::string(name));
  }
  void span(TrackId track, std::string_view name, sc_core::sc_time, sc_core::sc_time, const TraceArguments&) override {
    lines.push_back(std::to_string(track) + " " + std::string(name));
  }
  void instant(TrackId, std::string_view, sc_core::sc_time, const TraceArguments&) override {}
  std::vector<std::string> lines;
};

TEST(Trace, TellsALateSinkOfEarlierTracks) {
  Trace trace;
  EXPECT_FALSE(trace.enabled());
  const auto card = trace.add_track("card");
  trace.add_track("engine", card);
  Recorder recorder;
  trace.add_sink(recorder);
  EXPECT_TRUE(trace.enabled());
  trace.span(card, "work", {}, {});
  EXPECT_EQ(recorder.lines, (std::vector<std::string>{"1<0 card", "2<1 engine", "1 work"}));
}

}  // namespace
}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#include "platform/main/firmware_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "platform/config/config_error.h"
#include "platform/main/resources.h"

namespace npuvp::main {

std::vector<std::string> firmware_programs(const PlatformOptions& platform, const std::string& fw,
                                           const FirmwareViewOptions& options) {
  const std::string folder = resources().build_dir + "/firmware/";
  std::vector<std::string> programs{folder + "rom.elf"};
  if (!fw.empty()) {
    programs.push_back(fw);
  } else if (platform.firmware.empty()) {
    programs.push_back(folder + "cp.elf");
  }
  programs.insert(programs.end(), options.symbols.begin(), options.symbols.end());
  return programs;
}

FirmwareView::FirmwareView(Session& session, size_t card, const FirmwareViewOptions& options,
                           const std::vector<std::string>& programs)
    : options_(options), harts_(session.card(card).harts()) {
  // A file that cannot be written is known before the run.
  for (const auto& file : {options_.profile, options_.coverage}) {
    if (!file.empty()) write_file(file, "");
  }
  const auto asked = [&](const char* kind) {
    return std::find_if(options_.traces.begin(), options_.traces.end(),
                        [kind](const TraceOption& each) { return each.kind == kind; });
  };
  if (asked("regs") != options_.traces.end()) {
    session.environment().set_log_level(fmt::format("card{}", card), spdlog::level::trace);
    session.environment().set_log_level(fmt::format("card{}.endpoint", card), spdlog::level::warn);
  }
  const auto fw = asked("fw");
  const auto insn = asked("insn");
  const bool wants_calls = fw != options_.traces.end() || !options_.profile.empty();
  const bool wants_instructions = insn != options_.traces.end();
  if (wants_calls || wants_instructions) {
    for (const auto& each : programs) functions_.add(each);
  }
  if (!options_.coverage.empty()) {
    coverage_.emplace();
    for (const auto& each : programs) coverage_->add(each);
    observers_.add(*coverage_);
  }
  if (wants_calls) {
    if (fw != options_.traces.end()) text_.emplace(output(fw->file), harts_.hart_count());
    add_calls(session, card);
  }
  if (wants_instructions) {
    instructions_.emplace(output(insn->file), functions_, harts_.hart_count(),
                          [this](unsigned hart) { return harts_.instruction_time(hart); });
    observers_.add(*instructions_);
  }
  if (observers_.empty()) return;
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) harts_.hart(hart).set_observer(&observers_);
}

void FirmwareView::add_calls(Session& session, size_t card) {
  calls_.emplace(functions_, harts_.hart_count(), harts_.clock_period(),
                 [this](unsigned hart) { return harts_.instruction_time(hart); });
  observers_.add(*calls_);
  if (text_) calls_->add(*text_);
  if (options_.profile.empty()) return;
  profile_.emplace(harts_.hart_count());
  calls_->add(*profile_);
  if (!session.environment().trace().enabled()) return;
  spans_.emplace(session.environment().trace(), fmt::format("card{}", card), harts_.hart_count());
  calls_->add(*spans_);
}

std::FILE* FirmwareView::output(const std::string& file) {
  if (file.empty()) return stderr;
  std::FILE* const opened = std::fopen(file.c_str(), "we");
  if (opened == nullptr) {
    throw config::ConfigError(
        fmt::format("--trace: {}: {}; give a file in a writable folder", file, std::strerror(errno)));
  }
  files_.emplace_back(opened);
  return opened;
}

void FirmwareView::finish() {
  if (calls_) calls_->finish();
  if (instructions_) instructions_->finish();
  for (unsigned hart = 0; hart < harts_.hart_count(); ++hart) harts_.hart(hart).set_observer(nullptr);
  if (profile_) {
    const bool folded = options_.profile.ends_with(".folded");
    write_file(options_.profile, folded ? profile_->folded() : profile_->flame_graph("Firmware"));
    fmt::print(stderr, "profile: {}\n", options_.profile);
  }
  if (coverage_) {
    write_file(options_.coverage, coverage_->to_lcov(resources().source_dir));
    fmt::print(stderr, "coverage: {} (genhtml makes pages of it)\n", options_.coverage);
  }
  for (const auto& each : files_) {
    if (std::fflush(each.get()) != 0) throw config::ConfigError("--trace: writing failed; is the disk full?");
  }
}

}  // namespace npuvp::main

// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/dram_trace.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "platform/config/config_error.h"

namespace npuvp::debug {
namespace {

/// In the order of dram::CommandKind; JEDEC's names.
constexpr std::array kNames{"ACT", "PRE", "PREab", "RD", "RDA", "WR", "WRA", "REFab", "REFpb"};

}  // namespace

DramTrace::DramTrace(const std::string& file) : file_(file), out_(file, std::ios::trunc) {
  if (!out_) throw config::ConfigError(fmt::format("{}: cannot be written; choose another file for the trace", file));
  out_ << "time_ps,card,channel,command,pseudo_channel,stack_id,bank_group,bank,row,column\n";
}

void DramTrace::watch(size_t card, dram::JedecTiming& timing) {
  timings_.push_back(&timing);
  for (size_t channel = 0; channel < timing.channels(); ++channel) {
    timing.set_sink(channel, &channels_.emplace_back(*this, card, channel, timing.part().tick_ps()));
  }
}

void DramTrace::finish() {
  for (auto* timing : timings_) timing->finish();
  out_.flush();
  if (!out_) throw config::ConfigError(fmt::format("{}: could not be written; is the disk full?", file_));
}

void DramTrace::Channel::on_command(const dram::Command& command) {
  const auto& where = command.where;
  trace.out_ << fmt::format("{},{},{},{},{},{},{},{},{},{}\n",
                            std::llround(static_cast<double>(command.time) * tick_ps), card, channel,
                            kNames.at(static_cast<size_t>(command.kind)), where.pseudo_channel, where.stack_id,
                            where.bank_group, where.bank, where.row, where.column);
}

}  // namespace npuvp::debug

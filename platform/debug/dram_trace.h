// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <fstream>
#include <string>

#include "models/dram/jedec_timing.h"

namespace npuvp::debug {

/// Writes the DRAM commands of cards as CSV: time_ps, card, channel, command, pseudo_channel, stack_id, bank_group,
/// bank, row, column. In order of time within a channel.
class DramTrace {
 public:
  /// Creates `file`. Throws config::ConfigError when it cannot be written.
  explicit DramTrace(const std::string& file);

  /// Before the first access. `timing` must outlive the trace's use.
  void watch(size_t card, dram::JedecTiming& timing);

  /// Writes out what is left, at the end of the run. Throws config::ConfigError if any write failed (disk full).
  void finish();

 private:
  struct Channel final : dram::CommandSink {
    Channel(DramTrace& owner, size_t card_index, size_t channel_index, double picoseconds)
        : trace(owner), card(card_index), channel(channel_index), tick_ps(picoseconds) {}
    void on_command(const dram::Command& command) override;
    DramTrace& trace;
    size_t card;
    size_t channel;
    double tick_ps;
  };

  std::string file_;
  std::ofstream out_;
  std::deque<Channel> channels_;  // a deque: timings hold their addresses
  std::deque<dram::JedecTiming*> timings_;
};

}  // namespace npuvp::debug

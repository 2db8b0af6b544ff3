// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "models/base/trace.h"

namespace npuvp::perfetto {
class TracePacket;
}

namespace npuvp::debug {

/// Writes the event stream as a Perfetto protobuf trace (open it at ui.perfetto.dev). Times are simulated ns; the same
/// run gives the same bytes.
class PerfettoSink final : public base::TraceSink {
 public:
  /// Creates `file`. Throws config::ConfigError when it cannot be written.
  explicit PerfettoSink(const std::string& file);

  void track(base::TrackId id, base::TrackId parent, std::string_view name) override;
  void span(base::TrackId track, std::string_view name, sc_core::sc_time begin, sc_core::sc_time end,
            const base::TraceArguments& arguments) override;
  void instant(base::TrackId track, std::string_view name, sc_core::sc_time at,
               const base::TraceArguments& arguments) override;

  /// Writes out what is buffered. Throws config::ConfigError if any write failed (disk full).
  void flush();

 private:
  void write(const perfetto::TracePacket& packet);

  std::string file_;
  std::ofstream out_;
};

}  // namespace npuvp::debug

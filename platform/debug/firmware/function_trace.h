// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "models/base/trace.h"
#include "platform/debug/firmware/call_tracker.h"

namespace npuvp::debug::firmware {

/// Writes each call and return as a line: simulated time, hart, the function indented by depth; at its end its time.
class FunctionText final : public CallListener {
 public:
  /// `out` is not closed.
  FunctionText(std::FILE* out, unsigned harts) : out_(out), begins_(harts) {}

  void on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time at) override;
  void on_leave(unsigned hart, sc_core::sc_time at) override;
  void on_run(unsigned /*hart*/, sc_core::sc_time /*spent*/) override {}
  void on_sleep(unsigned /*hart*/, sc_core::sc_time /*spent*/) override {}

 private:
  struct Call {
    std::string name;
    sc_core::sc_time begin;
  };

  std::FILE* out_;
  std::vector<std::vector<Call>> begins_;
};

/// Puts functions on the platform's event stream: a track for each hart, a span for each call.
class FunctionSpans final : public CallListener {
 public:
  /// `card`: the card's name, for the tracks'.
  FunctionSpans(base::Trace& trace, const std::string& card, unsigned harts);

  void on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time at) override;
  void on_leave(unsigned hart, sc_core::sc_time at) override;
  void on_run(unsigned /*hart*/, sc_core::sc_time /*spent*/) override {}
  void on_sleep(unsigned /*hart*/, sc_core::sc_time /*spent*/) override {}

 private:
  struct Call {
    std::string name;
    sc_core::sc_time begin;
  };
  struct Hart {
    base::TrackId track;
    std::vector<Call> calls;
  };

  base::Trace& trace_;
  std::vector<Hart> harts_;
};

}  // namespace npuvp::debug::firmware

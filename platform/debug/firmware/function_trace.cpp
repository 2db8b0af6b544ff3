// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/function_trace.h"

#include <fmt/format.h>

namespace npuvp::debug::firmware {
namespace {

std::string name_of(const FunctionTable::Function* function) {
  return function != nullptr ? function->name : "[unknown]";
}

double microseconds(sc_core::sc_time time) {
  return time.to_seconds() * 1e6;
}

}  // namespace

void FunctionText::on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time at) {
  auto& calls = begins_.at(hart);
  fmt::print(out_, "{:>12.3f} us hart {} {:{}}> {}\n", microseconds(at), hart, "", 2 * calls.size(), name_of(function));
  calls.push_back({name_of(function), at});
}

void FunctionText::on_leave(unsigned hart, sc_core::sc_time at) {
  auto& calls = begins_.at(hart);
  if (calls.empty()) return;
  const Call call = calls.back();
  calls.pop_back();
  fmt::print(out_, "{:>12.3f} us hart {} {:{}}< {} {:.3f} us\n", microseconds(at), hart, "", 2 * calls.size(),
             call.name, microseconds(at - call.begin));
}

FunctionSpans::FunctionSpans(base::Trace& trace, const std::string& card, unsigned harts) : trace_(trace) {
  const base::TrackId parent = trace.add_track(card + " firmware");
  for (unsigned hart = 0; hart < harts; ++hart) {
    harts_.push_back({trace.add_track(fmt::format("hart {}", hart), parent), {}});
  }
}

void FunctionSpans::on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time at) {
  harts_.at(hart).calls.push_back({name_of(function), at});
}

void FunctionSpans::on_leave(unsigned hart, sc_core::sc_time at) {
  auto& [track, calls] = harts_.at(hart);
  if (calls.empty()) return;
  trace_.span(track, calls.back().name, calls.back().begin, at);
  calls.pop_back();
}

}  // namespace npuvp::debug::firmware

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace npuvp::dram {

/// Simulated time of a channel: clocks, or half clocks where the part has two command buses (Part::ticks_per_clock).
using Tick = int64_t;
constexpr Tick kNever = INT64_MAX / 4;

/// What one channel consists of. A column is one transaction: burst length x width of the (pseudo-)channel.
struct Organisation {
  uint32_t pseudo_channels;
  uint32_t stack_ids;
  uint32_t bank_groups;  ///< Per stack id.
  uint32_t banks;        ///< Per bank group.
  uint32_t rows;
  uint32_t columns;
  uint32_t transaction_bytes;

  [[nodiscard]] uint32_t groups_of_pseudo_channel() const { return stack_ids * bank_groups; }
  [[nodiscard]] uint32_t banks_of_pseudo_channel() const { return groups_of_pseudo_channel() * banks; }
  [[nodiscard]] uint32_t banks_of_channel() const { return pseudo_channels * banks_of_pseudo_channel(); }
};

/// Timing parameters under their JEDEC names (JESD250 GDDR6, JESD238 HBM3), in clocks unless stated. BL is the time of
/// a burst on the data bus; tWTR counts from the end of the write data, tRTW from command to command.
struct Timings {
  uint32_t tCK_ps;
  uint32_t BL, CL, CWL;
  uint32_t tRCDRD, tRCDWR, tRP, tRAS, tRC, tRTP, tWR;
  uint32_t tCCD_S, tCCD_L, tCCD_R;
  uint32_t tRRD_S, tRRD_L, tFAW;
  uint32_t tWTR_S, tWTR_L, tRTW, tPPD;
  uint32_t tREFI, tRFCab, tRFCpb, tRREFD;
};

/// Names of Timings' members, for files and reports.
struct TimingName {
  const char* name;
  uint32_t Timings::*value;
};
inline constexpr std::array kTimingNames{
    TimingName{"tCK_ps", &Timings::tCK_ps}, TimingName{"BL", &Timings::BL},
    TimingName{"CL", &Timings::CL},         TimingName{"CWL", &Timings::CWL},
    TimingName{"tRCDRD", &Timings::tRCDRD}, TimingName{"tRCDWR", &Timings::tRCDWR},
    TimingName{"tRP", &Timings::tRP},       TimingName{"tRAS", &Timings::tRAS},
    TimingName{"tRC", &Timings::tRC},       TimingName{"tRTP", &Timings::tRTP},
    TimingName{"tWR", &Timings::tWR},       TimingName{"tCCD_S", &Timings::tCCD_S},
    TimingName{"tCCD_L", &Timings::tCCD_L}, TimingName{"tCCD_R", &Timings::tCCD_R},
    TimingName{"tRRD_S", &Timings::tRRD_S}, TimingName{"tRRD_L", &Timings::tRRD_L},
    TimingName{"tFAW", &Timings::tFAW},     TimingName{"tWTR_S", &Timings::tWTR_S},
    TimingName{"tWTR_L", &Timings::tWTR_L}, TimingName{"tRTW", &Timings::tRTW},
    TimingName{"tPPD", &Timings::tPPD},     TimingName{"tREFI", &Timings::tREFI},
    TimingName{"tRFCab", &Timings::tRFCab}, TimingName{"tRFCpb", &Timings::tRFCpb},
    TimingName{"tRREFD", &Timings::tRREFD},
};

/// A DRAM device as its data file describes it (platform/boards/dram/*.yaml), one channel of it.
struct Part {
  std::string name;
  /// HBM3: row and column commands on buses of their own, precharges on either clock edge, an activate takes 1.5
  /// clocks.
  bool dual_command_bus;
  Organisation organisation;
  Timings timings;

  [[nodiscard]] uint32_t ticks_per_clock() const { return dual_command_bus ? 2 : 1; }
  [[nodiscard]] double tick_ps() const { return static_cast<double>(timings.tCK_ps) / ticks_per_clock(); }
};

/// Checks what the controller relies on. Returns "" or one sentence about what is wrong, naming the parameter.
[[nodiscard]] std::string check_part(const Part& part);

}  // namespace npuvp::dram

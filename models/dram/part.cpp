// SPDX-License-Identifier: Apache-2.0
#include "models/dram/part.h"

#include <fmt/format.h>

#include <bit>

namespace npuvp::dram {
namespace {

constexpr uint32_t kLongest = 1'000'000;  // clocks; keeps all sums of parameters far from overflow
constexpr uint32_t kMaxBanks = 256;

std::string check_organisation(const Organisation& organisation) {
  const std::array fields{
      std::pair{"pseudo_channels", organisation.pseudo_channels},
      std::pair{"stack_ids", organisation.stack_ids},
      std::pair{"bank_groups", organisation.bank_groups},
      std::pair{"banks", organisation.banks},
      std::pair{"rows", organisation.rows},
      std::pair{"columns", organisation.columns},
      std::pair{"transaction_bytes", organisation.transaction_bytes},
  };
  uint64_t banks = 1;
  for (const auto& [name, value] : fields) {
    // RNGD's HBM3 has three stack ids; everything else is a power of two.
    const bool stack = std::string_view(name) == "stack_ids";
    if (value == 0 || value > (1U << 20) || (!stack && !std::has_single_bit(value))) {
      return fmt::format("{}: {} is not {}from 1 to {}", name, value, stack ? "" : "a power of two ", 1U << 20);
    }
  }
  for (size_t i = 0; i < 4; ++i) banks *= fields[i].second;
  if (banks > kMaxBanks) return fmt::format("banks: {} in a channel; at most {}", banks, kMaxBanks);
  return "";
}

}  // namespace

std::string check_part(const Part& part) {
  if (auto wrong = check_organisation(part.organisation); !wrong.empty()) return wrong;
  const auto& t = part.timings;
  for (const auto& [name, value] : kTimingNames) {
    if (t.*value == 0 || t.*value > kLongest)
      return fmt::format("{}: {} is not from 1 to {}", name, t.*value, kLongest);
  }
  const struct {
    const char* smaller;
    uint32_t low;
    const char* larger;
    uint32_t high;
  } orders[] = {
      {"BL", t.BL, "tCCD_S", t.tCCD_S},         {"tCCD_S", t.tCCD_S, "tCCD_L", t.tCCD_L},
      {"tCCD_S", t.tCCD_S, "tCCD_R", t.tCCD_R}, {"tRRD_S", t.tRRD_S, "tRRD_L", t.tRRD_L},
      {"tWTR_S", t.tWTR_S, "tWTR_L", t.tWTR_L}, {"tRRD_S", t.tRRD_S, "tFAW", t.tFAW},
      {"tRAS", t.tRAS, "tRC", t.tRC},           {"tRFCpb", t.tRFCpb, "tRFCab", t.tRFCab},
      {"tRFCab", t.tRFCab, "tREFI", t.tREFI},   {"tRCDRD", t.tRCDRD, "tRAS", t.tRAS},
  };
  for (const auto& [smaller, low, larger, high] : orders) {
    if (low > high) return fmt::format("{}: {} is below {} ({})", larger, high, smaller, low);
  }
  return "";
}

}  // namespace npuvp::dram

// SPDX-License-Identifier: Apache-2.0
#include "platform/config/dram_loader.h"

#include <fmt/format.h>

#include <bit>
#include <stdexcept>

namespace npuvp::config {
namespace {

constexpr uint32_t kMaxEntries = 1024;
constexpr uint32_t kAnyClocks = 1'000'000;

dram::Policy read_policy(YamlReader reader) {
  dram::Policy policy;
  policy.read_entries = reader.integer("read_entries", 1, kMaxEntries);
  policy.write_entries = reader.integer("write_entries", 1, kMaxEntries);
  policy.write_high = reader.number("write_high_percent", 1, 99) / 100;
  policy.write_low = reader.number("write_low_percent", 0, 98) / 100;
  if (policy.write_low >= policy.write_high) reader.fail("write_low_percent", "must be below write_high_percent");
  const std::string page = reader.text("page");
  if (page != "open" && page != "closed") reader.fail("page", fmt::format("'{}' is neither open nor closed", page));
  policy.page = page == "open" ? dram::PagePolicy::kOpen : dram::PagePolicy::kClosed;
  const std::string refresh = reader.text("refresh");
  if (refresh != "all_bank" && refresh != "per_bank") {
    reader.fail("refresh", fmt::format("'{}' is neither all_bank nor per_bank", refresh));
  }
  policy.refresh = refresh == "all_bank" ? dram::RefreshPolicy::kAllBank : dram::RefreshPolicy::kPerBank;
  policy.starvation_clocks = reader.integer("starvation_clocks", 0, kAnyClocks);
  reader.finish();
  return policy;
}

/// Checks the map against the part, whose fields it may use in part but not exceed, and against the card.
dram::AddressMap::Formula read_map(YamlReader reader, const dram::Part& part, uint32_t channels, uint64_t bytes,
                                   const YamlReader& parent) {
  const auto& organisation = part.organisation;
  const std::array<uint32_t, dram::kFields> sizes{channels,
                                                  organisation.pseudo_channels,
                                                  organisation.stack_ids,
                                                  organisation.bank_groups,
                                                  organisation.banks,
                                                  organisation.rows,
                                                  organisation.columns};
  dram::AddressMap::Formula formula;
  for (size_t field = 0; field < dram::kFields; ++field) {
    const std::string name = dram::kFieldNames[field];
    if (!reader.has(name)) continue;
    for (const auto& text : reader.texts(name)) {
      try {
        formula.fields[field].push_back(dram::AddressMap::parse_bit(text));
      } catch (const std::invalid_argument& error) {
        reader.fail(name, error.what());
      }
    }
    const size_t width = formula.fields[field].size();
    const bool stack = static_cast<dram::Field>(field) == dram::Field::kStackId;
    if (width >= 32 || (uint64_t{1} << width) > (stack ? std::bit_ceil(sizes[field]) : sizes[field])) {
      reader.fail(name, fmt::format("{} bits for the {} that the card or its part has", width, sizes[field]));
    }
  }
  reader.finish();
  if ((uint64_t{1} << formula.fields[0].size()) != channels) {
    parent.fail("address_map", fmt::format("{} channel bits for {} channels", formula.fields[0].size(), channels));
  }
  try {
    const dram::AddressMap map(formula, static_cast<uint32_t>(std::countr_zero(organisation.transaction_bytes)));
    const uint64_t covered = map.bytes_on(organisation.stack_ids);
    if (covered == 0) {
      parent.fail("address_map",
                  fmt::format("stack_id must be the topmost address bits, not hashed, because the part has {}",
                              organisation.stack_ids));
    }
    if (covered < bytes) {
      parent.fail("address_map", fmt::format("covers {} MiB of the card's {}", covered >> 20, bytes >> 20));
    }
  } catch (const std::invalid_argument& error) {
    parent.fail("address_map", error.what());
  }
  return formula;
}

}  // namespace

dram::Part load_dram_part(const std::string& name_or_file, const std::string& boards) {
  const bool is_file = name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".yaml");
  YamlReader reader(is_file ? name_or_file : boards + "/dram/" + name_or_file + ".yaml");
  dram::Part part;
  part.name = reader.text("part");
  part.dual_command_bus = reader.integer("command_buses", 1, 2) == 2;
  auto organisation = reader.mapping("organisation");
  part.organisation.pseudo_channels = organisation.integer("pseudo_channels", 1, 8);
  part.organisation.stack_ids = organisation.integer("stack_ids", 1, 16);
  part.organisation.bank_groups = organisation.integer("bank_groups", 1, 64);
  part.organisation.banks = organisation.integer("banks", 1, 64);
  part.organisation.rows = organisation.integer("rows", 1, 1 << 20);
  part.organisation.columns = organisation.integer("columns", 1, 1 << 16);
  part.organisation.transaction_bytes = organisation.integer("transaction_bytes", 8, 4096);
  organisation.finish();
  auto timings = reader.mapping("timings");
  for (const auto& [name, value] : dram::kTimingNames) part.timings.*value = timings.integer(name, 1, kAnyClocks);
  timings.finish();
  reader.finish();
  if (const std::string wrong = dram::check_part(part); !wrong.empty()) {
    const std::string name = wrong.substr(0, wrong.find(':'));
    const bool timing = timings.has(name);
    (timing ? timings : organisation).fail(name, wrong.substr(wrong.find(':') + 2));
  }
  return part;
}

DramJedec read_dram_jedec(YamlReader reader, const std::string& boards, uint32_t channels, uint64_t bytes) {
  DramJedec jedec;
  jedec.part = load_dram_part(reader.text("part"), boards);
  jedec.policy = read_policy(reader.mapping("controller"));
  jedec.map = read_map(reader.mapping("address_map"), jedec.part, channels, bytes, reader);
  reader.finish();
  return jedec;
}

}  // namespace npuvp::config

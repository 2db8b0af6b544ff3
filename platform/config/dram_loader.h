// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "models/dram/address_map.h"
#include "models/dram/part.h"
#include "models/dram/policy.h"
#include "platform/config/yaml_reader.h"

namespace npuvp::config {

/// The JEDEC timing of a card's DRAM: `dram.jedec` of its board file.
struct DramJedec {
  dram::Part part;
  dram::Policy policy;
  dram::AddressMap::Formula map;
};

/// Loads a part from a file (anything with a '/' or ending in .yaml) or by name from `boards`/dram/NAME.yaml.
/// Errors: ConfigError with file:line.
[[nodiscard]] dram::Part load_dram_part(const std::string& name_or_file, const std::string& boards);

/// Reads `dram.jedec`: part, controller and address map of a card with `channels` channels and `bytes` of DRAM.
[[nodiscard]] DramJedec read_dram_jedec(YamlReader reader, const std::string& boards, uint32_t channels,
                                        uint64_t bytes);

}  // namespace npuvp::config

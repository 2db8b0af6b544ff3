// SPDX-License-Identifier: Apache-2.0
#include "platform/assembly/rtl_selection.h"

#include <fmt/format.h>

#include "platform/config/config_error.h"

namespace npuvp::assembly {

RtlSelection::RtlSelection(const std::vector<std::string>& names, unsigned neural_engines) {
  std::set<std::string> known;
  for (unsigned engine = 0; engine < neural_engines; ++engine) known.insert(fmt::format("ne{}.tensor_core", engine));
  for (const auto& name : names) {
    if (!known.contains(name)) {
      throw config::ConfigError(fmt::format("--rtl: no RTL for '{}'; there is ne0.tensor_core to ne{}.tensor_core",
                                            name, neural_engines - 1));
    }
    chosen_.insert(name);
  }
}

}  // namespace npuvp::assembly

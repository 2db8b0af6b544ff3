// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

namespace npuvp::assembly {

/// Which blocks are replaced by their Verilated RTL, from INSTANCE.BLOCK names as on the command line.
class RtlSelection {
 public:
  /// Throws config::ConfigError, which lists what there is, for a name that no block of a card with `neural_engines`
  /// engines has.
  RtlSelection(const std::vector<std::string>& names, unsigned neural_engines);

  [[nodiscard]] bool contains(const std::string& instance, const std::string& block) const {
    return chosen_.contains(instance + "." + block);
  }
  [[nodiscard]] bool empty() const { return chosen_.empty(); }

 private:
  std::set<std::string> chosen_;
};

}  // namespace npuvp::assembly

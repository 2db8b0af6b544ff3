// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "models/pcie/link.h"
#include "models/pcie/root_complex.h"
#include "models/pcie/root_port.h"
#include "platform/assembly/card.h"
#include "platform/config/board.h"

namespace npuvp::assembly {

struct Options {
  std::string rom;               ///< Boot ROM image.
  std::vector<std::string> rtl;  ///< INSTANCE.BLOCK, see RtlSelection.
};

/// A server: root complex, root ports and cards, built from a board and bound.
class Server final : public sc_core::sc_module {
 public:
  /// Errors: config::ConfigError.
  Server(sc_core::sc_module_name name, base::Environment& environment, const config::ServerConfig& config,
         const Options& options);
  ~Server() override;

  [[nodiscard]] pcie::RootComplex& root_complex() { return root_complex_; }
  [[nodiscard]] Card& card(size_t index) { return *cards_.at(index); }
  [[nodiscard]] size_t card_count() const { return cards_.size(); }

 private:
  pcie::RootComplex root_complex_;
  std::vector<std::unique_ptr<Card>> cards_;
  std::vector<std::unique_ptr<pcie::RootPort>> root_ports_;
  std::vector<std::unique_ptr<pcie::Link>> links_;
};

}  // namespace npuvp::assembly

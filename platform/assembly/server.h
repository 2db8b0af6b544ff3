// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/environment.h"
#include "platform/assembly/address_space.h"
#include "platform/assembly/card.h"
#include "platform/assembly/fabric.h"
#include "platform/config/board.h"

namespace npuvp::assembly {

struct Options {
  std::string rom;               ///< Boot ROM image.
  std::vector<std::string> rtl;  ///< INSTANCE.BLOCK, see RtlSelection.
  Fabric::Layout layout = Fabric::Layout::kTree;
};

/// A server: cards and the PCIe fabric above them, built from a board and bound.
class Server final : public sc_core::sc_module {
 public:
  /// Errors: config::ConfigError.
  Server(sc_core::sc_module_name name, base::Environment& environment, const config::ServerConfig& config,
         const Options& options);
  ~Server() override;

  [[nodiscard]] Fabric& fabric() { return *fabric_; }
  [[nodiscard]] pcie::RootComplex& root_complex() { return fabric_->root_complex(); }
  [[nodiscard]] const AddressSpace& address_space() const { return address_space_; }
  [[nodiscard]] Card& card(size_t index) { return *cards_.at(index); }
  [[nodiscard]] size_t card_count() const { return cards_.size(); }

 private:
  const AddressSpace address_space_;
  std::vector<std::unique_ptr<Card>> cards_;
  std::unique_ptr<Fabric> fabric_;
};

}  // namespace npuvp::assembly

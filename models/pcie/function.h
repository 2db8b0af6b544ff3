// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "models/pcie/capabilities/aer_capability.h"
#include "models/pcie/capabilities/express_capability.h"
#include "models/pcie/capabilities/msix_capability.h"
#include "models/pcie/config_space.h"
#include "models/pcie/credit_pool.h"
#include "models/pcie/error_reporter.h"
#include "models/pcie/msix_table.h"

namespace npuvp::pcie {

/// What a physical and a virtual function of an endpoint have in common: configuration space, BARs, MSI-X, errors, and
/// what it has under way as a requester.
class Function {
 public:
  /// Place of a memory request in a function.
  struct Hit {
    unsigned bar;
    uint64_t offset;
  };

  /// What the functions of an endpoint do through its port.
  struct Outlet {
    /// Sends the memory write of an interrupt message.
    std::function<void(Function&, uint64_t address, uint32_t data)> interrupt;
    std::function<void(Function&, MessageCode)> error;
  };

  virtual ~Function() = default;
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  /// 0: the physical function, n: virtual function n.
  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] RoutingId routing_id() const { return routing_id_; }
  void set_routing_id(RoutingId id) { routing_id_ = id; }

  void access_config(const Request& request);

  /// Its BARs answer.
  [[nodiscard]] virtual bool answers_memory() const = 0;
  /// It may send memory requests and interrupts.
  [[nodiscard]] virtual bool may_master() const = 0;
  virtual void reset(ResetKind kind);

  [[nodiscard]] MsixTable* msix_table() { return msix_table_.get(); }
  [[nodiscard]] unsigned vectors() const { return vectors_; }
  [[nodiscard]] ErrorReporter& errors() { return *errors_; }
  /// Legacy status bits of the header.
  virtual void note_received(Completion status) = 0;
  virtual void note_poison(bool as_requester) = 0;

  /// Posted writes of the function that have not arrived yet: interrupts follow them.
  void note_posted(sc_core::sc_time issued, sc_core::sc_time arrived);
  [[nodiscard]] sc_core::sc_time posted_arrived(sc_core::sc_time issued_until) const;

  /// Tags of outstanding requests.
  [[nodiscard]] CreditPool& tags() { return tags_; }
  void set_tags(unsigned count) {
    if (tags_.size() != count) tags_ = CreditPool(count);
  }

 protected:
  /// `header` has the layout of a type 0 header.
  Function(std::string name, unsigned index, base::RegisterBank& header);

  /// To be called by derived classes, with what they are made of, in their constructors.
  void add_msix(base::Environment& environment, const MsixParameters& parameters, unsigned offset,
                const Outlet& outlet);
  void set_errors(std::unique_ptr<ErrorReporter> errors) { errors_ = std::move(errors); }
  /// Something that keeps interrupts back may have changed.
  void update_interrupts() {
    if (msix_table_) msix_table_->update();
  }
  [[nodiscard]] ConfigSpace& config() { return config_; }

 private:
  struct PostedWrite {
    sc_core::sc_time issued;
    sc_core::sc_time arrived;
  };

  const std::string name_;
  const unsigned index_;
  ConfigSpace config_;
  std::unique_ptr<MsixCapability> msix_;
  std::unique_ptr<MsixTable> msix_table_;
  unsigned vectors_ = 0;
  std::unique_ptr<ErrorReporter> errors_;
  RoutingId routing_id_ = 0;
  std::deque<PostedWrite> posted_;  // in order of issue calls
  CreditPool tags_{32};
};

}  // namespace npuvp::pcie

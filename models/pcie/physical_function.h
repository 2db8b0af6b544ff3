// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "models/pcie/base_address_registers.h"
#include "models/pcie/capabilities/ari_capability.h"
#include "models/pcie/capabilities/ltr_capability.h"
#include "models/pcie/capabilities/power_management_capability.h"
#include "models/pcie/capabilities/resizable_bar_capability.h"
#include "models/pcie/capabilities/serial_number_capability.h"
#include "models/pcie/capabilities/sriov_capability.h"
#include "models/pcie/capabilities/vendor_specific_capability.h"
#include "models/pcie/function.h"
#include "models/pcie/link_capabilities.h"

namespace npuvp::pcie {

/// Function 0 of an endpoint.
class PhysicalFunction final : public Function {
 public:
  struct Parameters {
    uint16_t vendor_id = 0x1eff;  ///< Of the ATOM card, with device id and class (docs: hardware facts).
    uint16_t device_id = 0x1220;
    uint32_t class_code = 0x120000;  ///< Processing accelerator.
    uint8_t revision_id = 0;
    uint16_t subsystem_vendor_id = 0x1eff;
    uint16_t subsystem_id = 0x1220;
    uint64_t serial_number = 0;  ///< EUI-64.
    /// BAR sizes of the real card are not public.
    uint64_t bar0_bytes = 64 << 10;   ///< 64-bit, not prefetchable: registers.
    uint64_t bar2_bytes = 256 << 20;  ///< 64-bit, prefetchable: memory. 0: none.
    uint64_t bar2_most_bytes = 0;     ///< Software may enlarge BAR2 up to this; 0: not resizable.
    MsixParameters msix;
    unsigned generation = 5;
    unsigned lanes = 16;
    uint32_t max_payload_bytes = 512;
    /// DMA is marked so where software has enabled it: it may pass posted requests, or those of other requesters.
    bool relaxed_ordering = false;
    bool id_based_ordering = false;

    /// Virtual functions; their BARs have the same kinds. Their device id is not public.
    unsigned virtual_functions = 0;  ///< 0 to 16.
    uint16_t virtual_device_id = 0x1221;
    uint64_t virtual_bar2_bytes = 16 << 20;
    MsixParameters virtual_msix;
  };

  PhysicalFunction(const std::string& name, base::Environment& environment, const Parameters& parameters,
                   const Outlet& outlet);

  [[nodiscard]] bool answers_memory() const override;
  [[nodiscard]] bool may_master() const override;
  void note_received(Completion status) override;
  void note_poison(bool as_requester) override;

  [[nodiscard]] std::optional<Hit> decode(const Request& request) const;

  [[nodiscard]] ExpressCapability& express() { return express_; }
  [[nodiscard]] AerCapability& aer() { return aer_; }
  [[nodiscard]] LinkCapabilities& link_capabilities() { return link_capabilities_; }
  [[nodiscard]] Type0Registers& header() { return header_; }
  /// nullptr: no virtual functions.
  [[nodiscard]] SriovCapability* sriov() { return sriov_.get(); }

 private:
  void add_virtual_functions(base::Environment& environment, const Parameters& parameters);

  Type0Registers header_;
  BaseAddressRegisters bars_;
  ExpressCapability express_;
  PowerManagementCapability power_;
  AerCapability aer_;
  LinkCapabilities link_capabilities_;
  SerialNumberCapability serial_number_;
  LtrCapability latency_tolerance_;
  VendorSpecificCapability vendor_specific_;
  std::unique_ptr<AriCapability> ari_;
  std::unique_ptr<SriovCapability> sriov_;
  std::unique_ptr<ResizableBarCapability> resizable_bar_;
};

}  // namespace npuvp::pcie

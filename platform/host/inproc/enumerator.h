// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace npuvp::host {

class InprocHost;

/// An endpoint function that the in-process host has enumerated and enabled.
struct PciFunction {
  uint16_t bdf = 0;  ///< bus << 8 | device << 3 | function
  uint16_t vendor_id = 0;
  uint16_t device_id = 0;
  std::array<uint64_t, 6> bars{};       ///< Bus address by BAR number, 0 where there is none.
  std::array<uint64_t, 6> bar_bytes{};  ///< Sizes.
  uint32_t first_vector = 0;            ///< Host interrupt of the function's MSI-X vector 0.
  uint32_t vectors = 0;
  // Physical function: its SR-IOV capability, and the BARs of the first virtual function; the others' are behind them.
  uint16_t sriov = 0;  ///< Offset in configuration space, 0: no virtual functions.
  uint16_t total_vfs = 0;
  std::array<uint64_t, 6> vf_bars{};
  std::array<uint64_t, 6> vf_bar_bytes{};
};

/// A root port or switch port.
struct PciBridge {
  uint16_t bdf = 0;
  uint8_t secondary = 0;    ///< The bus below,
  uint8_t subordinate = 0;  ///< and the last one below that.
};

/// Does what firmware and kernel of a host do with the fabric: walks the buses depth first, numbers them, sizes and
/// places all BARs (of virtual functions too) and bridge windows, and enables memory, bus mastering, error reporting,
/// ARI forwarding and extended tags. Maximum payload sizes are set as Linux does by default: each device gets that of
/// the port above it; a root port with a less capable device below is lowered to it.
class Enumerator {
 public:
  explicit Enumerator(InprocHost& host) : host_(host) {}

  void run();

  [[nodiscard]] const std::vector<PciFunction>& functions() const { return functions_; }
  /// In the order of their buses.
  [[nodiscard]] const std::vector<PciBridge>& bridges() const { return bridges_; }

 private:
  /// What is above a bus; bus 0 has nothing above.
  struct Above {
    uint16_t bdf = 0;
    uint16_t express = 0;      // 0: nothing
    uint32_t max_payload = 0;  // as encoded in DEVICE_CONTROL
  };
  void walk(uint8_t bus, Above& above);
  void configure_bridge(uint16_t bdf, Above& above);
  void configure_endpoint(uint16_t bdf, Above& above);
  void set_windows(uint16_t bdf, uint64_t base32, uint64_t base64);
  /// `first` is the offset of BAR 0, `copies` how many times the space is needed.
  void place_bars(uint16_t bdf, uint16_t first, uint64_t copies, std::array<uint64_t, 6>& addresses,
                  std::array<uint64_t, 6>& sizes);
  void prepare_virtual_functions(PciFunction& function, const Above& above);
  void configure_device(uint16_t bdf, uint16_t express, Above& above);
  [[nodiscard]] uint32_t max_payload(uint16_t bdf, uint16_t express);
  void set_max_payload(uint16_t bdf, uint16_t express, uint32_t encoded);

  InprocHost& host_;
  uint8_t last_bus_ = 0;
  uint64_t next32_ = 0;
  uint64_t next64_ = 0;
  std::vector<PciFunction> functions_;
  std::vector<PciBridge> bridges_;
};

}  // namespace npuvp::host

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "models/pcie/capabilities/msix_capability.h"

namespace npuvp::pcie {

/// The MSI-X vector table and pending bit array of a function (PCI Express Base Specification 6.1.4 and 7.7.2), with
/// the decision whether a vector is sent or stays pending.
class MsixTable {
 public:
  /// Sends the message of a vector: a memory write of `data` to `address`.
  using Send = std::function<void(uint64_t address, uint32_t data)>;

  /// `blocked` tells whether the function is kept from sending for another reason (bus master enable).
  MsixTable(const MsixCapability& capability, Send send, std::function<bool()> blocked);

  /// The interrupt condition of `vector`, which must exist: sent now if everything allows it, else as soon as it does.
  /// While the capability is disabled the condition is lost, as there is nobody to tell.
  void raise(unsigned vector);

  /// Sends what is pending and now allowed; to be called when enable, function mask or bus master enable has changed.
  void update();

  /// True if [offset, offset + bytes) of BAR `bar` touches the table or the pending bits.
  [[nodiscard]] bool covers(unsigned bar, uint64_t offset, uint64_t bytes) const;

  /// Access by software to bytes of BAR `bar`; bytes outside the structures read 0 and ignore writes.
  void read(unsigned bar, uint64_t offset, std::span<uint8_t> data) const;
  void write(unsigned bar, uint64_t offset, std::span<const uint8_t> data);

  void reset();

 private:
  struct Place {
    unsigned bar;
    uint64_t offset;
    uint64_t bytes;

    /// Byte at `at` of BAR `in`, relative to the place.
    [[nodiscard]] std::optional<uint64_t> index(unsigned in, uint64_t at) const {
      return in == bar && at >= offset && at - offset < bytes ? std::optional(at - offset) : std::nullopt;
    }
  };

  [[nodiscard]] uint64_t field(unsigned vector, unsigned offset, unsigned bytes) const;
  [[nodiscard]] bool masked(unsigned vector) const;
  [[nodiscard]] bool is_pending(unsigned vector) const;
  void set_pending(unsigned vector, bool pending);
  void send(unsigned vector);

  const MsixCapability& capability_;
  Send send_;
  std::function<bool()> blocked_;
  Place table_place_;
  Place pending_place_;
  std::vector<uint8_t> table_;
  std::vector<uint8_t> pending_;
};

}  // namespace npuvp::pcie

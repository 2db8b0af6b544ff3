// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/models/pcie/checker/shadow_function.h"

namespace npuvp::tests::checker {

/// MSI-X structures in BAR0 of a function (7.7.2): never seen by the memory behind the BAR.
struct MsixLayout {
  unsigned vectors = 0;
  uint32_t table_offset = 0;
  uint32_t pending_offset = 0;
};

/// A card as the platform under test was told to build it. All BARs are 64-bit, BAR2 is prefetchable.
struct CardLayout {
  std::string name;
  uint64_t bar0_bytes = 64 << 10;
  uint64_t bar2_bytes = 1 << 20;
  uint64_t bar2_most_bytes = 0;  ///< 0: not resizable.
  MsixLayout msix;
  unsigned virtual_functions = 0;
  uint64_t virtual_bar0_bytes = 0;
  uint64_t virtual_bar2_bytes = 0;
  MsixLayout virtual_msix;
};

struct Bridge;

/// An endpoint.
struct Card {
  CardLayout layout;
  Bridge* above = nullptr;
  /// 0 the physical function, n virtual function n.
  std::vector<std::unique_ptr<ShadowFunction>> functions{};
  std::vector<uint8_t> captured_bus{};  ///< Of each function (2.2.6.2).
  std::vector<unsigned> resets{};       ///< Of each function, so far.
  unsigned enabled = 0;                 ///< Virtual functions.
  /// Software did to NumVFs, page size or ARI what the specification leaves undefined; until VF Enable is cleared.
  bool undefined_functions = false;

  [[nodiscard]] ShadowFunction& physical() const { return *functions[0]; }
};

/// A root port, or one of a switch's ports.
struct Bridge {
  Bridge(std::string name, FunctionKind kind, uint8_t devfn_, Bridge* above_)
      : function(std::move(name), kind), devfn(devfn_), above(above_) {}

  ShadowFunction function;
  const uint8_t devfn;
  Bridge* const above;
  std::vector<Bridge*> below{};   ///< Downstream ports of an upstream port; the upstream port at the link's other end.
  Card* card = nullptr;           ///< At the link's other end.
  bool contained = false;         ///< DPC (6.2.10) holds the link down.
  bool may_be_contained = false;  ///< An error may have made it so; DPC Status was not read since.

  [[nodiscard]] uint8_t secondary() const { return static_cast<uint8_t>(function.get(0x19, 1)); }
  [[nodiscard]] uint8_t subordinate() const { return static_cast<uint8_t>(function.get(0x1a, 1)); }
};

/// A function and what it belongs to.
struct Place {
  Bridge* bridge = nullptr;
  Card* card = nullptr;
  unsigned index = 0;  ///< Of the card's function.

  [[nodiscard]] ShadowFunction& function() const {
    return bridge != nullptr ? bridge->function : *card->functions[index];
  }
  [[nodiscard]] bool exists() const { return bridge != nullptr || card != nullptr; }
};

/// Where a request ends.
struct Verdict {
  enum class Fate : uint8_t {
    kReaches,    ///< The function `place`; for memory, `offset` in its `bar`.
    kHost,       ///< Host memory.
    kRefused,    ///< Unsupported Request, or Completer Abort.
    kLost,       ///< The requesting function may not send it.
    kUndefined,  ///< The specification does not say; it may reach whatever has a matching BAR.
  };
  Fate fate = Fate::kUndefined;
  Place place{};
  unsigned bar = 0;
  uint64_t offset = 0;
  Place refuser{};       ///< Sets Unsupported Request Detected; none: nobody that could.
  bool certain = false;  ///< That the refuser must.
  const char* reason = "";
};

/// What the checker has to do before it can judge the next access.
struct Consequences {
  struct Look {
    Place place;
    unsigned offset;
    unsigned bytes;
  };
  bool wait = false;  ///< A link trains.
  std::vector<Look> looks{};
};

/// The fabric as the specification says it behaves, fed with the accesses made and asked where the next one goes.
class ShadowFabric {
 public:
  Bridge& add_root_port(const std::string& name, uint8_t devfn);
  /// Returns the upstream port; its downstream ports stand in device 0, 1, ... of the internal bus.
  Bridge& add_switch(const std::string& name, Bridge& port, unsigned ports);
  Card& add_card(Bridge& port, const CardLayout& layout);

  /// Of a configuration request by ECAM (7.2.2, 7.3).
  [[nodiscard]] Verdict route_config(uint16_t id) const;
  /// Of a byte of memory, from the host (2.2.4.1, 7.5.1.3).
  [[nodiscard]] Verdict route_memory(uint64_t address) const;
  /// Of a byte of memory, from a function of a card. `host_bytes` from `host_base`: host memory.
  [[nodiscard]] Verdict route_dma(const Card& card, unsigned index, uint64_t address, bool is_read) const;
  void set_host_memory(uint64_t base, uint64_t bytes) {
    host_base_ = base;
    host_bytes_ = bytes;
  }

  /// The host's write reached `place`.
  Consequences write_config(const Place& place, unsigned offset, unsigned bytes, uint32_t value, uint8_t bus);
  /// The host read a register of `place`, which check_read() has taken in.
  Consequences after_read(const Place& place);
  /// The request was refused.
  Consequences note_refusal(const Verdict& verdict);
  /// An error that is not Unsupported Request at `place`.
  Consequences note_error(const Place& place);
  /// Something happened that the specification leaves undefined: errors may have been logged anywhere.
  Consequences note_anywhere();
  /// Errors other than Unsupported Request may have been logged anywhere.
  void note_events();
  /// Where ports that have MSI enabled write to, if that is not the root's interrupt range: software told them to.
  [[nodiscard]] std::vector<uint64_t> stray_interrupts() const;
  /// Such an interrupt may be refused, which is logged where it passes.
  void note_stray_interrupts();
  void fundamental_reset();

  /// True if the byte at `address` is at `offset` in this BAR, by the registers.
  [[nodiscard]] bool matches(const Card& card, unsigned index, unsigned bar, uint64_t offset, uint64_t address) const;
  /// std::nullopt: unreachable, or not by software's numbers.
  [[nodiscard]] std::optional<uint16_t> id_of(const Place& place) const;
  [[nodiscard]] bool link_is_up(const Bridge& port) const;
  /// Some port will take its link down at an error.
  [[nodiscard]] bool is_containment_armed() const;

  [[nodiscard]] const std::vector<Bridge*>& root_ports() const { return root_ports_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Bridge>>& bridges() const { return bridges_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Card>>& cards() const { return cards_; }

  /// MSI-X table and PBA are in this BAR of a function at these places.
  [[nodiscard]] static const MsixLayout& msix_of(const Card& card, unsigned index) {
    return index == 0 ? card.layout.msix : card.layout.virtual_msix;
  }
  [[nodiscard]] static bool in_window(const Bridge& bridge, uint64_t address);

 private:
  Verdict config_below(Bridge& port, uint8_t bus, uint8_t devfn) const;
  Verdict config_on_link(Bridge& port, uint8_t devfn) const;
  Verdict config_in_switch(Bridge& upstream, uint8_t bus, uint8_t devfn) const;
  Verdict memory_below(Bridge& port, uint64_t address) const;
  Verdict memory_in_card(Card& card, uint64_t address) const;
  Verdict from_below(Bridge& port, uint64_t address, uint8_t requester_bus, bool is_read, bool redirected) const;
  Verdict from_switch(Bridge& upstream, uint64_t address, uint8_t requester_bus, bool is_read, bool redirected) const;
  Verdict at_root(Bridge& port, uint64_t address, bool redirected) const;
  [[nodiscard]] bool completions_return(const Card& card, uint8_t requester_bus) const;

  void reset_below(Bridge& port, ShadowFunction::Reset kind);
  void reset_card(Card& card, ShadowFunction::Reset kind);
  void set_virtual_functions(Card& card, unsigned count);
  void look_for_containment(const Place& place, Consequences& consequences);
  void after_bridge_write(Bridge& bridge, uint32_t old_control, uint32_t old_link, Consequences& consequences);
  void after_card_write(Card& card, unsigned offset, unsigned bytes, uint32_t old_control, Consequences& consequences);
  void update_bar_sizes(Card& card);

  std::vector<std::unique_ptr<Bridge>> bridges_;
  std::vector<std::unique_ptr<Card>> cards_;
  std::vector<Bridge*> root_ports_;
  uint64_t host_base_ = 0;
  uint64_t host_bytes_ = 0;
};

}  // namespace npuvp::tests::checker

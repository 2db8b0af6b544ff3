// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "models/base/initiator_port.h"
#include "models/pcie/endpoint.h"
#include "models/pcie/link.h"
#include "models/pcie/root_complex.h"
#include "models/pcie/switch.h"
#include "tests/models/pcie/checker/memories.h"
#include "tests/models/pcie/checker/shadow_fabric.h"

namespace npuvp::tests::checker {

/// The fabric under test beside its shadow: every access goes to both and the answers are compared. The first
/// difference stops everything and is kept as text.
class Bench {
 public:
  /// Where something can be connected: a root port or a switch's downstream port.
  struct Socket {
    pcie::Port* port;
    Bridge* bridge;
  };

  Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Socket add_root_port(uint8_t devfn);
  std::vector<Socket> add_switch(const std::string& name, const Socket& above, unsigned ports);
  void add_card(const CardLayout& layout, const Socket& above);
  /// After everything was added.
  void start();

  /// Aligned so that it stays in a double word; an answer is always had.
  uint32_t read_config(uint16_t id, unsigned offset, unsigned bytes);
  void write_config(uint16_t id, unsigned offset, unsigned bytes, uint32_t value);
  void read_memory(uint64_t address, unsigned bytes);
  void write_memory(uint64_t address, std::span<const uint8_t> data);
  void dma_read(size_t card, unsigned function, uint64_t address, unsigned bytes);
  void dma_write(size_t card, unsigned function, uint64_t address, std::span<const uint8_t> data);
  /// Configuration read over the end of a double word: undefined, but must be answered.
  void read_config_across(uint16_t id, unsigned offset, unsigned bytes);
  void fundamental_reset();

  /// Takes over the power-on contents of a function that can be reached.
  void learn(const Place& place);

  /// Changes a register behind the checker's back, which it must notice.
  void tamper(uint16_t id, unsigned offset, unsigned bytes, uint32_t value);

  /// From now on the state is undefined: only that nothing outside any BAR is touched is still judged.
  void give_up_state() { is_lax_ = true; }
  [[nodiscard]] bool has_given_up() const { return is_lax_; }
  [[nodiscard]] bool failed() const { return !failure_.empty(); }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// How the accesses were judged. Undefined: answered, and touched nothing outside any BAR.
  struct Counts {
    uint64_t reached = 0;
    uint64_t refused = 0;
    uint64_t undefined = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] uint64_t accesses() const { return accesses_; }
  [[nodiscard]] std::string recent() const;  ///< The last accesses.
  [[nodiscard]] std::string state() const;   ///< What the shadow believes of the registers that route.
  [[nodiscard]] ShadowFabric& shadow() { return shadow_; }

 private:
  struct Initiators final : sc_core::sc_module {
    explicit Initiators(sc_core::sc_module_name name) : sc_module(name) {}
    base::InitiatorPort config{"config"};
    base::InitiatorPort memory{"memory"};
  };
  /// An MSI-X table's contents.
  struct MsixTable {
    std::vector<uint8_t> value;
    std::vector<uint8_t> known;
    unsigned resets = ~0U;
  };
  struct Recent {
    const char* what;
    uint64_t address;
    unsigned bytes;
    uint64_t value;
    const char* reason;
  };
  struct Piece {
    uint64_t address;
    std::span<uint8_t> data;
    Verdict verdict;
  };

  void note(const char* what, uint64_t address, unsigned bytes, uint64_t value, const char* reason);
  void count(const Verdict& verdict, uint64_t address = 0, uint64_t bytes = 0);
  void ignore_stray_interrupts(uint64_t own, uint64_t own_bytes);
  void fail(const std::string& text);
  void follow(const Consequences& consequences);
  void wait();
  void check_statuses();

  /// Judges what a memory access did; `data`: read, or to be written.
  void judge_memory(uint64_t address, std::span<uint8_t> data, bool is_write, std::vector<Piece>& pieces,
                    tlm::tlm_response_status status, bool is_dma);
  std::vector<Piece> split(uint64_t address, std::span<uint8_t> data) const;
  void judge_reaching(const Piece& piece, bool is_write, size_t& next, bool& failed_read, bool is_dma);
  void judge_msix(const Piece& piece, bool is_write, size_t& next);
  void judge_refused(const Piece& piece, bool is_write, bool is_dma, bool may_be_left_out);
  bool take_touches(const Piece& piece, uint64_t offset, uint64_t bytes, bool is_write, size_t& next, bool all);
  bool may_touch(const Touch& touch, uint64_t address, uint64_t bytes) const;
  void forget_tables();
  MsixTable& table_of(const Card& card, unsigned function);
  static bool touches_msix(const Verdict& verdict, uint64_t bytes);
  CardMemory& memory_of(const Card& card);
  uint8_t& byte_at(const Verdict& verdict, uint64_t index);

  base::Environment environment_;
  std::vector<Touch> touches_;
  RecordingHost host_{touches_};
  ShadowFabric shadow_;
  pcie::RootComplex root_complex_;
  std::vector<std::unique_ptr<pcie::RootPort>> root_ports_;
  std::vector<std::unique_ptr<pcie::Switch>> switches_;
  std::vector<std::unique_ptr<pcie::Endpoint>> endpoints_;
  std::vector<std::unique_ptr<CardMemory>> memories_;
  std::vector<std::unique_ptr<pcie::Link>> links_;
  Initiators initiators_{"initiators"};
  std::map<std::pair<const Card*, unsigned>, MsixTable> tables_;

  bool is_lax_ = false;
  /// PCIE_RANDOM_PARANOID: errors are looked for after every access, which tells the access that made them.
  const bool is_paranoid_ = std::getenv("PCIE_RANDOM_PARANOID") != nullptr;
  unsigned depth_ = 0;
  uint64_t accesses_ = 0;
  Counts counts_;
  std::string failure_;
  std::deque<Recent> recent_;
};

}  // namespace npuvp::tests::checker

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tests/models/pcie/checker/bench.h"

namespace npuvp::tests::checker {

/// xorshift64: the same seed gives the same run.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e37'79b9'7f4a'7c15 | 1) {}
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  /// 0 to bound - 1.
  uint64_t below(uint64_t bound) { return (next() >> 11) % bound; }
  bool one_in(uint64_t chances) { return below(chances) == 0; }
  template <typename T>
  const T& of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  uint64_t state_;
};

/// Drives a bench at random: episodes that begin with a reset of the host and a sensible enumeration, and go on with
/// accesses of all kinds, mistakes of software and repairs.
class RandomDriver {
 public:
  RandomDriver(Bench& bench, uint64_t seed) : bench_(bench), random_(seed) {}

  /// Takes over what each function looks like after power on; once, before anything else.
  void learn();
  /// Resets the host and enumerates.
  void begin_episode(bool all_functions);
  /// Accesses of memory, configuration reads and DMA, as run() makes them, without changing anything.
  void look_around(uint64_t accesses);
  /// Runs until `accesses` more were made or something was wrong.
  void run(uint64_t accesses);

 private:
  struct Write {
    Place place;
    unsigned offset;
    unsigned bytes;
    uint32_t value;
  };
  struct Repair {
    uint64_t due;
    Write write;
  };
  /// Where the next BAR and window goes.
  struct Cursors {
    uint64_t memory;
    uint64_t prefetchable;
    uint8_t bus;
  };

  void make_plan(bool all_functions);
  void plan_bridge(Bridge& bridge, Cursors& cursors, bool all_functions);
  void plan_card(Card& card, Cursors& cursors, bool all_functions);
  void plan(const Place& place, unsigned offset, unsigned bytes, uint64_t value);
  void carry_out_plan();
  void write(const Write& item);
  /// Writes a register now and what it was before some steps later.
  void disturb(const Place& place, unsigned offset, unsigned bytes, uint32_t value);

  void step();
  void read_config();
  void read_any_config();
  void write_register();
  void write_anywhere();
  void access_memory();
  void access_dma();
  void make_mistake();
  void mistake_of_bridge(Bridge& bridge);
  void mistake_of_card(Card& card);

  [[nodiscard]] bool may_write(uint16_t id);
  Place any_place();
  Place any_function();
  uint64_t any_address();
  std::vector<uint8_t> any_data(uint64_t most);
  uint32_t any_value();

  Bench& bench_;
  Random random_;
  std::vector<Write> plan_;
  std::deque<Repair> repairs_;
  uint64_t step_ = 0;
};

}  // namespace npuvp::tests::checker

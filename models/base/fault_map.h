// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>

#include "models/base/secded.h"
#include "models/base/sparse_memory.h"

namespace npuvp::base {

/// Counts of the error correction since construction or clear().
struct EccCounters {
  uint64_t corrected = 0;      ///< Words with one wrong bit that were read or scrubbed.
  uint64_t uncorrectable = 0;  ///< Words with more that were read or scrubbed.
  uint64_t scrubbed = 0;       ///< Corrected words that were written back.
};

/// Bit errors injected into a memory, and the SECDED code over every aligned 64-bit word that finds them. The memory
/// itself holds what was written, so that words without errors cost nothing.
class FaultMap {
 public:
  /// Called with the address of every word with an error that is met.
  using Report = std::function<void(uint64_t address, secded::Outcome outcome)>;

  explicit FaultMap(base::SparseMemory& memory) : memory_(memory) {}

  /// Flips bit 0 to 63 (data) or 64 to 71 (check) of the word at `address`, which lies in the memory. A second flip of
  /// the same bit takes it back.
  void flip(uint64_t address, unsigned bit);

  /// After [address, address + data.size()) was read into `data`: corrects, and poisons `data` with what an
  /// uncorrectable word holds. False if there was one.
  bool after_read(uint64_t address, std::span<uint8_t> data);

  /// As read without the code: puts into `data`, which was read at `address`, the wrong bits that the words hold.
  void apply(uint64_t address, std::span<uint8_t> data) const;

  /// Before [address, address + bytes) is written: words written in full are sound again, others are read, corrected
  /// and written; what cannot be corrected stays so.
  void before_write(uint64_t address, uint64_t bytes);

  /// Words of [address, address + bytes) have no errors any more.
  void forget(uint64_t address, uint64_t bytes);

  /// Data that is known to be bad was written: all words that it touches become uncorrectable.
  void poison(uint64_t address, uint64_t bytes);

  /// Reads and corrects in place. Returns the bytes written back.
  uint64_t scrub(uint64_t address, uint64_t bytes);

  [[nodiscard]] bool empty() const { return flips_.empty(); }
  [[nodiscard]] const EccCounters& counters() const { return counters_; }
  /// Address of the last uncorrectable word that was met.
  [[nodiscard]] uint64_t last_uncorrectable() const { return last_uncorrectable_; }
  void on_error(Report report) { report_ = std::move(report); }
  /// Number of words with errors.
  [[nodiscard]] size_t size() const { return flips_.size(); }
  /// The first word with an error at or behind `address`.
  [[nodiscard]] std::optional<uint64_t> next(uint64_t address) const;
  /// The last one before `address`.
  [[nodiscard]] std::optional<uint64_t> previous(uint64_t address) const;
  [[nodiscard]] bool contains(uint64_t word) const { return flips_.contains(word); }
  void clear();

 private:
  struct Flips {
    uint64_t data = 0;
    uint8_t check = 0;
  };
  using Map = std::map<uint64_t, Flips>;  // by word address; iterated by address
  /// Decodes a word with errors, counts and reports. True if it could be corrected.
  bool check(const Map::value_type& word);
  [[nodiscard]] uint64_t stored(uint64_t word) const;

  base::SparseMemory& memory_;
  Map flips_;
  EccCounters counters_;
  uint64_t last_uncorrectable_ = 0;
  Report report_;
};

}  // namespace npuvp::base

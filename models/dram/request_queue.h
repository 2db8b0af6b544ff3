// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/dram/part.h"

namespace npuvp::dram {

/// A transaction in a controller.
struct Entry {
  uint64_t order;  ///< Rises with every accepted transaction.
  Tick accepted;
  uint32_t tag;
  uint32_t row;
  uint32_t column;
  uint16_t bank;
  int16_t next;
  bool write;
  bool counted;  ///< As hit, miss or conflict.
};

/// The entries of all queues of a controller: a pool, threaded into one list a bank and direction, oldest first.
class RequestQueue {
 public:
  static constexpr int16_t kNone = -1;

  /// `entries` > 0.
  RequestQueue(size_t entries, size_t banks) : pool_(entries), lists_(2 * banks) {
    for (size_t i = 0; i + 1 < entries; ++i) pool_[i].next = static_cast<int16_t>(i + 1);
    pool_.back().next = kNone;
  }

  [[nodiscard]] Entry& at(int16_t index) { return pool_[static_cast<size_t>(index)]; }
  [[nodiscard]] const Entry& at(int16_t index) const { return pool_[static_cast<size_t>(index)]; }
  [[nodiscard]] int16_t oldest(size_t bank, bool write) const { return list(bank, write).head; }

  /// Appends to the list of its bank. The pool must have room.
  int16_t push(const Entry& entry) {
    const int16_t index = free_;
    free_ = at(index).next;
    at(index) = entry;
    at(index).next = kNone;
    auto& target = list(entry.bank, entry.write);
    (target.head == kNone ? target.head : at(target.tail).next) = index;
    target.tail = index;
    return index;
  }

  /// Takes an entry out of its list; it stays in the pool.
  void unlink(int16_t index) {
    auto& target = list(at(index).bank, at(index).write);
    int16_t before = kNone;
    for (int16_t each = target.head; each != index; each = at(each).next) before = each;
    (before == kNone ? target.head : at(before).next) = at(index).next;
    if (target.tail == index) target.tail = before;
  }

  /// Gives an unlinked entry back to the pool.
  void release(int16_t index) {
    at(index).next = free_;
    free_ = index;
  }

  /// The oldest entry of a bank for `row`, from `from` on; kNone if there is none.
  [[nodiscard]] int16_t find_row(int16_t from, uint32_t row) const {
    while (from != kNone && at(from).row != row) from = at(from).next;
    return from;
  }

  /// True if the bank's list has an entry for this very transaction.
  [[nodiscard]] bool contains(size_t bank, bool write, uint32_t row, uint32_t column) const {
    for (int16_t each = oldest(bank, write); each != kNone; each = at(each).next) {
      if (at(each).row == row && at(each).column == column) return true;
    }
    return false;
  }

 private:
  struct List {
    int16_t head = kNone;
    int16_t tail = kNone;
  };
  [[nodiscard]] const List& list(size_t bank, bool write) const { return lists_[2 * bank + (write ? 1U : 0U)]; }
  [[nodiscard]] List& list(size_t bank, bool write) { return lists_[2 * bank + (write ? 1U : 0U)]; }

  std::vector<Entry> pool_;
  std::vector<List> lists_;
  int16_t free_ = 0;
};

}  // namespace npuvp::dram

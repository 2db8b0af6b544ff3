// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace npuvp::host {

/// What is free of a range of addresses or numbers; first fit.
class FreeSpace {
 public:
  /// All of [begin, begin + size), in units of `granule`, of which both are multiples.
  FreeSpace(uint64_t begin, uint64_t size, uint64_t granule) : granule_(granule), holes_{{begin, size}} {}

  /// `size` rounded up to units, at least one.
  [[nodiscard]] uint64_t rounded(uint64_t size) const;

  /// Takes rounded(size) that end not behind `limit`. Empty: there is no such hole.
  [[nodiscard]] std::optional<uint64_t> take(uint64_t size, uint64_t limit = UINT64_MAX);
  /// What take(size) gave.
  void give_back(uint64_t begin, uint64_t size);

  /// Holds something until the last copy of the handle is gone, and the space with it.
  class Taken {
   public:
    Taken(std::shared_ptr<FreeSpace> space, uint64_t begin, uint64_t size)
        : space_(std::move(space)), begin_(begin), size_(size) {}
    ~Taken() { space_->give_back(begin_, size_); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    [[nodiscard]] uint64_t begin() const { return begin_; }

   private:
    std::shared_ptr<FreeSpace> space_;
    uint64_t begin_;
    uint64_t size_;
  };

 private:
  uint64_t granule_;
  std::map<uint64_t, uint64_t> holes_;  // begin -> size
};

/// take() with a handle. Null: there is no such hole.
[[nodiscard]] std::shared_ptr<const FreeSpace::Taken> take_shared(const std::shared_ptr<FreeSpace>& space,
                                                                  uint64_t size, uint64_t limit = UINT64_MAX);

}  // namespace npuvp::host

// SPDX-License-Identifier: Apache-2.0
#include "models/base/fault_map.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>

#include "models/base/secded.h"

namespace npuvp::base {
namespace {

constexpr uint64_t kWord = 8;

uint64_t word_of(uint64_t address) {
  return address / kWord * kWord;
}

}  // namespace

void FaultMap::flip(uint64_t address, unsigned bit) {
  if (!memory_.contains(word_of(address), kWord) || bit >= secded::kCodeBits) {
    throw std::invalid_argument("memory error: no such bit or address");
  }
  auto& flips = flips_[word_of(address)];
  if (bit < secded::kDataBits) {
    flips.data ^= uint64_t{1} << bit;
  } else {
    flips.check = static_cast<uint8_t>(flips.check ^ 1U << (bit - secded::kDataBits));
  }
  if (flips.data == 0 && flips.check == 0) flips_.erase(word_of(address));
}

uint64_t FaultMap::stored(uint64_t word) const {
  uint64_t data = 0;
  std::memcpy(&data, memory_.data() + word, kWord);
  return data;
}

bool FaultMap::check(const Map::value_type& word) {
  const uint64_t data = stored(word.first);
  const auto decoded =
      secded::decode(data ^ word.second.data, static_cast<uint8_t>(secded::check_bits(data) ^ word.second.check));
  // Three errors may look like one: what such a word is "corrected" to is wrong as in hardware, but not modelled.
  const bool corrected = decoded.outcome != secded::Outcome::kUncorrectable && decoded.data == data;
  if (corrected) {
    ++counters_.corrected;
  } else {
    ++counters_.uncorrectable;
    last_uncorrectable_ = word.first;
  }
  if (report_) report_(word.first, corrected ? secded::Outcome::kCorrected : secded::Outcome::kUncorrectable);
  return corrected;
}

std::optional<uint64_t> FaultMap::next(uint64_t address) const {
  const auto word = flips_.lower_bound(address);
  return word == flips_.end() ? std::nullopt : std::optional(word->first);
}

std::optional<uint64_t> FaultMap::previous(uint64_t address) const {
  const auto word = flips_.lower_bound(address);
  return word == flips_.begin() ? std::nullopt : std::optional(std::prev(word)->first);
}

bool FaultMap::after_read(uint64_t address, std::span<uint8_t> data) {
  bool sound = true;
  const uint64_t end = address + data.size();
  for (auto word = flips_.lower_bound(word_of(address)); word != flips_.end() && word->first < end; ++word) {
    if (check(*word)) continue;
    sound = false;
    const uint64_t poisoned = stored(word->first) ^ word->second.data;
    const uint64_t from = std::max(address, word->first);
    const uint64_t to = std::min(end, word->first + kWord);
    std::memcpy(data.data() + (from - address), reinterpret_cast<const uint8_t*>(&poisoned) + (from - word->first),
                to - from);
  }
  return sound;
}

void FaultMap::apply(uint64_t address, std::span<uint8_t> data) const {
  const uint64_t end = address + data.size();
  for (auto word = flips_.lower_bound(word_of(address)); word != flips_.end() && word->first < end; ++word) {
    for (uint64_t at = std::max(address, word->first); at < std::min(end, word->first + kWord); ++at) {
      auto& byte = data[at - address];
      byte = static_cast<uint8_t>(byte ^ word->second.data >> (at - word->first) * 8);
    }
  }
}

void FaultMap::before_write(uint64_t address, uint64_t bytes) {
  const uint64_t end = address + bytes;
  for (auto word = flips_.lower_bound(word_of(address)); word != flips_.end() && word->first < end;) {
    const bool in_full = word->first >= address && word->first + kWord <= end;
    word = in_full || check(*word) ? flips_.erase(word) : std::next(word);
  }
}

void FaultMap::forget(uint64_t address, uint64_t bytes) {
  flips_.erase(flips_.lower_bound(word_of(address)), flips_.lower_bound(address + bytes));
}

void FaultMap::poison(uint64_t address, uint64_t bytes) {
  constexpr uint8_t kTwoCheckBits = 3;
  for (uint64_t word = word_of(address); word < address + bytes; word += kWord) {
    flips_[word] = {.data = 0, .check = kTwoCheckBits};
  }
}

uint64_t FaultMap::scrub(uint64_t address, uint64_t bytes) {
  uint64_t written = 0;
  const uint64_t end = address + bytes;
  for (auto word = flips_.lower_bound(word_of(address)); word != flips_.end() && word->first < end;) {
    const bool corrected = check(*word);
    counters_.scrubbed += corrected ? 1 : 0;
    written += corrected ? kWord : 0;
    word = corrected ? flips_.erase(word) : std::next(word);
  }
  return written;
}

void FaultMap::clear() {
  flips_.clear();
  counters_ = {};
  last_uncorrectable_ = 0;
}

}  // namespace npuvp::base

// SPDX-License-Identifier: Apache-2.0
#include "models/otp/fuses.h"

#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "models/base/file_error.h"

namespace npuvp::otp {

Fuses::Fuses(const Words& initial, std::string file) : words_(initial), file_(std::move(file)) {
  if (!file_.empty() && std::filesystem::exists(file_)) load();
}

void Fuses::load() {
  std::ifstream stream(file_, std::ios::binary);
  std::array<char, sizeof(Words) + 1> data{};
  stream.read(data.data(), data.size());
  if (stream.bad() || static_cast<size_t>(stream.gcount()) != sizeof(Words)) {
    throw base::FileError("OTP file " + file_ + ": not " + std::to_string(sizeof(Words)) +
                          " readable bytes; make one with `npu-sign otp`");
  }
  std::memcpy(words_.data(), data.data(), sizeof(Words));
}

/// Beside the file, then renamed over it: a killed process leaves the old contents or the new ones.
bool Fuses::store(const Words& words) const {
  if (file_.empty()) return true;
  const std::string fresh = file_ + ".new";
  std::ofstream stream(fresh, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(words.data()), sizeof(Words));
  stream.close();
  if (!stream) return false;
  std::error_code error;
  std::filesystem::rename(fresh, file_, error);
  return !error;
}

bool Fuses::program(unsigned index, uint32_t bits) {
  Words changed = words_;
  changed.at(index) |= bits;
  if (!store(changed)) return false;
  words_ = changed;
  return true;
}

npu_lifecycle Fuses::lifecycle() const {
  constexpr uint32_t kMask = (1U << NPU_OTP_LIFECYCLE_BITS) - 1;
  switch (words_[NPU_OTP_LIFECYCLE] & kMask) {
    case 0b000:
      return NPU_LIFECYCLE_TEST;
    case 0b001:
      return NPU_LIFECYCLE_DEVELOPMENT;
    case 0b111:
      return NPU_LIFECYCLE_RMA;
    default:  // 0b011, and codes that nobody programs: the most guarded state
      return NPU_LIFECYCLE_PRODUCTION;
  }
}

bool Fuses::debug_allowed() const {
  return lifecycle() != NPU_LIFECYCLE_PRODUCTION && (words_[NPU_OTP_DEBUG_DISABLE] & 1U) == 0;
}

unsigned Fuses::rollback() const {
  unsigned ones = 0;
  for (unsigned word = 0; word < NPU_OTP_ROLLBACK_WORDS; ++word) {
    const auto here = static_cast<unsigned>(std::countr_one(words_[NPU_OTP_ROLLBACK + word]));
    ones += here;
    if (here < 32) break;
  }
  return ones;
}

}  // namespace npuvp::otp

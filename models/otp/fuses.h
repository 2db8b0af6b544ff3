// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "firmware/abi/otp.h"

namespace npuvp::otp {

/// Contents of the fuses, little-endian words as in firmware/abi/otp.h.
using Words = std::array<uint32_t, NPU_OTP_WORDS>;

/// The fuses themselves: bits that only go from 0 to 1, kept in a file if one is given.
class Fuses {
 public:
  /// `initial` is used when `file` is empty or does not exist yet. Throws base::FileError if the file cannot be read
  /// or does not have 4 * NPU_OTP_WORDS bytes.
  Fuses(const Words& initial, std::string file);

  [[nodiscard]] uint32_t word(unsigned index) const { return words_.at(index); }
  [[nodiscard]] const Words& words() const { return words_; }

  /// Programs `bits`. False if the file could not be replaced; the fuses are then as before.
  [[nodiscard]] bool program(unsigned index, uint32_t bits);

  [[nodiscard]] npu_lifecycle lifecycle() const;
  [[nodiscard]] bool debug_allowed() const;
  /// Ones from the bottom of the rollback counter.
  [[nodiscard]] unsigned rollback() const;

 private:
  void load();
  [[nodiscard]] bool store(const Words& words) const;

  Words words_;
  std::string file_;
};

}  // namespace npuvp::otp

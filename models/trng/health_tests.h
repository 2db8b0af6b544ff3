// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace npuvp::trng {

/// The two continuous health tests of NIST SP 800-90B, section 4.4, on samples of 8 bits.
class HealthTests {
 public:
  /// For an entropy of 4 bits a sample (u) and a false alarm rate of 2^-20: 1 + 20 / 4.
  static constexpr unsigned kRepetitionCutoff = 6;
  /// Window for samples that are not binary.
  static constexpr unsigned kWindow = 512;
  /// 1 + critical value of the binomial distribution (512, 2^-4) at 1 - 2^-20, which is 61.
  static constexpr unsigned kProportionCutoff = 62;

  void sample(uint8_t value);
  void reset() { *this = HealthTests(); }

  [[nodiscard]] bool repetition_failed() const { return repetition_failed_; }
  [[nodiscard]] bool proportion_failed() const { return proportion_failed_; }
  [[nodiscard]] uint32_t samples() const { return samples_; }

 private:
  uint32_t samples_ = 0;
  unsigned run_ = 0;
  uint8_t last_ = 0;
  unsigned in_window_ = 0;
  uint8_t watched_ = 0;
  unsigned occurrences_ = 0;
  bool repetition_failed_ = false;
  bool proportion_failed_ = false;
};

}  // namespace npuvp::trng

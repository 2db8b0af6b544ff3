// SPDX-License-Identifier: Apache-2.0
#include "models/trng/health_tests.h"

namespace npuvp::trng {

void HealthTests::sample(uint8_t value) {
  run_ = samples_ != 0 && value == last_ ? run_ + 1 : 1;
  last_ = value;
  if (run_ >= kRepetitionCutoff) repetition_failed_ = true;

  if (in_window_ == 0) {
    watched_ = value;
    occurrences_ = 0;
  }
  if (value == watched_) ++occurrences_;
  if (occurrences_ >= kProportionCutoff) proportion_failed_ = true;
  in_window_ = (in_window_ + 1) % kWindow;
  ++samples_;
}

}  // namespace npuvp::trng

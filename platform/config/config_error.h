// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace npuvp::config {

/// A command line or an input file is wrong. The message is one line that names file, place, value and remedy; the
/// program ends with exit status 2.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace npuvp::config
